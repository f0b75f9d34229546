// Integrated devices: one memory behind one fabric. A map is free where the fabric is coherent; where it is not, the
// driver cleans and invalidates the caches line by line.
#include <algorithm>

#include "sim/cache/line_traffic.h"
#include "sim/models/link/link.h"
#include "sim/models/link/packetise.h"

namespace sluice::sim {

namespace {

class OnChipLink final : public Link {
 public:
  explicit OnChipLink(const profile::Profile& p) : link_(p.link), host_(p.host) {}

  void plan(const LinkTransfer& t, const std::vector<cache::LineRun>& runs, Flow& flow) const override {
    flow.segments.clear();
    flow.answers = no_answers();
    flow.credits.clear();
    SegmentBuilder build(flow);
    const bool read = t.direction == Direction::host_to_device;
    flow.hops = 2;
    flow.end_hop = 1;
    // A copy inside one memory reads and writes it: both cross the fabric, one direction each.
    flow.path = {Resource::home_agent, read ? Resource::wire_down : Resource::wire_up};
    flow.latency_ps = {host_.home_agent.latency_ps, link_.propagation_ps};
    flow.kind = read ? "read" : "write";
    flow.window = 0;
    flow.window_return_ps = 0;
    flow.snoop_once_ps = flow.ownership_ps = 0;
    bool snoops = false;
    packetise(t, runs, link_.max_payload_bytes, host_.private_cache.line_bytes,
              [&](std::uint64_t n, std::uint32_t bytes, auto state, std::uint32_t) {
                const TimePs row = row_time(t, bytes);
                // The fabric of a non-coherent chip does not look into the cores' caches.
                const auto seen = link_.fabric_coherent ? state : cache::LineState::memory;
                const auto access = read ? cache::DeviceAccess::read_current : cache::DeviceAccess::write_line;
                snoops |= cache::traffic_of(access, seen).core_snoops != 0;
                const TimePs unsnooped = home_service(host_, t, cache::LineState::memory, bytes);
                build.add({.packets = n,
                           .packet_bytes = bytes,
                           .service_ps = {std::max(home_service(host_, t, seen, bytes), row),
                                          fabric_time(bytes)},
                           .unsnooped_ps = std::max(unsnooped, row)});
              });
    if (snoops) add_snoop(flow, host_.home_agent.snoop_latency_ps);
  }

  TimePs posted_time() const override { return link_.propagation_ps; }
  bool maintains_caches() const override { return !link_.fabric_coherent; }
  TimePs map_cost(std::uint64_t lines) const override {
    return link_.fabric_coherent ? 0 : link_.maintenance_overhead_ps + lines * link_.maintenance_line_ps;
  }
  WireUse wire_use(const Flow& flow, Direction direction) const override {
    WireUse use;
    (direction == Direction::host_to_device ? use.down : use.up) = flow.bytes();
    use.tlps = flow.packets();
    return use;
  }
  bool reaches_pageable() const override { return true; }

 private:
  [[nodiscard]] TimePs fabric_time(std::uint64_t bytes) const {
    // In two steps: bytes * 10^12 leaves 64 bits above 18 MB.
    constexpr std::uint64_t million = 1'000'000;
    const std::uint64_t scaled = bytes * million;
    return scaled / link_.fabric_bytes_per_s * million +
           scaled % link_.fabric_bytes_per_s * million / link_.fabric_bytes_per_s;
  }

  const profile::Link& link_;
  const profile::Host& host_;
};

}  // namespace

std::unique_ptr<Link> make_on_chip_link(const profile::Profile& profile) {
  return std::make_unique<OnChipLink>(profile);
}

}  // namespace sluice::sim
