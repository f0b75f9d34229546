#include "sim/models/compute/repeats.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace sluice::compute {

namespace {

constexpr std::size_t most_launches = 32;
constexpr std::size_t most_times = 4;  // of a launch
constexpr std::size_t most_bytes = std::size_t{64} << 20;
// To look at the caches takes as long as to look up some thousand lines. Short launches do that a few times only, long
// ones more and more seldom if it is in vain.
constexpr std::uint64_t long_launch_lines = 8192;
constexpr unsigned most_looks = 4;

template <class T>
bool is_same_owner(const std::weak_ptr<T>& a, const std::shared_ptr<T>& b) {
  return !a.owner_before(b) && !b.owner_before(a);
}

bool operator==(const NdRange& a, const NdRange& b) {
  return a.dimensions == b.dimensions && a.offset == b.offset && a.global == b.global && a.local == b.local;
}

const KernelInfo& info_of(const KernelLaunch& launch) {
  return launch.module->kernels()[launch.kernel];
}

bool steers(std::uint64_t steered_by, std::size_t argument) {
  return (steered_by >> std::min<std::size_t>(argument, steered_by_other) & 1) != 0;
}

bool steers_unknown(std::uint64_t steered_by) {
  return steers(steered_by, steered_by_other);
}

// The memory behind an argument; nullptr: there is none.
const std::byte* memory_of(const LaunchArgument& argument) {
  return argument.image != nullptr ? argument.image->data : argument.data;
}

bool overlap(const MemoryRange& a, const MemoryRange& b) {
  return a.data < b.data + b.size_bytes && b.data < a.data + a.size_bytes;
}

// The same allocation, as far as where it is goes.
bool is_there(const MemoryRange& range, const KernelLaunch& launch) {
  const MemoryRange* now = launch.memory->find(range.data);
  return now != nullptr && now->data == range.data && now->size_bytes == range.size_bytes &&
         now->address == range.address && now->placement == range.placement;
}

}  // namespace

void Repeats::set_arguments(Launch& known, const KernelLaunch& launch) {
  known.arguments = launch.arguments;
  known.images.clear();
  for (LaunchArgument& a : known.arguments) {
    if (a.image != nullptr) known.images.push_back(*a.image);
    a.image = nullptr;  // it may keep an object of the program alive
  }
}

Repeats::Launch Repeats::copy_of(const KernelLaunch& launch) {
  Launch copy;
  copy.module = launch.module;
  copy.kernel = launch.kernel;
  copy.range = launch.range;
  copy.map = launch.memory;
  copy.steered_by = info_of(launch).steered_by;
  set_arguments(copy, launch);
  return copy;
}

// But for values that steer nothing.
bool Repeats::is_same(const Launch& known, const KernelLaunch& launch) {
  if (!is_same_owner(known.module, launch.module) || known.kernel != launch.kernel || !(known.range == launch.range) ||
      known.map != launch.memory || known.arguments.size() != launch.arguments.size()) {
    return false;
  }
  std::size_t image = 0;
  for (std::size_t i = 0; i < known.arguments.size(); ++i) {
    const LaunchArgument& a = known.arguments[i];
    const LaunchArgument& b = launch.arguments[i];
    if (a.data != b.data || a.size_bytes != b.size_bytes || a.value.size() != b.value.size()) return false;
    const bool may_differ = info_of(launch).arguments[i].kind == ArgumentKind::value && !steers(known.steered_by, i) &&
                            !steers_unknown(known.steered_by);
    if (!may_differ && a.value != b.value) return false;
    if (b.image == nullptr) continue;
    if (image == known.images.size() ||
        std::memcmp(&known.images[image++], b.image.get(), sizeof(ImageDescriptor)) != 0) {
      return false;
    }
  }
  return image == known.images.size();
}

Repeats::Launch* Repeats::find(const KernelLaunch& launch) {
  const auto it = std::find_if(launches_.begin(), launches_.end(), [&](const Launch& l) { return is_same(l, launch); });
  if (it == launches_.end()) return nullptr;
  launches_.splice(launches_.begin(), launches_, it);
  return &launches_.front();
}

bool Repeats::is_worth_looking(const Launch& known) {
  return known.looks < most_looks || (known.lines >= long_launch_lines && std::has_single_bit(known.looks));
}

bool Repeats::is_unchanged(const MemoryRange& range, const Launch& known, const KernelLaunch& launch) const {
  const MemoryRange* now = launch.memory->find(range.data);
  return now != nullptr && now->data == range.data && now->version == range.version && now->stable &&
         writes_.unwritten(known.since, range.data, range.size_bytes);
}

bool Repeats::is_steered_alike(const Launch& known, const KernelLaunch& launch) const {
  return !steers_unknown(known.steered_by) &&
         std::all_of(known.touched.begin(), known.touched.end(),
                     [&](const MemorySide::TouchedRange& t) { return is_there(t.range, launch); }) &&
         std::all_of(known.steering.begin(), known.steering.end(),
                     [&](const MemoryRange& r) { return is_unchanged(r, known, launch); });
}

bool Repeats::leaves_same_bytes(const Launch& known, const KernelLaunch& launch) const {
  if (!known.leaves_bytes) return false;
  for (std::size_t i = 0; i < known.arguments.size(); ++i) {
    if (known.arguments[i].value != launch.arguments[i].value) return false;
  }
  return std::all_of(known.touched.begin(), known.touched.end(),
                     [&](const MemorySide::TouchedRange& t) { return is_unchanged(t.range, known, launch); });
}

void Repeats::wrote(const std::vector<MemorySide::TouchedRange>& touched) {
  for (const MemorySide::TouchedRange& t : touched) {
    if (t.written) writes_.wrote(t.range.data, t.range.size_bytes);
  }
}

Repeats::Known Repeats::replay(const KernelLaunch& launch, TimePs begin, bool with_timeline, MemorySide& memory,
                               Grid& grid, Outcome& outcome) {
  Launch* const known = find(launch);
  if (known == nullptr || known->times.empty()) return Known::nothing;
  const bool same_bytes = leaves_same_bytes(*known, launch);
  if (!same_bytes && !is_steered_alike(*known, launch)) {
    known->times.clear();
    return Known::nothing;
  }
  if (!memory.knows_fingerprint() && !is_worth_looking(*known)) return Known::nothing;
  const std::uint64_t found = memory.fingerprint();
  const auto time = std::find_if(known->times.begin(), known->times.end(), [&](const Time& t) {
    return t.found == found && t.with_timeline == with_timeline;
  });
  if (time == known->times.end()) return Known::nothing;
  if (known->lines >= long_launch_lines) known->looks = 0;
  outcome = time->outcome;
  const TimePs later = begin - outcome.begin;
  outcome.begin = begin;
  outcome.result.end += later;
  outcome.timeline.move(begin);
  grid.restore(*time->state, later);
  memory.step(time->left);
  known->times.splice(known->times.begin(), known->times, time);
  if (!same_bytes) {
    set_arguments(*known, launch);
    for (MemorySide::TouchedRange& t : known->touched) t.range = *launch.memory->find(t.range.data);
    wrote(known->touched);
  }
  known->since = writes_.now();
  return same_bytes ? Known::bytes : Known::time;
}

void Repeats::before(const KernelLaunch& launch, bool alone, MemorySide& memory) {
  watched_ = false;
  Launch* const known = find(launch);
  if (known == nullptr) return;
  // Of a launch that finds others on the units replay() is not asked.
  if (!leaves_same_bytes(*known, launch) && !is_steered_alike(*known, launch)) known->times.clear();
  if (!alone) return;
  watched_ = memory.knows_fingerprint() || is_worth_looking(*known);
  if (!watched_) return;
  ++known->looks;
  found_ = memory.fingerprint();
}

void Repeats::after(const KernelLaunch& launch, bool told_all, bool with_timeline, const Grid& grid, MemorySide& memory,
                    const Outcome& outcome) {
  std::vector<MemorySide::TouchedRange> touched = memory.touched();
  wrote(touched);
  if (memory.touched_strays()) writes_.wrote_something();
  Launch* known = find(launch);
  const LaunchResult& result = outcome.result;
  if (!told_all || launch.system_memory || launch.memory == nullptr || memory.touched_strays() || result.failed ||
      result.traffic.crosses_link()) {
    if (known != nullptr) launches_.pop_front();
    return;
  }
  if (known == nullptr) known = &launches_.emplace_front(copy_of(launch));
  set_arguments(*known, launch);
  known->lines = result.traffic.lines;
  known->since = writes_.now();
  known->leaves_bytes = result.figures.atomics == 0;
  known->steering.clear();
  for (const MemorySide::TouchedRange& t : touched)
    known->leaves_bytes = known->leaves_bytes && t.range.stable && !(t.read && t.written);
  for (std::size_t i = 0; i < launch.arguments.size() && !steers_unknown(known->steered_by); ++i) {
    const std::byte* const data = memory_of(launch.arguments[i]);
    if (data == nullptr || !steers(known->steered_by, i)) continue;
    const MemoryRange* const range = launch.memory->find(data);
    const bool is_written = range == nullptr || std::any_of(touched.begin(), touched.end(), [&](const auto& t) {
                              return t.written && overlap(t.range, *range);
                            });
    if (is_written) {
      known->steered_by |= std::uint64_t{1} << steered_by_other;
    } else {
      known->steering.push_back(*range);
    }
  }
  known->touched = std::move(touched);
  if (steers_unknown(known->steered_by) && !known->leaves_bytes) {
    launches_.pop_front();
  } else if (watched_) {
    known->times.push_front({found_, memory.last_step(), with_timeline, outcome,
                             std::make_unique<Grid::State>(grid.state())});
  }
  watched_ = false;
  forget_the_oldest();
}

void Repeats::forget_the_oldest() {
  if (launches_.size() > most_launches) launches_.pop_back();
  std::size_t bytes = 0;
  for (Launch& launch : launches_) {
    if (launch.times.size() > most_times) launch.times.pop_back();
    for (const Time& time : launch.times) bytes += time.left->changes.bytes();
    if (bytes > most_bytes) launch.times.clear();
  }
}

}  // namespace sluice::compute
