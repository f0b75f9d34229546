#include "api/objects/kernel_memory.h"

#include <algorithm>
#include <new>
#include <utility>

#include "api/command/runtime.h"
#include "api/objects/memory.h"

namespace sluice::api {

namespace {

bool meet(const MemoryRange& a, const MemoryRange& b) {
  return a.data < b.data + b.size_bytes && b.data < a.data + a.size_bytes;
}

// [begin, end) of a range.
MemoryRange part(const MemoryRange& range, std::byte* begin, const std::byte* end) {
  MemoryRange piece = range;
  piece.data = begin;
  piece.size_bytes = static_cast<std::uint64_t>(end - begin);
  piece.address = range.address + static_cast<std::uint64_t>(begin - range.data);
  return piece;
}

}  // namespace

bool KernelMemory::meets_any(const MemoryRange& range) const {
  if (map_.find(range.data) != nullptr) return true;
  const auto next = map_.ranges().lower_bound(range.data);
  return next != map_.ranges().end() && next->first < range.data + range.size_bytes;
}

void KernelMemory::add_uncovered(const MemoryRange& range) {
  std::byte* at = range.data;
  std::byte* const end = range.data + range.size_bytes;
  while (at < end) {
    if (const MemoryRange* there = map_.find(at)) {
      at = there->data + there->size_bytes;
      continue;
    }
    const auto next = map_.ranges().upper_bound(at);
    std::byte* const until = next == map_.ranges().end() ? end : std::min(end, next->first);
    map_.add(part(range, at, until));
    at = until;
  }
}

void KernelMemory::add(const MemoryRange& range) {
  if (!meets_any(range)) {
    map_.add(range);
    return;
  }
  // What it meets is from now on one of several: those that stood alone join the list, before it.
  std::vector<MemoryRange> shared = shared_;
  for (const auto& entry : map_.ranges()) {
    const MemoryRange& other = entry.second;
    if (!meet(other, range)) continue;
    const bool known =
        std::any_of(shared_.begin(), shared_.end(), [&](const MemoryRange& s) { return meet(s, other); });
    if (!known) shared.push_back(other);
  }
  shared.push_back(range);
  for (MemoryRange& s : shared) {
    s.stable = false;
    map_.set_stable(s.data, false);
  }
  shared_.swap(shared);
  try {
    add_uncovered(range);
  } catch (...) {
    remove(range.data, range.size_bytes);
    throw;
  }
}

void KernelMemory::remove(const std::byte* data, std::uint64_t bytes) noexcept {
  // The newest of those that are the same.
  const auto it = std::find_if(shared_.rbegin(), shared_.rend(),
                               [&](const MemoryRange& s) { return s.data == data && s.size_bytes == bytes; });
  if (it == shared_.rend()) {
    map_.remove(data);
    return;
  }
  for (const MemoryRange& range : shared_) {
    for (auto piece = map_.ranges().lower_bound(range.data);
         piece != map_.ranges().end() && piece->first < range.data + range.size_bytes;) {
      map_.remove((piece++)->first);
    }
  }
  shared_.erase(std::prev(it.base()));
  try {
    for (const MemoryRange& range : shared_) add_uncovered(range);
  } catch (const std::bad_alloc&) {
    // Kernels are refused the bytes for which the map has no room.
  }
}

void KernelMemory::set_stable(const std::byte* data, std::uint64_t bytes, bool stable) noexcept {
  const bool overlaps = std::any_of(shared_.begin(), shared_.end(), [&](const MemoryRange& s) {
    return s.data < data + bytes && data < s.data + s.size_bytes;
  });
  map_.set_stable(data, stable && !overlaps);
}

void KernelView::set_stable(bool stable) noexcept {
  for (const DeviceIndex device : devices_) Runtime::instance().kernel_memory(device).set_stable(data_, bytes_, stable);
}

KernelView::KernelView(const DeviceRange& range, Placement placement, std::byte* data, std::uint64_t bytes)
    : KernelView() {
  Runtime& runtime = Runtime::instance();
  data_ = data;
  bytes_ = bytes;
  devices_.reserve(range.parts().size());
  const bool on_device = placement == Placement::device;
  const std::uint64_t host = on_device ? 0 : runtime.sim().host_address(data, bytes);
  for (const DeviceRange::Part& p : range.parts()) {
    runtime.kernel_memory(p.device).add({data, bytes, placement, on_device ? p.address : host});
    devices_.push_back(p.device);
  }
}

KernelView::KernelView(KernelView&& other) noexcept
    : devices_(std::exchange(other.devices_, {})), data_(other.data_), bytes_(other.bytes_) {}

KernelView& KernelView::operator=(KernelView&& other) noexcept {
  std::swap(devices_, other.devices_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

KernelView::~KernelView() {
  for (const DeviceIndex device : devices_) Runtime::instance().kernel_memory(device).remove(data_, bytes_);
}

}  // namespace sluice::api
