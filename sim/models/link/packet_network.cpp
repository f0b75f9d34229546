#include "sim/models/link/packet_network.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace sluice::sim {

namespace {

constexpr std::uint32_t all_servers = (1U << resource_count) - 1;

[[nodiscard]] constexpr TimePs ahead(TimePs t, TimePs now) noexcept { return t > now ? t - now : 0; }

// Links and the host's agent serve in order of arrival. Device memory takes the flows in turn, as does whatever a flow
// without a window enters first: it has always arrived.
[[nodiscard]] bool fifo(const Flow& flow, std::size_t hop) noexcept {
  return flow.path[hop] != Resource::device_memory && (hop > 0 || flow.window != 0);
}

// An arrival as part of the state: one that has passed counts as now, except where its order still matters.
[[nodiscard]] constexpr TimePs relative(TimePs t, TimePs now, bool ordered) noexcept {
  return ordered ? t - now : ahead(t, now);
}

}  // namespace

void PacketNetwork::TimeQueue::grow() {
  std::vector<TimePs> larger(std::max<std::size_t>(16, 2 * times_.size()));
  for (std::size_t i = 0; i < count_; ++i) larger[i] = at(i);
  times_ = std::move(larger);
  head_ = 0;
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
  a->flow = std::move(flow);
  a->issued = 0;
  a->returns.clear();
  for (Hop& h : a->hops) {
    h.waiting.clear();
    h.segment = 0;
    h.in_segment = 0;
  }
  active_.push_back(std::move(a));
  stale_ = all_servers;
  snapshot_.valid = false;
}

TimePs PacketNetwork::busy_until() const noexcept {
  TimePs t = 0;
  for (const Server& s : servers_) t = std::max(t, s.free_at);
  return t;
}

void PacketNetwork::clear() {
  while (!active_.empty()) remove(active_.size() - 1);
  servers_ = {};
}

void PacketNetwork::remove(std::size_t flow) {
  active_[flow]->flow.reset();
  pool_.push_back(std::move(active_[flow]));
  active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(flow));
  for (Server& s : servers_) {
    if (s.last_served >= flow && s.last_served > 0) --s.last_served;
  }
  stale_ = all_servers;
  snapshot_.valid = false;
}

TimePs PacketNetwork::ready_time(const Active& a, std::size_t hop) const {
  if (hop > 0) return a.hops[hop].waiting.empty() ? time_never : a.hops[hop].waiting.front();
  if (a.to_issue == 0) return time_never;
  const std::uint32_t window = a.flow->window;
  if (window == 0 || a.issued < window) return a.started;
  return a.returns.empty() ? time_never : std::max(a.started, a.returns.front());
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
      if (static_cast<std::size_t>(a.flow->path[j]) != server) continue;
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
  for (std::size_t r = 0; stale_ != 0; ++r, stale_ >>= 1) {
    if ((stale_ & 1U) != 0) find(r);
  }
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
  stale_ |= 1U << server;
  if (hop == a.flow->answered_hop && a.flow->answers != Resource::count_) {
    servers_[static_cast<std::size_t>(a.flow->answers)].answers += segment.answer_ps;
  }
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
    stale_ |= 1U << static_cast<unsigned>(a.flow->path[hop + 1U]);
    return;
  }
  if (a.flow->window != 0) {
    a.returns.push(end + a.flow->window_return_ps);
    stale_ |= 1U << static_cast<unsigned>(a.flow->path[0]);
  }
  --a.to_finish;
}

std::optional<PacketNetwork::Ended> PacketNetwork::run(TimePs limit) {
  while (true) {
    refresh();
    std::size_t server = 0;
    for (std::size_t r = 1; r < resource_count; ++r) {
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
  // One hop follows end_hop wherever a link posts writes.
  const std::size_t hop = a.flow->end_hop + 1U;
  const std::size_t server = static_cast<std::size_t>(a.flow->path[hop]);
  TimePs out = servers_[server].free_at;
  std::size_t segment = a.hops[hop].segment;
  std::uint64_t in_segment = a.hops[hop].in_segment;
  for (std::size_t i = 0; i < a.hops[hop].waiting.size(); ++i) {
    out = std::max(out, a.hops[hop].waiting.at(i));
    for (std::size_t f = 0; f < active_.size(); ++f) {
      if (f == flow) continue;
      const Active& other = *active_[f];
      for (std::size_t j = 1; j < other.flow->hops; ++j) {
        if (static_cast<std::size_t>(other.flow->path[j]) != server || i >= other.hops[j].waiting.size()) continue;
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
  for (std::size_t r = 0; r < resource_count; ++r) {
    if (ahead(servers_[r].free_at, now) != s.free[r] || servers_[r].last_served != s.last_served[r]) return false;
    if (waiting_answers(r, now) != s.answers[r]) return false;
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
  for (std::size_t r = 0; r < resource_count; ++r) {
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
  stale_ = all_servers;
}

}  // namespace sluice::sim
