// Moves pages of shared virtual memory across the link: plans the flows, tells the trace.
#pragma once

#include <vector>

#include "sim/iface/trace_sink.h"
#include "sim/models/device_memory.h"
#include "sim/models/host_link.h"
#include "sim/models/migration.h"

namespace sluice::sim {

class PageMover {
 public:
  // `packet_bytes`: of the link's data, as device memory is asked for its time; `host_clock_hz`: of the driver's work.
  PageMover(std::uint32_t packet_bytes, std::uint64_t host_clock_hz, const Link& link, cache::HostMemory& host,
            Translator* iommu, TraceSink* trace)
      : packet_bytes_(packet_bytes),
        host_clock_hz_(host_clock_hz),
        link_(link),
        host_(host),
        iommu_(iommu),
        trace_(trace) {}

  // One flow for all that goes one way. The driver's own engine carries it: no copy engine is taken.
  void plan(Direction direction, std::uint64_t address, std::uint64_t bytes, memory::DeviceMemory& memory,
            CommandId command, DeviceIndex device, Flow& flow);
  // From `begin` on, as if the flows that take `crossing` were alone.
  void tell(const PageMoves& moves, const MigrationTotals& totals, std::string_view action, CommandId command,
            DeviceIndex device, TimePs begin, TimePs crossing) const;

 private:
  const std::uint32_t packet_bytes_;
  const std::uint64_t host_clock_hz_;
  const Link& link_;
  cache::HostMemory& host_;
  Translator* iommu_;
  TraceSink* trace_;
  std::vector<cache::LineRun> runs_;
};

}  // namespace sluice::sim
