// One device: wires command processor, copy engines, link and memories together. Nothing is modelled here.
#pragma once

#include <string>

#include "sim/dma/copy_engines.h"
#include "sim/models/command_processor/command_processor.h"
#include "sim/models/link/network_engine.h"
#include "sim/models/memory/dram_memory.h"

namespace sluice::sim {

class Gpu {
 public:
  Gpu(const std::string& name, const profile::Profile& profile, const Link& link, cache::HostMemory& host, Detail detail,
      JobSink& sink, TraceSink* trace)
      : memory_(profile.device_memory, profile.device_cache),
        flows_((name + "_link").c_str(), detail, trace),
        processor_((name + "_command_processor").c_str(), profile, link, flows_, trace),
        engines_((name + "_copy_engines").c_str(), profile, link, flows_, host, memory_, trace) {
    processor_.connect(engines_);
    engines_.connect(sink);
  }

  [[nodiscard]] CommandProcessor& processor() noexcept { return processor_; }
  [[nodiscard]] CopyEngines& engines() noexcept { return engines_; }
  [[nodiscard]] const FlowEngine& flows() const noexcept { return flows_; }

 private:
  memory::DramMemory memory_;
  NetworkEngine flows_;
  CommandProcessor processor_;
  CopyEngines engines_;
};

}  // namespace sluice::sim
