#include "tools/validate/published.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <tuple>

#include "tools/validate/compare.h"
#include "tools/validate/report.h"
#include "traces/table.h"

namespace sluice::validate {

namespace {

using nlohmann::json;

std::string text_of(const json& row, const char* key) {
  const auto found = row.find(key);
  return found != row.end() && found->is_string() ? found->get<std::string>() : "";
}

double number_of(const json& row, const char* key) {
  const auto found = row.find(key);
  return found != row.end() && found->is_number() ? found->get<double>() : 0;
}

// Why the row is no figure; "" if it is one.
std::string read_figure(const json& row, Figure& f) {
  for (const char* key : {"profile", "device", "test", "unit", "source"}) {
    if (text_of(row, key).empty()) return fmt::format("it has no \"{}\"", key);
  }
  f = {text_of(row, "profile"), text_of(row, "device"), text_of(row, "test"), text_of(row, "unit"), text_of(row, "source"),
       text_of(row, "printed"), number_of(row, "value"), static_cast<std::uint64_t>(number_of(row, "bytes")),
       static_cast<std::uint64_t>(number_of(row, "moved_bytes")), text_of(row, "role") == "fit", 0};
  if (f.unit != "GB/s" && f.unit != "us" && f.unit != "ns") {
    return fmt::format("its unit is \"{}\"; allowed: \"GB/s\", \"us\", \"ns\"", f.unit);
  }
  if (!(f.value > 0) || !std::isfinite(f.value)) return "its \"value\" is no number above zero";
  if (f.unit == "GB/s" && f.bytes == 0) return "it is a rate and has no \"bytes\"";
  if (f.moved_bytes == 0) f.moved_bytes = f.bytes;
  return "";
}

std::string probe_argument(const Figure& f) {
  std::string test = f.test;
  if (test.ends_with("_sync")) test.resize(test.size() - 5);
  if (test.starts_with("clpeak_") && test != "clpeak_launch") test = "clpeak";
  return f.bytes == 0 ? test : fmt::format("{}:{}", test, f.bytes);
}

std::string in_unit(double value, const std::string& unit) {
  return fmt::format("{} {}", value >= 100 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value), unit);
}

std::string error_text(const Figure& f) { return f.simulated > 0 ? fmt::format("{:+.1f} %", 100 * f.error()) : "-"; }

bool is_far_off(const Figure& f) { return f.simulated <= 0 || std::abs(f.error()) > far_off; }

// Of figures that fitted nothing.
Statistics errors_of(const PublishedFigures& published, const std::string& profile, std::size_t& fitted) {
  std::vector<Pair> pairs;
  for (const Figure& f : published.figures) {
    if (f.profile != profile || f.simulated <= 0) continue;
    if (f.fitted) {
      ++fitted;
      continue;
    }
    Pair p;
    p.measured_ns = 1;
    p.simulated_ns = 1 + f.error();
    pairs.push_back(p);
  }
  std::vector<const Pair*> all;
  for (const Pair& p : pairs) all.push_back(&p);
  return statistics(all);
}

void write_row(std::ostream& out, const std::vector<std::string>& cells) {
  for (const std::string& cell : cells) out << "| " << cell << ' ';
  out << "|\n";
}

}  // namespace

PublishedFigures read_published(std::istream& in) {
  PublishedFigures published;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const json row = json::parse(line, nullptr, false);
    const auto skip = [&](const std::string& why) { published.skipped.push_back({number, "row", why}); };
    if (!row.is_object()) {
      skip("it is no JSON object");
    } else if (row.contains("mechanism")) {
      if (text_of(row, "profile").empty() || !row.contains("tests") || !row["tests"].is_array()) {
        skip("a mechanism needs \"profile\" and \"tests\"");
        continue;
      }
      for (const json& test : row["tests"]) {
        if (test.is_string()) published.mechanisms[{text_of(row, "profile"), test.get<std::string>()}] = text_of(row, "mechanism");
      }
    } else if (row.contains("not_compared")) {
      published.not_compared.push_back({text_of(row, "profile"), text_of(row, "device"), text_of(row, "figure"),
                                        text_of(row, "source"), text_of(row, "not_compared")});
    } else {
      Figure f;
      const std::string why = read_figure(row, f);
      if (why.empty()) {
        published.figures.push_back(std::move(f));
      } else {
        skip(why);
      }
    }
  }
  return published;
}

std::vector<std::string> probe_arguments(const PublishedFigures& published, const std::string& profile) {
  std::vector<std::string> arguments;
  for (const Figure& f : published.figures) {
    if (f.profile != profile) continue;
    const std::string argument = probe_argument(f);
    if (std::find(arguments.begin(), arguments.end(), argument) == arguments.end()) arguments.push_back(argument);
  }
  return arguments;
}

void take_simulated(std::istream& rows, const std::string& profile, PublishedFigures& published) {
  std::map<std::pair<std::string, std::uint64_t>, double> times;
  std::string line;
  while (std::getline(rows, line)) {
    const json row = json::parse(line, nullptr, false);
    if (!row.is_object() || text_of(row, "test").empty()) continue;
    times[{text_of(row, "test"), static_cast<std::uint64_t>(number_of(row, "bytes"))}] = number_of(row, "ns");
  }
  for (Figure& f : published.figures) {
    if (f.profile != profile) continue;
    const auto found = times.find({f.test, f.bytes});
    if (found == times.end() || found->second <= 0) continue;
    const double ns = found->second;
    f.simulated = f.unit == "GB/s" ? static_cast<double>(f.moved_bytes) / ns : f.unit == "us" ? ns / 1000 : ns;
  }
}

void write_published(std::ostream& out, const PublishedFigures& published, const std::vector<PublishedProfile>& profiles) {
  write_row(out, {"profile", "grade", "figures", "median", "p90", "worst", "within 10 %", "fitted, apart"});
  out << "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  for (const PublishedProfile& p : profiles) {
    std::size_t fitted = 0;
    const Statistics s = errors_of(published, p.name, fitted);
    std::size_t near = 0;
    for (const Figure& f : published.figures) {
      near += f.profile == p.name && !f.fitted && f.simulated > 0 && std::abs(f.error()) <= 0.1 ? 1 : 0;
    }
    if (s.count == 0) {
      write_row(out, {p.name, p.grade, "none", "-", "-", "-", "-", std::to_string(fitted)});
    } else {
      write_row(out, {p.name, p.grade, std::to_string(s.count), percent(s.median), percent(s.p90), percent(s.worst),
                      std::to_string(near), std::to_string(fitted)});
    }
  }
  for (const PublishedProfile& p : profiles) {
    std::set<std::string> missed;
    bool first = true;
    for (const Figure& f : published.figures) {
      if (f.profile != p.name) continue;
      if (first) {
        out << fmt::format("\n## {}\n\n", p.name);
        write_row(out, {"device", "test", "bytes", "published", "model", "error", "", "source"});
        out << "| --- | --- | ---: | ---: | ---: | ---: | --- | --- |\n";
        first = false;
      }
      if (is_far_off(f)) missed.insert(f.test);
      write_row(out, {f.device, f.test, f.bytes == 0 ? "-" : trace::format_bytes(f.bytes),
                      in_unit(f.value, f.unit) + (f.printed.empty() ? "" : " (" + f.printed + ")"),
                      f.simulated > 0 ? in_unit(f.simulated, f.unit) : "-", error_text(f),
                      f.fitted ? "fit" : is_far_off(f) ? "**missed**" : "", f.source});
    }
    if (!missed.empty()) out << "\nMissed by more than 15 %:\n\n";
    std::map<std::string, std::vector<std::string>> reasons;
    for (const std::string& test : missed) {
      const auto found = published.mechanisms.find({p.name, test});
      reasons[found != published.mechanisms.end() ? found->second : "**not explained**"].push_back(test);
    }
    for (const auto& [reason, tests] : reasons) out << fmt::format("- {}: {}\n", fmt::join(tests, ", "), reason);
  }
  if (!published.not_compared.empty()) {
    out << "\n## Not compared\n\n";
    write_row(out, {"profile", "device", "figure", "why", "source"});
    out << "| --- | --- | --- | --- | --- |\n";
    for (const NotCompared& n : published.not_compared) write_row(out, {n.profile, n.device, n.figure, n.reason, n.source});
  }
  if (published.skipped.empty()) return;
  out << fmt::format("\nSkipped rows of the data: {}\n\n", published.skipped.size());
  for (const Skipped& s : published.skipped) out << fmt::format("- line {}: {}\n", s.line, s.reason);
}

void write_published_json(std::ostream& out, const PublishedFigures& published, const std::vector<PublishedProfile>& profiles) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const PublishedProfile& p : profiles) {
    Json figures = Json::array();
    for (const Figure& f : published.figures) {
      if (f.profile != p.name) continue;
      Json row = {{"device", f.device}, {"test", f.test}, {"bytes", f.bytes}, {"unit", f.unit}, {"published", f.value}};
      row["model"] = f.simulated > 0 ? Json(f.simulated) : Json(nullptr);
      row["error"] = f.simulated > 0 ? Json(f.error()) : Json(nullptr);
      row["fitted"] = f.fitted;
      row["source"] = f.source;
      const auto mechanism = published.mechanisms.find({p.name, f.test});
      if (is_far_off(f) && mechanism != published.mechanisms.end()) row["mechanism"] = mechanism->second;
      figures.push_back(std::move(row));
    }
    list.push_back({{"profile", p.name}, {"grade", p.grade}, {"figures", std::move(figures)}});
  }
  Json others = Json::array();
  for (const NotCompared& n : published.not_compared) {
    others.push_back({{"profile", n.profile}, {"device", n.device}, {"figure", n.figure}, {"why", n.reason}, {"source", n.source}});
  }
  Json skipped = Json::array();
  for (const Skipped& s : published.skipped) skipped.push_back({{"line", s.line}, {"why", s.reason}});
  const Json document = {{"schema", "sluice-published-1"}, {"profiles", std::move(list)}, {"not_compared", std::move(others)},
                         {"skipped", std::move(skipped)}};
  out << document.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace sluice::validate
