#include "sim/models/command_processor/command_processor.h"

#include <algorithm>

namespace sluice::sim {

CommandProcessor::CommandProcessor(const sc_core::sc_module_name& name, const profile::Profile& profile,
                                   const Link& link, FlowEngine& flows, TraceSink* trace)
    : Agenda(name),
      profile_(profile.command_processor),
      link_(link),
      flows_(flows),
      trace_(trace != nullptr && trace->level() >= TraceLevel::stage ? trace : nullptr),
      cycle_ps_(1'000'000'000'000ULL / profile.command_processor.clock_hz) {
  LinkTransfer t;
  t.direction = Direction::host_to_device;
  t.host_address = ring_address;
  t.row_bytes = profile_.ring_entry_bytes;
  link.plan(t, {}, read_);
  read_.address = ring_address;
  read_alone_ = time_alone(read_);
}

void CommandProcessor::wait_for(Job& job, Job& on, bool in_order) {
  on.dependents.push_back(&job);
  ++job.open_waits;
  job.queued_behind |= in_order;
}

// Commands that the device has seen and that are not over.
void CommandProcessor::count(DeviceIndex device, int more) {
  seen_ += static_cast<std::uint64_t>(more);
  if (trace_ == nullptr || trace_->level() < TraceLevel::packet) return;
  trace_->counter({device, "command_processor", "queue_depth", kernel_now(), seen_});
}

void CommandProcessor::submit(Job& job) {
  live_[job.command.id] = &job;
  for (const CommandId id : job.command.waits) {
    const auto it = live_.find(id);
    if (it != live_.end() && it->second != &job) wait_for(job, *it->second, false);
  }
  if (job.command.in_order) {
    Job*& last = last_[job.command.queue];
    if (last != nullptr) wait_for(job, *last, true);
    last = &job;
  }
  ++job.open_waits;  // the fetch
  if (job.is_merged) {
    post(job.doorbell, {&job, FrontEndStep::merged});
    return;
  }
  if (!job.awaits_thread) ring(job);
}

void CommandProcessor::ring(Job& job) {
  job.reads_left = profile_.fetch_reads;
  const TimePs flight = link_.posted_time();
  job.spend(Stage::doorbell, flight);
  if (trace_ != nullptr) {
    trace_->stage({job.command.id, job.command.device, "link.doorbell", "doorbell", job.doorbell,
                   job.doorbell + flight, 0, 4});
  }
  post(job.doorbell + flight, {&job, FrontEndStep::see_doorbell});
}

// A read of the ring is traffic like any other. With the link to itself it takes a known time and needs no event.
void CommandProcessor::fetch(Job& job, TimePs now) {
  if (flows_.quiet()) {
    decode(job, now + job.reads_left * read_alone_);
    return;
  }
  job.flow = flow_pool_.take();
  *job.flow = read_;
  job.flow->command = job.command.id;
  job.flow->device = job.command.device;
  --job.reads_left;
  flows_.start(job.flow, [this, &job](FlowTimes times) {
    post(std::max(times.end, kernel_now()), {&job, FrontEndStep::read_done});
  });
}

void CommandProcessor::decode(Job& job, TimePs fetched_at) {
  const TimePs decode = profile_.decode_cycles * cycle_ps_;
  const TimePs fetched = fetched_at + profile_.fetch_cycles * cycle_ps_;
  const TimePs seen = job.doorbell + link_.posted_time();
  job.flow.reset();
  job.decoded = fetched + decode;
  job.spend(Stage::fetch, fetched - seen);
  job.spend(Stage::setup, decode);
  if (trace_ != nullptr) {
    trace_->stage({job.command.id, job.command.device, "command_processor", "fetch", seen, fetched,
                   (fetched - seen) / cycle_ps_, profile_.ring_entry_bytes});
    trace_->stage({job.command.id, job.command.device, "command_processor", "decode", fetched, job.decoded,
                   profile_.decode_cycles, 0});
  }
  job.ready = std::max(job.ready, job.decoded);
  if (--job.open_waits == 0) release(job);
}

void CommandProcessor::release(Job& job) {
  const TimePs dispatch = job.is_merged ? 0 : profile_.dispatch_cycles * cycle_ps_;
  const Stage why = job.queued_behind && job.command.waits.empty() ? Stage::queue_wait : Stage::dependency_wait;
  job.spend(why, job.ready - job.decoded);
  job.spend(Stage::setup, dispatch);
  post(job.ready + dispatch, {&job, FrontEndStep::dispatch});
}

void CommandProcessor::act(const FrontEndEvent& event, TimePs now) {
  Job& job = *event.job;
  switch (event.step) {
    case FrontEndStep::see_doorbell:
      count(job.command.device, 1);
      fetch(job, now);
      break;
    case FrontEndStep::read_done:
      if (job.reads_left > 0) {
        fetch(job, now);
      } else {
        decode(job, now);
      }
      break;
    case FrontEndStep::merged:
      count(job.command.device, 1);
      job.decoded = now;
      job.ready = std::max(job.ready, now);
      if (--job.open_waits == 0) release(job);
      break;
    case FrontEndStep::dispatch:
      job.arrived = now;
      engines_->execute(job);
      break;
  }
}

void CommandProcessor::ended(Job& job) {
  live_.erase(job.command.id);
  count(job.command.device, -1);
  if (job.command.in_order) {
    const auto it = last_.find(job.command.queue);
    if (it != last_.end() && it->second == &job) it->second = nullptr;
  }
  // A staged read has left the device before the last chunk is in the program's memory; what follows waits for that,
  // else a marker would complete before the read that it stands behind.
  const TimePs next = std::max(job.times.ended + profile_.in_order_gap_cycles * cycle_ps_, job.times.completed);
  for (Job* d : job.dependents) {
    // The device sees no command of its own in a marker that was merged, so it does not turn to it either.
    d->ready = std::max(d->ready, d->is_merged ? job.times.completed : next);
    if (--d->open_waits == 0) release(*d);
  }
  job.dependents.clear();
}

}  // namespace sluice::sim
