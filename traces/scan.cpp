#include "traces/scan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstring>
#include <limits>
#include <span>

#include "traces/digits.h"
#include "traces/writer.h"

namespace sluice::trace {

namespace {

// The names of all values: to_string() is a call and a switch for each.
template <typename Enum, std::size_t count>
std::array<std::string_view, count> names_of() {
  std::array<std::string_view, count> names;
  for (std::size_t i = 0; i < count; ++i) names[i] = sluice::to_string(static_cast<Enum>(i));
  return names;
}
const auto operations = names_of<Operation, static_cast<std::size_t>(Operation::count_)>();
const auto directions = names_of<Direction, static_cast<std::size_t>(Direction::host_to_host) + 1>();
const auto placements = names_of<Placement, static_cast<std::size_t>(Placement::host_pageable) + 1>();
const auto stages = names_of<Stage, stage_count>();
const auto instructions = names_of<InstructionClass, instruction_classes>();

// The highest bit of each byte that cannot stand for itself in a string, or ends it; of bytes above such a one, perhaps.
constexpr std::uint64_t not_plain(std::uint64_t text) {
  constexpr std::uint64_t each = 0x0101'0101'0101'0101;
  const auto is = [text](std::uint64_t byte) {
    const std::uint64_t differs = text ^ (each * byte);
    return (differs - each) & ~differs;
  };
  const std::uint64_t is_control = (text - each * 0x20) & ~text;
  return (is_control | text | is('"') | is('\\') | is(0x7f)) & (each * 0x80);
}

// Of the same size. Names are short: a call of memcmp costs more than what it does.
inline bool is_same(const char* a, const char* b, std::size_t size) {
  const auto differ = [=](std::size_t at, auto word) {
    decltype(word) of_b;
    std::memcpy(&word, a + at, sizeof word);
    std::memcpy(&of_b, b + at, sizeof of_b);
    return word ^ of_b;
  };
  if (size < 4) return std::equal(a, a + size, b);
  if (size < 8) return (differ(0, std::uint32_t{}) | differ(size - 4, std::uint32_t{})) == 0;
  if (size <= 16) return (differ(0, std::uint64_t{}) | differ(size - 8, std::uint64_t{})) == 0;
  return std::memcmp(a, b, size) == 0;
}
inline bool is_same(std::string_view a, std::string_view b) { return a.size() == b.size() && is_same(a.data(), b.data(), a.size()); }

class Scanner {
 public:
  explicit Scanner(std::string_view line) : at_(line.data()), end_(line.data() + line.size()) {}

  [[nodiscard]] bool at_end() const { return at_ == end_; }

  template <std::size_t size>
  bool literal(const char (&text)[size]) {
    if (static_cast<std::size_t>(end_ - at_) < size - 1 || std::memcmp(at_, text, size - 1) != 0) return false;
    at_ += size - 1;
    return true;
  }

  bool literal(std::string_view text) {
    if (static_cast<std::size_t>(end_ - at_) < text.size() || !is_same(at_, text.data(), text.size())) return false;
    at_ += text.size();
    return true;
  }

  template <std::unsigned_integral T>
  bool number(T& out) {
    const char* const begin = at_;
    std::uint64_t value = 0;
    at_ = take_decimal(at_, end_, value);
    // 19 digits cannot overflow; what has more is rare enough for the other parser. JSON has no leading zeros.
    const auto digits = at_ - begin;
    if (digits == 0 || digits > 19 || (digits > 1 && *begin == '0') || value > std::numeric_limits<T>::max()) return false;
    out = static_cast<T>(value);
    return true;
  }

  bool number(std::int32_t& out) {
    const bool negative = literal("-");
    std::uint32_t magnitude = 0;
    if (!number(magnitude) || magnitude > 0x7fff'ffffU || (negative && magnitude == 0)) return false;
    out = negative ? -static_cast<std::int32_t>(magnitude) : static_cast<std::int32_t>(magnitude);
    return true;
  }

  bool boolean(bool& out) {
    out = literal("true");
    return out || literal("false");
  }

  // Printable ASCII without escapes, and the quotes around it.
  bool string(std::string_view& out) {
    if (!literal("\"")) return false;
    const char* const begin = at_;
    if constexpr (std::endian::native == std::endian::little) {
      for (std::uint64_t text = 0; end_ - at_ >= 8;) {
        std::memcpy(&text, at_, sizeof text);
        at_ += std::countr_zero(not_plain(text)) / 8;
        if (not_plain(text) != 0) break;
      }
    }
    while (at_ != end_ && *at_ != '"') {
      const auto byte = static_cast<unsigned char>(*at_);
      if (byte < 0x20 || byte >= 0x7f || byte == '\\') return false;
      ++at_;
    }
    out = {begin, static_cast<std::size_t>(at_ - begin)};
    return literal("\"");
  }

  bool string(std::string& out) {
    std::string_view text;
    if (!string(text)) return false;
    out.assign(text);
    return true;
  }

  template <typename Enum, std::size_t count>
  bool name(Enum& out, const std::array<std::string_view, count>& names) {
    // Most often it is that of the line before, which is still in `out`.
    const char* const begin = at_;
    const auto last = static_cast<std::size_t>(out);
    if (last < count && literal("\"") && literal(names[last]) && literal("\"")) return true;
    at_ = begin;
    std::string_view text;
    if (!string(text)) return false;
    const auto known = std::find(names.begin(), names.end(), text);
    if (known == names.end()) return false;
    out = static_cast<Enum>(known - names.begin());
    return true;
  }

  bool name(std::string_view& out, std::span<const std::string_view> names) {
    std::string_view text;
    if (!string(text)) return false;
    for (const std::string_view known : names) {
      if (text != known) continue;
      out = known;
      return true;
    }
    return false;
  }

  // {"NAME":NUMBER,...} with `names` in their order, so that none can come twice.
  template <std::size_t count>
  bool figures(std::array<std::uint64_t, count>& out, const std::array<std::string_view, count>& names) {
    out = {};
    if (!literal("{")) return false;
    if (literal("}")) return true;
    std::size_t i = 0;
    do {
      std::string_view text;
      if (!string(text)) return false;
      while (i < count && !is_same(text, names[i])) ++i;
      if (i == count || !literal(":") || !number(out[i])) return false;
      ++i;
    } while (literal(","));
    return literal("}");
  }

 private:
  const char* at_;
  const char* end_;
};

bool scan_kernel(Scanner& in, KernelLine& out) {
  if (!in.literal("{\"name\":") || !in.string(out.name)) return false;
  KernelRecord& figures = out.figures;
  for (const KernelField& field : kernel_fields) {
    if (field.value == &KernelRecord::accesses) {
      if (!in.literal(",\"instructions\":") || !in.figures(figures.instructions, instructions)) return false;
    }
    if (!in.literal(",\"") || !in.literal(std::string_view(field.name)) || !in.literal("\":") ||
        !in.number(figures.*field.value)) {
      return false;
    }
  }
  return in.literal(",\"groups_per_unit\":") && in.number(figures.groups_per_unit) &&
         in.literal(",\"occupancy_permille\":") && in.number(figures.occupancy_permille) &&
         in.literal(",\"occupancy_limit\":") && in.name(figures.occupancy_limit, occupancy_limits) &&
         in.literal(",\"limiter\":") && in.name(figures.limiter, limiters) && in.literal("}") &&
         broken_promise(figures).empty();
}

}  // namespace

bool scan_command(std::string_view line, CommandLine& out) {
  Scanner in(line);
  Completion& times = out.times;
  const bool begins =
      in.literal("{\"record\":\"command\",\"id\":") && in.number(times.id) && in.literal(",\"op\":") &&
      in.name(out.op, operations) && in.literal(",\"queue\":") &&
      in.number(out.queue) && in.literal(",\"device\":") && in.number(out.device) && in.literal(",\"direction\":") &&
      in.name(out.direction, directions) && in.literal(",\"bytes\":") && in.number(out.bytes) &&
      in.literal(",\"rows\":") && in.number(out.rows) && in.literal(",\"source\":") &&
      in.name(out.source, placements) && in.literal(",\"target\":") &&
      in.name(out.target, placements) && in.literal(",\"blocking\":") && in.boolean(out.blocking) &&
      in.literal(",\"status\":") && in.number(times.status) && in.literal(",\"called\":") && in.number(out.called) &&
      in.literal(",\"queued\":") && in.number(times.queued) && in.literal(",\"submitted\":") &&
      in.number(times.submitted) && in.literal(",\"started\":") && in.number(times.started) &&
      in.literal(",\"ended\":") && in.number(times.ended) && in.literal(",\"completed\":") &&
      in.number(times.completed) && in.literal(",\"visible\":") && in.number(times.visible) &&
      in.literal(",\"bandwidth\":") && in.number(out.bandwidth_bytes_per_s) && in.literal(",\"stages\":") &&
      in.figures(out.stages, stages) && in.literal(",\"wire_bytes_up\":") && in.number(out.wire_bytes_up) &&
      in.literal(",\"wire_bytes_down\":") && in.number(out.wire_bytes_down) && in.literal(",\"tlps\":") &&
      in.number(out.tlps);
  if (!begins) return false;
  out.kernel.reset();
  if (in.literal(",\"kernel\":") && !scan_kernel(in, out.kernel.emplace())) return false;
  return in.literal("}") && in.at_end();
}

namespace {

bool scan_call(Scanner& in, PartLine& out) {
  out.kind = PartLine::Kind::call;
  out.part = call_part;
  return in.number(out.thread) && in.literal(",\"name\":") && in.string(out.what) && in.literal(",\"id\":") &&
         in.number(out.id) && in.literal(",\"begin\":") && in.number(out.begin) && in.literal(",\"end\":") &&
         in.number(out.end) && in.literal(",\"calls\":") && in.number(out.value) && in.literal("}") && in.at_end() &&
         out.begin <= out.end;
}

}  // namespace

bool scan_part(std::string_view line, PartLine& out) {
  Scanner in(line);
  out.id = out.begin = out.end = out.cycles = out.address = out.value = out.bytes = 0;
  out.device = 0;
  out.thread = 0;
  if (!in.literal("{\"record\":\"")) return false;
  if (in.literal("call\",\"thread\":")) return scan_call(in, out);
  if (in.literal("counter\",\"device\":")) {
    out.kind = PartLine::Kind::counter;
    return in.number(out.device) && in.literal(",\"part\":") && in.string(out.part) && in.literal(",\"name\":") &&
           in.string(out.what) && in.literal(",\"at\":") && in.number(out.begin) && in.literal(",\"value\":") &&
           in.number(out.value) && in.literal("}") && in.at_end() && (out.end = out.begin, true);
  }
  const bool is_stage = in.literal("stage\",\"id\":");
  if (!is_stage && !in.literal("packet\",\"id\":")) return false;
  out.kind = is_stage ? PartLine::Kind::stage : PartLine::Kind::packet;
  const bool begins = in.number(out.id) && in.literal(",\"device\":") && in.number(out.device) &&
                      in.literal(",\"part\":") && in.string(out.part) &&
                      (is_stage ? in.literal(",\"action\":") : in.literal(",\"kind\":")) && in.string(out.what) &&
                      in.literal(",\"begin\":") && in.number(out.begin) && in.literal(",\"end\":") &&
                      in.number(out.end) && out.begin <= out.end;
  if (!begins) return false;
  const bool middle = is_stage ? in.literal(",\"cycles\":") && in.number(out.cycles)
                               : in.literal(",\"address\":") && in.number(out.address);
  return middle && in.literal(",\"bytes\":") && in.number(out.bytes) && in.literal("}") && in.at_end();
}

std::string_view broken_promise(const KernelRecord& figures) noexcept {
  if (figures.local_accesses > figures.accesses || figures.atomics > figures.accesses)
    return "more local accesses or atomics than accesses";
  if (figures.l1_hit_sectors > figures.sectors || figures.l2_hit_sectors > figures.sectors - figures.l1_hit_sectors)
    return "more sectors hit than asked for";
  if (figures.occupancy_permille > 1000) return "an occupancy of more than 1000 permille";
  return {};
}

}  // namespace sluice::trace
