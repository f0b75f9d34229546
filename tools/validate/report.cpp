#include "tools/validate/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "tools/text/escape.h"
#include "tools/text/grid.h"
#include "traces/table.h"

namespace sluice::validate {

namespace {

// What the project promises for data that fitted nothing; for fitted data the same limits hold, but prove nothing.
struct Limit {
  const char* subject;
  Kind kind;
  double median;
  double p90;
};
constexpr Limit limits[] = {
    {"transfer", Kind::device, 0.03, 0.10}, {"transfer", Kind::program, 0.05, 0.15}, {"queue", Kind::program, 0.05, 0.15},
    {"kernel", Kind::device, 0.10, 0},      {"kernel", Kind::program, 0.05, 0.15},   {"program", Kind::device, 0.15, 0},
    {"program", Kind::program, 0.05, 0.15},
};

void set_limits(Group& group) {
  for (const Limit& limit : limits) {
    if (group.subject != limit.subject || group.kind != limit.kind) continue;
    group.median_limit = limit.median;
    group.p90_limit = limit.p90;
  }
}

using GroupKey = std::tuple<bool, std::string, Kind, std::string, std::string>;

std::vector<Group> groups(const std::vector<Pair>& all_pairs, bool detailed) {
  std::map<GroupKey, std::vector<const Pair*>> members;
  for (const Pair& p : all_pairs) {
    members[{p.fitted, p.subject, p.kind, detailed ? p.op : "", detailed ? size_class(p.bytes) : ""}].push_back(&p);
  }
  std::vector<Group> all;
  for (const auto& [key, pairs] : members) {
    Group g;
    std::tie(g.fitted, g.subject, g.kind, g.op, g.size_class) = key;
    g.errors = statistics(pairs);
    if (!detailed) set_limits(g);
    all.push_back(std::move(g));
  }
  return all;
}

std::vector<std::string> cells(const Group& g) {
  return {std::to_string(g.errors.count), percent(g.errors.median), percent(g.errors.p90), percent(g.errors.worst),
          fmt::format("{:+.1f} %", 100 * g.errors.bias)};
}

const char* data_name(const Group& g) { return g.again ? "measured again" : g.fitted ? "fit" : "validation"; }

nlohmann::json to_json(const Group& g) {
  nlohmann::json j = {{"data", data_name(g)},
                      {"subject", g.subject},
                      {"time", kind_name(g.kind)},
                      {"count", g.errors.count},
                      {"median", g.errors.median},
                      {"p90", g.errors.p90},
                      {"worst", g.errors.worst},
                      {"bias", g.errors.bias}};
  if (!g.op.empty()) j["op"] = g.op;
  if (!g.size_class.empty()) j["size"] = g.size_class;
  if (g.median_limit > 0) j["median_limit"] = g.median_limit;
  if (g.p90_limit > 0) j["p90_limit"] = g.p90_limit;
  if (g.median_limit > 0) j["met"] = g.is_met();
  return j;
}

}  // namespace

std::vector<Group> summary(const Result& result) {
  std::vector<Group> all = groups(result.pairs, false);
  for (Group& g : groups(result.again, false)) {
    g.again = true;
    g.median_limit = g.p90_limit = 0;
    all.push_back(std::move(g));
  }
  return all;
}
std::vector<Group> by_operation(const Result& result) { return groups(result.pairs, true); }

const char* kind_name(Kind kind) { return kind == Kind::device ? "device" : "program"; }

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string limit_text(const Group& g) {
  if (g.median_limit == 0) return "-";
  return g.p90_limit == 0 ? percent(g.median_limit) : percent(g.median_limit) + " / " + percent(g.p90_limit);
}

SkippedCounts count_skipped(const Result& result) {
  SkippedCounts counts;
  for (const auto& [file, skipped] : result.skipped) ++counts[{file, skipped.reason}];
  return counts;
}

namespace {

std::string miss_key(const Group& g) { return g.subject + "_" + kind_name(g.kind); }

// Limits that data which fitted nothing miss, with what the profile says they are due to.
struct Miss {
  std::string what;
  std::vector<std::string> why;  // empty: nobody knows
};
std::vector<Miss> misses(const Result& result) {
  std::vector<Miss> all;
  for (const Group& g : summary(result)) {
    if (g.fitted || g.is_met()) continue;
    const auto why = result.misses.find(miss_key(g));
    all.push_back({fmt::format("{}s, {} time", g.subject, kind_name(g.kind)), why == result.misses.end() ? std::vector<std::string>{} : why->second});
  }
  return all;
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

void write_fitted(std::ostream& out, const Result& result) {
  out << "\n### What was fitted\n\n";
  if (result.fitted.empty()) {
    out << "No constant of this profile was fitted to a row of these measurements: every row validates.\n";
    return;
  }
  out << "Rows of these files fitted the constants whose sources name them (`sluice profile show`); all other rows validate.\n\n"
         "| file | rows that fitted | constants |\n| --- | --- | --- |\n";
  for (const FittedFile& f : result.fitted) {
    std::vector<std::string> rows;
    for (const std::string& row : f.rows) {
      const std::size_t colon = row.find(": ");
      std::string selection = colon == std::string::npos ? "all" : row.substr(colon + 2);
      std::replace(selection.begin(), selection.end(), '`', '\'');
      if (colon != std::string::npos) selection = "`" + text::printable(std::move(selection)) + "`";
      for (std::size_t bar = selection.find('|'); bar != std::string::npos; bar = selection.find('|', bar + 2)) selection.replace(bar, 1, "\\|");
      rows.push_back(std::move(selection));
    }
    out << fmt::format("| {} | {} | {} |\n", text::escape_prose(f.file), rows.empty() ? "all" : joined(rows, "; "), joined(f.constants, ", "));
  }
}

void write_misses(std::ostream& out, const Result& result) {
  const std::vector<Miss> all = misses(result);
  if (all.empty()) return;
  out << "\n### Why limits are missed\n\n";
  for (const Miss& miss : all) {
    out << "- **" << miss.what << "**:" << (miss.why.empty() ? " not explained.\n" : "\n");
    for (const std::string& why : miss.why) out << "  - " << text::escape_prose(why) << '\n';
  }
}

}  // namespace

void write_text(std::ostream& out, const Result& result, bool every_row) {
  out << fmt::format("{} ({}), hash {}\n\n", result.profile, result.grade, result.profile_hash);
  trace::Table table("Errors", 3, {"data", "subject", "time", "n", "median", "p90", "worst", "bias", "limits", ""});
  for (const Group& g : summary(result)) {
    std::vector<std::string> row = {data_name(g), g.subject, kind_name(g.kind)};
    for (std::string& cell : cells(g)) row.push_back(std::move(cell));
    row.push_back(limit_text(g));
    row.emplace_back(g.median_limit == 0 ? "" : g.is_met() ? "ok" : "missed");
    table.row(std::move(row));
  }
  out << table.text(false) << '\n';
  trace::Table detailed("By operation and size", 5, {"data", "subject", "time", "operation", "size", "n", "median", "p90", "worst", "bias"});
  for (const Group& g : by_operation(result)) {
    std::vector<std::string> row = {data_name(g), g.subject, kind_name(g.kind), g.op, g.size_class};
    for (std::string& cell : cells(g)) row.push_back(std::move(cell));
    detailed.row(std::move(row));
  }
  out << detailed.text(false) << '\n';
  for (const Miss& miss : misses(result)) {
    out << fmt::format("missed: {}: {}\n\n", miss.what, miss.why.empty() ? "not explained" : joined(miss.why, " "));
  }
  if (every_row) {
    trace::Table rows("Rows", 3, {"file", "point", "quantity", "measured ns", "simulated ns", "error"});
    for (const Pair& p : result.pairs) {
      rows.row({fmt::format("{}:{}", p.file, p.line), p.key, p.quantity, fmt::format("{:.0f}", p.measured_ns),
                fmt::format("{:.0f}", p.simulated_ns), fmt::format("{:+.1f} %", 100 * p.error())});
    }
    out << rows.text(false) << '\n';
  }
  if (result.skipped.empty()) return;
  trace::Table skipped("Skipped", 2, {"file", "reason", "count"});
  for (const auto& [what, count] : count_skipped(result)) skipped.row({what.first, what.second, std::to_string(count)});
  out << skipped.text(false);
}

void write_markdown(std::ostream& out, const Result& result) {
  const auto row = [&](const std::vector<std::string>& row_cells) {
    for (const std::string& cell : row_cells) out << "| " << cell << ' ';
    out << "|\n";
  };
  const auto group = [&](const Group& g, bool detailed) {
    std::vector<std::string> line = {data_name(g), g.subject, kind_name(g.kind)};
    if (detailed) line.insert(line.end(), {text::escape_prose(g.op), g.size_class});
    for (std::string& cell : cells(g)) line.push_back(std::move(cell));
    if (!detailed) line.push_back(limit_text(g) + (g.median_limit == 0 ? "" : g.is_met() ? ", met" : ", **missed**"));
    row(line);
  };
  out << fmt::format("## {}\n\n{}. Grade: {}. Profile hash {}.\n\n", text::escape_prose(result.profile),
                     text::escape_prose(result.description), text::escape_prose(result.grade), result.profile_hash);
  for (const std::string& command : result.commands) out << "    " << text::printable(command) << '\n';  // code, in which nothing is markup
  write_fitted(out, result);
  out << "\n### Targets\n\n| data | subject | time | n | median | p90 | worst | bias | limits, median / p90 |\n| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |\n";
  for (const Group& g : summary(result)) group(g, false);
  write_misses(out, result);
  out << "\n### By operation and size\n\n| data | subject | time | operation | size | n | median | p90 | worst | bias |\n| --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |\n";
  for (const Group& g : by_operation(result)) group(g, true);
  if (result.skipped.empty()) return;
  out << "\n### Skipped\n\n| file | reason | count |\n| --- | --- | ---: |\n";
  for (const auto& [what, count] : count_skipped(result)) row({text::escape_prose(what.first), text::escape_prose(what.second), std::to_string(count)});
}

void write_json(std::ostream& out, const Result& result) {
  nlohmann::json j = {{"schema", "sluice-validate-1"}, {"profile", result.profile}, {"profile_hash", result.profile_hash}, {"grade", result.grade}, {"commands", result.commands}};
  for (const Group& g : summary(result)) j["summary"].push_back(to_json(g));
  for (const Group& g : by_operation(result)) j["by_operation"].push_back(to_json(g));
  for (const Pair& p : result.pairs) {
    j["rows"].push_back({{"file", p.file}, {"line", p.line}, {"data", p.fitted ? "fit" : "validation"}, {"point", p.key}, {"quantity", p.quantity}, {"measured_ns", p.measured_ns}, {"simulated_ns", p.simulated_ns}});
  }
  for (const FittedFile& f : result.fitted) j["fitted"].push_back({{"file", f.file}, {"rows", f.rows}, {"constants", f.constants}});
  for (const Miss& miss : misses(result)) j["misses"].push_back({{"what", miss.what}, {"why", miss.why}});
  for (const auto& [file, s] : result.skipped) j["skipped"].push_back({{"file", file}, {"line", s.line}, {"what", s.what}, {"reason", s.reason}});
  out << j.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

}  // namespace sluice::validate
