#include "sim/cache/interval_cache.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sluice::cache {

void IntervalCache::append(std::uint64_t begin, std::uint64_t end, bool dirty) {
  if (!ages_.empty()) {
    // The youngest entry ends where the new lines begin: one run, still in the order of its lines' ages.
    Entry& youngest = entries_.find(ages_.back())->second;
    if (youngest.end == begin && youngest.dirty == dirty) {
      youngest.end = end;
      used_ += end - begin;
      return;
    }
  }
  std::list<std::uint64_t> age{begin};  // apart until nothing can fail any more
  entries_.emplace(begin, Entry{end, dirty, age.begin()});
  ages_.splice(ages_.end(), age);
  used_ += end - begin;
}

void IntervalCache::erase(Map::iterator it) {
  used_ -= it->second.end - it->first;
  ages_.erase(it->second.age);
  entries_.erase(it);
}

void IntervalCache::split(std::uint64_t at) {
  auto it = entries_.upper_bound(at);
  if (it == entries_.begin()) return;
  --it;
  if (it->first == at || it->second.end <= at) return;
  std::list<std::uint64_t> age{at};
  entries_.emplace_hint(std::next(it), at, Entry{it->second.end, it->second.dirty, age.begin()});
  ages_.splice(std::next(it->second.age), age);
  it->second.end = at;
}

void IntervalCache::remove(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return;
  split(begin);
  split(end);
  auto it = entries_.lower_bound(begin);
  while (it != entries_.end() && it->first < end) erase(it++);
}

void IntervalCache::clean(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return;
  split(begin);
  split(end);
  auto it = entries_.lower_bound(begin);
  // One past the range as well: its entry may continue the last one of the range.
  while (it != entries_.end() && it->first <= end) {
    if (it->first < end) it->second.dirty = false;
    const auto current = it++;
    if (current == entries_.begin()) continue;
    const auto before = std::prev(current);
    if (before->second.end == current->first && before->second.dirty == current->second.dirty &&
        std::next(before->second.age) == current->second.age) {
      before->second.end = current->second.end;
      ages_.erase(current->second.age);
      entries_.erase(current);
    }
  }
}

void IntervalCache::make_room(std::uint64_t bytes, std::vector<Run>* victims) {
  while (used_ + bytes > capacity_) {
    const auto it = entries_.find(ages_.front());
    const std::uint64_t oldest = it->first;
    const std::uint64_t over = std::min(used_ + bytes - capacity_, it->second.end - oldest);
    report({oldest, oldest + over, it->second.dirty}, victims);
    if (oldest + over == it->second.end) {
      erase(it);
    } else {
      auto node = entries_.extract(it);
      node.key() = oldest + over;
      *node.mapped().age = oldest + over;
      entries_.insert(std::move(node));
      used_ -= over;
    }
  }
}

void IntervalCache::report(const Run& run, std::vector<Run>* victims) {
  if (victims == nullptr) return;
  if (!victims->empty() && victims->back().end == run.begin && victims->back().dirty == run.dirty) {
    victims->back().end = run.end;
  } else {
    victims->push_back(run);
  }
}

void IntervalCache::touch(std::uint64_t begin, std::uint64_t end, bool dirty, std::vector<Run>* victims) {
  if (begin >= end || capacity_ == 0) return;
  if (!ages_.empty()) {
    // Repeated use of the youngest lines changes nothing.
    const auto youngest = entries_.find(ages_.back());
    if (youngest->first <= begin && youngest->second.end == end && (youngest->second.dirty || !dirty)) return;
  }
  // In address order, as line-by-line accesses would go: a part further on may fall victim before its turn comes, and
  // is then written back and fetched anew.
  std::uint64_t at = begin;
  while (at < end) {
    auto next = entries_.upper_bound(at);
    auto hit = next == entries_.begin() ? entries_.end() : std::prev(next);
    if (hit != entries_.end() && hit->second.end > at) {
      const std::uint64_t to = std::min(end, hit->second.end);
      const bool state = dirty || hit->second.dirty;
      if (hit->first == at && hit->second.end == to) {
        const auto youngest = entries_.find(ages_.back());
        if (youngest == hit || youngest->second.end != at || youngest->second.dirty != state) {
          hit->second.dirty = state;
          ages_.splice(ages_.end(), ages_, hit->second.age);
          at = to;
          continue;
        }
      }
      remove(at, to);
      append(at, to, state);
      at = to;
    } else {
      const std::uint64_t to = next == entries_.end() ? end : std::min(end, next->first);
      const std::uint64_t kept = std::min(to - at, capacity_);
      make_room(kept, victims);
      // Longer than the cache: the head leaves before the tail arrives.
      if (to - kept > at) report({at, to - kept, dirty}, victims);
      append(to - kept, to, dirty);
      at = to;
    }
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
