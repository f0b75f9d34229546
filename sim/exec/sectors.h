// What the lanes of a wavefront touch together: 32-byte sectors of memory, 4-byte banks of local memory.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/iface/kernel_engine.h"

namespace sluice::exec {

inline constexpr std::uint32_t most_lanes = 128;         // of a wavefront
inline constexpr std::uint64_t most_access_bytes = 256;  // of a lane
inline constexpr std::uint64_t local_banks = 32;
inline constexpr std::uint64_t bank_bytes = 4;

// A set that is emptied at no cost; for as many keys as one access can have. The fewer it is told to be for, the less of
// the host's cache it takes.
class KeySet {
 public:
  // For at most `most` keys.
  void clear(std::size_t most) {
    bits_ = std::min<unsigned>(std::max<unsigned>(std::bit_width(most) + 1, 6), bits);
    if (++round_ == 0) {
      rounds_.fill(0);
      round_ = 1;
    }
  }
  // False: it was there.
  bool insert(std::uint64_t key) {
    const std::size_t last = (std::size_t{1} << bits_) - 1;
    for (std::size_t i = (key * 0x9E3779B97F4A7C15U) >> (64 - bits_);; i = (i + 1) & last) {
      if (rounds_[i] != round_) {
        rounds_[i] = round_;
        keys_[i] = key;
        return true;
      }
      if (keys_[i] == key) return false;
    }
  }

 private:
  static constexpr unsigned bits = 14;
  static constexpr std::size_t size = std::size_t{1} << bits;
  static_assert(size > most_lanes * (most_access_bytes / bank_bytes + 1));
  std::array<std::uint64_t, size> keys_{};
  std::array<std::uint32_t, size> rounds_{};
  std::uint32_t round_ = 0;
  unsigned bits_ = bits;
};

// Appends the distinct sectors and returns how many: from the lowest on where they lie near each other, so that those of a
// line follow one another, else in order of first touch.
inline std::uint32_t coalesce(std::span<const std::uint64_t> addresses, std::uint64_t bytes, KeySet& seen,
                              std::vector<std::uint64_t>& sectors) {
  const std::size_t before = sectors.size();
  const std::uint64_t first = addresses.front();
  const std::uint64_t stride = addresses.size() > 1 ? addresses[1] - first : 0;
  bool regular = stride <= std::max<std::uint64_t>(sector_bytes, bytes);
  if (regular) {
    std::uint64_t differ = 0;
    for (std::size_t i = 0; i < addresses.size(); ++i) differ |= addresses[i] ^ (first + i * stride);
    regular = differ == 0;
  }
  if (regular) {  // no gap between neighbours
    const std::uint64_t last = (addresses.back() + bytes - 1) / sector_bytes;
    for (std::uint64_t sector = first / sector_bytes; sector <= last; ++sector) sectors.push_back(sector);
    return static_cast<std::uint32_t>(sectors.size() - before);
  }
  // Near each other, and none in two sectors: a bit each, in any order.
  if (std::has_single_bit(bytes) && bytes <= sector_bytes) {
    constexpr std::uint64_t below = 32;  // sectors that may lie below the first lane's
    const std::uint64_t base = first / sector_bytes - below;
    std::uint64_t touched = 0, any = 0, farthest = 0;
    for (const std::uint64_t address : addresses) {
      const std::uint64_t sector = address / sector_bytes - base;
      any |= address;
      farthest |= sector;
      touched |= std::uint64_t{1} << sector % 64;
    }
    if (farthest < 64 && any % bytes == 0) {
      std::array<std::uint64_t, 64> each;
      std::ptrdiff_t count = 0;
      for (; touched != 0; touched &= touched - 1)
        each[static_cast<std::size_t>(count++)] = base + static_cast<std::uint64_t>(std::countr_zero(touched));
      sectors.insert(sectors.end(), each.begin(), each.begin() + count);
      return static_cast<std::uint32_t>(count);
    }
  }
  if (bytes <= sector_bytes) {  // as long as addresses rise, what was touched lies below
    std::array<std::uint64_t, 2 * most_lanes + 1> rising;
    std::size_t count = 0;
    std::uint64_t previous = 0, next = 0;
    bool falls = false;
    for (const std::uint64_t address : addresses) {
      falls = address < previous;
      if (falls) break;
      previous = address;
      const std::uint64_t begin = address / sector_bytes, last = (address + bytes - 1) / sector_bytes;
      // Both are written where one is, so that nothing is to be predicted.
      rising[count] = begin;
      count += begin >= next ? 1 : 0;
      rising[count] = last;
      count += last > begin && last >= next ? 1 : 0;
      next = last + 1;
    }
    if (!falls) {
      sectors.insert(sectors.end(), rising.begin(), rising.begin() + static_cast<std::ptrdiff_t>(count));
      return static_cast<std::uint32_t>(count);
    }
  }
  std::uint64_t lowest = ~std::uint64_t{0}, highest = 0;
  for (const std::uint64_t address : addresses) {
    lowest = std::min(lowest, address);
    highest = std::max(highest, address);
  }
  lowest /= sector_bytes;
  if ((highest + bytes - 1) / sector_bytes - lowest < 64) {
    std::uint64_t touched = 0;
    for (const std::uint64_t address : addresses) {
      const std::uint64_t begin = address / sector_bytes - lowest, last = (address + bytes - 1) / sector_bytes - lowest;
      touched |= (~std::uint64_t{0} >> (63 - (last - begin))) << begin;
    }
    for (; touched != 0; touched &= touched - 1)
      sectors.push_back(lowest + static_cast<std::uint64_t>(std::countr_zero(touched)));
    return static_cast<std::uint32_t>(sectors.size() - before);
  }
  seen.clear(addresses.size() * ((bytes + sector_bytes - 2) / sector_bytes + 1));
  for (const std::uint64_t address : addresses) {
    const std::uint64_t last = (address + bytes - 1) / sector_bytes;
    for (std::uint64_t sector = address / sector_bytes; sector <= last; ++sector) {
      if (seen.insert(sector)) sectors.push_back(sector);
    }
  }
  return static_cast<std::uint32_t>(sectors.size() - before);
}

// The largest number of different words that lanes want from one bank; lanes that read one word share it, lanes that
// change it atomically do so one after the other.
inline std::uint32_t bank_conflicts(std::span<const std::uint64_t> addresses, std::uint64_t bytes, bool atomic,
                                    KeySet& seen) {
  // Within two rows of banks, and words whole or in one: a bit for each word.
  if (!atomic && (bytes % bank_bytes == 0 ? bytes - 1 < local_banks * bank_bytes : bytes <= 2)) {
    const std::uint64_t base = addresses.front() / bank_bytes / local_banks * local_banks;
    const std::uint64_t more = (bytes - 1) / bank_bytes;  // words of a lane
    const std::uint64_t one = ~std::uint64_t{0} >> (63 - more);
    std::uint64_t touched = 0, any = 0, farthest = 0;
    for (const std::uint64_t address : addresses) {
      const std::uint64_t word = address / bank_bytes - base;
      any |= address;
      farthest |= word | (word + more);
      touched |= one << word % 64;
    }
    if (farthest < 2 * local_banks && any % std::min(bytes, bank_bytes) == 0)
      return (touched & touched >> local_banks) == 0 ? 1 : 2;
  }
  std::array<std::uint32_t, local_banks> wanted{};
  // One word each, from the lowest on: all differ.
  std::uint64_t previous = 0;
  const bool rises = std::all_of(addresses.begin(), addresses.end(), [&](std::uint64_t address) {
    const std::uint64_t below = previous;
    previous = address / bank_bytes + 1;
    return previous > below && address % bank_bytes + bytes <= bank_bytes;
  });
  if (rises) {
    for (const std::uint64_t address : addresses) ++wanted[address / bank_bytes % local_banks];
    return *std::max_element(wanted.begin(), wanted.end());
  }
  // As a rule few words are wanted from a bank; a set of words is for what has more.
  constexpr std::uint32_t few = 4;
  std::array<std::array<std::uint64_t, few>, local_banks> words;
  const auto is_new = [&](std::uint64_t word, std::uint64_t bank) {
    const std::uint64_t* const known = words[bank].data();
    const std::uint32_t count = std::min(wanted[bank], few);
    if (std::find(known, known + count, word) != known + count) return false;
    if (count == few) return seen.insert(word);
    words[bank][count] = word;
    return true;
  };
  seen.clear(addresses.size() * ((bytes + bank_bytes - 2) / bank_bytes + 1));
  for (const std::uint64_t address : addresses) {
    const std::uint64_t last = (address + bytes - 1) / bank_bytes;
    for (std::uint64_t word = address / bank_bytes; word <= last; ++word) {
      const std::uint64_t bank = word % local_banks;
      if (atomic || is_new(word, bank)) ++wanted[bank];
    }
  }
  return *std::max_element(wanted.begin(), wanted.end());
}

}  // namespace sluice::exec
