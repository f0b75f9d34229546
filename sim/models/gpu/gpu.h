// One device: wires command processor, copy engines, compute units, link and memories together. Nothing is modelled here.
#pragma once

#include <memory>
#include <string>

#include "sim/cache/device_lines.h"
#include "sim/dma/copy_engines.h"
#include "sim/dma/peer_copies.h"
#include "sim/models/command_processor/command_processor.h"
#include "sim/models/compute/compute_units.h"
#include "sim/models/link/link.h"
#include "sim/models/memory/dram_memory.h"

namespace sluice::sim {

// Who executes what.
class Engines final : public Executor {
 public:
  Engines(CopyEngines& copies, PeerCopies& peers, ComputeUnits& compute)
      : copies_(copies), peers_(peers), compute_(compute) {}
  void execute(Job& job) override {
    if (job.command.kernel != nullptr) {
      compute_.execute(job);
    } else if (job.command.is_between_devices()) {
      peers_.execute(job);
    } else {
      copies_.execute(job);
    }
  }

 private:
  CopyEngines& copies_;
  PeerCopies& peers_;
  ComputeUnits& compute_;
};

class Gpu {
 public:
  Gpu(const std::string& name, const profile::Profile& profile, const Link& link, FlowEngine& flows, cache::HostMemory& host,
      memory::DeviceMemory* host_dram, Translator* iommu, Migration* migration, Unmapper& unmapper, PeerCopies& peers,
      Detail detail, WriteLog& writes, JobSink& sink, TraceSink* trace, KernelEngine* kernels)
      : memory_(profile.device_memory, profile.device_cache),
        lines_(profile.link.device_memory != profile::DeviceMemoryCoherence::none
                   ? std::make_unique<cache::DeviceLines>(profile.link, profile.host)
                   : nullptr),
        flows_(flows),
        processor_((name + "_command_processor").c_str(), profile, link, flows_, trace),
        copies_((name + "_copy_engines").c_str(), profile, link, flows_, host, memory_, host_dram, iommu, migration,
                unmapper, lines_.get(), writes, trace),
        compute_((name + "_compute").c_str(), profile, link, flows_, host, memory_, iommu, migration,
                 unmapper, lines_.get(), kernels, writes, detail, trace),
        engines_(copies_, peers, compute_) {
    processor_.connect(engines_);
    peers.add_device(flows_, memory_, iommu);
    copies_.connect(sink);
    compute_.connect(sink);
  }

  [[nodiscard]] CommandProcessor& processor() noexcept { return processor_; }
  // false: from now on commands cost their time alone: no byte moves, no kernel runs.
  void touch_memory(bool touches) noexcept {
    copies_.move_bytes(touches);
    compute_.execute_kernels(touches);
  }
  void forget_lines(std::uint64_t address, std::uint64_t bytes) {
    if (lines_ != nullptr) lines_->forget(address, bytes);
  }
  [[nodiscard]] const FlowEngine& flows() const noexcept { return flows_; }

 private:
  memory::DramMemory memory_;
  std::unique_ptr<cache::DeviceLines> lines_;  // null: the host does not address the device's memory
  FlowEngine& flows_;
  CommandProcessor processor_;
  CopyEngines copies_;
  ComputeUnits compute_;
  Engines engines_;
};

}  // namespace sluice::sim
