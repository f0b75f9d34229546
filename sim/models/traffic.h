// Traffic as the link engines carry it: a Flow is a run of packets that visit the same serial resources in the same
// order. A packet is one transaction: a read request with its completions, or one posted write.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "sim/iface/command.h"
#include "sim/iface/time.h"
#include "sim/models/translation.h"

namespace sluice::sim {

// How finely traffic and kernels are simulated: in closed form, or packet by packet and wave by wave.
enum class Detail : std::uint8_t { train, packet };

// Serial servers that flows meet at. The two directions of a link are separate wires. A bridge is what several devices'
// links meet at: a switch's upstream link, or the fabric of a root complex. A peer is the device that another one writes to.
enum class Resource : std::uint8_t {
  wire_up, wire_down, home_agent, device_memory, bridge_up, bridge_down, peer_wire_down, peer_memory, count_
};
[[nodiscard]] std::string_view to_string(Resource r) noexcept;

inline constexpr std::size_t max_hops = 6;

// What the two ends of a link keep count of, for all TLPs that are sent on one of its wires.
enum class Credit : std::uint8_t {
  posted_headers, posted_data, non_posted_headers, non_posted_data, completion_headers, completion_data, replay_buffer,
  count_
};
inline constexpr std::size_t credit_count = static_cast<std::size_t>(Credit::count_);

struct Segment;

// A wire's packets need so much of what its receiver grants, or of the sender's replay buffer. Flows on one wire share it.
struct CreditWindow {
  enum class Unit : std::uint8_t { packets, tlps, bytes, data_credits, request_bytes, request_credits };

  Credit kind = Credit::posted_headers;
  Unit unit = Unit::packets;
  std::uint8_t hop = 0;             // the wire
  std::uint8_t until_hop = 0;       // whose departure gives it back ...
  TimePs return_ps = 0;             // ... so much later
  std::uint32_t capacity = 1;
  std::uint32_t tlp_units = 0;      // beside `unit`, for each TLP
  std::string_view part;            // for traces; static storage

  // Of one packet; one that is larger than all there is takes all.
  [[nodiscard]] std::uint32_t units(const Segment& segment) const noexcept;
  [[nodiscard]] bool operator==(const CreditWindow&) const = default;
};

// `packets` consecutive packets that cost the same at every hop.
struct Segment {
  std::uint64_t packets = 0;
  std::uint32_t packet_bytes = 0;
  std::array<TimePs, max_hops> service_ps{};  // per hop of the flow's path
  std::array<TimePs, max_hops> answer_ps{};   // what a packet's answers (Ack, UpdateFC) take of `Flow::answers`, per hop
  std::uint32_t data_tlps = 1;                // that carry a packet's bytes
  std::uint32_t data_credits = 0;             // and the units of 16 bytes in them
  std::uint32_t request_bytes = 0;            // data that a packet's request carries: an AtomicOp's operands
  TimePs unsnooped_ps = 0;                    // the home agent's service had no core's cache held the lines
  TimePs row_ps = 0;                          // the engine's own work on rows, part of one of the services
  TimePs walk_ps = 0;                         // what the IOMMU's walks added to the home agent's service, or the first hop's
  std::uint32_t up_bytes = 0;                 // messages of a packet: on a coherent link, before flits; PCIe's that go both ways
  std::uint32_t down_bytes = 0;
  [[nodiscard]] bool operator==(const Segment&) const = default;
};

inline std::uint32_t CreditWindow::units(const Segment& segment) const noexcept {
  std::uint32_t n = tlp_units * segment.data_tlps;
  switch (unit) {
    case Unit::packets: n += 1; break;
    case Unit::tlps: n += segment.data_tlps; break;
    case Unit::bytes: n += segment.packet_bytes; break;
    case Unit::data_credits: n += segment.data_credits; break;
    case Unit::request_bytes: n += segment.request_bytes; break;
    case Unit::request_credits: n += (segment.request_bytes + 15) / 16; break;
  }
  return n < capacity ? n : capacity;
}

[[nodiscard]] constexpr std::array<Resource, max_hops> no_answers() noexcept {
  std::array<Resource, max_hops> none{};
  none.fill(Resource::count_);
  return none;
}

struct Flow {
  CommandId command = 0;
  DeviceIndex device = 0;
  DeviceIndex peer = 0;  // whose wire and memory are Resource::peer_...
  std::uint8_t hops = 0;
  std::array<Resource, max_hops> path{};
  std::array<TimePs, max_hops> latency_ps{};  // after the hop, before the next one or before the end
  // The hop whose last departure ends the flow for its owner. Later hops drain behind it: posted writes have left the
  // device when they are on the wire, though the host's agent may still be busy with what its buffers hold.
  std::uint8_t end_hop = 0;
  // A packet served at a hop is answered on another wire, between that wire's own packets: its idle time takes the
  // answers, else its next packet is delayed. count_: answers cost nothing.
  std::array<Resource, max_hops> answers = no_answers();
  // The home agent takes this flow and others in turn, not in order of arrival (PCIe's relaxed ordering).
  bool relaxed = false;
  std::vector<Segment> segments;
  std::vector<CreditWindow> credits;
  // At most `window` packets between entering hop 0 and leaving the last hop plus `window_return_ps`
  // (read tags; posted writes). 0: unlimited.
  std::uint32_t window = 0;
  TimePs window_return_ps = 0;
  std::string_view window_part; // what the window is, for traces: "link.tags", "link.credits" ...; static storage
  std::string_view kind;        // "MRd", "MWr", "flit" ...
  std::string_view reply_kind;  // "CplD" or empty
  std::uint64_t address = 0;
  // The IOMMU's walks, and what they added to latencies: to that before the home agent, and to that after the last hop.
  std::uint64_t walks = 0;
  TimePs walk_in_window_ps = 0;
  TimePs walk_once_ps = 0;
  std::string_view walk_part = "host.iommu";
  std::string_view walk_action = "walk";
  // Parts of the latency before the home agent (or behind it, where it comes first): a core's cache answers a snoop; the
  // home grants the lines that the device will write.
  TimePs snoop_once_ps = 0;
  TimePs ownership_ps = 0;
  // Traffic that it causes besides (requests for translations): begins with it, and nobody waits for it.
  std::shared_ptr<Flow> beside;

  [[nodiscard]] std::uint64_t packets() const noexcept {
    std::uint64_t n = 0;
    for (const Segment& s : segments) n += s.packets;
    return n;
  }
  [[nodiscard]] std::uint64_t bytes() const noexcept {
    std::uint64_t n = 0;
    for (const Segment& s : segments) n += s.packets * s.packet_bytes;
    return n;
  }
};

// When a flow is over: `end` for its owner, `drained` when the last packet has left the last hop.
struct FlowTimes {
  TimePs end = 0;
  TimePs drained = 0;
};

// What a flow would cost without some of its parts: how its time is attributed to them.
enum class Without : std::uint8_t {
  nothing,
  walks,
  walks_and_snoops,
  walks_and_coherence,          // snoops and ownership
  walks_coherence_and_memory,
};

// Makes the flow wait for a core's cache, or for ownership, once: all its packets ask in advance.
void add_snoop(Flow& flow, TimePs latency);
void add_ownership(Flow& flow, TimePs latency);

// Adds the IOMMU's page walks for the flow's addresses, in place of those that it has. Walkers work beside the home agent,
// so the slower of the two sets the pace (of a flow that does not come there, they and the first hop); walks are spread evenly
// over the packets. What waits for a walk waits in the
// window: with `window` packets out there are that many walks under way at once, and each such windowful waits for one
// walk. The transfer as a whole is a walk longer, whatever the window.
void add_walks(Flow& flow, const Walks& walks);

// Times from the start of a flow that has the resources to itself: exact, and equal to what simulating packet by packet
// gives. Cost: O(segments) where the window cannot limit, else O(window) a segment.
[[nodiscard]] FlowTimes times_alone(const Flow& flow, Without without = Without::nothing);
[[nodiscard]] inline TimePs time_alone(const Flow& flow) { return times_alone(flow).end; }

// Remembers the last answers of times_alone: programs repeat their transfers, and a windowed flow of several
// segments costs microseconds to work out. Direct-mapped; an answer is only given for an equal question.
class AloneTimes {
 public:
  [[nodiscard]] FlowTimes operator()(const Flow& flow, Without without = Without::nothing);

 private:
  struct Entry {
    std::vector<std::uint64_t> question;
    FlowTimes answer;
  };
  static constexpr std::size_t entries = 128;

  std::vector<Entry> table_ = std::vector<Entry>(entries);
  std::vector<std::uint64_t> question_;
};

// Carries flows. One per device. `done` is called at or before the simulated time of the flow's end, with that time;
// `drained` supposes that no flow enters between now and then.
class FlowEngine {
 public:
  using Done = std::function<void(FlowTimes)>;
  virtual ~FlowEngine() = default;
  // Starts `flow` now; it must not change until it has drained.
  virtual void start(std::shared_ptr<const Flow> flow, Done done) = 0;
  // Nothing is under way, and a short flow may be taken as alone without starting it.
  [[nodiscard]] virtual bool quiet() const noexcept = 0;
  // Events that the engine has cost the simulation kernel, for tests of scale.
  [[nodiscard]] virtual std::uint64_t events() const noexcept = 0;
};

// Flows for reuse once the network and their owner have let go of them.
class FlowPool {
 public:
  [[nodiscard]] std::shared_ptr<Flow> take() {
    for (const auto& flow : flows_) {
      if (flow.use_count() == 1) return flow;
    }
    flows_.push_back(std::make_shared<Flow>());
    return flows_.back();
  }

 private:
  std::vector<std::shared_ptr<Flow>> flows_;
};

}  // namespace sluice::sim
