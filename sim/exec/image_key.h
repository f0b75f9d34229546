// What images depend on, as a file name: the bitcode, the options, this engine and the processor.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "sim/iface/kernel_engine.h"

namespace sluice::exec {

[[nodiscard]] std::string image_key(std::span<const std::byte> bitcode, const LoadOptions& options);

}  // namespace sluice::exec
