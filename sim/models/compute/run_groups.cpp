// Detail `train`. A group is placed where there is room first, walked through alone for its time without competition,
// and then asks every serial part for all that it needs of it, from its first request on. It ends when the slowest of
// them lets it. Where one part limits the launch its requests are served back to back, so the sum is the launch's
// time; where none does, the walks are. Memory does not grow with the launch.
#include <algorithm>
#include <optional>
#include <queue>

#include "sim/models/compute/alike_plan.h"
#include "sim/models/compute/launch.h"
#include "sim/models/compute/wave.h"

namespace sluice::compute {

namespace {

// When a group's requests come to a shared part, would it meet nobody.
struct Arrivals {
  TimePs first = time_never;
  TimePs last = 0;
  void at(TimePs t) {
    first = std::min(first, t);
    last = std::max(last, t);
  }
};

class GroupRunner {
 public:
  GroupRunner(const profile::Profile& profile, const Rates& rates, Grid& grid, MemorySide& memory,
              const AlikeGroups* alike)
      : room_(profile.compute.wave_loads), rates_(rates), grid_(grid), memory_(memory), alike_(alike) {
    if (alike != nullptr) alike_trace_ = alike->first;
  }

  // Places `group` on `unit` at `start`; returns when the slots are free again. `own`: what it did; nullptr: the same as
  // all that are alike, but elsewhere in memory.
  TimePs run(const std::array<std::uint64_t, 3>& group, const GroupTrace* own, std::size_t unit, TimePs start,
             LaunchResult& result) {
    const bool alike = own == nullptr;
    const GroupTrace& trace = alike ? alike_trace_ : *own;
    Unit& u = grid_.units[unit];
    unit_ = unit;
    trace_ = &trace;
    traffic_ = {};
    memory_.misses().clear();
    if (waves_.size() < trace.waves.size()) waves_.resize(trace.waves.size());
    begins_.clear();
    for (std::uint32_t i = 0; i < trace.waves.size(); ++i)
      begins_.push_back(u.launch.serve(start, rates_.wave_launch) - start);
    recording_ = alike && order_.empty();
    replayed_ = nullptr;
    if (recording_) alike_->place(group, alike_trace_.sectors);
    const Walk walk = alike && !recording_ ? walk_again(group, start) : walk_once(start);
    TimePs end = std::max(start + walk.alone, walk.hot);
    for (std::size_t p = 0; p < pipes; ++p) {
      end = std::max(end, u.pipe[p].serve(start, walk.early[p]));
      if (walk.late[p] != 0) end = std::max(end, u.pipe[p].serve(start + walk.lead, walk.late[p]));
    }
    const TimePs l2_before = grid_.l2.free_at();
    const auto shared = [&](const Arrivals& a, auto&& serve) {
      if (a.first == time_never) return;
      end = std::max(end, serve(start + a.first) + (walk.alone > a.last ? walk.alone - a.last : 0));
    };
    shared(walk.l2, [&](TimePs at) { return grid_.l2.serve(at, traffic_.l2_sectors * rates_.l2_sector); });
    shared(walk.atomics,
           [&](TimePs at) { return grid_.atomics.serve(at, traffic_.atomic_sectors * rates_.atomic_sector); });
    // What this group misses or drives out depends on what the last-level cache has served before.
    shared(walk.dram, [&](TimePs at) {
      return grid_.dram.serve(std::max(at, l2_before), traffic_.device_read, traffic_.device_written,
                              memory_.misses());
    });
    shared(walk.host_read, [&](TimePs at) { return grid_.host_read.serve(at, host_read_cost(rates_, traffic_)); });
    shared(walk.host_write, [&](TimePs at) { return grid_.host_write.serve(at, host_write_cost(rates_, traffic_)); });
    result.traffic.add(traffic_);
    const auto first = [start](const Arrivals& a) { return a.first == time_never ? time_never : start + a.first; };
    result.first_host_read = std::min(result.first_host_read, first(walk.host_read));
    result.first_host_write = std::min(result.first_host_write, first(walk.host_write));
    result.end = std::max({result.end, end, start + walk.drained});
    return end;
  }

  // `group` comes next, on `unit`.
  void expect(const std::array<std::uint64_t, 3>& group, std::size_t unit) const {
    if (plan_) plan_->expect(unit, group);
  }

  // Of the group that ran last.
  [[nodiscard]] const Traffic& traffic() const noexcept { return traffic_; }

 private:
  // A group alone, from its start on.
  struct Walk {
    TimePs alone = 0;    // the last wave's end
    TimePs lead = 0;     // the first long wait of all waves is over
    TimePs drained = 0;  // the last store has arrived
    TimePs hot = 0;      // the end of the last atomic on a contended sector, as an absolute time
    std::array<Cost, pipes> early{}, late{};  // asked of the unit before `lead`, after it
    Arrivals l2, atomics, dram, host_read, host_write;
  };
  // Groups that found the same take the same time.
  struct Past {
    std::vector<TimePs> begins;
    std::vector<Found> found;
    Walk walk;
  };

  // Looks up everything in the order in which the first of these groups did. Where groups share sectors of atomics, each
  // finds them as the others left them.
  [[nodiscard]] Walk walk_again(const std::array<std::uint64_t, 3>& group, TimePs start) {
    found_.resize(order_.size());
    if (!plan_) plan_.emplace(*alike_, order_, rates_, memory_);
    if (!plan_->look_up(unit_, group, alike_trace_, found_, traffic_)) look_up_each(group);
    const bool atomic = std::any_of(found_.begin(), found_.end(), [](const Found& f) { return f.atomic; });
    for (const Past& past : past_) {
      if (!atomic && past.found == found_ && past.begins == begins_) return past.walk;
    }
    replayed_ = found_.data();
    const Walk w = walk_once(start);
    if (past_.size() == most_past) past_.erase(past_.begin());
    past_.push_back({begins_, found_, w});
    return w;
  }

  void look_up_each(const std::array<std::uint64_t, 3>& group) {
    alike_->place(group, alike_trace_.sectors);
    for (std::size_t i = 0; i < order_.size(); ++i) {
      if (i + ahead < order_.size()) memory_.expect(unit_, trace_->accesses[order_[i + ahead]], *trace_);
      found_[i] = look_up(trace_->accesses[order_[i]]);
    }
  }

  [[nodiscard]] Walk walk_once(TimePs start) {
    start_ = start;
    w_ = {};
    for (std::uint32_t i = 0; i < trace_->waves.size(); ++i) {
      waves_[i].begin(i, begins_[i]);
      waves_[i].instruction = pace_alone(rates_, trace_->waves[i]);
    }
    w_.alone = walk_waves();
    for (std::uint32_t i = 0; i < trace_->waves.size(); ++i) charge_instructions(i);
    return w_;
  }

  // All waves to their ends, in step at barriers; returns the last end.
  TimePs walk_waves() {
    const std::size_t waves = trace_->waves.size();
    TimePs end = 0;
    for (bool waiting = true; waiting;) {
      waiting = false;
      TimePs together = 0;
      arrived_ = 0;
      largest_ = 0;
      for (std::size_t i = 0; i < waves; ++i) {
        Wave& w = waves_[i];
        if (w.trace != i) continue;  // over
        if (to_barrier(w)) {
          waiting = true;
          ++arrived_;
          together = std::max(together, w.time);
        } else {
          end = std::max(end, w.time);
          w.trace = over;
        }
      }
      if (!waiting) break;
      // They have come together, so they take turns at the slowest thing that each did.
      together += to_ps((arrived_ - 1) * std::max(largest_, rates_.barrier_wave));
      for (std::size_t i = 0; i < waves; ++i) {
        if (waves_[i].trace == i) waves_[i].time = together + rates_.barrier_ps;
      }
    }
    return end;
  }

  // False: the wave came to its end.
  bool to_barrier(Wave& w) {
    const WaveTrace& t = trace_->waves[w.trace];
    while (w.next < t.accesses) {
      const std::size_t at = t.first_access + w.next++;
      const WaveAccess& a = trace_->accesses[at];
      if (replayed_ == nullptr && at + ahead < trace_->accesses.size()) {
        const WaveAccess& later = trace_->accesses[at + ahead];
        if (!is_local(later)) memory_.expect(unit_, later, *trace_);
      }
      wait(w, awaited(w, a, room_));
      w.issued += a.issued;
      w.time += to_ps(a.issued * w.instruction);
      largest_ = std::max(largest_, a.issued * rates_.instruction[issue_pipe]);
      if (a.kind == AccessKind::barrier) return true;
      w.flights.push_back({a.site, a.kind != AccessKind::store, done(w, a, at)});
    }
    wait(w, awaited_at_end(w));
    std::uint64_t all = 0;
    for (const std::uint64_t n : t.issued) all += n;
    if (all > w.issued) w.time += to_ps((all - w.issued) * w.instruction);
    return false;
  }

  // The unit's ports are asked for what comes before a wave's first long wait, and for the rest after it.
  void charge_instructions(std::uint32_t index) {
    const Wave& w = waves_[index];
    const WaveTrace& t = trace_->waves[index];
    std::uint64_t all = 0;
    for (const std::uint64_t n : t.issued) all += n;
    const double before =
        !w.waited || all == 0 ? 1.0 : static_cast<double>(std::min(w.issued_before, all)) / static_cast<double>(all);
    const auto charge = [&](std::size_t pipe, std::uint64_t n) {
      const Cost cost = n * rates_.instruction[pipe];
      const Cost early = static_cast<Cost>(static_cast<double>(cost) * before);
      w_.early[pipe] += early;
      w_.late[pipe] += cost - early;
    };
    for (std::size_t c = 0; c < instruction_classes; ++c) charge(c, t.issued[c]);
    charge(issue_pipe, all);
  }

  void wait(Wave& w, std::size_t flights) {
    const TimePs before = w.time;
    for (std::size_t i = 0; i < flights; ++i) w.time = std::max(w.time, w.flights[i].done);
    if (!w.waited && w.time > before + std::max(rates_.l1_ps, rates_.local_ps)) {
      w.waited = true;
      w.issued_before = w.issued;
      w_.lead = std::max(w_.lead, w.time);
    }
    w.flights.erase(w.flights.begin(), w.flights.begin() + static_cast<std::ptrdiff_t>(flights));
  }

  Found look_up(const WaveAccess& a) {
    const std::uint64_t lines = traffic_.lines, sectors = traffic_.sectors, atomics = traffic_.atomic_sectors;
    const std::uint64_t bytes = traffic_.device_read + traffic_.device_written;
    const Level farthest = traffic_.level;
    traffic_.level = Level::none;
    memory_.access(unit_, a, *trace_, traffic_);
    const Found found{l1_cost(rates_, traffic_.lines - lines, traffic_.sectors - sectors), traffic_.level,
                      traffic_.device_read + traffic_.device_written != bytes, traffic_.atomic_sectors != atomics};
    traffic_.level = std::max(traffic_.level, farthest);
    return found;
  }

  // When access `number` of the group, which is issued at w.time, is over.
  TimePs done(const Wave& w, const WaveAccess& a, std::size_t number) {
    TimePs t = w.time;
    auto& pipe = w.waited ? w_.late : w_.early;
    if (is_local(a)) {
      const Cost cost = local_cost(rates_, a);
      pipe[local_pipe] += cost;
      largest_ = std::max(largest_, cost);
      return t + to_ps(cost) + local_latency(rates_, a);
    }
    Found found;
    if (replayed_ != nullptr) {
      found = *replayed_++;
    } else {
      found = look_up(a);
      if (recording_) order_.push_back(static_cast<std::uint32_t>(number));
    }
    pipe[l1_pipe] += found.l1;
    largest_ = std::max(largest_, found.l1);
    t += to_ps(found.l1);
    if (found.level <= Level::l1) return t + rates_.l1_ps;
    const TimePs half = rates_.l2_ps / 2;
    const TimePs far = t + half;
    w_.l2.at(far);
    if (found.atomic) {
      w_.atomics.at(far);
      const Cost each = atomic_cost(rates_, a);
      for (std::uint32_t i = 0; i < a.sectors; ++i) {
        w_.hot = std::max(w_.hot, grid_.hot_sectors.serve(trace_->sectors[a.first_sector + i], start_ + far, each));
      }
    }
    TimePs back = far;
    if (found.dram) w_.dram.at(far + rates_.memory_ps / 2);
    if (found.level == Level::memory) back = far + rates_.memory_ps;
    if (found.level == Level::host) {
      (a.kind == AccessKind::store ? w_.host_write : w_.host_read).at(far);
      if (a.kind == AccessKind::atomic) w_.host_write.at(far);
      back = far + (a.kind == AccessKind::store ? rates_.host_write_ps : rates_.host_read_ps);
    }
    if (a.kind == AccessKind::store) {
      w_.drained = std::max(w_.drained, back);
      return back;
    }
    return back + (rates_.l2_ps - half);
  }

  static constexpr std::uint32_t over = ~0U;
  static constexpr std::size_t ahead = 12;  // records; by then what was asked for is there
  static constexpr std::size_t most_past = 4;

  const std::uint32_t room_;
  const Rates& rates_;
  Grid& grid_;
  MemorySide& memory_;
  const AlikeGroups* const alike_;
  GroupTrace alike_trace_;  // its sectors are those of the group that they were last placed for
  std::optional<AlikePlan> plan_;
  std::vector<Wave> waves_;
  std::vector<TimePs> begins_;  // of the waves
  std::size_t unit_ = 0;
  const GroupTrace* trace_ = nullptr;
  Traffic traffic_;
  std::vector<std::uint32_t> order_;  // in which groups that are alike access what is not local
  bool recording_ = false;            // it
  std::vector<Found> found_;
  std::vector<Past> past_;
  // Of the walk under way.
  TimePs start_ = 0;
  Walk w_;
  const Found* replayed_ = nullptr;  // what its next access has found; nullptr: it has to look
  std::uint64_t arrived_ = 0;        // at the next barrier
  Cost largest_ = 0;                 // service of a single record since the last one
};

// A unit with room, by when it has it, then by how little it holds.
struct Place {
  TimePs ready;
  std::size_t residents;
  std::size_t unit;
  bool operator<(const Place& o) const {  // std::priority_queue keeps the largest first
    return ready != o.ready ? ready > o.ready : residents != o.residents ? residents > o.residents : unit > o.unit;
  }
};

}  // namespace

LaunchResult run_groups(const Launch& launch, const profile::Profile& profile, const Rates& rates, Grid& grid,
                        MemorySide& memory) {
  LaunchResult result;
  result.end = launch.begin;
  const Footprint& group = launch.occupancy.group;
  std::priority_queue<Place> places;
  const auto offer = [&](std::size_t unit, TimePs from) {
    const TimePs ready = grid.room(unit, group, from);
    if (ready != time_never) places.push({ready, grid.units[unit].residents.size(), unit});
  };
  for (std::size_t u = 0; u < grid.units.size(); ++u) offer(u, launch.begin);
  GroupRunner runner(profile, rates, grid, memory, launch.alike);
  GroupTrace own;
  KernelRecord own_figures, alike_figures;
  if (launch.alike != nullptr) count(launch.alike->first, alike_figures);
  for (GroupOrder order(launch.range); !order.done() && !places.empty(); order.next()) {
    if (own.alike) runner.expect(order.at(), places.top().unit);
    own.clear();
    if (!launch.run_group(order.at(), own)) {
      result.failed = true;
      break;
    }
    if (!own.alike) {
      own_figures = {};
      count(own, own_figures);
    }
    add(own.alike ? alike_figures : own_figures, result.figures);
    const Place place = places.top();
    places.pop();
    const TimePs start = grid.dispatcher.serve(place.ready, rates.dispatch);
    const TimePs end = runner.run(order.at(), own.alike ? nullptr : &own, place.unit, start, result);
    if (launch.timeline != nullptr) {
      const GroupTrace& trace = own.alike ? launch.alike->first : own;
      launch.timeline->add(start, end, sums_of(trace, runner.traffic(), end - start));
    }
    grid.occupy(place.unit, group, end);
    offer(place.unit, place.ready);
  }
  return result;
}

}  // namespace sluice::compute
