#include "tools/sweep/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

namespace sluice::sweep {

namespace {

constexpr std::size_t most_values = 10'000;

std::string excerpt(const json& value) {
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  return text.size() > 60 ? text.substr(0, 60) + "..." : text;
}

class Parser {
 public:
  Parser(Spec& out, std::vector<std::string>& problems) : out_(out), problems_(problems) {}

  void parse(const json& spec) {
    if (!spec.is_object()) return complain("", spec, "an object with \"profile\", \"vary\", and \"program\" or \"transfers\"");
    static const std::set<std::string> known = {"profile", "profiles", "program", "transfers", "virtual_time", "seconds", "vary"};
    for (const auto& [key, value] : spec.items()) {
      if (!known.contains(key)) problems_.push_back(fmt::format("/{}: unknown; known: profile, profiles, program, transfers, virtual_time, seconds, vary", key));
    }
    if (spec.contains("profile") == spec.contains("profiles")) problems_.emplace_back("/profile: one of \"profile\" and \"profiles\" is needed");
    if (spec.contains("profile")) strings("/profile", json::array({spec["profile"]}), out_.profiles);
    if (spec.contains("profiles")) strings("/profiles", spec["profiles"], out_.profiles);
    if (spec.contains("program") == spec.contains("transfers")) problems_.emplace_back("/program: one of \"program\" and \"transfers\" is needed");
    if (spec.contains("program")) strings("/program", spec["program"], out_.program);
    if (spec.contains("transfers")) transfers(spec["transfers"]);
    if (spec.contains("virtual_time")) {
      if (spec["virtual_time"].is_boolean()) {
        out_.virtual_time = spec["virtual_time"].get<bool>();
      } else {
        complain("/virtual_time", spec["virtual_time"], "true, false");
      }
    }
    if (spec.contains("seconds")) {
      const json& value = spec["seconds"];
      if (value.is_number() && value.get<double>() > 0 && value.get<double>() <= 1e7) {
        out_.seconds = value.get<double>();
      } else {
        complain("/seconds", value, "a number above 0, at most 10000000");
      }
    }
    if (!spec.contains("vary")) return problems_.emplace_back("/vary: missing; allowed: an object of JSON pointers with lists or ranges"), void();
    vary(spec["vary"]);
    if (problems_.empty() && out_.point_count() > most_points) {
      problems_.push_back(fmt::format("/vary: more than {} points", most_points));
    }
  }

 private:
  void complain(const std::string& where, const json& found, const char* allowed) {
    problems_.push_back(fmt::format("{}: found {}; allowed: {}", where.empty() ? "/" : where, excerpt(found), allowed));
  }

  void strings(const std::string& where, const json& list, std::vector<std::string>& out) {
    const bool sound = list.is_array() && !list.empty() && std::all_of(list.begin(), list.end(), [](const json& item) {
      return item.is_string() && !item.get_ref<const std::string&>().empty();
    });
    if (!sound) return complain(where, list, "a list of strings, none of them empty");
    for (const json& item : list) out.push_back(item.get<std::string>());
  }

  void transfers(const json& value) {
    if (!value.is_object()) return complain("/transfers", value, "an object with \"sizes\" and \"reads\"");
    for (const auto& [key, unused] : value.items()) {
      if (key != "sizes" && key != "reads") problems_.push_back(fmt::format("/transfers/{}: unknown; known: sizes, reads", key));
    }
    out_.sizes = {"4K", "64K", "1M", "16M"};
    if (value.contains("sizes")) {
      out_.sizes.clear();
      strings("/transfers/sizes", value["sizes"], out_.sizes);
    }
    if (!value.contains("reads")) return;
    const json& reads = value["reads"];
    if (!reads.is_number_integer() || reads < 1 || reads > 1000) return complain("/transfers/reads", reads, "1 to 1000");
    out_.reads = reads.get<std::uint32_t>();
  }

  void vary(const json& object) {
    if (!object.is_object()) return complain("/vary", object, "an object of JSON pointers with lists or ranges");
    for (const auto& [pointer, values] : object.items()) {
      std::string escaped = pointer;  // as RFC 6901 wants it
      for (std::size_t at = 0; (at = escaped.find_first_of("~/", at)) != std::string::npos; at += 2) {
        escaped.replace(at, 1, escaped[at] == '~' ? "~0" : "~1");
      }
      const std::string where = "/vary/" + escaped;
      if (!pointer.starts_with('/') || pointer.size() < 2) {
        problems_.push_back(where + ": no JSON pointer; allowed: as in /link/lanes");
        continue;
      }
      Parameter parameter{pointer, {}};
      if (values.is_array()) {
        parameter.values.assign(values.begin(), values.end());
      } else if (values.is_object()) {
        range(where, values, parameter.values);
      }
      for (std::size_t i = 0; i < parameter.values.size() && values.is_array() && parameter.values.size() <= most_values; ++i) {
        const auto end = parameter.values.begin() + static_cast<std::ptrdiff_t>(i);
        if (std::find(parameter.values.begin(), end, *end) == end) continue;
        problems_.push_back(fmt::format("{}: found {} twice; allowed: each value once", where, excerpt(*end)));
        break;
      }
      if (parameter.values.empty()) {
        complain(where, values, R"(a list of values, or {"from": A, "to": B, "step": S} or {"from": A, "to": B, "factor": F})");
      } else if (parameter.values.size() > most_values) {
        problems_.push_back(fmt::format("{}: more than {} values", where, most_values));
      }
      out_.parameters.push_back(std::move(parameter));
    }
  }

  // From the first to the last value, both of them if the steps lead there.
  static void range(const std::string&, const json& object, std::vector<json>& out) {
    const bool by_factor = object.contains("factor");
    if (object.size() != 3 || by_factor == object.contains("step")) return;
    for (const char* key : {"from", "to", by_factor ? "factor" : "step"}) {
      if (!object.contains(key) || !object[key].is_number()) return;
    }
    const double from = object["from"].get<double>();
    const double to = object["to"].get<double>();
    const double by = object[by_factor ? "factor" : "step"].get<double>();
    const bool is_sound = by_factor ? by > 1 && from > 0 : by > 0;
    if (!is_sound || !(to >= from) || !std::isfinite(to)) return;
    const bool whole = object["from"].is_number_integer() && object[by_factor ? "factor" : "step"].is_number_integer();
    for (std::size_t i = 0; out.size() <= most_values; ++i) {
      const double value = by_factor ? from * std::pow(by, static_cast<double>(i)) : from + by * static_cast<double>(i);
      if (value > to * (1 + 1e-9)) return;
      out.push_back(whole && std::abs(value) < 9e15 ? json(static_cast<std::int64_t>(std::llround(value))) : json(as_written(value)));
    }
  }

  // 0.3 for the third step of 0.1, which is 0.30000000000000004 in binary: people write no more than 15 digits.
  static double as_written(double value) {
    std::array<char, 64> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 15).ptr;
    double rounded = value;
    (void)std::from_chars(text.data(), end, rounded);
    return rounded;
  }

  Spec& out_;
  std::vector<std::string>& problems_;
};

}  // namespace

std::size_t Spec::point_count() const {
  std::size_t count = profiles.size();
  for (const Parameter& parameter : parameters) {
    count *= parameter.values.size();
    if (count > most_points) return most_points + 1;
  }
  return count;
}

Point point_at(const Spec& spec, std::size_t index) {
  Point point;
  point.values.resize(spec.parameters.size());
  for (std::size_t p = spec.parameters.size(); p-- > 0;) {
    const auto& values = spec.parameters[p].values;
    point.values[p] = values[index % values.size()];
    index /= values.size();
  }
  point.profile = spec.profiles[index];
  return point;
}

std::vector<std::string> parse_spec(const std::string& text, Spec& out) {
  std::vector<std::string> problems;
  try {
    // The parser keeps the last of two equal keys; the first would vary nothing.
    std::vector<std::set<std::string>> keys;
    const json spec = json::parse(text, [&](int, json::parse_event_t event, json& parsed) {
      if (event == json::parse_event_t::object_start) keys.emplace_back();
      if (event == json::parse_event_t::object_end) keys.pop_back();
      if (event == json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
        problems.push_back(fmt::format("the key {} stands twice in an object; allowed: each key once", excerpt(parsed)));
      }
      return true;
    });
    Parser(out, problems).parse(spec);
  } catch (const json::parse_error& error) {
    problems.push_back(fmt::format("not JSON: byte {}", error.byte));
  }
  return problems;
}

json profile_of(const Spec& spec, const Point& point, const std::string& base_path) {
  json profile = {{"include", base_path}};
  for (std::size_t i = 0; i < spec.parameters.size(); ++i) {
    profile[json::json_pointer(spec.parameters[i].pointer)] = {{"value", point.values[i]}, {"source", "swept"}};
  }
  return profile;
}

}  // namespace sluice::sweep
