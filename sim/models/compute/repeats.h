// Launches that do over again what was done before. A launch that reads only what is as it was when the same launch ran
// last, and writes nothing that it reads, leaves the bytes that are there: it need not be executed. And when a launch
// found the caches as it left them, the same one behind it takes the same time: it need not be timed either.
//
// Remembers the last launch only. What counts as the same: kernel, range, arguments, and all memory that it touched,
// which is the same allocation, out of the host's reach and not written since. Free of SystemC.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "sim/models/compute/launch.h"
#include "sim/models/write_log.h"

namespace sluice::compute {

// How long which part was busy: issue ports, first-level caches and local memories of the busiest unit, last-level
// cache, atomics, device memory, link.
inline constexpr std::size_t busy_parts = 7;
inline constexpr std::size_t memory_part = 5;
inline constexpr std::size_t link_part = 6;

// All that timing a launch yields.
struct Outcome {
  LaunchResult result;
  TimePs begin = 0;
  std::array<TimePs, busy_parts> busy{};
  Timeline timeline;
};

class Repeats {
 public:
  explicit Repeats(sim::WriteLog& writes) : writes_(writes) {}

  // The outcome of `launch`, whose first dispatch is at `begin` on units that do nothing else, and the units as it
  // leaves them; false: it must be executed and timed. The caches stay as they are.
  [[nodiscard]] bool replay(const KernelLaunch& launch, TimePs begin, bool with_timeline, const MemorySide& memory,
                            Grid& grid, Outcome& outcome);

  // Around each launch that is executed. `alone`: it found the units idle.
  void before(const KernelLaunch& launch, bool alone, const MemorySide& memory);
  void after(const KernelLaunch& launch, bool repeatable, bool with_timeline, const Grid& grid,
             const MemorySide& memory, const Outcome& outcome);

 private:
  struct Launch {
    std::weak_ptr<const KernelModule> module;
    std::uint32_t kernel = 0;
    NdRange range;
    const MemoryMap* map = nullptr;
    std::vector<LaunchArgument> arguments;  // without images
    std::vector<ImageDescriptor> images;
  };

  [[nodiscard]] static Launch copy_of(const KernelLaunch& launch);
  [[nodiscard]] bool is_same(const KernelLaunch& launch) const;
  [[nodiscard]] bool is_unchanged(const KernelLaunch& launch) const;
  [[nodiscard]] std::uint64_t copies_of(const MemorySide& memory) const;

  static constexpr unsigned most_attempts = 4;  // to find the caches as they were left

  sim::WriteLog& writes_;
  bool known_ = false;    // there is a last launch that may be repeated
  bool settled_ = false;  // it found the caches as it left them
  bool with_timeline_ = false;
  unsigned attempts_ = 0;
  std::uint64_t found_ = 0;  // fingerprint of the caches; 0: not taken
  std::uint64_t since_ = 0;
  Launch last_;
  std::vector<MemorySide::TouchedRange> touched_;
  std::uint64_t copies_ = 0;  // that had been at the last-level cache, or changed it for one that only hits
  Outcome outcome_;
  std::unique_ptr<Grid::State> state_;
};

}  // namespace sluice::compute
