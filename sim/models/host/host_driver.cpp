#include "sim/models/host/host_driver.h"

#include <algorithm>

namespace sluice::sim {

namespace {

constexpr std::uint64_t mib = 1ULL << 20;

TimePs per_mib(TimePs cost, std::uint64_t bytes) {
  return static_cast<TimePs>(static_cast<double>(cost) * static_cast<double>(bytes) / static_cast<double>(mib));
}

bool is_map(Operation op) {
  switch (op) {
    case Operation::map_buffer:
    case Operation::map_image:
    case Operation::unmap:
    case Operation::svm_map:
    case Operation::svm_unmap:
    case Operation::svm_memcpy:
    case Operation::svm_memfill:
      return true;
    default:
      return false;
  }
}

}  // namespace

HostDriver::HostDriver(const profile::Profile& profile, const Link& link, cache::HostMemory& memory)
    : profile_(profile), link_(link), memory_(memory) {}

const profile::DriverCosts& HostDriver::costs_of(const Command& c) const {
  const profile::Driver& d = profile_.driver;
  if (c.op == Operation::kernel) return d.kernel;
  if (c.direction == Direction::none) return d.marker;
  if (!c.fill.empty() && c.direction != Direction::host_to_device) return d.device_fill;
  if (c.direction == Direction::device_to_device) return d.device_copy;
  return is_map(c.op) ? d.map : d.transfer;
}

TimePs HostDriver::hold(Command& c, TimePs called) const {
  c.called = called;
  c.queued = called + costs_of(c).validate_ps;
  return c.queued;
}

bool HostDriver::opens(const Command& c, TimePs called) {
  if (profile_.copy_engines.inline_limit_queued_bytes == 0) return true;
  Open& open = open_[c.queue];
  return open.commands++ == 0 && open.fenced <= called;
}

EnqueueStamps HostDriver::charge(Job& job, TimePs called) {
  const Command& c = job.command;
  const profile::Driver& d = profile_.driver;
  const profile::DriverCosts& costs = costs_of(c);
  const bool held = c.queued != 0;
  job.called = called;
  if (held) {
    called = std::max(called, c.queued);
    job.called = c.called;
    job.spend(Stage::host_validate, c.queued - c.called);
    job.spend(Stage::dependency_wait, called - c.queued);
  }
  EnqueueStamps stamps;
  // Creating and pinning the mirror of a buffer that is mapped for the first time.
  TimePs pinning = 0;
  if (c.pins_bytes != 0) pinning = d.first_map_ps + per_mib(d.first_map_per_mib_ps, std::max(c.pins_bytes, 2 * mib));
  if (c.host_only) {
    const bool unmaps = c.op == Operation::unmap || c.op == Operation::svm_unmap;
    const TimePs work = pinning + (unmaps ? d.unmap_host_only_ps : d.map_host_only_ps);
    stamps.queued = stamps.submitted = stamps.returned = called + work;
    job.times.queued = job.times.submitted = job.times.started = job.times.ended = stamps.returned;
    job.times.completed = job.times.visible = stamps.returned;
    job.spend(Stage::host_validate, work);
    return stamps;
  }
  const bool idle = opens(c, called);
  if (job.is_merged) {
    stamps.queued = stamps.submitted = stamps.returned = job.doorbell = called + d.merged_marker_ps;
    job.times.queued = job.times.submitted = stamps.queued;
    job.spend(Stage::host_validate, d.merged_marker_ps);
    return stamps;
  }
  const std::uint64_t bytes = c.direction == Direction::none ? 0 : c.shape.bytes();
  const Endpoint& host_end = c.direction == Direction::device_to_host ? c.target : c.source;
  const bool crosses = c.direction == Direction::host_to_device || c.direction == Direction::device_to_host;
  const bool pageable = crosses && host_end.placement == Placement::host_pageable && !link_.reaches_pageable();
  const profile::CopyEngines& engines = profile_.copy_engines;
  const std::uint64_t inline_limit = pageable ? engines.inline_limit_pageable_bytes
                                     : idle   ? engines.inline_limit_bytes
                                              : std::min(engines.inline_limit_bytes, engines.inline_limit_queued_bytes);
  job.inline_payload = c.direction == Direction::host_to_device && c.shape.rows * c.shape.slices == 1 &&
                       c.fill.empty() && bytes <= inline_limit && inline_limit != 0 &&
                       (c.target.tiling.is_linear() || profile_.machine.policy.detile == Detile::in_transfer);
  job.staged = pageable && !job.inline_payload && chunk_bytes() != 0;

  job.by_thread = job.staged && d.staging_thread_chunk_ps != 0 && !c.blocking && c.fill.empty() && !is_map(c.op) &&
                  c.direction == Direction::host_to_device;

  const TimePs validate = (held ? 0 : costs.validate_ps) + pinning + (pageable ? d.pageable_ps : 0);
  TimePs pack = costs.pack_ps + per_mib(d.pack_per_mib_ps, bytes);
  // What an event's stamps take comes behind the doorbell of a call, and before that of a command that was kept.
  if (held && c.stamped) pack += costs.stamps_ps;
  TimePs copy = 0;
  if (crosses && !c.fill.empty()) {
    copy = bytes / c.fill.size_bytes() * d.fill_texel_ps;
    memory_.cpu_wrote(host_end.address, bytes);
  }
  if (job.inline_payload) {
    copy = memory_.copy_in(host_end.address, ring_address, bytes);
  } else if (job.staged && c.direction == Direction::host_to_device && !job.by_thread) {
    copy += memory_.copy_in(host_end.address, staging_address, std::min(bytes, chunk_bytes()));
  }
  stamps.queued = held ? c.queued : called + validate;
  stamps.submitted = called + validate + pack + copy;
  job.doorbell = stamps.submitted + costs.submit_ps;
  stamps.returned = job.doorbell + costs.return_ps + (c.stamped ? costs.stamps_ps : 0);
  // A marker that is kept back: the call is over before the driver turns to it.
  if (c.op == Operation::marker && !held && d.merged_marker_ps != 0) stamps.returned = called + d.merged_marker_ps;
  job.first_chunk_ready = stamps.submitted;
  job.times.queued = stamps.queued;
  job.times.submitted = stamps.submitted;
  job.spend(Stage::host_validate, validate);
  job.spend(Stage::host_pack, pack);
  if (job.by_thread) {
    const TimePs handover = d.staging_handover_ps + per_mib(d.staging_handover_per_mib_ps, bytes);
    stamps.returned = stamps.submitted + handover + costs.return_ps + (c.stamped ? costs.stamps_ps : 0);
    job.handed_over = stamps.submitted;
    job.awaits_thread = thread_works_;
    if (thread_works_) {
      handed_over_.push_back(&job);
    } else {
      stage(job, job.handed_over);
    }
    return stamps;
  }
  job.spend(Stage::host_copy, copy);
  job.spend(Stage::doorbell, costs.submit_ps);
  return stamps;
}

Job* HostDriver::stage_next(TimePs at) {
  thread_works_ = false;
  if (handed_over_.empty()) return nullptr;
  Job* const next = handed_over_.front();
  handed_over_.pop_front();
  stage(*next, std::max(at, next->handed_over));
  return next;
}

void HostDriver::stage(Job& job, TimePs begins) {
  const profile::Driver& d = profile_.driver;
  const Command& c = job.command;
  const TimePs submit = costs_of(c).submit_ps;
  const std::uint64_t bytes = c.shape.bytes();
  thread_works_ = true;
  job.chunks = (bytes + chunk_bytes() - 1) / chunk_bytes();
  job.copy_done.assign(job.chunks, 0);
  TimePs at = begins;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(job.chunks, d.staging_buffers); ++i) {
    const TimePs copy = memory_.copy_in(c.source.address + i * chunk_bytes(), staging_address + i * chunk_bytes(),
                                        std::min(chunk_bytes(), bytes - i * chunk_bytes()), cache::Copier::driver_thread);
    if (i != 0) job.limits.add(Part::host_copy, d.staging_thread_chunk_ps + copy);
    at += d.staging_thread_chunk_ps + copy;
    job.copy_done[i] = at;
  }
  job.first_chunk_ready = job.copy_done[0];
  job.awaits_thread = false;
  job.doorbell = job.first_chunk_ready + submit;
  job.spend(Stage::staging, begins - job.handed_over);
  job.spend(Stage::host_copy, job.first_chunk_ready - begins);
  job.spend(Stage::doorbell, submit);
}

void HostDriver::complete(Job& job) {
  const profile::Driver& d = profile_.driver;
  // The fence is a posted write, too: it arrives behind the data.
  const TimePs behind = job.drained > job.times.completed ? job.drained - job.times.completed : 0;
  const TimePs fence = behind + d.fence_ps + link_.posted_time();
  TimePs wakeup = d.wakeup_ps;
  if (d.completion == profile::Completion::interrupt) {
    // The interrupt is a message behind the fence. The device sends none sooner than `moderation` after the last; what
    // completes in between is found by the handler of the next.
    const TimePs arrives = job.times.completed + fence + link_.posted_time();
    if (arrives > last_interrupt_) {
      last_interrupt_ = last_interrupt_ == 0 ? arrives : std::max(arrives, last_interrupt_ + d.interrupt_moderation_ps);
    }
    wakeup += last_interrupt_ - (job.times.completed + fence);
  }
  job.times.visible = job.times.completed + fence + wakeup;
  const auto open = open_.find(job.command.queue);
  if (open != open_.end()) {
    --open->second.commands;
    open->second.fenced = std::max(open->second.fenced, job.times.completed + fence);
  }
  job.spend(Stage::fence, fence);
  job.spend(Stage::wakeup, wakeup);
}

void HostDriver::delivered(const Job& job) {
  const auto open = open_.find(job.command.queue);
  if (open == open_.end() || open->second.commands != 0) return;
  if (open->second.fenced <= job.times.visible) open_.erase(open);
}

TimePs HostDriver::cost(HostAction action) const noexcept {
  const profile::Driver& d = profile_.driver;
  switch (action) {
    case HostAction::poll_event: return d.poll_event_ps;
    case HostAction::finish_idle: return d.finish_idle_ps;
    case HostAction::read_clock: return d.read_clock_ps;
    case HostAction::flush: return d.flush_ps;
    case HostAction::set_user_event: return d.user_event_ps;
    case HostAction::create_buffer: return d.create_buffer_ps;
    case HostAction::count_: break;
  }
  return 0;
}

}  // namespace sluice::sim
