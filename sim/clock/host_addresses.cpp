#include "sim/clock/host_addresses.h"

#include <algorithm>

namespace sluice::sim {

namespace {

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t device_granule = 512;

}  // namespace

void HostAddresses::split(std::uintptr_t at) {
  auto it = extents_.upper_bound(at);
  if (it == extents_.begin()) return;
  --it;
  if (it->first == at || it->second.end <= at) return;
  extents_.emplace(at, Extent{it->second.end, it->second.simulated + (at - it->first)});
  it->second.end = at;
}

std::uint64_t HostAddresses::address(std::uintptr_t p, std::uint64_t bytes) {
  bytes = std::max<std::uint64_t>(bytes, 1);
  const std::uintptr_t end = p + bytes;
  auto it = extents_.upper_bound(p);
  if (it != extents_.begin()) {
    auto before = std::prev(it);
    if (before->second.end > p) {
      const std::uint64_t simulated = before->second.simulated + (p - before->first);
      if (before->second.end >= end) return simulated;
      // The range runs on: the extent grows if its simulated neighbourhood is still its own, which the gap below allows.
      if (before->second.simulated + (before->second.end - before->first) + (end - before->second.end) <=
              before->second.simulated + (1ULL << 40) &&
          (it == extents_.end() || it->first >= end)) {
        before->second.end = end;
        return simulated;
      }
      forget(before->second.end, end - before->second.end, [](std::uint64_t, std::uint64_t) {});
      before->second.end = end;
      return simulated;
    }
  }
  // Swallow what begins inside the range, so that one range has one run of simulated addresses.
  forget(p, bytes, [](std::uint64_t, std::uint64_t) {});
  const std::uint64_t simulated = next_ + p % page;
  extents_[p] = Extent{end, simulated};
  // A terabyte of room each, so that an extent can grow in place.
  next_ += 1ULL << 40;
  if (next_ >= 1ULL << 46) next_ = (1ULL << 32) + (next_ % (1ULL << 40)) + (1ULL << 24);
  return simulated;
}

std::optional<std::uint64_t> DeviceAddresses::reserve(std::uint64_t bytes) {
  bytes = (std::max<std::uint64_t>(bytes, 1) + device_granule - 1) / device_granule * device_granule;
  if (bytes > capacity_ - used_) return std::nullopt;
  std::uint64_t address = next_;
  const auto reuse = free_.find(bytes);
  if (reuse != free_.end()) {
    address = reuse->second;
    free_.erase(reuse);
  } else {
    next_ += bytes;
  }
  used_ += bytes;
  live_.emplace(address, bytes);
  return address;
}

std::uint64_t DeviceAddresses::release(std::uint64_t address) {
  const auto it = live_.find(address);
  if (it == live_.end()) return 0;
  const std::uint64_t bytes = it->second;
  used_ -= it->second;
  free_.emplace(it->second, address);
  live_.erase(it);
  return bytes;
}

}  // namespace sluice::sim
