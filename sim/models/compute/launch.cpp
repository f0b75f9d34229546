#include "sim/models/compute/launch.h"

#include <algorithm>

namespace sluice::compute {

void count(const GroupTrace& trace, KernelRecord& figures) {
  ++figures.groups;
  figures.waves += trace.waves.size();
  for (const WaveTrace& w : trace.waves) {
    for (std::size_t i = 0; i < instruction_classes; ++i) figures.instructions[i] += w.issued[i];
  }
  for (const WaveAccess& a : trace.accesses) {
    if (a.kind == AccessKind::barrier) {
      ++figures.barriers;
      continue;
    }
    ++figures.accesses;
    figures.local_accesses += is_local(a) ? 1 : 0;
    figures.atomics += a.kind == AccessKind::atomic ? 1 : 0;
  }
}

void add(const KernelRecord& group, KernelRecord& figures) {
  figures.groups += group.groups;
  figures.waves += group.waves;
  for (std::size_t i = 0; i < instruction_classes; ++i) figures.instructions[i] += group.instructions[i];
  figures.barriers += group.barriers;
  figures.accesses += group.accesses;
  figures.local_accesses += group.local_accesses;
  figures.atomics += group.atomics;
}

Timeline::Sums sums_of(const GroupTrace& trace, const Traffic& traffic, TimePs time) {
  Timeline::Sums sums{};
  sums[Timeline::wave_time] = trace.waves.size() * time;
  for (const WaveTrace& w : trace.waves) {
    for (const std::uint64_t n : w.issued) sums[Timeline::instructions] += n;
  }
  sums[Timeline::device_bytes] = traffic.device_read + traffic.device_written;
  sums[Timeline::link_bytes] = traffic.host_partial_writes * sector_bytes;
  for (std::size_t i = 1; i <= max_line_sectors; ++i)
    sums[Timeline::link_bytes] += (traffic.host_reads[i] + traffic.host_writes[i]) * i * sector_bytes;
  for (std::size_t op = 0; op < atomic_ops; ++op)
    sums[Timeline::link_bytes] += traffic.host_atomics[op] * (op % atomic_sizes == 0 ? 4 : 8);
  return sums;
}

Cost l1_cost(const Rates& rates, std::uint64_t lines, std::uint64_t sectors) {
  return std::max(lines * rates.l1_line, sectors * rates.l1_sector);
}

Cost local_cost(const Rates& rates, const WaveAccess& access) {
  return std::max(1U, access.sectors) * rates.local_conflict;
}

TimePs local_latency(const Rates& rates, const WaveAccess& access) {
  return rates.local_ps + (std::max(1U, access.sectors) - 1) * rates.local_conflict_ps;
}

Cost atomic_cost(const Rates& rates, const WaveAccess& access) {
  const std::uint64_t lanes = std::max<std::uint64_t>(1, access.lanes / std::max(1U, access.sectors));
  return rates.atomic_same_sector + (lanes - 1) * rates.atomic_lane;
}

Cost pace_alone(const Rates& rates, const WaveTrace& wave) {
  std::uint64_t all = 0;
  for (const std::uint64_t n : wave.issued) all += n;
  Cost pace = std::max(rates.wave_issue, rates.instruction[issue_pipe]);
  for (std::size_t c = 0; all != 0 && c < instruction_classes; ++c)
    pace = std::max(pace, wave.issued[c] * rates.instruction[c] * rates.partitions / all);
  return pace;
}

Cost host_read_cost(const Rates& rates, const Traffic& traffic) {
  Cost cost = 0;
  for (std::size_t i = 1; i <= max_line_sectors; ++i) cost += traffic.host_reads[i] * rates.host_read[i];
  for (std::size_t op = 0; op < atomic_ops; ++op) cost += traffic.host_atomics[op] * rates.host_atomic[op];
  return cost;
}

Cost host_write_cost(const Rates& rates, const Traffic& traffic) {
  Cost cost = traffic.host_partial_writes * rates.host_partial_write;
  for (std::size_t i = 1; i <= max_line_sectors; ++i) cost += traffic.host_writes[i] * rates.host_write[i];
  return cost;
}

}  // namespace sluice::compute
