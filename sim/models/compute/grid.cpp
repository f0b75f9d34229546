#include "sim/models/compute/grid.h"

#include <algorithm>

namespace sluice::compute {

Occupancy occupancy_of(const profile::Profile& profile, const NdRange& range, std::uint32_t registers,
                       std::uint64_t local_bytes) {
  const profile::Compute& c = profile.compute;
  constexpr std::uint32_t usual_registers = 32;
  const std::uint64_t items = range.local[0] * range.local[1] * range.local[2];
  Occupancy o;
  o.group.waves = static_cast<std::uint32_t>((items + c.wave_size - 1) / c.wave_size);
  o.group.local_bytes = local_bytes;
  const std::uint64_t slots = static_cast<std::uint64_t>(o.group.waves) * c.wave_size;
  // A compiler spills before it asks for more than lets a group run.
  o.group.registers =
      std::min<std::uint64_t>(slots * (registers == 0 ? usual_registers : registers), c.registers_per_unit);
  struct Bound {
    std::uint64_t groups;
    std::string_view name;
  };
  const auto n = range.groups();
  const std::uint64_t units = profile.machine.device.compute_units;
  const Bound bounds[] = {
      {c.waves_per_unit / std::max(1U, o.group.waves), "waves"},
      {c.groups_per_unit, "groups"},
      {o.group.registers == 0 ? c.groups_per_unit : c.registers_per_unit / o.group.registers, "registers"},
      {local_bytes == 0 ? c.groups_per_unit : c.local_bytes_per_unit / local_bytes, "local_memory"},
  };
  const Bound* least = std::min_element(std::begin(bounds), std::end(bounds),
                                        [](const Bound& a, const Bound& b) { return a.groups < b.groups; });
  o.groups_per_unit = static_cast<std::uint32_t>(least->groups);
  o.limit = least->name;
  const std::uint64_t there = (n[0] * n[1] * n[2] + units - 1) / units;
  if (there < least->groups) o.limit = "launch";
  o.permille = static_cast<std::uint32_t>(std::min(there, least->groups) * o.group.waves * 1000 / c.waves_per_unit);
  return o;
}

Grid::Grid(const profile::Profile& profile, const Rates& rates)
    : units(profile.machine.device.compute_units), dram(rates), profile_(profile.compute) {}

void Grid::begin() {
  for (Unit& u : units) {
    for (Server& s : u.pipe) s.reset_busy();
  }
  for (Server* s : {&l2, &atomics, &dram.server(), &host_read, &host_write}) s->reset_busy();
  dram.begin();
}

bool Grid::is_idle(TimePs at) const {
  const auto idle = [at](const Server& s) { return s.free_at() <= at; };
  for (const Unit& u : units) {
    if (!std::all_of(u.pipe.begin(), u.pipe.end(), idle) || !idle(u.launch)) return false;
    for (const Unit::Resident& r : u.residents) {
      if (r.end > at) return false;
    }
  }
  return idle(dispatcher) && idle(l2) && idle(atomics) && idle(dram.server()) && idle(host_read) && idle(host_write) &&
         hot_sectors.is_idle(at);
}

Grid::State Grid::state() const {
  return {units, dispatcher, l2, atomics, dram.server(), host_read, host_write, hot_sectors};
}

void Grid::restore(const State& state, TimePs later) {
  units = state.units;
  for (Unit& u : units) {
    for (Server& s : u.pipe) s.delay(later);
    u.launch.delay(later);
    for (Unit::Resident& r : u.residents) r.end += later;
  }
  dispatcher = state.dispatcher;
  l2 = state.l2;
  atomics = state.atomics;
  dram.server() = state.dram;
  host_read = state.host_read;
  host_write = state.host_write;
  for (Server* s : {&dispatcher, &l2, &atomics, &dram.server(), &host_read, &host_write}) s->delay(later);
  hot_sectors = state.hot_sectors;
  hot_sectors.delay(later);
}

TimePs Grid::room(std::size_t unit, const Footprint& group, TimePs at) {
  std::vector<Unit::Resident>& residents = units[unit].residents;
  std::erase_if(residents, [&](const Unit::Resident& r) { return r.end <= at; });
  Footprint used{0, 0, 0};
  for (const Unit::Resident& r : residents) {
    used.waves += r.group.waves;
    used.registers += r.group.registers;
    used.local_bytes += r.group.local_bytes;
  }
  std::size_t groups = residents.size();
  const auto fits = [&] {
    return groups < profile_.groups_per_unit && used.waves + group.waves <= profile_.waves_per_unit &&
           used.registers + group.registers <= profile_.registers_per_unit &&
           used.local_bytes + group.local_bytes <= profile_.local_bytes_per_unit;
  };
  if (fits()) return at;
  std::sort(residents.begin(), residents.end(), [](const auto& a, const auto& b) { return a.end < b.end; });
  for (const Unit::Resident& r : residents) {
    --groups;
    used.waves -= r.group.waves;
    used.registers -= r.group.registers;
    used.local_bytes -= r.group.local_bytes;
    if (fits()) return r.end;
  }
  return time_never;
}

}  // namespace sluice::compute
