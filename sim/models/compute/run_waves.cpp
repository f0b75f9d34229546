// Detail `packet`. The waves of all resident groups run side by side: each waits for its loads, issues through the
// ports of its unit, and sends its accesses to the first-level cache, the last-level cache, device memory or the link,
// which serve them one by one in the order in which they come. A private list of events in time order; the traces of
// resident groups are all that is kept.
#include <algorithm>
#include <memory>

#include "sim/models/compute/launch.h"
#include "sim/models/compute/wave.h"

namespace sluice::compute {

namespace {

enum class What : std::uint8_t { dispatch, wave, last_level, memory };

struct Event {
  TimePs at;
  std::uint64_t order;
  What what;
  std::uint32_t index;
  bool operator<(const Event& o) const { return at != o.at ? at > o.at : order > o.order; }
};

struct Group {
  GroupTrace trace;
  std::size_t unit = 0;
  TimePs begin = 0;
  Traffic traffic;
  std::uint32_t live = 0;              // waves
  std::vector<std::uint32_t> waiting;  // at the barrier
  Server arrivals;                     // there, behind the first
};

struct Slot {
  Wave wave;
  std::uint32_t group = 0;
  std::uint32_t generation = 0;  // waves that had the slot before
  std::uint64_t landed = 0;      // flights that were taken off
  std::uint64_t instructions = 0;
  bool issued = false;  // the next access, which is due now
  bool parked = false;  // until a flight's time is known
  bool ending = false;
};

struct Request {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  std::uint64_t flight = 0;
  AccessKind kind = AccessKind::load;
  Traffic traffic;
  std::vector<memory::KernelAccess> misses;
};

class WaveRunner {
 public:
  WaveRunner(const Launch& launch, const profile::Profile& profile, const Rates& rates, Grid& grid, MemorySide& memory)
      : launch_(launch),
        room_(profile.compute.wave_loads),
        rates_(rates),
        grid_(grid),
        memory_(memory),
        order_(launch.range) {}

  LaunchResult run() {
    result_.end = launch_.begin;
    post(launch_.begin, What::dispatch, 0);
    while (!events_.empty() && !result_.failed) {
      std::pop_heap(events_.begin(), events_.end());
      const Event e = events_.back();
      events_.pop_back();
      now_ = e.at;
      switch (e.what) {
        case What::dispatch:
          dispatch();
          break;
        case What::wave:
          advance(e.index);
          break;
        case What::last_level:
          at_last_level(e.index);
          break;
        case What::memory:
          at_memory(e.index);
          break;
      }
    }
    if (result_.failed) abandon();
    return std::move(result_);
  }

 private:
  void post(TimePs at, What what, std::uint32_t index) {
    events_.push_back({at, posted_++, what, index});
    std::push_heap(events_.begin(), events_.end());
  }

  template <class T>
  static std::uint32_t take(std::vector<std::unique_ptr<T>>& all, std::vector<std::uint32_t>& free) {
    if (free.empty()) {
      all.push_back(std::make_unique<T>());
      return static_cast<std::uint32_t>(all.size() - 1);
    }
    const std::uint32_t i = free.back();
    free.pop_back();
    return i;
  }

  void dispatch() {
    const Footprint& need = launch_.occupancy.group;
    while (!order_.done() && !result_.failed) {
      std::size_t best = grid_.units.size();
      TimePs soonest = time_never;
      for (std::size_t u = 0; u < grid_.units.size(); ++u) {
        const TimePs at = grid_.room(u, need, now_);
        soonest = std::min(soonest, at);
        if (at > now_) continue;
        if (best == grid_.units.size() || grid_.units[u].residents.size() < grid_.units[best].residents.size())
          best = u;
      }
      if (best == grid_.units.size()) {
        // Only what other launches hold has a known end; an own group's end dispatches by itself.
        if (soonest != time_never) post(soonest, What::dispatch, 0);
        return;
      }
      place(best);
      order_.next();
    }
  }

  void place(std::size_t unit) {
    const std::uint32_t index = take(groups_, free_groups_);
    Group& g = *groups_[index];
    g.trace.clear();
    g.unit = unit;
    if (!launch_.run_group(order_.at(), g.trace)) {
      result_.failed = true;
      return;
    }
    if (g.trace.alike) {
      g.trace = launch_.alike->first;
      launch_.alike->place(order_.at(), g.trace.sectors);
    }
    count(g.trace, result_.figures);
    grid_.occupy(unit, launch_.occupancy.group, time_never);
    const TimePs start = grid_.dispatcher.serve(now_, rates_.dispatch);
    g.begin = start;
    g.traffic = {};
    g.live = static_cast<std::uint32_t>(g.trace.waves.size());
    g.waiting.clear();
    g.arrivals = {};
    for (std::uint32_t i = 0; i < g.trace.waves.size(); ++i) {
      const std::uint32_t at = take(slots_, free_slots_);
      Slot& s = *slots_[at];
      s.wave.begin(i, grid_.units[unit].launch.serve(start, rates_.wave_launch));
      s.wave.instruction = pace_alone(rates_, g.trace.waves[i]);
      s.group = index;
      s.landed = 0;
      s.issued = s.parked = s.ending = false;
      s.instructions = 0;
      for (const std::uint64_t n : g.trace.waves[i].issued) s.instructions += n;
      post(s.wave.time, What::wave, at);
    }
    if (g.live == 0) group_over(index, start);
  }

  // As far as the wave gets now.
  void advance(std::uint32_t index) {
    Slot& s = *slots_[index];
    Group& g = *groups_[s.group];
    const WaveTrace& t = g.trace.waves[s.wave.trace];
    while (true) {
      if (s.ending) return wave_over(index);
      const bool last = s.wave.next == t.accesses;
      const WaveAccess* a = last ? nullptr : &g.trace.accesses[t.first_access + s.wave.next];
      if (!s.issued) {
        if (!landed(s, last ? awaited_at_end(s.wave) : awaited(s.wave, *a, room_))) return;
        if (s.wave.time > now_) return post(s.wave.time, What::wave, index);
        const std::uint64_t rest = s.instructions > s.wave.issued ? s.instructions - s.wave.issued : 0;
        s.wave.time = issue(s, g, last ? rest : a->issued);
        (last ? s.ending : s.issued) = true;
        if (s.wave.time > now_) return post(s.wave.time, What::wave, index);
        continue;
      }
      s.issued = false;
      ++s.wave.next;
      if (a->kind == AccessKind::barrier) {
        g.waiting.push_back(index);
        g.arrivals.serve(now_, g.waiting.size() == 1 ? 0 : rates_.barrier_wave);
        return at_barrier(g);
      }
      start(index, s, g, *a);
    }
  }

  // False: the wave waits for an end that is not known yet.
  bool landed(Slot& s, std::size_t flights) {
    auto& all = s.wave.flights;
    for (std::size_t i = 0; i < flights; ++i) {
      if (all[i].done == time_never) {
        s.parked = true;
        return false;
      }
    }
    for (std::size_t i = 0; i < flights; ++i) s.wave.time = std::max(s.wave.time, all[i].done);
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(flights));
    s.landed += flights;
    return true;
  }

  // A record's instructions take each port in the proportion of the wave's whole.
  TimePs issue(Slot& s, const Group& g, std::uint64_t instructions) {
    const WaveTrace& t = g.trace.waves[s.wave.trace];
    Unit& u = grid_.units[g.unit];
    TimePs done = now_ + to_ps(instructions * s.wave.instruction);
    const double before = share(s.wave.issued, s.instructions);
    s.wave.issued += instructions;
    const double after = share(s.wave.issued, s.instructions);
    const auto take = [&](std::size_t pipe, std::uint64_t all) {
      if (all == 0) return;
      const double cost = static_cast<double>(all * rates_.instruction[pipe]);
      done =
          std::max(done, u.pipe[pipe].serve(now_, static_cast<Cost>(cost * after) - static_cast<Cost>(cost * before)));
    };
    for (std::size_t c = 0; c < instruction_classes; ++c) take(c, t.issued[c]);
    take(issue_pipe, s.instructions);
    return done;
  }
  static double share(std::uint64_t part, std::uint64_t all) {
    return all == 0 ? 0 : static_cast<double>(std::min(part, all)) / static_cast<double>(all);
  }

  void start(std::uint32_t index, Slot& s, Group& g, const WaveAccess& a) {
    Unit& u = grid_.units[g.unit];
    const bool loads = a.kind != AccessKind::store;
    if (is_local(a)) {
      s.wave.flights.push_back(
          {a.site, loads, u.pipe[local_pipe].serve(now_, local_cost(rates_, a)) + local_latency(rates_, a)});
      return;
    }
    Traffic traffic;
    memory_.misses().clear();
    memory_.access(g.unit, a, g.trace, traffic);
    result_.traffic.add(traffic);
    if (launch_.timeline != nullptr) g.traffic.add(traffic);
    const TimePs near = u.pipe[l1_pipe].serve(now_, l1_cost(rates_, traffic.lines, traffic.sectors));
    if (traffic.level <= Level::l1) {
      s.wave.flights.push_back({a.site, loads, near + rates_.l1_ps});
      return;
    }
    if (traffic.atomic_sectors != 0) {
      const Cost each = atomic_cost(rates_, a);
      for (std::uint32_t i = 0; i < a.sectors; ++i) {
        result_.end = std::max(
            result_.end, grid_.hot_sectors.serve(g.trace.sectors[a.first_sector + i], near + rates_.l2_ps / 2, each));
      }
    }
    s.wave.flights.push_back({a.site, loads, time_never});
    const std::uint32_t r = take(requests_, free_requests_);
    *requests_[r] = {index, s.generation, s.landed + s.wave.flights.size() - 1, a.kind, traffic, memory_.misses()};
    post(near + rates_.l2_ps / 2, What::last_level, r);
  }

  void at_last_level(std::uint32_t index) {
    const Request& r = *requests_[index];
    const Traffic& t = r.traffic;
    TimePs done = grid_.l2.serve(now_, t.l2_sectors * rates_.l2_sector);
    if (t.atomic_sectors != 0)
      done = std::max(done, grid_.atomics.serve(now_, t.atomic_sectors * rates_.atomic_sector));
    if (t.level == Level::host) {
      if (r.kind != AccessKind::store) result_.first_host_read = std::min(result_.first_host_read, now_);
      if (r.kind != AccessKind::load) result_.first_host_write = std::min(result_.first_host_write, now_);
      const Cost read = host_read_cost(rates_, t);
      const Cost write = host_write_cost(rates_, t);
      // The latency is that of a packet, its own service included.
      if (read != 0) done = std::max(done, grid_.host_read.serve(now_, read) + rates_.host_read_ps);
      if (write != 0) done = std::max(done, grid_.host_write.serve(now_, write) + rates_.host_write_ps);
    }
    if (t.device_read + t.device_written != 0) {
      post(done + rates_.memory_ps / 2, What::memory, index);
      return;
    }
    complete(index, done);
  }

  void at_memory(std::uint32_t index) {
    const Request& r = *requests_[index];
    const TimePs done = grid_.dram.serve(now_, r.traffic.device_read, r.traffic.device_written, r.misses);
    complete(index, r.traffic.level == Level::memory ? done + (rates_.memory_ps - rates_.memory_ps / 2) : done);
  }

  // The data are at the last-level cache, or a store has arrived.
  void complete(std::uint32_t index, TimePs done) {
    const Request& r = *requests_[index];
    if (r.kind != AccessKind::store) done += rates_.l2_ps - rates_.l2_ps / 2;
    result_.end = std::max(result_.end, done);
    Slot& s = *slots_[r.slot];
    if (s.generation == r.generation && r.flight >= s.landed) {
      s.wave.flights[r.flight - s.landed].done = done;
      if (s.parked) {
        s.parked = false;
        post(now_, What::wave, r.slot);
      }
    }
    free_requests_.push_back(index);
  }

  void at_barrier(Group& g) {
    if (g.waiting.size() < g.live) return;
    for (const std::uint32_t i : g.waiting) {
      slots_[i]->wave.time = std::max(now_, g.arrivals.free_at()) + rates_.barrier_ps;
      post(slots_[i]->wave.time, What::wave, i);
    }
    g.waiting.clear();
  }

  void wave_over(std::uint32_t index) {
    Slot& s = *slots_[index];
    Group& g = *groups_[s.group];
    ++s.generation;
    free_slots_.push_back(index);
    if (--g.live == 0) return group_over(s.group, now_);
    if (!g.waiting.empty()) at_barrier(g);
  }

  void group_over(std::uint32_t index, TimePs at) {
    result_.end = std::max(result_.end, at);
    const Group& g = *groups_[index];
    if (launch_.timeline != nullptr)
      launch_.timeline->add(g.begin, at, sums_of(g.trace, g.traffic, at > g.begin ? at - g.begin : 0));
    for (Unit::Resident& r : grid_.units[g.unit].residents) {
      if (r.end != time_never) continue;
      r.end = at;
      break;
    }
    free_groups_.push_back(index);
    if (!order_.done()) post(at, What::dispatch, 0);
  }

  // What a failed launch leaves on the units ends now.
  void abandon() {
    for (Unit& u : grid_.units) {
      for (Unit::Resident& r : u.residents) r.end = std::min(r.end, r.end == time_never ? now_ : r.end);
    }
    result_.end = std::max(result_.end, now_);
  }

  const Launch& launch_;
  const std::uint32_t room_;
  const Rates& rates_;
  Grid& grid_;
  MemorySide& memory_;
  GroupOrder order_;
  TimePs now_ = 0;
  std::uint64_t posted_ = 0;
  std::vector<Event> events_;
  std::vector<std::unique_ptr<Group>> groups_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<std::unique_ptr<Request>> requests_;
  std::vector<std::uint32_t> free_groups_, free_slots_, free_requests_;
  LaunchResult result_;
};

}  // namespace

LaunchResult run_waves(const Launch& launch, const profile::Profile& profile, const Rates& rates, Grid& grid,
                       MemorySide& memory) {
  return WaveRunner(launch, profile, rates, grid, memory).run();
}

}  // namespace sluice::compute
