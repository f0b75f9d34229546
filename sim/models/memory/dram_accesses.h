// Accesses of kernels when each command is given: every one goes to the controller of its channel as it comes, with all
// channels there. Rows stay open and refresh goes on from launch to launch; the time between launches is left out.
#pragma once

#include <span>
#include <vector>

#include "sim/models/memory/dram_address.h"
#include "sim/models/memory/dram_controller.h"

namespace sluice::memory {

class DramAccesses {
 public:
  explicit DramAccesses(const profile::Dram& memory);

  // A launch begins: no access of it comes sooner.
  void begin(TimePs at);
  // When the data of all of them have passed, the latency of a lone access to a closed row apart. What is still in a queue then
  // counts as served at the bus's rate: what comes later decides in which order it really is.
  [[nodiscard]] TimePs serve(TimePs at, std::span<const KernelAccess> accesses);
  // Since the first launch, of all channels.
  [[nodiscard]] DramCounts counts() const;
  [[nodiscard]] std::uint64_t open_rows() const;

 private:
  DramAddress address_;
  std::vector<DramController> controllers_;  // of channels that share command pins
  std::vector<std::uint64_t> added_;         // bursts, by controller
  std::vector<std::size_t> touched_;
  std::uint32_t shared_;  // channels of a controller
  std::uint32_t burst_;
  TimePs skipped_ = 0;  // the simulation's time less the controllers'
};

}  // namespace sluice::memory
