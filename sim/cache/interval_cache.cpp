#include "sim/cache/interval_cache.h"

#include <algorithm>
#include <iterator>

namespace sluice::cache {

void IntervalCache::insert(std::uint64_t begin, std::uint64_t end, bool dirty) {
  ages_.push_back(begin);
  entries_.emplace(begin, Entry{end, dirty, std::prev(ages_.end())});
  used_ += end - begin;
}

void IntervalCache::split(std::uint64_t at) {
  auto it = entries_.upper_bound(at);
  if (it == entries_.begin()) return;
  --it;
  if (it->first == at || it->second.end <= at) return;
  const auto age = ages_.insert(std::next(it->second.age), at);
  entries_.emplace_hint(std::next(it), at, Entry{it->second.end, it->second.dirty, age});
  it->second.end = at;
}

void IntervalCache::remove(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return;
  split(begin);
  split(end);
  auto it = entries_.lower_bound(begin);
  while (it != entries_.end() && it->first < end) {
    used_ -= it->second.end - it->first;
    ages_.erase(it->second.age);
    it = entries_.erase(it);
  }
}

void IntervalCache::clean(std::uint64_t begin, std::uint64_t end) {
  split(begin);
  split(end);
  for (auto it = entries_.lower_bound(begin); it != entries_.end() && it->first < end; ++it) it->second.dirty = false;
}

void IntervalCache::touch(std::uint64_t begin, std::uint64_t end, bool dirty, std::vector<Run>* victims) {
  if (begin >= end || capacity_ == 0) return;
  if (end - begin > capacity_) begin = end - capacity_;  // the head is gone before the tail arrives
  if (dirty) {
    remove(begin, end);
    insert(begin, end, true);
  } else {
    // Dirty parts keep their state but become young, too.
    std::vector<Run> parts;
    resident(begin, end, parts);
    remove(begin, end);
    std::uint64_t at = begin;
    for (const Run& part : parts) {
      if (!part.dirty) continue;
      if (at < part.begin) insert(at, part.begin, false);
      insert(part.begin, part.end, true);
      at = part.end;
    }
    if (at < end) insert(at, end, false);
  }
  while (used_ > capacity_) {
    const std::uint64_t oldest = ages_.front();
    const auto it = entries_.find(oldest);
    const std::uint64_t over = std::min(used_ - capacity_, it->second.end - oldest);
    if (victims != nullptr) victims->push_back({oldest, oldest + over, it->second.dirty});
    remove(oldest, oldest + over);
  }
}

void IntervalCache::resident(std::uint64_t begin, std::uint64_t end, std::vector<Run>& out) const {
  auto it = entries_.upper_bound(begin);
  if (it != entries_.begin()) --it;
  for (; it != entries_.end() && it->first < end; ++it) {
    const std::uint64_t from = std::max(begin, it->first);
    const std::uint64_t to = std::min(end, it->second.end);
    if (from >= to) continue;
    if (!out.empty() && out.back().end == from && out.back().dirty == it->second.dirty) {
      out.back().end = to;
    } else {
      out.push_back({from, to, it->second.dirty});
    }
  }
}

std::uint64_t IntervalCache::resident_bytes(std::uint64_t begin, std::uint64_t end) const {
  std::vector<Run> runs;
  resident(begin, end, runs);
  std::uint64_t bytes = 0;
  for (const Run& r : runs) bytes += r.end - r.begin;
  return bytes;
}

}  // namespace sluice::cache
