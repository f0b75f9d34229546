// The bytes that a finished command has moved.
#pragma once

#include "sim/iface/command.h"

namespace sluice::sim {

// Copies or fills the command's box. Overlapping linear copies behave like memmove.
void move_bytes(const Command& command);

}  // namespace sluice::sim
