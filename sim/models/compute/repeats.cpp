#include "sim/models/compute/repeats.h"

#include <algorithm>
#include <cstring>

namespace sluice::compute {

namespace {

template <class T>
bool is_same_owner(const std::weak_ptr<T>& a, const std::shared_ptr<T>& b) {
  return !a.owner_before(b) && !b.owner_before(a);
}

bool operator==(const NdRange& a, const NdRange& b) {
  return a.dimensions == b.dimensions && a.offset == b.offset && a.global == b.global && a.local == b.local;
}

}  // namespace

Repeats::Launch Repeats::copy_of(const KernelLaunch& launch) {
  Launch copy;
  copy.module = launch.module;
  copy.kernel = launch.kernel;
  copy.range = launch.range;
  copy.map = launch.memory;
  copy.arguments = launch.arguments;
  for (LaunchArgument& a : copy.arguments) {
    if (a.image != nullptr) copy.images.push_back(*a.image);
    a.image = nullptr;  // it may keep an object of the program alive
  }
  return copy;
}

bool Repeats::is_same(const KernelLaunch& launch) const {
  if (!is_same_owner(last_.module, launch.module) || last_.kernel != launch.kernel || !(last_.range == launch.range) ||
      last_.map != launch.memory || last_.arguments.size() != launch.arguments.size()) {
    return false;
  }
  std::size_t image = 0;
  for (std::size_t i = 0; i < last_.arguments.size(); ++i) {
    const LaunchArgument& a = last_.arguments[i];
    const LaunchArgument& b = launch.arguments[i];
    if (a.value != b.value || a.data != b.data || a.size_bytes != b.size_bytes) return false;
    if (b.image == nullptr) continue;
    if (image == last_.images.size() ||
        std::memcmp(&last_.images[image++], b.image.get(), sizeof(ImageDescriptor)) != 0) {
      return false;
    }
  }
  return image == last_.images.size();
}

bool Repeats::is_unchanged(const KernelLaunch& launch) const {
  return std::all_of(touched_.begin(), touched_.end(), [&](const MemorySide::TouchedRange& t) {
    const MemoryRange* range = launch.memory->find(t.data);
    return range != nullptr && range->data == t.data && range->version == t.version && range->stable &&
           writes_.unwritten(since_, t.data, t.bytes);
  });
}

std::uint64_t Repeats::copies_of(const MemorySide& memory) const {
  const Traffic& t = outcome_.result.traffic;
  return t.device_read + t.device_written == 0 ? memory.changes() : memory.copies();
}

bool Repeats::replay(const KernelLaunch& launch, TimePs begin, bool with_timeline, const MemorySide& memory, Grid& grid,
                     Outcome& outcome) {
  if (!known_ || !settled_ || with_timeline != with_timeline_ || !is_same(launch)) return false;
  if (copies_of(memory) != copies_) return false;
  if (!is_unchanged(launch)) {
    known_ = false;
    return false;
  }
  outcome = outcome_;
  const TimePs later = begin - outcome.begin;
  outcome.begin = begin;
  outcome.result.end += later;
  outcome.timeline.move(begin);
  grid.restore(*state_, later);
  return true;
}

void Repeats::before(const KernelLaunch& launch, bool alone, const MemorySide& memory) {
  found_ = 0;
  const bool again = known_ && is_same(launch);
  attempts_ = again ? attempts_ + 1 : 0;
  if (again && alone && attempts_ <= most_attempts) found_ = memory.fingerprint();
}

void Repeats::after(const KernelLaunch& launch, bool repeatable, bool with_timeline, const Grid& grid,
                    const MemorySide& memory, const Outcome& outcome) {
  known_ = settled_ = false;
  const std::vector<MemorySide::TouchedRange> touched = memory.touched();
  for (const MemorySide::TouchedRange& t : touched) {
    if (t.written) writes_.wrote(t.data, t.bytes);
  }
  if (memory.touched_strays()) writes_.wrote_something();
  if (!repeatable || launch.system_memory || launch.memory == nullptr || memory.touched_strays() ||
      outcome.result.failed || outcome.result.traffic.crosses_link()) {
    return;
  }
  for (const MemorySide::TouchedRange& t : touched) {
    if (!t.stable || (t.read && t.written)) return;
  }
  known_ = true;
  last_ = copy_of(launch);
  touched_ = touched;
  since_ = writes_.now();
  with_timeline_ = with_timeline;
  if (found_ == 0 || memory.fingerprint() != found_) return;
  settled_ = true;
  outcome_ = outcome;
  copies_ = copies_of(memory);
  state_ = std::make_unique<Grid::State>(grid.state());
}

}  // namespace sluice::compute
