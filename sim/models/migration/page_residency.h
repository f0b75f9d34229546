// Where the pages of shared virtual memory are: at the host or on the device, in leaves of a tree over each block.
// Faults come in batches; a part of the tree that is dense enough moves whole (prefetch). Free of SystemC.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "sim/models/migration.h"
#include "sim/profile/profile.h"

namespace sluice::migration {

class PageResidency final : public sim::Migration {
 public:
  // What does not fit `capacity_bytes` drives blocks out, those first to which pages came longest ago.
  PageResidency(const profile::Migration& profile, std::uint64_t capacity_bytes);

  // An allocation, at the host from now on.
  void add(std::uint64_t address, std::uint64_t bytes);
  void remove(std::uint64_t address);

  [[nodiscard]] bool covers(std::uint64_t address) const override;
  [[nodiscard]] std::uint64_t page_bytes() const noexcept override { return profile_.page_bytes; }
  [[nodiscard]] sim::PageMoves device_faults(std::span<const std::uint64_t> pages) override;
  [[nodiscard]] sim::PageMoves host_faults(std::uint64_t address, std::uint64_t bytes) override;
  [[nodiscard]] sim::PageMoves move(std::uint64_t address, std::uint64_t bytes, bool to_device, bool contents) override;
  [[nodiscard]] const sim::MigrationTotals& totals() const noexcept override { return totals_; }

  [[nodiscard]] std::uint64_t resident_bytes() const noexcept { return resident_bytes_; }

 private:
  using Leaves = std::uint64_t;  // a bit each
  struct Block {
    Leaves on_device = 0;
    std::uint64_t age = 0;  // when leaves came last; 0: never
  };
  struct Allocation {
    std::uint64_t bytes = 0;
    std::vector<Block> blocks;
  };
  using Allocations = std::map<std::uint64_t, Allocation>;
  struct Place {
    Allocations::value_type* allocation = nullptr;
    std::size_t block = 0;
    std::uint32_t leaf = 0;
  };
  using BlockKey = std::pair<std::uint64_t, std::size_t>;  // allocation's address, block

  [[nodiscard]] Allocations::const_iterator find(std::uint64_t address) const;
  [[nodiscard]] Place place_of(std::uint64_t address);
  // Of a block that the allocation has: the last one may have fewer.
  [[nodiscard]] Leaves leaves_of(const Allocation& a, std::size_t block) const;
  [[nodiscard]] std::uint64_t bytes_of(const Allocation& a, std::size_t block, Leaves leaves) const;
  // `touched` and, of those parts of the tree that have them, the largest that are dense enough.
  [[nodiscard]] Leaves with_prefetch(Leaves there, Leaves touched, Leaves all) const;
  // Leaves come to the device; what they drive out is added to `moves`.
  std::uint64_t bring(const BlockKey& key, Leaves leaves, bool contents, sim::PageMoves& moves);
  std::uint64_t send_back(const BlockKey& key, Leaves leaves, bool contents, sim::PageMoves& moves);
  void make_room(const BlockKey& keep, sim::PageMoves& moves);
  void serve(const std::vector<std::uint64_t>& faults, sim::PageMoves& moves);
  template <class Each>
  void for_leaves(std::uint64_t address, std::uint64_t bytes, Each each);

  const profile::Migration profile_;
  const std::uint64_t capacity_bytes_;
  const std::uint32_t block_leaves_;
  Allocations allocations_;
  std::map<std::uint64_t, BlockKey> by_age_;
  std::uint64_t now_ = 0;
  std::uint64_t resident_bytes_ = 0;
  sim::MigrationTotals totals_;
};

}  // namespace sluice::migration
