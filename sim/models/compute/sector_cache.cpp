#include "sim/models/compute/sector_cache.h"

#include <algorithm>
#include <array>
#include <bit>

namespace sluice::compute {

SectorCache::SectorCache(std::uint64_t capacity_bytes, std::uint32_t line_bytes)
    : sets_(capacity_bytes / line_bytes / ways), lines_(sets_ * ways) {}

// The upper half of a product spreads strides of any size over any number of sets.
std::size_t SectorCache::set_of(std::uint64_t line) const noexcept {
  const std::uint64_t hash = (line * 0x9e3779b97f4a7c15ULL) >> 32;
  return static_cast<std::size_t>((hash * sets_) >> 32) * ways;
}

SectorCache::Line* SectorCache::find(std::uint64_t line) noexcept {
  if (sets_ == 0) return nullptr;
  Line* set = lines_.data() + set_of(line);
  for (std::uint32_t i = 0; i < usable_; ++i) {
    if (set[i].tag == line && set[i].epoch == epoch_) return set + i;
  }
  return nullptr;
}

SectorCache::Result SectorCache::access(std::uint64_t line, std::uint32_t mask, bool write) {
  Result result;
  if (sets_ == 0 || usable_ == 0) {
    if (write) result.written_back = static_cast<std::uint32_t>(std::popcount(mask));
    return result;
  }
  ++clock_;
  Line* at = find(line);
  if (at == nullptr) {
    Line* set = lines_.data() + set_of(line);
    at = set;
    for (std::uint32_t i = 0; i < usable_; ++i) {
      if (set[i].epoch != epoch_) {
        at = set + i;
        break;
      }
      // The difference survives the clock's wrap.
      if (clock_ - set[i].used > clock_ - at->used) at = set + i;
    }
    if (at->epoch == epoch_) result.written_back = static_cast<std::uint32_t>(std::popcount(at->dirty));
    *at = {line, epoch_, clock_, 0, 0};
  }
  result.hits = at->valid & mask;
  at->used = clock_;
  at->valid = static_cast<std::uint8_t>(at->valid | mask);
  if (write) at->dirty = static_cast<std::uint8_t>(at->dirty | mask);
  return result;
}

std::uint32_t SectorCache::present(std::uint64_t line, std::uint32_t mask) const {
  const Line* at = const_cast<SectorCache*>(this)->find(line);
  return at == nullptr ? 0 : at->valid & mask;
}

void SectorCache::fill(std::uint64_t line, std::uint32_t mask) {
  Line* at = find(line);
  if (at != nullptr) at->valid = static_cast<std::uint8_t>(at->valid | mask);
}

std::uint64_t SectorCache::fingerprint() const {
  std::uint64_t print = 1;
  const auto mix = [&print](std::uint64_t value) {
    print = (print ^ value) * 0x9e3779b97f4a7c15ULL;
    print ^= print >> 29;
  };
  std::array<const Line*, ways> order{};
  for (std::uint64_t set = 0; set < sets_; ++set) {
    const Line* const first = lines_.data() + set * ways;
    std::size_t filled = 0;
    for (std::uint32_t i = 0; i < usable_; ++i) {
      if (first[i].epoch == epoch_) order[filled++] = first + i;
    }
    if (filled == 0) continue;
    std::sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(filled),
              [this](const Line* a, const Line* b) { return clock_ - a->used < clock_ - b->used; });
    mix(set);
    for (std::size_t i = 0; i < filled; ++i) {
      mix(order[i]->tag);
      mix(static_cast<std::uint64_t>(order[i]->valid) << 8 | order[i]->dirty);
    }
  }
  return print | 1;
}

void SectorCache::clear(std::uint32_t usable_ways) {
  usable_ = std::min(usable_ways, ways);
  ++epoch_;
}

}  // namespace sluice::compute
