#include "sim/models/limits.h"

#include <algorithm>
#include <vector>

namespace sluice::sim {

namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Part::count_)> names = {
    "link.wire_up", "link.wire_down", "bridge.up", "bridge.down", "peer.link.wire_down", "host.memory", "host.snoop", "host.iommu", "device_memory", "copy_engine.rows",
    "link.window",  "link.latency",   "host.copy",   "contention"};

// Where the home agent is busy with more than its memory asks for, all of its time is that part's: the slower of two that
// work side by side sets the pace.
Part home_part(const Segment& s, TimePs service) {
  if (s.walk_ps > 0) return Part::iommu;
  return service > s.unsnooped_ps ? Part::snoop : Part::host_memory;
}

}  // namespace

void Limits::add(const Flow& flow, TimePs rows_ps) {
  TimePs way = 0;        // of the slowest packet
  TimePs waiting = 0;    // for places in the window
  TimePs home = 0;
  TimePs memory = 0;
  TimePs peer_memory = 0;
  std::vector<TimePs> credits(flow.credits.size());  // the same by kind of credit
  std::array<TimePs, static_cast<std::size_t>(Part::count_)> here{};
  const auto at = [&](Part part) -> TimePs& { return here[static_cast<std::size_t>(part)]; };
  // Translations hold up what does not come to the home agent there.
  const auto end = flow.path.begin() + flow.hops;
  const bool waits_at_memory = std::find(flow.path.begin(), end, Resource::home_agent) == end;
  for (const Segment& s : flow.segments) {
    TimePs round = 0;
    for (std::size_t h = 0; h < flow.hops; ++h) {
      const TimePs busy = s.packets * s.service_ps[h];
      round += s.service_ps[h] + flow.latency_ps[h];
      switch (flow.path[h]) {
        case Resource::wire_up: at(Part::wire_up) += busy; break;
        case Resource::wire_down: at(Part::wire_down) += busy; break;
        case Resource::bridge_up: at(Part::bridge_up) += busy; break;
        case Resource::bridge_down: at(Part::bridge_down) += busy; break;
        case Resource::peer_wire_down: at(Part::peer_wire_down) += busy; break;
        case Resource::device_memory:
          (waits_at_memory && s.walk_ps > 0 ? at(Part::iommu) : memory) += busy;
          break;
        case Resource::peer_memory: peer_memory += busy; break;
        case Resource::home_agent:
          // A posted write leaves when it is on the wire; the home agent then holds it up by its credits only.
          if (h > flow.end_hop) break;
          home += busy;
          at(home_part(s, s.service_ps[h])) += busy;
          break;
        case Resource::count_: break;
      }
    }
    way = std::max(way, round);
    for (std::size_t i = 0; i < credits.size(); ++i) {
      const CreditWindow& c = flow.credits[i];
      TimePs trip = c.return_ps;
      for (std::size_t h = c.hop; h <= c.until_hop; ++h) {
        trip += s.service_ps[h] + (h < c.until_hop ? flow.latency_ps[h] : 0);
      }
      credits[i] += s.packets * trip / std::max(1U, c.capacity / c.units(s));
    }
    if (flow.window == 0) continue;
    // A window goes round once in a packet's way, but no faster than its slowest hop serves it.
    const TimePs slowest = *std::max_element(s.service_ps.begin(), s.service_ps.begin() + flow.hops);
    const TimePs queued = flow.window > 1 ? 0 : slowest;
    waiting += s.packets * std::max(round + flow.window_return_ps, queued) / flow.window;
  }
  // The engine's rows are part of the service of one of the two.
  const bool rows_set_the_pace = rows_ps > 0 && 101 * rows_ps / 100 >= std::max(home, memory);
  at(Part::device_memory) = std::max(memory, peer_memory);
  if (rows_set_the_pace) {
    at(Part::rows) = rows_ps;
    at(Part::host_memory) = at(Part::snoop) = at(Part::device_memory) = 0;
  }
  at(Part::window) = waiting;
  window_part_ = flow.window_part;
  for (std::size_t i = 0; i < credits.size(); ++i) {
    if (credits[i] <= at(Part::window)) continue;
    at(Part::window) = credits[i];
    window_part_ = flow.credits[i].part;
  }
  at(Part::latency) = way;
  for (std::size_t i = 0; i < here.size(); ++i) times_[i] += here[i];
  walk_part_ = flow.walk_part;
}

std::string_view Limits::limiter() const {
  const auto most = std::max_element(times_.begin(), times_.end());
  if (*most == 0) return {};
  const auto part = static_cast<std::size_t>(most - times_.begin());
  if (part == static_cast<std::size_t>(Part::window) && !window_part_.empty()) return window_part_;
  if (part == static_cast<std::size_t>(Part::iommu)) return walk_part_;
  return names[part];
}

}  // namespace sluice::sim
