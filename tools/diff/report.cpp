#include "tools/diff/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "tools/text/escape.h"
#include "tools/text/grid.h"
#include "traces/table.h"
#include "traces/writer.h"

namespace sluice::diff {

namespace {

using text::Grid;
using trace::format_us;

constexpr const char* not_compared =
    "Not compared: the absolute times at which commands were called (elapsed stands for them), bandwidth (it follows from "
    "bytes and times), addresses of packets, which thread made a call.";

std::string side_text(const char* name, const Side& side) {
  const trace::TraceHeader& h = side.header;
  const std::string program = h.program.empty() ? "" : fmt::format(", program {}", printable(h.program));
  return fmt::format("{}: {}: profile {} ({}){}, sluice {}, level {}", name, printable(side.path), printable(h.profile),
                     printable(h.profile_hash), program, printable(h.sluice_version), trace::to_string(h.level));
}

std::string count_text(std::uint64_t n) { return n == 0 ? "-" : fmt::format("{}", n); }

// Classes without a change are told by their number.
Grid class_grid(const Result& result) {
  Grid grid{"By class", 3, {"operation", "size", "stage", "commands", "changed", "slower", "faster", "removed", "added",
                            "old us", "new us", "change"}, {}};
  for (const auto& [key, c] : result.classes) {
    if (!c.is_changed()) continue;
    const TimePs before = c.old_ps();
    const TimePs after = c.new_ps();
    grid.rows.push_back({key.first, key.second, guilty_stage(c.before, c.after), fmt::format("{}", c.matched),
                         count_text(c.changed), count_text(c.slower), count_text(c.faster), count_text(c.removed),
                         count_text(c.added), format_us(before), format_us(after), change_percent(before, after)});
  }
  return grid;
}

Grid figure_grid(const Result& result, bool times) {
  const char* unit = times ? " us" : "";
  Grid grid{times ? "Where it changed" : "Counts that changed", 1,
            {times ? "time" : "count", "commands", std::string("old") + unit, std::string("new") + unit, "change"}, {}};
  const Class& all = result.all;
  for (std::size_t i = 0; i < figure_count; ++i) {
    if (all.changed_figures[i] == 0 || is_time(i) != times) continue;
    const std::uint64_t before = all.before[i];
    const std::uint64_t after = all.after[i];
    grid.rows.push_back({std::string(is_time(i) && !is_stage(i) ? "until " : "") + std::string(figure_name(i)),
                         fmt::format("{}", all.changed_figures[i]), times ? format_us(before) : fmt::format("{}", before),
                         times ? format_us(after) : fmt::format("{}", after), change_percent(before, after)});
  }
  return grid;
}

std::string part_name(const PartKey& key) {
  const auto& [device, part, kind, what] = key;
  if (kind == trace::PartLine::Kind::call) return printable(fmt::format("API call {}", what));
  return printable(fmt::format("{} {} {} (device {})", to_string(kind), part, what, device));
}

Grid part_grid(const Result& result) {
  Grid grid{"Parts that changed", 1, {"part", "records", "busy us", "cycles", "bytes", "values"}, {}};
  for (const PartChange& p : result.part_changes) {
    const PartTotal before = p.before.value_or(PartTotal{});
    const PartTotal after = p.after.value_or(PartTotal{});
    const auto both = [](std::uint64_t a, std::uint64_t b) {
      return a == b ? fmt::format("{}", a) : fmt::format("{} -> {}", a, b);
    };
    const std::string busy = before.time_ps == after.time_ps
                                 ? format_us(after.time_ps)
                                 : format_us(before.time_ps) + " -> " + format_us(after.time_ps);
    grid.rows.push_back({part_name(p.part), both(before.records, after.records), busy, both(before.cycles, after.cycles),
                         both(before.bytes, after.bytes), both(before.value, after.value)});
  }
  return grid;
}

// A line's worth; JSON has all of it.
std::string brief(const std::vector<std::string>& what) {
  constexpr std::size_t most = 4;
  std::string text;
  for (std::size_t i = 0; i < std::min(most, what.size()); ++i) text += (i == 0 ? "" : ", ") + what[i];
  return what.size() <= most ? text : text + fmt::format(" and {} more", what.size() - most);
}

Grid command_grid(const Result& result) {
  Grid grid{"The commands that changed most", 2, {"operation", "what", "old id", "new id", "bytes", "old us", "new us", "change us"}, {}};
  for (const Change& c : result.dearest) {
    const Entry& entry = c.after ? *c.after : *c.before;
    grid.rows.push_back({kind_name(entry), !c.before ? "added" : !c.after ? "removed" : brief(c.what),
                         c.before ? fmt::format("{}", c.before->id) : "-", c.after ? fmt::format("{}", c.after->id) : "-",
                         trace::format_bytes(entry.bytes), c.before ? format_us(c.before->time_ps()) : "-",
                         c.after ? format_us(c.after->time_ps()) : "-", signed_us(c.delta_ps())});
  }
  return grid;
}

std::vector<Grid> grids(const Result& result) {
  return {class_grid(result), figure_grid(result, true), figure_grid(result, false), part_grid(result), command_grid(result)};
}

std::string omitted_text(const Result& result) {
  return result.omitted == 0 ? "" : fmt::format("{} more changed commands are in the sums above only (--commands N shows more).", result.omitted);
}

std::size_t unchanged_classes(const Result& result) {
  std::size_t n = 0;
  for (const auto& [key, c] : result.classes) n += c.is_changed() ? 0 : 1;
  return n;
}

nlohmann::ordered_json to_json(const Side& side) {
  const trace::TraceHeader& h = side.header;
  return {{"trace", side.path},
          {"profile", h.profile},
          {"profile_hash", h.profile_hash},
          {"program", h.program},
          {"sluice", h.sluice_version},
          {"level", std::string(trace::to_string(h.level))},
          {"commands", side.commands},
          {"elapsed_ps", side.elapsed_ps}};
}

nlohmann::ordered_json figures_json(const Class& c) {
  nlohmann::ordered_json figures = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < figure_count; ++i) {
    if (c.before[i] == c.after[i] && c.changed_figures[i] == 0) continue;
    figures[std::string(figure_name(i)) + (is_time(i) ? "_ps" : "")] = {
        {"old", c.before[i]}, {"new", c.after[i]}, {"commands", c.changed_figures[i]}};
  }
  return figures;
}

nlohmann::ordered_json to_json(const std::optional<PartTotal>& total) {
  if (!total) return nullptr;
  return {{"records", total->records}, {"time_ps", total->time_ps}, {"cycles", total->cycles}, {"bytes", total->bytes}, {"value", total->value}};
}

// A test case without a message passed.
void test_case(std::ostream& out, const std::string& name, const std::string& failure) {
  out << "  <testcase classname=\"sluice.diff\" name=\"" << text::escape_markup(name) << '"';
  if (failure.empty()) {
    out << "/>\n";
  } else {
    out << ">\n    <failure message=\"" << text::escape_markup(failure) << "\"/>\n  </testcase>\n";
  }
}

std::string class_failure(const Class& c) {
  if (!c.is_changed()) return {};
  const TimePs before = c.old_ps();
  const TimePs after = c.new_ps();
  const std::string guilty = guilty_stage(c.before, c.after);
  return fmt::format("{} of {} commands changed ({} slower, {} faster), {} removed, {} added; {} us -> {} us ({}){}", c.changed,
                     c.matched, c.slower, c.faster, c.removed, c.added, format_us(before), format_us(after),
                     change_percent(before, after), guilty.empty() ? "" : "; most by " + guilty);
}

std::string elapsed_text(const Result& result) {
  return fmt::format("elapsed {} us -> {} us ({})", format_us(result.before.elapsed_ps), format_us(result.after.elapsed_ps),
                     change_percent(result.before.elapsed_ps, result.after.elapsed_ps));
}

}  // namespace

std::string verdict(const Result& result) {
  const Class& all = result.all;
  if (!result.is_changed()) {
    return fmt::format("No change beyond the tolerances: {} commands and {} parts compared, {}.", all.matched, result.parts,
                       elapsed_text(result));
  }
  const std::string guilty = guilty_stage(all.before, all.after);
  return fmt::format("Changed: {} of {} commands ({} slower, {} faster), {} removed, {} added, {} of {} parts; {}{}.", all.changed,
                     all.matched, all.slower, all.faster, all.removed, all.added, result.part_changes.size(), result.parts,
                     elapsed_text(result), guilty.empty() ? "" : ", most by " + guilty);
}

void write_text(std::ostream& out, const Result& result, bool colour) {
  out << side_text("old", result.before) << '\n' << side_text("new", result.after) << '\n';
  if (!result.profile.empty()) out << result.profile << '\n';
  for (const std::string& note : result.notes) out << note << '\n';
  out << '\n' << verdict(result) << "\n\n";
  for (const Grid& grid : grids(result)) text::write_text(out, grid, colour);
  if (const std::string more = omitted_text(result); !more.empty()) out << more << '\n';
  if (result.all.is_changed()) out << unchanged_classes(result) << " classes of commands did not change.\n";
  out << not_compared << '\n';
}

void write_markdown(std::ostream& out, const Result& result) {
  out << "### sluice diff\n\n- " << text::escape_markdown(side_text("old", result.before)) << "\n- "
      << text::escape_markdown(side_text("new", result.after)) << "\n\n";
  if (!result.profile.empty()) out << "**" << text::escape_markdown(result.profile) << "**\n\n";
  for (const std::string& note : result.notes) out << text::escape_markdown(note) << "\n\n";
  out << text::escape_markdown(verdict(result)) << "\n";
  for (const Grid& grid : grids(result)) text::write_markdown(out, grid);
  if (const std::string more = omitted_text(result); !more.empty()) out << '\n' << more << '\n';
  if (result.all.is_changed()) out << '\n' << unchanged_classes(result) << " classes of commands did not change.\n";
  out << '\n' << not_compared << '\n';
}

void write_json(std::ostream& out, const Result& result) {
  const Class& all = result.all;
  nlohmann::ordered_json j = {{"schema", "sluice-diff-1"},
                              {"changed", result.is_changed()},
                              {"profile_change", result.profile},
                              {"notes", result.notes},
                              {"verdict", verdict(result)},
                              {"old", to_json(result.before)},
                              {"new", to_json(result.after)},
                              {"commands", {{"matched", all.matched}, {"changed", all.changed}, {"slower", all.slower},
                                            {"faster", all.faster}, {"removed", all.removed}, {"added", all.added}}},
                              {"elapsed_changed", result.elapsed_changed},
                              {"figures", figures_json(all)}};
  j["classes"] = nlohmann::ordered_json::array();
  for (const auto& [key, c] : result.classes) {
    j["classes"].push_back({{"operation", key.first}, {"size", key.second}, {"matched", c.matched}, {"changed", c.changed},
                            {"slower", c.slower}, {"faster", c.faster}, {"removed", c.removed}, {"added", c.added},
                            {"old_ps", c.old_ps()}, {"new_ps", c.new_ps()},
                            {"stage", guilty_stage(c.before, c.after)}, {"figures", figures_json(c)}});
  }
  j["parts_compared"] = result.parts;
  j["parts"] = nlohmann::ordered_json::array();
  for (const PartChange& p : result.part_changes) {
    const auto& [device, part, kind, what] = p.part;
    j["parts"].push_back({{"device", device}, {"record", std::string(to_string(kind))}, {"part", part}, {"what", what},
                          {"old", to_json(p.before)}, {"new", to_json(p.after)}});
  }
  j["dearest"] = nlohmann::ordered_json::array();
  for (const Change& c : result.dearest) {
    const Entry& entry = c.after ? *c.after : *c.before;
    const std::vector<std::string> what = !c.before ? std::vector<std::string>{"added"} : !c.after ? std::vector<std::string>{"removed"} : c.what;
    j["dearest"].push_back({{"operation", kind_name(entry)}, {"bytes", entry.bytes},
                            {"old_id", c.before ? nlohmann::ordered_json(c.before->id) : nlohmann::ordered_json(nullptr)},
                            {"new_id", c.after ? nlohmann::ordered_json(c.after->id) : nlohmann::ordered_json(nullptr)},
                            {"delta_ps", c.delta_ps()}, {"what", what}});
  }
  j["omitted"] = result.omitted;
  out << j.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

void write_junit(std::ostream& out, const Result& result, bool is_accepted) {
  if (!result.error.empty()) {
    out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"sluice diff\" tests=\"1\" failures=\"0\" errors=\"1\">\n"
        << "  <testcase classname=\"sluice.diff\" name=\"traces\">\n    <error message=\"" << text::escape_markup(result.error)
        << "\"/>\n  </testcase>\n</testsuite>\n";
    return;
  }
  std::vector<std::pair<std::string, std::string>> cases = {{"profile", result.profile}};
  for (const auto& [key, c] : result.classes) cases.emplace_back(key.first + ", " + key.second, class_failure(c));
  cases.emplace_back("elapsed", result.elapsed_changed ? elapsed_text(result) : "");
  std::string parts;
  for (const PartChange& p : result.part_changes) parts += (parts.empty() ? "changed: " : "; ") + part_name(p.part);
  cases.emplace_back("parts", parts);
  std::string said = verdict(result) + "\n";
  for (const std::string& note : result.notes) said += note + "\n";
  if (is_accepted) {
    said += "Accepted:\n";
    for (auto& [name, failure] : cases) {
      if (!failure.empty()) said += name + ": " + std::exchange(failure, "") + "\n";
    }
  }
  said += not_compared;
  std::size_t failures = 0;
  for (const auto& [name, failure] : cases) failures += failure.empty() ? 0 : 1;
  out << fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"sluice diff\" tests=\"{}\" failures=\"{}\" errors=\"0\">\n",
                     cases.size(), failures);
  for (const auto& [name, failure] : cases) test_case(out, name, failure);
  out << "  <system-out>" << text::escape_markup(said) << "</system-out>\n</testsuite>\n";
}

}  // namespace sluice::diff
