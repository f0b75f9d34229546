// What the driver's own work costs on the host, before a command reaches the device and after it has left it.
#pragma once

#include <deque>
#include <unordered_map>

#include "sim/cache/host_memory.h"
#include "sim/iface/simulator.h"
#include "sim/models/host_link.h"
#include "sim/models/job.h"
#include "sim/profile/profile.h"

namespace sluice::sim {

class HostDriver {
 public:
  HostDriver(const profile::Profile& profile, const Link& link, cache::HostMemory& memory);

  // Charges the call that began at `called`: stamps and stages of the host part, job.doorbell, inline_payload, staged. No
  // doorbell where job.awaits_thread.
  EnqueueStamps charge(Job& job, TimePs called);
  // The driver's thread sees at `at` that its write is over, and turns to the next, whose doorbell is known by that. nullptr:
  // there is none.
  Job* stage_next(TimePs at);
  // See Simulator::hold().
  [[nodiscard]] TimePs hold(Command& command, TimePs called) const;
  // Fence and wake-up: from times.completed to times.visible.
  void complete(Job& job);
  // The program has seen the command complete.
  void delivered(const Job& job);
  [[nodiscard]] TimePs cost(HostAction action) const noexcept;
  [[nodiscard]] std::uint64_t chunk_bytes() const noexcept { return profile_.driver.staging_chunk_bytes; }

 private:
  // Commands of a queue that have not ended, and when the last fence of those that have is in host memory.
  struct Open {
    std::uint32_t commands = 0;
    TimePs fenced = 0;
  };

  [[nodiscard]] const profile::DriverCosts& costs_of(const Command& c) const;
  // The driver's thread copies, from `begins` on, what of the write finds room in the staging buffers.
  void stage(Job& job, TimePs begins);
  // Adds a command to its queue. True: the driver, at `called`, finds every earlier one ended.
  [[nodiscard]] bool opens(const Command& c, TimePs called);

  const profile::Profile& profile_;
  const Link& link_;
  cache::HostMemory& memory_;
  TimePs last_interrupt_ = 0;
  std::unordered_map<QueueId, Open> open_;  // kept only where writes in the ring depend on it
  // The driver's thread: whether it has a write that is not over, and what comes next.
  bool thread_works_ = false;
  std::deque<Job*> handed_over_;
};

}  // namespace sluice::sim
