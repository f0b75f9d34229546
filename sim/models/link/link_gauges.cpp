#include "sim/models/link/link_gauges.h"

#include <algorithm>

namespace sluice::sim {

namespace {

constexpr std::uint64_t whole = 1000;    // permille
constexpr std::uint64_t step_share = 8;   // of what is in use, that is worth telling

// A read that is under way has a tag, whatever bounds the number of them.
std::string_view window_part(const Flow& flow) {
  return flow.window_part == "link.read_buffer" ? "link.tags" : flow.window_part;
}

std::uint64_t share(TimePs part, TimePs of) {
  if (part >= of) return whole;
  return static_cast<std::uint64_t>(static_cast<double>(part) / static_cast<double>(of) * whole + 0.5);
}

// What the flow takes of one direction in all: its packets, and the answers to packets of the other.
TimePs busy(const Flow& flow, Resource wire) {
  TimePs sum = 0;
  for (const Segment& s : flow.segments) {
    for (std::size_t hop = 0; hop < flow.hops; ++hop) {
      if (flow.path[hop] == wire) sum += s.packets * s.service_ps[hop];
      if (flow.answers[hop] == wire) sum += s.packets * s.answer_ps[hop];
    }
  }
  return sum;
}

// Packets between their issue and the return of what they hold, once as many are on their way as there will be (Little):
// a round trip's worth of what passes the slowest part, a window's at most.
std::uint64_t steady_in_use(const Flow& flow) {
  const auto largest = std::max_element(flow.segments.begin(), flow.segments.end(),
                                        [](const Segment& a, const Segment& b) { return a.packets < b.packets; });
  if (largest == flow.segments.end()) return 0;
  TimePs round_trip = flow.window_return_ps;
  TimePs slowest = 1;
  for (std::size_t hop = 0; hop < flow.hops; ++hop) {
    round_trip += largest->service_ps[hop] + (hop + 1U < flow.hops ? flow.latency_ps[hop] : 0);
    slowest = std::max(slowest, largest->service_ps[hop]);
  }
  return std::min({std::uint64_t{flow.window}, flow.packets(), (round_trip + slowest - 1) / slowest});
}

}  // namespace

void LinkGauges::started(const Flow& flow, TimePs alone, TimePs now) {
  device_ = flow.device;
  std::erase_if(under_way_, [now](const Under& u) { return u.until < now; });
  Under under;
  under.flow = &flow;
  under.use_permille = {share(busy(flow, Resource::wire_up), alone), share(busy(flow, Resource::wire_down), alone)};
  if (detail_ == Detail::train && flow.window != 0 && !flow.window_part.empty()) {
    under.window = window_part(flow);
    under.in_use = steady_in_use(flow);
    if (std::find(parts_.begin(), parts_.end(), under.window) == parts_.end()) parts_.push_back(under.window);
  }
  under_way_.push_back(under);
  tell(now);
}

void LinkGauges::ended(const Flow& flow, TimePs end) {
  for (Under& u : under_way_) {
    if (u.flow == &flow && u.until == time_never) u.until = end;
  }
  tell(end);
}

// As it is then, and as it will be when flows are over whose end is known. What is told of a time again holds.
void LinkGauges::tell(TimePs from) {
  tell_at(from);
  std::vector<TimePs> ends;
  for (const Under& u : under_way_) {
    if (u.until != time_never && u.until > from) ends.push_back(u.until);
  }
  std::sort(ends.begin(), ends.end());
  for (const TimePs end : ends) tell_at(end);
}

void LinkGauges::tell_at(TimePs at) {
  std::array<std::uint64_t, 2> use{};
  for (const Under& u : under_way_) {
    if (u.until <= at) continue;
    for (std::size_t i = 0; i < use.size(); ++i) use[i] = std::min(whole, use[i] + u.use_permille[i]);
  }
  count("link.up", "use_permille", at, use[0]);
  count("link.down", "use_permille", at, use[1]);
  for (const std::string_view part : parts_) {
    std::uint64_t sum = 0;
    for (const Under& u : under_way_) sum += u.until > at && u.window == part ? u.in_use : 0;
    count(part, "in_use", at, sum);
  }
}

LinkGauges::Window& LinkGauges::window(std::string_view part) {
  for (Window& w : windows_) {
    if (w.part == part) return w;
  }
  windows_.emplace_back().part = part;
  return windows_.back();
}

void LinkGauges::changed(Window& w, TimePs at) {
  const std::uint64_t moved = w.in_use > w.told ? w.in_use - w.told : w.told - w.in_use;
  const bool at_border = moved != 0 && (w.in_use == 0 || w.in_use == w.size);
  const std::uint64_t step = std::max<std::uint64_t>(1, std::max(w.in_use, w.told) / step_share);
  if (!at_border && moved < step && at > w.retell) return;
  w.told = w.in_use;
  count(w.part, "in_use", at, w.in_use);
}

// What has come back by now.
void LinkGauges::settle(Window& w, TimePs now) {
  while (!w.returns.empty() && w.returns.top() <= now) {
    const TimePs at = w.returns.top();
    w.returns.pop();
    --w.in_use;
    if (!w.foretold) changed(w, at);
  }
  if (!w.returns.empty() || !w.foretold) return;
  w.foretold = false;
  w.retell = 0;
}

void LinkGauges::served(const Flow& flow, std::size_t hop, TimePs begin, TimePs end) {
  for (Window& w : windows_) settle(w, begin);
  if (flow.window == 0 || flow.window_part.empty()) return;
  Window& w = window(window_part(flow));
  w.size = std::max<std::uint64_t>(w.size, flow.window);
  if (hop == 0) {
    w.foretold = false;
    ++w.in_use;
    changed(w, begin);
  }
  if (hop + 1U == flow.hops) w.returns.push(end + flow.window_return_ps);
}

void LinkGauges::drained() {
  for (Window& w : windows_) {
    if (w.foretold || w.returns.empty()) continue;
    const std::uint64_t in_use = w.in_use;
    TimePs last = 0;
    for (auto left = w.returns; !left.empty(); left.pop()) {
      last = left.top();
      --w.in_use;
      changed(w, last);
    }
    w.in_use = in_use;
    w.foretold = true;
    w.retell = last;
  }
}

}  // namespace sluice::sim
