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
class SegmentBuilder {
 public:
  explicit SegmentBuilder(Flow& flow) : flow_(flow) {}
  void add(Segment segment);

 private:
  Flow& flow_;
};

// Requests for translations keep the pace that `walks` says, each a round trip of `flow`.
void pace(Flow& flow, const Walks& walks);

// Invalidations of a device's translations that may be under way: a request has five bits for its tag (PCIe Base, 10.3).
inline constexpr std::uint32_t invalidations_at_once = 32;

// Of one direction after encoding and SKP ordered sets.
[[nodiscard]] double wire_ps_per_byte(const profile::Link& link);

// The engine's work on `bytes` of a rectangle's row: rows that are shorter than a packet cost it more than the wire.
[[nodiscard]] TimePs row_time(const LinkTransfer& transfer, std::uint32_t bytes);

// Time one packet of `bytes` whose lines have `state` occupies the home agent.
[[nodiscard]] TimePs home_service(const profile::Host& host, const LinkTransfer& t, cache::LineState state,
                                  std::uint32_t bytes);

}  // namespace sluice::sim
