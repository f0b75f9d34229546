// Simulated addresses for host memory and device memory. Real addresses change from run to run; simulated ones are
// handed out in the order of first use, so that cache contents and traces do not.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>

namespace sluice::sim {

// Maps [p, p + bytes) of this process to simulated host addresses, page offset kept.
class HostAddresses {
 public:
  [[nodiscard]] std::uint64_t address(std::uintptr_t p, std::uint64_t bytes);
  // Calls f(simulated address, bytes) for each known part of the range.
  template <class F>
  void each(std::uintptr_t p, std::uint64_t bytes, F f) const {
    auto it = extents_.upper_bound(p);
    if (it != extents_.begin()) --it;
    for (; it != extents_.end() && it->first < p + bytes; ++it) {
      const std::uintptr_t begin = std::max(p, it->first);
      const std::uintptr_t end = std::min<std::uintptr_t>(p + bytes, it->second.end);
      if (begin < end) f(it->second.simulated + (begin - it->first), end - begin);
    }
  }
  // Calls gone(simulated address, bytes) for each known part of the range and forgets it.
  template <class Gone>
  void forget(std::uintptr_t p, std::uint64_t bytes, Gone gone) {
    split(p);
    split(p + bytes);
    auto it = extents_.lower_bound(p);
    while (it != extents_.end() && it->first < p + bytes) {
      gone(it->second.simulated, it->second.end - it->first);
      it = extents_.erase(it);
    }
  }

 private:
  struct Extent {
    std::uintptr_t end = 0;
    std::uint64_t simulated = 0;
  };
  void split(std::uintptr_t at);

  std::map<std::uintptr_t, Extent> extents_;
  std::uint64_t next_ = 1ULL << 32;
};

// Device memory as the driver hands it out: first fit from freed space of the same size, else fresh space.
class DeviceAddresses {
 public:
  explicit DeviceAddresses(std::uint64_t capacity_bytes) : capacity_(capacity_bytes) {}
  [[nodiscard]] std::optional<std::uint64_t> reserve(std::uint64_t bytes);
  // Returns how many bytes it had.
  std::uint64_t release(std::uint64_t address);

 private:
  std::uint64_t capacity_;
  std::uint64_t used_ = 0;
  std::uint64_t next_ = 1ULL << 20;
  std::map<std::uint64_t, std::uint64_t> live_;       // address, size
  std::multimap<std::uint64_t, std::uint64_t> free_;  // size, address
};

}  // namespace sluice::sim
