// What a compute unit and the memories behind it take for each thing that a wave does, worked out once from the
// profile.
#pragma once

#include <array>

#include "sim/iface/kernel_engine.h"
#include "sim/models/compute/server.h"
#include "sim/models/device_memory.h"
#include "sim/models/host_link.h"
#include "sim/profile/profile.h"

namespace sluice::compute {

inline constexpr std::size_t max_line_sectors = 8;
inline constexpr std::size_t dram_steps = 16;

// Atomics that the host works out, as the link carries them.
enum class AtomicOp : std::uint8_t { fetch_add, swap, compare_swap, count_ };
inline constexpr std::size_t atomic_sizes = 2;  // operands of 4 and 8 bytes
inline constexpr std::size_t atomic_ops = static_cast<std::size_t>(AtomicOp::count_) * atomic_sizes;  // by operation, then size

// Serial parts of a compute unit: the issue ports of all classes together, one for each class, first-level cache, local
// memory.
inline constexpr std::size_t issue_pipe = instruction_classes;
inline constexpr std::size_t l1_pipe = issue_pipe + 1;
inline constexpr std::size_t local_pipe = l1_pipe + 1;
inline constexpr std::size_t pipes = local_pipe + 1;

// Latencies are those of an access that meets nobody, the service times of the parts on its way apart.
struct Rates {
  Rates(const profile::Profile& profile, const sim::Link& link, const memory::DeviceMemory& memory);

  std::uint32_t line_sectors;
  TimePs cycle_ps;
  TimePs l1_ps, l2_ps, memory_ps, local_ps, barrier_ps;  // memory: added to l2
  TimePs host_read_ps, host_write_ps;                    // added to l2, where the link takes longer
  TimePs launch_ps, image_launch_ps, finish_ps;
  std::array<Cost, instruction_classes + 1> instruction{};  // of a wave, by pipe
  Cost wave_issue;
  Cost l1_line, l1_sector, local_conflict;
  Cost dispatch, wave_launch;
  Cost l2_sector, atomic_sector, atomic_same_sector, atomic_lane;
  Cost barrier_wave;
  TimePs local_conflict_ps;  // latency beyond local_conflict, for each further lane of a bank
  std::uint32_t partitions;
  std::array<Cost, dram_steps + 1> dram_byte{};        // by the share of writes
  std::array<Cost, max_line_sectors + 1> host_read{};  // a packet, by sectors
  std::array<Cost, max_line_sectors + 1> host_write{};
  Cost host_partial_write;
  bool routes_atomics;                         // the link does, to the host
  std::array<Cost, atomic_ops> host_atomic{};  // as in Traffic; where it does
};

// The flow of `packets` like transfers of `bytes` each between a kernel and host memory.
void plan_packets(const sim::Link& link, Direction direction, std::uint32_t bytes, cache::LineState state,
                  std::uint64_t packets, sim::Flow& flow);
// The same of AtomicOps, one of atomic_ops.
void plan_atomics(const sim::Link& link, std::size_t op, cache::LineState state, std::uint64_t packets, sim::Flow& flow);
// "FetchAdd" ...
[[nodiscard]] std::string_view atomic_name(std::size_t op) noexcept;

}  // namespace sluice::compute
