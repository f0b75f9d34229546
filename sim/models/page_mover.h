// Moves pages of shared virtual memory across the link: plans the flows, tells the trace.
#pragma once

#include <vector>

#include "sim/iface/trace_sink.h"
#include "sim/models/device_memory.h"
#include "sim/models/host_link.h"
#include "sim/models/migration.h"
#include "sim/models/unmapping.h"

namespace sluice::sim {

class PageMover {
 public:
  // `packet_bytes`: of the link's data, as device memory is asked for its time; `host_clock_hz`: of the driver's work, which is
  // done by `block_bytes`.
  PageMover(std::uint32_t packet_bytes, std::uint64_t host_clock_hz, const Link& link, cache::HostMemory& host,
            Translator* iommu, Unmapper& unmapper, std::uint64_t block_bytes, TraceSink* trace)
      : packet_bytes_(packet_bytes),
        host_clock_hz_(host_clock_hz),
        block_bytes_(block_bytes),
        link_(link),
        host_(host),
        iommu_(iommu),
        unmapper_(unmapper),
        trace_(trace) {}

  // One flow for all that goes one way. The driver's own engine carries it: no copy engine is taken.
  void plan(Direction direction, std::uint64_t address, std::uint64_t bytes, memory::DeviceMemory& memory,
            CommandId command, DeviceIndex device, Flow& flow);
  // Behind what has planned them to go to the device: the host's pages are unmapped block by block.
  [[nodiscard]] Unmapping unmap(std::uint64_t address, std::uint64_t bytes, CommandId command) {
    return unmapper_.unmap(address, bytes, block_bytes_, command);
  }
  // They have come: its messages go.
  void send(const Unmapping& unmapping, CommandId command, DeviceIndex device, TimePs now) const;
  // From `begin` on, as if the flows that take `crossing` were alone.
  void tell(const PageMoves& moves, const MigrationTotals& totals, std::string_view action, CommandId command,
            DeviceIndex device, TimePs begin, TimePs crossing) const;

 private:
  const std::uint32_t packet_bytes_;
  const std::uint64_t host_clock_hz_;
  const std::uint64_t block_bytes_;
  const Link& link_;
  cache::HostMemory& host_;
  Translator* iommu_;
  Unmapper& unmapper_;
  TraceSink* trace_;
  std::vector<cache::LineRun> runs_;
};

}  // namespace sluice::sim
