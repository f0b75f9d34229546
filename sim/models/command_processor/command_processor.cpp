#include "sim/models/command_processor/command_processor.h"

#include <algorithm>

namespace sluice::sim {

CommandProcessor::CommandProcessor(const sc_core::sc_module_name& name, const profile::Profile& profile,
                                   const Link& link, TraceSink* trace)
    : Agenda(name),
      profile_(profile.command_processor),
      link_(link),
      trace_(trace != nullptr && trace->level() >= TraceLevel::stage ? trace : nullptr),
      cycle_ps_(1'000'000'000'000ULL / profile.command_processor.clock_hz) {}

void CommandProcessor::wait_for(Job& job, Job& on, bool in_order) {
  on.dependents.push_back(&job);
  ++job.open_waits;
  job.queued_behind |= in_order;
}

void CommandProcessor::submit(Job& job) {
  const TimePs flight = link_.posted_time();
  const TimePs fetch = link_.fetch_time(profile_.ring_entry_bytes) + profile_.fetch_cycles * cycle_ps_;
  const TimePs decode = profile_.decode_cycles * cycle_ps_;
  job.decoded = job.doorbell + flight + fetch + decode;
  job.ready = job.decoded;
  job.spend(Stage::doorbell, flight);
  job.spend(Stage::fetch, fetch);
  job.spend(Stage::setup, decode);
  if (trace_ != nullptr) {
    const TimePs at = job.doorbell + flight;
    trace_->stage({job.command.id, job.command.device, "link.doorbell", "doorbell", job.doorbell, at, 0, 4});
    trace_->stage({job.command.id, job.command.device, "command_processor", "fetch", at, at + fetch, fetch / cycle_ps_,
                   profile_.ring_entry_bytes});
    trace_->stage({job.command.id, job.command.device, "command_processor", "decode", at + fetch, job.decoded,
                   profile_.decode_cycles, 0});
  }
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
  if (job.open_waits == 0) release(job);
}

void CommandProcessor::release(Job& job) {
  const TimePs dispatch = profile_.dispatch_cycles * cycle_ps_;
  const Stage why = job.queued_behind && job.command.waits.empty() ? Stage::queue_wait : Stage::dependency_wait;
  job.spend(why, job.ready - job.decoded);
  job.spend(Stage::setup, dispatch);
  post(job.ready + dispatch, &job);
}

void CommandProcessor::act(Job* const& job, TimePs now) {
  job->arrived = now;
  engines_->execute(*job);
}

void CommandProcessor::ended(Job& job) {
  live_.erase(job.command.id);
  if (job.command.in_order) {
    const auto it = last_.find(job.command.queue);
    if (it != last_.end() && it->second == &job) it->second = nullptr;
  }
  // A staged read has left the device before the last chunk is in the program's memory; what follows waits for that,
  // else a marker would complete before the read that it stands behind.
  const TimePs next = std::max(job.times.ended + profile_.in_order_gap_cycles * cycle_ps_, job.times.completed);
  for (Job* d : job.dependents) {
    d->ready = std::max(d->ready, next);
    if (--d->open_waits == 0) release(*d);
  }
  job.dependents.clear();
}

}  // namespace sluice::sim
