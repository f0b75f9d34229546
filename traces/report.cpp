#include "traces/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <tuple>
#include <vector>

#include "traces/reader.h"
#include "traces/table.h"

namespace sluice::trace {

namespace {

using Json = nlohmann::ordered_json;

// A flipped bit in a stamp must not wrap a sum around.
std::uint64_t add(std::uint64_t a, std::uint64_t b) {
  return a > ~b ? ~std::uint64_t{0} : a + b;
}

// Strings come from a file that anybody may have written: nothing of it controls the terminal.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return text.size() > 200 ? text.substr(0, 200) + "..." : text;
}

struct Total {
  std::uint64_t commands = 0;
  std::uint64_t bytes = 0;
  TimePs time_ps = 0;    // called to visible
  TimePs device_ps = 0;  // START to END

  void count(const CommandLine& command) {
    ++commands;
    bytes = add(bytes, command.bytes);
    time_ps = add(time_ps, command.times.visible - command.called);
    device_ps = add(device_ps, command.times.ended - command.times.started);
  }
};

// Size classes by powers of four from 4 KiB; 0 is "nothing", 1 "below 4 KiB".
unsigned size_class(std::uint64_t bytes) {
  if (bytes == 0) return 0;
  if (bytes < 4096) return 1;
  return 2 + (static_cast<unsigned>(std::bit_width(bytes)) - 13) / 2;
}

std::string size_class_name(unsigned size) {
  if (size == 0) return "no bytes";
  if (size == 1) return "below 4 KiB";
  const unsigned shift = 12 + 2 * (size - 2);
  if (shift + 2 >= 64) return format_bytes(std::uint64_t{1} << shift) + " and more";
  return format_bytes(std::uint64_t{1} << shift) + " - " + format_bytes(std::uint64_t{1} << (shift + 2));
}

std::string gb_per_s(const Total& total) {
  if (total.device_ps == 0 || total.bytes == 0) return "-";
  return fmt::format("{:.2f}", 1e3 * static_cast<double>(total.bytes) / static_cast<double>(total.device_ps));
}

void total_row(Table& table, std::vector<std::string> names, const Total& total, TimePs whole) {
  names.insert(names.end(), {fmt::format("{}", total.commands), format_bytes(total.bytes), format_us(total.time_ps),
                             format_percent(total.time_ps, whole), format_us(total.device_ps), gb_per_s(total)});
  table.row(std::move(names));
}

std::vector<std::string> total_head(std::vector<std::string> names) {
  names.insert(names.end(), {"commands", "bytes", "time us", "share", "start-end us", "GB/s"});
  return names;
}

std::string memory_name(Placement placement) {
  std::string name(to_string(placement));
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

// All launches of kernels of one name.
struct KernelTotal {
  std::uint64_t launches = 0;
  std::uint64_t work_items = 0;
  std::uint64_t instructions = 0;
  std::uint64_t sectors = 0;
  std::uint64_t l1_hits = 0;
  std::uint64_t l2_hits = 0;
  std::uint64_t device_bytes = 0;
  std::uint64_t link_bytes = 0;
  TimePs device_ps = 0;  // START to END
  TimePs longest_ps = 0;
  std::string_view limiter;  // of the longest, as is what follows
  std::uint32_t occupancy_permille = 0;

  void count(const CommandLine& command) {
    const KernelRecord& k = command.kernel->figures;
    const TimePs time = command.times.ended - command.times.started;
    ++launches;
    work_items = add(work_items, k.work_items);
    for (const std::uint64_t n : k.instructions) instructions = add(instructions, n);
    sectors = add(sectors, k.sectors);
    l1_hits = add(l1_hits, k.l1_hit_sectors);
    l2_hits = add(l2_hits, k.l2_hit_sectors);
    device_bytes = add(device_bytes, add(k.device_read_bytes, k.device_written_bytes));
    link_bytes = add(link_bytes, add(k.link_read_bytes, k.link_written_bytes));
    device_ps = add(device_ps, time);
    if (launches > 1 && time <= longest_ps) return;
    longest_ps = time;
    limiter = k.limiter;
    occupancy_permille = k.occupancy_permille;
  }
};

struct Dear {
  CommandLine command;
  [[nodiscard]] TimePs time_ps() const { return command.times.visible - command.called; }
};

struct CallTotal {
  std::uint64_t calls = 0;
  TimePs time_ps = 0;
};

// Dearer first; among equals the earlier id, so that the order does not depend on the sort.
bool is_dearer(const Dear& a, const Dear& b) {
  return a.time_ps() != b.time_ps() ? a.time_ps() > b.time_ps() : a.command.times.id < b.command.times.id;
}

class Summary {
 public:
  void count(const CommandLine& command) {
    all_.count(command);
    by_operation_[command.op].count(command);
    by_size_[size_class(command.bytes)].count(command);
    by_memory_[{command.direction, command.source, command.target}].count(command);
    if (command.kernel.has_value()) count_kernel(command);
    for (std::size_t i = 0; i < stage_count; ++i) {
      stages_[i] = add(stages_[i], command.stages[i]);
      stage_commands_[i] += command.stages[i] > 0 ? 1 : 0;
    }
    first_ps_ = all_.commands == 1 ? command.called : std::min(first_ps_, command.called);
    last_ps_ = std::max(last_ps_, command.times.visible);
    const Dear dear{command};
    const auto place = std::upper_bound(dearest_.begin(), dearest_.end(), dear, is_dearer);
    if (place == dearest_.end() && dearest_.size() == most_dear) return;
    dearest_.insert(place, dear);
    if (dearest_.size() > most_dear) dearest_.pop_back();
  }

  void count(const PartLine& part) {
    if (part.kind != PartLine::Kind::call) return;
    const std::string name = printable(part.what);
    const bool room = calls_.size() < most_names || calls_.count(name) != 0;
    CallTotal& total = calls_[room ? name : "(others)"];
    total.calls = add(total.calls, part.value);
    total.time_ps = add(total.time_ps, part.end - part.begin);
  }

  [[nodiscard]] std::string text(bool colour) const {
    std::string out = fmt::format("{} commands, {} moved, {} us from the first call to the last result\n",
                                  all_.commands, format_bytes(all_.bytes), format_us(last_ps_ - first_ps_));
    if (all_.commands == 0) return calls_.empty() ? out : out + "\n" + call_table().text(colour);
    out += "time: from the call until its result is visible to a blocked thread, summed over commands\n\n";
    Table operations("By operation", 1, total_head({"operation"}));
    for (const auto& [op, total] : by_operation_)
      total_row(operations, {std::string(to_string(op))}, total, all_.time_ps);
    total_row(operations, {"all"}, all_, all_.time_ps);
    Table sizes("By size", 1, total_head({"size"}));
    for (const auto& [size, total] : by_size_) total_row(sizes, {size_class_name(size)}, total, all_.time_ps);
    Table memory("By direction and memory", 3, total_head({"direction", "from", "to"}));
    for (const auto& [key, total] : by_memory_) {
      const auto& [direction, source, target] = key;
      std::string name(to_string(direction));
      std::replace(name.begin(), name.end(), '_', ' ');
      total_row(memory, {name, memory_name(source), memory_name(target)}, total, all_.time_ps);
    }
    out += operations.text(colour) + "\n" + sizes.text(colour) + "\n" + memory.text(colour) + "\n";
    if (!kernels_.empty()) out += kernel_table().text(colour) + "\n";
    out += stage_table().text(colour) + "\n";
    if (!calls_.empty()) out += call_table().text(colour) + "\n";
    return out + dearest_table().text(colour);
  }

  void add_to(Json& out) const {
    Json operations = Json::array();
    for (const auto& [op, total] : by_operation_) operations.push_back(total_json({{"operation", to_string(op)}}, total));
    Json sizes = Json::array();
    for (const auto& [size, total] : by_size_) sizes.push_back(total_json({{"size", size_class_name(size)}}, total));
    Json memory = Json::array();
    for (const auto& [key, total] : by_memory_) {
      const auto& [direction, source, target] = key;
      memory.push_back(total_json(
          {{"direction", to_string(direction)}, {"from", to_string(source)}, {"to", to_string(target)}}, total));
    }
    Json kernels = Json::array();
    for (const auto& [name, k] : kernels_) {
      kernels.push_back({{"kernel", name}, {"limiter", k.limiter}, {"launches", k.launches},
                         {"work_items", k.work_items}, {"start_end_ps", k.device_ps}, {"instructions", k.instructions},
                         {"sectors", k.sectors}, {"l1_hit_sectors", k.l1_hits}, {"l2_hit_sectors", k.l2_hits},
                         {"device_bytes", k.device_bytes}, {"link_bytes", k.link_bytes},
                         {"occupancy_permille", k.occupancy_permille}});
    }
    Json stages = Json::array();
    for (std::size_t i = 0; i < stage_count; ++i) {
      if (stage_commands_[i] == 0) continue;
      stages.push_back({{"stage", to_string(static_cast<Stage>(i))}, {"commands", stage_commands_[i]}, {"time_ps", stages_[i]}});
    }
    Json calls = Json::array();
    for (const auto& [name, total] : calls_) {
      calls.push_back({{"call", name}, {"calls", total.calls}, {"time_ps", total.time_ps}});
    }
    Json dearest = Json::array();
    for (const Dear& dear : dearest_) {
      const CommandLine& command = dear.command;
      const auto top = std::max_element(command.stages.begin(), command.stages.end());
      dearest.push_back({{"operation", to_string(command.op)}, {"id", command.times.id}, {"queue", command.queue},
                         {"bytes", command.bytes}, {"called_ps", command.called}, {"time_ps", dear.time_ps()},
                         {"dearest_stage", to_string(static_cast<Stage>(top - command.stages.begin()))},
                         {"dearest_stage_ps", *top}});
    }
    out.update(total_json({{"elapsed_ps", last_ps_ - first_ps_}}, all_));
    out["operations"] = std::move(operations);
    out["sizes"] = std::move(sizes);
    out["memory"] = std::move(memory);
    out["kernels"] = std::move(kernels);
    out["stages"] = std::move(stages);
    out["calls"] = std::move(calls);
    out["dearest"] = std::move(dearest);
  }

 private:
  static Json total_json(Json named, const Total& total) {
    named["commands"] = total.commands;
    named["bytes"] = total.bytes;
    named["time_ps"] = total.time_ps;
    named["start_end_ps"] = total.device_ps;
    return named;
  }

  static constexpr std::size_t most_dear = 10;

  // Whoever wrote the file may have made up any number of names.
  static constexpr std::size_t most_names = 1000;

  void count_kernel(const CommandLine& command) {
    const std::string name = printable(command.kernel->name);
    const bool room = kernels_.size() < most_names || kernels_.count(name) != 0;
    kernels_[room ? name : "(others)"].count(command);
  }

  // A share of nothing is none.
  static std::string share(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? "-" : format_percent(part, whole);
  }

  [[nodiscard]] Table kernel_table() const {
    Table table("Kernels", 2,
                {"kernel", "limited by", "launches", "work-items", "start-end us", "instructions", "L1 hits", "L2 hits",
                 "device memory", "over the link", "occupancy"});
    for (const auto& [name, k] : kernels_) {
      std::string limiter(k.limiter.empty() ? "-" : k.limiter);
      std::replace(limiter.begin(), limiter.end(), '_', ' ');
      table.row({name, limiter, fmt::format("{}", k.launches), fmt::format("{}", k.work_items), format_us(k.device_ps),
                 fmt::format("{}", k.instructions), share(k.l1_hits, k.sectors), share(k.l2_hits, k.sectors),
                 format_bytes(k.device_bytes), format_bytes(k.link_bytes), format_percent(k.occupancy_permille, 1000)});
    }
    return table;
  }

  [[nodiscard]] Table stage_table() const {
    Table table("Where the time went", 1, {"stage", "commands", "time us", "share", "mean us"});
    for (std::size_t i = 0; i < stage_count; ++i) {
      if (stage_commands_[i] == 0) continue;
      table.row({std::string(to_string(static_cast<Stage>(i))), fmt::format("{}", stage_commands_[i]),
                 format_us(stages_[i]), format_percent(stages_[i], all_.time_ps),
                 format_us(stages_[i] / stage_commands_[i])});
    }
    table.row({"all", fmt::format("{}", all_.commands), format_us(all_.time_ps), format_percent(1, 1),
               format_us(all_.time_ps / all_.commands)});
    return table;
  }

  [[nodiscard]] Table call_table() const {
    Table table("API calls that enqueue nothing, or wait", 1, {"call", "calls", "time us", "mean us"});
    for (const auto& [name, total] : calls_) {
      table.row({name, fmt::format("{}", total.calls), format_us(total.time_ps),
                 format_us(total.calls == 0 ? 0 : total.time_ps / total.calls)});
    }
    return table;
  }

  [[nodiscard]] Table dearest_table() const {
    Table table("The dearest commands", 2,
                {"operation", "dearest stage", "id", "queue", "bytes", "called us", "time us", "start-end us", "GB/s"});
    for (const Dear& dear : dearest_) {
      const CommandLine& command = dear.command;
      const auto top = std::max_element(command.stages.begin(), command.stages.end());
      const auto stage = static_cast<Stage>(top - command.stages.begin());
      Total alone;
      alone.count(command);
      table.row({std::string(to_string(command.op)),
                 fmt::format("{} {}", to_string(stage), format_percent(*top, dear.time_ps())),
                 fmt::format("{}", command.times.id), fmt::format("{}", command.queue), format_bytes(command.bytes),
                 format_us(command.called), format_us(dear.time_ps()), format_us(alone.device_ps), gb_per_s(alone)});
    }
    return table;
  }

  Total all_;
  std::map<Operation, Total> by_operation_;
  std::map<unsigned, Total> by_size_;
  std::map<std::tuple<Direction, Placement, Placement>, Total> by_memory_;
  std::map<std::string, KernelTotal> kernels_;
  std::map<std::string, CallTotal> calls_;
  std::array<TimePs, stage_count> stages_{};
  std::array<std::uint64_t, stage_count> stage_commands_{};
  std::vector<Dear> dearest_;
  TimePs first_ps_ = 0;
  TimePs last_ps_ = 0;
};

}  // namespace

namespace {

// Everything up to the end or the first line that is unsound.
Summary read_all(Reader& reader, std::string& error) {
  Summary summary;
  Reader::Next next = reader.next();
  for (; next == Reader::Next::command || next == Reader::Next::part; next = reader.next()) {
    if (next == Reader::Next::command) {
      summary.count(reader.command());
    } else {
      summary.count(reader.part());
    }
  }
  if (next == Reader::Next::error) error = reader.error();
  if (next == Reader::Next::end && reader.is_cut_off()) error = cut_off_words;
  return summary;
}

}  // namespace

Report report(std::istream& trace, bool colour) {
  Reader reader(trace);
  if (!reader.read_header()) return {"", reader.error()};
  const TraceHeader& header = reader.header();
  Report result;
  result.text = fmt::format("profile {} ({}), sluice {}\n", printable(header.profile), printable(header.profile_hash),
                            printable(header.sluice_version));
  const Summary summary = read_all(reader, result.error);
  if (reader.is_cut_off()) result.text += fmt::format("{}; this is what is there\n", cut_off_words);
  if (!header.has_digest()) result.text += "of schema 1, without a digest: damage may look like a change\n";
  result.text += summary.text(colour);
  return result;
}

Report report_json(std::istream& trace) {
  Reader reader(trace);
  if (!reader.read_header()) return {"", reader.error()};
  const TraceHeader& header = reader.header();
  Report result;
  const Summary summary = read_all(reader, result.error);
  Json document = {{"schema", "sluice-report-1"},      {"profile", header.profile},
                   {"profile_hash", header.profile_hash}, {"sluice", header.sluice_version},
                   {"cut_off", reader.is_cut_off()},      {"error", result.error}};
  summary.add_to(document);
  result.text = document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  return result;
}

}  // namespace sluice::trace
