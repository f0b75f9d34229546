#include "sim/models/link/link.h"

#include <algorithm>

#include "sim/models/link/pcie_rates.h"

namespace sluice::sim {

void SegmentBuilder::add(Segment segment) {
  if (segment.packets == 0) return;
  if (!flow_.segments.empty()) {
    Segment& last = flow_.segments.back();
    const std::uint64_t together = last.packets + segment.packets;
    segment.packets = last.packets;
    if (segment == last) {
      last.packets = together;
      return;
    }
    segment.packets = together - last.packets;
  }
  flow_.segments.push_back(segment);
}

void pace(Flow& flow, const Walks& walks) {
  flow.window = walks.requests;
  flow.window_part = "ats.requests";
  Flow one = flow;
  one.segments.front().packets = 1;
  const TimePs trip = times_alone(one).drained;
  const TimePs turn = walks.walkers_ps * walks.requests / walks.count;
  flow.window_return_ps = flow.latency_ps[flow.hops - 1U] + (turn > trip ? turn - trip : 0);
}

double wire_ps_per_byte(const profile::Link& link) {
  return 1e12 / tlp_bytes_per_s(link);
}

TimePs row_time(const LinkTransfer& t, std::uint32_t bytes) {
  const std::uint64_t unit = t.row_unit_bytes != 0 ? t.row_unit_bytes : t.rows > 1 ? t.row_bytes : 0;
  return unit > 0 ? t.row_ps * bytes / unit : 0;
}

TimePs home_service(const profile::Host& host, const LinkTransfer& t, cache::LineState state, std::uint32_t bytes) {
  const profile::HomeAgent& home = host.home_agent;
  const std::uint32_t line = host.private_cache.line_bytes;
  const TimePs lines = (bytes + line - 1) / line;
  const TimePs memory = (static_cast<TimePs>(bytes) * 1'000'000'000'000ULL) / home.memory_bytes_per_s;
  switch (state) {
    case cache::LineState::memory: return std::max(memory, t.host_memory_interval_ps * bytes / host_memory_bytes);
    case cache::LineState::llc: return memory;
    case cache::LineState::private_clean:
      // A read is forwarded by the cache that holds the line; a write only invalidates it.
      if (t.direction == Direction::device_to_host) return memory + lines * home.write_clean_line_ps;
      break;
    case cache::LineState::private_dirty:
      if (t.direction == Direction::device_to_host) return memory + lines * home.write_dirty_line_ps;
      break;
  }
  return std::max(memory, lines * home.snoop_latency_ps / home.snoop_trackers);
}

namespace {

struct Kind {
  profile::LinkKind kind;
  std::unique_ptr<Link> (*make)(const profile::Profile&);
};

constexpr Kind kinds[] = {
    {profile::LinkKind::pcie, make_pcie_link},
    {profile::LinkKind::coherent, make_coherent_link},
    {profile::LinkKind::on_chip, make_on_chip_link},
};

}  // namespace

std::unique_ptr<Link> make_link(const profile::Profile& profile) {
  for (const Kind& k : kinds) {
    if (k.kind == profile.link.kind) return k.make(profile);
  }
  return nullptr;
}

}  // namespace sluice::sim
