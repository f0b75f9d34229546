// What the transfers' workload says and what its trace tells: for each size the time of each method and where it went.
#pragma once

#include <istream>
#include <string>
#include <vector>

#include "tools/sweep/results.h"

namespace sluice::sweep {

// The workload's output. False: a line is not one of its lines.
[[nodiscard]] bool read_transfers(std::istream& output, std::vector<Transfer>& transfers);

// Adds the stages of the commands that each method's time is of. Returns why the trace cannot be read; empty if it was.
[[nodiscard]] std::string add_stages(const std::string& trace, std::vector<Transfer>& transfers);

}  // namespace sluice::sweep
