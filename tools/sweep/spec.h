// What `sluice sweep` is asked for: values of a profile that vary, for a program or the built-in transfers. docs/sweep.md.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace sluice::sweep {

using json = nlohmann::ordered_json;

inline constexpr std::size_t most_points = 100'000;

struct Parameter {
  std::string pointer;  // into the profile, "/link/lanes"
  std::vector<json> values;
};

struct Spec {
  std::vector<std::string> profiles;
  std::vector<std::string> program;     // with its arguments; empty: the transfers
  std::vector<std::string> sizes;       // of the transfers
  std::uint32_t reads = 1;
  bool virtual_time = false;
  double seconds = 600;                 // after which a point is taken to hang
  std::vector<Parameter> parameters;

  [[nodiscard]] std::size_t point_count() const;
};

// One combination: a profile, and a value of each parameter.
struct Point {
  std::string profile;
  std::vector<json> values;
};
[[nodiscard]] Point point_at(const Spec& spec, std::size_t index);

// Returns every problem, "/vary/~1link~1lanes: found X; allowed: Y"; none if `out` can be used.
[[nodiscard]] std::vector<std::string> parse_spec(const std::string& text, Spec& out);

// The profile of a point: the base included, and the values laid over it.
[[nodiscard]] json profile_of(const Spec& spec, const Point& point, const std::string& base_path);

}  // namespace sluice::sweep
