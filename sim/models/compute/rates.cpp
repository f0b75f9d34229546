#include "sim/models/compute/rates.h"

#include <algorithm>

namespace sluice::compute {

namespace {

// Steady state of many packets alone: what each adds. Credits are the link's to count, once the flow is there: waves have
// their requests under way all the same.
double packet_interval_ps(const sim::Flow& one) {
  constexpr std::uint64_t few = 4096;
  sim::Flow flow = one;
  flow.credits.clear();
  flow.segments.front().packets = few;
  const TimePs first = sim::times_alone(flow).drained;
  flow.segments.front().packets = 2 * few;
  return static_cast<double>(sim::times_alone(flow).drained - first) / few;
}

}  // namespace

void plan_packets(const sim::Link& link, Direction direction, std::uint32_t bytes, cache::LineState state,
                  std::uint64_t packets, sim::Flow& flow) {
  // Two show what the first costs and what each more does.
  sim::LinkTransfer transfer;
  transfer.direction = direction;
  transfer.row_bytes = bytes;
  transfer.rows = std::min<std::uint64_t>(packets, 2);
  transfer.host_row_pitch_bytes = bytes;
  transfer.cached = true;
  link.plan(transfer, {{std::max<std::uint64_t>(1, transfer.rows * bytes / sector_bytes), state}}, flow);
  if (packets > 2) flow.segments.back().packets += flow.packets() / 2 * (packets - 2);
}

// Of a compare-and-swap two operands travel; all answer with one.
void plan_atomics(const sim::Link& link, std::size_t op, cache::LineState state, std::uint64_t packets,
                  sim::Flow& flow) {
  const std::uint32_t bytes = op % atomic_sizes == 0 ? 4 : 8;
  sim::LinkTransfer transfer;
  transfer.row_bytes = bytes;
  transfer.rows = 1;
  transfer.operand_bytes = op / atomic_sizes == static_cast<std::size_t>(AtomicOp::compare_swap) ? 2 * bytes : bytes;
  link.plan(transfer, {{1, state}}, flow);
  flow.segments.front().packets = packets;
}

std::string_view atomic_name(std::size_t op) noexcept {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(AtomicOp::count_)> names = {"FetchAdd", "Swap",
                                                                                                   "CAS"};
  return names[op / atomic_sizes];
}

Rates::Rates(const profile::Profile& profile, const sim::Link& link, const memory::DeviceMemory& memory) {
  const profile::Compute& c = profile.compute;
  const double cycle = 1e6 / profile.machine.device.max_clock_mhz;  // ps
  const auto cycles = [&](double n) { return static_cast<TimePs>(std::llround(n * cycle)); };
  line_sectors = profile.device_cache.line_bytes / sector_bytes;
  cycle_ps = cycles(1);
  wave_issue = cost_of_ps(c.wave_issue_cycles * cycle);
  l1_ps = cycles(c.l1_latency_cycles - 1.0);  // the look-up is service
  l2_ps = cycles(c.l2_latency_cycles);
  memory_ps = cycles(c.memory_latency_cycles) + memory.miss_latency_ps();
  local_ps = cycles(c.local_latency_cycles);
  barrier_ps = cycles(c.barrier_cycles);
  launch_ps = cycles(c.launch_cycles);
  image_launch_ps = cycles(c.image_launch_cycles);
  finish_ps = cycles(c.finish_cycles);
  const double lanes[] = {c.integer_lanes,
                          c.float32_lanes,
                          c.float64_lanes,
                          c.special_lanes,
                          c.control_lanes,
                          c.memory_lanes,
                          static_cast<double>(c.issue_lanes)};
  for (std::size_t i = 0; i < instruction.size(); ++i) instruction[i] = cost_of_ps(c.wave_size / lanes[i] * cycle);
  l1_line = cost_of_ps(cycle);
  l1_sector = cost_of_ps(sector_bytes * cycle / c.l1_bytes_per_cycle);
  // Banks serve 32 lanes at a time.
  local_conflict = cost_of_ps(cycle * std::max(1.0, c.wave_size / 32.0));
  dispatch = cost_of_ps(c.dispatch_cycles * cycle);
  wave_launch = cost_of_ps(c.wave_launch_cycles * cycle);
  l2_sector = cost_of_ps(sector_bytes * 1e12 / static_cast<double>(profile.device_cache.bytes_per_s));
  atomic_sector = cost_of_ps(cycle / c.atomics_per_cycle);
  atomic_same_sector = cost_of_ps(c.atomic_sector_cycles * cycle);
  atomic_lane = cost_of_ps(c.atomic_lane_cycles.value_or(c.atomic_sector_cycles) * cycle);
  barrier_wave = cost_of_ps(c.barrier_wave_cycles * cycle);
  local_conflict_ps = cycles(c.local_conflict_cycles - 1.0);
  partitions = c.partitions;
  for (std::size_t i = 0; i <= dram_steps; ++i) {
    const auto permille = static_cast<std::uint32_t>(i * 1000 / dram_steps);
    dram_byte[i] = cost_of_ps(1e12 / static_cast<double>(memory.sustained_bytes_per_s(permille)));
  }
  // A link's propagation is measured from a wave's own accesses, so the way to the last-level cache is part of it.
  const auto beyond_l2 = [&](TimePs alone) { return alone > l2_ps ? alone - l2_ps : 0; };
  sim::Flow flow;
  for (std::uint32_t n = 1; n <= max_line_sectors; ++n) {
    plan_packets(link, Direction::host_to_device, n * sector_bytes, cache::LineState::memory, 1, flow);
    host_read[n] = cost_of_ps(packet_interval_ps(flow));
    if (n == 1) host_read_ps = beyond_l2(sim::time_alone(flow));
    plan_packets(link, Direction::device_to_host, n * sector_bytes, cache::LineState::memory, 1, flow);
    host_write[n] = cost_of_ps(packet_interval_ps(flow));
    if (n == 1) host_write_ps = beyond_l2(sim::time_alone(flow));
  }
  routes_atomics = link.routes_atomics();
  for (std::size_t op = 0; op < atomic_ops && routes_atomics; ++op) {
    plan_atomics(link, op, cache::LineState::memory, 1, flow);
    host_atomic[op] = cost_of_ps(packet_interval_ps(flow));
  }
  host_partial_write = std::max(host_write[1], cost_of_ps(static_cast<double>(c.host_partial_write_ps)));
}

}  // namespace sluice::compute
