// A launch on the grid, in either detail: which figures it gathers, and when its groups are over.
#pragma once

#include <functional>

#include "sim/iface/alike_groups.h"
#include "sim/iface/trace_sink.h"
#include "sim/models/compute/grid.h"
#include "sim/models/compute/memory_side.h"
#include "sim/models/compute/timeline.h"

namespace sluice::compute {

struct Launch {
  NdRange range;
  Occupancy occupancy;
  TimePs begin = 0;  // first dispatch
  // Executes a group; false: the launch fails.
  std::function<bool(const std::array<std::uint64_t, 3>&, GroupTrace&)> run_group;
  const AlikeGroups* alike = nullptr;  // what every group does, if that is known
  Timeline* timeline = nullptr;        // for the trace; nullptr: not wanted
};

// When things happened, and how much there was of each.
struct LaunchResult {
  bool failed = false;
  TimePs end = 0;                       // the last wave is over and the last store has arrived
  TimePs first_host_read = time_never;  // has left for the link
  TimePs first_host_write = time_never;
  Traffic traffic;
  KernelRecord figures;
};

// The next group in the order in which a device dispatches them: x fastest.
class GroupOrder {
 public:
  explicit GroupOrder(const NdRange& range) : groups_(range.groups()) {}
  [[nodiscard]] bool done() const noexcept { return at_[2] >= groups_[2] || groups_[0] == 0 || groups_[1] == 0; }
  [[nodiscard]] const std::array<std::uint64_t, 3>& at() const noexcept { return at_; }
  void next() noexcept {
    for (std::size_t i = 0; i < 3; ++i) {
      if (++at_[i] < groups_[i] || i == 2) return;
      at_[i] = 0;
    }
  }

 private:
  std::array<std::uint64_t, 3> groups_;
  std::array<std::uint64_t, 3> at_{};
};

// Adds what a group's records say of themselves.
void count(const GroupTrace& trace, KernelRecord& figures);
// The same of a group that has been counted.
void add(const KernelRecord& group, KernelRecord& figures);
// What a group adds to the timeline.
[[nodiscard]] Timeline::Sums sums_of(const GroupTrace& trace, const Traffic& traffic, TimePs time);
// What a wave's memory instruction takes of its unit's first-level cache or local memory.
[[nodiscard]] Cost l1_cost(const Rates& rates, std::uint64_t lines, std::uint64_t sectors);
[[nodiscard]] Cost local_cost(const Rates& rates, const WaveAccess& access);
// Latency of local memory, what the banks take apart.
[[nodiscard]] TimePs local_latency(const Rates& rates, const WaveAccess& access);
// How long an atomic instruction keeps each of its sectors.
[[nodiscard]] Cost atomic_cost(const Rates& rates, const WaveAccess& access);
// From one instruction of the wave to the next where it is alone on its partition: the slowest port's mean.
[[nodiscard]] Cost pace_alone(const Rates& rates, const WaveTrace& wave);
[[nodiscard]] Cost host_read_cost(const Rates& rates, const Traffic& traffic);
[[nodiscard]] Cost host_write_cost(const Rates& rates, const Traffic& traffic);
[[nodiscard]] inline bool is_local(const WaveAccess& a) {
  return a.space == MemorySpace::local;
}

// `train`: groups one after another, each reduced to what it takes of every part and to its time alone.
[[nodiscard]] LaunchResult run_groups(const Launch& launch, const profile::Profile& profile, const Rates& rates,
                                      Grid& grid, MemorySide& memory);
// `packet`: all resident waves side by side, record by record.
[[nodiscard]] LaunchResult run_waves(const Launch& launch, const profile::Profile& profile, const Rates& rates,
                                     Grid& grid, MemorySide& memory);

}  // namespace sluice::compute
