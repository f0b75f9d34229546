// Value change dump (IEEE 1364), for GTKWave and other viewers of waves: one signal for each part's state and each counter.
// A state is a string, as GTKWave and others extend the format. Changes must be in order of time and all signals be named
// before them, so that the file is written when the trace is over.
#include <algorithm>
#include <bit>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "traces/change_sorter.h"
#include "traces/timeline.h"
#include "traces/writer.h"

namespace sluice::trace {

namespace {

// What a change says of a signal.
enum What : std::uint32_t { begins, ends, is };

constexpr std::string_view idle = "idle";

class VcdWriter final : public Writer {
 public:
  explicit VcdWriter(std::unique_ptr<Output> output) : Writer(std::move(output)), changes_(this->output().path()) {}

  void header(const Machine& machine, TraceLevel level) override {
    about_ = "profile " + printable(machine.profile_name) + " " + printable(machine.profile_hash) + ", level " +
             std::string(to_string(level));
  }

  void command(const CommandRecord& record) override {
    const Command& command = *record.command;
    show_command(record, [&](Row row, std::string_view name, TimePs begin, TimePs end) {
      path_.assign(row == Row::device ? device(command.device) : "host").append(".queue").append(std::to_string(command.queue));
      path_.append(row == Row::calls ? "_call" : row == Row::runtime ? "_driver" : "_state");
      state(name, begin, end);
    });
  }

  void stage(const StageRecord& record) override {
    path_.assign(device(record.device)).append(".").append(record.part).append("_state");
    state(record.action, record.begin, record.end);
  }

  void packet(const PacketRecord& record) override {
    path_.assign(device(record.device)).append(".").append(record.part).append("_packet");
    state(record.kind, record.begin, record.end);
  }

  void counter(const CounterRecord& record) override {
    path_.assign(device(record.device)).append(".").append(record.part).append("_").append(record.name);
    const std::uint32_t number = signal(/*is_counter=*/true);
    signals_[number].all_bits |= record.value;
    add({record.at, record.value, number, is});
  }

  void call(const CallRecord& record) override {
    path_.assign("host.");
    path_.append(record.thread == 0 ? "callbacks" : "thread" + std::to_string(record.thread)).append("_call");
    state(record.name, record.begin, record.end);
  }

  void end(bool) override {
    definitions();
    TimePs at = 0;
    const int code = changes_.sorted([&](const Change& change) {
      if (change.at != at) {
        write_step(at);
        at = change.at;
      }
      apply(change);
    });
    if (code != 0) return output().fail(code);
    write_step(at);
  }

 private:
  // How often an action is going on, and when it began last.
  struct Action {
    std::uint32_t name = 0;
    std::uint64_t count = 0;
    std::uint64_t began = 0;
  };
  struct Signal {
    bool is_counter = false;
    bool has_changed = false;  // in this step of time
    std::uint64_t value = 0;
    std::uint64_t all_bits = 1;  // that its values have
    std::vector<Action> actions;
    std::string written;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  using Numbers = std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>>;

  [[nodiscard]] std::string device(DeviceIndex index) const { return "device" + std::to_string(index); }

  // Without what ends a word or a section of the format.
  [[nodiscard]] static std::string printable(std::string_view text) {
    std::string result(text);
    std::replace_if(result.begin(), result.end(), [](char c) { return c <= ' ' || c > '~' || c == '$'; }, '_');
    return result;
  }

  [[nodiscard]] std::uint32_t signal(bool is_counter) {
    const auto found = signal_numbers_.find(std::string_view(path_));
    if (found != signal_numbers_.end()) return found->second;
    const auto number = static_cast<std::uint32_t>(signals_.size());
    signals_.emplace_back().is_counter = is_counter;
    signal_numbers_.emplace(path_, number);
    return number;
  }

  [[nodiscard]] std::uint32_t name_number(std::string_view name) {
    const auto found = name_numbers_.find(name);
    if (found != name_numbers_.end()) return found->second;
    const auto number = static_cast<std::uint32_t>(names_.size());
    names_.push_back(name.empty() ? std::string("_") : printable(name));
    name_numbers_.emplace(std::string(name), number);
    return number;
  }

  void state(std::string_view name, TimePs begin, TimePs end) {
    const std::uint32_t number = signal(/*is_counter=*/false);
    const std::uint32_t action = name_number(name);
    add({begin, action, number, begins});
    add({end, action, number, ends});
  }

  void add(const Change& change) {
    if (const int code = changes_.add(change)) output().fail(code);
  }

  // Printable characters, the first signal the shortest.
  [[nodiscard]] static std::string identifier(std::uint32_t number) {
    constexpr std::uint32_t first = '!';
    constexpr std::uint32_t count = '~' - '!' + 1;
    std::string text;
    do {
      text.push_back(static_cast<char>(first + number % count));
      number /= count;
    } while (number-- != 0);
    return text;
  }

  void definitions() {
    Output& out = output();
    out.text("$version Sluice ").text(sluice_version).text(" $end\n$comment ").text(about_).text(" $end\n");
    out.text("$timescale 1 ps $end\n");
    // Parts in parts: what "link.wire_up" does is wire_up_state in the scope link.
    std::map<std::vector<std::string>, std::uint32_t> by_scope;
    for (const auto& [path, number] : signal_numbers_) by_scope.emplace(scopes(path, number), number);
    std::vector<std::string> open;
    for (const auto& [path, number] : by_scope) {
      const std::size_t depth = path.size() - 2;
      std::size_t common = 0;
      while (common < open.size() && common < depth && open[common] == path[common]) ++common;
      for (; open.size() > common; open.pop_back()) out.text("$upscope $end\n");
      for (; open.size() < depth; open.push_back(path[open.size()])) {
        out.text("$scope module ").text(path[open.size()]).text(" $end\n");
      }
      const Signal& s = signals_[number];
      // No wider than its values: viewers show all digits.
      const auto bits = static_cast<unsigned>(s.is_counter ? std::bit_width(s.all_bits) : 1);
      out.text(s.is_counter ? "$var wire " : "$var string ").number(bits).text(" ").text(identifier(number));
      out.text(" ").text(path[depth]).text(" $end\n").end_record();
    }
    for (; !open.empty(); open.pop_back()) out.text("$upscope $end\n");
    out.text("$enddefinitions $end\n#0\n$dumpvars\n");
    for (std::uint32_t i = 0; i < signals_.size(); ++i) {
      Signal& s = signals_[i];
      s.written = s.is_counter ? "bx" : "s" + std::string(idle);
      out.text(s.written).text(" ").text(identifier(i)).text("\n").end_record();
    }
    out.text("$end\n").end_record();
  }

  // The scopes, the name, and the number: paths that look alike when unprintable characters are gone stay apart.
  [[nodiscard]] static std::vector<std::string> scopes(std::string_view path, std::uint32_t number) {
    std::vector<std::string> result;
    while (true) {
      const std::string_view word = path.substr(0, path.find('.'));
      result.push_back(word.empty() ? "_" : printable(word));
      if (word.size() == path.size()) break;
      path.remove_prefix(word.size() + 1);
    }
    result.push_back(std::to_string(number));
    return result;
  }

  void apply(const Change& change) {
    Signal& s = signals_[change.signal];
    if (!s.has_changed) changed_.push_back(change.signal);
    s.has_changed = true;
    if (change.what == is) {
      s.value = change.value;
      return;
    }
    auto found = std::find_if(s.actions.begin(), s.actions.end(), [&](const Action& a) { return a.name == change.value; });
    if (found == s.actions.end()) {
      s.actions.push_back({static_cast<std::uint32_t>(change.value), 0, 0});
      found = s.actions.end() - 1;
    }
    if (change.what == begins) {
      ++found->count;
      found->began = ++begun_;
    } else {
      --found->count;
    }
  }

  // What began last of what is going on, and how many slices do: "burst", "burst*3".
  void state_text(const Signal& s, std::string& text) const {
    const Action* latest = nullptr;
    std::uint64_t all = 0;
    for (const Action& a : s.actions) {
      all += a.count;
      if (a.count != 0 && (latest == nullptr || a.began > latest->began)) latest = &a;
    }
    text.assign("s").append(latest == nullptr ? idle : std::string_view(names_[latest->name]));
    if (all > 1) text.append("*").append(std::to_string(all));
  }

  static void counter_text(std::uint64_t value, std::string& text) {
    text.assign("b");
    for (int bit = std::max(static_cast<int>(std::bit_width(value)), 1) - 1; bit >= 0; --bit) text.push_back((value >> bit & 1) != 0 ? '1' : '0');
  }

  // What is different at the end of the step: what began and ended in it was never there.
  void write_step(TimePs at) {
    bool has_time = at == 0;
    for (const std::uint32_t number : changed_) {
      Signal& s = signals_[number];
      s.has_changed = false;
      if (s.is_counter) {
        counter_text(s.value, text_);
      } else {
        state_text(s, text_);
      }
      if (text_ == s.written) continue;
      s.written = text_;
      if (!has_time) output().text("#").number(at).text("\n");
      has_time = true;
      output().text(text_).text(" ").text(identifier(number)).text("\n");
    }
    changed_.clear();
    output().end_record();
  }

  ChangeSorter changes_;
  std::string about_;
  std::string path_;
  std::string text_;
  std::vector<Signal> signals_;
  Numbers signal_numbers_;
  std::vector<std::string> names_;
  Numbers name_numbers_;
  std::vector<std::uint32_t> changed_;
  std::uint64_t begun_ = 0;
};

}  // namespace

std::unique_ptr<Writer> make_vcd_writer(std::unique_ptr<Output> output, std::string&) {
  return std::make_unique<VcdWriter>(std::move(output));
}

}  // namespace sluice::trace
