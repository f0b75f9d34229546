// What groups do from a few of them (uniformity.h): one and its neighbour in each dimension say where every group reads
// and writes, as that is linear in the group's number. If all write the same, group 0 says what; else the others are
// executed, but nobody looks at their accesses. Where groups go the same way only if their guards decide alike, each
// work-item's are asked before the group runs.
#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>

#include "sim/exec/group_runner.h"

namespace sluice::exec {
namespace {

constexpr std::uint64_t least_groups = 8;  // with fewer, nothing is gained
constexpr std::size_t most_moving = 16;
constexpr std::uint64_t narrow = std::uint64_t{1} << 31;

__extension__ using Wide = __int128;

}  // namespace

bool GroupRunner::can_be_alike() const {
  const NdRange& range = launch_.range;
  std::uint64_t groups = 1;
  for (std::size_t i = 0; i < 3; ++i) {
    if (range.local[i] == 0 || range.global[i] == 0) return false;
    if (range.global[i] % range.local[i] != 0 && !kernel_.guarded) return false;
    if (kernel_.if_narrow && (range.global[i] > narrow || range.offset[i] > narrow - range.global[i])) return false;
    groups *= range.groups()[i];
  }
  return kernel_.same_way && !kernel_.lockstep && groups >= least_groups && !failed_;
}

bool GroupRunner::collect_stores(const std::array<std::uint64_t, 3>& group, GroupTrace& trace,
                                 std::vector<Store>& stores) {
  stores_ = &stores;
  trace.clear();
  const bool ran = run_traced(group, trace);
  stores_ = nullptr;
  return ran && told_all_ &&
         std::none_of(trace.waves.begin(), trace.waves.end(), [](const WaveTrace& w) { return w.unrecorded != 0; });
}

// Where all groups write, unless that leaves the argument.
bool GroupRunner::find_extent(Moving& moving, std::int32_t argument) const {
  const auto groups = launch_.range.groups();
  Wide first = moving.first;
  Wide end = moving.end;
  for (std::size_t d = 0; d < 3; ++d) {
    const Wide way = Wide{moving.step[d]} * static_cast<Wide>(groups[d] - 1);
    (way < 0 ? first : end) += way;
  }
  const auto data = reinterpret_cast<std::uint64_t>(launch_.arguments[static_cast<std::size_t>(argument)].data);
  const Wide room = launch_.arguments[static_cast<std::size_t>(argument)].size_bytes;
  if (first < static_cast<Wide>(data) || end > static_cast<Wide>(data) + room) return false;
  moving.launch_first = static_cast<std::uint64_t>(first);
  moving.launch_end = static_cast<std::uint64_t>(end);
  return true;
}

bool GroupRunner::find_moving(const std::vector<Store>& stores, const std::array<std::vector<Store>, 3>& next,
                              std::vector<Moving>& all) const {
  const auto groups = launch_.range.groups();
  std::map<std::pair<std::int32_t, std::array<std::int64_t, 3>>, std::size_t> known;
  std::vector<std::int32_t> arguments;
  for (std::size_t i = 0; i < stores.size(); ++i) {
    std::array<std::int64_t, 3> step{};
    for (std::size_t d = 0; d < 3; ++d) {
      if (groups[d] == 1) continue;
      if (next[d][i].site != stores[i].site) return false;
      step[d] = static_cast<std::int64_t>(next[d][i].address - stores[i].address);
    }
    const Site& where = site(stores[i].site);
    if (where.argument < 0) return false;
    const auto [it, is_new] = known.try_emplace({where.argument, step}, all.size());
    if (is_new) {
      if (all.size() == most_moving) return false;
      all.emplace_back();
      all.back().step = step;
      all.back().first = ~std::uint64_t{0};
      arguments.push_back(where.argument);
    }
    Moving& moving = all[it->second];
    const std::uint64_t end = stores[i].address + where.bytes;
    moving.first = std::min(moving.first, stores[i].address);
    moving.end = std::max(moving.end, end);
    if (!moving.runs.empty() && moving.runs.back().address + moving.runs.back().bytes == stores[i].address) {
      moving.runs.back().bytes += where.bytes;
    } else {
      moving.runs.push_back({stores[i].address, where.bytes});
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!find_extent(all[i], arguments[i])) return false;
    // Whose bytes would be last where two meet is not known.
    for (std::size_t j = 0; j < i; ++j) {
      if (all[i].launch_first < all[j].launch_end && all[j].launch_first < all[i].launch_end) return false;
    }
    std::vector<Moving::Run>& runs = all[i].runs;
    std::sort(runs.begin(), runs.end(), [](const auto& a, const auto& b) { return a.address < b.address; });
    std::size_t kept = 0;
    for (const Moving::Run& run : runs) {
      Moving::Run& last = runs[kept == 0 ? 0 : kept - 1];
      if (kept != 0 && run.address <= last.address + last.bytes) {
        last.bytes = std::max(last.bytes, run.address + run.bytes - last.address);
      } else {
        runs[kept++] = run;
      }
    }
    runs.resize(kept);
  }
  return true;
}

// Models know sectors, so groups must lie a whole number of them apart.
bool GroupRunner::set_steps(const std::vector<Moving>& all) {
  for (const Moving& moving : all) {
    for (const std::int64_t step : moving.step) {
      if (step % std::int64_t{sector_bytes} != 0) return false;
    }
  }
  alike_.steps.assign(alike_.first.sectors.size(), {});  // what is loaded is the same for all
  for (const WaveAccess& access : alike_.first.accesses) {
    if (access.kind != AccessKind::store || access.space != MemorySpace::global) continue;
    for (std::uint32_t i = access.first_sector; i < access.first_sector + access.sectors; ++i) {
      const std::uint64_t begin = alike_.first.sectors[i] * sector_bytes;
      const Moving* owner = nullptr;
      for (const Moving& moving : all) {
        if (begin >= moving.end || moving.first >= begin + sector_bytes) continue;
        if (owner != nullptr && owner->step != moving.step) return false;
        owner = &moving;
      }
      if (owner == nullptr) return false;
      alike_.steps[i].bytes = owner->step;
    }
  }
  return true;
}

// In the order of the groups, so that the last writer is who it would have been.
void GroupRunner::write_groups(const Moving& moving) const {
  const auto groups = launch_.range.groups();
  std::array<std::uint64_t, 3> at{};
  for (at[2] = 0; at[2] < groups[2]; ++at[2]) {
    for (at[1] = 0; at[1] < groups[1]; ++at[1]) {
      for (at[0] = 0; at[0] < groups[0]; ++at[0]) {
        std::uint64_t shift = 0;
        for (std::size_t d = 0; d < 3; ++d) shift += static_cast<std::uint64_t>(moving.step[d]) * at[d];
        const std::byte* from = moving.bytes.data();
        for (const Moving::Run& run : moving.runs) {
          std::memcpy(reinterpret_cast<std::byte*>(run.address + shift), from, run.bytes);
          from += run.bytes;
        }
      }
    }
  }
}

const AlikeGroups* GroupRunner::run_alike() {
  find_rows();
  if (!can_be_alike()) return nullptr;
  return kernel_.same_bytes ? run_same_bytes() : run_same_way();
}

// Whether `step` may be taken for how all accesses of a site move, which lie between `first` and `end` in the reference
// group. The addresses are linear modulo 2^32: what is foretold is right if both it and the truth, which is checked when
// a group runs, lie in one allocation of less than 4 GiB. With guards that is asked group by group.
bool GroupRunner::is_inside(const Site& site, std::uint64_t first, std::uint64_t end,
                            const std::array<std::int64_t, 3>& step) {
  if (std::all_of(step.begin(), step.end(), [](std::int64_t s) { return s == 0; }) && site.argument < 0) return true;
  if (site.argument < 0 || launch_.system_memory) return false;
  const LaunchArgument& argument = launch_.arguments[static_cast<std::size_t>(site.argument)];
  std::uint64_t around = argument.size_bytes;
  if (launch_.memory != nullptr) {
    const MemoryRange* range = launch_.memory->find(argument.data);
    if (range != nullptr) around = std::max(around, range->size_bytes);
  }
  if (around >= std::uint64_t{1} << 32) return false;
  if (kernel_.guarded) {
    const auto low = reinterpret_cast<std::uint64_t>(argument.data);
    const auto same = std::find_if(reaches_.begin(), reaches_.end(),
                                   [&](const Reach& r) { return r.step == step && r.low == low; });
    if (same == reaches_.end()) {
      reaches_.push_back({first, end, step, low, low + argument.size_bytes});
    } else {
      same->first = std::min(same->first, first);
      same->end = std::max(same->end, end);
    }
    return true;
  }
  Moving moving;
  moving.step = step;
  moving.first = first;
  moving.end = end;
  return find_extent(moving, site.argument);
}

// Instructions that move all their lanes alike: by whole sectors, or a lane that stays within one. Local memory does
// not move.
bool GroupRunner::set_steps(const std::vector<Store>& accesses, const std::array<std::vector<Store>, 3>& next) {
  const auto groups = launch_.range.groups();
  struct Found {
    std::uint64_t count = 0;
    std::uint64_t first = ~std::uint64_t{0}, end = 0;
    AlikeGroups::Step step;
  };
  std::vector<Found> found(kernel_.sites.size());
  for (std::size_t d = 0; d < 3; ++d) {
    if (groups[d] > 1 && next[d].size() != accesses.size()) return false;
  }
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    const Store& access = accesses[i];
    Found& f = found[access.site];
    std::array<std::int64_t, 3> step{};
    for (std::size_t d = 0; d < 3; ++d) {
      if (groups[d] == 1) continue;
      if (next[d][i].site != access.site) return false;
      step[d] = static_cast<std::int64_t>(next[d][i].address - access.address);
    }
    if (f.count++ != 0 && f.step.bytes != step) return false;
    f.step.bytes = step;
    f.first = std::min(f.first, access.address);
    f.end = std::max(f.end, access.address + site(access.site).bytes);
  }
  for (std::size_t number = 0; number < found.size(); ++number) {
    Found& f = found[number];
    const Site& what = site(number);
    if (f.count == 0 || what.kind == SiteKind::marker || what.kind == SiteKind::finish ||
        what.kind == SiteKind::barrier)
      continue;
    const auto whole = [&](std::uint64_t unit) {
      return std::all_of(f.step.bytes.begin(), f.step.bytes.end(),
                         [&](std::int64_t s) { return s % static_cast<std::int64_t>(unit) == 0; });
    };
    if (what.space == SiteSpace::local) {
      if (f.step.bytes != std::array<std::int64_t, 3>{}) return false;
      continue;
    }
    if (!is_inside(what, f.first, f.end, f.step.bytes)) return false;
    if (whole(sector_bytes)) continue;
    const bool aligned = sector_bytes % what.bytes == 0 && f.first % what.bytes == 0 && whole(what.bytes);
    if (f.count != 1 || !aligned) return false;
    f.step.offset = static_cast<std::uint32_t>(f.first % sector_bytes);
  }
  alike_.steps.assign(alike_.first.sectors.size(), {});
  for (const WaveAccess& access : alike_.first.accesses) {
    if (access.space == MemorySpace::local) continue;
    for (std::uint32_t i = 0; i < access.sectors; ++i) alike_.steps[access.first_sector + i] = found[access.site].step;
  }
  return true;
}

// Of all work-items.
std::uint64_t GroupRunner::instructions_of(const GroupTrace& trace) const {
  std::uint64_t waves = 0;
  for (const WaveTrace& wave : trace.waves) waves = std::accumulate(wave.issued.begin(), wave.issued.end(), waves);
  return waves * wave_size_;
}

// What the guards of each work-item of the group decide. False: the group is smaller than others, or that takes too long.
bool GroupRunner::paths_of(const std::array<std::uint64_t, 3>& group, std::vector<std::uint64_t>& paths) {
  place_group(group);
  if (placed_ != launch_.range.local) return false;
  paths.resize(count_);
  reinterpret_cast<void (*)(Item*, std::uint64_t, std::uint64_t*)>(quiet_->code->path())(items_.data(), count_, paths.data());
  return std::find(paths.begin(), paths.end(), std::uint64_t{0}) == paths.end();
}

// A group whose neighbours decide as it does: one in the middle, where borders are far, or the first.
bool GroupRunner::find_reference() {
  alike_.at = {};
  if (!kernel_.guarded) return true;
  const auto groups = launch_.range.groups();
  std::vector<std::uint64_t> paths;
  const auto is_good = [&] {
    if (!paths_of(alike_.at, paths_)) return false;
    for (std::size_t d = 0; d < 3; ++d) {
      auto neighbour = alike_.at;
      ++neighbour[d];
      if (groups[d] > 1 && (!paths_of(neighbour, paths) || paths != paths_)) return false;
    }
    return true;
  };
  for (std::size_t d = 0; d < 3; ++d) alike_.at[d] = (groups[d] - 1) / 2;
  if (!is_good()) {
    alike_.at = {};
    if (!is_good()) return false;
  }
  // Asking costs about as much as executing quietly does: some groups here and there tell whether it pays.
  constexpr std::uint64_t most_tried = 16;
  const std::uint64_t count = groups[0] * groups[1] * groups[2], tried = std::min(count, most_tried);
  std::uint64_t same = 0;
  for (std::uint64_t i = 0; i < tried; ++i) {
    const std::uint64_t g = (i * 0x9e3779b97f4a7c15ULL >> 20) % count;
    same += paths_of({g % groups[0], g / groups[0] % groups[1], g / groups[0] / groups[1]}, paths) && paths == paths_;
  }
  return same >= tried / 2;
}

const AlikeGroups* GroupRunner::run_same_way() {
  if (kernel_.guarded) {
    const auto* quiet = program_->quiet(launch_.kernel);
    if (quiet == nullptr || quiet->code->path() == nullptr) return nullptr;
    quiet_ = quiet;
  }
  if (!find_reference()) {
    program_->postpone_quiet(launch_.kernel);
    return nullptr;
  }
  const auto groups = launch_.range.groups();
  std::array<std::vector<Store>, 3> next;
  std::vector<Store> accesses;
  // Each group runs once, as it may read what it writes; if the proof fails its trace waits until it is asked for.
  const auto run = [&](const std::array<std::uint64_t, 3>& group, std::vector<Store>& all) {
    GroupTrace trace;
    touched_ = &all;
    const bool ran = run_traced(group, trace);
    touched_ = nullptr;
    if (!ran) return false;
    const bool whole =
        std::none_of(trace.waves.begin(), trace.waves.end(), [](const WaveTrace& w) { return w.unrecorded != 0; });
    kept_[group] = std::move(trace);
    return whole;
  };
  bool good = run(alike_.at, accesses);
  for (std::size_t d = 0; d < 3 && good; ++d) {
    auto neighbour = alike_.at;
    ++neighbour[d];
    good = groups[d] == 1 || run(neighbour, next[d]);
  }
  if (!good) return nullptr;
  alike_.first = kept_[alike_.at];
  if (!told_all_ || !set_steps(accesses, next)) return nullptr;
  for (auto& [group, trace] : kept_) {
    trace.clear();
    trace.alike = true;
  }
  way_known_ = true;
  if (quiet_ == nullptr) {
    const std::uint64_t rest = groups[0] * groups[1] * groups[2] - kept_.size();
    program_->spend(launch_.kernel, rest * instructions_of(alike_.first));
    quiet_ = program_->quiet(launch_.kernel);
  }
  return &alike_;
}

// Whether the group does what the reference does.
bool GroupRunner::is_known(const std::array<std::uint64_t, 3>& group) {
  if (!kernel_.guarded) return true;
  for (const Reach& reach : reaches_) {
    Wide way = 0;
    for (std::size_t d = 0; d < 3; ++d)
      way += Wide{reach.step[d]} * (static_cast<Wide>(group[d]) - static_cast<Wide>(alike_.at[d]));
    if (reach.first + way < reach.low || reach.end + way > reach.high) return false;
  }
  return paths_of(group, asked_paths_) && asked_paths_ == paths_;
}

bool GroupRunner::run_known(const std::array<std::uint64_t, 3>& group) {
  if (!kernel_.guarded) place_group(group);
  return quiet_ != nullptr ? run_quietly() : run_untraced(group);
}

const AlikeGroups* GroupRunner::run_same_bytes() {
  const auto groups = launch_.range.groups();
  std::array<std::vector<Store>, 3> next;
  std::vector<Store> stores;
  // Group 0 last, so that its bytes are there. Run twice, a group does the same: it reads nothing that was written.
  for (std::size_t d = 0; d < 3; ++d) {
    std::array<std::uint64_t, 3> neighbour{};
    neighbour[d] = 1;
    if (groups[d] > 1 && !collect_stores(neighbour, alike_.first, next[d])) return nullptr;
  }
  if (!collect_stores({}, alike_.first, stores)) return nullptr;
  for (std::size_t d = 0; d < 3; ++d) {
    if (groups[d] > 1 && next[d].size() != stores.size()) return nullptr;
  }
  std::vector<Moving> all;
  if (!find_moving(stores, next, all) || !set_steps(all)) return nullptr;
  for (Moving& moving : all) {
    for (const Moving::Run& run : moving.runs) {
      const auto* from = reinterpret_cast<const std::byte*>(run.address);
      moving.bytes.insert(moving.bytes.end(), from, from + run.bytes);
    }
  }
  for (const Moving& moving : all) write_groups(moving);
  alike_.whole = true;
  return &alike_;
}

}  // namespace sluice::exec
