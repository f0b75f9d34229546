// Rules that the constants of a memory keep among themselves.
#pragma once

#include <functional>
#include <string>

#include "sim/profile/profile.h"

namespace sluice::profile {

// A rule that `key` breaks if it does not hold, whatever stands at `on` being right; both are pointers in the profile.
using DramRule = std::function<void(bool holds, const std::string& key, const std::string& on, const std::string& found,
                                    const std::string& allowed)>;

// `section` is "/device_memory/" or "/host_memory/".
void dram_relations(const Dram& memory, const std::string& section, const DramRule& rule);

}  // namespace sluice::profile
