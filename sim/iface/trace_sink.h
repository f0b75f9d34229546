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
#include "sim/iface/kernel_engine.h"

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
  detile,          // tiles of an image into rows of a staging buffer before a transfer, or back behind it
  iommu,           // time added by page walks for addresses that the IO-TLB did not hold
  page_fault,      // the driver's work for pages that are touched where they are not
  migration,       // those pages, and others that the program wants moved, on the link
  device_memory,   // time added or spent in device memory
  compute,         // a kernel's work on the compute units, what link and device memory added to it apart
  staging,         // waiting for the CPU's staging copies: in mid-transfer, or of the writes before this one
  coherence,       // ownership, back-invalidation, clean and invalidate by line
  contention,      // time added because other transfers used the same resources
  fence,           // completion record written over the link
  host_copy_out,   // staging copy to the program's memory after the transfer
  wakeup,          // interrupt or poll until the blocked thread runs again
  count_,
};
[[nodiscard]] std::string_view to_string(Stage s) noexcept;
inline constexpr std::size_t stage_count = static_cast<std::size_t>(Stage::count_);

// What a kernel did and what held it up.
struct KernelRecord {
  std::string_view name;             // of the kernel; valid as long as the command
  std::uint64_t work_items = 0;
  std::uint64_t groups = 0;
  std::uint64_t waves = 0;
  std::array<std::uint64_t, instruction_classes> instructions{};  // of waves, by class
  std::uint64_t accesses = 0;        // memory instructions of waves
  std::uint64_t local_accesses = 0;  // of them to local memory
  std::uint64_t atomics = 0;
  std::uint64_t barriers = 0;
  std::uint64_t lines = 0;           // of the first-level cache that they touched, each access by itself
  std::uint64_t sectors = 0;         // 32 bytes each, as the waves asked for them
  std::uint64_t l1_hit_sectors = 0;
  std::uint64_t l2_hit_sectors = 0;
  std::uint64_t device_read_bytes = 0;  // device memory behind its cache
  std::uint64_t device_written_bytes = 0;
  std::uint64_t link_read_bytes = 0;    // payload that crossed the link for the kernel
  std::uint64_t link_written_bytes = 0;
  std::uint32_t groups_per_unit = 0;    // that a compute unit holds at once
  std::uint32_t occupancy_permille = 0; // wave slots taken when it does
  std::string_view occupancy_limit;     // "waves", "registers", "local_memory", "groups", "launch"; static storage
  std::string_view limiter;  // "latency", "issue", "l1", "local_memory", "l2", "atomics", "device_memory", "link"
};

struct CommandRecord {
  const Command* command = nullptr;  // valid during the call only
  TimePs called = 0;                 // the API call began
  Completion times;
  std::array<TimePs, stage_count> stages{};  // sums to times.visible - called
  std::uint64_t wire_bytes_up = 0;           // device to host, headers and DLLPs included
  std::uint64_t wire_bytes_down = 0;         // host to device
  std::uint64_t tlps = 0;                    // or flits
  const KernelRecord* kernel = nullptr;      // of Operation::kernel; valid during the call only
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
  std::string_view name;  // "queue_depth", "resident_waves"
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
