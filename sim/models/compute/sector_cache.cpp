#include "sim/models/compute/sector_cache.h"

#include <algorithm>

namespace sluice::compute {
namespace {

constexpr std::size_t ahead = 8;  // sets; by then what was asked for is there

// Of set `number` with these lines. The sum of a mixture for each place in the order of use, which the host's processor
// works out side by side.
std::uint64_t print_of(std::size_t number, std::span<const std::uint64_t> lines) {
  if (lines.empty()) return 0;
  const auto mix = [](std::uint64_t value) {
    value = (value ^ value >> 32) * 0xd6e8feb86659fd93ULL;
    value = (value ^ value >> 32) * 0xd6e8feb86659fd93ULL;
    return value ^ value >> 32;
  };
  std::uint64_t print = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) print += mix(lines[i] + (i + 1) * 0x9e3779b97f4a7c15ULL);
  return mix(print + number);
}

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

// Writes the set's lines in the order of use, the last one first, and returns how many they are. In which way a line
// lies does not matter.
std::uint32_t SectorCache::pack(std::size_t number, std::uint64_t* lines) const {
  const Set& set = sets_[number];
  if (set.epoch != epoch_) return 0;
  for (std::uint32_t i = 0; i < set.filled; ++i)
    lines[i] = packed(number, static_cast<std::size_t>(set.order >> (4 * i)) & 0xf);
  return set.filled;
}

void SectorCache::unpack(std::size_t number, std::span<const std::uint64_t> lines) {
  Set& set = sets_[number];
  set.epoch = epoch_;
  set.order = ways_in_order;
  set.filled = static_cast<std::uint8_t>(lines.size());
  set.written = 0;
  for (std::size_t way = 0; way < lines.size(); ++way) {
    const std::uint64_t line = lines[way];
    set.low[way] = static_cast<std::uint32_t>(line);
    set.high[way] = static_cast<std::uint16_t>(line >> 32);
    set.valid[way] = static_cast<std::uint8_t>(line >> key_bits);
    dirty_[number][way] = static_cast<std::uint8_t>(line >> 56);
    set.written = static_cast<std::uint16_t>(set.written | (line >> 56 != 0 ? 1U << way : 0U));
  }
}

void SectorCache::set_print(std::size_t number, std::uint64_t print) {
  print_ += print - prints_[number];
  prints_[number] = print;
}

std::uint64_t SectorCache::fingerprint(Changes* changes) {
  prints_.resize(set_count_);
  packed_.resize((changes != nullptr ? changed_.size() : 1) * ways);
  if (changes != nullptr) changes->heads_.reserve(changed_.size());
  std::uint64_t* lines = packed_.data();
  for (std::size_t i = 0; i < changed_.size(); ++i) {
    if (i + ahead < changed_.size()) expect_set(changed_[i + ahead], true);
    const std::uint32_t number = changed_[i];
    const std::uint32_t count = pack(number, lines);
    set_print(number, print_of(number, {lines, count}));
    sets_[number].changed = false;
    if (changes == nullptr) continue;
    const auto first = static_cast<std::uint32_t>(lines - packed_.data());
    changes->heads_.push_back({number, first, prints_[number]});
    lines += count;
  }
  if (changes != nullptr) changes->lines_.assign(packed_.data(), lines);
  changed_.clear();
  return print_;
}

std::span<const std::uint64_t> SectorCache::Changes::lines_of(std::size_t head) const {
  const std::size_t first = heads_[head].first;
  const std::size_t end = head + 1 < heads_.size() ? heads_[head + 1].first : lines_.size();
  return {lines_.data() + first, end - first};
}

std::size_t SectorCache::Changes::find(std::size_t number) const {
  if (places_.empty()) {
    for (std::size_t i = 0; i < heads_.size(); ++i) {
      if (heads_[i].set >= places_.size()) places_.resize(heads_[i].set + std::size_t{1});
      places_[heads_[i].set] = static_cast<std::uint32_t>(i + 1);
    }
  }
  return number < places_.size() && places_[number] != 0 ? places_[number] - std::size_t{1} : heads_.size();
}

void SectorCache::apply(const Changes& changes) {
  prints_.resize(set_count_);
  for (std::size_t i = 0; i < changes.heads_.size(); ++i) {
    if (i + ahead < changes.heads_.size()) expect_set(changes.heads_[i + ahead].set, true);
    unpack(changes.heads_[i].set, changes.lines_of(i));
    set_print(changes.heads_[i].set, changes.heads_[i].print);
  }
}

bool SectorCache::apply(const Changes& changes, std::size_t number) {
  const std::size_t head = changes.find(number);
  if (head == changes.heads_.size()) return false;
  prints_.resize(set_count_);
  unpack(number, changes.lines_of(head));
  set_print(number, changes.heads_[head].print);
  return true;
}

void SectorCache::copy(std::size_t number, Changes& changes) {
  prints_.resize(set_count_);
  changes.heads_.push_back({static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(changes.lines_.size()),
                            prints_[number]});
  changes.lines_.resize(changes.lines_.size() + ways);
  const std::uint32_t count = pack(number, changes.lines_.data() + changes.heads_.back().first);
  changes.lines_.resize(changes.heads_.back().first + count);
}

void SectorCache::clear(std::uint32_t usable_ways) {
  usable_ = std::min(usable_ways, ways);
  ++epoch_;
  prints_.clear();
  print_ = 1;
}

}  // namespace sluice::compute
