// What the simulator tells about the past. A recorder implements TraceSink; with no sink attached the models pay
// one predictable branch per record. Times are simulated picoseconds.
//
// Reports come in no order of time: a part may know the end of its work beforehand, or its beginning only afterwards.
// But nothing is reported that was over long ago, so that a sink can sort what it gets:
//   after command() nothing is reported that ended before times.visible of it;
//   after packet()  nothing is reported that ended before begin of it
// where the end of a command is times.visible, that of a counter `at`.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "sim/iface/command.h"

namespace sluice {

enum class TraceLevel : std::uint8_t { off, command, stage, packet };

// The critical path of a command, cut into consecutive pieces. The pieces of one command add up exactly to
// visible - queued_call, where queued_call is the time at which the API call began.
enum class Stage : std::uint8_t {
  host_validate,   // argument checks, object look-up
  host_pack,       // building the command in the ring
  host_copy,       // staging copy or inline payload copy by the CPU before submission
  doorbell,        // MMIO write and its flight
  queue_wait,      // waiting for earlier commands of the queue, or for a free engine
  dependency_wait, // waiting for events of the wait list
  fetch,           // ring and payload fetch by the command processor
  setup,           // decode, descriptor, engine start
  link,            // request/first-byte latency and wire-limited transfer
  snoop,           // time added by host caches that hold the lines
  device_memory,   // time added or spent in device memory
  staging,         // waiting for the CPU's staging copies in mid-transfer
  coherence,       // ownership, back-invalidation, clean and invalidate by line
  contention,      // time added because other transfers used the same resources
  fence,           // completion record written over the link
  host_copy_out,   // staging copy to the program's memory after the transfer
  wakeup,          // interrupt or poll until the blocked thread runs again
  count_,
};
[[nodiscard]] std::string_view to_string(Stage s) noexcept;
inline constexpr std::size_t stage_count = static_cast<std::size_t>(Stage::count_);

struct CommandRecord {
  const Command* command = nullptr;  // valid during the call only
  TimePs called = 0;                 // the API call began
  Completion times;
  std::array<TimePs, stage_count> stages{};  // sums to times.visible - called
  std::uint64_t wire_bytes_up = 0;           // device to host, headers and DLLPs included
  std::uint64_t wire_bytes_down = 0;         // host to device
  std::uint64_t tlps = 0;                    // or flits
};

// What one part did for one command, with the cycles of the part's own clock.
struct StageRecord {
  CommandId command = 0;
  DeviceIndex device = 0;
  std::string_view part;    // stable part path: "link.down", "copy_engine.h2d0", "host.snoop" ...; static storage
  std::string_view action;  // "doorbell", "fetch", "descriptor", "burst" ...; static storage
  TimePs begin = 0;
  TimePs end = 0;
  std::uint64_t cycles = 0;
  std::uint64_t bytes = 0;
};

struct PacketRecord {
  CommandId command = 0;
  DeviceIndex device = 0;
  std::string_view part;
  std::string_view kind;  // "MRd", "CplD", "MWr", "flit", "burst"
  TimePs begin = 0;
  TimePs end = 0;
  std::uint64_t address = 0;
  std::uint32_t bytes = 0;
};

struct CounterRecord {
  DeviceIndex device = 0;
  std::string_view part;
  std::string_view name;  // "queue_depth", "utilisation_permille", "tags_in_use"
  TimePs at = 0;
  std::uint64_t value = 0;
};

class TraceSink {
 public:
  virtual ~TraceSink() = default;
  [[nodiscard]] virtual TraceLevel level() const noexcept = 0;
  virtual void command(const CommandRecord&) {}
  virtual void stage(const StageRecord&) {}
  virtual void packet(const PacketRecord&) {}
  virtual void counter(const CounterRecord&) {}
};

}  // namespace sluice
