#include "tools/diff/figures.h"

#include <algorithm>

#include "traces/scan.h"
#include "traces/writer.h"

namespace sluice::diff {

namespace {

constexpr std::string_view stamps[stamp_count] = {"queued", "submitted", "started", "ended", "completed", "visible"};
constexpr std::string_view counts[3] = {"wire_bytes_up", "wire_bytes_down", "tlps"};
static_assert(std::size(trace::kernel_fields) + 2 == kernel_count);

constexpr std::size_t most_put_bytes = 10;  // seven bits each

char* put(char* to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<char>(value | 0x80);
  *to++ = static_cast<char>(value);
  return to;
}

std::uint64_t take(const char*& at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(*at++);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
}

template <typename Names>
std::uint64_t index_of(const Names& names, std::string_view name) {
  return static_cast<std::uint64_t>(std::find(std::begin(names), std::end(names), name) - std::begin(names));
}

}  // namespace

std::string_view figure_name(std::size_t figure) noexcept {
  if (figure < first_stage) return stamps[figure];
  if (figure < first_count) return to_string(static_cast<Stage>(figure - first_stage));
  if (figure < first_kernel) return counts[figure - first_count];
  const std::size_t field = figure - first_kernel;
  if (field < std::size(trace::kernel_fields)) return trace::kernel_fields[field].name;
  if (figure < first_instruction) return figure + 1 == first_instruction ? "occupancy_permille" : "groups_per_unit";
  return to_string(static_cast<InstructionClass>(figure - first_instruction));
}

void fill(Entry& entry, const trace::CommandLine& line) {
  entry.id = line.times.id;
  entry.queue = line.queue;
  entry.device = line.device;
  entry.op = line.op;
  entry.bytes = line.bytes;
  entry.rows = line.rows;
  entry.called = line.called;
  entry.attributes = {line.direction, line.source, line.target, line.blocking, line.times.status, {}, {}};
  Figures& f = entry.figures;
  const trace::CommandLine& l = line;
  const TimePs from_call[stamp_count] = {l.times.queued, l.times.submitted, l.times.started,
                                         l.times.ended,  l.times.completed, l.times.visible};
  for (std::size_t i = 0; i < stamp_count; ++i) f[i] = from_call[i] - line.called;
  std::copy(line.stages.begin(), line.stages.end(), f.begin() + first_stage);
  f[first_count] = line.wire_bytes_up;
  f[first_count + 1] = line.wire_bytes_down;
  f[first_count + 2] = line.tlps;
  if (!line.kernel) {
    entry.kernel.clear();
    std::fill(f.begin() + first_kernel, f.end(), 0);
    return;
  }
  const KernelRecord& k = line.kernel->figures;
  entry.kernel = line.kernel->name;
  entry.attributes.occupancy_limit = k.occupancy_limit;
  entry.attributes.limiter = k.limiter;
  std::size_t at = first_kernel;
  for (const trace::KernelField& field : trace::kernel_fields) f[at++] = k.*field.value;
  f[at++] = k.groups_per_unit;
  f[at++] = k.occupancy_permille;
  for (const std::uint64_t n : k.instructions) f[at++] = n;
}

std::string kind_name(const Entry& entry) {
  const std::string op(to_string(entry.op));
  return entry.kernel.empty() ? op : op + " " + printable(entry.kernel);
}

Packed::Packed(const Entry& entry) {
  const Attributes& a = entry.attributes;
  const std::uint64_t head[] = {
      entry.id, entry.queue, entry.device, static_cast<std::uint64_t>(entry.op), entry.bytes, entry.rows, entry.called,
      static_cast<std::uint64_t>(a.direction), static_cast<std::uint64_t>(a.source), static_cast<std::uint64_t>(a.target),
      a.blocking, static_cast<std::uint32_t>(a.status), index_of(trace::occupancy_limits, a.occupancy_limit),
      index_of(trace::limiters, a.limiter), entry.kernel.size()};
  char bytes[(std::size(head) + 2 * figure_count + 1) * most_put_bytes];
  char* end = bytes;
  for (const std::uint64_t value : head) end = put(end, value);
  char* const figures = end;
  for (std::size_t i = 0; i < figure_count; ++i) {
    if (entry.figures[i] != 0) end = put(put(end, i + 1), entry.figures[i]);
  }
  end = put(end, 0);
  // No more room than it takes.
  bytes_.reserve(static_cast<std::size_t>(end - bytes) + entry.kernel.size());
  bytes_.append(bytes, figures).append(entry.kernel).append(figures, end);
}

Entry Packed::unpack() const {
  const char* at = bytes_.data();
  Entry entry;
  Attributes& a = entry.attributes;
  entry.id = take(at);
  entry.queue = static_cast<QueueId>(take(at));
  entry.device = static_cast<DeviceIndex>(take(at));
  entry.op = static_cast<Operation>(take(at));
  entry.bytes = take(at);
  entry.rows = take(at);
  entry.called = take(at);
  a.direction = static_cast<Direction>(take(at));
  a.source = static_cast<Placement>(take(at));
  a.target = static_cast<Placement>(take(at));
  a.blocking = take(at) != 0;
  a.status = static_cast<std::int32_t>(take(at));
  const std::uint64_t limit = take(at);
  const std::uint64_t limiter = take(at);
  if (limit < std::size(trace::occupancy_limits)) a.occupancy_limit = trace::occupancy_limits[limit];
  if (limiter < std::size(trace::limiters)) a.limiter = trace::limiters[limiter];
  const std::uint64_t name_bytes = take(at);
  entry.kernel.assign(at, name_bytes);
  at += name_bytes;
  while (const std::uint64_t figure = take(at)) entry.figures[figure - 1] = take(at);
  return entry;
}

}  // namespace sluice::diff
