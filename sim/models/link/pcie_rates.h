// What a PCI Express link makes of its profile: bytes of a TLP beside its data, and the rate that is left for TLPs.
#pragma once

#include <cstdint>

#include "sim/profile/profile.h"

namespace sluice::sim {

// Framing, sequence number, LCRC, header of 3 or 4 words and, if sent, ECRC of each kind of TLP. In FLIT mode
// (generation 6) framing, sequence number and LCRC are the flit's.
struct TlpOverheads {
  std::uint32_t write_bytes = 0;
  std::uint32_t read_bytes = 0;
  std::uint32_t completion_bytes = 0;
  std::uint32_t message_bytes = 0;  // always of 4 words
};
[[nodiscard]] TlpOverheads tlp_overheads(const profile::Link& link);

// Largest number of symbol times between two Acks, and between two UpdateFCs, as PCIe Base limits them by width and MPS.
[[nodiscard]] std::uint32_t ack_limit_symbols(std::uint32_t generation, std::uint32_t lanes, std::uint32_t max_payload_bytes);

// Share of one direction's bytes that DLLPs and SKP ordered sets take, after Link::dllp_accounting. With `mean` and `counted`, DLLPs
// are counted by TLP instead, and the share is that of SKP alone.
[[nodiscard]] double link_layer_share(const profile::Link& link);

// Of one direction, for TLPs.
[[nodiscard]] double tlp_bytes_per_s(const profile::Link& link);

}  // namespace sluice::sim
