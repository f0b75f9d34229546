#include "sim/models/traffic.h"

#include <algorithm>
#include <deque>

namespace sluice::sim {

std::string_view to_string(Resource r) noexcept {
  switch (r) {
    case Resource::wire_up: return "link.up";
    case Resource::wire_down: return "link.down";
    case Resource::home_agent: return "host.home_agent";
    case Resource::device_memory: return "device.memory";
    case Resource::bridge_up: return "bridge.up";
    case Resource::bridge_down: return "bridge.down";
    case Resource::peer_wire_down: return "peer.link.down";
    case Resource::peer_memory: return "peer.memory";
    case Resource::count_: break;
  }
  return "?";
}

namespace {

using Times = std::array<TimePs, max_hops>;

// Departure of the last of `n` packets from each hop. A tandem of serial servers is linear in the max-plus algebra:
// departure(k, j) = max(departure(k - 1, j), departure(k, j - 1) + latency) + service(j), so the n-th departure is the
// longest path through an n by hops grid, and that path takes all its n - 1 horizontal steps at the slowest hop it visits.
Times advance(const Flow& flow, const Times& service, std::uint64_t n, const Times& free, TimePs source) {
  Times out{};
  for (std::size_t j = 0; j < flow.hops; ++j) {
    TimePs best = 0;
    for (std::size_t i = 0; i <= j; ++i) {
      TimePs path = 0;
      TimePs slowest = 0;
      for (std::size_t k = i; k <= j; ++k) {
        path += service[k] + (k < j ? flow.latency_ps[k] : 0);
        slowest = std::max(slowest, service[k]);
      }
      const TimePs from = i == 0 ? std::max(free[0], source) : free[i];
      best = std::max(best, from + path + (n - 1) * slowest);
    }
    out[j] = best;
  }
  return out;
}

// Packet by packet with the windows, jumping over whole periods once the pattern repeats.
class WindowedRun {
 public:
  explicit WindowedRun(const Flow& flow) : flow_(flow) {
    if (flow.window != 0) {
      windows_.push_back({.from = 0, .until = flow.hops - 1U, .return_ps = flow.window_return_ps, .capacity = flow.window});
    }
    for (const CreditWindow& c : flow.credits) {
      windows_.push_back({.from = c.hop, .until = c.until_hop, .return_ps = c.return_ps, .capacity = c.capacity, .credit = &c});
    }
  }

  void run(const Segment& segment, const Times& service, std::uint64_t n) {
    for (Window& w : windows_) w.units = w.credit == nullptr ? 1 : w.credit->units(segment);
    const std::uint64_t period = period_of(service);
    Mark mark;
    bool marked = false;
    TimePs last_delta = 0;
    std::uint64_t k = 0;
    while (k < n) {
      step(service);
      ++k;
      if (k % period != 0) continue;
      if (marked) {
        const TimePs delta = windows_.front().last() - mark.last;
        const bool uniform = shifted(mark, delta);
        if (uniform && delta == last_delta) {
          const std::uint64_t periods = (n - k) / period;
          const TimePs shift = periods * delta;
          k += periods * period;
          for (Window& w : windows_) {
            for (Place& p : w.places) p.at += shift;
          }
          for (std::size_t j = 0; j < flow_.hops; ++j) free_[j] += shift;
        }
        last_delta = uniform ? delta : 0;
      }
      remember(mark);
      marked = true;
    }
  }
  [[nodiscard]] const Times& departures() const { return free_; }

 private:
  struct Place {
    TimePs at = 0;
    std::uint32_t units = 0;
    [[nodiscard]] bool operator==(const Place&) const = default;
  };
  struct Window {
    std::size_t from = 0;
    std::size_t until = 0;
    TimePs return_ps = 0;
    std::uint64_t capacity = 1;
    const CreditWindow* credit = nullptr;
    std::uint32_t units = 1;  // of a packet
    std::uint64_t taken = 0;
    std::deque<Place> places = {};  // taken, by when they come back

    [[nodiscard]] TimePs last() const { return places.empty() ? 0 : places.back().at; }
    // When a packet may enter.
    [[nodiscard]] TimePs take() {
      TimePs at = 0;
      while (taken + units > capacity) {
        at = std::max(at, places.front().at);
        taken -= places.front().units;
        places.pop_front();
      }
      taken += units;
      return at;
    }
  };
  struct Mark {
    TimePs last = 0;
    Times free{};
    std::vector<Place> places;
  };

  void step(const Times& service) {
    TimePs at = 0;
    for (std::size_t j = 0; j < flow_.hops; ++j) {
      for (Window& w : windows_) {
        if (w.from == j) at = std::max(at, w.take());
      }
      free_[j] = std::max(free_[j], at) + service[j];
      at = free_[j] + flow_.latency_ps[j];
    }
    for (Window& w : windows_) w.places.push_back({free_[w.until] + w.return_ps, w.units});
  }

  // After so many packets the pattern repeats, once it does: the packets that fit the window which goes round most slowly.
  [[nodiscard]] std::uint64_t period_of(const Times& service) const {
    std::uint64_t slowest = 1;
    std::uint64_t kept = 0;
    double most = -1;
    for (const Window& w : windows_) {
      const std::uint64_t packets = w.capacity / w.units;
      TimePs trip = w.return_ps;
      for (std::size_t j = w.from; j <= w.until; ++j) trip += service[j] + (j < w.until ? flow_.latency_ps[j] : 0);
      const double pace = static_cast<double>(trip) / static_cast<double>(packets);
      if (pace > most) most = pace, slowest = packets;
      kept += packets;
    }
    // Not more often than looking is worth.
    return slowest * std::max<std::uint64_t>(1, kept / (4 * slowest));
  }

  void remember(Mark& mark) const {
    mark.last = windows_.front().last();
    mark.free = free_;
    mark.places.clear();
    for (const Window& w : windows_) mark.places.insert(mark.places.end(), w.places.begin(), w.places.end());
  }

  [[nodiscard]] bool shifted(const Mark& mark, TimePs delta) const {
    for (std::size_t j = 0; j < flow_.hops; ++j) {
      if (free_[j] - mark.free[j] != delta) return false;
    }
    std::size_t i = 0;
    for (const Window& w : windows_) {
      if (w.places.size() > mark.places.size() - i) return false;
      for (const Place& p : w.places) {
        if (p != Place{mark.places[i].at + delta, mark.places[i].units}) return false;
        ++i;
      }
    }
    return i == mark.places.size();
  }

  const Flow& flow_;
  std::vector<Window> windows_;
  Times free_{};
};

// Equal packets are never delayed by a window of which even the last hop alone fills a round trip. Where the cost of
// packets changes, an early hop may have run ahead further than the window allows, so such flows are run with it.
bool window_can_limit(const Flow& flow, std::size_t from, std::size_t until, TimePs return_ps, std::uint64_t packets) {
  if (flow.packets() <= packets) return false;
  const bool short_tail = flow.segments.back().packets == 1;  // a part packet, cheaper at every hop
  if (flow.segments.size() > (short_tail ? 2U : 1U)) return true;
  const Segment& s = flow.segments.front();
  TimePs round_trip = return_ps;
  TimePs slowest = 0;  // up to the hop that ends the flow
  for (std::size_t j = 0; j < flow.hops; ++j) {
    if (j >= from && j <= until) round_trip += s.service_ps[j] + (j < until ? flow.latency_ps[j] : 0);
    if (short_tail && flow.segments.back().service_ps[j] > s.service_ps[j]) return true;
    if (j <= flow.end_hop) slowest = std::max(slowest, s.service_ps[j]);
    // What drains more slowly than it comes holds the window, and with it the hops before.
    if (j > flow.end_hop && j <= until && s.service_ps[j] > slowest) return true;
  }
  return (packets - 1) * s.service_ps[until] < round_trip;
}

bool windows_can_limit(const Flow& flow) {
  if (flow.window != 0 && window_can_limit(flow, 0, flow.hops - 1U, flow.window_return_ps, flow.window)) return true;
  return std::any_of(flow.credits.begin(), flow.credits.end(), [&](const CreditWindow& c) {
    std::uint32_t most = 1;
    for (const Segment& s : flow.segments) most = std::max(most, c.units(s));
    return window_can_limit(flow, c.hop, c.until_hop, c.return_ps, c.capacity / most);
  });
}

// Where translations hold packets up: at the home agent; on a way that does not lead there, before the first hop.
std::size_t translation_hop(const Flow& flow) {
  const auto end = flow.path.begin() + flow.hops;
  const auto home = std::find(flow.path.begin(), end, Resource::home_agent);
  return home == end ? 0 : static_cast<std::size_t>(home - flow.path.begin());
}

// The latency that work at the home agent's caches is part of.
TimePs& by_home(Flow& flow) {
  const std::size_t home = translation_hop(flow);
  return flow.latency_ps[home == 0 ? 0 : home - 1];
}

FlowTimes times_of(const Flow& flow, const Times& departures) {
  const std::size_t last = flow.hops - 1U;
  const TimePs drained = departures[last] + flow.latency_ps[last];
  return {flow.end_hop == last ? drained : departures[flow.end_hop], drained};
}

template <class Service>
FlowTimes run_alone(const Flow& flow, Service service) {
  if (flow.segments.empty()) return {};
  if (windows_can_limit(flow)) {
    WindowedRun run(flow);
    for (const Segment& s : flow.segments) run.run(s, service(s), s.packets);
    return times_of(flow, run.departures());
  }
  Times free{};
  for (const Segment& s : flow.segments) free = advance(flow, service(s), s.packets, free, 0);
  return times_of(flow, free);
}

}  // namespace

void add_snoop(Flow& flow, TimePs latency) {
  by_home(flow) += latency;
  flow.snoop_once_ps += latency;
}

void add_ownership(Flow& flow, TimePs latency) {
  by_home(flow) += latency;
  flow.ownership_ps += latency;
}

void add_walks(Flow& flow, const Walks& walks) {
  flow.walks = walks.count;
  flow.walk_in_window_ps = flow.walk_once_ps = 0;
  const std::uint64_t packets = flow.packets();
  if (walks.count == 0 || packets == 0) return;
  const std::size_t hop = translation_hop(flow);
  const TimePs share = (walks.walkers_ps + packets / 2) / packets;
  for (Segment& s : flow.segments) {
    s.walk_ps = share > s.service_ps[hop] ? share - s.service_ps[hop] : 0;
    s.service_ps[hop] += s.walk_ps;
  }
  flow.walk_part = walks.part;
  flow.walk_action = walks.action;
  const double waiting =
      flow.window == 0 || !walks.holds_window ? 0 : static_cast<double>(walks.count) * flow.window / static_cast<double>(packets);
  flow.walk_in_window_ps = static_cast<TimePs>(static_cast<double>(walks.latency_ps) * std::min(1.0, waiting));
  flow.walk_once_ps = walks.latency_ps - flow.walk_in_window_ps;
  by_home(flow) += flow.walk_in_window_ps;
  flow.latency_ps[flow.hops - 1U] += flow.walk_once_ps;
}

FlowTimes times_alone(const Flow& flow, Without without) {
  if (without == Without::nothing) {
    return run_alone(flow, [](const Segment& s) -> const Times& { return s.service_ps; });
  }
  const TimePs snoop = without >= Without::walks_and_snoops ? flow.snoop_once_ps : 0;
  const TimePs ownership = without >= Without::walks_and_coherence ? flow.ownership_ps : 0;
  if (flow.walk_in_window_ps != 0 || flow.walk_once_ps != 0 || snoop != 0 || ownership != 0) {
    Flow less = flow;
    by_home(less) -= flow.walk_in_window_ps + snoop + ownership;
    less.latency_ps[flow.hops - 1U] -= flow.walk_once_ps;
    less.walk_in_window_ps = less.walk_once_ps = 0;
    less.snoop_once_ps -= snoop;
    less.ownership_ps -= ownership;
    return times_alone(less, without);
  }
  const std::size_t walk_hop = translation_hop(flow);
  return run_alone(flow, [&](const Segment& s) {
    Times t = s.service_ps;
    t[walk_hop] -= s.walk_ps;
    for (std::size_t j = 0; j < flow.hops; ++j) {
      if (flow.path[j] == Resource::home_agent && without >= Without::walks_and_snoops)
        t[j] = std::min(t[j], s.unsnooped_ps);
      if (flow.path[j] == Resource::device_memory && without == Without::walks_coherence_and_memory) {
        t[j] = std::min(t[j], s.row_ps);
      }
    }
    return t;
  });
}

FlowTimes AloneTimes::operator()(const Flow& flow, Without without) {
  question_.clear();
  question_.insert(question_.end(), {flow.hops, flow.end_hop, flow.window, flow.window_return_ps,
                                     static_cast<std::uint64_t>(without)});
  if (without != Without::nothing) {
    question_.insert(question_.end(),
                     {flow.walk_in_window_ps, flow.walk_once_ps, flow.snoop_once_ps, flow.ownership_ps});
  }
  for (std::size_t j = 0; j < flow.hops; ++j) {
    question_.push_back(static_cast<std::uint64_t>(flow.path[j]));
    question_.push_back(flow.latency_ps[j]);
  }
  for (const CreditWindow& c : flow.credits) {
    question_.insert(question_.end(), {c.hop, c.until_hop, c.return_ps, c.capacity});
    for (const Segment& s : flow.segments) question_.push_back(c.units(s));
  }
  for (const Segment& s : flow.segments) {
    question_.push_back(s.packets);
    question_.insert(question_.end(), s.service_ps.begin(), s.service_ps.begin() + flow.hops);
    if (without != Without::nothing) question_.insert(question_.end(), {s.unsnooped_ps, s.row_ps, s.walk_ps});
  }
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a over words
  for (const std::uint64_t word : question_) hash = (hash ^ word) * 0x100000001b3ULL;
  Entry& e = table_[(hash ^ (hash >> 32)) % entries];
  if (e.question != question_) {
    e.answer = times_alone(flow, without);
    e.question = question_;
  }
  return e.answer;
}

}  // namespace sluice::sim
