#include "tools/sweep/results.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/text/grid.h"

namespace sluice::sweep {

namespace {

std::string value_text(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

constexpr std::size_t most_bars = 60;
constexpr std::size_t most_bar_charts = 8;

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

// nullptr: it failed, or the machine does not offer it.
const Method* method_of(const Outcome& outcome, std::size_t size, std::size_t method) {
  if (!outcome.is_ok() || size >= outcome.transfers.size()) return nullptr;
  const Method& found = outcome.transfers[size].by_method[method];
  return found.time_ns == 0 ? nullptr : &found;
}

std::vector<double> metrics_of(const Spec& spec, const Outcome& outcome) {
  if (!spec.program.empty()) {
    if (!outcome.is_ok()) return {-1, -1};
    return {us(outcome.elapsed_ps), us(outcome.time_ps)};
  }
  std::vector<double> metrics;
  for (std::size_t size = 0; size < spec.sizes.size(); ++size) {
    for (std::size_t m = 0; m < methods.size(); ++m) {
      const Method* const method = method_of(outcome, size, m);
      metrics.push_back(method == nullptr ? -1 : static_cast<double>(method->time_ns) / 1e3);
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

void add_program_bars(page::Page& page, const Spec& spec, const std::vector<Outcome>& outcomes) {
  Bars bars("Where the time of all commands went");
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].is_ok()) bars.add(label_of(spec, point_at(spec, i)), outcomes[i].stages);
  }
  bars.add_to(page);
}

// A chart a size, whose times are alike; a bar a point and method.
void add_transfer_bars(page::Page& page, const Spec& spec, const std::vector<Outcome>& outcomes) {
  for (std::size_t size = 0; size < std::min(spec.sizes.size(), most_bar_charts); ++size) {
    Bars bars(spec.sizes[size] + ": where the time of the commands went");
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      for (std::size_t m = 0; m < methods.size(); ++m) {
        if (const Method* const method = method_of(outcomes[i], size, m)) {
          bars.add(label_of(spec, point_at(spec, i)) + ", " + methods[m], method->stages);
        }
      }
    }
    bars.add_to(page);
  }
  if (spec.sizes.size() > most_bar_charts) page.paragraph(fmt::format("Bars of the first {} sizes; sweep.csv has all.", most_bar_charts));
}

}  // namespace

void Bars::add(std::string label, const std::array<TimePs, stage_count>& stages) {
  if (stack_.labels.size() == most_bars) {
    is_cut_ = true;
    return;
  }
  stack_.labels.push_back(std::move(label));
  for (std::size_t s = 0; s < stage_count; ++s) stages_[s].push_back(us(stages[s]));
}

void Bars::add_to(page::Page& page) {
  if (stack_.labels.empty()) return;
  for (std::size_t s = 0; s < stage_count; ++s) {
    if (*std::max_element(stages_[s].begin(), stages_[s].end()) > 0) stack_.parts.emplace_back(to_string(static_cast<Stage>(s)), stages_[s]);
  }
  if (is_cut_) stack_.title += fmt::format(", the first {} bars", most_bars);
  page.add(stack_);
}

page::Page make_page(const Spec& spec, const std::vector<Outcome>& outcomes) {
  std::string what = spec.program.empty() ? "The built-in transfers" : "Program:";
  for (const std::string& word : spec.program) what += " " + word;
  const auto failed = std::count_if(outcomes.begin(), outcomes.end(), [](const Outcome& o) { return !o.is_ok(); });
  page::Page page("Sweep", {what, fmt::format("{} point{}, {} failed. Where more varies than is chosen, the best point counts.", outcomes.size(),
                                              outcomes.size() == 1 ? "" : "s", failed)});
  page::Explorer explorer = explorer_of(spec, outcomes);
  text::Grid grid{"Every point", static_cast<unsigned>(explorer.parameters.size()) + 1, explorer.parameters, {}};
  grid.head.emplace_back("status");
  for (const std::string& metric : explorer.metrics) grid.head.push_back(metric + " us");
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Point point = point_at(spec, i);
    std::vector<std::string> row = {point.profile};
    for (const json& value : point.values) row.push_back(value_text(value));
    row.push_back(outcomes[i].status);
    for (const double metric : explorer.points[i].metrics) row.push_back(metric < 0 ? "-" : fmt::format("{:.6g}", metric));
    grid.rows.push_back(std::move(row));
  }
  page.add(explorer);
  page.add(grid, true);
  if (spec.program.empty()) {
    add_transfer_bars(page, spec, outcomes);
  } else {
    add_program_bars(page, spec, outcomes);
  }
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
  for (const Transfer& t : outcome.transfers) {
    json list = {t.bytes};
    for (const Method& m : t.by_method) list.push_back({m.time_ns, m.stages});
    line["transfers"].push_back(std::move(list));
  }
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
        Transfer transfer;
        transfer.bytes = t.at(0).get<std::uint64_t>();
        for (std::size_t m = 0; m < methods.size(); ++m) {
          transfer.by_method[m].time_ns = t.at(1 + m).at(0).get<std::uint64_t>();
          transfer.by_method[m].stages = t.at(1 + m).at(1).get<std::array<TimePs, stage_count>>();
        }
        outcome.transfers.push_back(transfer);
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
    for (const char* method : methods) {
      for (std::size_t s = 0; s < stage_count; ++s) out << ',' << method << '_' << to_string(static_cast<Stage>(s)) << "_ps";
    }
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
      const std::size_t blanks = spec.program.empty() ? 1 + methods.size() * (1 + stage_count) : 3 + stage_count;
      out << begin << std::string(blanks, ',') << "\r\n";
    } else if (spec.program.empty()) {
      for (const Transfer& t : outcome.transfers) {
        out << begin << ',' << t.bytes;
        for (const Method& m : t.by_method) out << ',' << (m.time_ns == 0 ? "" : std::to_string(m.time_ns));
        for (const Method& m : t.by_method) {
          for (const TimePs stage : m.stages) out << ',' << (m.time_ns == 0 ? "" : std::to_string(stage));
        }
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
