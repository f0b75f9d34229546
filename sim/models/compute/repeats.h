// Launches that do over again what was done before.
//
// Where all that steers a launch's work-items is as it was, and so are the caches, it takes the same time: it is executed,
// but nobody looks at its accesses. Where even all that it reads is as it was and it writes nothing that it reads, the
// bytes are there, too: it need not be executed.
//
// Remembers the launches of late. What counts as the same: kernel, range, arguments but for values that steer nothing;
// of memory, the same allocation at the same address; its contents, if they matter, out of the host's reach and not
// written since. Free of SystemC.
#pragma once

#include <array>
#include <cstdint>
#include <list>
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

  enum class Known : std::uint8_t { nothing, time, bytes };
  // What is known of `launch`, whose first dispatch is at `begin` on units that do nothing else: its outcome, with the
  // units and the caches as it leaves them; and the bytes that it leaves, or it has yet to be executed.
  [[nodiscard]] Known replay(const KernelLaunch& launch, TimePs begin, bool with_timeline, MemorySide& memory,
                             Grid& grid, Outcome& outcome);

  // Around each launch that is timed. `alone`: it found the units idle, and they were its own to the end.
  void before(const KernelLaunch& launch, bool alone, MemorySide& memory);
  // `told_all`: what the groups told is all that they did.
  void after(const KernelLaunch& launch, bool told_all, bool with_timeline, const Grid& grid, MemorySide& memory,
             const Outcome& outcome);

 private:
  // From caches that are as they were once.
  struct Time {
    std::uint64_t found = 0;  // fingerprint of the caches
    std::shared_ptr<const MemorySide::CacheStep> left;
    bool with_timeline = false;
    Outcome outcome;
    std::unique_ptr<const Grid::State> state;
  };
  struct Launch {
    std::weak_ptr<const KernelModule> module;
    std::uint32_t kernel = 0;
    NdRange range;
    const MemoryMap* map = nullptr;
    std::vector<LaunchArgument> arguments;  // of the last run; without images
    std::vector<ImageDescriptor> images;
    std::uint64_t steered_by = 0;
    std::vector<MemorySide::TouchedRange> touched;
    std::vector<MemoryRange> steering;
    std::uint64_t since = 0;    // by then the last run had written
    bool leaves_bytes = false;  // that are the same again while what it touches is unchanged
    std::uint64_t lines = 0;    // looked up by a run
    unsigned looks = 0;         // at the caches, in vain if it is a long launch
    std::list<Time> times;      // the newest first
  };

  [[nodiscard]] Launch* find(const KernelLaunch& launch);
  [[nodiscard]] static Launch copy_of(const KernelLaunch& launch);
  static void set_arguments(Launch& known, const KernelLaunch& launch);
  [[nodiscard]] static bool is_same(const Launch& known, const KernelLaunch& launch);
  [[nodiscard]] static bool is_worth_looking(const Launch& known);
  [[nodiscard]] bool is_unchanged(const MemoryRange& range, const Launch& known, const KernelLaunch& launch) const;
  [[nodiscard]] bool is_steered_alike(const Launch& known, const KernelLaunch& launch) const;
  [[nodiscard]] bool leaves_same_bytes(const Launch& known, const KernelLaunch& launch) const;
  void wrote(const std::vector<MemorySide::TouchedRange>& touched);
  void forget_the_oldest();

  sim::WriteLog& writes_;
  std::list<Launch> launches_;  // the last one first
  bool watched_ = false;        // the launch under way is to be remembered
  std::uint64_t found_ = 0;     // fingerprint of the caches before it
};

}  // namespace sluice::compute
