// What a device's directory takes back from caches for a command: the traffic of that, and how traces tell it.
#pragma once

#include <memory>

#include "sim/cache/device_lines.h"
#include "sim/iface/trace_sink.h"
#include "sim/models/host_link.h"
#include "sim/models/job.h"

namespace sluice::sim {

// Lines that the directory has taken, as they leave: all at once, then the flips of bias.
struct Recalls {
  std::shared_ptr<Flow> flow;  // nullptr: nothing crosses the link
  TimePs alone = 0;            // the flow's time with the link to itself
  TimePs took = 0;             // the same with the flips
};

// The job's use of the wires counts them. `cycles` of the record are picoseconds' thousandths: the directory has no clock
// of its own.
[[nodiscard]] inline Recalls plan_recalls(const Link& link, const cache::DeviceLines::Taken& taken, Job& job,
                                          TimePs begin, std::uint32_t line_bytes, TraceSink* trace) {
  Recalls recalls;
  if (taken.lines + taken.dirty != 0) {
    recalls.flow = std::make_shared<Flow>();
    link.plan_recalls(taken, *recalls.flow);
    recalls.flow->command = job.command.id;
    recalls.flow->device = job.command.device;
    recalls.alone = times_alone(*recalls.flow).drained;
    const Link::WireUse use = link.wire_use(*recalls.flow, Direction::host_to_device);
    job.wire_up += use.up, job.wire_down += use.down, job.tlps += use.tlps;
  }
  recalls.took = recalls.alone + taken.flips_ps;
  if (trace != nullptr && trace->level() >= TraceLevel::stage && recalls.took != 0) {
    const bool flips = taken.flips != 0;
    trace->stage({job.command.id, job.command.device, "device.directory", flips ? "bias_flip" : "back_invalidate", begin,
                  begin + recalls.took, recalls.took / 1000, (flips ? taken.dirty : taken.lines) * line_bytes});
  }
  return recalls;
}

}  // namespace sluice::sim
