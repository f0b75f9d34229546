#include "tools/diff/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>
#include <string_view>
#include <unordered_map>

#include "tools/diff/align.h"
#include "traces/table.h"
#include "traces/writer.h"

namespace sluice::diff {

namespace {

// Whoever wrote the file may have made up any number of kernels.
constexpr std::size_t most_classes = 4096;

std::uint64_t add(std::uint64_t a, std::uint64_t b) { return a > ~b ? ~std::uint64_t{0} : a + b; }
std::uint64_t distance(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : b - a; }

class Comparer {
 public:
  Comparer(const Options& options, Result& result) : options_(options), result_(result) {}

  void pair(const Entry* before, const Entry* after) {
    Class& c = class_of(before != nullptr ? *before : *after);
    if (before == nullptr || after == nullptr) {
      const TimePs time = before == nullptr ? after->time_ps() : before->time_ps();
      for (Class* total : {&c, &result_.all}) {
        ++(before == nullptr ? total->added : total->removed);
        TimePs& sum = before == nullptr ? total->added_ps : total->removed_ps;
        sum = add(sum, time);
      }
      allow(time);
      remember(before, after);
      return;
    }
    const Limits& limits = options_.tolerances.of(before->op, 0);
    allow(limits.allowed(before->time_ps()));
    bool changed = !(before->attributes == after->attributes) || before->bytes != after->bytes || before->rows != after->rows;
    if (before->figures != after->figures) {
      for (std::size_t i = 0; i < figure_count; ++i) {
        if (before->figures[i] == after->figures[i] || is_within(*before, *after, i)) continue;
        changed = true;
        ++c.changed_figures[i];
        ++result_.all.changed_figures[i];
      }
    }
    const TimePs old_ps = before->time_ps();
    const TimePs new_ps = after->time_ps();
    for (Class* total : {&c, &result_.all}) {
      ++total->matched;
      for (std::size_t i = 0; i < figure_count; ++i) {
        total->before[i] = add(total->before[i], before->figures[i]);
        total->after[i] = add(total->after[i], after->figures[i]);
      }
      if (!changed) continue;
      ++total->changed;
      if (new_ps > old_ps) ++total->slower;
      if (new_ps < old_ps) ++total->faster;
    }
    if (changed) remember(before, after);
  }

  void finish() {
    for (Kept& kept : kept_) result_.dearest.push_back(std::move(kept.change));
    const std::uint64_t changes = result_.all.changed + result_.all.removed + result_.all.added;
    result_.omitted = changes - result_.dearest.size();
    result_.elapsed_allowed_ps = allowed_ps_;
  }

 private:
  struct Kept {
    std::uint64_t weight = 0;
    CommandId id = 0;
    Change change;
  };

  [[nodiscard]] bool is_within(const Entry& before, const Entry& after, std::size_t figure) const {
    const std::uint64_t base = is_time(figure) ? before.time_ps() : before.figures[figure];
    return distance(before.figures[figure], after.figures[figure]) <=
           options_.tolerances.of(before.op, figure).allowed(base);
  }

  // What the whole run may differ by: what its commands may, one after the other.
  void allow(std::uint64_t ps) { allowed_ps_ = add(allowed_ps_, ps); }

  Class& class_of(const Entry& entry) {
    const std::string size = size_class(entry.bytes);
    Class*& known = known_[shape_of(entry).kind + std::hash<std::string_view>{}(size)];
    if (known != nullptr) return *known;
    ClassKey key = {kind_name(entry), size};
    if (result_.classes.size() >= most_classes && !result_.classes.contains(key)) key = {"(others)", ""};
    return *(known = &result_.classes[key]);
  }

  // Of all changes the largest are kept; among equals those of earlier commands.
  void remember(const Entry* before, const Entry* after) {
    const CommandId id = before != nullptr ? before->id : after->id;
    const TimePs old_ps = before != nullptr ? before->time_ps() : 0;
    const TimePs new_ps = after != nullptr ? after->time_ps() : 0;
    const std::uint64_t weight = distance(old_ps, new_ps);
    const auto is_dearer = [](const Kept& a, const Kept& b) { return a.weight != b.weight ? a.weight > b.weight : a.id < b.id; };
    Kept kept{weight, id, {}};
    const auto place = std::upper_bound(kept_.begin(), kept_.end(), kept, is_dearer);
    if (place == kept_.end() && kept_.size() >= options_.most_changes) return;
    if (before != nullptr) kept.change.before = *before;
    if (after != nullptr) kept.change.after = *after;
    if (before != nullptr && after != nullptr) kept.change.what = describe(*before, *after);
    kept_.insert(place, std::move(kept));
    if (kept_.size() > options_.most_changes) kept_.pop_back();
  }

  [[nodiscard]] std::vector<std::string> describe(const Entry& before, const Entry& after) const {
    std::vector<std::size_t> changed;
    for (std::size_t i = 0; i < figure_count; ++i) {
      if (before.figures[i] != after.figures[i] && !is_within(before, after, i)) changed.push_back(i);
    }
    const auto weight = [&](std::size_t i) { return distance(before.figures[i], after.figures[i]); };
    std::stable_sort(changed.begin(), changed.end(), [&](std::size_t a, std::size_t b) {
      if (is_stage(a) != is_stage(b)) return is_stage(a);
      return is_stage(a) && weight(a) > weight(b);
    });
    std::vector<std::string> all;
    const auto say = [&all](std::string part) { all.push_back(std::move(part)); };
    for (const std::size_t i : changed) {
      const auto name = figure_name(i);
      if (is_time(i)) {
        say(fmt::format("{} {}", name, signed_us(difference(after.figures[i], before.figures[i]))));
      } else {
        say(fmt::format("{} {} -> {}", name, before.figures[i], after.figures[i]));
      }
    }
    const auto word = [&](const char* name, std::string_view old_word, std::string_view new_word) {
      if (old_word != new_word) say(fmt::format("{} {} -> {}", name, old_word, new_word));
    };
    const auto number = [&](const char* name, auto old_number, auto new_number) {
      if (old_number != new_number) say(fmt::format("{} {} -> {}", name, old_number, new_number));
    };
    const Attributes& a = before.attributes;
    const Attributes& b = after.attributes;
    number("bytes", before.bytes, after.bytes);
    number("rows", before.rows, after.rows);
    number("status", a.status, b.status);
    word("direction", to_string(a.direction), to_string(b.direction));
    word("source", to_string(a.source), to_string(b.source));
    word("target", to_string(a.target), to_string(b.target));
    word("blocking", a.blocking ? "true" : "false", b.blocking ? "true" : "false");
    word("occupancy_limit", a.occupancy_limit, b.occupancy_limit);
    word("limiter", a.limiter, b.limiter);
    return all;
  }

  const Options& options_;
  Result& result_;
  std::uint64_t allowed_ps_ = 0;
  std::vector<Kept> kept_;
  std::unordered_map<std::uint64_t, Class*> known_;
};

std::string profile_change(const trace::TraceHeader& before, const trace::TraceHeader& after) {
  const auto shown = [](const std::string& text) { return printable(text); };
  if (before.profile != after.profile) {
    return fmt::format("The profile is another one: {} ({}) before, {} ({}) now. What differs below may differ for that.",
                       shown(before.profile), shown(before.profile_hash), shown(after.profile), shown(after.profile_hash));
  }
  if (before.profile_hash == after.profile_hash) return {};
  return fmt::format(
      "The profile {} changed: its hash was {}, and is {}. What differs below may differ for that, and not for the program.",
      shown(before.profile), shown(before.profile_hash), shown(after.profile_hash));
}

void compare_parts(const Source& before, const Source& after, const Tolerances& tolerances, Result& result) {
  const TraceLevel level = std::min(before.header().level, after.header().level);
  const bool both_have_calls = before.header().schema != 1 && after.header().schema != 1;
  std::set<PartKey> keys;
  for (const Source* side : {&before, &after}) {
    for (const auto& [key, total] : side->parts()) {
      const trace::PartLine::Kind kind = std::get<2>(key);
      const bool is_packet = kind == trace::PartLine::Kind::packet;
      const bool is_of_level = level >= TraceLevel::packet || (level == TraceLevel::stage && !is_packet);
      if (kind == trace::PartLine::Kind::call ? both_have_calls : is_of_level) keys.insert(key);
    }
  }
  const auto find = [](const Source& side, const PartKey& key) -> std::optional<PartTotal> {
    const auto found = side.parts().find(key);
    return found == side.parts().end() ? std::nullopt : std::optional(found->second);
  };
  const auto within = [](std::uint64_t a, std::uint64_t b, const Limits& limits, std::uint64_t records) {
    const std::uint64_t times = std::max<std::uint64_t>(records, 1);
    const std::uint64_t each = limits.absolute;
    const std::uint64_t absolute = each != 0 && times > ~std::uint64_t{0} / each ? ~std::uint64_t{0} : each * times;
    return distance(a, b) <= Limits{limits.relative, absolute}.allowed(a);
  };
  for (const PartKey& key : keys) {
    ++result.parts;
    PartChange change{key, find(before, key), find(after, key)};
    if (change.before && change.after) {
      const PartTotal& a = *change.before;
      const PartTotal& b = *change.after;
      // Cycles may change by the share by which the time may.
      const auto whole = static_cast<double>(std::max<std::uint64_t>(a.time_ps, 1));
      const double of_time = static_cast<double>(tolerances.times.absolute) * static_cast<double>(a.records) / whole;
      const Limits cycles = {std::max(tolerances.times.relative, of_time), 0};
      if (within(a.records, b.records, tolerances.counts, 1) && within(a.time_ps, b.time_ps, tolerances.times, a.records) &&
          within(a.cycles, b.cycles, cycles, 1) && within(a.bytes, b.bytes, tolerances.counts, a.records) && within(a.value, b.value, tolerances.counts, a.records)) {
        continue;
      }
    }
    result.part_changes.push_back(std::move(change));
  }
}

void note_headers(const trace::TraceHeader& before, const trace::TraceHeader& after, Result& result) {
  if (before.sluice_version != after.sluice_version) {
    result.notes.push_back(fmt::format("Written by sluice {} before, by {} now.", printable(before.sluice_version),
                                       printable(after.sluice_version)));
  }
  if (before.level != after.level) {
    result.notes.push_back(fmt::format("The level is {} before and {} now: what only one of them has is not compared.",
                                       trace::to_string(before.level), trace::to_string(after.level)));
  }
  for (const auto& [name, header] : {std::pair("old", &before), std::pair("new", &after)}) {
    if (!header->has_digest()) {
      result.notes.push_back(fmt::format(
          "The {} trace is of schema 1 and carries no digest: a byte of it that was damaged would read as a change.", name));
    }
  }
  if (before.schema != after.schema) {
    result.notes.push_back(fmt::format("The schema is {} before and {} now: API calls are not compared, since schema 1 has none.",
                                       before.schema, after.schema));
  }
}

// Digits, a fraction, and a unit that is known: the number in `out`.
std::string parse_limit(const std::string& text, bool is_count, Limits& out) {
  const char* const end = text.data() + text.size();
  double value = 0;
  const auto [unit, code] = std::from_chars(text.data(), end, value);
  const std::string_view rest(unit, static_cast<std::size_t>(end - unit));
  const char* const allowed = is_count ? "a percentage (2%) or a number (64)" : "a percentage (2%) or a time (100ns, 2us, 1ms)";
  const std::string complaint = fmt::format("found {}; allowed: {}", text, allowed);
  if (code != std::errc() || !(value >= 0) || value > 1e15) return complaint;
  if (rest == "%") {
    out.relative = value / 100;
    return {};
  }
  double unit_ps = 0;
  if (is_count && rest.empty()) unit_ps = 1;
  if (!is_count && rest == "ps") unit_ps = 1;
  if (!is_count && rest == "ns") unit_ps = 1e3;
  if (!is_count && rest == "us") unit_ps = 1e6;
  if (!is_count && rest == "ms") unit_ps = 1e9;
  if (unit_ps == 0 || value * unit_ps > 9e18) return complaint;
  out.absolute = static_cast<std::uint64_t>(std::llround(value * unit_ps));
  return {};
}

}  // namespace

std::uint64_t Limits::allowed(std::uint64_t base) const {
  const double share = relative * static_cast<double>(base);
  const std::uint64_t of_base = share >= 1.8e19 ? ~std::uint64_t{0} : static_cast<std::uint64_t>(share);
  return std::max(of_base, absolute);
}

const Limits& Tolerances::of(Operation op, std::size_t figure) const {
  const auto& own = is_time(figure) ? times_of : counts_of;
  const auto found = own.find(op);
  if (found != own.end()) return found->second;
  return is_time(figure) ? times : counts;
}

std::string parse_tolerance(const std::string& text, bool is_count, Tolerances& out) {
  std::string limits = text;
  Limits* target = is_count ? &out.counts : &out.times;
  if (const std::size_t equals = text.find('='); equals != std::string::npos) {
    const std::string name = text.substr(0, equals);
    limits = text.substr(equals + 1);
    int op = 0;
    while (op < static_cast<int>(Operation::count_) && to_string(static_cast<Operation>(op)) != name) ++op;
    if (op == static_cast<int>(Operation::count_)) return fmt::format("found {}, which is no operation of a trace", name);
    target = &(is_count ? out.counts_of : out.times_of)[static_cast<Operation>(op)];
  }
  Limits parsed;
  std::size_t begin = 0;
  while (true) {
    const std::size_t comma = std::min(limits.find(',', begin), limits.size());
    if (std::string wrong = parse_limit(limits.substr(begin, comma - begin), is_count, parsed); !wrong.empty()) return wrong;
    if (comma == limits.size()) break;
    begin = comma + 1;
  }
  *target = parsed;
  return {};
}

std::int64_t difference(std::uint64_t after, std::uint64_t before) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const auto size = static_cast<std::int64_t>(std::min(distance(after, before), most));
  return after < before ? -size : size;
}

std::int64_t Change::delta_ps() const {
  return difference(after ? after->time_ps() : 0, before ? before->time_ps() : 0);
}

std::string signed_us(std::int64_t ps) {
  return fmt::format("{}{} us", ps < 0 ? '-' : '+', trace::format_us(static_cast<TimePs>(ps < 0 ? -ps : ps)));
}

std::string change_percent(std::uint64_t before, std::uint64_t after) {
  if (before == 0) return after == 0 ? "+0.0 %" : "new";
  return fmt::format("{:+.1f} %", 100 * (static_cast<double>(after) / static_cast<double>(before) - 1));
}

std::string size_class(std::uint64_t bytes) {
  if (bytes == 0) return "no bytes";
  if (bytes <= 4096) return "to 4 KiB";
  if (bytes <= 65536) return "to 64 KiB";
  if (bytes <= 1048576) return "to 1 MiB";
  if (bytes <= 16777216) return "to 16 MiB";
  return "above 16 MiB";
}

std::string guilty_stage(const Figures& before, const Figures& after) {
  std::size_t guilty = first_stage;
  for (std::size_t i = first_stage; i < first_count; ++i) {
    if (distance(before[i], after[i]) > distance(before[guilty], after[guilty])) guilty = i;
  }
  if (before[guilty] == after[guilty]) return {};
  return fmt::format("{} {}", figure_name(guilty), signed_us(difference(after[guilty], before[guilty])));
}

Result compare(Source& old_trace, Source& new_trace, const Options& options) {
  Result result;
  for (const Source* side : {&old_trace, &new_trace}) {
    if (result.error.empty()) result.error = side->error();
  }
  if (!result.error.empty()) return result;
  const trace::TraceHeader& before = old_trace.header();
  const trace::TraceHeader& after = new_trace.header();
  if (!before.program.empty() && !after.program.empty() && before.program != after.program) {
    result.error = fmt::format("these are traces of different programs: {} and {}", printable(before.program),
                               printable(after.program));
    return result;
  }
  result.profile = profile_change(before, after);
  note_headers(before, after, result);

  Comparer comparer(options, result);
  match(old_trace, new_trace, [&](const Entry* a, const Entry* b) { comparer.pair(a, b); });
  for (const Source* side : {&old_trace, &new_trace}) {
    if (result.error.empty()) result.error = side->error();
  }
  if (!result.error.empty()) return result;
  comparer.finish();
  result.before = {old_trace.path(), before, old_trace.commands(), old_trace.elapsed_ps()};
  result.after = {new_trace.path(), after, new_trace.commands(), new_trace.elapsed_ps()};
  if (result.all.matched * 2 < std::min(result.before.commands, result.after.commands)) {
    result.error = fmt::format("these are traces of different programs: of {} and {} commands only {} match by order and kind",
                               result.before.commands, result.after.commands, result.all.matched);
    return result;
  }
  compare_parts(old_trace, new_trace, options.tolerances, result);
  result.elapsed_changed = distance(result.before.elapsed_ps, result.after.elapsed_ps) > result.elapsed_allowed_ps;
  return result;
}

}  // namespace sluice::diff
