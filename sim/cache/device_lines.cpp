#include "sim/cache/device_lines.h"

#include <algorithm>
#include <limits>

namespace sluice::cache {

namespace {

std::uint64_t cache_bytes(const profile::Host& host) {
  return std::max(host.private_cache.capacity_bytes, host.last_level_cache.capacity_bytes);
}

std::uint64_t filter_bytes(const profile::Link& link) {
  return link.filter_lines == 0 ? std::numeric_limits<std::uint64_t>::max()
                                : std::uint64_t{link.filter_lines} * link.line_bytes;
}

}  // namespace

void DeviceLines::Taken::add(const Taken& o) {
  lines += o.lines;
  dirty += o.dirty;
  flips += o.flips;
  flips_ps += o.flips_ps;
}

DeviceLines::DeviceLines(const profile::Link& link, const profile::Host& host)
    : link_(link),
      line_(link.line_bytes),
      filter_is_full_first_(filter_bytes(link) < cache_bytes(host)),
      lines_(std::min(filter_bytes(link), cache_bytes(host) / line_ * line_)),
      host_pages_(std::numeric_limits<std::uint64_t>::max()) {}

DeviceLines::Taken DeviceLines::host_touches(std::uint64_t address, std::uint64_t bytes, bool writes) {
  Taken taken;
  if (bytes == 0) return taken;
  if (link_.device_memory == profile::DeviceMemoryCoherence::bias) {
    const std::uint64_t first = down(address, link_.bias_page_bytes);
    const std::uint64_t end = up(address + bytes, link_.bias_page_bytes);
    taken.flips = (end - first - host_pages_.resident_bytes(first, end)) / link_.bias_page_bytes;
    taken.flips_ps = taken.flips * link_.bias_flip_ps;
    host_pages_.touch(first, end, false);
  }
  runs_.clear();
  lines_.touch(down(address, line_), up(address + bytes, line_), writes, &runs_);
  if (!filter_is_full_first_ || link_.device_memory == profile::DeviceMemoryCoherence::bias) return taken;
  for (const IntervalCache::Run& r : runs_) {
    taken.lines += (r.end - r.begin) / line_;
    if (r.dirty) taken.dirty += (r.end - r.begin) / line_;
  }
  return taken;
}

DeviceLines::Taken DeviceLines::device_touches(std::uint64_t address, std::uint64_t bytes) {
  Taken taken;
  if (bytes == 0) return taken;
  std::uint64_t first = down(address, line_);
  std::uint64_t end = up(address + bytes, line_);
  const bool bias = link_.device_memory == profile::DeviceMemoryCoherence::bias;
  if (bias) {
    // Whole pages become the device's, with all lines in them.
    first = down(address, link_.bias_page_bytes);
    end = up(address + bytes, link_.bias_page_bytes);
    taken.flips = host_pages_.resident_bytes(first, end) / link_.bias_page_bytes;
    if (taken.flips == 0) return taken;
    host_pages_.remove(first, end);
  }
  runs_.clear();
  lines_.resident(first, end, runs_);
  std::uint64_t lines = 0;
  for (const IntervalCache::Run& r : runs_) {
    lines += (r.end - r.begin) / line_;
    if (r.dirty) taken.dirty += (r.end - r.begin) / line_;
  }
  lines_.remove(first, end);
  if (!bias) {
    taken.lines = lines;
    return taken;
  }
  taken.flips_ps = taken.flips * link_.bias_flip_ps;
  return taken;
}

void DeviceLines::forget(std::uint64_t address, std::uint64_t bytes) {
  lines_.remove(down(address, line_), up(address + bytes, line_));
  if (link_.device_memory == profile::DeviceMemoryCoherence::bias) {
    host_pages_.remove(down(address, link_.bias_page_bytes), up(address + bytes, link_.bias_page_bytes));
  }
}

}  // namespace sluice::cache
