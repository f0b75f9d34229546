#include "api/explain/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>

namespace sluice::api {

namespace {

double us(TimePs t) {
  return static_cast<double>(t) / 1e6;
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 4> units = {"B", "KiB", "MiB", "GiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && bytes % 1024 == 0 && unit + 1 < units.size()) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{} {}", bytes, units[unit]);
}

std::string_view direction_text(Direction d) {
  switch (d) {
    case Direction::host_to_device:
      return "host to device";
    case Direction::device_to_host:
      return "device to host";
    case Direction::device_to_device:
      return "on the device";
    case Direction::host_to_host:
      return "on the host";
    case Direction::none:
      break;
  }
  return "nothing moved";
}

}  // namespace

std::string explain_line(const CommandRecord& record) {
  const Command& c = *record.command;
  const Completion& t = record.times;
  std::string line;
  const auto out = std::back_inserter(line);
  fmt::format_to(out, "{:12.3f} us  #{} {}", us(t.visible), c.id, to_string(c.op));
  if (record.kernel != nullptr) fmt::format_to(out, " {}", record.kernel->name);
  fmt::format_to(out, " on queue {}", c.queue);
  if (c.blocking) line += ", blocking";
  if (record.kernel != nullptr) {
    fmt::format_to(out, ", {} work-items in {} groups", record.kernel->work_items, record.kernel->groups);
  } else if (c.host_only) {
    line += ", never reached the device";
  } else if (c.direction == Direction::none) {
    line += ", nothing moved";
  } else {
    fmt::format_to(out, ", {} {}", size_text(c.shape.bytes()), direction_text(c.direction));
    if (t.ended > t.started) {
      fmt::format_to(out, " at {:.2f} GB/s",
                     static_cast<double>(c.shape.bytes()) * 1e3 / static_cast<double>(t.ended - t.started));
    }
  }
  for (std::size_t i = 0; i < c.waits.size(); ++i) fmt::format_to(out, "{}#{}", i == 0 ? ", after " : " ", c.waits[i]);
  fmt::format_to(out,
                 "; called {:.3f}, queued +{:.3f}, submitted +{:.3f}, started +{:.3f}, ended +{:.3f}, known +{:.3f}",
                 us(record.called), us(t.queued - record.called), us(t.submitted - t.queued),
                 us(t.started - t.submitted), us(t.ended - t.started), us(t.visible - t.ended));
  // The dearest three stages, the earlier first where two took as long.
  std::array<std::size_t, stage_count> order;
  for (std::size_t i = 0; i < stage_count; ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return record.stages[a] > record.stages[b]; });
  for (std::size_t i = 0; i < 3 && record.stages[order[i]] != 0; ++i) {
    fmt::format_to(out, "{}{} {:.3f}", i == 0 ? "; mostly " : ", ", to_string(static_cast<Stage>(order[i])),
                   us(record.stages[order[i]]));
  }
  if (record.kernel != nullptr) fmt::format_to(out, "; limited by {}", record.kernel->limiter);
  if (t.status < 0) fmt::format_to(out, "; failed with {}", t.status);
  return line;
}

TraceLevel Explain::level() const noexcept {
  return next_ == nullptr ? TraceLevel::command : std::max(TraceLevel::command, next_->level());
}

void Explain::command(const CommandRecord& record) {
  const std::string line = explain_line(record) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
  if (wants(TraceLevel::command)) next_->command(record);
}

void Explain::stage(const StageRecord& record) {
  if (wants(TraceLevel::stage)) next_->stage(record);
}

void Explain::packet(const PacketRecord& record) {
  if (wants(TraceLevel::packet)) next_->packet(record);
}

void Explain::counter(const CounterRecord& record) {
  if (next_ != nullptr) next_->counter(record);
}

}  // namespace sluice::api
