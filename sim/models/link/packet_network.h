// The queueing network that flows travel through, packet by packet: serial servers, windows of tags, credits that all
// flows on a wire share. Wires and the host's agent serve in order of arrival, so that a short read waits behind what a long
// one has in flight; device memory takes the flows in turn. One device has a network to itself, or those behind one
// bridge share it. No SystemC: the engines drive it. Both details of the model are this one network;
// `train` may skip whole periods of a pattern that has repeated, which changes no time (skip_periods).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "sim/models/traffic.h"

namespace sluice::sim {

class PacketNetwork {
 public:
  // Told of every packet that a server has taken. Never called for packets that a skip has jumped over.
  class Observer {
   public:
    virtual ~Observer() = default;
    virtual void served(const Flow& flow, std::size_t hop, const Segment& segment, TimePs begin, TimePs end) = 0;
  };
  struct Ended {
    const Flow* flow = nullptr;
    FlowTimes times;  // end latency included; may lie ahead of the time run to
  };

  // `devices`: whose links meet here. More than max_devices are more than it can tell apart.
  static constexpr std::uint32_t max_devices = 16;
  explicit PacketNetwork(bool skip_periods, Observer* observer = nullptr, std::uint32_t devices = 1);

  // `flow` enters at `now`, which must not lie before what was served last.
  void start(std::shared_ptr<const Flow> flow, TimePs now);
  // Serves, in time order, every packet whose service starts before `limit`, up to the end of a flow. Flows that have
  // ended for their owners go on to drain.
  [[nodiscard]] std::optional<Ended> run(TimePs limit);
  // When the next service starts; time_never if nothing waits.
  [[nodiscard]] TimePs next();
  [[nodiscard]] bool empty() const noexcept { return active_.empty(); }
  // When the last server is free of what it has taken, and all credits are back.
  [[nodiscard]] TimePs busy_until() const noexcept;
  // Forgets all flows and makes all servers free.
  void clear();
  // Packets served one by one, skips not counted.
  [[nodiscard]] std::uint64_t served() const noexcept { return served_; }

 private:
  // First in, first out, in a ring that grows by doubling.
  template <class T>
  class Ring {
   public:
    void push(T t) {
      if (count_ == items_.size()) grow();
      items_[(head_ + count_++) & (items_.size() - 1)] = t;
    }
    void pop() noexcept {
      head_ = (head_ + 1) & (items_.size() - 1);
      --count_;
    }
    void clear() noexcept { head_ = count_ = 0; }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] const T& front() const noexcept { return items_[head_]; }
    [[nodiscard]] const T& back() const noexcept { return at(count_ - 1); }
    [[nodiscard]] const T& at(std::size_t i) const noexcept { return items_[(head_ + i) & (items_.size() - 1)]; }
    [[nodiscard]] T& at(std::size_t i) noexcept { return items_[(head_ + i) & (items_.size() - 1)]; }

   private:
    void grow() {
      std::vector<T> larger(std::max<std::size_t>(16, 2 * items_.size()));
      for (std::size_t i = 0; i < count_; ++i) larger[i] = at(i);
      items_ = std::move(larger);
      head_ = 0;
    }
    std::vector<T> items_;
    std::size_t head_ = 0;
    std::size_t count_ = 0;
  };
  class TimeQueue : public Ring<TimePs> {
   public:
    void shift(TimePs by) noexcept {
      for (std::size_t i = 0; i < size(); ++i) at(i) += by;
    }
  };
  // Credits of one kind for one wire.
  struct Back {
    TimePs at = 0;
    std::uint32_t units = 0;
  };
  struct Pool {
    std::uint64_t taken = 0;  // and not yet back, or not yet looked at
    Ring<Back> back;          // on their way, in order
  };
  struct Hop {
    TimeQueue waiting;           // arrival times; unused at hop 0
    std::size_t segment = 0;     // of the next packet to be served
    std::uint64_t in_segment = 0;
  };
  struct Active {
    std::shared_ptr<const Flow> flow;
    TimePs started = 0;
    std::uint64_t to_issue = 0;
    std::uint64_t to_end = 0;     // packets that have yet to leave end_hop ...
    std::uint64_t to_finish = 0;  // ... and the last hop
    std::uint64_t issued = 0;
    TimeQueue returns;  // when tags or credits come back, in order
    std::array<Hop, max_hops> hops;
    std::array<std::uint8_t, max_hops> servers{};
    std::array<std::uint8_t, max_hops> answerers{};  // no_server: none
  };
  struct Server {
    TimePs free_at = 0;
    TimePs answers = 0;           // Acks and credits that wait to be sent
    std::size_t last_served = 0;  // round-robin position in active_
  };
  struct Candidate {
    TimePs at = time_never;
    std::size_t flow = 0;
    std::size_t hop = 0;
  };
  // The state seen from one moment: what lies in the past counts as now, since nothing is served before now.
  struct Snapshot {
    bool valid = false;
    TimePs at = 0;
    std::uint64_t samples = 0;  // taken since
    std::uint64_t patience = 1;
    std::vector<TimePs> free;
    std::vector<TimePs> answers;
    std::vector<std::size_t> last_served;
    struct HopState {
      std::size_t segment = 0;
      std::uint64_t in_segment = 0;
      std::size_t waiting = 0;
    };
    std::vector<HopState> hops;        // all hops of all flows
    std::vector<std::size_t> returns;  // sizes, by flow
    std::vector<TimePs> times;         // all queues, one after the other
    std::vector<std::uint64_t> taken;  // of all pools
    std::vector<std::size_t> back;     // and how many are on their way
  };
  static constexpr std::uint8_t no_server = 0xff;

  [[nodiscard]] std::uint8_t server_of(Resource r, DeviceIndex device, DeviceIndex peer) const noexcept;
  [[nodiscard]] Pool& pool_of(const Active& a, const CreditWindow& c) noexcept {
    return pools_[a.servers[c.hop] * credit_count + static_cast<std::size_t>(c.kind)];
  }
  [[nodiscard]] const Pool& pool_of(const Active& a, const CreditWindow& c) const noexcept {
    return pools_[a.servers[c.hop] * credit_count + static_cast<std::size_t>(c.kind)];
  }
  [[nodiscard]] TimePs credit_time(const Active& a, std::size_t hop) const;
  void use_credits(Active& a, std::size_t hop, const Segment& segment, TimePs begin, TimePs end);
  [[nodiscard]] TimePs ready_time(const Active& a, std::size_t hop) const;
  [[nodiscard]] std::uint64_t every_server() const noexcept { return ~std::uint64_t{0} >> (64 - servers_.size()); }
  void find(std::size_t server);
  void refresh();
  void serve(std::size_t server);
  void sample(TimePs now, TimePs limit);
  [[nodiscard]] TimePs waiting_answers(std::size_t server, TimePs now) const noexcept;
  [[nodiscard]] bool repeats(TimePs now) const;
  void take_snapshot(TimePs now);
  void skip(TimePs now, TimePs limit);
  void remove(std::size_t flow);
  [[nodiscard]] TimePs drained(std::size_t flow) const;

  [[nodiscard]] TimePs drained_by_running(const Flow& flow) const;

  bool skip_periods_;
  Observer* observer_;
  std::uint32_t devices_;
  std::vector<std::unique_ptr<Active>> active_;
  std::vector<std::unique_ptr<Active>> pool_;
  std::vector<Server> servers_;
  std::vector<Candidate> candidates_;
  std::vector<Pool> pools_;  // by server and kind; empty until a flow has credits
  std::uint64_t stale_ = 0;  // candidates to be found anew, a bit a server
  Snapshot snapshot_;
  std::uint32_t rest_ = 0;  // samples to leave out: a skip was not possible just now
  std::uint64_t served_ = 0;
};

}  // namespace sluice::sim
