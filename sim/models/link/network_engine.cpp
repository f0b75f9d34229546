#include "sim/models/link/network_engine.h"

#include <algorithm>
#include <utility>

#include "sim/clock/kernel_time.h"

namespace sluice::sim {

NetworkEngine::NetworkEngine(const sc_core::sc_module_name& name, Detail detail, TraceSink* trace, std::uint32_t devices)
    : sc_module(name),
      detail_(detail),
      trace_(trace),
      network_(detail == Detail::train,
               detail == Detail::packet && trace != nullptr && trace->level() == TraceLevel::packet ? this : nullptr,
               devices) {
  if (trace != nullptr && trace->level() == TraceLevel::packet) {
    for (std::uint32_t i = 0; i < devices; ++i) gauges_.emplace_back(*trace, detail);
  }
  SC_HAS_PROCESS(NetworkEngine);
  SC_METHOD(wake);
  sensitive << next_;
  dont_initialize();
}

// nullptr: nobody wants to know.
LinkGauges* NetworkEngine::gauges_of(const Flow& flow) noexcept {
  return gauges_.empty() ? nullptr : &gauges_[gauges_.size() == 1 ? 0 : flow.device];
}

void NetworkEngine::begin(std::shared_ptr<const Flow> flow, Done done) {
  const TimePs now = kernel_now();
  const bool undisturbed = quiet();
  if (LinkGauges* g = gauges_of(*flow)) g->started(*flow, times_of_(*flow).end, now);
  waiting_.push_back({flow.get(), std::move(done)});
  if (undisturbed) {
    const FlowTimes times = times_of_(*flow);
    alone_ = std::move(flow);
    alone_since_ = now;
    alone_times_ = {now + times.end, now + times.drained};
    alone_settled_ = alone_times_.drained;
    for (const CreditWindow& c : alone_->credits) {
      alone_settled_ = std::max(alone_settled_, alone_times_.drained + c.return_ps);
    }
    notify_at(next_, alone_times_.end);
    return;
  }
  if (alone_ != nullptr) {
    // The network did not see the flow that was alone: let it make up for that.
    network_.clear();
    network_.start(std::move(alone_), alone_since_);
    serve_until(now);
  }
  network_.start(std::move(flow), now);
  notify_at(next_, now);
}

void NetworkEngine::start(std::shared_ptr<const Flow> flow, Done done) {
  const std::shared_ptr<Flow> beside = flow->beside;
  if (beside != nullptr) {
    beside->command = flow->command;
    beside->device = flow->device;
    start(beside, [](FlowTimes) {});
  }
  begin(std::move(flow), std::move(done));
}

// In packet detail nothing is skipped, so nothing is quiet.
bool NetworkEngine::quiet() const noexcept {
  const TimePs now = kernel_now();
  return detail_ == Detail::train && waiting_.empty() && network_.empty() && network_.busy_until() <= now &&
         (alone_ == nullptr || alone_settled_ <= now);
}

void NetworkEngine::serve_until(TimePs limit) {
  while (const auto ended = network_.run(limit)) finish(*ended);
}

void NetworkEngine::finish(const PacketNetwork::Ended& ended) {
  const auto found =
      std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiter& w) { return w.flow == ended.flow; });
  if (found == waiting_.end()) return;  // told already, while it was alone
  const Done done = std::move(found->done);
  waiting_.erase(found);
  if (LinkGauges* g = gauges_of(*ended.flow)) g->ended(*ended.flow, ended.times.end);
  // The end lies at or after this moment; whoever waits for it decides when to act on it.
  done(ended.times);
}

void NetworkEngine::wake() {
  ++wakes_;
  const TimePs now = kernel_now();
  if (alone_ != nullptr) {
    if (waiting_.empty()) return;
    const Done done = std::move(waiting_.front().done);
    if (LinkGauges* g = gauges_of(*waiting_.front().flow)) g->ended(*waiting_.front().flow, alone_times_.end);
    waiting_.clear();
    done(alone_times_);
    return;
  }
  while (!network_.empty()) {
    // Nothing outside can change the picture before the kernel's next event, so serve up to there in one go. What is
    // reported of a flow's end may post such an event, so the horizon is looked up after each.
    const sc_core::sc_time pending = sc_core::sc_time_to_pending_activity();
    const TimePs horizon = std::min(kernel_run_limit, now + std::min<TimePs>(pending.value(), time_never - now));
    const auto ended = network_.run(std::max(horizon, now + 1));
    if (!ended) {
      if (network_.empty()) {
        for (LinkGauges& g : gauges_) g.drained();
      }
      notify_at(next_, std::max(now, network_.next()));
      return;
    }
    finish(*ended);
  }
  for (LinkGauges& g : gauges_) g.drained();
}

void NetworkEngine::served(const Flow& flow, std::size_t hop, const Segment& segment, TimePs begin, TimePs end) {
  gauges_of(flow)->served(flow, hop, begin, end);
  if (segment.service_ps[hop] == 0) return;
  PacketRecord record;
  record.command = flow.command;
  record.device = flow.device;
  record.part = to_string(flow.path[hop]);
  record.kind = hop == 0 || flow.reply_kind.empty() ? flow.kind : flow.reply_kind;
  record.begin = begin;
  record.end = end;
  record.address = flow.address;
  record.bytes = segment.packet_bytes;
  trace_->packet(record);
}

}  // namespace sluice::sim
