// A set-associative cache of lines with valid and dirty bits for each 32-byte sector, least recently used line out
// first. Only tags, no data; made for one look-up per line and memory instruction. Free of SystemC.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::compute {

class SectorCache {
 public:
  static constexpr std::uint32_t ways = 16;

  // A capacity of less than one set gives a cache that holds nothing.
  SectorCache(std::uint64_t capacity_bytes, std::uint32_t line_bytes);

  struct Result {
    bool drove_out = false;          // a line that was there
    std::uint32_t hits = 0;          // sectors of `mask` that were there
    std::uint32_t written_back = 0;  // dirty sectors that another line lost to this one
  };
  // Reads or writes the sectors `mask` of `line` and leaves them valid; a write leaves them dirty.
  Result access(std::uint64_t line, std::uint32_t mask, bool write);
  // The sectors of `mask` that are there, which neither fills nor renews.
  [[nodiscard]] std::uint32_t present(std::uint64_t line, std::uint32_t mask) const;
  // Takes the sectors `mask` in as valid and clean, beside one of them that was asked for.
  void fill(std::uint64_t line, std::uint32_t mask);
  // Differs, as far as 64 bits can, where any later access could.
  [[nodiscard]] std::uint64_t fingerprint() const;
  // Forgets everything, without writing back. `usable_ways` of each set from now on.
  void clear(std::uint32_t usable_ways = ways);

 private:
  // A look-up that misses touches two of the host's cache lines, one that hits three.
  struct alignas(64) Set {
    std::array<std::uint32_t, ways> mark{};  // low bits of the tag
    std::array<std::uint32_t, ways> used{};
    std::array<std::uint64_t, ways> tag{};
    std::array<std::uint8_t, ways> valid{}, dirty{};
    std::uint32_t epoch = 0;   // of the last clear() that it saw; another one: empty
    std::uint32_t filled = 0;  // ways in use, from the first
  };
  static constexpr std::uint32_t absent = ways;

  [[nodiscard]] std::size_t set_of(std::uint64_t line) const noexcept;
  [[nodiscard]] std::uint32_t way_of(const Set& set, std::uint64_t line) const noexcept;

  std::uint64_t set_count_;
  std::uint32_t usable_ = ways;
  std::uint32_t epoch_ = 1;
  std::uint32_t clock_ = 0;
  std::vector<Set> sets_;
};

}  // namespace sluice::compute
