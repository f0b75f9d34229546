// Two texts compared as traces.
#pragma once

#include <memory>
#include <sstream>
#include <string>

#include "tests/support/made_up_trace.h"
#include "tools/diff/compare.h"

namespace sluice::diff {

inline Result compare_texts(const std::string& before, const std::string& after, const Options& options = {}) {
  Source old_trace("old", std::make_unique<std::istringstream>(before));
  Source new_trace("new", std::make_unique<std::istringstream>(after));
  return compare(old_trace, new_trace, options);
}

}  // namespace sluice::diff
