#include "sim/models/compute/sector_cache.h"

#include <algorithm>

namespace sluice::compute {
namespace {

constexpr std::size_t ahead = 8;  // sets; by then what was asked for is there

}  // namespace

SectorCache::Replaced SectorCache::replace(std::size_t number, std::uint64_t line) {
  Set& set = sets_[number];
  if (set.epoch != epoch_) set.epoch = epoch_, set.filled = 0, set.written = 0, set.order = ways_in_order;
  Replaced replaced;
  if (set.filled < usable_) {
    replaced.way = set.filled++;
  } else {
    // Ways that are not used have never been moved to the front.
    replaced.way = static_cast<std::uint8_t>(set.order >> (4 * (usable_ - 1)) & 0xf);
    if (const std::uint32_t bit = 1U << replaced.way; (set.written & bit) != 0) {
      replaced.written_back = static_cast<std::uint8_t>(count_sectors(dirty_[number][replaced.way]));
      set.written = static_cast<std::uint16_t>(set.written & ~bit);
    }
  }
  set.low[replaced.way] = static_cast<std::uint32_t>(line);
  set.high[replaced.way] = static_cast<std::uint16_t>(line >> 32);
  set.valid[replaced.way] = 0;
  return replaced;
}

std::uint32_t SectorCache::present(std::uint64_t line, std::uint32_t mask) const {
  if (set_count_ == 0) return 0;
  const Set& set = sets_[set_of(hash_of(line))];
  const std::uint32_t way = way_of(set, line);
  return way == absent ? 0 : set.valid[way] & mask;
}

void SectorCache::forget(std::uint64_t line) {
  if (set_count_ == 0) return;
  const std::size_t number = set_of(hash_of(line));
  const std::uint32_t way = way_of(sets_[number], line);
  if (way != absent) forget_way(number, way);
}

void SectorCache::forget_all(unsigned bit) {
  for (std::size_t number = 0; number < sets_.size(); ++number) {
    const Set& set = sets_[number];
    if (set.epoch != epoch_) continue;
    for (std::size_t way = 0; way < set.filled; ++way) {
      if ((set.high[way] >> (bit - 32) & 1) != 0) forget_way(number, way);
    }
  }
}

// No line has this number.
void SectorCache::forget_way(std::size_t number, std::size_t way) {
  sets_[number].low[way] = ~std::uint32_t{0};
  sets_[number].high[way] = static_cast<std::uint16_t>(~0U);
  note_change(number);
}

// In the order of use: in which way a line lies does not matter. The sum of a mixture for each place in that order, which
// the host's processor works out side by side.
std::uint64_t SectorCache::print_of(std::size_t number) const {
  const Set& set = sets_[number];
  if (set.epoch != epoch_ || set.filled == 0) return 0;
  const auto mix = [](std::uint64_t value) {
    value = (value ^ value >> 32) * 0xd6e8feb86659fd93ULL;
    value = (value ^ value >> 32) * 0xd6e8feb86659fd93ULL;
    return value ^ value >> 32;
  };
  std::uint64_t print = 0;
  for (std::uint32_t i = 0; i < set.filled; ++i) {
    const auto way = static_cast<std::size_t>(set.order >> (4 * i)) & 0xf;
    const std::uint64_t dirty = (set.written >> way & 1) != 0 ? dirty_[number][way] : 0;
    const std::uint64_t line = dirty << 56 | std::uint64_t{set.valid[way]} << key_bits |
                               std::uint64_t{set.high[way]} << 32 | set.low[way];
    print += mix(line + (i + 1) * 0x9e3779b97f4a7c15ULL);
  }
  return mix(print + number);
}

void SectorCache::set_print(std::size_t number, std::uint64_t print) {
  print_ += print - prints_[number];
  prints_[number] = print;
  sets_[number].changed = false;
}

std::uint64_t SectorCache::fingerprint(Changes* changes) {
  prints_.resize(set_count_);
  if (changes != nullptr) changes->sets_.reserve(changed_.size()), changes->rests_.reserve(changed_.size());
  for (std::size_t i = 0; i < changed_.size(); ++i) {
    if (i + ahead < changed_.size()) expect_set(changed_[i + ahead], true);
    const std::uint32_t number = changed_[i];
    if (!sets_[number].changed) continue;
    set_print(number, print_of(number));
    if (changes == nullptr) continue;
    changes->sets_.push_back(sets_[number]);
    changes->rests_.push_back({dirty_[number], prints_[number], number});
  }
  changed_.clear();
  return print_;
}

void SectorCache::apply(const Changes& changes) {
  prints_.resize(set_count_);
  for (std::size_t i = 0; i < changes.sets_.size(); ++i) {
    if (i + ahead < changes.sets_.size()) expect_set(changes.rests_[i + ahead].number, true);
    const Changes::Rest& rest = changes.rests_[i];
    const bool listed = sets_[rest.number].changed;
    sets_[rest.number] = changes.sets_[i];
    dirty_[rest.number] = rest.dirty;
    set_print(rest.number, rest.print);
    sets_[rest.number].changed = listed;
  }
}

void SectorCache::clear(std::uint32_t usable_ways) {
  usable_ = std::min(usable_ways, ways);
  ++epoch_;
  prints_.clear();
  print_ = 1;
}

}  // namespace sluice::compute
