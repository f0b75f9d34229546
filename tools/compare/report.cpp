#include "tools/compare/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <vector>

#include "tools/text/escape.h"
#include "tools/text/grid.h"
#include "traces/table.h"

namespace sluice::compare {

namespace {

using text::Grid;
using trace::format_us;

std::string stage_name(std::size_t stage) { return std::string(to_string(static_cast<Stage>(stage))); }

std::string dearest_stage(const Cell& cell) {
  const auto dearest = std::max_element(cell.stages.begin(), cell.stages.end());
  return *dearest == 0 ? "-" : stage_name(static_cast<std::size_t>(dearest - cell.stages.begin()));
}

std::string factor_text(double factor) { return factor >= 1.0005 ? fmt::format("{:.3g}x", factor) : "-"; }

std::string bytes_text(const Line& line) {
  std::vector<std::uint64_t> sizes;
  for (const Cell& cell : line.cells) {
    if (cell.is_there) sizes.push_back(cell.bytes);
  }
  const auto [least, most] = std::minmax_element(sizes.begin(), sizes.end());
  return *least == *most ? trace::format_bytes(*least) : trace::format_bytes(*least) + " - " + trace::format_bytes(*most);
}

std::vector<std::string> profile_head(const Lineup& lineup, std::vector<std::string> head, const char* unit) {
  for (const Run& run : lineup.runs) head.push_back(text::printable(run.profile) + unit);
  return head;
}

// What stands where a run has nothing.
std::string nothing_of(const Run& run, const char* otherwise) { return run.error.empty() ? otherwise : "failed"; }

Grid total_grid(const Lineup& lineup) {
  Grid grid{"Totals", 1, {"profile", "commands", "fastest in", "commands' time us", "elapsed us", "against the best"}, {}};
  for (std::size_t r = 0; r < lineup.runs.size(); ++r) {
    const Run& run = lineup.runs[r];
    if (!run.error.empty()) {
      grid.rows.push_back({text::printable(run.profile), "failed", "-", "-", "-", "-"});
      continue;
    }
    const TimePs best = lineup.winner == diff::none ? run.elapsed_ps : lineup.runs[lineup.winner].elapsed_ps;
    grid.rows.push_back({text::printable(run.profile), fmt::format("{}", run.commands.size()), fmt::format("{}", lineup.won[r]),
                         format_us(run.time_ps), format_us(run.elapsed_ps),
                         best == 0 ? "-" : fmt::format("{:.3g}x", static_cast<double>(run.elapsed_ps) / static_cast<double>(best))});
  }
  return grid;
}

Grid stage_grid(const Lineup& lineup) {
  Grid grid{"Where it went", 1, profile_head(lineup, {"stage"}, " us"), {}};
  for (std::size_t s = 0; s < stage_count; ++s) {
    std::vector<std::string> cells = {stage_name(s)};
    bool any = false;
    for (const Run& run : lineup.runs) {
      any |= run.stages[s] > 0;
      cells.push_back(run.stages[s] == 0 ? nothing_of(run, "-") : format_us(run.stages[s]));
    }
    if (any) grid.rows.push_back(std::move(cells));
  }
  return grid;
}

// What the program's threads did beside their commands; waits, above all.
Grid call_grid(const Lineup& lineup) {
  Grid grid{"API calls that enqueue nothing, or wait", 1, profile_head(lineup, {"call"}, " us"), {}};
  std::set<diff::PartKey> keys;
  for (const Run& run : lineup.runs) {
    for (const auto& [key, total] : run.calls) keys.insert(key);
  }
  for (const diff::PartKey& key : keys) {
    std::vector<std::string> cells = {text::printable(std::get<3>(key))};
    for (const Run& run : lineup.runs) {
      const auto found = run.calls.find(key);
      cells.push_back(found == run.calls.end() ? nothing_of(run, "-") : format_us(found->second.time_ps));
    }
    grid.rows.push_back(std::move(cells));
  }
  return grid;
}

Grid command_grid(const Lineup& lineup, std::size_t most) {
  // The largest spreads, in the program's order.
  std::vector<std::pair<TimePs, std::size_t>> spreads;
  for (std::size_t i = 0; i < lineup.rows.size(); ++i) spreads.emplace_back(lineup.spreads_ps[i], i);
  std::stable_sort(spreads.begin(), spreads.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  spreads.resize(std::min(most, spreads.size()));
  std::sort(spreads.begin(), spreads.end(), [](const auto& a, const auto& b) { return a.second < b.second; });

  Grid grid{"Commands", 3, profile_head(lineup, {"command", "winner", "where it went", "bytes", "by"}, " us"), {}};
  for (const auto& [spread, i] : spreads) {
    const Line line = line_of(lineup, lineup.rows[i]);
    std::string where;
    for (const Cell& cell : line.cells) where += (where.empty() ? "" : ", ") + std::string(cell.is_there ? dearest_stage(cell) : "-");
    std::vector<std::string> cells = {fmt::format("{} {}", i + 1, line.kind),
                                      line.winner == diff::none ? "-" : text::printable(lineup.runs[line.winner].profile), where,
                                      bytes_text(line), factor_text(line.factor)};
    for (std::size_t r = 0; r < line.cells.size(); ++r) {
      const Cell& cell = line.cells[r];
      cells.push_back(cell.is_there ? format_us(cell.time_ps) : nothing_of(lineup.runs[r], "not there"));
    }
    grid.rows.push_back(std::move(cells));
  }
  return grid;
}

std::string left_out(const Lineup& lineup, std::size_t most) {
  if (lineup.rows.size() <= most) return {};
  return fmt::format("{} more commands, whose times are closer, are in the sums above (--commands N shows more, --csv all).", lineup.rows.size() - most);
}

std::vector<std::string> profile_lines(const Lineup& lineup) {
  std::vector<std::string> lines;
  for (const Run& run : lineup.runs) {
    lines.push_back(run.error.empty() ? fmt::format("{} ({})", text::printable(run.profile), text::printable(run.hash))
                                      : fmt::format("{}: {}", text::printable(run.profile), text::printable(run.error)));
  }
  return lines;
}

}  // namespace

std::string verdict(const Lineup& lineup) {
  const std::string partial = fmt::format("{} of {} commands were not done under every profile.", lineup.partial, lineup.rows.size());
  if (lineup.winner == diff::none) return "No profile is faster than the others. " + partial;
  const Run& best = lineup.runs[lineup.winner];
  return fmt::format("{} is fastest: {} us from the first call to the last result; the next best takes {:.3g} times as long. {}",
                     text::printable(best.profile), format_us(best.elapsed_ps), lineup.factor, partial);
}

void write_text(std::ostream& out, const Lineup& lineup, std::size_t most_commands, bool colour) {
  for (const std::string& line : profile_lines(lineup)) out << line << '\n';
  out << '\n' << verdict(lineup) << "\n\n";
  text::write_text(out, total_grid(lineup), colour);
  text::write_text(out, stage_grid(lineup), colour);
  text::write_text(out, call_grid(lineup), colour);
  text::write_text(out, command_grid(lineup, most_commands), colour);
  if (const std::string more = left_out(lineup, most_commands); !more.empty()) out << more << '\n';
}

void write_markdown(std::ostream& out, const Lineup& lineup, std::size_t most_commands) {
  out << "### sluice compare\n\n";
  for (const std::string& line : profile_lines(lineup)) out << "- " << text::escape_markdown(line) << '\n';
  out << '\n' << text::escape_markdown(verdict(lineup)) << '\n';
  text::write_markdown(out, total_grid(lineup));
  text::write_markdown(out, stage_grid(lineup));
  text::write_markdown(out, call_grid(lineup));
  text::write_markdown(out, command_grid(lineup, most_commands));
  if (const std::string more = left_out(lineup, most_commands); !more.empty()) out << '\n' << more << '\n';
}

page::Page make_page(const Lineup& lineup, std::size_t most_commands) {
  std::vector<std::string> introduction = profile_lines(lineup);
  introduction.push_back(verdict(lineup));
  page::Page page("One program, command beside command", std::move(introduction));
  page.add(total_grid(lineup), false);
  page::Stack stack{"Where the time of all commands went", "profile", {}, {}};
  for (const Run& run : lineup.runs) stack.labels.push_back(text::printable(run.profile));
  for (std::size_t s = 0; s < stage_count; ++s) {
    std::vector<double> values;
    for (const Run& run : lineup.runs) values.push_back(static_cast<double>(run.stages[s]) / 1e6);
    if (*std::max_element(values.begin(), values.end()) > 0) stack.parts.emplace_back(stage_name(s), std::move(values));
  }
  page.add(stack);
  page.add(call_grid(lineup), false);
  page.add(command_grid(lineup, most_commands), false);
  if (const std::string more = left_out(lineup, most_commands); !more.empty()) page.paragraph(more);
  return page;
}

void write_json(std::ostream& out, const Lineup& lineup) {
  using json = nlohmann::ordered_json;
  const auto stages_json = [](const std::array<TimePs, stage_count>& stages) {
    json j = json::object();
    for (std::size_t s = 0; s < stage_count; ++s) {
      if (stages[s] > 0) j[stage_name(s)] = stages[s];
    }
    return j;
  };
  const auto winner_json = [&](std::size_t winner) { return winner == diff::none ? json(nullptr) : json(lineup.runs[winner].profile); };
  json j = {{"schema", "sluice-compare-1"}, {"verdict", verdict(lineup)}, {"winner", winner_json(lineup.winner)}, {"factor", lineup.factor}};
  const auto calls_json = [](const diff::PartTotals& calls) {
    json j = json::object();
    for (const auto& [key, total] : calls) j[std::get<3>(key)] = {{"calls", total.value}, {"time_ps", total.time_ps}};
    return j;
  };
  for (std::size_t r = 0; r < lineup.runs.size(); ++r) {
    const Run& run = lineup.runs[r];
    j["profiles"].push_back({{"profile", run.profile}, {"profile_hash", run.hash}, {"error", run.error}, {"commands", run.commands.size()},
                             {"fastest_in", lineup.won[r]}, {"time_ps", run.time_ps}, {"elapsed_ps", run.elapsed_ps},
                             {"stages", stages_json(run.stages)}, {"calls", calls_json(run.calls)}});
  }
  j["commands"] = json::array();
  for (std::size_t i = 0; i < lineup.rows.size(); ++i) {
    const Line line = line_of(lineup, lineup.rows[i]);
    json cells = json::array();
    for (const Cell& cell : line.cells) {
      cells.push_back(cell.is_there ? json{{"bytes", cell.bytes}, {"time_ps", cell.time_ps}, {"stages", stages_json(cell.stages)}} : json(nullptr));
    }
    j["commands"].push_back({{"command", line.kind}, {"winner", winner_json(line.winner)}, {"factor", line.factor}, {"runs", std::move(cells)}});
  }
  out << j.dump(1, ' ', false, json::error_handler_t::replace) << '\n';
}

void write_csv(std::ostream& out, const Lineup& lineup) {
  out << "row,command,profile,bytes,time_ps,winner";
  for (std::size_t s = 0; s < stage_count; ++s) out << ',' << stage_name(s) << "_ps";
  out << "\r\n";
  for (std::size_t i = 0; i < lineup.rows.size(); ++i) {
    const Line line = line_of(lineup, lineup.rows[i]);
    for (std::size_t r = 0; r < line.cells.size(); ++r) {
      const Cell& cell = line.cells[r];
      if (!cell.is_there) continue;
      out << i + 1 << ',' << text::csv_cell(line.kind) << ',' << text::csv_cell(lineup.runs[r].profile) << ',' << cell.bytes << ','
          << cell.time_ps << ',' << (line.winner == r ? 1 : 0);
      for (const TimePs stage : cell.stages) out << ',' << stage;
      out << "\r\n";
    }
  }
}

}  // namespace sluice::compare
