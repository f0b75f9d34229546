#include "sim/models/compute/sector_cache.h"

#include <algorithm>
#include <bit>

namespace sluice::compute {

SectorCache::SectorCache(std::uint64_t capacity_bytes, std::uint32_t line_bytes)
    : set_count_(capacity_bytes / line_bytes / ways), sets_(set_count_) {}

// The upper half of a product spreads strides of any size over any number of sets.
std::size_t SectorCache::set_of(std::uint64_t line) const noexcept {
  const std::uint64_t hash = (line * 0x9e3779b97f4a7c15ULL) >> 32;
  return static_cast<std::size_t>((hash * set_count_) >> 32);
}

std::uint32_t SectorCache::way_of(const Set& set, std::uint64_t line) const noexcept {
  if (set.epoch != epoch_) return absent;
  const auto mark = static_cast<std::uint32_t>(line);
  std::uint32_t equal = 0;  // a bit a way, without branches
  for (std::uint32_t i = 0; i < ways; ++i) equal |= static_cast<std::uint32_t>(set.mark[i] == mark) << i;
  equal &= (1U << set.filled) - 1;
  for (; equal != 0; equal &= equal - 1) {
    const auto way = static_cast<std::uint32_t>(std::countr_zero(equal));
    if (set.tag[way] == line) return way;
  }
  return absent;
}

SectorCache::Result SectorCache::access(std::uint64_t line, std::uint32_t mask, bool write) {
  Result result;
  if (set_count_ == 0 || usable_ == 0) {
    if (write) result.written_back = static_cast<std::uint32_t>(std::popcount(mask));
    return result;
  }
  ++clock_;
  Set& set = sets_[set_of(line)];
  std::uint32_t way = way_of(set, line);
  if (way == absent) {
    if (set.epoch != epoch_) set.epoch = epoch_, set.filled = 0;
    if (set.filled < usable_) {
      way = set.filled++;
    } else {
      // The difference survives the clock's wrap.
      way = 0;
      for (std::uint32_t i = 1; i < usable_; ++i) {
        if (clock_ - set.used[i] > clock_ - set.used[way]) way = i;
      }
      result.written_back = static_cast<std::uint32_t>(std::popcount(set.dirty[way]));
      result.drove_out = true;
    }
    set.mark[way] = static_cast<std::uint32_t>(line);
    set.tag[way] = line;
    set.valid[way] = set.dirty[way] = 0;
  }
  result.hits = set.valid[way] & mask;
  set.used[way] = clock_;
  set.valid[way] = static_cast<std::uint8_t>(set.valid[way] | mask);
  if (write) set.dirty[way] = static_cast<std::uint8_t>(set.dirty[way] | mask);
  return result;
}

std::uint32_t SectorCache::present(std::uint64_t line, std::uint32_t mask) const {
  if (set_count_ == 0) return 0;
  const Set& set = sets_[set_of(line)];
  const std::uint32_t way = way_of(set, line);
  return way == absent ? 0 : set.valid[way] & mask;
}

void SectorCache::fill(std::uint64_t line, std::uint32_t mask) {
  if (set_count_ == 0) return;
  Set& set = sets_[set_of(line)];
  const std::uint32_t way = way_of(set, line);
  if (way != absent) set.valid[way] = static_cast<std::uint8_t>(set.valid[way] | mask);
}

std::uint64_t SectorCache::fingerprint() const {
  std::uint64_t print = 1;
  const auto mix = [&print](std::uint64_t value) {
    print = (print ^ value) * 0x9e3779b97f4a7c15ULL;
    print ^= print >> 29;
  };
  std::array<std::uint32_t, ways> order{};
  for (std::uint64_t number = 0; number < set_count_; ++number) {
    const Set& set = sets_[number];
    if (set.epoch != epoch_ || set.filled == 0) continue;
    for (std::uint32_t i = 0; i < set.filled; ++i) order[i] = i;
    std::sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(set.filled),
              [&](std::uint32_t a, std::uint32_t b) { return clock_ - set.used[a] < clock_ - set.used[b]; });
    mix(number);
    for (std::uint32_t i = 0; i < set.filled; ++i) {
      mix(set.tag[order[i]]);
      mix(static_cast<std::uint64_t>(set.valid[order[i]]) << 8 | set.dirty[order[i]]);
    }
  }
  return print | 1;
}

void SectorCache::clear(std::uint32_t usable_ways) {
  usable_ = std::min(usable_ways, ways);
  ++epoch_;
}

}  // namespace sluice::compute
