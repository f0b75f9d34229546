#include "sim/clock/page_unmapper.h"

#include <algorithm>

namespace sluice::sim {

Unmapping PageUnmapper::unmap(std::uint64_t address, std::uint64_t bytes, std::uint64_t piece_bytes, CommandId command) {
  Unmapping out;
  if (iommu_ == nullptr || bytes == 0) return out;
  iommu_->forget(address, bytes);
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    std::uint64_t requests = 0;
    const std::uint64_t end = address + bytes;
    for (std::uint64_t at = address; at < end;) {
      const std::uint64_t next = piece_bytes == 0 ? end : std::min(end, (at / piece_bytes + 1) * piece_bytes);
      requests += devices_[i].tlb->forget(at, next - at) ? 1 : 0;
      at = next;
    }
    if (requests == 0) continue;
    auto flow = std::make_shared<Flow>();
    link_.plan_invalidations(requests, drop_ps_, *flow);
    if (flow->hops == 0) continue;
    flow->command = command;
    flow->device = static_cast<DeviceIndex>(i);
    flow->address = address;
    out.wait = std::max(out.wait, times_alone(*flow).drained);  // all devices are asked at once
    const Link::WireUse use = link_.wire_use(*flow, Direction::host_to_device);
    out.wire.up += use.up, out.wire.down += use.down, out.wire.tlps += use.tlps;
    out.asked.push_back({flow->device, std::move(flow)});
  }
  return out;
}

void PageUnmapper::send(const Unmapping& unmapping, TimePs at) {
  for (const Unmapping::Asked& asked : unmapping.asked) post(std::max(at, kernel_now()), asked);
}

void PageUnmapper::act(const Unmapping::Asked& asked, TimePs) {
  devices_[asked.device].flows->start(asked.flow, [](FlowTimes) {});
}

}  // namespace sluice::sim
