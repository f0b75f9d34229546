#include "sim/models/iommu/iommu.h"

#include <algorithm>

namespace sluice::iommu {

Iommu::Iommu(const profile::Iommu& profile)
    : profile_(profile),
      tlb_(profile.entries, profile.ways, profile.shared_entries),
      ready_(tlb_.slots(), 0),
      walker_free_(profile.walkers, 0) {
  if (profile.table_cache_entries != 0) tables_.emplace(profile.table_cache_entries, 0, 0);
  if (profile.tables == profile::PageTables::cached) lines_.emplace(profile.llc_table_lines, 0, 0);
}

// The page's own entry and, where the table that it is in is not known, the one that points there: of these there are
// so few that caches keep them.
void Iommu::add_walk(std::uint64_t page, Misses& misses) {
  const bool everywhere = profile_.tables == profile::PageTables::memory;
  ++misses.pages;
  ++misses.table_reads;
  if (everywhere || (lines_.has_value() && !lines_->touch(page / pages_per_line).hit)) ++misses.memory_reads;
  if (!tables_.has_value() || tables_->touch(page / pages_per_table).hit) return;
  ++misses.table_reads;
  if (everywhere) ++misses.memory_reads;
}

TimePs Iommu::time_of(const Misses& m) const {
  return m.pages * profile_.walk_ps + (m.table_reads - m.memory_reads) * profile_.llc_read_ps +
         m.memory_reads * profile_.memory_read_ps;
}

TimePs Iommu::translate(std::uint64_t address, TimePs at, bool read) {
  const std::uint64_t page = address / profile_.page_bytes;
  const LruTable::Found found = tlb_.touch(page);
  if (found.hit) return std::max(at, ready_[found.slot]);
  Misses one;
  add_walk(page, one);
  TimePs& free = *std::min_element(walker_free_.begin(), walker_free_.end());
  const TimePs ready = std::max(at, free) + time_of(one);
  free = ready + (read ? profile_.read_release_ps : profile_.write_release_ps);
  ready_[found.slot] = ready;
  return ready;
}

Iommu::Misses Iommu::misses_of_run(std::uint64_t address, std::uint64_t bytes) {
  Misses out;
  if (bytes == 0) return out;
  const std::uint64_t first = address / profile_.page_bytes;
  const std::uint64_t count = (address + bytes - 1) / profile_.page_bytes - first + 1;
  const bool everywhere = profile_.tables == profile::PageTables::memory;
  if (!tables_.has_value() && !lines_.has_value()) {
    out.pages = out.table_reads = tlb_.touch_run(first, count);
    out.memory_reads = everywhere ? out.pages : 0;
    return out;
  }
  // As touch_run() does, and tables and their lines are looked for with each page that is missing: behind the first
  // pages that is all.
  const std::uint64_t single = std::min<std::uint64_t>(count, profile_.entries);
  for (std::uint64_t page = first; page < first + single; ++page) {
    if (!tlb_.touch(page).hit) add_walk(page, out);
  }
  if (single == count) return out;
  const std::uint64_t rest = count - single;
  const auto missing = [&](LruTable& table, std::uint64_t pages) {
    const std::uint64_t begin = (first + single) / pages;
    return table.touch_run(begin, (first + count - 1) / pages - begin + 1);
  };
  tlb_.touch_run(first + single, rest);
  out.pages += rest;
  const std::uint64_t above = tables_.has_value() ? missing(*tables_, pages_per_table) : 0;
  out.table_reads += rest + above;
  if (everywhere) out.memory_reads += rest + above;
  if (lines_.has_value()) out.memory_reads += missing(*lines_, pages_per_line);
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
      all.memory_reads += m.memory_reads;
    }
  }
  if (all.pages == 0) return {};
  const TimePs release =
      direction == Direction::host_to_device ? profile_.read_release_ps : profile_.write_release_ps;
  const TimePs walks = time_of(all);
  return {all.pages, walks / all.pages, (walks + all.pages * release) / profile_.walkers};
}

void Iommu::forget(std::uint64_t address, std::uint64_t bytes) {
  if (bytes == 0) return;
  const std::uint64_t first = address / profile_.page_bytes;
  tlb_.erase_run(first, (address + bytes - 1) / profile_.page_bytes - first + 1);
}

}  // namespace sluice::iommu
