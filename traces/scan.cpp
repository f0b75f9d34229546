#include "traces/scan.h"

#include <concepts>
#include <cstring>
#include <limits>
#include <span>

#include "traces/writer.h"

namespace sluice::trace {

namespace {

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
    if (static_cast<std::size_t>(end_ - at_) < text.size() || std::memcmp(at_, text.data(), text.size()) != 0) return false;
    at_ += text.size();
    return true;
  }

  template <std::unsigned_integral T>
  bool number(T& out) {
    const char* const begin = at_;
    std::uint64_t value = 0;
    while (at_ != end_ && static_cast<unsigned char>(*at_ - '0') < 10) {
      value = value * 10 + static_cast<unsigned>(*at_ - '0');
      ++at_;
    }
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

  template <typename Enum>
  bool name(Enum& out, Enum last) {
    std::string_view text;
    if (!string(text)) return false;
    for (unsigned i = 0; i <= static_cast<unsigned>(last); ++i) {
      if (text != sluice::to_string(static_cast<Enum>(i))) continue;
      out = static_cast<Enum>(i);
      return true;
    }
    return false;
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

  // {"NAME":NUMBER,...} with names of Enum in their order, so that none can come twice.
  template <typename Enum, std::size_t size>
  bool figures(std::array<std::uint64_t, size>& out) {
    out = {};
    if (!literal("{")) return false;
    if (literal("}")) return true;
    std::size_t i = 0;
    do {
      std::string_view text;
      if (!string(text)) return false;
      while (i < size && text != sluice::to_string(static_cast<Enum>(i))) ++i;
      if (i == size || !literal(":") || !number(out[i])) return false;
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
      if (!in.literal(",\"instructions\":") || !in.figures<InstructionClass>(figures.instructions)) return false;
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
      in.name(out.op, static_cast<Operation>(static_cast<int>(Operation::count_) - 1)) && in.literal(",\"queue\":") &&
      in.number(out.queue) && in.literal(",\"device\":") && in.number(out.device) && in.literal(",\"direction\":") &&
      in.name(out.direction, Direction::host_to_host) && in.literal(",\"bytes\":") && in.number(out.bytes) &&
      in.literal(",\"rows\":") && in.number(out.rows) && in.literal(",\"source\":") &&
      in.name(out.source, Placement::host_pageable) && in.literal(",\"target\":") &&
      in.name(out.target, Placement::host_pageable) && in.literal(",\"blocking\":") && in.boolean(out.blocking) &&
      in.literal(",\"status\":") && in.number(times.status) && in.literal(",\"called\":") && in.number(out.called) &&
      in.literal(",\"queued\":") && in.number(times.queued) && in.literal(",\"submitted\":") &&
      in.number(times.submitted) && in.literal(",\"started\":") && in.number(times.started) &&
      in.literal(",\"ended\":") && in.number(times.ended) && in.literal(",\"completed\":") &&
      in.number(times.completed) && in.literal(",\"visible\":") && in.number(times.visible) &&
      in.literal(",\"bandwidth\":") && in.number(out.bandwidth_bytes_per_s) && in.literal(",\"stages\":") &&
      in.figures<Stage>(out.stages) && in.literal(",\"wire_bytes_up\":") && in.number(out.wire_bytes_up) &&
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
