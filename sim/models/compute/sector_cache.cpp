#include "sim/models/compute/sector_cache.h"

#include <algorithm>
#include <bit>
#include <new>

namespace sluice::compute {

SectorCache::SectorCache(std::uint64_t capacity_bytes, std::uint32_t line_bytes)
    : set_count_(capacity_bytes / line_bytes / ways), memory_(std::calloc(set_count_ + 1, sizeof(Set))) {
  if (memory_ == nullptr) throw std::bad_alloc();
  void* begin = memory_.get();
  std::size_t room = (set_count_ + 1) * sizeof(Set);
  sets_ = {static_cast<Set*>(std::align(alignof(Set), set_count_ * sizeof(Set), begin, room)), set_count_};
}

std::uint32_t SectorCache::way_of(const Set& set, std::uint64_t line, std::uint64_t hash) const noexcept {
  if (set.epoch != epoch_) return absent;
  constexpr std::uint64_t ones = 0x0101010101010101ULL;
  for (std::uint32_t half = 0; half < set.marks.size(); ++half) {
    const std::uint64_t differ = set.marks[half] ^ (ones * mark_of(hash));
    // The high bit of each byte that is zero; a byte above one may be marked, too, which its tag tells.
    for (std::uint64_t equal = (differ - ones) & ~differ & (ones << 7); equal != 0; equal &= equal - 1) {
      const std::uint32_t way = 8 * half + static_cast<std::uint32_t>(std::countr_zero(equal)) / 8;
      if (way < set.filled && set.tag[way] == line) return way;
    }
  }
  return absent;
}

// Moves `way` to the lowest place of the order.
void SectorCache::renew(Set& set, std::uint32_t way) noexcept {
  constexpr std::uint64_t ones = 0x1111111111111111ULL;
  const std::uint64_t differ = set.order ^ (ones * way);
  const std::uint64_t equal = (differ - ones) & ~differ & (ones << 3);
  const std::uint64_t lower = (std::uint64_t{1} << (std::countr_zero(equal) - 3)) - 1;
  set.order = (set.order & ~(lower << 4 | 0xf)) | (set.order & lower) << 4 | way;
}

SectorCache::Result SectorCache::access(std::uint64_t line, std::uint32_t mask, bool write) {
  Result result;
  if (set_count_ == 0 || usable_ == 0) {
    if (write) result.written_back = count_sectors(mask);
    return result;
  }
  const std::uint64_t hash = hash_of(line);
  Set& set = sets_[set_of(hash)];
  std::uint32_t way = way_of(set, line, hash);
  if (way == absent) {
    if (set.epoch != epoch_) set.epoch = epoch_, set.filled = 0, set.order = ways_in_order;
    if (set.filled < usable_) {
      way = set.filled++;
    } else {
      // Ways that are not used have never been moved to the front.
      way = static_cast<std::uint32_t>(set.order >> (4 * (usable_ - 1))) & 0xf;
      result.written_back = count_sectors(set.dirty[way]);
      result.drove_out = true;
    }
    std::uint64_t& marks = set.marks[way / 8];
    const unsigned shift = way % 8 * 8;
    marks = (marks & ~(std::uint64_t{0xff} << shift)) | std::uint64_t{mark_of(hash)} << shift;
    set.tag[way] = line;
    set.valid[way] = set.dirty[way] = 0;
  }
  result.hits = set.valid[way] & mask;
  renew(set, way);
  set.valid[way] = static_cast<std::uint8_t>(set.valid[way] | mask);
  if (write) set.dirty[way] = static_cast<std::uint8_t>(set.dirty[way] | mask);
  return result;
}

std::uint32_t SectorCache::present(std::uint64_t line, std::uint32_t mask) const {
  if (set_count_ == 0) return 0;
  const std::uint64_t hash = hash_of(line);
  const Set& set = sets_[set_of(hash)];
  const std::uint32_t way = way_of(set, line, hash);
  return way == absent ? 0 : set.valid[way] & mask;
}

void SectorCache::fill(std::uint64_t line, std::uint32_t mask) {
  if (set_count_ == 0) return;
  const std::uint64_t hash = hash_of(line);
  Set& set = sets_[set_of(hash)];
  const std::uint32_t way = way_of(set, line, hash);
  if (way != absent) set.valid[way] = static_cast<std::uint8_t>(set.valid[way] | mask);
}

std::uint64_t SectorCache::fingerprint() const {
  std::uint64_t print = 1;
  const auto mix = [&print](std::uint64_t value) {
    print = (print ^ value) * 0x9e3779b97f4a7c15ULL;
    print ^= print >> 29;
  };
  for (std::uint64_t number = 0; number < set_count_; ++number) {
    const Set& set = sets_[number];
    if (set.epoch != epoch_ || set.filled == 0) continue;
    mix(number);
    for (std::uint32_t i = 0; i < set.filled; ++i) {
      const auto way = static_cast<std::size_t>(set.order >> (4 * i)) & 0xf;
      mix(set.tag[way]);
      mix(static_cast<std::uint64_t>(set.valid[way]) << 8 | set.dirty[way]);
    }
  }
  return print | 1;
}

void SectorCache::clear(std::uint32_t usable_ways) {
  usable_ = std::min(usable_ways, ways);
  ++epoch_;
}

}  // namespace sluice::compute
