// A set-associative cache of lines with valid and dirty bits for each 32-byte sector, least recently used line out
// first. Only tags, no data; made for one look-up per line and memory instruction. Free of SystemC.
#pragma once

#include <emmintrin.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/models/compute/tag_memory.h"

namespace sluice::compute {

// Of the sectors in a line's mask.
inline constexpr auto sector_counts = [] {
  std::array<std::uint8_t, 256> counts{};
  for (unsigned mask = 0; mask < counts.size(); ++mask) counts[mask] = static_cast<std::uint8_t>(std::popcount(mask));
  return counts;
}();
[[nodiscard]] inline std::uint32_t count_sectors(std::uint32_t mask) noexcept {
  return sector_counts[mask & 0xff];
}

class SectorCache {
 public:
  static constexpr std::uint32_t ways = 16;

  // A capacity of less than one set gives a cache that holds nothing. `memory` must have tag_bytes() and outlive it.
  SectorCache(std::uint64_t capacity_bytes, std::uint32_t line_bytes, TagMemory& memory)
      : set_count_(capacity_bytes / line_bytes / ways) {
    auto* const tags = static_cast<std::byte*>(memory.take(tag_bytes(capacity_bytes, line_bytes)));
    sets_ = {reinterpret_cast<Set*>(tags), set_count_};
    dirty_ = {reinterpret_cast<Sectors*>(tags + set_count_ * sizeof(Set)), set_count_};
  }
  [[nodiscard]] static std::size_t tag_bytes(std::uint64_t capacity_bytes, std::uint32_t line_bytes) noexcept {
    const std::size_t bytes = capacity_bytes / line_bytes / ways * (sizeof(Set) + sizeof(Sectors));
    return (bytes + alignof(Set) - 1) / alignof(Set) * alignof(Set);
  }

  struct Result {
    std::uint32_t hits = 0;          // sectors of `mask` that were there
    std::uint32_t written_back = 0;  // dirty sectors that another line lost to this one
    std::uint8_t* valid = nullptr;   // the line's sectors, until the next access; nullptr: the cache holds nothing
  };
  // Reads or writes the sectors `mask` of `line` and leaves them valid; a write leaves them dirty. What of `line` lies above
  // its lowest key_bits decides where it lies, but is not remembered: of the lines that differ in that alone, all but one
  // must have been forgotten.
  Result access(std::uint64_t line, std::uint32_t mask, bool write) {
    if (set_count_ == 0 || usable_ == 0) return {0, write ? count_sectors(mask) : 0, nullptr};
    const std::size_t number = set_of(hash_of(line));
    Set& set = sets_[number];
    std::uint32_t way = way_of(set, line);
    Result result;
    if (way == absent) {
      const Replaced replaced = replace(number, line);
      way = replaced.way;
      result.written_back = replaced.written_back;
    } else {
      result.hits = set.valid[way] & mask;
    }
    renew(set, way);
    note_change(number);
    set.valid[way] = static_cast<std::uint8_t>(set.valid[way] | mask);
    if (write) {
      std::uint8_t& dirty = dirty_[number][way];
      dirty = static_cast<std::uint8_t>(((set.written >> way & 1) != 0 ? dirty : 0) | mask);
      set.written = static_cast<std::uint16_t>(set.written | 1U << way);
    }
    result.valid = &set.valid[way];
    return result;
  }
  // Brings what a look-up of `line` will need nearer to the host's processor. Inlined always: GCC drops calls of functions
  // that do nothing else.
  [[gnu::always_inline]] void expect(std::uint64_t line, bool write) const noexcept {
    if (set_count_ != 0) expect_set(set_of(hash_of(line)), write);
  }
  // The sectors of `mask` that are there, which neither fills nor renews.
  [[nodiscard]] std::uint32_t present(std::uint64_t line, std::uint32_t mask) const;
  [[nodiscard]] std::uint32_t usable_ways() const noexcept { return set_count_ == 0 ? 0 : usable_; }
  [[nodiscard]] std::size_t sets() const noexcept { return set_count_; }
  [[nodiscard]] std::size_t set_of_line(std::uint64_t line) const noexcept { return set_of(hash_of(line)); }
  // As if it was accessed now; `valid`: of the Result of its last access, nothing of its set was replaced since.
  void renew(const std::uint8_t* valid) noexcept {
    const auto behind = static_cast<std::size_t>(valid - reinterpret_cast<const std::uint8_t*>(sets_.data()));
    Set& set = sets_[behind / sizeof(Set)];
    renew(set, static_cast<std::uint32_t>(valid - set.valid.data()));
  }
  // `line`, or all lines whose numbers have the bit, will not be found again; their places stay taken.
  void forget(std::uint64_t line);
  void forget_all(unsigned bit);
  // Part of what it holds, to be put back.
  class Changes;
  // Differs, as far as 64 bits can, where any later access could. `changes`: of what was accessed since it was asked for
  // last, as it is now.
  [[nodiscard]] std::uint64_t fingerprint(Changes* changes = nullptr);
  void apply(const Changes& changes);
  // Forgets everything, without writing back. `usable_ways` of each set from now on.
  void clear(std::uint32_t usable_ways = ways);

 private:
  static constexpr unsigned key_bits = 48;
  using Sectors = std::array<std::uint8_t, ways>;
  // Two of the host's cache lines, of which a look-up needs both.
  struct alignas(64) Set {
    std::array<std::uint16_t, ways> high;  // of the line's key_bits
    Sectors valid;
    std::uint64_t order;    // a way in four bits, the most recently used one lowest
    std::uint32_t epoch;    // of the last clear() that it saw; another one: empty
    std::uint16_t written;  // ways that have dirty sectors
    std::uint8_t filled;    // ways in use, from the first
    bool changed;           // perhaps, since the last fingerprint(); then it is in changed_
    alignas(64) std::array<std::uint32_t, ways> low;
  };
  static_assert(sizeof(Set) == 128);
  static constexpr std::uint64_t ways_in_order = 0xfedcba9876543210ULL;
  static constexpr std::uint32_t absent = ways;

  [[nodiscard]] static std::uint64_t hash_of(std::uint64_t line) noexcept { return line * 0x9e3779b97f4a7c15ULL; }
  // The upper half of a product spreads strides of any size over any number of sets.
  [[nodiscard]] std::size_t set_of(std::uint64_t hash) const noexcept {
    return static_cast<std::size_t>(((hash >> 32) * set_count_) >> 32);
  }
  [[nodiscard]] std::uint32_t way_of(const Set& set, std::uint64_t line) const noexcept {
    if (set.epoch != epoch_) return absent;
    const __m128i low = _mm_set1_epi32(static_cast<int>(line));
    const __m128i high = _mm_set1_epi16(static_cast<short>(line >> 32));
    const auto equal = [](const auto* values, std::size_t i, __m128i wanted, auto compare) {
      return compare(_mm_load_si128(reinterpret_cast<const __m128i*>(values) + i), wanted);
    };
    const auto low_equal = [&](std::size_t i) {
      return equal(set.low.data(), i, low, [](__m128i a, __m128i b) { return _mm_cmpeq_epi32(a, b); });
    };
    const auto high_equal = [&](std::size_t i) {
      return equal(set.high.data(), i, high, [](__m128i a, __m128i b) { return _mm_cmpeq_epi16(a, b); });
    };
    const __m128i first = _mm_and_si128(_mm_packs_epi32(low_equal(0), low_equal(1)), high_equal(0));
    const __m128i second = _mm_and_si128(_mm_packs_epi32(low_equal(2), low_equal(3)), high_equal(1));
    const auto found = static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(first, second)));
    const std::uint32_t there = found & ((1U << set.filled) - 1);
    return there == 0 ? absent : static_cast<std::uint32_t>(std::countr_zero(there));
  }
  // Moves `way` to the lowest place of the order.
  static void renew(Set& set, std::uint32_t way) noexcept {
    if ((set.order & 0xf) == way) return;
    constexpr std::uint64_t ones = 0x1111111111111111ULL;
    const std::uint64_t differ = set.order ^ (ones * way);
    const std::uint64_t equal = (differ - ones) & ~differ & (ones << 3);
    const std::uint64_t lower = (std::uint64_t{1} << (std::countr_zero(equal) - 3)) - 1;
    set.order = (set.order & ~(lower << 4 | 0xf)) | (set.order & lower) << 4 | way;
  }
  // A way for a line that is not there.
  struct Replaced {
    std::uint8_t way = 0;
    std::uint8_t written_back = 0;
  };
  [[gnu::always_inline]] void expect_set(std::size_t number, bool write) const noexcept {
    __builtin_prefetch(&sets_[number]);
    __builtin_prefetch(&sets_[number].low);
    if (write) __builtin_prefetch(&dirty_[number]);
  }
  Replaced replace(std::size_t number, std::uint64_t line);
  void forget_way(std::size_t number, std::size_t way);
  void note_change(std::size_t number) {
    if (sets_[number].changed) return;
    sets_[number].changed = true;
    changed_.push_back(static_cast<std::uint32_t>(number));
  }
  [[nodiscard]] std::uint64_t print_of(std::size_t number) const;
  void set_print(std::size_t number, std::uint64_t print);

  std::uint64_t set_count_;
  std::uint32_t usable_ = ways;
  std::uint32_t epoch_ = 1;
  std::span<Set> sets_;       // zeros until something comes to them
  std::span<Sectors> dirty_;  // of ways that are written; few look at it
  std::vector<std::uint32_t> changed_;  // sets, among others, that are marked so
  std::vector<std::uint64_t> prints_;   // of sets, once they are asked for
  std::uint64_t print_ = 1;            // their sum
};

class SectorCache::Changes {
 public:
  [[nodiscard]] std::size_t bytes() const noexcept { return sets_.size() * (sizeof(Set) + sizeof(Rest)); }

 private:
  friend SectorCache;
  struct Rest {
    Sectors dirty;
    std::uint64_t print;
    std::size_t number;
  };
  std::vector<Set> sets_;
  std::vector<Rest> rests_;  // one for each of sets_
};

}  // namespace sluice::compute
