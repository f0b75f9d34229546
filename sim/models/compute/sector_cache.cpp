#include "sim/models/compute/sector_cache.h"

#include <algorithm>

namespace sluice::compute {

SectorCache::Replaced SectorCache::replace(Set& set, std::uint64_t line, std::uint64_t hash) {
  if (set.epoch != epoch_) set.epoch = epoch_, set.filled = 0, set.order = ways_in_order;
  Replaced replaced;
  if (set.filled < usable_) {
    replaced.way = set.filled++;
  } else {
    // Ways that are not used have never been moved to the front.
    replaced.way = static_cast<std::uint8_t>(set.order >> (4 * (usable_ - 1)) & 0xf);
    replaced.written_back = static_cast<std::uint8_t>(count_sectors(set.dirty[replaced.way]));
  }
  const std::size_t way = replaced.way;
  std::uint64_t& marks = set.marks[way / 8];
  const unsigned shift = way % 8 * 8;
  marks = (marks & ~(std::uint64_t{0xff} << shift)) | std::uint64_t{mark_of(hash)} << shift;
  set.tag[way] = line;
  set.valid[way] = set.dirty[way] = 0;
  return replaced;
}

std::uint32_t SectorCache::present(std::uint64_t line, std::uint32_t mask) const {
  if (set_count_ == 0) return 0;
  const std::uint64_t hash = hash_of(line);
  const Set& set = sets_[set_of(hash)];
  const std::uint32_t way = way_of(set, line, hash);
  return way == absent ? 0 : set.valid[way] & mask;
}

// In the order of use: in which way a line lies does not matter.
std::uint64_t SectorCache::print_of(std::size_t number) const {
  const Set& set = sets_[number];
  if (set.epoch != epoch_ || set.filled == 0) return 0;
  std::uint64_t print = number;
  const auto mix = [&print](std::uint64_t value) {
    print = (print ^ value) * 0x9e3779b97f4a7c15ULL;
    print ^= print >> 29;
  };
  for (std::uint32_t i = 0; i < set.filled; ++i) {
    const auto way = static_cast<std::size_t>(set.order >> (4 * i)) & 0xf;
    mix(set.tag[way]);
    mix(static_cast<std::uint64_t>(set.valid[way]) << 8 | set.dirty[way]);
  }
  return print;
}

void SectorCache::set_print(std::size_t number, std::uint64_t print) {
  print_ += print - prints_[number];
  prints_[number] = print;
  sets_[number].changed = false;
}

std::uint64_t SectorCache::fingerprint(Changes* changes) {
  prints_.resize(set_count_);
  if (changes != nullptr) changes->sets_.reserve(changed_.size());
  for (const std::uint32_t number : changed_) {
    if (!sets_[number].changed) continue;
    set_print(number, print_of(number));
    if (changes != nullptr) changes->sets_.push_back({sets_[number], prints_[number], number});
  }
  changed_.clear();
  return print_;
}

void SectorCache::apply(const Changes& changes) {
  prints_.resize(set_count_);
  for (const Changes::Change& change : changes.sets_) {
    const bool listed = sets_[change.number].changed;
    sets_[change.number] = change.set;
    set_print(change.number, change.print);
    sets_[change.number].changed = listed;
  }
}

void SectorCache::clear(std::uint32_t usable_ways) {
  usable_ = std::min(usable_ways, ways);
  ++epoch_;
  prints_.clear();
  print_ = 1;
}

}  // namespace sluice::compute
