// Keys in sets of ways, the least recently used of a set replaced: what IO-TLB and paging-structure cache are.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace sluice::iommu {

class LruTable {
 public:
  // `others` entries, spread over the sets, belong to someone else; each set has one left at least. 0 ways: one set.
  LruTable(std::uint32_t entries, std::uint32_t ways, std::uint32_t others);

  struct Found {
    bool hit = false;
    std::uint32_t slot = 0;  // where the key now is, below slots()
  };
  Found touch(std::uint64_t key);
  // Touches `count` consecutive keys; returns how many were missing. Costs O(min(count, entries)).
  std::uint64_t touch_run(std::uint64_t first, std::uint64_t count);
  // Whether it was there.
  bool erase(std::uint64_t key);
  // Erases [first, first + count) at the same cost; returns how many were there.
  std::uint64_t erase_run(std::uint64_t first, std::uint64_t count);

  [[nodiscard]] std::uint32_t slots() const noexcept { return slots_; }

 private:
  void unlink(std::uint32_t node) noexcept;
  void link_behind(std::uint32_t node, std::uint32_t place) noexcept;

  std::uint32_t sets_;
  std::uint32_t slots_;
  // Nodes are slots and, behind them, a head for each set, behind which its slots stand: the last used first.
  std::vector<std::uint32_t> next_;
  std::vector<std::uint32_t> previous_;
  std::vector<std::uint64_t> keys_;
  std::unordered_map<std::uint64_t, std::uint32_t> where_;
};

}  // namespace sluice::iommu
