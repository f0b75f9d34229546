#include "sim/models/link/link_gauges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "sim/models/link/packet_network.h"

namespace sluice::sim {
namespace {

// What a viewer shows: of the values told of a time the last one, which holds until the next.
class Shown final : public TraceSink {
 public:
  [[nodiscard]] TraceLevel level() const noexcept override { return TraceLevel::packet; }
  void counter(const CounterRecord& r) override {
    EXPECT_GE(r.at, over) << "told of what was over long ago";
    counters_[std::string(r.part) + " " + std::string(r.name)][r.at] = r.value;
  }
  [[nodiscard]] std::uint64_t at(const std::string& counter, TimePs time) const {
    const auto& values = counters_.at(counter);
    const auto after = values.upper_bound(time);
    return after == values.begin() ? 0 : std::prev(after)->second;
  }
  TimePs over = 0;  // what other records have been told up to

 private:
  std::map<std::string, std::map<TimePs, std::uint64_t>> counters_;
};

// A read of `packets`: 10 up, 40 at home after 100, 25 down after 50; 200 until a tag is free again.
Flow read_flow(std::uint64_t packets, std::uint32_t tags) {
  Flow f;
  f.hops = 3;
  f.end_hop = 2;
  f.path = {Resource::wire_up, Resource::home_agent, Resource::wire_down};
  f.latency_ps = {100, 50, 0};
  f.segments = {{packets, 64, {10, 40, 25}}};
  f.window = tags;
  f.window_part = "link.tags";
  f.window_return_ps = 200;
  return f;
}

// The slowest part takes a packet every 40, a round trip is 10 + 100 + 40 + 50 + 25 + 200 = 425: 11 packets fill it.
TEST(LinkGauges, OfOneFlowByHand) {
  Shown shown;
  LinkGauges gauges(shown, Detail::train);
  const Flow flow = read_flow(100, 64);
  gauges.started(flow, /*alone=*/10'000, 1'000);
  EXPECT_EQ(shown.at("link.up use_permille", 1'000), 100u);    // 100 * 10 of 10 000
  EXPECT_EQ(shown.at("link.down use_permille", 1'000), 250u);  // 100 * 25
  EXPECT_EQ(shown.at("link.tags in_use", 1'000), 11u);
  // A second one with few tags: all of them. Together no more than the whole wire.
  const Flow second = read_flow(100, 4);
  gauges.started(second, 2'500, 2'000);
  EXPECT_EQ(shown.at("link.down use_permille", 2'000), 1'000u);
  EXPECT_EQ(shown.at("link.up use_permille", 2'000), 500u);
  EXPECT_EQ(shown.at("link.tags in_use", 2'000), 15u);
  // The first one's end is known before it comes, and the second one's comes before it.
  gauges.ended(flow, 5'000);
  EXPECT_EQ(shown.at("link.tags in_use", 4'999), 15u);
  EXPECT_EQ(shown.at("link.tags in_use", 5'000), 4u);
  gauges.ended(second, 4'000);
  EXPECT_EQ(shown.at("link.tags in_use", 4'000), 11u);
  EXPECT_EQ(shown.at("link.tags in_use", 5'000), 0u);
  EXPECT_EQ(shown.at("link.down use_permille", 4'500), 250u);
  EXPECT_EQ(shown.at("link.down use_permille", 5'000), 0u);
}

TEST(LinkGauges, AReadHasATagWhateverBoundsIt) {
  Shown shown;
  LinkGauges gauges(shown, Detail::train);
  Flow flow = read_flow(3, 64);
  flow.window_part = "link.read_buffer";
  gauges.started(flow, 1'000, 0);
  EXPECT_EQ(shown.at("link.tags in_use", 0), 3u);
}

// Packets in the network, each counted from its issue to the return of its tag.
struct Counted final : PacketNetwork::Observer {
  Counted(LinkGauges& g, Shown& s) : gauges(g), shown(s) {}
  void served(const Flow& flow, std::size_t hop, const Segment&, TimePs begin, TimePs end) override {
    gauges.served(flow, hop, begin, end);
    shown.over = begin;
    if (hop == 0) ++changes[begin];
    if (hop + 1U == flow.hops) --changes[end + flow.window_return_ps];
  }
  LinkGauges& gauges;
  Shown& shown;
  std::map<TimePs, int> changes;
};

TEST(LinkGauges, PacketsAreCountedExactlyEnough) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    Shown shown;
    LinkGauges gauges(shown, Detail::packet);
    Counted counted(gauges, shown);
    PacketNetwork network(false, &counted);
    const auto tags = static_cast<std::uint32_t>(1 + random() % 64);
    TimePs now = 0;
    const auto run = [&](TimePs until) {
      while (const auto ended = network.run(until)) gauges.ended(*ended->flow, ended->times.end);
    };
    for (std::uint64_t flows = 1 + random() % 4; flows > 0; --flows) {
      // Some meet the one before, some come while its last tags return, some later.
      now += random() % (random() % 2 == 0 ? 600 : 20'000);
      run(now);
      if (network.empty()) {
        gauges.drained();
        shown.over = now;
      }
      const auto flow = std::make_shared<const Flow>(read_flow(1 + random() % 200, tags));
      gauges.started(*flow, 10'000, now);
      network.start(flow, now);
    }
    run(time_never);
    ASSERT_TRUE(network.empty());
    gauges.drained();
    gauges.drained();  // told once
    int in_use = 0;
    for (const auto& [at, change] : counted.changes) {
      in_use += change;
      ASSERT_GE(in_use, 0);
      const auto is = static_cast<std::uint64_t>(in_use);
      const std::uint64_t told = shown.at("link.tags in_use", at);
      ASSERT_LT(is > told ? is - told : told - is, std::max<std::uint64_t>(1, std::max(is, told) / 8)) << "round " << round << " at " << at;
      if (is == 0 || is == tags) {
        ASSERT_EQ(told, is) << "round " << round << " at " << at;
      }
    }
    EXPECT_EQ(in_use, 0);
  }
}

}  // namespace
}  // namespace sluice::sim
