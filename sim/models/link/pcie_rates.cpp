// Figures: pcie-bench/pcie-model@40703cf (Neugebauer et al., SIGCOMM 2018, doi:10.1145/3230543.3230560), which takes the
// limits from PCIe Base 5.0, tables 2-46 to 2-48 and 3-7 to 3-9; FLIT mode from the flit's layout (236 of 256 bytes TLP).
#include "sim/models/link/pcie_rates.h"

#include <algorithm>
#include <array>

namespace sluice::sim {

namespace {

constexpr std::uint32_t framing_bytes = 8;  // start, sequence number, LCRC, end
constexpr std::uint32_t word_bytes = 4;
constexpr double flit_bytes = 256;
constexpr double flit_tlp_bytes = 236;  // beside 6 of DLLPs, 8 of CRC, 6 of FEC

// Columns: MPS of 128, 256, 512, 1024, 2048, 4096. The tables of generations 1 and 2 end at 512; what is larger takes their
// last, the shortest interval that they allow.
struct Limits {
  std::uint32_t lanes;
  std::array<std::uint32_t, 6> symbols;
};
constexpr std::array<Limits, 4> first = {{{1, {237, 416, 559, 559, 559, 559}},
                                          {4, {73, 118, 154, 154, 154, 154}},
                                          {8, {67, 107, 86, 86, 86, 86}},
                                          {16, {48, 72, 86, 86, 86, 86}}}};
constexpr std::array<Limits, 4> second = {{{1, {288, 467, 610, 610, 610, 610}},
                                           {4, {124, 169, 205, 205, 205, 205}},
                                           {8, {118, 158, 137, 137, 137, 137}},
                                           {16, {99, 123, 137, 137, 137, 137}}}};
constexpr std::array<Limits, 4> third = {{{1, {333, 512, 655, 655, 655, 655}},
                                          {4, {169, 214, 250, 378, 378, 378}},
                                          {8, {163, 203, 182, 246, 374, 630}},
                                          {16, {144, 168, 182, 246, 374, 630}}}};

}  // namespace

TlpOverheads tlp_overheads(const profile::Link& link) {
  const std::uint32_t base = (link.generation >= 6 ? 0 : framing_bytes) + (link.ecrc ? word_bytes : 0);
  const std::uint32_t request = base + link.header_words * word_bytes;
  const auto given_or = [](std::uint32_t given, std::uint32_t derived) { return given != 0 ? given : derived; };
  return {given_or(link.write_header_bytes, request), given_or(link.read_header_bytes, request),
          given_or(link.completion_header_bytes, base + 3 * word_bytes), base + 4 * word_bytes};
}

std::uint32_t ack_limit_symbols(std::uint32_t generation, std::uint32_t lanes, std::uint32_t max_payload_bytes) {
  const auto& table = generation <= 1 ? first : generation == 2 ? second : third;
  std::size_t column = 0;
  while (column + 1 < table[0].symbols.size() && (128U << column) < max_payload_bytes) ++column;
  const Limits* row = &table.front();
  for (const Limits& l : table) {
    if (l.lanes <= lanes) row = &l;
  }
  return row->symbols[column];
}

double link_layer_share(const profile::Link& link) {
  using profile::DllpAccounting;
  // A flit has places of its own for DLLPs, and SKP ordered sets come between flits.
  if (link.generation >= 6) return 1 - flit_tlp_bytes / flit_bytes;
  if (link.dllp_accounting == DllpAccounting::mean || link.dllp_accounting == DllpAccounting::counted) {
    return link.skip_overhead;
  }
  const double limit = ack_limit_symbols(link.generation, link.lanes, link.max_payload_bytes);
  const double symbols = link.dllp_accounting == DllpAccounting::published
                             ? link.dllp_bytes
                             : static_cast<double>(link.dllp_bytes) / link.lanes;
  return 2 * symbols / limit + link.skip_overhead;  // an Ack and an UpdateFC each
}

double tlp_bytes_per_s(const profile::Link& link) {
  return link.gigatransfers_per_s * 1e9 * link.lanes / 8.0 * link.encoding * (1.0 - link_layer_share(link));
}

}  // namespace sluice::sim
