#include "sim/models/link/packet_network.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

namespace sluice::sim {

namespace {

// Servers: the wires of each device, the host's agent, the memory of each device, the bridge's two directions.
constexpr std::uint32_t servers_of(std::uint32_t devices) noexcept { return 3 * devices + 3; }
static_assert(servers_of(PacketNetwork::max_devices) <= 64, "a bit a server");

[[nodiscard]] constexpr TimePs ahead(TimePs t, TimePs now) noexcept { return t > now ? t - now : 0; }

// Links and the host's agent serve in order of arrival. Device memory takes the flows in turn, as does whatever a flow
// without a window enters first: it has always arrived. So does the host's agent where their order is relaxed.
[[nodiscard]] bool fifo(const Flow& flow, std::size_t hop) noexcept {
  const Resource r = flow.path[hop];
  if (r == Resource::device_memory || r == Resource::peer_memory) return false;
  if (r == Resource::home_agent && flow.relaxed) return false;
  return hop > 0 || flow.window != 0;
}

// An arrival as part of the state: one that has passed counts as now, except where its order still matters.
[[nodiscard]] constexpr TimePs relative(TimePs t, TimePs now, bool ordered) noexcept {
  return ordered ? t - now : ahead(t, now);
}

}  // namespace

PacketNetwork::PacketNetwork(bool skip_periods, Observer* observer, std::uint32_t devices)
    : skip_periods_(skip_periods),
      observer_(observer),
      devices_(devices),
      servers_(servers_of(devices)),
      candidates_(servers_.size()) {}

std::uint8_t PacketNetwork::server_of(Resource r, DeviceIndex device, DeviceIndex peer) const noexcept {
  if (devices_ == 1) device = peer = 0;  // a device with a network to itself is its first
  std::uint32_t server = no_server;
  switch (r) {
    case Resource::wire_up: server = device; break;
    case Resource::wire_down: server = devices_ + device; break;
    case Resource::peer_wire_down: server = devices_ + peer; break;
    case Resource::home_agent: server = 2 * devices_; break;
    case Resource::device_memory: server = 2 * devices_ + 1 + device; break;
    case Resource::peer_memory: server = 2 * devices_ + 1 + peer; break;
    case Resource::bridge_up: server = 3 * devices_ + 1; break;
    case Resource::bridge_down: server = 3 * devices_ + 2; break;
    case Resource::count_: break;
  }
  return static_cast<std::uint8_t>(server);
}

void PacketNetwork::start(std::shared_ptr<const Flow> flow, TimePs now) {
  std::unique_ptr<Active> a;
  if (pool_.empty()) {
    a = std::make_unique<Active>();
  } else {
    a = std::move(pool_.back());
    pool_.pop_back();
  }
  a->started = now;
  a->to_issue = a->to_end = a->to_finish = flow->packets();
  for (std::size_t j = 0; j < flow->hops; ++j) {
    a->servers[j] = server_of(flow->path[j], flow->device, flow->peer);
    a->answerers[j] = server_of(flow->answers[j], flow->device, flow->peer);
  }
  if (!flow->credits.empty() && pools_.empty()) pools_.resize(servers_.size() * credit_count);
  a->flow = std::move(flow);
  a->issued = 0;
  a->returns.clear();
  for (Hop& h : a->hops) {
    h.waiting.clear();
    h.segment = 0;
    h.in_segment = 0;
  }
  active_.push_back(std::move(a));
  stale_ = every_server();
  snapshot_.valid = false;
}

TimePs PacketNetwork::busy_until() const noexcept {
  TimePs t = 0;
  for (const Server& s : servers_) t = std::max(t, s.free_at);
  for (const Pool& p : pools_) {
    if (!p.back.empty()) t = std::max(t, p.back.back().at);
  }
  return t;
}

void PacketNetwork::clear() {
  while (!active_.empty()) remove(active_.size() - 1);
  std::fill(servers_.begin(), servers_.end(), Server{});
  for (Pool& p : pools_) {
    p.taken = 0;
    p.back.clear();
  }
}

void PacketNetwork::remove(std::size_t flow) {
  active_[flow]->flow.reset();
  pool_.push_back(std::move(active_[flow]));
  active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(flow));
  for (Server& s : servers_) {
    if (s.last_served >= flow && s.last_served > 0) --s.last_served;
  }
  stale_ = every_server();
  snapshot_.valid = false;
}

// When the wire's receiver has granted what the flow's next packet needs of each kind.
TimePs PacketNetwork::credit_time(const Active& a, std::size_t hop) const {
  TimePs at = 0;
  for (const CreditWindow& c : a.flow->credits) {
    if (c.hop != hop) continue;
    const Pool& pool = pool_of(a, c);
    const std::uint32_t units = c.units(a.flow->segments[a.hops[hop].segment]);
    std::uint64_t taken = pool.taken;
    for (std::size_t i = 0; taken + units > c.capacity; ++i) {
      if (i == pool.back.size()) return time_never;
      taken -= pool.back.at(i).units;
      at = std::max(at, pool.back.at(i).at);
    }
  }
  return at;
}

// A packet is served from `begin` to `end`: it takes the credits of this wire and has given back those of the ones before.
void PacketNetwork::use_credits(Active& a, std::size_t hop, const Segment& segment, TimePs begin, TimePs end) {
  for (const CreditWindow& c : a.flow->credits) {
    if (c.hop != hop && c.until_hop != hop) continue;
    Pool& pool = pool_of(a, c);
    const std::uint32_t units = c.units(segment);
    if (c.hop == hop) {
      while (!pool.back.empty() && (pool.back.front().at <= begin || pool.taken + units > c.capacity)) {
        pool.taken -= pool.back.front().units;
        pool.back.pop();
      }
      pool.taken += units;
    }
    if (c.until_hop == hop) {
      pool.back.push({end + c.return_ps, units});
      stale_ |= 1ULL << a.servers[c.hop];
    }
  }
}

TimePs PacketNetwork::ready_time(const Active& a, std::size_t hop) const {
  TimePs at = 0;
  if (hop > 0) {
    if (a.hops[hop].waiting.empty()) return time_never;
    at = a.hops[hop].waiting.front();
  } else {
    if (a.to_issue == 0) return time_never;
    const std::uint32_t window = a.flow->window;
    at = a.started;
    if (window != 0 && a.issued >= window) {
      if (a.returns.empty()) return time_never;
      at = std::max(at, a.returns.front());
    }
  }
  return a.flow->credits.empty() ? at : std::max(at, credit_time(a, hop));
}

// The next packet that the server takes: the earliest; of those that wait the first to arrive, or the next in turn.
void PacketNetwork::find(std::size_t server) {
  const Server& s = servers_[server];
  Candidate best;
  TimePs best_arrival = 0;
  std::size_t best_distance = 0;
  for (std::size_t i = 0; i < active_.size(); ++i) {
    const Active& a = *active_[i];
    // A later hop of the same resource goes first, as a completion would.
    for (std::size_t j = a.flow->hops; j-- > 0;) {
      if (a.servers[j] != server) continue;
      const TimePs ready = ready_time(a, j);
      if (ready == time_never) continue;
      const TimePs start = std::max(ready, s.free_at);
      const TimePs arrival = fifo(*a.flow, j) ? ready : start;
      const std::size_t distance = (i + active_.size() - s.last_served - 1) % active_.size();
      if (start < best.at ||
          (start == best.at && std::tie(arrival, distance) < std::tie(best_arrival, best_distance))) {
        best = {start, i, j};
        best_arrival = arrival;
        best_distance = distance;
      }
    }
  }
  candidates_[server] = best;
}

void PacketNetwork::refresh() {
  for (; stale_ != 0; stale_ &= stale_ - 1) find(static_cast<std::size_t>(std::countr_zero(stale_)));
}

TimePs PacketNetwork::next() {
  refresh();
  TimePs at = time_never;
  for (const Candidate& c : candidates_) at = std::min(at, c.at);
  return at;
}

void PacketNetwork::serve(std::size_t server) {
  const auto [at, flow, hop] = candidates_[server];
  Active& a = *active_[flow];
  Hop& h = a.hops[hop];
  const Segment& segment = a.flow->segments[h.segment];
  Server& s = servers_[server];
  s.answers = ahead(s.answers, at - s.free_at);  // sent while the wire was idle
  const TimePs begin = at + s.answers;
  const TimePs end = begin + segment.service_ps[hop];
  s.answers = 0;
  s.free_at = end;
  s.last_served = flow;
  stale_ |= 1ULL << server;
  if (a.answerers[hop] != no_server) servers_[a.answerers[hop]].answers += segment.answer_ps[hop];
  if (!a.flow->credits.empty()) use_credits(a, hop, segment, begin, end);
  if (hop == 0) {
    --a.to_issue;
    if (a.flow->window != 0 && a.issued >= a.flow->window) a.returns.pop();
    ++a.issued;
  } else {
    h.waiting.pop();
  }
  if (observer_ != nullptr) observer_->served(*a.flow, hop, segment, at, end);  // the answers included
  if (++h.in_segment == segment.packets) {
    h.in_segment = 0;
    ++h.segment;
  }
  ++served_;
  if (hop == a.flow->end_hop) --a.to_end;
  if (hop + 1U < a.flow->hops) {
    a.hops[hop + 1U].waiting.push(end + a.flow->latency_ps[hop]);
    stale_ |= 1ULL << a.servers[hop + 1U];
    return;
  }
  if (a.flow->window != 0) {
    a.returns.push(end + a.flow->window_return_ps);
    stale_ |= 1ULL << a.servers[0];
  }
  --a.to_finish;
}

std::optional<PacketNetwork::Ended> PacketNetwork::run(TimePs limit) {
  while (true) {
    refresh();
    std::size_t server = 0;
    for (std::size_t r = 1; r < candidates_.size(); ++r) {
      if (candidates_[r].at < candidates_[server].at) server = r;
    }
    const auto [at, flow, hop] = candidates_[server];
    if (at >= limit) return std::nullopt;
    serve(server);
    Active& a = *active_[flow];
    std::optional<Ended> ended;
    if (hop == a.flow->end_hop && a.to_end == 0) {
      const bool last = hop + 1U == a.flow->hops;
      const TimePs end = servers_[server].free_at + (last ? a.flow->latency_ps[hop] : 0);
      ended = Ended{a.flow.get(), {end, last ? end : drained(flow)}};
    }
    if (a.to_finish == 0) remove(flow);
    if (ended) return ended;
    if (a.to_finish == 0) continue;
    // The first flow that still issues sets the beat at which the state is looked at.
    if (skip_periods_ && hop == 0) {
      std::size_t lead = 0;
      while (lead < flow && active_[lead]->to_issue == 0) ++lead;
      if (lead == flow && a.to_issue != 0) sample(at, limit);
    }
  }
}

// When the packets of `flow` that wait behind end_hop will have left the last hop, in turn with what else waits there.
TimePs PacketNetwork::drained(std::size_t flow) const {
  const Active& a = *active_[flow];
  const std::size_t hop = a.flow->end_hop + 1U;
  const auto behind = [&](const CreditWindow& c) { return c.hop >= hop; };
  if (hop + 1U < a.flow->hops || std::any_of(a.flow->credits.begin(), a.flow->credits.end(), behind)) {
    return drained_by_running(*a.flow);
  }
  const std::size_t server = a.servers[hop];
  TimePs out = servers_[server].free_at;
  std::size_t segment = a.hops[hop].segment;
  std::uint64_t in_segment = a.hops[hop].in_segment;
  for (std::size_t i = 0; i < a.hops[hop].waiting.size(); ++i) {
    out = std::max(out, a.hops[hop].waiting.at(i));
    for (std::size_t f = 0; f < active_.size(); ++f) {
      if (f == flow) continue;
      const Active& other = *active_[f];
      for (std::size_t j = 1; j < other.flow->hops; ++j) {
        if (other.servers[j] != server || i >= other.hops[j].waiting.size()) continue;
        if (other.hops[j].waiting.at(i) <= out) out += other.flow->segments[other.hops[j].segment].service_ps[j];
      }
    }
    const Segment& s = a.flow->segments[segment];
    out += s.service_ps[hop];
    if (++in_segment == s.packets) {
      in_segment = 0;
      ++segment;
    }
  }
  return out + a.flow->latency_ps[hop];
}

// The same behind several hops, or with credits to wait for: as the network goes on.
TimePs PacketNetwork::drained_by_running(const Flow& flow) const {
  PacketNetwork later(false, nullptr, devices_);
  later.servers_ = servers_;
  later.pools_ = pools_;
  for (const auto& a : active_) later.active_.push_back(std::make_unique<Active>(*a));
  later.stale_ = later.every_server();
  while (true) {
    later.refresh();
    const auto next = std::min_element(later.candidates_.begin(), later.candidates_.end(),
                                       [](const Candidate& x, const Candidate& y) { return x.at < y.at; });
    const Candidate c = *next;
    const auto server = static_cast<std::size_t>(next - later.candidates_.begin());
    later.serve(server);
    const Active& a = *later.active_[c.flow];
    if (a.to_finish != 0) continue;
    if (a.flow.get() == &flow) return later.servers_[server].free_at + flow.latency_ps[flow.hops - 1U];
    later.remove(c.flow);
  }
}

// Brent's search for a cycle: one kept state, compared with each later one, replaced after ever longer times.
void PacketNetwork::sample(TimePs now, TimePs limit) {
  if (rest_ > 0) {
    --rest_;
    return;
  }
  if (snapshot_.valid) {
    if (repeats(now)) {
      skip(now, limit);
      snapshot_.valid = false;
      return;
    }
    if (++snapshot_.samples < snapshot_.patience) return;
    snapshot_.patience *= 2;
  } else {
    snapshot_.patience = 1;
  }
  take_snapshot(now);
}

// Answers that the wire has not had the time to send by `now`.
TimePs PacketNetwork::waiting_answers(std::size_t server, TimePs now) const noexcept {
  const Server& s = servers_[server];
  return ahead(s.answers, ahead(now, s.free_at));
}

bool PacketNetwork::repeats(TimePs now) const {
  const Snapshot& s = snapshot_;
  for (std::size_t r = 0; r < servers_.size(); ++r) {
    if (ahead(servers_[r].free_at, now) != s.free[r] || servers_[r].last_served != s.last_served[r]) return false;
    if (waiting_answers(r, now) != s.answers[r]) return false;
  }
  for (std::size_t p = 0; p < pools_.size(); ++p) {
    if (pools_[p].taken != s.taken[p] || pools_[p].back.size() != s.back[p]) return false;
  }
  std::size_t k = 0;
  for (std::size_t i = 0; i < active_.size(); ++i) {
    const Active& a = *active_[i];
    if (a.flow->window != 0 && a.issued <= a.flow->window) return false;  // the window has not been felt yet
    if (a.returns.size() != s.returns[i]) return false;
    for (std::size_t j = 0; j < a.flow->hops; ++j, ++k) {
      if (a.hops[j].segment != s.hops[k].segment || a.hops[j].waiting.size() != s.hops[k].waiting) return false;
    }
  }
  std::size_t t = 0;
  const auto same = [&](const TimeQueue& q, bool ordered) {
    for (std::size_t i = 0; i < q.size(); ++i) {
      if (relative(q.at(i), now, ordered) != s.times[t++]) return false;
    }
    return true;
  };
  for (const auto& a : active_) {
    if (!same(a->returns, fifo(*a->flow, 0))) return false;
    for (std::size_t j = 1; j < a->flow->hops; ++j) {
      if (!same(a->hops[j].waiting, fifo(*a->flow, j))) return false;
    }
  }
  for (const Pool& p : pools_) {
    for (std::size_t i = 0; i < p.back.size(); ++i) {
      if (p.back.at(i).at - now != s.times[t++] || p.back.at(i).units != s.times[t++]) return false;
    }
  }
  return true;
}

void PacketNetwork::take_snapshot(TimePs now) {
  Snapshot& s = snapshot_;
  s.valid = true;
  s.at = now;
  s.samples = 0;
  s.hops.clear();
  s.returns.clear();
  s.times.clear();
  s.free.resize(servers_.size());
  s.last_served.resize(servers_.size());
  s.answers.resize(servers_.size());
  for (std::size_t r = 0; r < servers_.size(); ++r) {
    s.free[r] = ahead(servers_[r].free_at, now);
    s.last_served[r] = servers_[r].last_served;
    s.answers[r] = waiting_answers(r, now);
  }
  const auto keep = [&](const TimeQueue& q, bool ordered) {
    for (std::size_t i = 0; i < q.size(); ++i) s.times.push_back(relative(q.at(i), now, ordered));
  };
  for (const auto& a : active_) {
    s.returns.push_back(a->returns.size());
    keep(a->returns, fifo(*a->flow, 0));
    for (std::size_t j = 0; j < a->flow->hops; ++j) {
      const Hop& h = a->hops[j];
      s.hops.push_back({h.segment, h.in_segment, h.waiting.size()});
      if (j > 0) keep(h.waiting, fifo(*a->flow, j));
    }
  }
  s.taken.clear();
  s.back.clear();
  for (const Pool& p : pools_) {
    s.taken.push_back(p.taken);
    s.back.push_back(p.back.size());
    for (std::size_t i = 0; i < p.back.size(); ++i) {
      s.times.push_back(p.back.at(i).at - now);
      s.times.push_back(p.back.at(i).units);
    }
  }
}

// The state equals the kept one, later by one period. What follows repeats it, as long as no hop leaves its segment and
// nothing enters from outside: jump over as many whole periods as that allows.
void PacketNetwork::skip(TimePs now, TimePs limit) {
  const TimePs period = now - snapshot_.at;
  if (period == 0) return;
  std::uint64_t periods = (limit - now - 1) / period;
  std::size_t k = 0;
  for (const auto& a : active_) {
    for (std::size_t j = 0; j < a->flow->hops; ++j, ++k) {
      const Hop& h = a->hops[j];
      const std::uint64_t served = h.in_segment - snapshot_.hops[k].in_segment;
      if (served == 0) continue;
      periods = std::min(periods, (a->flow->segments[h.segment].packets - h.in_segment - 1) / served);
    }
  }
  if (periods == 0) {
    rest_ = 64;
    return;
  }
  const TimePs shift = periods * period;
  k = 0;
  for (const auto& a : active_) {
    for (std::size_t j = 0; j < a->flow->hops; ++j, ++k) {
      Hop& h = a->hops[j];
      const std::uint64_t served = periods * (h.in_segment - snapshot_.hops[k].in_segment);
      h.in_segment += served;
      h.waiting.shift(shift);
      if (j == 0) a->to_issue -= served, a->issued += served;
      if (j == a->flow->end_hop) a->to_end -= served;
      if (j + 1U == a->flow->hops) a->to_finish -= served;
    }
    a->returns.shift(shift);
  }
  for (Server& s : servers_) s.free_at += shift;
  for (Pool& p : pools_) {
    for (std::size_t i = 0; i < p.back.size(); ++i) p.back.at(i).at += shift;
  }
  stale_ = every_server();
}

}  // namespace sluice::sim
