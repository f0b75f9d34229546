// Reads profiles: includes resolved, every value checked, all errors reported at once.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/profile/profile.h"

namespace sluice::profile {

// One problem of a profile. to_string: "FILE: /json/pointer: found X; allowed: Y (did you mean "Z"?)".
struct Problem {
  std::string file;
  std::string pointer;  // RFC 6901
  std::string found;
  std::string allowed;
  std::string suggestion;  // nearest known key, empty if none
};
[[nodiscard]] std::string to_string(const Problem& p);

// A constant as the files say it, for `sluice profile show`.
struct Constant {
  std::string pointer;  // "/link/propagation_ns"
  std::string value;    // JSON text
  std::string source;   // empty: none was given
  std::string file;     // the file that says it, a part perhaps
};

struct Loaded {
  std::optional<Profile> profile;  // empty if problems is not
  std::vector<Constant> constants;
  std::vector<Problem> problems;
};

// `name_or_path`: a shipped name ("h200-pcie5") or a path (contains '/' or ends in ".json").
// Shipped profiles are found in $SLUICE_CONFIG_DIR, else beside the driver's shared object or executable
// (../share/sluice, ../../../configs for a build tree), else in the install prefix.
[[nodiscard]] Loaded load_profile(std::string_view name_or_path);

// The same from text, for tools and fuzzing; `file` names it in problems, includes resolve against its folder.
[[nodiscard]] Loaded parse_profile(std::string_view text, const std::filesystem::path& file);

// Shipped profiles, sorted by name.
struct ProfileEntry { std::string name; std::filesystem::path path; };
[[nodiscard]] std::vector<ProfileEntry> shipped_profiles();

}  // namespace sluice::profile
