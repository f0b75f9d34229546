// Rules that the constants of address translation keep among themselves.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>

#include "sim/profile/profile.h"

namespace sluice::profile {

// A rule that the first of `keys` breaks if it does not hold, the others being right; pointers in the profile.
using Rule = std::function<void(bool holds, std::initializer_list<const char*> keys, const std::string& found,
                                const std::string& allowed)>;

// Of the sections "iommu", "ats" and "migration", and of device memory that the host addresses.
void address_relations(const Profile& profile, const Rule& rule);

}  // namespace sluice::profile
