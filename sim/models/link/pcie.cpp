// PCI Express at TLP level. Device reads are requests of up to MRRS bytes upstream and completions of up to MPS bytes
// downstream; device writes are posted TLPs of up to MPS bytes. Wire bytes per TLP: header with framing, sequence
// number and LCRC, plus the DLLPs (ACK, UpdateFC) that share the direction; SKP ordered sets take their share of the
// raw rate. Formulae: pcie-bench (Neugebauer et al., SIGCOMM 2018), with DLLPs counted per lane group, not per lane.
#include <algorithm>
#include <cmath>

#include "sim/models/link/link.h"
#include "sim/models/link/packetise.h"
#include "sim/models/link/pcie_rates.h"

namespace sluice::sim {

namespace {

class PcieLink final : public Link {
 public:
  explicit PcieLink(const profile::Profile& p)
      : link_(p.link),
        host_(p.host),
        ps_per_byte_(wire_ps_per_byte(p.link)),
        tlp_(tlp_overheads(p.link)),
        completion_bytes_(p.link.completion_payload_bytes != 0 ? p.link.completion_payload_bytes : p.link.max_payload_bytes),
        upstream_dllps_(counts_dllps(p.link) ? p.link.upstream_dllps_per_tlp : 0),
        downstream_dllps_(counts_dllps(p.link) ? p.link.downstream_dllps_per_tlp : 0),
        answering_dllps_(counts_dllps(p.link) ? p.link.answering_dllps_per_tlp : 0) {}

  void plan(const LinkTransfer& t, const std::vector<cache::LineRun>& runs, Flow& flow) const override {
    flow.segments.clear();
    SegmentBuilder build(flow);
    const std::uint32_t line = host_.private_cache.line_bytes;
    const auto unsnooped = [&](std::uint32_t bytes) {
      return home_service(host_, t, cache::LineState::memory, bytes);
    };
    // Device memory's interval is given per MPS; scale it to the packet.
    const auto memory = [&](std::uint32_t bytes) {
      return t.memory_interval_ps * bytes / link_.max_payload_bytes;
    };
    if (t.direction == Direction::host_to_device) {
      flow.hops = 4;
      flow.path = {Resource::wire_up, Resource::home_agent, Resource::wire_down, Resource::device_memory};
      flow.latency_ps = {link_.propagation_ps, host_.home_agent.latency_ps, link_.propagation_ps, 0};
      flow.window_return_ps = 0;
      flow.end_hop = 3;
      flow.answered_hop = 2;
      flow.answers = Resource::wire_up;
      flow.kind = "MRd";
      flow.reply_kind = "CplD";
      packetise(t, runs, link_.max_read_request_bytes, line,
                [&](std::uint64_t n, std::uint32_t bytes, auto state, std::uint32_t offset) {
        const std::uint32_t tlps = completions(bytes, offset);
        const TimePs row = row_time(t, bytes);
        build.add({.packets = n,
                   .packet_bytes = bytes,
                   .service_ps = {request_time(), std::max(home_service(host_, t, state, bytes), row),
                                  data_time(bytes, tlps, tlp_.completion_bytes, downstream_dllps_),
                                  memory(bytes)},
                   .answer_ps = answer_time(bytes),
                   .data_tlps = tlps,
                   .unsnooped_ps = std::max(unsnooped(bytes), row),
                   .row_ps = 0});
      });
      // Requests in flight are bounded by tags and, where they are large, by the buffer for their completions.
      std::uint32_t request = 1;
      for (const Segment& s : flow.segments) request = std::max(request, s.packet_bytes);
      const std::uint32_t buffered = link_.read_buffer_bytes / request;
      flow.window = std::max(1U, std::min(link_.read_tags, buffered));
      flow.window_part = link_.read_tags <= buffered ? "link.tags" : "link.read_buffer";
    } else {
      flow.hops = 3;
      flow.path = {Resource::device_memory, Resource::wire_up, Resource::home_agent};
      // Posted: the engine is done when the last write is on the wire; the fence behind it keeps the order. The root
      // port's buffers hold what the home agent has not taken yet, up to the credits.
      flow.latency_ps = {0, 0, 0};
      flow.end_hop = 1;
      flow.answered_hop = 1;
      flow.answers = Resource::wire_down;
      flow.window = link_.posted_credits_tlps;
      flow.window_part = "link.credits";
      flow.window_return_ps = link_.credit_return_ps;
      flow.kind = "MWr";
      flow.reply_kind = {};
      packetise(t, runs, link_.max_payload_bytes, line,
                [&](std::uint64_t n, std::uint32_t bytes, auto state, std::uint32_t) {
        const TimePs row = row_time(t, bytes);
        build.add({.packets = n,
                   .packet_bytes = bytes,
                   .service_ps = {std::max(memory(bytes), row),
                                  data_time(bytes, 1, tlp_.write_bytes, upstream_dllps_),
                                  home_service(host_, t, state, bytes)},
                   .answer_ps = answer_time(bytes),
                   .unsnooped_ps = unsnooped(bytes),
                   .row_ps = row});
      });
    }
    add_walks(flow, t.walks);
  }

  TimePs posted_time() const override {
    return data_time(4, 1, tlp_.write_bytes, 0) + link_.propagation_ps;
  }

  WireUse wire_use(const Flow& flow, Direction direction) const override {
    WireUse use;
    for (const Segment& s : flow.segments) {
      if (direction == Direction::host_to_device) {
        use.up += s.packets * tlp_.read_bytes;
        use.down += s.packets * data_bytes(s, tlp_.completion_bytes, downstream_dllps_);
        use.tlps += s.packets * (1 + s.data_tlps);
      } else {
        use.up += s.packets * data_bytes(s, tlp_.write_bytes, upstream_dllps_);
        use.tlps += s.packets * s.data_tlps;
      }
    }
    return use;
  }

  bool reaches_pageable() const override { return false; }

 private:
  [[nodiscard]] TimePs wire_time(double bytes) const { return static_cast<TimePs>(std::llround(bytes * ps_per_byte_)); }
  [[nodiscard]] TimePs request_time() const { return wire_time(tlp_.read_bytes); }
  // Where DLLPs are counted by intervals, they are part of the rate.
  static bool counts_dllps(const profile::Link& l) {
    return l.dllp_accounting == profile::DllpAccounting::mean && l.generation < 6;
  }
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
  [[nodiscard]] TimePs data_time(std::uint32_t payload, std::uint32_t tlps, std::uint32_t header, double dllps) const {
    return wire_time(wire_bytes(payload, tlps, header, dllps));
  }
  // Ack and UpdateFC for data of so many bytes, on the other wire.
  [[nodiscard]] TimePs answer_time(std::uint32_t payload) const {
    return wire_time(answering_dllps_ * link_.dllp_bytes * payload / link_.max_payload_bytes);
  }
  [[nodiscard]] std::uint64_t data_bytes(const Segment& s, std::uint32_t header, double dllps) const {
    return static_cast<std::uint64_t>(std::llround(wire_bytes(s.packet_bytes, s.data_tlps, header, dllps)));
  }

  const profile::Link& link_;
  const profile::Host& host_;
  double ps_per_byte_;
  TlpOverheads tlp_;
  std::uint32_t completion_bytes_;
  double upstream_dllps_;
  double downstream_dllps_;
  double answering_dllps_;
};

}  // namespace

std::unique_ptr<Link> make_pcie_link(const profile::Profile& profile) { return std::make_unique<PcieLink>(profile); }

}  // namespace sluice::sim
