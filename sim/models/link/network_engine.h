// The FlowEngine: drives the packet network from the SystemC kernel.
//  packet  every packet is served by every resource on its path, and each service can be traced;
//  train   a flow alone costs one kernel event, its end computed in closed form; flows that meet enter the same network,
//          which skips the periods that its pattern repeats. Both details therefore give the same times.
#pragma once

#include <systemc>

#include <memory>
#include <vector>

#include "sim/iface/trace_sink.h"
#include "sim/models/link/link_gauges.h"
#include "sim/models/link/packet_network.h"

namespace sluice::sim {

class NetworkEngine final : public sc_core::sc_module, public FlowEngine, private PacketNetwork::Observer {
 public:
  NetworkEngine(const sc_core::sc_module_name& name, Detail detail, TraceSink* trace, std::uint32_t devices = 1);

  void start(std::shared_ptr<const Flow> flow, Done done) override;
  [[nodiscard]] bool quiet() const noexcept override;
  [[nodiscard]] std::uint64_t events() const noexcept override { return wakes_ + network_.served(); }

 private:
  struct Waiter {
    const Flow* flow = nullptr;
    Done done;
  };

  void begin(std::shared_ptr<const Flow> flow, Done done);
  [[nodiscard]] LinkGauges* gauges_of(const Flow& flow) noexcept;
  void wake();
  void serve_until(TimePs limit);
  void finish(const PacketNetwork::Ended& ended);
  void served(const Flow& flow, std::size_t hop, const Segment& segment, TimePs begin, TimePs end) override;

  Detail detail_;
  TraceSink* trace_;
  std::vector<LinkGauges> gauges_;  // of a trace of level packet: one a device
  PacketNetwork network_;
  std::vector<Waiter> waiting_;  // for the flows in the network, or for the one that is alone
  // train: the flow that has met no other, kept until the next one shows that it no longer matters.
  std::shared_ptr<const Flow> alone_;
  TimePs alone_since_ = 0;
  FlowTimes alone_times_;
  TimePs alone_settled_ = 0;  // drained, and its credits are back
  AloneTimes times_of_;
  sc_core::sc_event next_;
  std::uint64_t wakes_ = 0;
};

}  // namespace sluice::sim
