// The one table of everything a profile can say. Parsing, the JSON Schema and `sluice profile show` all come from it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/profile/profile.h"

namespace sluice::profile {

enum class Unit : std::uint8_t { none, ns, gbps, mhz, bytes, boolean, text, texts, choice };

// What is said of the machine's accuracy is no part of the machine, and not of its hash.
inline constexpr std::string_view validation_section = "validation";

struct Field {
  std::string section;  // "link", "driver.transfer"; empty for the top level
  std::string key;
  Unit unit = Unit::none;
  double min = 0;
  double max = 0;
  bool required = true;
  bool whole = false;  // numbers: no fractions
  std::string description;
  std::vector<std::string> choices;  // Unit::choice
  std::function<void(Profile&, double)> set_number;
  std::function<void(Profile&, const std::string&)> set_text;
  // Unit::texts; what would be right, where a text of the list is not, else empty.
  std::function<std::string(Profile&, const std::vector<std::string>&)> set_texts;
};

[[nodiscard]] const std::vector<Field>& fields();

// JSON Schema 2020-12 of a profile file.
[[nodiscard]] std::string schema_json();

}  // namespace sluice::profile
