// FlowEngine at `packet` detail: every packet is served by every resource on its path, round-robin between flows, with
// tags and credits as counters. Runs ahead of the kernel only as far as nothing else can happen.
#pragma once

#include <systemc>

#include <deque>
#include <memory>
#include <vector>

#include "sim/iface/trace_sink.h"
#include "sim/models/link/traffic.h"

namespace sluice::sim {

class PacketEngine final : public sc_core::sc_module, public FlowEngine {
 public:
  PacketEngine(const sc_core::sc_module_name& name, TraceSink* trace);

  void start(const Flow& flow, Done done) override;
  [[nodiscard]] std::uint64_t events() const noexcept override { return packets_; }

 private:
  // First-in first-out times of packets on their way to a hop.
  class TimeQueue {
   public:
    void push(TimePs t) {
      if (head_ > 1024 && head_ * 2 > times_.size()) {
        times_.erase(times_.begin(), times_.begin() + static_cast<std::ptrdiff_t>(head_));
        head_ = 0;
      }
      times_.push_back(t);
    }
    [[nodiscard]] bool empty() const { return head_ == times_.size(); }
    [[nodiscard]] TimePs front() const { return times_[head_]; }
    void pop() {
      if (++head_ == times_.size()) {
        times_.clear();
        head_ = 0;
      }
    }

   private:
    std::vector<TimePs> times_;
    std::size_t head_ = 0;
  };
  struct Hop {
    TimeQueue waiting;           // arrival times, hops > 0
    std::size_t segment = 0;     // of the next packet to be served
    std::uint64_t in_segment = 0;
  };
  struct Active {
    const Flow* flow = nullptr;
    Done done;
    TimePs started = 0;
    std::uint64_t to_issue = 0;
    std::uint64_t to_finish = 0;
    std::uint64_t issued = 0;
    TimeQueue returns;  // when tags or credits come back, in order
    std::array<Hop, max_hops> hops;
  };
  struct Server {
    TimePs free_at = 0;
    std::size_t last_served = 0;  // round-robin position in active_
  };

  void wake();
  [[nodiscard]] TimePs ready_time(const Active& a, std::size_t hop) const;
  // The next packet that `r` serves and when it starts; false if none waits.
  bool next_service(std::size_t r, TimePs& at, std::size_t& flow, std::size_t& hop) const;
  void serve(std::size_t r, TimePs at, std::size_t flow, std::size_t hop);

  std::vector<std::unique_ptr<Active>> active_;
  std::array<Server, resource_count> servers_{};
  sc_core::sc_event next_;
  TraceSink* trace_;
  std::uint64_t packets_ = 0;
};

}  // namespace sluice::sim
