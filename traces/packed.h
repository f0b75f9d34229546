// A command record as it travels to the writer thread: everything that a writer may look at, without the Command, which
// lives for the call only and holds a vector and a fill pattern.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "sim/iface/trace_sink.h"

namespace sluice::trace {

struct PackedCommand {
  CommandId id;
  TimePs called;
  TimePs queued, submitted, started, ended, completed, visible;
  std::array<TimePs, stage_count> stages;
  std::uint64_t wire_bytes_up, wire_bytes_down, tlps;
  Shape shape;
  QueueId queue;
  DeviceIndex device;
  std::int32_t status;
  Operation op;
  Direction direction;
  Placement source, target;
  bool in_order, blocking, host_only, moves_data;
  std::uint32_t unused;
};

// Travels ahead of the command that it belongs to, so that commands without a kernel are no larger for it.
struct PackedKernel {
  KernelRecord figures;  // `name` is set anew where it is unpacked
  std::array<char, 64> name;
  std::uint64_t name_bytes;
};

inline void pack(const KernelRecord& record, PackedKernel& packed) noexcept {
  packed.figures = record;
  packed.figures.name = {};
  packed.name_bytes = std::min(record.name.size(), packed.name.size());  // longer names are cut off
  std::copy_n(record.name.begin(), packed.name_bytes, packed.name.begin());
}

inline void pack(const CommandRecord& record, PackedCommand& packed) noexcept {
  const Command& command = *record.command;
  const Completion& times = record.times;
  packed.id = command.id;
  packed.called = record.called;
  packed.queued = times.queued;
  packed.submitted = times.submitted;
  packed.started = times.started;
  packed.ended = times.ended;
  packed.completed = times.completed;
  packed.visible = times.visible;
  packed.stages = record.stages;
  packed.wire_bytes_up = record.wire_bytes_up;
  packed.wire_bytes_down = record.wire_bytes_down;
  packed.tlps = record.tlps;
  packed.shape = command.shape;
  packed.queue = command.queue;
  packed.device = command.device;
  packed.status = times.status;
  packed.op = command.op;
  packed.direction = command.direction;
  packed.source = command.source.placement;
  packed.target = command.target.placement;
  packed.in_order = command.in_order;
  packed.blocking = command.blocking;
  packed.host_only = command.host_only;
  packed.moves_data = command.moves_data;
  packed.unused = 0;
}

// `command` and `record` are reused from one record to the next: all that pack() keeps is set anew.
inline void unpack(const PackedCommand& packed, Command& command, CommandRecord& record) noexcept {
  command.id = packed.id;
  command.op = packed.op;
  command.device = packed.device;
  command.queue = packed.queue;
  command.in_order = packed.in_order;
  command.blocking = packed.blocking;
  command.host_only = packed.host_only;
  command.direction = packed.direction;
  command.source.placement = packed.source;
  command.target.placement = packed.target;
  command.shape = packed.shape;
  command.moves_data = packed.moves_data;
  record.command = &command;
  record.called = packed.called;
  record.times = {packed.id,    packed.queued,    packed.submitted, packed.started,
                  packed.ended, packed.completed, packed.visible,   packed.status};
  record.stages = packed.stages;
  record.wire_bytes_up = packed.wire_bytes_up;
  record.wire_bytes_down = packed.wire_bytes_down;
  record.tlps = packed.tlps;
}

}  // namespace sluice::trace
