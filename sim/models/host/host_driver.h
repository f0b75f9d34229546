// What the driver's own work costs on the host, before a command reaches the device and after it has left it.
#pragma once

#include "sim/cache/host_memory.h"
#include "sim/iface/simulator.h"
#include "sim/models/host_link.h"
#include "sim/models/job.h"
#include "sim/profile/profile.h"

namespace sluice::sim {

class HostDriver {
 public:
  HostDriver(const profile::Profile& profile, const Link& link, cache::HostMemory& memory);

  // Charges the call that began at `called`: stamps and stages of the host part, job.doorbell, inline_payload, staged.
  EnqueueStamps charge(Job& job, TimePs called);
  // See Simulator::hold().
  [[nodiscard]] TimePs hold(Command& command, TimePs called) const;
  // Fence and wake-up: from times.completed to times.visible.
  void complete(Job& job);
  [[nodiscard]] TimePs cost(HostAction action) const noexcept;
  [[nodiscard]] std::uint64_t chunk_bytes() const noexcept { return profile_.driver.staging_chunk_bytes; }

 private:
  [[nodiscard]] const profile::DriverCosts& costs_of(const Command& c) const;

  const profile::Profile& profile_;
  const Link& link_;
  cache::HostMemory& memory_;
  TimePs last_interrupt_ = 0;
};

}  // namespace sluice::sim
