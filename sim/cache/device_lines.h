// Lines of a device's memory that the host's caches hold, where the host addresses that memory over a coherent link: what
// the device must take back before it touches them itself, by back-invalidation of lines (HDM-DB) or by flips of whole
// pages' bias (HDM-D), and what its snoop filter cannot keep. Free of SystemC.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/cache/interval_cache.h"
#include "sim/profile/profile.h"

namespace sluice::cache {

class DeviceLines {
 public:
  DeviceLines(const profile::Link& link, const profile::Host& host);

  struct Taken {
    std::uint64_t lines = 0;  // back-invalidated
    std::uint64_t dirty = 0;  // of them, or of flipped pages, with data
    std::uint64_t flips = 0;  // of pages' bias
    TimePs flips_ps = 0;  // that flips take besides; lines and data are the link's
    void add(const Taken& other);
  };
  // The host's cores read or write [address, address + bytes) of the device's memory. What the filter has no room for is
  // taken back at once; with bias, pages become the host's.
  [[nodiscard]] Taken host_touches(std::uint64_t address, std::uint64_t bytes, bool writes);
  // Before the device touches them: no line of the range is left with the host.
  [[nodiscard]] Taken device_touches(std::uint64_t address, std::uint64_t bytes);
  void forget(std::uint64_t address, std::uint64_t bytes);
  [[nodiscard]] bool holds_any() const noexcept { return lines_.used_bytes() + host_pages_.used_bytes() != 0; }
  [[nodiscard]] std::uint64_t held_lines() const noexcept { return lines_.used_bytes() / line_; }

 private:
  [[nodiscard]] std::uint64_t down(std::uint64_t address, std::uint64_t unit) const { return address / unit * unit; }
  [[nodiscard]] std::uint64_t up(std::uint64_t address, std::uint64_t unit) const { return down(address + unit - 1, unit); }

  const profile::Link link_;
  const std::uint64_t line_;
  bool filter_is_full_first_;  // before the host's caches are
  IntervalCache lines_;
  IntervalCache host_pages_;   // in host bias
  std::vector<IntervalCache::Run> runs_;
};

}  // namespace sluice::cache
