// Coherent links (CXL.cache/.mem, NVLink-C2C): flits, cache-line transactions with a limited number outstanding, and
// ownership that moves by line. The device reaches all host memory, so nothing is staged and a map moves ownership,
// not data.
#include <algorithm>
#include <cmath>

#include "sim/models/link/link.h"
#include "sim/models/link/packetise.h"

namespace sluice::sim {

namespace {

class CoherentLink final : public Link {
 public:
  explicit CoherentLink(const profile::Profile& p)
      : link_(p.link),
        host_(p.host),
        ps_per_byte_(wire_ps_per_byte(p.link)) {}

  // A packet is as many lines as fit the payload of MPS bytes: a batch of line transactions in one burst of flits.
  void plan(const LinkTransfer& t, const std::vector<cache::LineRun>& runs, Flow& flow) const override {
    flow.segments.clear();
    flow.answers = Resource::count_;
    SegmentBuilder build(flow);
    const bool read = t.direction == Direction::host_to_device;
    const auto memory = [&](std::uint32_t bytes) { return t.memory_interval_ps * bytes / link_.max_payload_bytes; };
    if (read) {
      flow.hops = 4;
      flow.path = {Resource::wire_up, Resource::home_agent, Resource::wire_down, Resource::device_memory};
      flow.latency_ps = {link_.propagation_ps, host_.home_agent.latency_ps, link_.propagation_ps, 0};
    } else {
      flow.hops = 3;
      flow.path = {Resource::device_memory, Resource::wire_up, Resource::home_agent};
      flow.latency_ps = {0, link_.propagation_ps, 0};
    }
    flow.end_hop = flow.hops - 1;  // ownership is answered
    flow.kind = read ? "RdReq" : "WrData";
    flow.reply_kind = read ? "RdData" : "";
    flow.window = std::max(1U, link_.outstanding_lines / lines(link_.max_payload_bytes));
    flow.window_part = "link.outstanding_lines";
    flow.window_return_ps = read ? 0 : link_.propagation_ps;
    bool owned = false;  // the first line taken from a host cache has paid the whole change of ownership
    packetise(t, runs, link_.max_payload_bytes, link_.line_bytes,
              [&](std::uint64_t n, std::uint32_t bytes, auto state, std::uint32_t) {
      TimePs home = home_service(host_, t.direction, state, bytes);
      const TimePs unsnooped = home_service(host_, t.direction, cache::LineState::memory, bytes);
      const TimePs row = row_time(t, bytes);
      Segment segment{.packets = n, .packet_bytes = bytes, .service_ps = {}};
      if (read) {
        // One request slot (16 bytes) a line upstream.
        segment.service_ps = {wire_time(16.0 * lines(bytes)), std::max(home, row), share_time(bytes), memory(bytes)};
        segment.unsnooped_ps = std::max(unsnooped, row);
        build.add(segment);
        return;
      }
      const bool held = state == cache::LineState::private_clean || state == cache::LineState::private_dirty;
      if (held) home = std::max(home, directory_time(lines(bytes)));
      segment.service_ps = {std::max(memory(bytes), row), share_time(bytes), home};
      segment.unsnooped_ps = unsnooped;
      segment.row_ps = row;
      if (held && !owned) {
        owned = true;
        Segment first = segment;
        first.packets = 1;
        first.service_ps[2] += link_.ownership_ps;
        build.add(first);
        --segment.packets;
      }
      build.add(segment);
    });
  }

  TimePs posted_time() const override { return flit_time(link_.line_bytes) + link_.propagation_ps; }

  // The first line pays the whole change of ownership, the rest follow at the directory's rate.
  TimePs map_cost(std::uint64_t count) const override {
    if (count == 0) return 0;
    return link_.ownership_ps + directory_time(count - 1);
  }

  WireUse wire_use(const Flow& flow, Direction direction) const override {
    WireUse use;
    const std::uint64_t count = flits(flow.bytes());
    (direction == Direction::host_to_device ? use.down : use.up) = count * link_.flit_bytes;
    use.tlps = count;
    if (direction == Direction::host_to_device) {
      for (const Segment& s : flow.segments) use.up += s.packets * 16 * lines(s.packet_bytes);
    }
    return use;
  }

  bool reaches_pageable() const override { return true; }

 private:
  [[nodiscard]] std::uint32_t lines(std::uint32_t bytes) const {
    return (bytes + link_.line_bytes - 1) / link_.line_bytes;
  }
  [[nodiscard]] std::uint64_t flits(std::uint64_t bytes) const {
    return (bytes + link_.flit_payload_bytes - 1) / link_.flit_payload_bytes;
  }
  [[nodiscard]] TimePs wire_time(double bytes) const { return static_cast<TimePs>(std::llround(bytes * ps_per_byte_)); }
  // Of data that has the link to itself: whole flits.
  [[nodiscard]] TimePs flit_time(std::uint64_t bytes) const {
    return wire_time(static_cast<double>(flits(bytes) * link_.flit_bytes));
  }
  // Of a packet within a burst: flits are packed across packets, so it takes its share of them, part flits included.
  [[nodiscard]] TimePs share_time(std::uint32_t bytes) const {
    return wire_time(static_cast<double>(bytes) * link_.flit_bytes / link_.flit_payload_bytes);
  }
  [[nodiscard]] TimePs directory_time(std::uint64_t count) const {
    if (link_.ownership_lines_per_s == 0) return 0;
    return static_cast<TimePs>(static_cast<double>(count) * 1e12 / static_cast<double>(link_.ownership_lines_per_s));
  }

  const profile::Link& link_;
  const profile::Host& host_;
  double ps_per_byte_;
};

}  // namespace

std::unique_ptr<Link> make_coherent_link(const profile::Profile& profile) {
  return std::make_unique<CoherentLink>(profile);
}

}  // namespace sluice::sim
