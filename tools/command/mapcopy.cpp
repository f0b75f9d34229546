#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "sim/profile/load.h"
#include "tools/command/commands.h"
#include "tools/command/child.h"
#include "tools/command/layout.h"
#include "tools/command/temporary.h"
#include "tools/sweep/transfers.h"
#include "tools/command/write_page.h"
#include "tools/text/grid.h"
#include "tools/text/terminal.h"
#include "traces/table.h"

namespace sluice::tools {

namespace {

enum Method : std::size_t { pageable, pinned, map, zero_copy, method_count };
constexpr std::array<const char*, method_count> method_names = {"pageable copy", "pinned copy", "map/unmap",
                                                                "zero-copy"};

using Row = sweep::Transfer;

struct Machine {
  std::string name;
  std::vector<Row> rows;
};

bool offers(const Row& row, std::size_t method) { return row.by_method[method].time_ns != 0; }

// Differences below 0.1 % are none: the program's clock counts in nanoseconds.
bool is_faster(std::uint64_t a_ns, std::uint64_t b_ns) { return a_ns < b_ns && b_ns - a_ns > b_ns / 1000; }

std::size_t best_of(const Row& row) {
  std::size_t best = pageable;
  for (std::size_t m = 0; m < method_count; ++m) {
    if (offers(row, m) && is_faster(row.by_method[m].time_ns, row.by_method[best].time_ns)) best = m;
  }
  return best;
}

// What is asked of each machine: at which sizes the first takes less time than the second.
struct Race {
  const char* title;
  const char* key;
  Method faster;
  Method slower;
};
constexpr std::array<Race, 4> races = {{{"map < pageable copy", "map_before_pageable_copy", map, pageable},
                                        {"map < pinned copy", "map_before_pinned_copy", map, pinned},
                                        {"zero-copy < pinned copy", "zero_copy_before_pinned_copy", zero_copy, pinned},
                                        {"zero-copy < map", "zero_copy_before_map", zero_copy, map}}};

// The rows at which it does, as ranges of them, both ends included. nullopt: the machine does not have both ways.
std::optional<std::vector<std::pair<std::size_t, std::size_t>>> wins(const std::vector<Row>& rows, const Race& race) {
  std::vector<std::pair<std::size_t, std::size_t>> ranges;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!offers(rows[i], race.faster) || !offers(rows[i], race.slower)) return std::nullopt;
    if (!is_faster(rows[i].by_method[race.faster].time_ns, rows[i].by_method[race.slower].time_ns)) continue;
    if (!ranges.empty() && ranges.back().second + 1 == i) {
      ranges.back().second = i;
    } else {
      ranges.emplace_back(i, i);
    }
  }
  return ranges;
}

// "always", "never", "from 64 KiB", "up to 4 KiB", "4 KiB - 1 MiB, ...".
std::string wins_text(const std::vector<Row>& rows, const Race& race) {
  const auto ranges = wins(rows, race);
  if (!ranges) return "n/a";
  if (ranges->empty()) return "never";
  if (ranges->front() == std::pair{std::size_t{0}, rows.size() - 1}) return "always";
  std::string text;
  for (const auto& [first, last] : *ranges) {
    text += text.empty() ? "" : ", ";
    const std::string from = trace::format_bytes(rows[first].bytes);
    const std::string to = trace::format_bytes(rows[last].bytes);
    text += last + 1 == rows.size() ? "from " + from : first == 0 ? "up to " + to : first == last ? from : from + " - " + to;
  }
  return text;
}

trace::Table table_of(const Machine& machine, std::uint32_t reads) {
  const std::string times = reads == 1 ? "once" : fmt::format("{} times", reads);
  trace::Table table(
      fmt::format("{}: written by the host, read {} by a kernel, its result read back; us", machine.name, times), 0,
      {"size", method_names[pageable], method_names[pinned], method_names[map], method_names[zero_copy], "best"});
  for (const Row& row : machine.rows) {
    std::vector<std::string> cells = {trace::format_bytes(row.bytes)};
    for (std::size_t m = 0; m < method_count; ++m) cells.push_back(offers(row, m) ? trace::format_us(row.by_method[m].time_ns * ps_per_ns) : "n/a");
    cells.emplace_back(method_names[best_of(row)]);
    table.row(std::move(cells));
  }
  return table;
}

std::string json_of(const std::vector<Machine>& machines, std::uint32_t reads) {
  using Json = nlohmann::ordered_json;
  constexpr std::array<const char*, method_count> keys = {"pageable_copy", "pinned_copy", "map", "zero_copy"};
  Json list = Json::array();
  for (const Machine& machine : machines) {
    Json rows = Json::array();
    for (const Row& row : machine.rows) {
      Json times;
      for (std::size_t m = 0; m < method_count; ++m) times[keys[m]] = offers(row, m) ? Json(row.by_method[m].time_ns) : Json(nullptr);
      rows.push_back({{"bytes", row.bytes}, {"time_ns", std::move(times)}, {"best", keys[best_of(row)]}});
    }
    Json crossovers;
    for (const Race& race : races) {
      const auto ranges = wins(machine.rows, race);
      Json& sizes = crossovers[race.key] = ranges ? Json::array() : Json(nullptr);
      if (!ranges) continue;
      for (const auto& [first, last] : *ranges) sizes.push_back({machine.rows[first].bytes, machine.rows[last].bytes});
    }
    list.push_back({{"profile", machine.name}, {"sizes", std::move(rows)}, {"faster", std::move(crossovers)}});
  }
  const Json document = {{"schema", "sluice-mapcopy-1"}, {"reads", reads}, {"machines", std::move(list)}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

// Time over size by method, a chart a machine, and where one overtakes the other.
page::Page page_of(const std::vector<Machine>& machines, const text::Grid& crossovers, std::uint32_t reads) {
  page::Page page("Map, copy or zero-copy",
                  {fmt::format("Data that the host writes, a kernel reads {}, and whose result the host reads back. Less is better; "
                               "where two curves cross, the other way is faster from there on.",
                               reads == 1 ? "once" : fmt::format("{} times", reads))});
  page.add(crossovers, false);
  for (const Machine& machine : machines) {
    page::Lines lines{.title = machine.name, .x_label = "size", .y_label = "time", .x_unit = page::Unit::bytes, .series = {}};
    for (std::size_t m = 0; m < method_count; ++m) {
      page::Series series{method_names[m], {}};
      for (const Row& row : machine.rows) {
        if (offers(row, m)) series.points.emplace_back(static_cast<double>(row.bytes), static_cast<double>(row.by_method[m].time_ns) / 1e3);
      }
      if (!series.points.empty()) lines.series.push_back(std::move(series));
    }
    page.add(lines);
  }
  // The smallest size, the largest and one between them: of each what the methods are made of.
  const std::size_t sizes = machines.front().rows.size();
  std::vector<std::size_t> chosen = {0, sizes / 2, sizes - 1};
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  for (const std::size_t size : chosen) {
    sweep::Bars bars(trace::format_bytes(machines.front().rows[size].bytes) + ": where the time of the commands went");
    for (const Machine& machine : machines) {
      for (std::size_t m = 0; m < method_count; ++m) {
        if (offers(machine.rows[size], m)) bars.add(machine.name + ", " + method_names[m], machine.rows[size].by_method[m].stages);
      }
    }
    bars.add_to(page);
  }
  return page;
}

}  // namespace

std::uint64_t parse_size(const std::string& text) {
  std::uint64_t value = 0;
  std::size_t i = 0;
  for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
    value = value * 10 + static_cast<std::uint64_t>(text[i] - '0');
    if (value > std::uint64_t{1} << 40) return 0;
  }
  if (i == 0 || text.size() > i + 1) return 0;
  if (i == text.size()) return value;
  switch (text[i]) {
    case 'K':
      return value << 10;
    case 'M':
      return value << 20;
    case 'G':
      return value << 30;
    default:
      return 0;
  }
}

int mapcopy(const MapcopyOptions& options) {
  std::vector<std::string> profiles = options.profiles;
  if (profiles.empty()) {
    for (const auto& entry : profile::shipped_profiles()) profiles.push_back(entry.name);
  }
  if (!can_be_written("mapcopy", options.html)) return exit_unusable;
  // All are checked before the first one runs.
  std::vector<bool> has_zero_copy;
  for (const std::string& name : profiles) {
    const auto profile = check_profile(name);
    if (!profile) return exit_unusable;
    has_zero_copy.push_back(profile->machine.policy.alloc_host_ptr == BufferPolicy::zero_copy);
  }
  const bool colour = text::stdout_takes_colour();
  text::Grid crossovers{"Which is faster, and at which sizes", 1, {"machine"}, {}};
  for (const Race& race : races) crossovers.head.emplace_back(race.title);
  std::vector<Machine> machines;
  bool mirrors = false;
  for (std::size_t i = 0; i < profiles.size(); ++i) {
    std::vector<std::string> command = {executable().string(), "__mapcopy-workload"};
    command.push_back(fmt::format("--reads={}", options.reads));
    if (has_zero_copy[i]) command.emplace_back("--zero-copy");
    for (const std::uint64_t size : options.sizes_bytes) command.push_back(fmt::format("{}", size));
    ChildOptions child;
    child.profile = profiles[i];
    child.virtual_time = true;
    child.capture_output = true;
    std::optional<TemporaryFile> trace;
    if (!options.html.empty()) child.traces = {trace.emplace(".jsonl").path()};
    if (trace && trace->path().empty()) {
      fmt::print(stderr, "sluice: no temporary file for a trace can be written (TMPDIR)\n");
      return exit_failed;
    }
    const ChildResult result = run_child(command, child);
    if (result.asked_to_end != 0) return 128 + result.asked_to_end;
    Machine machine{profiles[i], {}};
    std::istringstream output(result.output);
    if (!result.started || result.exit_code != 0 || !sweep::read_transfers(output, machine.rows)) {
      fmt::print(stderr, "sluice: {}: {}\n", profiles[i],
                 result.started ? fmt::format("the workload failed with {}", result.exit_code) : result.error);
      return exit_failed;
    }
    if (const std::string error = trace ? sweep::add_stages(trace->path(), machine.rows) : ""; !error.empty()) {
      fmt::print(stderr, "sluice: {}: {}\n", profiles[i], error);
      return exit_failed;
    }
    if (!options.json) fmt::print("{}\n", table_of(machine, options.reads).text(colour));
    mirrors |= !has_zero_copy[i];
    crossovers.rows.push_back({machine.name});
    for (const Race& race : races) crossovers.rows.back().push_back(wins_text(machine.rows, race));
    machines.push_back(std::move(machine));
  }
  std::ostringstream text;
  text::write_text(text, crossovers, colour);
  if (mirrors) text << "n/a: this machine keeps a mirror of ALLOC_HOST_PTR memory on the device; a map copies\n";
  fmt::print("{}", options.json ? json_of(machines, options.reads) : text.str());
  if (std::fflush(stdout) != 0) return exit_failed;
  return write_page(page_of(machines, crossovers, options.reads), options.html) ? exit_ok : exit_failed;
}

}  // namespace sluice::tools
