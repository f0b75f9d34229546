// Rules of PCI Express that the constants of a link and of a bridge keep among themselves, and what follows from them.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>

#include "sim/profile/profile.h"

namespace sluice::profile {

// Blames the first of the pointers `of` if the rule does not hold, unless something else is wrong with one of them.
using PcieRule = std::function<void(bool holds, std::initializer_list<const char*> of, const std::string& found,
                                    const std::string& allowed)>;

// Sets read_tags where only tag_bits is said. `stated` tells whether the profile has a value at a pointer.
void pcie_relations(Profile& profile, const std::function<bool(const char*)>& stated, const PcieRule& rule);

}  // namespace sluice::profile
