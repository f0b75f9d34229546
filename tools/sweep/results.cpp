#include "tools/sweep/results.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/text/grid.h"

namespace sluice::sweep {

namespace {

std::string value_text(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

constexpr std::size_t most_bars = 60;

double us(TimePs ps) { return static_cast<double>(ps) / 1e6; }

std::string label_of(const Spec& spec, const Point& point) {
  std::string label = spec.profiles.size() > 1 ? point.profile : "";
  for (std::size_t i = 0; i < spec.parameters.size(); ++i) {
    if (spec.parameters[i].values.size() < 2) continue;
    const std::string& pointer = spec.parameters[i].pointer;
    label += (label.empty() ? "" : ", ") + pointer.substr(pointer.rfind('/') + 1) + " " + value_text(point.values[i]);
  }
  return label.empty() ? point.profile : label;
}

std::vector<double> metrics_of(const Spec& spec, const Outcome& outcome) {
  if (!spec.program.empty()) {
    if (!outcome.is_ok()) return {-1, -1};
    return {us(outcome.elapsed_ps), us(outcome.time_ps)};
  }
  std::vector<double> metrics;
  for (std::size_t size = 0; size < spec.sizes.size(); ++size) {
    for (std::size_t m = 0; m < methods.size(); ++m) {
      const bool is_there = outcome.is_ok() && size < outcome.transfers.size() && outcome.transfers[size].times_ns[m] > 0;
      metrics.push_back(is_there ? static_cast<double>(outcome.transfers[size].times_ns[m]) / 1e3 : -1);
    }
  }
  return metrics;
}

page::Explorer explorer_of(const Spec& spec, const std::vector<Outcome>& outcomes) {
  page::Explorer explorer;
  explorer.title = "Time over what varies";
  explorer.parameters.emplace_back("profile");
  explorer.values.push_back(spec.profiles);
  for (const Parameter& parameter : spec.parameters) {
    explorer.parameters.push_back(parameter.pointer);
    explorer.values.emplace_back();
    for (const json& value : parameter.values) explorer.values.back().push_back(value_text(value));
  }
  if (spec.program.empty()) {
    for (const std::string& size : spec.sizes) {
      for (const char* method : methods) explorer.metrics.push_back(size + " " + method);
    }
  } else {
    explorer.metrics = {"elapsed", "time of all commands"};
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    page::Explorer::Point point;
    std::size_t rest = i;
    point.at.resize(explorer.values.size());
    for (std::size_t p = explorer.values.size(); p-- > 0;) {
      point.at[p] = rest % explorer.values[p].size();
      rest /= explorer.values[p].size();
    }
    point.metrics = metrics_of(spec, outcomes[i]);
    explorer.points.push_back(std::move(point));
  }
  return explorer;
}

}  // namespace

page::Page make_page(const Spec& spec, const std::vector<Outcome>& outcomes) {
  std::string what = spec.program.empty() ? "The built-in transfers" : "Program:";
  for (const std::string& word : spec.program) what += " " + word;
  const auto failed = std::count_if(outcomes.begin(), outcomes.end(), [](const Outcome& o) { return !o.is_ok(); });
  page::Page page("Sweep", {what, fmt::format("{} points, {} failed. Where more varies than is chosen, the best point counts.", outcomes.size(), failed)});
  page::Explorer explorer = explorer_of(spec, outcomes);
  text::Grid grid{"Every point", static_cast<unsigned>(explorer.parameters.size()) + 1, explorer.parameters, {}};
  grid.head.emplace_back("status");
  for (const std::string& metric : explorer.metrics) grid.head.push_back(metric + " us");
  page::Stack stack{"Where the time of all commands went", "point", {}, {}};
  std::array<std::vector<double>, stage_count> stages;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Point point = point_at(spec, i);
    std::vector<std::string> row = {point.profile};
    for (const json& value : point.values) row.push_back(value_text(value));
    row.push_back(outcomes[i].status);
    for (const double metric : explorer.points[i].metrics) row.push_back(metric < 0 ? "-" : fmt::format("{:.6g}", metric));
    grid.rows.push_back(std::move(row));
    if (!outcomes[i].is_ok() || spec.program.empty() || stack.labels.size() == most_bars) continue;
    stack.labels.push_back(label_of(spec, point));
    for (std::size_t s = 0; s < stage_count; ++s) stages[s].push_back(us(outcomes[i].stages[s]));
  }
  page.add(explorer);
  page.add(grid, true);
  if (stack.labels.empty()) return page;
  for (std::size_t s = 0; s < stage_count; ++s) {
    if (*std::max_element(stages[s].begin(), stages[s].end()) > 0) stack.parts.emplace_back(to_string(static_cast<Stage>(s)), stages[s]);
  }
  if (stack.labels.size() == most_bars) stack.title += fmt::format(", the first {} points", most_bars);
  page.add(stack);
  return page;
}

std::string key_of(const Spec& spec, const Point& point, const std::string& profile_hash, const std::string& program_stamp) {
  json key = {point.profile, profile_hash, program_stamp, spec.program, spec.sizes, spec.reads, spec.virtual_time};
  for (std::size_t i = 0; i < spec.parameters.size(); ++i) key.push_back({spec.parameters[i].pointer, point.values[i]});
  return key.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string to_line(const std::string& key, const Outcome& outcome) {
  json line = {{"key", key}, {"status", outcome.status}, {"commands", outcome.commands}, {"elapsed_ps", outcome.elapsed_ps},
               {"time_ps", outcome.time_ps}, {"stages", outcome.stages}, {"transfers", json::array()}};
  for (const Transfer& t : outcome.transfers) line["transfers"].push_back({t.bytes, t.times_ns});
  return line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::map<std::string, Outcome> read_lines(std::istream& in) {
  std::map<std::string, Outcome> known;
  std::string text;
  while (std::getline(in, text)) {
    if (in.eof()) break;  // without its end: the sweep was killed while it wrote
    const json line = json::parse(text, nullptr, false);
    try {
      Outcome outcome;
      outcome.status = line.at("status").get<std::string>();
      outcome.commands = line.at("commands").get<std::uint64_t>();
      outcome.elapsed_ps = line.at("elapsed_ps").get<TimePs>();
      outcome.time_ps = line.at("time_ps").get<TimePs>();
      outcome.stages = line.at("stages").get<std::array<TimePs, stage_count>>();
      for (const json& t : line.at("transfers")) {
        outcome.transfers.push_back({t.at(0).get<std::uint64_t>(), t.at(1).get<std::array<std::uint64_t, 4>>()});
      }
      known[line.at("key").get<std::string>()] = std::move(outcome);
    } catch (const json::exception&) {
      continue;  // of another version, or damaged: that point runs again
    }
  }
  return known;
}

std::ofstream open_lines(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  const bool is_cut_off = in && in.tellg() > 0 && in.seekg(-1, std::ios::end).peek() != '\n';
  std::ofstream out(file, std::ios::binary | std::ios::app);
  if (is_cut_off) out << '\n';
  return out;
}

void write_csv(std::ostream& out, const Spec& spec, const std::vector<Outcome>& outcomes) {
  out << "profile";
  for (const Parameter& p : spec.parameters) out << ',' << text::csv_cell(p.pointer);
  out << ",status";
  if (spec.program.empty()) {
    out << ",bytes";
    for (const char* method : methods) out << ',' << method << "_ns";
  } else {
    out << ",commands,elapsed_ps,time_ps";
    for (std::size_t s = 0; s < stage_count; ++s) out << ',' << to_string(static_cast<Stage>(s)) << "_ps";
  }
  out << "\r\n";
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Outcome& outcome = outcomes[i];
    const Point point = point_at(spec, i);
    std::string begin = text::csv_cell(point.profile);
    for (const json& value : point.values) begin += ',' + (value.is_number() ? value.dump() : text::csv_cell(value_text(value)));
    begin += ',' + text::csv_cell(outcome.status);
    if (!outcome.is_ok()) {
      const std::size_t blanks = spec.program.empty() ? 1 + methods.size() : 3 + stage_count;
      out << begin << std::string(blanks, ',') << "\r\n";
    } else if (spec.program.empty()) {
      for (const Transfer& t : outcome.transfers) {
        out << begin << ',' << t.bytes;
        for (const std::uint64_t ns : t.times_ns) out << ',' << (ns == 0 ? "" : std::to_string(ns));
        out << "\r\n";
      }
    } else {
      out << begin << ',' << outcome.commands << ',' << outcome.elapsed_ps << ',' << outcome.time_ps;
      for (const TimePs stage : outcome.stages) out << ',' << stage;
      out << "\r\n";
    }
  }
}

}  // namespace sluice::sweep
