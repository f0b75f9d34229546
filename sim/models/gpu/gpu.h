// One device: wires command processor, copy engines, link and memories together. Nothing is modelled here.
#pragma once

#include <memory>
#include <string>

#include "sim/dma/copy_engines.h"
#include "sim/models/command_processor/command_processor.h"
#include "sim/models/link/packet_engine.h"
#include "sim/models/link/train_engine.h"

namespace sluice::sim {

class Gpu {
 public:
  Gpu(const std::string& name, const profile::Profile& profile, const Link& link, cache::HostMemory& host, bool packets,
      JobSink& sink, TraceSink* trace)
      : memory_(profile.device_memory, profile.device_cache),
        processor_((name + "_command_processor").c_str(), profile, link, trace) {
    if (packets) {
      auto engine = std::make_unique<PacketEngine>((name + "_link").c_str(), trace);
      flows_ = engine.get();
      link_engine_ = std::move(engine);
    } else {
      auto engine = std::make_unique<TrainEngine>((name + "_link").c_str());
      flows_ = engine.get();
      link_engine_ = std::move(engine);
    }
    engines_ = std::make_unique<CopyEngines>((name + "_copy_engines").c_str(), profile, link, *flows_, host, memory_, trace);
    processor_.connect(*engines_);
    engines_->connect(sink);
  }

  [[nodiscard]] CommandProcessor& processor() noexcept { return processor_; }
  [[nodiscard]] const FlowEngine& flows() const noexcept { return *flows_; }

 private:
  memory::DeviceMemory memory_;
  CommandProcessor processor_;
  std::unique_ptr<sc_core::sc_module> link_engine_;
  FlowEngine* flows_ = nullptr;
  std::unique_ptr<CopyEngines> engines_;
};

}  // namespace sluice::sim
