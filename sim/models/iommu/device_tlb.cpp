#include "sim/models/iommu/device_tlb.h"

#include <algorithm>
#include <bit>

namespace sluice::iommu {

DeviceTlb::DeviceTlb(const profile::Ats& profile, TimePs propagation, Iommu& agent)
    : profile_(profile),
      round_trip_ps_(2 * propagation + profile.agent_ps),
      agent_(agent),
      pages_(profile.entries, profile.ways, 0) {}

void DeviceTlb::ask_agent(std::uint64_t page, std::uint64_t pages, Direction direction, sim::Walks& all) {
  const sim::Walks walks = agent_.walk({page * profile_.page_bytes, pages * profile_.page_bytes, 1, 0}, direction);
  all.count += pages;
  all.latency_ps += walks.count * walks.latency_ps;  // a sum, until walk() divides it
  all.walkers_ps += walks.walkers_ps;
}

void DeviceTlb::ask(std::uint64_t address, std::uint64_t bytes, Direction direction, sim::Walks& all) {
  if (bytes == 0) return;
  const std::uint64_t first = address / profile_.page_bytes;
  const std::uint64_t count = (address + bytes - 1) / profile_.page_bytes - first + 1;
  // As in LruTable::touch_run(): only among the first pages can there be known ones.
  const std::uint64_t single = std::min<std::uint64_t>(count, profile_.entries);
  std::uint64_t missing = 0;  // neighbours up to the page at hand
  for (std::uint64_t page = first; page < first + single; ++page) {
    if (!pages_.touch(page).hit) {
      ++missing;
      continue;
    }
    if (missing != 0) ask_agent(page - missing, missing, direction, all);
    missing = 0;
  }
  pages_.touch_run(first + single, count - single);
  missing += count - single;
  if (missing != 0) ask_agent(first + count - missing, missing, direction, all);
}

sim::Walks DeviceTlb::walk(const sim::HostRows& rows, Direction direction) {
  sim::Walks all;
  if (rows.row_bytes == 0 || rows.rows == 0) return all;
  const std::uint64_t pitch = rows.pitch_bytes != 0 ? rows.pitch_bytes : rows.row_bytes;
  if (pitch <= profile_.page_bytes) {
    ask(rows.address, (rows.rows - 1) * pitch + rows.row_bytes, direction, all);
  } else {
    for (std::uint64_t row = 0; row < rows.rows; ++row) ask(rows.address + row * pitch, rows.row_bytes, direction, all);
  }
  if (all.count == 0) return {};
  const TimePs under_way = all.count * round_trip_ps_ + all.latency_ps;
  all.walkers_ps = std::max(all.walkers_ps, under_way / profile_.requests);
  all.latency_ps = under_way / all.count;
  all.holds_window = false;
  all.requests = profile_.requests;
  all.part = "device.atc";
  all.action = "translate";
  return all;
}

bool DeviceTlb::forget(std::uint64_t address, std::uint64_t bytes) {
  if (bytes == 0) return false;
  const std::uint64_t first = address / profile_.page_bytes;
  const int bits = std::bit_width(first ^ ((address + bytes - 1) / profile_.page_bytes));
  return pages_.erase_run(first >> bits << bits, std::uint64_t{1} << bits) != 0;
}

}  // namespace sluice::iommu
