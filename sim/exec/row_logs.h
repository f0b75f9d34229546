// Logs in rows. Where a work-item comes to each place of the code at most once between two barriers, what those of a group
// log there is a table: a row for each site, a column for each work-item. Work-items then need no log of their own, which
// would have to be searched for what they did together: the wavefront's records are the rows, from the first on. The
// group is executed as loops over its work-items (lane_loops.cpp), one after the other as ever. Internal to sim/exec.
#pragma once

#include "sim/exec/lowering.h"

namespace sluice::exec {

// Whether the kernel can be executed so: as far as that is seen before it is cut at its barriers. Work-items may go
// different ways if those meet again before the next barrier. It ends if any group of the launch does. Marks all loads as
// steerless_load if it can.
[[nodiscard]] bool can_log_in_rows(const KernelUnit& unit);

// Calls that the instrumentation leaves, for LaneRegions to replace: a site's log entry (site, address), and instructions
// that a work-item executes (all of them, then by class).
inline constexpr llvm::StringLiteral row_entry = "__sluice_row";
inline constexpr llvm::StringLiteral row_count = "__sluice_count";

}  // namespace sluice::exec
