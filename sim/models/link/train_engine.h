// FlowEngine at `train` detail: a flow alone costs two kernel events whatever its size; flows that meet are carried as a
// fluid whose rates change only when a flow starts, changes segment or ends.
#pragma once

#include <systemc>

#include <memory>
#include <vector>

#include "sim/models/link/traffic.h"

namespace sluice::sim {

class TrainEngine final : public sc_core::sc_module, public FlowEngine {
 public:
  explicit TrainEngine(const sc_core::sc_module_name& name);

  void start(const Flow& flow, Done done) override;
  [[nodiscard]] std::uint64_t events() const noexcept override { return events_; }

 private:
  struct Active {
    const Flow* flow = nullptr;
    Done done;
    TimePs started = 0;
    TimePs alone_end = 0;      // exact end if nobody joins
    bool fluid = false;        // has shared a resource since it started
    // Fluid state. The first packet leaves at `flows_from`; after that `rate` packets a picosecond follow it.
    TimePs flows_from = 0;
    TimePs updated = 0;
    std::size_t segment = 0;
    double left_in_segment = 0;
    double rate = 0;
    std::size_t bottleneck = 0;  // hop where the flow's packets queue
    TimePs next_change = time_never;  // end of segment or of flow at this rate
  };

  void wake();
  [[nodiscard]] bool meets_others(const Active& a) const;
  void make_fluid(Active& a, TimePs now);
  void progress(TimePs now);
  void share_out(TimePs now);
  void schedule(TimePs now);
  void finish(TimePs now);

  std::vector<std::unique_ptr<Active>> active_;
  std::vector<std::unique_ptr<Active>> pool_;
  sc_core::sc_event next_;
  std::uint64_t events_ = 0;
};

}  // namespace sluice::sim
