// Coherent links (CXL.cache/.mem, NVLink-C2C): flits that carry the messages of the coherence protocol, with a limited
// number of lines under way. The device reaches all host memory, so nothing is staged, and a map moves nothing: lines
// change hands when they are touched.
#include <algorithm>
#include <cmath>

#include "sim/cache/line_traffic.h"
#include "sim/models/link/link.h"
#include "sim/models/link/packetise.h"

namespace sluice::sim {

namespace {

using cache::DeviceAccess;
using cache::LineState;
using cache::LineTraffic;

class CoherentLink final : public Link {
 public:
  explicit CoherentLink(const profile::Profile& p)
      : link_(p.link),
        host_(p.host),
        ps_per_byte_(wire_ps_per_byte(p.link)) {}

  // A packet is as many lines as fit the payload of MPS bytes: a batch of line transactions in one burst of flits.
  void plan(const LinkTransfer& t, const std::vector<cache::LineRun>& runs, Flow& flow) const override {
    flow.segments.clear();
    flow.answers = no_answers();
    flow.credits.clear();
    flow.snoop_once_ps = flow.ownership_ps = 0;
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
      // Grants come down between the other direction's data.
      flow.answers[1] = Resource::wire_down;
    }
    flow.end_hop = flow.hops - 1;  // the home answers each line
    flow.kind = read ? "RdReq" : "WrData";
    flow.reply_kind = read ? "RdData" : "";
    flow.window_return_ps = read ? 0 : link_.propagation_ps;
    bool snoops = false;
    packetise(t, runs, link_.max_payload_bytes, link_.line_bytes,
              [&](std::uint64_t n, std::uint32_t bytes, LineState state, std::uint32_t offset) {
      const Messages m = read ? read_messages(t.cached, state, bytes, offset) : write_messages(state, bytes, offset);
      snoops |= m.core_snoops != 0;
      TimePs home = home_service(host_, t, state, bytes);
      const TimePs unsnooped = home_service(host_, t, LineState::memory, bytes);
      const TimePs row = row_time(t, bytes);
      Segment segment{.packets = n, .packet_bytes = bytes, .service_ps = {}};
      segment.up_bytes = m.up;
      segment.down_bytes = m.down;
      if (read) {
        segment.service_ps = {share_time(m.up), std::max(home, row), share_time(m.down), memory(bytes)};
        segment.unsnooped_ps = std::max(unsnooped, row);
      } else {
        if (m.core_snoops != 0) home = std::max(home, directory_time(m.core_snoops));
        segment.service_ps = {std::max(memory(bytes), row), share_time(m.up), home};
        segment.answer_ps[1] = share_time(m.down);
        segment.unsnooped_ps = unsnooped;
        segment.row_ps = row;
      }
      build.add(segment);
    });
    std::uint32_t largest = 1;
    for (const Segment& s : flow.segments) largest = std::max(largest, s.packet_bytes);
    flow.window = std::max(1U, link_.outstanding_lines / lines(largest));
    flow.window_part = "link.outstanding_lines";
    // Requests run ahead of the data, so a flow waits for the first grant and the first snoop only.
    if (!read) add_ownership(flow, link_.ownership_ps);
    if (snoops) add_snoop(flow, host_.home_agent.snoop_latency_ps);
    add_walks(flow, t.walks);
    plan_translations(t.walks, flow);
  }

  // A request, and an entry of the page tables with what goes with data.
  void plan_translations(const Walks& walks, Flow& main) const override {
    main.beside.reset();
    if (walks.requests == 0 || walks.count == 0) return;
    constexpr std::uint32_t entry_bytes = 8;
    main.beside = std::make_shared<Flow>();
    Flow& flow = *main.beside;
    flow.hops = 2;
    flow.end_hop = 1;
    flow.path = {Resource::wire_up, Resource::wire_down};
    const TimePs flight = link_.propagation_ps;
    flow.latency_ps = {walks.latency_ps > flight ? walks.latency_ps - flight : 0, flight};
    flow.kind = "TransReq";
    flow.reply_kind = "TransCpl";
    Segment s{.packets = walks.count, .packet_bytes = entry_bytes};
    s.up_bytes = link_.request_bytes;
    s.down_bytes = link_.data_header_bytes + entry_bytes;
    s.service_ps = {share_time(s.up_bytes), share_time(s.down_bytes)};
    flow.segments.push_back(s);
    pace(flow, walks);
  }

  // A request with the pages' address, and a response.
  void plan_invalidations(std::uint64_t requests, TimePs drop_ps, Flow& flow) const override {
    constexpr std::uint32_t address_bytes = 8;
    flow = Flow{};
    flow.hops = 2;
    flow.end_hop = 1;
    flow.path = {Resource::wire_down, Resource::wire_up};
    flow.latency_ps = {link_.propagation_ps + drop_ps, link_.propagation_ps};
    flow.window = invalidations_at_once;
    flow.window_return_ps = link_.propagation_ps;
    flow.window_part = "ats.invalidations";
    flow.kind = "InvReq";
    flow.reply_kind = "InvCpl";
    Segment s{.packets = requests, .packet_bytes = address_bytes};
    s.up_bytes = link_.response_bytes;
    s.down_bytes = link_.data_header_bytes + address_bytes;
    s.service_ps = {share_time(s.down_bytes), share_time(s.up_bytes)};
    flow.segments.push_back(s);
  }

  // Cores give lines up `snoop_trackers` at a time, beside what the home agent does for the flow; the device's own are snooped
  // over the link, at the pace at which others come.
  void plan_filter(const cache::HostMemory::Recalls& recalls, Flow& flow) const override {
    const std::uint64_t packets = flow.packets();
    if (packets == 0) return;
    const profile::HomeAgent& agent = host_.home_agent;
    const auto home = static_cast<std::size_t>(
        std::find(flow.path.begin(), flow.path.begin() + flow.hops, Resource::home_agent) - flow.path.begin());
    const TimePs share = recalls.core_lines * agent.snoop_latency_ps / agent.snoop_trackers / packets;
    for (Segment& s : flow.segments) s.service_ps[home] = std::max(s.service_ps[home], share);
    if (recalls.device_lines == 0) return;
    auto snoops = std::make_shared<Flow>();
    snoops->hops = 2;
    snoops->end_hop = 1;
    snoops->path = {Resource::wire_down, Resource::wire_up};
    snoops->latency_ps = {link_.propagation_ps, link_.propagation_ps};
    snoops->kind = "SnpInv";
    snoops->reply_kind = "RspI";
    Segment s{.packets = recalls.device_lines, .packet_bytes = link_.line_bytes};
    s.up_bytes = link_.response_bytes;
    s.down_bytes = link_.request_bytes;
    s.service_ps = {share_time(s.down_bytes), share_time(s.up_bytes)};
    snoops->segments.push_back(s);
    Walks as;
    as.count = recalls.device_lines;
    as.requests = agent.snoop_trackers;
    as.walkers_ps = times_alone(flow).drained;
    pace(*snoops, as);
    snoops->window_part = "host.filter";
    snoops->beside = std::move(flow.beside);
    flow.beside = std::move(snoops);
  }

  // A snoop for each line, so many under way at once, and what the host answers: with data what it has changed. Where pages
  // flip their bias, the host flushes by itself what it has changed in them.
  void plan_recalls(const cache::DeviceLines::Taken& taken, Flow& flow) const override {
    flow = Flow{};
    const bool asked = taken.flips == 0;
    const auto hop = [&](Resource resource, TimePs latency) {
      flow.path[flow.hops] = resource;
      flow.latency_ps[flow.hops++] = latency;
    };
    if (asked) hop(Resource::wire_up, link_.propagation_ps + host_.home_agent.snoop_latency_ps);
    hop(Resource::wire_down, link_.propagation_ps);
    flow.end_hop = flow.hops - 1;
    flow.kind = asked ? "BISnp" : "MemWr";
    flow.reply_kind = asked ? "BIRsp" : "";
    flow.window = asked ? link_.filter_snoops : 0;
    flow.window_return_ps = link_.propagation_ps;
    flow.window_part = "device.filter_snoops";
    const auto add = [&](std::uint64_t lines, std::uint32_t answer) {
      if (lines == 0) return;
      Segment s{.packets = lines, .packet_bytes = link_.line_bytes};
      s.up_bytes = asked ? link_.request_bytes : 0;
      s.down_bytes = answer;
      if (asked) s.service_ps[0] = share_time(s.up_bytes);
      s.service_ps[flow.end_hop] = share_time(s.down_bytes);
      flow.segments.push_back(s);
    };
    const std::uint32_t data = link_.data_header_bytes + link_.line_bytes;
    if (asked) add(taken.lines - taken.dirty, link_.response_bytes);
    add(taken.dirty, asked ? link_.response_bytes + data : data);
  }

  TimePs posted_time() const override { return flit_time(link_.line_bytes) + link_.propagation_ps; }

  WireUse wire_use(const Flow& flow, Direction direction) const override {
    std::uint64_t up = 0;
    std::uint64_t down = 0;
    for (const Segment& segment : flow.segments) {
      up += segment.packets * segment.up_bytes;
      down += segment.packets * segment.down_bytes;
    }
    WireUse use = flow.beside != nullptr ? wire_use(*flow.beside, direction) : WireUse{};
    use.up += flits(up) * link_.flit_bytes;
    use.down += flits(down) * link_.flit_bytes;
    use.tlps += flits(up) + flits(down);
    return use;
  }

  bool reaches_pageable() const override { return true; }

 private:
  struct Messages {  // of a packet
    std::uint32_t up = 0;  // bytes
    std::uint32_t down = 0;
    std::uint32_t core_snoops = 0;
    void add(const profile::Link& link, const LineTraffic& t, std::uint32_t lines) {
      const std::uint32_t data = link.data_header_bytes + link.line_bytes;
      up += lines * (t.requests_up * link.request_bytes + t.responses_up * link.response_bytes + t.data_up * data);
      down +=
          lines * (t.requests_down * link.request_bytes + t.responses_down * link.response_bytes + t.data_down * data);
      core_snoops += lines * t.core_snoops;
    }
  };

  [[nodiscard]] std::uint32_t lines(std::uint32_t bytes) const {
    return (bytes + link_.line_bytes - 1) / link_.line_bytes;
  }
  [[nodiscard]] Messages read_messages(bool cached, LineState state, std::uint32_t bytes, std::uint32_t offset) const {
    Messages m;
    m.add(link_, cache::traffic_of(cached ? DeviceAccess::read : DeviceAccess::read_current, state),
          lines(offset % link_.line_bytes + bytes));
    return m;
  }
  // Lines that are written whole need not be fetched before.
  [[nodiscard]] Messages write_messages(LineState state, std::uint32_t bytes, std::uint32_t offset) const {
    const std::uint32_t before = offset % link_.line_bytes;
    const std::uint32_t all = lines(before + bytes);
    std::uint32_t part = before != 0 ? 1 : 0;
    if ((before + bytes) % link_.line_bytes != 0 && all > part) ++part;
    Messages m;
    m.add(link_, cache::traffic_of(DeviceAccess::write_part, state), part);
    m.add(link_, cache::traffic_of(DeviceAccess::write_line, state), all - part);
    return m;
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
