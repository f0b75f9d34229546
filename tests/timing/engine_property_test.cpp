// `train` is held to `packet`: the same traffic ends at the same time, exactly when a flow is alone, within 0.1 % when
// flows share a resource. Both engines run side by side in one kernel, so one process tests many cases.
#include <gtest/gtest.h>

#include <systemc>

#include <random>

#include "sim/clock/kernel_time.h"
#include "sim/models/link/packet_engine.h"
#include "sim/models/link/train_engine.h"

namespace sluice::sim {
namespace {

struct Ends {
  std::vector<TimePs> train;
  std::vector<TimePs> packet;
};

// One pair of engines for all cases: SystemC allows no module after the first start.
class Engines {
 public:
  static Engines& instance() {
    static Engines engines;
    return engines;
  }

  // Starts each flow at its offset from now on both engines and runs until all have ended.
  Ends run(const std::vector<Flow>& flows, const std::vector<TimePs>& offsets) {
    Ends ends{std::vector<TimePs>(flows.size()), std::vector<TimePs>(flows.size())};
    const TimePs origin = kernel_now();
    std::size_t done = 0;
    std::vector<std::size_t> order(flows.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return offsets[a] < offsets[b]; });
    for (const std::size_t i : order) {
      const TimePs at = origin + offsets[i];
      kernel_run_limit = at;
      if (at > kernel_now()) sc_core::sc_start(sc_core::sc_time::from_value(at - kernel_now()));
      train_.start(flows[i], [&, i](TimePs end) { ends.train[i] = end - origin, ++done; });
      packet_.start(flows[i], [&, i](TimePs end) { ends.packet[i] = end - origin, ++done; });
    }
    kernel_run_limit = time_never;
    while (done < 2 * flows.size() && sc_core::sc_pending_activity()) {
      sc_core::sc_start(sc_core::sc_time_to_pending_activity() + sc_core::sc_time::from_value(1));
    }
    EXPECT_EQ(done, 2 * flows.size());
    // Leave the past behind: the packet engine's servers stay busy until their last packet.
    sc_core::sc_start(sc_core::sc_time(1, sc_core::SC_SEC));
    return ends;
  }
  [[nodiscard]] const TrainEngine& train() const { return train_; }

 private:
  Engines() : train_("train"), packet_("packet", nullptr) {}
  TrainEngine train_;
  PacketEngine packet_;
};

Flow read_flow(std::uint64_t packets, TimePs request, TimePs home, TimePs data, TimePs memory, TimePs latency,
               std::uint32_t tags) {
  Flow f;
  f.hops = 4;
  f.path = {Resource::wire_up, Resource::home_agent, Resource::wire_down, Resource::device_memory};
  f.latency_ps = {latency, latency, latency, latency / 2};
  f.window = tags;
  f.segments = {{packets, 512, {request, home, data, memory}}};
  return f;
}

Flow write_flow(std::uint64_t packets, TimePs memory, TimePs data, TimePs home, TimePs back, std::uint32_t credits) {
  Flow f;
  f.hops = 3;
  f.path = {Resource::device_memory, Resource::wire_up, Resource::home_agent};
  f.latency_ps = {0, 0, 0};
  f.window = credits;
  f.window_return_ps = back;
  f.segments = {{packets, 256, {memory, data, home}}};
  return f;
}

TEST(Train, EqualsPacketExactlyWhenAlone) {
  std::mt19937_64 random(20240517);
  const auto upto = [&](std::uint64_t n) { return random() % n + 1; };
  for (int i = 0; i < 400; ++i) {
    Flow f;
    f.hops = static_cast<std::uint8_t>(2 + random() % 3);
    const Resource order[] = {Resource::wire_up, Resource::home_agent, Resource::wire_down, Resource::device_memory};
    for (std::size_t j = 0; j < f.hops; ++j) {
      f.path[j] = order[j];
      f.latency_ps[j] = random() % 500'000;
    }
    if (random() % 2 == 0) f.window = static_cast<std::uint32_t>(upto(64));
    f.window_return_ps = random() % 300'000;
    const std::size_t segments = upto(4);
    for (std::size_t s = 0; s < segments; ++s) {
      Segment segment;
      segment.packets = upto(1500);
      segment.packet_bytes = 512;
      for (std::size_t j = 0; j < f.hops; ++j) segment.service_ps[j] = random() % 12'000;
      f.segments.push_back(segment);
    }
    const Ends ends = Engines::instance().run({f}, {0});
    ASSERT_EQ(ends.train[0], ends.packet[0]) << "case " << i << ", window " << f.window;
  }
}

TEST(Train, StaysWithinATenthOfAPercentWhenFlowsShare) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 24; ++i) {
    std::vector<Flow> flows;
    std::vector<TimePs> offsets;
    const std::size_t n = 2 + random() % 3;
    for (std::size_t k = 0; k < n; ++k) {
      const std::uint64_t packets = 131072 + random() % 262144;  // 64 to 192 MiB
      if (random() % 2 == 0) {
        flows.push_back(read_flow(packets, 390, 2'560 + random() % 2 * 19'700, 9'220, 1'000, 350'000, 256));
      } else {
        flows.push_back(write_flow(2 * packets, 500, 4'610, 1'280 + random() % 2 * 9'000, 1'000'000, 512));
      }
      offsets.push_back(random() % 2'000'000'000);
    }
    const Ends ends = Engines::instance().run(flows, offsets);
    for (std::size_t k = 0; k < n; ++k) {
      const double span = static_cast<double>(ends.packet[k] - offsets[k]);
      const double error = std::abs(static_cast<double>(ends.train[k]) - static_cast<double>(ends.packet[k])) / span;
      EXPECT_LE(error, 0.001) << "case " << i << " flow " << k << " of " << n << ": train " << ends.train[k]
                              << " packet " << ends.packet[k];
    }
  }
}

TEST(Train, TwoReadsShareOneWire) {
  // 16384 packets of 9220 ps on the wire alone: 151.06 us and a latency of 3 x 350 ns.
  const Flow f = read_flow(16384, 390, 2'560, 9'220, 1'000, 350'000, 768);
  const Ends alone = Engines::instance().run({f}, {0});
  const Ends both = Engines::instance().run({f, f}, {0, 0});
  EXPECT_EQ(alone.train[0], 390U + 350'000 + 2'560 + 350'000 + 16384ULL * 9'220 + 350'000 + 1'000 + 175'000);
  EXPECT_NEAR(static_cast<double>(both.train[1]) / static_cast<double>(alone.train[0]), 2.0, 0.02);
}

TEST(Train, DirectionsDoNotShareAWire) {
  const Flow read = read_flow(16384, 0, 2'560, 9'220, 0, 350'000, 768);
  Flow write = write_flow(32768, 0, 4'610, 1'280, 1'000'000, 1024);
  const Ends read_alone = Engines::instance().run({read}, {0});
  const Ends both = Engines::instance().run({read, write}, {0, 0});
  // Requests of no wire time take nothing from the writes; both meet at a home agent with room for both.
  EXPECT_NEAR(static_cast<double>(both.train[0]), static_cast<double>(read_alone.train[0]), 1e-3 * static_cast<double>(read_alone.train[0]));
}

TEST(Train, EventsDoNotDependOnSize) {
  const Flow small = read_flow(64, 390, 2'560, 9'220, 1'000, 350'000, 768);
  const Flow large = read_flow(2'000'000, 390, 2'560, 9'220, 1'000, 350'000, 768);
  Engines& engines = Engines::instance();
  const std::uint64_t start = engines.train().events();
  const auto count = [&](const Flow& f) {
    const std::uint64_t before = engines.train().events();
    engines.run({f}, {0});
    return engines.train().events() - before;
  };
  EXPECT_EQ(count(small), count(large));
  EXPECT_GT(engines.train().events(), start);
}

}  // namespace
}  // namespace sluice::sim
