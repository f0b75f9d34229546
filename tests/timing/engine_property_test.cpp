// `train` is held to `packet`: the same traffic ends at the same time, alone or shared. Both details run side by side in
// one kernel, so one process tests many cases. Flows are random ones, and the plans that the links of the shipped
// profiles make of random transfers.
#include <gtest/gtest.h>

#include <systemc>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "sim/clock/kernel_time.h"
#include "sim/models/link/link.h"
#include "sim/models/link/network_engine.h"
#include "sim/profile/load.h"

namespace sluice::sim {
namespace {

struct Ends {
  struct {
    std::vector<TimePs> train;
    std::vector<TimePs> packet;
  } drained;
  std::vector<TimePs> train;
  std::vector<TimePs> packet;
  std::uint64_t train_events = 0;
  std::uint64_t packet_events = 0;
};

// Two pairs of engines for all cases, of one device and of eight behind a bridge: SystemC allows no module after the first
// start.
class Engines {
 public:
  static Engines& instance() { return pairs()[0]; }
  static Engines& bridged() { return pairs()[1]; }

  // Starts each flow at its offset from now on both engines and runs until all have ended.
  Ends run(const std::vector<Flow>& flows, const std::vector<TimePs>& offsets) {
    Ends ends;
    ends.train.resize(flows.size());
    ends.packet.resize(flows.size());
    ends.drained.train.resize(flows.size());
    ends.drained.packet.resize(flows.size());
    const TimePs origin = kernel_now();
    const std::uint64_t train_before = train_.events();
    const std::uint64_t packet_before = packet_.events();
    std::size_t done = 0;
    std::vector<std::size_t> order(flows.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return offsets[a] < offsets[b]; });
    for (const std::size_t i : order) {
      const TimePs at = origin + offsets[i];
      kernel_run_limit = at;
      if (at > kernel_now()) sc_core::sc_start(sc_core::sc_time::from_value(at - kernel_now()));
      const auto flow = std::make_shared<const Flow>(flows[i]);
      train_.start(flow, [&, i](FlowTimes t) { ends.train[i] = t.end - origin, ends.drained.train[i] = t.drained, ++done; });
      packet_.start(flow, [&, i](FlowTimes t) { ends.packet[i] = t.end - origin, ends.drained.packet[i] = t.drained, ++done; });
    }
    kernel_run_limit = time_never;
    while (done < 2 * flows.size() && sc_core::sc_pending_activity()) {
      sc_core::sc_start(sc_core::sc_time_to_pending_activity() + sc_core::sc_time::from_value(1));
    }
    EXPECT_EQ(done, 2 * flows.size());
    ends.train_events = train_.events() - train_before;
    ends.packet_events = packet_.events() - packet_before;
    // Leave the past behind: servers stay busy until their last packet.
    sc_core::sc_start(sc_core::sc_time(1, sc_core::SC_SEC));
    return ends;
  }

 private:
  explicit Engines(const std::string& name, std::uint32_t devices)
      : train_(("train" + name).c_str(), Detail::train, nullptr, devices),
        packet_(("packet" + name).c_str(), Detail::packet, nullptr, devices) {}
  static std::array<Engines, 2>& pairs() {
    static std::array<Engines, 2> all = {Engines("", 1), Engines("_bridged", 8)};
    return all;
  }
  NetworkEngine train_;
  NetworkEngine packet_;
};

// The house's bound for flows that share: 0.1 % of what the flow took.
void expect_close(const Ends& ends, const std::vector<TimePs>& offsets, const std::string& what) {
  for (std::size_t k = 0; k < ends.train.size(); ++k) {
    const TimePs span = ends.packet[k] - offsets[k];
    const TimePs error = std::max(ends.train[k], ends.packet[k]) - std::min(ends.train[k], ends.packet[k]);
    EXPECT_LE(error * 1000, span) << what << ", flow " << k << " of " << ends.train.size() << ": train "
                                  << ends.train[k] - offsets[k] << " packet " << span;
  }
}

Flow read_flow(std::uint64_t packets, TimePs request, TimePs home, TimePs data, TimePs memory, TimePs latency,
               std::uint32_t tags) {
  Flow f;
  f.hops = 4;
  f.end_hop = 3;
  f.path = {Resource::wire_up, Resource::home_agent, Resource::wire_down, Resource::device_memory};
  f.latency_ps = {latency, latency, latency, latency / 2};
  f.window = tags;
  f.segments = {{packets, 512, {request, home, data, memory}}};
  return f;
}

Flow write_flow(std::uint64_t packets, TimePs memory, TimePs data, TimePs home, TimePs back, std::uint32_t credits) {
  Flow f;
  f.hops = 3;
  f.end_hop = 1;  // posted: on the wire
  f.path = {Resource::device_memory, Resource::wire_up, Resource::home_agent};
  f.latency_ps = {0, 0, 0};
  f.window = credits;
  f.window_return_ps = back;
  f.segments = {{packets, 256, {memory, data, home}}};
  return f;
}

// Any path in the one order that links use, any window, any times, several segments.
Flow random_flow(std::mt19937_64& random) {
  const auto upto = [&](std::uint64_t n) { return random() % n + 1; };
  Flow f;
  f.hops = static_cast<std::uint8_t>(2 + random() % 3);
  f.end_hop = static_cast<std::uint8_t>(f.hops - 1 - random() % 2);
  const Resource order[] = {Resource::wire_up, Resource::home_agent, Resource::wire_down, Resource::device_memory};
  for (std::size_t j = 0; j < f.hops; ++j) {
    f.path[j] = order[j];
    f.latency_ps[j] = random() % 500'000;
  }
  if (random() % 2 == 0) f.window = static_cast<std::uint32_t>(upto(64));
  f.window_return_ps = random() % 300'000;
  // Credits of some wires on the way, which flows then share.
  const std::size_t kinds = random() % 3;
  for (std::size_t c = 0; c < kinds; ++c) {
    CreditWindow w;
    w.kind = static_cast<Credit>(c);
    w.hop = static_cast<std::uint8_t>(random() % f.hops);
    w.until_hop = static_cast<std::uint8_t>(w.hop + random() % (f.hops - w.hop));
    w.capacity = static_cast<std::uint32_t>(upto(64));
    w.return_ps = random() % 300'000;
    f.credits.push_back(w);
  }
  f.relaxed = random() % 2 == 0;
  const std::size_t segments = upto(4);
  for (std::size_t s = 0; s < segments; ++s) {
    Segment segment;
    segment.packets = upto(1500);
    segment.packet_bytes = 512;
    for (std::size_t j = 0; j < f.hops; ++j) segment.service_ps[j] = random() % 12'000;
    f.segments.push_back(segment);
  }
  return f;
}

TEST(Train, EqualsPacketExactlyWhenAlone) {
  std::mt19937_64 random(20240517);
  for (int i = 0; i < 400; ++i) {
    const Flow f = random_flow(random);
    const Ends ends = Engines::instance().run({f}, {0});
    ASSERT_EQ(ends.train[0], ends.packet[0]) << "case " << i << ", window " << f.window;
    ASSERT_EQ(ends.drained.train[0], ends.drained.packet[0]) << "case " << i << ", window " << f.window;
  }
}

TEST(Train, EqualsPacketWhenRandomFlowsShare) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 300; ++i) {
    std::vector<Flow> flows;
    std::vector<TimePs> offsets;
    for (std::size_t n = 2 + random() % 4; n > 0; --n) {
      flows.push_back(random_flow(random));
      offsets.push_back(random() % 20'000'000);
    }
    expect_close(Engines::instance().run(flows, offsets), offsets, "case " + std::to_string(i));
  }
}

TEST(Train, EqualsPacketWhenLongFlowsShare) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 6; ++i) {
    std::vector<Flow> flows;
    std::vector<TimePs> offsets;
    for (std::size_t n = 2 + random() % 3; n > 0; --n) {
      const std::uint64_t packets = 16384 + random() % 65536;  // 8 to 40 MiB
      if (random() % 2 == 0) {
        flows.push_back(read_flow(packets, 390, 2'560 + random() % 2 * 19'700, 9'220, 1'000, 350'000, 768));
      } else {
        flows.push_back(write_flow(2 * packets, 500, 4'610, 1'280 + random() % 2 * 9'000, 1'000'000, 512));
      }
      offsets.push_back(random() % 500'000'000);
    }
    expect_close(Engines::instance().run(flows, offsets), offsets, "case " + std::to_string(i));
  }
}

// What a shipped machine's link makes of a random transfer: sizes of all classes, rows, lines in any state.
Flow planned_flow(std::mt19937_64& random, const Link& link, bool walked = false) {
  LinkTransfer t;
  t.direction = random() % 2 == 0 ? Direction::host_to_device : Direction::device_to_host;
  const std::uint64_t size = (std::uint64_t{1} << (6 + random() % 16)) + random() % 4096;  // 64 B to 2 MiB
  t.row_bytes = size;
  if (random() % 4 == 0) {
    t.rows = 1 + random() % 64;
    t.row_bytes = std::max<std::uint64_t>(1, size / t.rows);
    t.row_ps = 5'000;
  }
  t.memory_interval_ps = 50 + random() % 400;
  std::vector<cache::LineRun> runs;
  for (std::uint64_t lines = (size + 63) / 64; lines > 0;) {
    const std::uint64_t take = std::min<std::uint64_t>(lines, 1 + random() % 16384);
    runs.push_back({take, static_cast<cache::LineState>(random() % 4)});
    lines -= take;
  }
  if (walked) {
    t.walks.count = 1 + random() % (t.rows + size / 4096);
    t.walks.latency_ps = 1 + random() % 500'000;
    t.walks.walkers_ps = t.walks.count * t.walks.latency_ps / (1 + random() % 16);
  }
  Flow flow;
  link.plan(t, runs, flow);
  return flow;
}

class ShippedMachine : public testing::TestWithParam<std::string> {};

TEST_P(ShippedMachine, TrainEqualsPacketWhenTransfersShareALink) {
  const profile::Loaded loaded = profile::load_profile(GetParam());
  ASSERT_TRUE(loaded.profile.has_value());
  const std::unique_ptr<Link> link = make_link(*loaded.profile);
  std::mt19937_64 random(42);
  for (int i = 0; i < 60; ++i) {
    std::vector<Flow> flows;
    std::vector<TimePs> offsets;
    for (std::size_t n = 2 + random() % 3; n > 0; --n) {
      flows.push_back(planned_flow(random, *link));
      offsets.push_back(random() % 40'000'000);
    }
    expect_close(Engines::instance().run(flows, offsets), offsets, GetParam() + " case " + std::to_string(i));
  }
}

TEST_P(ShippedMachine, TrainEqualsPacketWhenPagesAreWalkedFor) {
  const profile::Loaded loaded = profile::load_profile(GetParam());
  ASSERT_TRUE(loaded.profile.has_value());
  const std::unique_ptr<Link> link = make_link(*loaded.profile);
  std::mt19937_64 random(8);
  for (int i = 0; i < 40; ++i) {
    const Flow flow = planned_flow(random, *link, true);
    const Ends alone = Engines::instance().run({flow}, {0});
    ASSERT_EQ(alone.train[0], alone.packet[0]) << "case " << i;
    ASSERT_EQ(alone.drained.train[0], alone.drained.packet[0]) << "case " << i;
    const std::vector<TimePs> offsets = {0, random() % 10'000'000};
    expect_close(Engines::instance().run({flow, planned_flow(random, *link, true)}, offsets), offsets,
                 GetParam() + " case " + std::to_string(i));
  }
}

// Nothing is a snoop's work where no core's cache holds a line: neither rows nor the short packets at their ends.
TEST_P(ShippedMachine, OnlySnoopsAreCountedAsSnoops) {
  const profile::Loaded loaded = profile::load_profile(GetParam());
  ASSERT_TRUE(loaded.profile.has_value());
  const std::unique_ptr<Link> link = make_link(*loaded.profile);
  for (const Direction direction : {Direction::host_to_device, Direction::device_to_host}) {
    for (const std::uint64_t rows : {1, 64}) {
      LinkTransfer t;
      t.direction = direction;
      t.host_address = 16;
      t.row_bytes = 5000;
      t.rows = rows;
      t.row_ps = 40'000;
      t.memory_interval_ps = 100;
      Flow flow;
      link->plan(t, {}, flow);
      EXPECT_EQ(times_alone(flow, Without::walks_and_snoops).end, time_alone(flow)) << rows;
      const auto dirty = cache::LineState::private_dirty;
      link->plan(t, {{(rows * t.row_bytes + 63) / 64 + 1, dirty}}, flow);
      EXPECT_LE(times_alone(flow, Without::walks_and_snoops).end, time_alone(flow)) << rows;
    }
  }
}

// A machine with all that PCIe counts, behind a switch or a root complex.
profile::Profile bridged_machine(profile::BridgeKind kind) {
  profile::Profile p = *profile::load_profile("generic-pcie4").profile;
  p.link.dllp_accounting = profile::DllpAccounting::counted;
  p.link.ack_tlps = p.link.update_tlps = 4;
  p.link.credits = {40, 600, 30, 8, 60, 900};
  p.link.replay_buffer_bytes = 16384;
  p.link.ordering = kind == profile::BridgeKind::root_complex ? profile::Ordering::relaxed : profile::Ordering::strict;
  p.bridge.kind = kind;
  p.bridge.gigatransfers_per_s = 16;
  p.bridge.lanes = 16;
  p.bridge.bytes_per_s = 60'000'000'000;
  p.bridge.latency_ps = 110'000;
  p.bridge.propagation_ps = 40'000;
  p.bridge.credit_return_ps = 200'000;
  p.bridge.credits = {50, 700, 40, 5, 0, 0};
  p.bridge.peer_to_peer = true;
  return p;
}

// FetchAdd, Swap and CAS of 4 and 8 bytes, some thousand of each, to lines in any state.
Flow atomics_flow(std::mt19937_64& random, const Link& link) {
  Flow all;
  for (std::size_t parts = 1 + random() % 3; parts > 0; --parts) {
    LinkTransfer t;
    t.row_bytes = random() % 2 == 0 ? 4 : 8;
    t.operand_bytes = static_cast<std::uint32_t>(t.row_bytes) * (1 + random() % 2);
    Flow flow;
    link.plan(t, {{1, static_cast<cache::LineState>(random() % 4)}}, flow);
    flow.segments.front().packets = 1 + random() % 3000;
    if (all.segments.empty()) {
      all = flow;
    } else {
      all.segments.push_back(flow.segments.front());
    }
  }
  if (random() % 2 == 0) all.window = 1 + static_cast<std::uint32_t>(random() % 64);
  return all;
}

TEST(Train, EqualsPacketBehindABridge) {
  std::mt19937_64 random(77);
  for (const auto kind : {profile::BridgeKind::pcie_switch, profile::BridgeKind::root_complex}) {
    const profile::Profile p = bridged_machine(kind);
    const std::unique_ptr<Link> link = make_link(p);
    const auto flow = [&] {
      Flow f;
      if (random() % 3 == 0) {
        LinkTransfer t;
        t.direction = Direction::device_to_host;
        t.row_bytes = 64 + random() % (1 << 20);
        t.memory_interval_ps = 100;
        if (random() % 2 == 0) {  // translated by the source
          t.walks.count = 1 + random() % 300;
          t.walks.requests = 1 + static_cast<std::uint32_t>(random() % 32);
          t.walks.latency_ps = 500'000 + random() % 1'000'000;
          t.walks.walkers_ps = t.walks.count * t.walks.latency_ps / t.walks.requests;
          t.walks.holds_window = false;
        }
        EXPECT_TRUE(link->plan_peer(t, 120, f));
      } else if (random() % 4 == 0) {
        link->plan_invalidations(1 + random() % 3000, random() % 2'000'000, f);
      } else if (random() % 2 == 0) {
        f = atomics_flow(random, *link);
      } else {
        f = planned_flow(random, *link);
      }
      f.device = static_cast<DeviceIndex>(random() % 8);
      f.peer = (f.device + 1 + static_cast<DeviceIndex>(random() % 7)) % 8;
      return f;
    };
    for (int i = 0; i < 100; ++i) {
      const Ends alone = Engines::bridged().run({flow()}, {0});
      ASSERT_EQ(alone.train[0], alone.packet[0]) << "case " << i;
      ASSERT_EQ(alone.drained.train[0], alone.drained.packet[0]) << "case " << i;
    }
    for (int i = 0; i < 40; ++i) {
      std::vector<Flow> flows;
      std::vector<TimePs> offsets;
      for (std::size_t n = 2 + random() % 7; n > 0; --n) {
        flows.push_back(flow());
        offsets.push_back(random() % 40'000'000);
      }
      expect_close(Engines::bridged().run(flows, offsets), offsets, "case " + std::to_string(i));
    }
  }
}

// Alone the same, on a link without a bridge, whatever is counted; beside transfers within what is allowed.
TEST(Train, EqualsPacketOfAtomicOps) {
  std::mt19937_64 random(31);
  for (int i = 0; i < 60; ++i) {
    profile::Profile p = bridged_machine(profile::BridgeKind::none);
    if (i % 3 == 0) p.link.dllp_accounting = profile::DllpAccounting::mean;
    if (i % 2 == 0) p.link.credits = {};
    if (i % 5 == 0) p.host.home_agent.atomic_ps = random() % 30'000;
    const std::unique_ptr<Link> link = make_link(p);
    const Flow flow = atomics_flow(random, *link);
    const Ends alone = Engines::instance().run({flow}, {0});
    ASSERT_EQ(alone.train[0], alone.packet[0]) << "case " << i;
    ASSERT_EQ(alone.drained.train[0], alone.drained.packet[0]) << "case " << i;
    const std::vector<TimePs> offsets = {0, random() % 10'000'000, random() % 10'000'000};
    expect_close(Engines::instance().run({flow, planned_flow(random, *link), atomics_flow(random, *link)}, offsets), offsets,
                 "case " + std::to_string(i));
  }
}

std::vector<std::string> shipped() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(PROFILES)) names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, ShippedMachine, testing::ValuesIn(shipped()),
                         [](const auto& p) {
                           std::string name = p.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Train, TwoReadsShareOneWire) {
  // 16384 packets of 9220 ps on the wire alone: 151.06 us and a latency of 3 x 350 ns.
  const Flow f = read_flow(16384, 390, 2'560, 9'220, 1'000, 350'000, 768);
  const Ends alone = Engines::instance().run({f}, {0});
  const Ends both = Engines::instance().run({f, f}, {0, 0});
  EXPECT_EQ(alone.train[0], 390U + 350'000 + 2'560 + 350'000 + 16384ULL * 9'220 + 350'000 + 1'000 + 175'000);
  // Packets take turns, so the later one ends when the wire has carried all.
  EXPECT_EQ(std::max(both.train[0], both.train[1]) - alone.train[0], 16384ULL * 9'220);
}

// 1000 requests of 1 ns beside a read take that from a write that has the wire for 92.2 us: all are sent in that time, 64 at once
// and a microsecond each.
TEST(Train, WhatAFlowCausesBesideTakesTheWire) {
  const Flow write = write_flow(20'000, 0, 4'610, 1'280, 300'000, 512);
  Flow read = read_flow(1, 390, 2'560, 9'220, 1'000, 350'000, 768);
  const Ends bare = Engines::instance().run({write, read}, {0, 0});
  read.beside = std::make_shared<Flow>(read_flow(1'000, 1'000, 0, 0, 0, 350'000, 64));
  const Ends beside = Engines::instance().run({write, read}, {0, 0});
  EXPECT_EQ(beside.train[0] - bare.train[0], 1'000U * 1'000);
  EXPECT_EQ(beside.packet[0] - bare.packet[0], 1'000U * 1'000);
}

TEST(Train, DirectionsDoNotShareAWire) {
  const Flow read = read_flow(16384, 0, 2'560, 9'220, 0, 350'000, 768);
  Flow write = write_flow(32768, 0, 4'610, 1'280, 1'000'000, 1024);
  const Ends read_alone = Engines::instance().run({read}, {0});
  const Ends both = Engines::instance().run({read, write}, {0, 0});
  // Requests of no wire time take nothing from the writes; both meet at a home agent with room for both.
  EXPECT_NEAR(static_cast<double>(both.train[0]), static_cast<double>(read_alone.train[0]),
              1e-3 * static_cast<double>(read_alone.train[0]));
}

TEST(Train, EventsOfALoneFlowDoNotDependOnItsSize) {
  const auto events = [](std::uint64_t packets) {
    return Engines::instance().run({read_flow(packets, 390, 2'560, 9'220, 1'000, 350'000, 768)}, {0}).train_events;
  };
  EXPECT_EQ(events(64), 1U);
  EXPECT_EQ(events(100'000), 1U);
}

// The pattern of flows that share repeats, and what repeats is skipped: 131072 packets visit four servers each. Here the
// network is run by itself, since two engines in one kernel keep each other from looking ahead.
TEST(PacketNetwork, SkipsWhatRepeatsWhenFlowsShare) {
  const Flow first = read_flow(131'072, 390, 2'560, 9'220, 1'000, 350'000, 768);
  const Flow second = first;
  const auto run = [&](PacketNetwork& network) {
    std::vector<TimePs> ends;
    network.start(std::make_shared<const Flow>(first), 0);
    while (const auto ended = network.run(1'000'000)) ends.push_back(ended->times.end);
    network.start(std::make_shared<const Flow>(second), 1'000'000);
    while (const auto ended = network.run(time_never)) ends.push_back(ended->times.end);
    return ends;
  };
  PacketNetwork skipping(true);
  PacketNetwork plain(false);
  EXPECT_EQ(run(skipping), run(plain));
  EXPECT_EQ(plain.served(), 2U * 4U * 131'072U);
  EXPECT_LT(skipping.served() * 20, plain.served());
}

// Eight devices that write through one upstream link at once, and eight that read: what is simulated does not depend on how
// much they move.
TEST(PacketNetwork, EightDevicesBehindABridgeCostByTheChanges) {
  const profile::Profile p = bridged_machine(profile::BridgeKind::pcie_switch);
  const std::unique_ptr<Link> link = make_link(p);
  for (const Direction direction : {Direction::device_to_host, Direction::host_to_device}) {
    const auto served = [&](std::uint64_t bytes) {
      PacketNetwork network(true, nullptr, 8);
      for (DeviceIndex d = 0; d < 8; ++d) {
        LinkTransfer t;
        t.direction = direction;
        t.row_bytes = bytes;
        t.memory_interval_ps = 100;
        auto f = std::make_shared<Flow>();
        link->plan(t, {}, *f);
        f->device = d;
        network.start(f, 0);
      }
      while (network.run(time_never)) {
      }
      return network.served();
    };
    const std::uint64_t once = served(std::uint64_t{64} << 20);
    EXPECT_LT(once, 400'000U);  // of 8 x 262144 writes or 131072 reads on four or six servers
    EXPECT_NEAR(static_cast<double>(served(std::uint64_t{1} << 30)), static_cast<double>(once), 0.05 * static_cast<double>(once));
  }
}

// Visits of servers that are simulated while `others` transfers meet a long one, each for itself: `packets` packets each.
std::uint64_t visits(std::uint64_t others, std::uint64_t packets) {
  const auto flow = [](std::uint64_t n) {
    return std::make_shared<const Flow>(read_flow(n, 390, 2'560, 9'220, 1'000, 350'000, 768));
  };
  PacketNetwork network(true);
  network.start(flow(4 * others * packets), 0);
  for (std::uint64_t k = 0; k < others; ++k) {
    // The one before has had its half of the wire for as long as it needed.
    const TimePs at = k * 3 * packets * 9'220 + 1'000'000;
    while (network.run(at)) {
    }
    network.start(flow(packets), at);
  }
  while (network.run(time_never)) {
  }
  return network.served();
}

// What contention costs to simulate is counted by its changes: each transfer that comes and goes, however long they are.
TEST(PacketNetwork, ContentionCostsByItsChanges) {
  EXPECT_EQ(visits(1, 16 * 65'536), visits(1, 65'536));
  EXPECT_EQ(visits(8, 16 * 65'536), visits(8, 65'536));
  const std::uint64_t two = visits(2, 65'536);
  const std::uint64_t four = visits(4, 65'536);
  EXPECT_NEAR(static_cast<double>(visits(8, 65'536) - four), 2.0 * static_cast<double>(four - two), 0.01 * static_cast<double>(four));
}

}  // namespace
}  // namespace sluice::sim
