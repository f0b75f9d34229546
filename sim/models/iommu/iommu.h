// The host's IOMMU: an IO-TLB, a cache of the places of last-level page tables, the lines of page tables that the
// last-level cache keeps, and a limited number of page walks at once. Two faces with one state: single requests in order
// of time, and the runs of pages that transfers are. Free of SystemC.
#pragma once

#include <optional>
#include <vector>

#include "sim/models/iommu/lru_table.h"
#include "sim/models/translation.h"
#include "sim/profile/profile.h"

namespace sluice::iommu {

// Pages that a last-level page table describes: 4 KiB of 8-byte entries.
inline constexpr std::uint64_t pages_per_table = 512;
inline constexpr std::uint64_t pages_per_line = 8;  // of such a table

class Iommu final : public sim::Translator {
 public:
  explicit Iommu(const profile::Iommu& profile);

  // When the address of a request that comes at `at` is known. Requests come in order of time; one whose page is being
  // walked for waits for that walk.
  [[nodiscard]] TimePs translate(std::uint64_t address, TimePs at, bool read);

  struct Misses {
    std::uint64_t pages = 0;
    std::uint64_t table_reads = 0;
    std::uint64_t memory_reads = 0;  // of them, not in the last-level cache
  };
  // Looks up each page of [address, address + bytes) once, in order. Costs O(min(pages, entries)).
  [[nodiscard]] Misses misses_of_run(std::uint64_t address, std::uint64_t bytes);

  [[nodiscard]] sim::Walks walk(const sim::HostRows& rows, Direction direction) override;
  // The host has unmapped the pages; its own waiting is part of the unmapping call.
  void forget(std::uint64_t address, std::uint64_t bytes);

 private:
  void add_walk(std::uint64_t page, Misses& misses);
  [[nodiscard]] TimePs time_of(const Misses& misses) const;

  const profile::Iommu profile_;
  LruTable tlb_;
  std::optional<LruTable> tables_;
  std::optional<LruTable> lines_;     // of page tables, in the last-level cache
  std::vector<TimePs> ready_;         // by slot of the IO-TLB: when its walk is over
  std::vector<TimePs> walker_free_;
};

}  // namespace sluice::iommu
