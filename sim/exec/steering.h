// What decides which way work-items go and what they access: taint analysis of a kernel's branches and addresses.
#pragma once

#include <cstdint>

#include "sim/exec/lowering.h"

namespace sluice::exec {

// As KernelInfo::steered_by has it. Flow through private and local memory is followed; what is stored in global memory is
// not, so the answer holds for launches that do not write what steers them.
[[nodiscard]] std::uint64_t find_steering(const KernelUnit& unit);

}  // namespace sluice::exec
