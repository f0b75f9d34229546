// Two traces of one program: what changed beyond the tolerances, in which class of commands, and in which stage.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/diff/source.h"

namespace sluice::diff {

// A change is within them if it is not larger than the greater of both.
struct Limits {
  double relative = 0;         // of the command's old time, or of the old count
  std::uint64_t absolute = 0;  // ps, or the count's unit
  [[nodiscard]] std::uint64_t allowed(std::uint64_t base) const;
};

struct Tolerances {
  Limits times;
  Limits counts;
  std::map<Operation, Limits> times_of;  // instead of those above
  std::map<Operation, Limits> counts_of;
  [[nodiscard]] const Limits& of(Operation op, std::size_t figure) const;
};

// "2%", "100ns", "1.5%,2us" for times; "2%", "64", "2%,64" for counts; "OP=" before it for one operation. Returns what is
// wrong, or "".
[[nodiscard]] std::string parse_tolerance(const std::string& text, bool is_count, Tolerances& out);

// Commands of an operation (of a kernel, by its name) and a size class.
struct Class {
  std::uint64_t matched = 0;
  std::uint64_t changed = 0;  // beyond a tolerance, in whatever
  std::uint64_t slower = 0;   // of them
  std::uint64_t faster = 0;
  std::uint64_t removed = 0;
  std::uint64_t added = 0;
  TimePs removed_ps = 0;
  TimePs added_ps = 0;
  Figures before{};  // sums over what was matched
  Figures after{};
  std::array<std::uint64_t, figure_count> changed_figures{};  // in how many commands
  [[nodiscard]] bool is_changed() const { return changed + removed + added > 0; }
  // Of all commands of that trace.
  [[nodiscard]] TimePs old_ps() const { return before[visible_figure] + removed_ps; }
  [[nodiscard]] TimePs new_ps() const { return after[visible_figure] + added_ps; }
};
using ClassKey = std::pair<std::string, std::string>;  // kind, size class
using Classes = std::map<ClassKey, Class>;

struct Change {
  std::optional<Entry> before;  // none: added
  std::optional<Entry> after;   // none: removed
  std::vector<std::string> what;  // every figure and attribute that changed, the stages first
  [[nodiscard]] std::int64_t delta_ps() const;
};

struct PartChange {
  PartKey part;
  std::optional<PartTotal> before;
  std::optional<PartTotal> after;
};

struct Side {
  std::string path;
  trace::TraceHeader header;
  std::uint64_t commands = 0;
  TimePs elapsed_ps = 0;  // from the first call to the last result
};

struct Result {
  std::string error;  // why the traces cannot be compared; nothing else means anything then
  Side before;
  Side after;
  std::string profile;             // what changed about it; empty if nothing
  std::vector<std::string> notes;  // what is not compared or differs without a verdict
  Class all;
  Classes classes;
  bool elapsed_changed = false;
  TimePs elapsed_allowed_ps = 0;
  std::size_t parts = 0;  // that were compared
  std::vector<PartChange> part_changes;
  std::vector<Change> dearest;     // of all changed commands, those that changed the most
  std::uint64_t omitted = 0;       // of them are not in `dearest`

  [[nodiscard]] bool is_changed() const {
    return !profile.empty() || all.is_changed() || elapsed_changed || !part_changes.empty();
  }
};

struct Options {
  Tolerances tolerances;
  std::size_t most_changes = 20;
};

[[nodiscard]] Result compare(Source& old_trace, Source& new_trace, const Options& options);

[[nodiscard]] std::string size_class(std::uint64_t bytes);
// The stage whose time changed the most, "link +1.200 us"; "" if none did.
[[nodiscard]] std::string guilty_stage(const Figures& before, const Figures& after);
[[nodiscard]] std::string signed_us(std::int64_t ps);
[[nodiscard]] std::int64_t difference(std::uint64_t after, std::uint64_t before);  // saturates
// "+5.3 %", "+0.0 %", "new".
[[nodiscard]] std::string change_percent(std::uint64_t before, std::uint64_t after);

}  // namespace sluice::diff
