#include "sim/models/iommu/iommu.h"

#include <algorithm>

namespace sluice::iommu {

Iommu::Iommu(const profile::Iommu& profile)
    : profile_(profile),
      read_ps_(profile.tables == profile::PageTables::memory ? profile.memory_read_ps : profile.llc_read_ps),
      tlb_(profile.entries, profile.ways, profile.shared_entries),
      ready_(tlb_.slots(), 0),
      walker_free_(profile.walkers, 0) {
  if (profile.table_cache_entries != 0) tables_.emplace(profile.table_cache_entries, 0, 0);
}

// The page's own entry and, where the table that it is in is not known, the one that points there.
std::uint64_t Iommu::table_reads(std::uint64_t page) {
  return tables_.has_value() && !tables_->touch(page / pages_per_table).hit ? 2 : 1;
}

TimePs Iommu::translate(std::uint64_t address, TimePs at, bool read) {
  const std::uint64_t page = address / profile_.page_bytes;
  const LruTable::Found found = tlb_.touch(page);
  if (found.hit) return std::max(at, ready_[found.slot]);
  const TimePs walk = profile_.walk_ps + table_reads(page) * read_ps_;
  TimePs& free = *std::min_element(walker_free_.begin(), walker_free_.end());
  const TimePs ready = std::max(at, free) + walk;
  free = ready + (read ? profile_.read_release_ps : profile_.write_release_ps);
  ready_[found.slot] = ready;
  return ready;
}

Iommu::Misses Iommu::misses_of_run(std::uint64_t address, std::uint64_t bytes) {
  if (bytes == 0) return {};
  const std::uint64_t first = address / profile_.page_bytes;
  const std::uint64_t count = (address + bytes - 1) / profile_.page_bytes - first + 1;
  if (!tables_.has_value()) {
    const std::uint64_t missing = tlb_.touch_run(first, count);
    return {missing, missing};
  }
  // As touch_run() does, and a table is looked for with each page that is missing: behind the first pages that is all.
  Misses out;
  const std::uint64_t single = std::min<std::uint64_t>(count, profile_.entries);
  for (std::uint64_t page = first; page < first + single; ++page) {
    if (tlb_.touch(page).hit) continue;
    ++out.pages;
    out.table_reads += table_reads(page);
  }
  if (single == count) return out;
  const std::uint64_t rest = count - single;
  tlb_.touch_run(first + single, rest);
  const std::uint64_t table = (first + single) / pages_per_table;
  const std::uint64_t tables = (first + count - 1) / pages_per_table - table + 1;
  out.pages += rest;
  out.table_reads += rest + tables_->touch_run(table, tables);
  return out;
}

sim::Walks Iommu::walk(const sim::HostRows& rows, Direction direction) {
  if (rows.row_bytes == 0 || rows.rows == 0) return {};
  const std::uint64_t pitch = rows.pitch_bytes != 0 ? rows.pitch_bytes : rows.row_bytes;
  Misses all;
  if (pitch <= profile_.page_bytes) {
    // Every page in between has a row's begin in it.
    all = misses_of_run(rows.address, (rows.rows - 1) * pitch + rows.row_bytes);
  } else {
    for (std::uint64_t row = 0; row < rows.rows; ++row) {
      const Misses m = misses_of_run(rows.address + row * pitch, rows.row_bytes);
      all.pages += m.pages;
      all.table_reads += m.table_reads;
    }
  }
  if (all.pages == 0) return {};
  const TimePs release =
      direction == Direction::host_to_device ? profile_.read_release_ps : profile_.write_release_ps;
  const TimePs walks = all.pages * profile_.walk_ps + all.table_reads * read_ps_;
  return {all.pages, walks / all.pages, (walks + all.pages * release) / profile_.walkers};
}

void Iommu::forget(std::uint64_t address, std::uint64_t bytes) {
  if (bytes == 0) return;
  const std::uint64_t first = address / profile_.page_bytes;
  tlb_.erase_run(first, (address + bytes - 1) / profile_.page_bytes - first + 1);
}

}  // namespace sluice::iommu
