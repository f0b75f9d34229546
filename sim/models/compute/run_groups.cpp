// Detail `train`. A group is placed where there is room first, walked through alone for its time without competition,
// and then asks every serial part for all that it needs of it, from its first request on. It ends when the slowest of
// them lets it. Where one part limits the launch its requests are served back to back, so the sum is the launch's
// time; where none does, the walks are. Memory does not grow with the launch.
#include <algorithm>
#include <queue>

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
  GroupRunner(const profile::Profile& profile, const Rates& rates, Grid& grid, MemorySide& memory)
      : room_(profile.compute.wave_loads), rates_(rates), grid_(grid), memory_(memory) {}

  // Places `trace` on `unit` at `start`; returns when the slots are free again.
  TimePs run(const GroupTrace& trace, std::size_t unit, TimePs start, LaunchResult& result) {
    Unit& u = grid_.units[unit];
    unit_ = unit;
    trace_ = &trace;
    lead_ = drained_ = start;
    early_ = late_ = {};
    traffic_ = {};
    l2_ = atomics_ = dram_ = host_read_ = host_write_ = {};
    hot_ = 0;
    if (waves_.size() < trace.waves.size()) waves_.resize(trace.waves.size());
    for (std::uint32_t i = 0; i < trace.waves.size(); ++i) {
      waves_[i].begin(i, u.launch.serve(start, rates_.wave_launch));
      waves_[i].instruction = pace_alone(rates_, trace.waves[i]);
    }
    const TimePs alone = walk();
    for (std::uint32_t i = 0; i < trace.waves.size(); ++i) charge_instructions(i);
    TimePs end = std::max(alone, hot_);
    for (std::size_t p = 0; p < pipes; ++p) {
      end = std::max(end, u.pipe[p].serve(start, early_[p]));
      if (late_[p] != 0) end = std::max(end, u.pipe[p].serve(lead_, late_[p]));
    }
    const TimePs l2_before = grid_.l2.free_at();
    const auto shared = [&](const Arrivals& a, auto&& serve) {
      if (a.first == time_never) return;
      end = std::max(end, serve(a.first) + (alone > a.last ? alone - a.last : 0));
    };
    shared(l2_, [&](TimePs at) { return grid_.l2.serve(at, traffic_.l2_sectors * rates_.l2_sector); });
    shared(atomics_,
           [&](TimePs at) { return grid_.atomics.serve(at, traffic_.atomic_sectors * rates_.atomic_sector); });
    // What this group misses or drives out depends on what the last-level cache has served before.
    shared(dram_, [&](TimePs at) {
      return grid_.dram.serve(std::max(at, l2_before), traffic_.device_read, traffic_.device_written);
    });
    shared(host_read_, [&](TimePs at) { return grid_.host_read.serve(at, host_read_cost(rates_, traffic_)); });
    shared(host_write_, [&](TimePs at) { return grid_.host_write.serve(at, host_write_cost(rates_, traffic_)); });
    result.traffic.add(traffic_);
    result.first_host_read = std::min(result.first_host_read, host_read_.first);
    result.first_host_write = std::min(result.first_host_write, host_write_.first);
    result.end = std::max({result.end, end, drained_});
    return end;
  }

  // Of the group that ran last.
  [[nodiscard]] const Traffic& traffic() const noexcept { return traffic_; }

 private:
  // All waves to their ends, in step at barriers; returns the last end.
  TimePs walk() {
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
      if (at + ahead < trace_->accesses.size()) {
        const WaveAccess& later = trace_->accesses[at + ahead];
        if (!is_local(later)) memory_.expect(unit_, later, *trace_);
      }
      wait(w, awaited(w, a, room_));
      w.issued += a.issued;
      w.time += to_ps(a.issued * w.instruction);
      largest_ = std::max(largest_, a.issued * rates_.instruction[issue_pipe]);
      if (a.kind == AccessKind::barrier) return true;
      w.flights.push_back({a.site, a.kind != AccessKind::store, done(w, a)});
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
      early_[pipe] += early;
      late_[pipe] += cost - early;
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
      lead_ = std::max(lead_, w.time);
    }
    w.flights.erase(w.flights.begin(), w.flights.begin() + static_cast<std::ptrdiff_t>(flights));
  }

  // When an access that is issued at `t` is over.
  TimePs done(const Wave& w, const WaveAccess& a) {
    TimePs t = w.time;
    auto& pipe = w.waited ? late_ : early_;
    if (is_local(a)) {
      const Cost cost = local_cost(rates_, a);
      pipe[local_pipe] += cost;
      largest_ = std::max(largest_, cost);
      return t + to_ps(cost) + local_latency(rates_, a);
    }
    Traffic& one = one_;
    one.reset();
    memory_.access(unit_, a, *trace_, one);
    traffic_.add(one);
    const Cost cost = l1_cost(rates_, a, one);
    pipe[l1_pipe] += cost;
    largest_ = std::max(largest_, cost);
    t += to_ps(cost);
    if (one.level <= Level::l1) return t + rates_.l1_ps;
    const TimePs half = rates_.l2_ps / 2;
    const TimePs far = t + half;
    l2_.at(far);
    if (one.atomic_sectors != 0) {
      atomics_.at(far);
      const Cost each = atomic_cost(rates_, a);
      for (std::uint32_t i = 0; i < a.sectors; ++i) {
        hot_ = std::max(hot_, grid_.hot_sectors.serve(trace_->sectors[a.first_sector + i], far, each));
      }
    }
    TimePs back = far;
    if (one.device_read + one.device_written != 0) dram_.at(far + rates_.memory_ps / 2);
    if (one.level == Level::memory) back = far + rates_.memory_ps;
    if (one.level == Level::host) {
      (a.kind == AccessKind::store ? host_write_ : host_read_).at(far);
      if (a.kind == AccessKind::atomic) host_write_.at(far);
      back = far + (a.kind == AccessKind::store ? rates_.host_write_ps : rates_.host_read_ps);
    }
    if (a.kind == AccessKind::store) {
      drained_ = std::max(drained_, back);
      return back;
    }
    return back + (rates_.l2_ps - half);
  }

  static constexpr std::uint32_t over = ~0U;
  static constexpr std::size_t ahead = 6;  // records; by then what was asked for is there

  const std::uint32_t room_;
  const Rates& rates_;
  Grid& grid_;
  MemorySide& memory_;
  std::vector<Wave> waves_;
  std::size_t unit_ = 0;
  const GroupTrace* trace_ = nullptr;
  TimePs lead_ = 0;                           // the first long wait of all waves is over
  std::array<Cost, pipes> early_{}, late_{};  // before it, after it
  std::uint64_t arrived_ = 0;                 // at the next barrier
  Cost largest_ = 0;                          // service of a single record since the last one
  Traffic traffic_;
  Traffic one_;  // of the access that is being looked at
  Arrivals l2_, atomics_, dram_, host_read_, host_write_;
  TimePs hot_ = 0;  // the last atomic on a contended sector
  TimePs drained_ = 0;
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
  GroupRunner runner(profile, rates, grid, memory);
  GroupTrace trace;
  for (GroupOrder order(launch.range); !order.done() && !places.empty(); order.next()) {
    trace.clear();
    if (!launch.run_group(order.at(), trace)) {
      result.failed = true;
      break;
    }
    count(trace, result.figures);
    const Place place = places.top();
    places.pop();
    const TimePs start = grid.dispatcher.serve(place.ready, rates.dispatch);
    const TimePs end = runner.run(trace, place.unit, start, result);
    if (launch.timeline != nullptr) launch.timeline->add(start, end, sums_of(trace, runner.traffic(), end - start));
    grid.occupy(place.unit, group, end);
    offer(place.unit, place.ready);
  }
  return result;
}

}  // namespace sluice::compute
