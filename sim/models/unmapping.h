// Host pages that are unmapped, because they are freed or have moved to a device: the IOMMU and the devices that keep their
// translations forget them, and the host waits for the devices to say so.
#pragma once

#include <memory>
#include <vector>

#include "sim/models/host_link.h"

namespace sluice::sim {

struct Unmapping {
  struct Asked {
    DeviceIndex device = 0;
    std::shared_ptr<Flow> flow;  // invalidations and their answers
  };
  std::vector<Asked> asked;
  TimePs wait = 0;  // until all have answered, with the links to themselves
  Link::WireUse wire;
};

class Unmapper {
 public:
  virtual ~Unmapper() = default;
  // Pages of [address, address + bytes), each aligned `piece_bytes` of them by itself (0: all at once), for `command` (0: none).
  // They are forgotten at once.
  [[nodiscard]] virtual Unmapping unmap(std::uint64_t address, std::uint64_t bytes, std::uint64_t piece_bytes,
                                        CommandId command) = 0;
  // Its messages cross the links from `at` on.
  virtual void send(const Unmapping& unmapping, TimePs at) = 0;
};

}  // namespace sluice::sim
