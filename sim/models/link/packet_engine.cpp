#include "sim/models/link/packet_engine.h"

#include <algorithm>

#include "sim/clock/kernel_time.h"

namespace sluice::sim {

PacketEngine::PacketEngine(const sc_core::sc_module_name& name, TraceSink* trace)
    : sc_module(name), trace_(trace != nullptr && trace->level() == TraceLevel::packet ? trace : nullptr) {
  SC_HAS_PROCESS(PacketEngine);
  SC_METHOD(wake);
  sensitive << next_;
  dont_initialize();
}

void PacketEngine::start(const Flow& flow, Done done) {
  auto a = std::make_unique<Active>();
  a->flow = &flow;
  a->done = std::move(done);
  a->started = kernel_now();
  a->to_issue = a->to_finish = flow.packets();
  active_.push_back(std::move(a));
  notify_at(next_, kernel_now());
}

TimePs PacketEngine::ready_time(const Active& a, std::size_t hop) const {
  if (hop > 0) return a.hops[hop].waiting.empty() ? time_never : a.hops[hop].waiting.front();
  if (a.to_issue == 0) return time_never;
  const std::uint32_t window = a.flow->window;
  if (window == 0 || a.issued < window) return a.started;
  return a.returns.empty() ? time_never : std::max(a.started, a.returns.front());
}

bool PacketEngine::next_service(std::size_t r, TimePs& at, std::size_t& flow, std::size_t& hop) const {
  const Server& server = servers_[r];
  at = time_never;
  std::size_t best_distance = 0;
  for (std::size_t i = 0; i < active_.size(); ++i) {
    const Active& a = *active_[i];
    // A later hop of the same resource goes first, as a completion would.
    for (std::size_t j = a.flow->hops; j-- > 0;) {
      if (static_cast<std::size_t>(a.flow->path[j]) != r) continue;
      const TimePs ready = ready_time(a, j);
      if (ready == time_never) continue;
      const TimePs start = std::max(ready, server.free_at);
      const std::size_t distance = (i + active_.size() - server.last_served - 1) % active_.size();
      if (start < at || (start == at && distance < best_distance)) {
        at = start;
        flow = i;
        hop = j;
        best_distance = distance;
      }
    }
  }
  return at != time_never;
}

void PacketEngine::serve(std::size_t r, TimePs at, std::size_t flow, std::size_t hop) {
  Active& a = *active_[flow];
  Hop& h = a.hops[hop];
  const Segment& segment = a.flow->segments[h.segment];
  const TimePs end = at + segment.service_ps[hop];
  servers_[r].free_at = end;
  servers_[r].last_served = flow;
  if (hop == 0) {
    --a.to_issue;
    if (a.flow->window != 0 && a.issued >= a.flow->window) a.returns.pop();
    ++a.issued;
  } else {
    h.waiting.pop();
  }
  if (trace_ != nullptr && segment.service_ps[hop] != 0) {
    PacketRecord record;
    record.command = a.flow->command;
    record.device = a.flow->device;
    record.part = to_string(a.flow->path[hop]);
    record.kind = hop == 0 || a.flow->reply_kind.empty() ? a.flow->kind : a.flow->reply_kind;
    record.begin = at;
    record.end = end;
    record.address = a.flow->address;
    record.bytes = segment.packet_bytes;
    trace_->packet(record);
  }
  if (++h.in_segment == segment.packets) {
    h.in_segment = 0;
    ++h.segment;
  }
  ++packets_;
  if (hop + 1U < a.flow->hops) {
    a.hops[hop + 1U].waiting.push(end + a.flow->latency_ps[hop]);
    return;
  }
  if (a.flow->window != 0) a.returns.push(end + a.flow->window_return_ps);
  --a.to_finish;
}

void PacketEngine::wake() {
  const TimePs now = kernel_now();
  // Nothing outside can change the picture before the kernel's next event, so serve up to there in one go.
  const sc_core::sc_time pending = sc_core::sc_time_to_pending_activity();
  const TimePs horizon = std::min(kernel_run_limit, now + std::min<TimePs>(pending.value(), time_never - now));
  while (true) {
    TimePs at = time_never;
    std::size_t server = 0;
    std::size_t flow = 0;
    std::size_t hop = 0;
    for (std::size_t r = 0; r < resource_count; ++r) {
      TimePs t = time_never;
      std::size_t f = 0;
      std::size_t h = 0;
      if (next_service(r, t, f, h) && t < at) {
        at = t;
        server = r;
        flow = f;
        hop = h;
      }
    }
    if (at == time_never) return;
    if (at > horizon || (at > now && at == horizon)) {
      notify_at(next_, at);
      return;
    }
    serve(server, at, flow, hop);
    Active& a = *active_[flow];
    if (a.to_finish != 0) continue;
    // The end lies at or after this moment; whoever waits for it decides when to act on it.
    const TimePs end = servers_[server].free_at + a.flow->latency_ps[a.flow->hops - 1U];
    const Done done = std::move(a.done);
    active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(flow));
    for (Server& s : servers_) {
      if (s.last_served >= flow && s.last_served > 0) --s.last_served;
    }
    // Reported at once: the receiver posts its own event at `end`, which bounds the next look-ahead.
    if (!active_.empty()) notify_at(next_, std::max(now, at));
    done(end);
    return;
  }
}

}  // namespace sluice::sim
