// What a device's directory took back from the host's caches, as traces tell it: `took` is what it takes alone.
#pragma once

#include "sim/cache/device_lines.h"
#include "sim/iface/trace_sink.h"

namespace sluice::sim {

// `cycles` of such a record are picoseconds' thousandths: the directory has no clock of its own.
inline void tell_taken(TraceSink* trace, const cache::DeviceLines::Taken& taken, std::uint32_t line_bytes,
                       CommandId command, DeviceIndex device, TimePs begin, TimePs took) {
  if (trace == nullptr || trace->level() < TraceLevel::stage || took == 0) return;
  const bool flips = taken.flips != 0;
  trace->stage({command, device, "device.directory", flips ? "bias_flip" : "back_invalidate", begin, begin + took,
                took / 1000, (flips ? taken.dirty : taken.lines) * line_bytes});
}

}  // namespace sluice::sim
