// PCI Express at TLP level. Device reads are requests of up to MRRS bytes upstream and completions of up to MPS bytes
// downstream; device writes are posted TLPs of up to MPS bytes. Wire bytes per TLP: header with framing, sequence
// number and LCRC, plus the DLLPs (ACK, UpdateFC) that share the direction; SKP ordered sets take their share of the
// raw rate. AtomicOps are requests that carry their operands up and are answered by what was there before. Formulae: pcie-bench (Neugebauer et al., SIGCOMM 2018), with DLLPs counted per lane group, not per lane. Where
// there is a bridge, what goes to the host or to another device goes through it.
#include <algorithm>
#include <array>
#include <cmath>

#include "sim/models/link/link.h"
#include "sim/models/link/packetise.h"
#include "sim/models/link/pcie_rates.h"

namespace sluice::sim {

namespace {

using Unit = CreditWindow::Unit;

// One hop of wires: what a direction's packets take of it, and what its two ends keep count of.
struct Wires {
  double ps_per_byte = 0;
  double upstream_dllps = 0;    // beside each data TLP, as a mean
  double downstream_dllps = 0;
  profile::Credits credits;
  TimePs credit_return_ps = 0;
  TimePs propagation_ps = 0;
  // Where DLLPs are counted: TLPs to each.
  std::uint32_t ack_tlps = 1;
  std::uint32_t update_tlps = 1;
  TimePs tlp_ps = 0;            // the largest
};

class PcieLink final : public Link {
 public:
  explicit PcieLink(const profile::Profile& p)
      : link_(p.link),
        host_(p.host),
        bridge_(p.bridge),
        tlp_(tlp_overheads(p.link)),
        completion_bytes_(p.link.completion_payload_bytes != 0 ? p.link.completion_payload_bytes : p.link.max_payload_bytes),
        // In FLIT mode a flit has places of its own for DLLPs. Where they are counted by intervals, they are part of the rate.
        mean_dllps_(p.link.dllp_accounting == profile::DllpAccounting::mean && p.link.generation < 6),
        counted_dllps_(p.link.dllp_accounting == profile::DllpAccounting::counted && p.link.generation < 6),
        wires_(wires(wire_ps_per_byte(p.link), p.link.credits, p.link.credit_return_ps, p.link.propagation_ps)) {
    if (bridge_.kind == profile::BridgeKind::root_complex) {
      upstream_ = wires(1e12 / static_cast<double>(bridge_.bytes_per_s), bridge_.credits, bridge_.credit_return_ps, 0);
    } else if (bridge_.kind == profile::BridgeKind::pcie_switch) {
      profile::Link up = p.link;
      up.gigatransfers_per_s = bridge_.gigatransfers_per_s;
      up.lanes = bridge_.lanes;
      upstream_ = wires(wire_ps_per_byte(up), bridge_.credits, bridge_.credit_return_ps, bridge_.propagation_ps);
    }
    posted_ps_ = data_time(wires_, 4, 1, tlp_.write_bytes, 0, 0) + link_.propagation_ps;
    if (bridged()) {
      posted_ps_ += bridge_.latency_ps + wire_time(upstream_, 4 + tlp_.write_bytes) + upstream_.propagation_ps;
    }
  }

  void plan(const LinkTransfer& t, const std::vector<cache::LineRun>& runs, Flow& flow) const override {
    clear(flow);
    if (t.direction == Direction::host_to_device) {
      plan_read(t, runs, flow);
    } else {
      plan_write(t, runs, flow);
    }
    add_walks(flow, t.walks);
    plan_translations(t.walks, flow);
  }

  // A translation request is a read of two words (PCIe Base, 10.2), answered by one completion.
  void plan_translations(const Walks& walks, Flow& main) const override {
    main.beside.reset();
    if (walks.requests == 0 || walks.count == 0) return;
    main.beside = std::make_shared<Flow>();
    Flow& flow = *main.beside;
    const TimePs through = bridge_.latency_ps;
    const TimePs flights = 2 * (link_.propagation_ps + through + (bridged() ? upstream_.propagation_ps : 0));
    const TimePs agent = walks.latency_ps > flights ? walks.latency_ps - flights : 0;
    const std::uint8_t up = hop(flow, Resource::wire_up, link_.propagation_ps + through + (bridged() ? 0 : agent));
    const std::uint8_t bridge_up = bridged() ? hop(flow, Resource::bridge_up, 2 * upstream_.propagation_ps + agent) : up;
    const std::uint8_t bridge_down = bridged() ? hop(flow, Resource::bridge_down, through) : up;
    const std::uint8_t down = hop(flow, Resource::wire_down, link_.propagation_ps);
    flow.end_hop = down;
    flow.kind = "TransReq";
    flow.reply_kind = "TransCpl";
    Segment s{.packets = walks.count, .packet_bytes = translation_bytes};
    s.data_credits = credits_of(translation_bytes);
    const auto times = [&](const Wires& w, std::uint8_t request, std::uint8_t answer) {
      s.service_ps[request] = request_time(w, 0) + answer_time(w, translation_bytes, 1, w.credits.completion_headers |
                                                                                            w.credits.completion_data);
      s.service_ps[answer] = data_time(w, translation_bytes, 1, tlp_.completion_bytes, w.downstream_dllps,
                                       dllps(w, 1, w.credits.non_posted_headers));
    };
    times(wires_, up, down);
    if (bridged()) times(upstream_, bridge_up, bridge_down);
    flow.segments.push_back(s);
    pace(flow, walks);
    add_requests(flow, wires_, false, up, up, "link");
    add_completions(flow, wires_, down, down, "link");
    if (bridged()) {
      add_requests(flow, upstream_, false, bridge_up, bridge_up, "bridge");
      add_completions(flow, upstream_, bridge_down, down, "bridge");
    }
  }

  // Messages (PCIe Base, 10.3): an Invalidate Request has one unit of data, which names the pages; its completion has none. Both
  // are posted, and what a device has written before it answers stays in front of the answer.
  void plan_invalidations(std::uint64_t requests, TimePs drop_ps, Flow& flow) const override {
    clear(flow);
    const TimePs through = bridge_.latency_ps;
    const std::uint8_t bridge_down = bridged() ? hop(flow, Resource::bridge_down, upstream_.propagation_ps + through) : 0;
    const std::uint8_t down = hop(flow, Resource::wire_down, link_.propagation_ps + drop_ps);
    const std::uint8_t up = hop(flow, Resource::wire_up, link_.propagation_ps + through);
    const std::uint8_t bridge_up = bridged() ? hop(flow, Resource::bridge_up, upstream_.propagation_ps) : up;
    flow.end_hop = bridge_up;
    flow.window = invalidations_at_once;
    flow.window_return_ps = flow.latency_ps[bridge_up];
    flow.window_part = "ats.invalidations";
    flow.kind = "InvReq";
    flow.reply_kind = "InvCpl";
    Segment s{.packets = requests, .packet_bytes = translation_bytes};
    s.data_credits = credits_of(translation_bytes);
    s.down_bytes = tlp_.message_bytes + translation_bytes;
    s.up_bytes = tlp_.message_bytes;
    const auto times = [&](const Wires& w, std::uint8_t request, std::uint8_t answer) {
      s.service_ps[request] = data_time(w, translation_bytes, 1, tlp_.message_bytes, w.downstream_dllps,
                                        dllps(w, 1, w.credits.posted_headers));
      s.service_ps[answer] = data_time(w, 0, 1, tlp_.message_bytes, w.upstream_dllps, 0) +
                             answer_time(w, translation_bytes, 1, w.credits.posted_headers | w.credits.posted_data);
    };
    times(wires_, down, up);
    if (bridged()) times(upstream_, bridge_down, bridge_up);
    flow.segments.push_back(s);
    if (bridged()) add_posted(flow, upstream_, bridge_down, down, "bridge");
    add_posted(flow, wires_, down, down, "link");
    add_credit(flow, wires_, Credit::posted_headers, Unit::tlps, wires_.credits.posted_headers, up, bridge_up, "link");
    if (bridged()) {
      add_credit(flow, upstream_, Credit::posted_headers, Unit::tlps, upstream_.credits.posted_headers, bridge_up, bridge_up,
                 "bridge");
    }
  }

  // Posted writes of one device into another's memory: through a switch from port to port, or through the root complex' fabric.
  bool plan_peer(const LinkTransfer& t, TimePs peer_interval_ps, Flow& flow) const override {
    if (!bridge_.peer_to_peer) return false;
    clear(flow);
    SegmentBuilder build(flow);
    const bool fabric = bridge_.kind == profile::BridgeKind::root_complex;
    const std::uint8_t memory = hop(flow, Resource::device_memory, 0);
    const std::uint8_t up = hop(flow, Resource::wire_up, link_.propagation_ps + bridge_.latency_ps);
    const std::uint8_t across = fabric ? hop(flow, Resource::bridge_up, 0) : up;
    const std::uint8_t down = hop(flow, Resource::peer_wire_down, link_.propagation_ps);
    const std::uint8_t peer = hop(flow, Resource::peer_memory, 0);
    flow.end_hop = up;
    flow.answers[up] = Resource::wire_down;
    flow.window = link_.posted_credits_tlps;
    flow.window_part = "link.credits";
    flow.window_return_ps = link_.credit_return_ps;
    flow.kind = "MWr";
    flow.reply_kind = {};
    packetise(t, {}, link_.max_payload_bytes, host_.private_cache.line_bytes,
              [&](std::uint64_t n, std::uint32_t bytes, auto, std::uint32_t) {
      Segment s{.packets = n, .packet_bytes = bytes};
      s.data_credits = credits_of(bytes);
      s.row_ps = row_time(t, bytes);
      s.service_ps[memory] = std::max(memory_time(t.memory_interval_ps, bytes), s.row_ps);
      s.service_ps[up] = data_time(wires_, bytes, 1, tlp_.write_bytes, wires_.upstream_dllps, 0);
      if (fabric) s.service_ps[across] = wire_time(upstream_, bytes + tlp_.write_bytes);
      s.service_ps[down] = data_time(wires_, bytes, 1, tlp_.write_bytes, wires_.downstream_dllps, 0);
      s.service_ps[peer] = memory_time(peer_interval_ps, bytes);
      s.answer_ps[up] = answer_time(wires_, bytes, 1, wires_.credits.posted_headers | wires_.credits.posted_data);
      build.add(s);
    });
    add_posted(flow, wires_, up, fabric ? across : down, "link");
    add_posted(flow, wires_, down, peer, "peer.link");
    add_walks(flow, t.walks);
    plan_translations(t.walks, flow);
    return true;
  }

  TimePs posted_time() const override { return posted_ps_; }

  WireUse wire_use(const Flow& flow, Direction direction) const override {
    WireUse use = flow.beside != nullptr ? wire_use(*flow.beside, Direction::host_to_device) : WireUse{};
    for (const Segment& s : flow.segments) {
      if (s.down_bytes != 0) {  // messages
        use.up += s.packets * s.up_bytes;
        use.down += s.packets * s.down_bytes;
        use.tlps += 2 * s.packets;
      } else if (direction == Direction::host_to_device) {
        use.up += s.packets * (tlp_.read_bytes + s.request_bytes);
        use.down += s.packets * data_bytes(s, tlp_.completion_bytes, wires_.downstream_dllps);
        use.tlps += s.packets * (1 + s.data_tlps);
      } else {
        use.up += s.packets * data_bytes(s, tlp_.write_bytes, wires_.upstream_dllps);
        use.tlps += s.packets * s.data_tlps;
      }
    }
    return use;
  }

  bool routes_atomics() const override { return link_.atomics == profile::Atomics::atomic_ops; }
  bool reaches_pageable() const override { return false; }

 private:
  void clear(Flow& flow) const {
    flow.segments.clear();
    flow.credits.clear();
    flow.beside.reset();
    flow.answers = no_answers();
    flow.hops = 0;
    flow.latency_ps = {};
    flow.walks = 0;
    flow.snoop_once_ps = flow.ownership_ps = 0;
    flow.walk_in_window_ps = flow.walk_once_ps = 0;
    flow.relaxed = link_.ordering == profile::Ordering::relaxed;
  }

  static std::uint8_t hop(Flow& flow, Resource resource, TimePs latency) {
    flow.path[flow.hops] = resource;
    flow.latency_ps[flow.hops] = latency;
    return flow.hops++;
  }

  // Request at the root port to first data.
  [[nodiscard]] TimePs home_latency(cache::LineState state) const {
    const profile::HomeAgent& agent = host_.home_agent;
    const TimePs there = state == cache::LineState::memory ? agent.latency_ps
                         : state == cache::LineState::llc  ? agent.llc_latency_ps
                                                           : agent.private_latency_ps;
    return there != 0 ? there : agent.latency_ps;
  }

  static constexpr std::uint32_t translation_bytes = 8;

  [[nodiscard]] bool bridged() const { return bridge_.kind != profile::BridgeKind::none; }

  // Requests go up, completions come down.
  void plan_read(const LinkTransfer& t, const std::vector<cache::LineRun>& runs, Flow& flow) const {
    SegmentBuilder build(flow);
    const TimePs through = bridge_.latency_ps;  // 0 where there is none
    const std::uint8_t up = hop(flow, Resource::wire_up, link_.propagation_ps + through);
    const std::uint8_t bridge_up = bridged() ? hop(flow, Resource::bridge_up, upstream_.propagation_ps) : up;
    const std::uint8_t home = hop(flow, Resource::home_agent, 0);
    const std::uint8_t bridge_down = bridged() ? hop(flow, Resource::bridge_down, upstream_.propagation_ps + through) : home;
    const std::uint8_t down = hop(flow, Resource::wire_down, link_.propagation_ps);
    const std::uint8_t memory = hop(flow, Resource::device_memory, 0);
    flow.window_return_ps = 0;
    flow.end_hop = memory;
    // There is a request to each AtomicOp's answer, so its own DLLPs go along with requests.
    const bool with_data = t.operand_bytes != 0;
    if (!with_data) flow.answers[down] = Resource::wire_up;
    if (!with_data && bridged()) flow.answers[bridge_down] = Resource::bridge_up;
    flow.kind = with_data ? "AtomicOp" : "MRd";
    flow.reply_kind = "CplD";
    TimePs latency = 0;    // of the line that takes longest ...
    TimePs unsnooped = 0;  // ... and of it without those that cores' caches have
    packetise(t, runs, link_.max_read_request_bytes, host_.private_cache.line_bytes,
              [&](std::uint64_t n, std::uint32_t bytes, auto state, std::uint32_t offset) {
      latency = std::max(latency, home_latency(state));
      unsnooped = std::max(unsnooped, home_latency(std::min(state, cache::LineState::llc)));
      const TimePs row = row_time(t, bytes);
      Segment s{.packets = n, .packet_bytes = bytes};
      s.request_bytes = t.operand_bytes;
      s.data_tlps = completions(bytes, offset);
      s.data_credits = credits_of(bytes) + s.data_tlps - 1;
      const auto completions_time = [&](const Wires& w) {
        // The request's own answers share the wire with the data.
        return data_time(w, bytes, s.data_tlps, tlp_.completion_bytes, w.downstream_dllps,
                         dllps(w, 1, w.credits.non_posted_headers | (with_data ? w.credits.non_posted_data : 0)));
      };
      const auto answers = [&](const Wires& w) {
        return answer_time(w, bytes, s.data_tlps, w.credits.completion_headers | w.credits.completion_data);
      };
      s.service_ps[up] = request_time(wires_, t.operand_bytes) + (with_data ? answers(wires_) : 0);
      s.service_ps[home] = std::max(served_at_home(t, state, bytes), row);
      s.service_ps[down] = completions_time(wires_);
      s.service_ps[memory] = memory_time(t.memory_interval_ps, bytes);
      if (!with_data) s.answer_ps[down] = answers(wires_);
      if (bridged()) {
        s.service_ps[bridge_up] = request_time(upstream_, t.operand_bytes) + (with_data ? answers(upstream_) : 0);
        s.service_ps[bridge_down] = completions_time(upstream_);
        if (!with_data) s.answer_ps[bridge_down] = answers(upstream_);
      }
      s.unsnooped_ps = std::max(served_at_home(t, cache::LineState::memory, bytes), row);
      build.add(s);
    });
    flow.latency_ps[home] = std::min(latency, unsnooped);
    if (latency > unsnooped) add_snoop(flow, latency - unsnooped);
    // Requests in flight are bounded by tags and, where they are large, by the buffer for their completions.
    std::uint32_t request = 1;
    for (const Segment& s : flow.segments) request = std::max(request, s.packet_bytes);
    const std::uint32_t buffered = link_.read_buffer_bytes / request;
    flow.window = std::max(1U, std::min(link_.read_tags, buffered));
    flow.window_part = link_.read_tags <= buffered ? "link.tags" : "link.read_buffer";
    add_requests(flow, wires_, with_data, up, bridged() ? bridge_up : home, "link");
    add_completions(flow, wires_, down, memory, "link");
    if (bridged()) {
      add_requests(flow, upstream_, with_data, bridge_up, home, "bridge");
      add_completions(flow, upstream_, bridge_down, down, "bridge");
    }
  }

  // Posted: the engine is done when the last write is on the wire; the fence behind it keeps the order. The root port's
  // buffers hold what the home agent has not taken yet, up to the credits.
  void plan_write(const LinkTransfer& t, const std::vector<cache::LineRun>& runs, Flow& flow) const {
    SegmentBuilder build(flow);
    const std::uint8_t memory = hop(flow, Resource::device_memory, 0);
    // Flights are left out: the fence makes them behind the data.
    const std::uint8_t up = hop(flow, Resource::wire_up, 0);
    const std::uint8_t bridge_up = bridged() ? hop(flow, Resource::bridge_up, 0) : up;
    const std::uint8_t home = hop(flow, Resource::home_agent, 0);
    flow.end_hop = up;
    flow.answers[up] = Resource::wire_down;
    if (bridged()) flow.answers[bridge_up] = Resource::bridge_down;
    flow.window = link_.posted_credits_tlps;
    flow.window_part = "link.credits";
    flow.window_return_ps = link_.credit_return_ps;
    flow.kind = "MWr";
    flow.reply_kind = {};
    packetise(t, runs, link_.max_payload_bytes, host_.private_cache.line_bytes,
              [&](std::uint64_t n, std::uint32_t bytes, auto state, std::uint32_t) {
      Segment s{.packets = n, .packet_bytes = bytes};
      s.data_credits = credits_of(bytes);
      s.row_ps = row_time(t, bytes);
      const auto answers = [&](const Wires& w) {
        return answer_time(w, bytes, 1, w.credits.posted_headers | w.credits.posted_data);
      };
      s.service_ps[memory] = std::max(memory_time(t.memory_interval_ps, bytes), s.row_ps);
      s.service_ps[up] = data_time(wires_, bytes, 1, tlp_.write_bytes, wires_.upstream_dllps, 0);
      s.answer_ps[up] = answers(wires_);
      if (bridged()) {
        s.service_ps[bridge_up] = data_time(upstream_, bytes, 1, tlp_.write_bytes, upstream_.upstream_dllps, 0);
        s.answer_ps[bridge_up] = answers(upstream_);
      }
      s.service_ps[home] = home_service(host_, t, state, bytes);
      s.unsnooped_ps = home_service(host_, t, cache::LineState::memory, bytes);
      build.add(s);
    });
    add_posted(flow, wires_, up, bridged() ? bridge_up : home, "link");
    if (bridged()) add_posted(flow, upstream_, bridge_up, home, "bridge");
  }

  // ---- credits and the replay buffer -------------------------------------------------------------------------------

  struct Part {
    const char* link;
    const char* peer;
    const char* bridge;
  };
  [[nodiscard]] static std::string_view name(Credit kind, std::string_view where) {
    static constexpr std::array<Part, credit_count> names = {{
        {"link.credits.posted_headers", "peer.link.credits.posted_headers", "bridge.credits.posted_headers"},
        {"link.credits.posted_data", "peer.link.credits.posted_data", "bridge.credits.posted_data"},
        {"link.credits.non_posted_headers", "", "bridge.credits.non_posted_headers"},
        {"link.credits.non_posted_data", "", "bridge.credits.non_posted_data"},
        {"link.credits.completion_headers", "", "bridge.credits.completion_headers"},
        {"link.credits.completion_data", "", "bridge.credits.completion_data"},
        {"link.replay_buffer", "peer.link.replay_buffer", "bridge.replay_buffer"},
    }};
    const Part& part = names[static_cast<std::size_t>(kind)];
    return where == "link" ? part.link : where == "bridge" ? part.bridge : part.peer;
  }

  void add_credit(Flow& flow, const Wires& w, Credit kind, Unit unit, std::uint32_t capacity, std::uint8_t hop,
                  std::uint8_t until, std::string_view where) const {
    if (capacity == 0) return;
    const TimePs gathering = (w.update_tlps - 1) * w.tlp_ps;
    flow.credits.push_back({kind, unit, hop, until, w.credit_return_ps + gathering, capacity, 0, name(kind, where)});
  }
  // Data stay in their sender's buffer until their Ack: to the other end, until more have come, and back. Requests, which
  // are headers only, are not counted.
  void add_replay(Flow& flow, const Wires& w, Unit data, std::uint32_t header, std::uint8_t hop,
                  std::string_view where) const {
    if (link_.replay_buffer_bytes == 0) return;
    const TimePs back = 2 * w.propagation_ps + (w.ack_tlps - 1) * w.tlp_ps;
    flow.credits.push_back({Credit::replay_buffer, data, hop, hop, back, link_.replay_buffer_bytes, header,
                            name(Credit::replay_buffer, where)});
  }
  void add_posted(Flow& flow, const Wires& w, std::uint8_t hop, std::uint8_t until, std::string_view where) const {
    add_credit(flow, w, Credit::posted_headers, Unit::tlps, w.credits.posted_headers, hop, until, where);
    add_credit(flow, w, Credit::posted_data, Unit::data_credits, w.credits.posted_data, hop, until, where);
    add_replay(flow, w, Unit::bytes, tlp_.write_bytes, hop, where);
  }
  void add_requests(Flow& flow, const Wires& w, bool with_data, std::uint8_t hop, std::uint8_t until,
                    std::string_view where) const {
    add_credit(flow, w, Credit::non_posted_headers, Unit::packets, w.credits.non_posted_headers, hop, until, where);
    if (!with_data) return;
    add_credit(flow, w, Credit::non_posted_data, Unit::request_credits, w.credits.non_posted_data, hop, until, where);
    add_replay(flow, w, Unit::request_bytes, tlp_.read_bytes, hop, where);
  }
  void add_completions(Flow& flow, const Wires& w, std::uint8_t hop, std::uint8_t until, std::string_view where) const {
    add_credit(flow, w, Credit::completion_headers, Unit::tlps, w.credits.completion_headers, hop, until, where);
    add_credit(flow, w, Credit::completion_data, Unit::data_credits, w.credits.completion_data, hop, until, where);
    add_replay(flow, w, Unit::bytes, tlp_.completion_bytes, hop, where);
  }

  [[nodiscard]] Wires wires(double ps_per_byte, const profile::Credits& credits, TimePs credit_return_ps,
                            TimePs propagation_ps) const {
    Wires w;
    w.ps_per_byte = ps_per_byte;
    w.credits = credits;
    w.credit_return_ps = credit_return_ps;
    w.propagation_ps = propagation_ps;
    w.upstream_dllps = mean_dllps_ ? link_.upstream_dllps_per_tlp : 0;
    w.downstream_dllps = mean_dllps_ ? link_.downstream_dllps_per_tlp : 0;
    w.tlp_ps = wire_time(w, link_.max_payload_bytes + tlp_.write_bytes);
    // As many as come within the time that an Ack or UpdateFC waits at most.
    const auto gathered = [&](std::uint32_t tlps, TimePs latency_ps) {
      return latency_ps == 0 ? tlps : static_cast<std::uint32_t>(std::min<TimePs>(tlps, 1 + latency_ps / w.tlp_ps));
    };
    w.ack_tlps = gathered(link_.ack_tlps, link_.ack_latency_ps);
    w.update_tlps = gathered(link_.update_tlps, link_.update_latency_ps);
    return w;
  }

  [[nodiscard]] static TimePs wire_time(const Wires& w, double bytes) {
    return static_cast<TimePs>(std::llround(bytes * w.ps_per_byte));
  }
  // A read's request, or an AtomicOp with its operands.
  [[nodiscard]] TimePs request_time(const Wires& w, std::uint32_t operand_bytes) const {
    return data_time(w, operand_bytes, 1, tlp_.read_bytes, w.upstream_dllps, 0);
  }
  // The home agent reads a line to work an AtomicOp out, and does one after the other.
  [[nodiscard]] TimePs served_at_home(const LinkTransfer& t, cache::LineState state, std::uint32_t bytes) const {
    if (t.operand_bytes == 0) return home_service(host_, t, state, bytes);
    return std::max(home_service(host_, t, state, host_.private_cache.line_bytes), host_.home_agent.atomic_ps);
  }
  // Device memory's interval is given per MPS; scale it to the packet.
  [[nodiscard]] TimePs memory_time(TimePs interval_ps, std::uint32_t bytes) const {
    return interval_ps * bytes / link_.max_payload_bytes;
  }
  [[nodiscard]] static std::uint32_t credits_of(std::uint32_t bytes) { return (bytes + 15) / 16; }
  // Completions of a read: the first up to the completion boundary if the read begins off it, then the largest.
  [[nodiscard]] std::uint32_t completions(std::uint32_t bytes, std::uint32_t offset) const {
    const std::uint32_t off = offset % link_.read_completion_boundary_bytes;
    const std::uint32_t first = off == 0 ? 0 : std::min(bytes, link_.read_completion_boundary_bytes - off);
    return (first > 0 ? 1 : 0) + (bytes - first + completion_bytes_ - 1) / completion_bytes_;
  }
  [[nodiscard]] double wire_bytes(std::uint32_t payload, std::uint32_t tlps, std::uint32_t header, double dllps) const {
    // Credits are counted in units of data, so a small TLP causes its share of DLLPs.
    return payload + tlps * header + dllps * link_.dllp_bytes * payload / link_.max_payload_bytes;
  }
  [[nodiscard]] TimePs data_time(const Wires& w, std::uint32_t payload, std::uint32_t tlps, std::uint32_t header,
                                 double dllps, double counted) const {
    return wire_time(w, wire_bytes(payload, tlps, header, dllps) + counted * link_.dllp_bytes);
  }
  // Counted DLLPs that answer so many TLPs: Acks, and UpdateFCs unless their credits are without end.
  [[nodiscard]] double dllps(const Wires& w, std::uint32_t tlps, std::uint32_t credits) const {
    if (!counted_dllps_) return 0;
    return static_cast<double>(tlps) / w.ack_tlps + (credits == 0 ? 0 : static_cast<double>(tlps) / w.update_tlps);
  }
  // What answers data of so many bytes on the other wire.
  [[nodiscard]] TimePs answer_time(const Wires& w, std::uint32_t payload, std::uint32_t tlps, std::uint32_t credits) const {
    const double mean = mean_dllps_ ? link_.answering_dllps_per_tlp * payload / link_.max_payload_bytes : 0;
    return wire_time(w, (mean + dllps(w, tlps, credits)) * link_.dllp_bytes);
  }
  [[nodiscard]] std::uint64_t data_bytes(const Segment& s, std::uint32_t header, double dllps) const {
    return static_cast<std::uint64_t>(std::llround(wire_bytes(s.packet_bytes, s.data_tlps, header, dllps)));
  }

  const profile::Link& link_;
  const profile::Host& host_;
  const profile::Bridge& bridge_;
  TlpOverheads tlp_;
  std::uint32_t completion_bytes_;
  bool mean_dllps_;
  bool counted_dllps_;
  Wires wires_;     // of the device's link
  Wires upstream_;  // of what the bridge has to the host
  TimePs posted_ps_ = 0;
};

}  // namespace

std::unique_ptr<Link> make_pcie_link(const profile::Profile& profile) { return std::make_unique<PcieLink>(profile); }

}  // namespace sluice::sim
