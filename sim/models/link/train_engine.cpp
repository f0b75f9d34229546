#include "sim/models/link/train_engine.h"

#include <algorithm>
#include <cmath>

#include "sim/clock/kernel_time.h"

namespace sluice::sim {

namespace {

std::uint32_t resources_of(const Flow& flow) {
  std::uint32_t mask = 0;
  for (std::size_t j = 0; j < flow.hops; ++j) mask |= 1U << static_cast<unsigned>(flow.path[j]);
  return mask;
}

// Latency of the first packet from entering hop 0 to leaving the last hop, end latency excluded.
TimePs fill_time(const Flow& flow) {
  TimePs t = 0;
  for (std::size_t j = 0; j < flow.hops; ++j) {
    t += flow.segments.front().service_ps[j] + (j + 1U < flow.hops ? flow.latency_ps[j] : 0);
  }
  return t;
}

TimePs tail_latency(const Flow& flow) { return flow.latency_ps[flow.hops - 1U]; }

TimePs round_trip(const Flow& flow, const Segment& segment) {
  TimePs t = flow.window_return_ps;
  for (std::size_t j = 0; j < flow.hops; ++j) {
    t += segment.service_ps[j] + (j + 1U < flow.hops ? flow.latency_ps[j] : 0);
  }
  return t;
}

// Packets a picosecond that the window allows when nothing else limits.
double window_rate(const Flow& flow, const Segment& segment) {
  const TimePs trip = flow.window == 0 ? 0 : round_trip(flow, segment);
  return trip == 0 ? 1.0 : static_cast<double>(flow.window) / static_cast<double>(trip);
}

// Packets that wait at the bottleneck: what the window holds beyond those in flight at this rate.
double backlog(const Flow& flow, const Segment& segment, double rate) {
  if (flow.window == 0) return 0;
  return std::max(0.0, flow.window - rate * static_cast<double>(round_trip(flow, segment)));
}

}  // namespace

TrainEngine::TrainEngine(const sc_core::sc_module_name& name) : sc_module(name) {
  SC_HAS_PROCESS(TrainEngine);
  SC_METHOD(wake);
  sensitive << next_;
  dont_initialize();
}

void TrainEngine::start(const Flow& flow, Done done) {
  const TimePs now = kernel_now();
  std::unique_ptr<Active> a;
  if (pool_.empty()) {
    a = std::make_unique<Active>();
  } else {
    a = std::move(pool_.back());
    pool_.pop_back();
    *a = Active{};
  }
  a->flow = &flow;
  a->done = std::move(done);
  a->started = now;
  a->alone_end = now + time_alone(flow);
  progress(now);
  const bool joined = meets_others(*a);
  active_.push_back(std::move(a));
  if (joined) {
    const std::uint32_t mine = resources_of(flow);
    for (auto& other : active_) {
      if ((resources_of(*other->flow) & mine) != 0 && !other->fluid) make_fluid(*other, now);
    }
    share_out(now);
  }
  schedule(now);
}

bool TrainEngine::meets_others(const Active& a) const {
  const std::uint32_t mine = resources_of(*a.flow);
  return std::any_of(active_.begin(), active_.end(),
                     [&](const auto& other) { return (resources_of(*other->flow) & mine) != 0; });
}

// Where an undisturbed flow stands: its packets leave evenly between the first one's exit and the end.
void TrainEngine::make_fluid(Active& a, TimePs now) {
  a.fluid = true;
  a.flows_from = a.started + fill_time(*a.flow);
  a.updated = std::max(now, a.flows_from);
  a.segment = 0;
  // The first packet is out at flows_from, so one packet less is left to flow.
  double passed = 0;
  if (now > a.flows_from) {
    const double span = static_cast<double>(a.alone_end - tail_latency(*a.flow) - a.flows_from);
    const double total = static_cast<double>(a.flow->packets() - 1);
    passed = span > 0 ? total * static_cast<double>(now - a.flows_from) / span : total;
  }
  const Segment& first = a.flow->segments.front();
  for (std::size_t j = 1; j < a.flow->hops; ++j) {
    if (first.service_ps[j] > first.service_ps[a.bottleneck]) a.bottleneck = j;
  }
  a.rate = 1.0 / static_cast<double>(std::max<TimePs>(1, first.service_ps[a.bottleneck]));
  double left = passed;
  for (std::size_t i = 0; i < a.flow->segments.size(); ++i) {
    const double n = static_cast<double>(a.flow->segments[i].packets) - (i == 0 ? 1.0 : 0.0);
    a.segment = i;
    a.left_in_segment = std::max(0.0, n - left);
    if (left < n) break;
    left -= n;
  }
}

void TrainEngine::progress(TimePs now) {
  for (auto& a : active_) {
    if (!a->fluid || now <= a->updated) continue;
    a->left_in_segment -= a->rate * static_cast<double>(now - a->updated);
    a->updated = now;
    if (a->next_change <= now || a->left_in_segment < 1e-6) {
      a->left_in_segment = 0;
      while (a->left_in_segment <= 0 && a->segment + 1 < a->flow->segments.size()) {
        ++a->segment;
        a->left_in_segment = static_cast<double>(a->flow->segments[a->segment].packets);
      }
    }
  }
}

// Round-robin by packet at every resource is max-min fairness in packets: raise all rates together, freeze whoever
// meets a full resource (or its own window), go on with the rest.
void TrainEngine::share_out(TimePs now) {
  std::array<double, resource_count> room{};
  room.fill(1.0);
  std::vector<Active*> rising;
  std::vector<std::pair<double, std::size_t>> before;  // rate and bottleneck, in the order of active_
  for (auto& a : active_) {
    before.emplace_back(a->rate, a->bottleneck);
    if (!a->fluid) continue;
    a->rate = 0;
    rising.push_back(a.get());
  }
  double level = 0;
  while (!rising.empty()) {
    std::array<double, resource_count> demand{};
    for (const Active* a : rising) {
      const Segment& s = a->flow->segments[a->segment];
      for (std::size_t j = 0; j < a->flow->hops; ++j) {
        demand[static_cast<std::size_t>(a->flow->path[j])] += static_cast<double>(s.service_ps[j]);
      }
    }
    double step = 1e9;
    for (std::size_t r = 0; r < resource_count; ++r) {
      if (demand[r] > 0) step = std::min(step, room[r] / demand[r]);
    }
    for (const Active* a : rising) {
      step = std::min(step, window_rate(*a->flow, a->flow->segments[a->segment]) - level);
    }
    step = std::max(step, 0.0);
    level += step;
    std::array<bool, resource_count> full{};
    for (std::size_t r = 0; r < resource_count; ++r) {
      room[r] -= step * demand[r];
      full[r] = demand[r] > 0 && room[r] < 1e-12;
    }
    std::vector<Active*> still;
    for (Active* a : rising) {
      a->rate = level;
      bool frozen = level >= window_rate(*a->flow, a->flow->segments[a->segment]) * (1 - 1e-12);
      for (std::size_t j = a->flow->hops; j-- > 0;) {
        if (!full[static_cast<std::size_t>(a->flow->path[j])]) continue;
        frozen = true;
        a->bottleneck = j;
      }
      if (!frozen) still.push_back(a);
    }
    if (still.size() == rising.size()) break;
    rising = std::move(still);
  }
  for (std::size_t i = 0; i < active_.size(); ++i) {
    Active* a = active_[i].get();
    if (!a->fluid) continue;
    // A bottleneck that has moved upstream no longer holds back what had queued behind it.
    if (a->bottleneck < before[i].second && now >= a->flows_from) {
      a->left_in_segment -= backlog(*a->flow, a->flow->segments[a->segment], before[i].first);
      while (a->left_in_segment < 0 && a->segment + 1 < a->flow->segments.size()) {
        a->left_in_segment += static_cast<double>(a->flow->segments[++a->segment].packets);
      }
    }
    const TimePs from = std::max(now, a->updated);
    const bool last = a->segment + 1 == a->flow->segments.size();
    const double span = a->left_in_segment <= 0 ? 0 : a->left_in_segment / a->rate;
    a->next_change = from + static_cast<TimePs>(std::llround(span));
    if (last) a->next_change = std::max(a->next_change, now);
  }
}

void TrainEngine::schedule(TimePs now) {
  TimePs next = time_never;
  for (const auto& a : active_) {
    next = std::min(next, a->fluid ? a->next_change : a->alone_end);
  }
  if (next != time_never) notify_at(next_, std::max(next, now));
}

void TrainEngine::finish(TimePs now) {
  // Collected first: done() may start the next flow.
  std::vector<std::pair<Done, TimePs>> ended;
  for (std::size_t i = 0; i < active_.size();) {
    Active& a = *active_[i];
    const bool last = a.segment + 1 == a.flow->segments.size();
    const bool over = a.fluid ? last && a.next_change <= now : a.alone_end <= now;
    if (!over) {
      ++i;
      continue;
    }
    ended.emplace_back(std::move(a.done), a.fluid ? now + tail_latency(*a.flow) : now);
    pool_.push_back(std::move(active_[i]));
    active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  if (ended.empty()) return;
  if (!active_.empty()) share_out(now);
  for (auto& [done, end] : ended) done(end);
}

void TrainEngine::wake() {
  ++events_;
  const TimePs now = kernel_now();
  // A flow ends when its last segment's fluid has run out; progress() moves the others to their next segment.
  std::vector<Active*> changing;
  for (auto& a : active_) {
    const bool last = a->segment + 1 == a->flow->segments.size();
    if (a->fluid && a->next_change <= now && !last) changing.push_back(a.get());
  }
  progress(now);
  finish(now);
  if (!changing.empty()) share_out(now);
  schedule(now);
}

}  // namespace sluice::sim
