#include "tools/validate/measurements.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

namespace sluice::validate {

namespace {

using nlohmann::json;

constexpr std::array<std::pair<std::string_view, Kind>, 27> quantities = {{
    {"start_end", Kind::device},
    {"unmap_start_end", Kind::device},
    {"ns", Kind::device},
    {"total", Kind::device},
    {"gap", Kind::device},
    {"busy", Kind::device},
    {"kernels", Kind::device},
    {"copy", Kind::device},
    {"device_sum", Kind::device},
    {"long_end", Kind::device},
    {"short_start", Kind::device},
    {"short_end", Kind::device},
    {"gpu_med", Kind::device},
    {"wall", Kind::program},
    {"wall_ns", Kind::program},
    {"wall_med", Kind::program},
    {"unmap_wall", Kind::program},
    {"enqueue", Kind::program},
    {"wall_min", Kind::other},
    {"wall_p90", Kind::other},
    {"start_end_min", Kind::other},
    {"queued_submit", Kind::other},
    {"submit_start", Kind::other},
    {"short_submit", Kind::other},
    {"min", Kind::other},
    {"n", Kind::other},
    {"error", Kind::other},
}};

// NVIDIA's host-only commands (maps that only invalidate, unmaps of what was mapped for reading) have QUEUED = SUBMIT = 0 and
// the START and END of some earlier command.
constexpr double stale_ns = 1e12;
bool has_stale_stamps(const json& row) {
  const auto number = [&](const char* field) -> std::optional<double> {
    const auto found = row.find(field);
    return found != row.end() && found->is_number() ? std::optional<double>(found->get<double>()) : std::nullopt;
  };
  const auto queued = number("queued_submit");
  const auto submit = number("submit_start");
  return (queued && *queued <= 0) || (submit && (*submit < 0 || *submit >= stale_ns));
}

std::vector<std::string> strings(const json& header, const char* key) {
  std::vector<std::string> all;
  const auto found = header.find(key);
  if (found == header.end() || !found->is_array()) return all;
  for (const json& item : *found) all.push_back(item.is_string() ? item.get<std::string>() : item.dump());
  return all;
}

// The row's operation, key, size and times; nothing if it has none that can be compared.
std::optional<Row> read_row(const json& object, std::size_t line, double step_ns, std::vector<Skipped>& skipped) {
  Row row;
  row.line = line;
  const char* name = object.contains("op") ? "op" : "probe";
  if (!object.contains(name) || !object[name].is_string()) {
    skipped.push_back({line, "row", "it has no \"op\" and no \"probe\""});
    return std::nullopt;
  }
  row.op = object[name].get<std::string>();
  row.key = row.op;
  row.fields.emplace_back("op", row.op);
  if (object.contains("error")) {
    skipped.push_back({line, row.op, "the measuring program failed there: error " + object["error"].dump()});
    return std::nullopt;
  }
  const std::size_t skipped_before = skipped.size();
  const bool stale = has_stale_stamps(object);
  // "wall": true says that "ns" is by the program's clock.
  const auto wall = object.find("wall");
  const bool by_program = wall != object.end() && wall->is_boolean() && wall->get<bool>();
  const double seen = wall != object.end() && wall->is_number() ? wall->get<double>() : 0;
  for (const auto& [name_given, value] : object.items()) {  // in the order of their names
    const std::string field = by_program && name_given == "ns" ? "wall_ns" : name_given;
    const Kind kind = by_program && field == "wall" ? Kind::none : quantity_kind(field);
    if (kind == Kind::none && field != name && field != "device") {
      row.key += fmt::format(" {}={}", field, value.dump());
      row.fields.emplace_back(field, value.is_string() ? value.get<std::string>() : value.dump());
    }
    if (field == "bytes" && value.is_number()) row.bytes = value.get<double>();
    if (kind != Kind::device && kind != Kind::program) continue;
    const double t = value.is_number() ? value.get<double>() : -1;
    if (!value.is_number()) {
      skipped.push_back({line, row.op + " " + field, "it is " + value.dump() + ", not a time"});
    } else if (kind == Kind::device && (stale || t >= stale_ns)) {
      skipped.push_back({line, row.op + " " + field, "its event carries no stamps"});
    } else if (field == "total" && seen > 0 && t > seen) {
      skipped.push_back({line, row.op + " " + field, "it is more than the program saw: old stamps"});
    } else if (kind == Kind::device && t > 0 && t <= step_ns) {
      skipped.push_back({line, row.op + " " + field, "it is no more than two steps of the stamps"});
    } else if (t < 0 || !std::isfinite(t)) {
      skipped.push_back({line, row.op + " " + field, "it was not measured"});
    } else if (t == 0) {
      skipped.push_back({line, row.op + " " + field, "it is below the clock's resolution"});
    } else {
      row.times_ns[field] = t;
    }
  }
  if (row.times_ns.empty()) {
    if (skipped.size() == skipped_before) skipped.push_back({line, row.op, "it has no time that is compared"});
    return std::nullopt;
  }
  return row;
}

}  // namespace

Kind quantity_kind(std::string_view field) {
  for (const auto& [name, kind] : quantities) {
    if (name == field) return kind;
  }
  return Kind::none;
}

Measurements read_measurements(std::istream& in, const std::string& device, double step_ns) {
  Measurements result;
  std::set<std::string> seen;
  std::string text;
  for (std::size_t line = 1; std::getline(in, text); ++line) {
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    const json object = json::parse(text, nullptr, false);
    if (!object.is_object()) {
      result.skipped.push_back({line, "line", "it is no JSON object (JSON has no NaN and no infinity)"});
      continue;
    }
    const bool is_header = !object.contains("op") && !object.contains("probe");
    const auto named = object.find("device");
    if (is_header && result.device.empty() && named != object.end() && named->is_string()) {
      result.device = named->get<std::string>();
      if (object.contains("program") && object["program"].is_string()) result.program = object["program"].get<std::string>();
      result.arguments = strings(object, "arguments");
      result.brief = strings(object, "brief");
      continue;
    }
    const std::string of = named != object.end() && named->is_string() ? named->get<std::string>() : result.device;
    if (!device.empty() && !of.empty() && of != device) {
      result.skipped.push_back({line, object.value("op", std::string("row")), "it is of another device, " + of});
      continue;
    }
    auto row = read_row(object, line, step_ns, result.skipped);
    if (!row) continue;
    if (!seen.insert(row->key).second) {
      result.skipped.push_back({line, row->op, "the same point was measured above"});
      continue;
    }
    result.rows.push_back(std::move(*row));
  }
  return result;
}

}  // namespace sluice::validate
