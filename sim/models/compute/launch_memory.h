// What memory asks of a launch before its groups may begin: lines of device memory that the host's caches hold are taken
// back, then pages of shared memory come, and those that they drive out go. Known once the groups have run; it comes
// before all their work as one piece.
#pragma once

#include <functional>
#include <memory>

#include "sim/cache/device_lines.h"
#include "sim/models/compute/memory_side.h"
#include "sim/models/device_memory.h"
#include "sim/models/host_link.h"
#include "sim/models/job.h"
#include "sim/models/page_mover.h"
#include "sim/profile/profile.h"

namespace sluice::sim {

class LaunchMemory {
 public:
  LaunchMemory(const profile::Profile& profile, const Link& link, FlowEngine& flows, cache::HostMemory& host,
               memory::DeviceMemory& memory, Translator* iommu, Migration* migration, Unmapper& unmapper,
               cache::DeviceLines* lines, TraceSink* trace)
      : profile_(profile),
        link_(link),
        flows_(flows),
        memory_(memory),
        migration_(migration),
        mover_(profile.link.max_payload_bytes, profile.host.core_clock_hz, link, host, iommu, unmapper,
               profile.migration.block_bytes, trace),
        lines_(lines),
        trace_(trace) {}

  // Of one launch.
  class Work {
   public:
    [[nodiscard]] bool needed() const noexcept { return recalls_ps_ != 0 || !pages_.batches.empty(); }
    // With the link to itself.
    [[nodiscard]] TimePs alone() const noexcept { return recalls_ps_ + pages_.handling_ps + pages_alone_ + unmapping_.wait; }
    // What it took, once next() has returned false.
    [[nodiscard]] TimePs took() const noexcept { return recalls_took_ + pages_took_; }
    void account(Job& job) const;

   private:
    friend class LaunchMemory;
    enum class Phase : std::uint8_t { none, lines, pages, over };

    Phase phase_ = Phase::none;
    TimePs begun_ = 0;            // the phase
    std::uint32_t under_way_ = 0;  // its flows
    TimePs flips_ps_ = 0;
    std::shared_ptr<Flow> recalls_;
    TimePs recalls_ps_ = 0;  // alone, flips included
    TimePs recalls_took_ = 0;
    PageMoves pages_;
    std::shared_ptr<Flow> pages_in_, pages_out_;
    TimePs pages_alone_ = 0;  // the flows' time
    Unmapping unmapping_;     // of the pages that come
    TimePs pages_took_ = 0;   // with the driver's work and the unmapping
  };

  // `touched`: what the groups, which begin at `begin` without it, have done.
  [[nodiscard]] Work plan(Job& job, const compute::MemorySide& touched, TimePs begin);
  // To be called when it begins, and whenever what `post` was told is over. False: nothing is left.
  using Post = std::function<void(TimePs)>;
  [[nodiscard]] bool next(Job& job, Work& work, TimePs now, const Post& post);

 private:
  void take_lines(Job& job, const compute::MemorySide& touched, TimePs begin, Work& work);
  void fault(Job& job, const compute::MemorySide& touched, TimePs begin, Work& work);
  void start(Work& work, const std::shared_ptr<Flow>& flow, TimePs more, const Post& post);
  void use(Job& job, const Flow& flow, Direction direction) const;

  const profile::Profile& profile_;
  const Link& link_;
  FlowEngine& flows_;
  memory::DeviceMemory& memory_;
  Migration* migration_;  // null: shared memory stays at the host
  PageMover mover_;
  cache::DeviceLines* lines_;  // null: the host does not address the device's memory
  TraceSink* trace_;
};

}  // namespace sluice::sim
