// A command as a viewer shows it: what the program's thread and the driver did, and the device's work on it.
#pragma once

#include <string_view>

#include "sim/iface/trace_sink.h"

namespace sluice::trace {

enum class Row : std::uint8_t {
  calls,    // of the host: an API call, until the command is with the device
  runtime,  // of the host: what the driver does for it
  device,   // START to END
};

// show(Row, name, begin, end) for each slice, in no order of time.
template <typename F>
void show_command(const CommandRecord& record, F&& show) {
  const Completion& times = record.times;
  const std::string_view name = sluice::to_string(record.command->op);
  show(Row::calls, name, record.called, times.submitted);
  show(Row::runtime, "validate", record.called, times.queued);
  if (times.submitted != times.queued) show(Row::runtime, "submit", times.queued, times.submitted);
  if (record.command->host_only) return;
  if (times.completed != times.ended) show(Row::runtime, "copy out", times.ended, times.completed);
  if (times.visible != times.completed) show(Row::runtime, "complete", times.completed, times.visible);
  show(Row::device, name, times.started, times.ended);
}

}  // namespace sluice::trace
