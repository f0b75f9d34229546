// The published analytic model of PCI Express bandwidth (Neugebauer et al., SIGCOMM 2018) against ours with an ideal
// device and host: both accountings of DLLPs, at every point of its tables, within 0.2 %.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>

#include "sim/models/link/link.h"
#include "sim/models/link/pcie_rates.h"

namespace sluice::sim {
namespace {

using nlohmann::json;

struct Configuration {
  std::uint32_t generation, lanes, mps, mrrs;
  profile::DllpAccounting accounting;
  std::uint32_t completion_bytes = 0;
};

profile::Profile ideal(const Configuration& c) {
  constexpr std::array<double, 7> rates = {0, 2.5, 5, 8, 16, 32, 64};
  profile::Profile p;
  p.link.generation = c.generation;
  p.link.gigatransfers_per_s = rates[c.generation];
  p.link.encoding = c.generation <= 2 ? 0.8 : c.generation < 6 ? 128.0 / 130.0 : 1.0;
  p.link.lanes = c.lanes;
  p.link.max_payload_bytes = c.mps;
  p.link.max_read_request_bytes = c.mrrs;
  p.link.completion_payload_bytes = c.completion_bytes;
  p.link.skip_overhead = 4.0 / 1538.0;
  p.link.dllp_accounting = c.accounting;
  p.link.read_tags = 65536;
  p.link.read_buffer_bytes = 1 << 30;
  p.link.posted_credits_tlps = 65536;
  p.host.home_agent.memory_bytes_per_s = 1'000'000'000'000'000;
  return p;
}

// Time of each wire for transfers of `bytes` apiece, from boundaries of every packet size.
struct Wires {
  double up_ps = 0, down_ps = 0, alone_ps = 0;
};
constexpr std::uint64_t transfers = 64;
Wires wires(const profile::Profile& p, Direction direction, std::uint64_t bytes) {
  const auto link = make_link(p);
  LinkTransfer t;
  t.direction = direction;
  t.rows = transfers;
  t.row_bytes = bytes;
  t.host_row_pitch_bytes = 8192;
  Flow flow;
  link->plan(t, {}, flow);
  Wires w;
  for (const Segment& s : flow.segments) {
    for (std::size_t hop = 0; hop < flow.hops; ++hop) {
      const double time = static_cast<double>(s.packets) * static_cast<double>(s.service_ps[hop]);
      if (flow.path[hop] == Resource::wire_up) w.up_ps += time;
      if (flow.path[hop] == Resource::wire_down) w.down_ps += time;
    }
  }
  w.alone_ps = static_cast<double>(time_alone(flow));
  return w;
}

double gigabytes_per_s(std::uint64_t bytes, double ps) {
  return static_cast<double>(transfers * bytes) * 1000.0 / ps;
}
double write_rate(const Configuration& c, std::uint64_t bytes) {
  return gigabytes_per_s(bytes, wires(ideal(c), Direction::device_to_host, bytes).up_ps);
}
double read_rate(const Configuration& c, std::uint64_t bytes) {
  const Wires w = wires(ideal(c), Direction::host_to_device, bytes);
  return gigabytes_per_s(bytes, std::max(w.up_ps, w.down_ps));
}
// As many bytes each way: the wires carry both directions' packets.
double duplex_rate(const Configuration& c, std::uint64_t bytes) {
  const Wires write = wires(ideal(c), Direction::device_to_host, bytes);
  const Wires read = wires(ideal(c), Direction::host_to_device, bytes);
  return gigabytes_per_s(bytes, std::max(write.up_ps + read.up_ps, read.down_ps));
}

json tables() {
  std::ifstream in(PCIE_TABLES);
  return json::parse(in);
}

constexpr double tolerance = 0.002;
void expect_close(double ours, double published, const std::string& what) {
  EXPECT_NEAR(ours / published, 1.0, tolerance) << what << ": " << ours << " against " << published;
}

TEST(PcieFormulae, GenThreeByEight) {
  const Configuration c{3, 8, 256, 512, profile::DllpAccounting::published};
  const json rows = tables().at("gen3x8_mps256_mrrs512_Gbps");
  ASSERT_EQ(rows.size(), 16U);
  for (const json& row : rows) {
    const std::uint64_t bytes = row[0];
    expect_close(8 * write_rate(c, bytes), row[1], "write of " + row[0].dump());
    expect_close(8 * read_rate(c, bytes), row[2], "read of " + row[0].dump());
    expect_close(8 * duplex_rate(c, bytes), row[3], "duplex of " + row[0].dump());
  }
}

TEST(PcieFormulae, EveryGenerationWidthAndAccounting) {
  const json rows = tables().at("GBps");
  ASSERT_EQ(rows.size(), 36U);
  for (const json& row : rows) {
    Configuration c{row.at("gen"), row.at("lanes"), row.at("mps"), row.at("mrrs"),
                    row.at("dllp_mode") == "paper" ? profile::DllpAccounting::published : profile::DllpAccounting::per_lane};
    const std::string what = row.dump();
    expect_close(tlp_bytes_per_s(ideal(c).link) / 1e9, row.at("tlp_GBps"), "rate " + what);
    for (const auto& [bytes, rate] : row.at("write").items()) expect_close(write_rate(c, std::stoull(bytes)), rate, "write " + what);
    for (const auto& [bytes, rate] : row.at("read").items()) expect_close(read_rate(c, std::stoull(bytes)), rate, "read " + what);
    expect_close(duplex_rate(c, 4096), row.at("duplex_4096"), "duplex " + what);
    c.completion_bytes = 64;
    expect_close(read_rate(c, 4096), row.at("read_64B_completions_4096"), "completions of 64 B " + what);
  }
}

// The engine carries what the wires allow: alone, a stream of writes takes its wire's time and the way behind it.
TEST(PcieFormulae, AnIdealDeviceReachesTheWire) {
  const Configuration c{5, 16, 256, 512, profile::DllpAccounting::published};
  const Wires w = wires(ideal(c), Direction::device_to_host, 4096);
  EXPECT_NEAR(w.alone_ps / w.up_ps, 1.0, tolerance);
}

// Four words, three words, and a digest more: PCIe Base, 2.2.1; framing is 8 bytes up to generation 5, none in FLIT mode.
TEST(PcieFormulae, BytesBesideTheData) {
  profile::Link link;
  link.generation = 5;
  EXPECT_EQ(tlp_overheads(link).write_bytes, 24U);
  EXPECT_EQ(tlp_overheads(link).completion_bytes, 20U);
  link.header_words = 3;
  EXPECT_EQ(tlp_overheads(link).read_bytes, 20U);
  link.ecrc = true;
  EXPECT_EQ(tlp_overheads(link).write_bytes, 24U);
  EXPECT_EQ(tlp_overheads(link).completion_bytes, 24U);
  link.generation = 6;
  EXPECT_EQ(tlp_overheads(link).write_bytes, 16U);
}

// 64 GT/s, 16 lanes, 236 of 256 bytes: 118 GB/s, whatever the accounting of DLLPs says.
TEST(PcieFormulae, FlitMode) {
  for (const auto accounting : {profile::DllpAccounting::mean, profile::DllpAccounting::published}) {
    EXPECT_NEAR(tlp_bytes_per_s(ideal({6, 16, 256, 512, accounting}).link), 118e9, 1e6);
  }
}

}  // namespace
}  // namespace sluice::sim
