#include "sim/models/compute/launch_memory.h"

#include <algorithm>

#include "sim/clock/kernel_time.h"
#include "sim/models/line_records.h"

namespace sluice::sim {

LaunchMemory::Work LaunchMemory::plan(Job& job, const compute::MemorySide& touched, TimePs begin) {
  Work work;
  if (lines_ != nullptr) take_lines(job, touched, begin, work);
  if (!touched.moving_pages().empty()) fault(job, touched, begin + work.recalls_ps_, work);
  return work;
}

void LaunchMemory::use(Job& job, const Flow& flow, Direction direction) const {
  const Link::WireUse use = link_.wire_use(flow, direction);
  job.wire_up += use.up, job.wire_down += use.down, job.tlps += use.tlps;
}

// All lines at once.
void LaunchMemory::take_lines(Job& job, const compute::MemorySide& touched, TimePs begin, Work& work) {
  cache::DeviceLines::Taken all;
  for (const compute::HostSpan& span : touched.device_spans()) all.add(lines_->device_touches(span.address, span.bytes));
  Recalls recalls = plan_recalls(link_, all, job, begin, profile_.link.line_bytes, trace_);
  work.flips_ps_ = all.flips_ps;
  work.recalls_ps_ = recalls.took;
  work.recalls_ = std::move(recalls.flow);
}

// Which pages the launch faults on is known once its groups have run. The units stand still while they are served.
void LaunchMemory::fault(Job& job, const compute::MemorySide& touched, TimePs begin, Work& work) {
  work.pages_ = migration_->device_faults(touched.moving_pages());
  if (work.pages_.batches.empty()) return;
  const Command& c = job.command;
  const auto plan = [&](Direction direction, std::uint64_t address, std::uint64_t bytes) {
    auto flow = std::make_shared<Flow>();
    mover_.plan(direction, address, bytes, memory_, c.id, c.device, *flow);
    work.pages_alone_ = std::max(work.pages_alone_, times_alone(*flow).drained);
    use(job, *flow, direction);
    return flow;
  };
  const PageMoves& pages = work.pages_;
  if (pages.to_device_bytes != 0) {
    work.pages_in_ = plan(Direction::host_to_device, pages.first_to_device, pages.to_device_bytes);
    work.unmapping_ = mover_.unmap(pages.first_to_device, pages.to_device_bytes, c.id);
    const Link::WireUse& wire = work.unmapping_.wire;
    job.wire_up += wire.up, job.wire_down += wire.down, job.tlps += wire.tlps;
  }
  if (pages.to_host_bytes != 0)
    work.pages_out_ = plan(Direction::device_to_host, pages.first_to_host, pages.to_host_bytes);
  mover_.tell(pages, migration_->totals(), "fault_batch", c.id, c.device, begin, work.pages_alone_);
}

void LaunchMemory::start(Work& work, const std::shared_ptr<Flow>& flow, TimePs more, const Post& post) {
  if (flow == nullptr) return;
  ++work.under_way_;
  flows_.start(flow, [post, more](FlowTimes times) { post(std::max(times.drained, kernel_now()) + more); });
}

bool LaunchMemory::next(Job& job, Work& work, TimePs now, const Post& post) {
  using Phase = Work::Phase;
  if (work.under_way_ != 0 && --work.under_way_ != 0) return true;
  const TimePs took = now - work.begun_;
  work.begun_ = now;
  if (work.phase_ == Phase::none) {
    work.phase_ = Phase::lines;
    start(work, work.recalls_, work.flips_ps_, post);
    if (work.under_way_ == 0 && work.flips_ps_ != 0) {
      ++work.under_way_;
      post(now + work.flips_ps_);
    }
    if (work.under_way_ != 0) return true;
  } else if (work.phase_ == Phase::lines) {
    work.recalls_took_ = took;
  } else if (work.phase_ == Phase::pages) {
    // The driver's work goes on beside the link's; all that the launch does comes later by both.
    work.pages_took_ = took + work.pages_.handling_ps + work.unmapping_.wait;
    mover_.send(work.unmapping_, job.command.id, job.command.device, now);
  }
  if (work.phase_ == Phase::lines) {
    work.phase_ = Phase::pages;
    start(work, work.pages_in_, 0, post);
    start(work, work.pages_out_, 0, post);
    if (work.under_way_ != 0) return true;
  }
  work.phase_ = Phase::over;
  return false;
}

void LaunchMemory::Work::account(Job& job) const {
  job.spend(Stage::coherence, std::min(recalls_ps_, recalls_took_));
  job.spend(Stage::contention, recalls_took_ - std::min(recalls_ps_, recalls_took_));
  if (pages_took_ == 0) return;
  job.spend(Stage::page_fault, pages_.handling_ps);
  job.spend(Stage::iommu, unmapping_.wait);
  const TimePs crossing = pages_took_ - pages_.handling_ps - unmapping_.wait;
  const TimePs moved = std::min(pages_alone_, crossing);
  job.spend(Stage::migration, moved);
  job.spend(Stage::contention, crossing - moved);
}

}  // namespace sluice::sim
