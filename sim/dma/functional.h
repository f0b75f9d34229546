// The bytes that a finished command has moved.
#pragma once

#include "sim/iface/command.h"
#include "sim/models/write_log.h"

namespace sluice::sim {

// Copies or fills the command's box. Overlapping linear copies behave like memmove.
void move_bytes(const Command& command);
// The same, and tells the log what was written.
void carry_out(const Command& command, WriteLog& writes);

}  // namespace sluice::sim
