#include "sim/models/link/network_engine.h"

#include <algorithm>
#include <utility>

#include "sim/clock/kernel_time.h"

namespace sluice::sim {

NetworkEngine::NetworkEngine(const sc_core::sc_module_name& name, Detail detail, TraceSink* trace)
    : sc_module(name),
      detail_(detail),
      trace_(trace),
      network_(detail == Detail::train,
               detail == Detail::packet && trace != nullptr && trace->level() == TraceLevel::packet ? this : nullptr) {
  SC_HAS_PROCESS(NetworkEngine);
  SC_METHOD(wake);
  sensitive << next_;
  dont_initialize();
}

void NetworkEngine::start(const Flow& flow, Done done) {
  const TimePs now = kernel_now();
  if (detail_ == Detail::train && waiting_.empty() && network_.busy_until() <= now) {
    waiting_.push_back({&flow, std::move(done)});
    alone_ = true;
    alone_since_ = now;
    alone_end_ = now + time_alone(flow);
    notify_at(next_, alone_end_);
    return;
  }
  if (alone_) {
    // The network did not see the flow that was alone: let it make up for that.
    alone_ = false;
    network_.clear();
    network_.start(*waiting_.front().flow, alone_since_);
    serve_until(now);
  }
  waiting_.push_back({&flow, std::move(done)});
  network_.start(flow, now);
  notify_at(next_, now);
}

void NetworkEngine::serve_until(TimePs limit) {
  while (const auto ended = network_.run(limit)) finish(*ended);
}

void NetworkEngine::finish(const PacketNetwork::Ended& ended) {
  const auto found =
      std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiter& w) { return w.flow == ended.flow; });
  const Done done = std::move(found->done);
  waiting_.erase(found);
  // The end lies at or after this moment; whoever waits for it decides when to act on it.
  done(ended.end);
}

void NetworkEngine::wake() {
  ++wakes_;
  const TimePs now = kernel_now();
  if (alone_) {
    alone_ = false;
    const Done done = std::move(waiting_.front().done);
    waiting_.clear();
    done(now);
    return;
  }
  while (!network_.empty()) {
    // Nothing outside can change the picture before the kernel's next event, so serve up to there in one go. What is
    // reported of a flow's end may post such an event, so the horizon is looked up after each.
    const sc_core::sc_time pending = sc_core::sc_time_to_pending_activity();
    const TimePs horizon = std::min(kernel_run_limit, now + std::min<TimePs>(pending.value(), time_never - now));
    const auto ended = network_.run(std::max(horizon, now + 1));
    if (!ended) {
      notify_at(next_, std::max(now, network_.next()));
      return;
    }
    finish(*ended);
  }
}

void NetworkEngine::served(const Flow& flow, std::size_t hop, const Segment& segment, TimePs begin, TimePs end) {
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
