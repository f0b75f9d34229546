// The kinds of host link (sim/models/host_link.h): one file per kind; make_link() is the table of kinds.
#pragma once

#include <array>
#include <memory>

#include "sim/cache/host_memory.h"
#include "sim/models/host_link.h"
#include "sim/models/traffic.h"
#include "sim/profile/profile.h"

namespace sluice::sim {

[[nodiscard]] std::unique_ptr<Link> make_pcie_link(const profile::Profile& profile);
[[nodiscard]] std::unique_ptr<Link> make_coherent_link(const profile::Profile& profile);
[[nodiscard]] std::unique_ptr<Link> make_on_chip_link(const profile::Profile& profile);
[[nodiscard]] std::unique_ptr<Link> make_link(const profile::Profile& profile);

// Shared by the kinds: cuts lines of known state into segments of equal packets, row after row.
// `services(lines in packet, state, bytes, service)` fills the per-hop times of one packet.
class SegmentBuilder {
 public:
  explicit SegmentBuilder(Flow& flow) : flow_(flow) {}
  void add(std::uint64_t packets, std::uint32_t packet_bytes, const std::array<TimePs, max_hops>& service,
           TimePs answer_ps = 0, std::uint32_t data_tlps = 1);

 private:
  Flow& flow_;
};

// Time one packet of `bytes` whose lines have `state` occupies the home agent.
[[nodiscard]] TimePs home_service(const profile::Host& host, Direction direction, cache::LineState state,
                                  std::uint32_t bytes);

}  // namespace sluice::sim
