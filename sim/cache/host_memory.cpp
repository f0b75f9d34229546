#include "sim/cache/host_memory.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "sim/cache/interval_cache.h"

namespace sluice::cache {

namespace {

TimePs time_of(std::uint64_t bytes, std::uint64_t bytes_per_s) {
  return static_cast<TimePs>(static_cast<double>(bytes) * 1e12 / static_cast<double>(bytes_per_s));
}

}  // namespace

struct HostMemory::Impl {
  explicit Impl(const profile::Host& h)
      : host(h), core(h.private_cache.capacity_bytes), llc(h.last_level_cache.capacity_bytes) {
    if (h.home_agent.filter_lines != 0) filter.emplace(std::uint64_t{h.home_agent.filter_lines} * h.private_cache.line_bytes);
  }

  [[nodiscard]] std::uint64_t down(std::uint64_t a) const {
    return a / host.private_cache.line_bytes * host.private_cache.line_bytes;
  }
  [[nodiscard]] std::uint64_t up(std::uint64_t a) const { return down(a + host.private_cache.line_bytes - 1); }

  // What the private cache drops moves to the last-level cache, oldest first, so that its ages follow.
  void touch_core(std::uint64_t begin, std::uint64_t end, bool dirty) {
    victims.clear();
    core.touch(begin, end, dirty, &victims);
    if (core.used_bytes() == 0) victims.push_back({begin, end, dirty});  // no private cache
    for (const IntervalCache::Run& v : victims) llc.touch(v.begin, v.end, v.dirty);
    if (!filter) return;
    if (dirty) device.remove(begin, end);
    (void)list(begin, end);
  }

  // They get entries in the filter; lines whose entries go leave the caches that have them.
  Recalls list(std::uint64_t begin, std::uint64_t end) {
    Recalls recalls;
    unlisted.clear();
    filter->touch(begin, end, false, &unlisted);
    for (const IntervalCache::Run& v : unlisted) {
      scratch.clear();
      core.resident(v.begin, v.end, scratch);
      for (const IntervalCache::Run& r : scratch) {
        recalls.core_lines += (r.end - r.begin) / host.private_cache.line_bytes;
        llc.touch(r.begin, r.end, r.dirty);
      }
      core.remove(v.begin, v.end);
      recalls.device_lines += device.resident_bytes(v.begin, v.end) / host.private_cache.line_bytes;
      device.remove(v.begin, v.end);
    }
    return recalls;
  }
  void unlist(std::uint64_t begin, std::uint64_t end) {
    if (!filter) return;
    filter->remove(begin, end);
    device.remove(begin, end);
  }

  const profile::Host& host;
  IntervalCache core;
  IntervalCache llc;
  std::optional<IntervalCache> filter;  // what it lists; absent: all that there is
  IntervalCache device{std::numeric_limits<std::uint64_t>::max()};  // of that, what a device has
  std::vector<IntervalCache::Run> victims;
  std::vector<IntervalCache::Run> unlisted;
  mutable std::vector<IntervalCache::Run> scratch;
  mutable std::vector<IntervalCache::Run> scratch_llc;
  std::vector<LineRun> runs;
};

HostMemory::HostMemory(const profile::Host& host) : impl_(std::make_unique<Impl>(host)) {}
HostMemory::~HostMemory() = default;

void HostMemory::classify(std::uint64_t address, std::uint64_t bytes, std::vector<LineRun>& runs) const {
  if (bytes == 0) return;
  const Impl& m = *impl_;
  const std::uint64_t line = m.host.private_cache.line_bytes;
  const std::uint64_t begin = m.down(address);
  const std::uint64_t end = m.up(address + bytes);
  const auto add = [&](std::uint64_t from, std::uint64_t to, LineState state) {
    if (from >= to) return;
    if (!runs.empty() && runs.back().state == state) {
      runs.back().lines += (to - from) / line;
    } else {
      runs.push_back({(to - from) / line, state});
    }
  };
  // What is not in the private cache is in the last-level cache or in memory.
  const auto outside = [&](std::uint64_t from, std::uint64_t to) {
    m.scratch_llc.clear();
    m.llc.resident(from, to, m.scratch_llc);
    for (const IntervalCache::Run& r : m.scratch_llc) {
      add(from, r.begin, LineState::memory);
      add(r.begin, r.end, LineState::llc);
      from = r.end;
    }
    add(from, to, LineState::memory);
  };
  m.scratch.clear();
  m.core.resident(begin, end, m.scratch);
  std::uint64_t at = begin;
  for (const IntervalCache::Run& r : m.scratch) {
    if (at < r.begin) outside(at, r.begin);
    add(r.begin, r.end, r.dirty ? LineState::private_dirty : LineState::private_clean);
    at = r.end;
  }
  if (at < end) outside(at, end);
}

void HostMemory::cpu_wrote(std::uint64_t address, std::uint64_t bytes) {
  if (bytes == 0) return;
  impl_->touch_core(impl_->down(address), impl_->up(address + bytes), true);
}

void HostMemory::cpu_read(std::uint64_t address, std::uint64_t bytes) {
  if (bytes == 0) return;
  impl_->touch_core(impl_->down(address), impl_->up(address + bytes), false);
}

void HostMemory::device_read(std::uint64_t address, std::uint64_t bytes) {
  if (bytes == 0) return;
  impl_->core.clean(impl_->down(address), impl_->up(address + bytes));
}

void HostMemory::device_wrote(std::uint64_t address, std::uint64_t bytes) {
  if (bytes == 0) return;
  impl_->core.remove(impl_->down(address), impl_->up(address + bytes));
  impl_->unlist(impl_->down(address), impl_->up(address + bytes));
  impl_->llc.touch(impl_->down(address), impl_->up(address + bytes), true);
}

void HostMemory::forget(std::uint64_t address, std::uint64_t bytes) {
  if (bytes == 0) return;
  impl_->core.remove(impl_->down(address), impl_->up(address + bytes));
  impl_->unlist(impl_->down(address), impl_->up(address + bytes));
  impl_->llc.remove(impl_->down(address), impl_->up(address + bytes));
}

HostMemory::Recalls HostMemory::device_holds(std::uint64_t address, std::uint64_t bytes) {
  Impl& m = *impl_;
  if (bytes == 0 || !m.filter) return {};
  m.device.touch(m.down(address), m.up(address + bytes), false);
  return m.list(m.down(address), m.up(address + bytes));
}

// Entries of lines that a core has, too, stay.
void HostMemory::device_drops(std::uint64_t address, std::uint64_t bytes) {
  Impl& m = *impl_;
  if (bytes == 0 || !m.filter) return;
  const std::uint64_t end = m.up(address + bytes);
  std::uint64_t at = m.down(address);
  m.device.remove(at, end);
  m.scratch.clear();
  m.core.resident(at, end, m.scratch);
  for (const IntervalCache::Run& r : m.scratch) {
    m.filter->remove(at, r.begin);
    at = r.end;
  }
  m.filter->remove(at, end);
}

TimePs HostMemory::copy_in(std::uint64_t source, std::uint64_t target, std::uint64_t bytes, Copier copier) {
  if (bytes == 0) return 0;
  const profile::HostCopy& rates = impl_->host.copy;
  const bool streaming = rates.streaming_threshold_bytes != 0 && bytes >= rates.streaming_threshold_bytes;
  const bool by_thread = copier == Copier::driver_thread;
  const std::uint64_t from_memory = by_thread && rates.thread_memory_bytes_per_s != 0 ? rates.thread_memory_bytes_per_s
                                                                                      : rates.memory_bytes_per_s;
  const std::uint64_t line = impl_->host.private_cache.line_bytes;
  impl_->runs.clear();
  classify(source, bytes, impl_->runs);
  TimePs time = rates.overhead_ps;
  std::uint64_t at = source;
  std::uint64_t border = impl_->down(source);
  for (const LineRun& r : impl_->runs) {
    std::uint64_t rate = streaming ? rates.streaming_bytes_per_s : rates.private_bytes_per_s;
    if (r.state == LineState::llc) rate = std::min(rate, rates.llc_bytes_per_s);
    if (r.state == LineState::memory) rate = std::min(rate, from_memory);
    if (r.state == LineState::private_dirty && by_thread) time += r.lines * rates.thread_dirty_line_ps;
    // Whole lines are touched, but only the bytes asked for are copied.
    border += r.lines * line;
    const std::uint64_t to = std::min(border, source + bytes);
    time += time_of(to - at, rate);
    at = to;
  }
  if (by_thread) device_read(source, bytes);  // written back, as for any other reader
  cpu_read(source, bytes);
  if (streaming) {
    forget(target, bytes);
  } else {
    cpu_wrote(target, bytes);
  }
  return time;
}

TimePs HostMemory::copy_out(std::uint64_t source, std::uint64_t target, std::uint64_t bytes) {
  if (bytes == 0) return 0;
  const profile::HostCopy& rates = impl_->host.copy;
  const std::uint64_t threshold =
      rates.out_streaming_threshold_bytes != 0 ? rates.out_streaming_threshold_bytes : rates.streaming_threshold_bytes;
  TimePs time = rates.out_overhead_ps + time_of(bytes, rates.out_bytes_per_s);
  if (threshold == 0 || bytes < threshold) {
    cpu_read(source, bytes);
    cpu_wrote(target, bytes);
    return time;
  }
  // Non-temporal stores push the lines out of the caches that have them.
  if (rates.out_private_line_ps != 0) {
    impl_->scratch.clear();
    impl_->core.resident(impl_->down(target), impl_->up(target + bytes), impl_->scratch);
    for (const IntervalCache::Run& r : impl_->scratch) {
      time += (r.end - r.begin) / impl_->host.private_cache.line_bytes * rates.out_private_line_ps;
    }
  }
  cpu_read(source, bytes);
  forget(target, bytes);
  return time;
}

TimePs HostMemory::store_time(std::uint64_t address, std::uint64_t bytes) const {
  const profile::HostCopy& rates = impl_->host.copy;
  if (bytes == 0 || rates.store_bytes_per_s == 0) return 0;
  const std::uint64_t in_core = std::min(bytes, impl_->core.resident_bytes(impl_->down(address), impl_->up(address + bytes)));
  const std::uint64_t fast = rates.store_private_bytes_per_s != 0 ? rates.store_private_bytes_per_s : rates.store_bytes_per_s;
  return time_of(in_core, fast) + time_of(bytes - in_core, rates.store_bytes_per_s);
}

}  // namespace sluice::cache
