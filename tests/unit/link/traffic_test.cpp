// times_alone() against the recurrence that defines it, packet by packet.
#include "sim/models/traffic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace sluice::sim {
namespace {

// A packet enters a hop when it has arrived and its predecessor has left, and the first one only when the packet
// `window` before it has left the last hop and its slot is back.
FlowTimes by_packet(const Flow& f) {
  std::vector<TimePs> left(f.hops, 0);
  std::vector<TimePs> finished;
  FlowTimes times;
  for (const Segment& s : f.segments) {
    for (std::uint64_t p = 0; p < s.packets; ++p) {
      TimePs at = 0;
      if (f.window > 0 && finished.size() >= f.window) at = finished[finished.size() - f.window] + f.window_return_ps;
      for (std::size_t j = 0; j < f.hops; ++j) {
        left[j] = std::max(left[j], at) + s.service_ps[j];
        at = left[j] + f.latency_ps[j];
        if (j == f.end_hop) times.end = j + 1U == f.hops ? at : left[j];
      }
      finished.push_back(left[f.hops - 1U]);
      times.drained = at;
    }
  }
  return times;
}

TEST(TimeAlone, ByHand) {
  Flow f;
  f.hops = 2;
  f.end_hop = 1;
  f.latency_ps = {100, 7};
  f.segments = {{3, 64, {10, 20}}};
  EXPECT_EQ(time_alone(f), 10U + 100 + 3 * 20 + 7);
  f.window = 1;  // each packet alone: 10 + 100 + 20, and 5 until the next
  f.window_return_ps = 5;
  EXPECT_EQ(time_alone(f), 2U * 135 + 130 + 7);
  f.end_hop = 0;  // over when the last packet has left the first hop, one packet's 120 and the latency before
  EXPECT_EQ(times_alone(f).end, 2U * 135 + 10);
  EXPECT_EQ(times_alone(f).drained, 2U * 135 + 130 + 7);
}

TEST(TimeAlone, EqualsPacketByPacket) {
  std::mt19937_64 rng(7);
  for (int n = 0; n < 3000; ++n) {
    Flow f;
    f.hops = static_cast<std::uint8_t>(1 + rng() % 4);
    f.end_hop = static_cast<std::uint8_t>(rng() % f.hops);
    for (std::size_t j = 0; j < f.hops; ++j) f.latency_ps[j] = rng() % 400;
    f.window = static_cast<std::uint32_t>(rng() % 3 == 0 ? 0 : 1 + rng() % 40);
    f.window_return_ps = rng() % 300;
    for (std::uint64_t s = 1 + rng() % 4; s > 0; --s) {
      Segment segment{1 + rng() % (rng() % 4 == 0 ? 1 : 200), 64, {}};
      for (std::size_t j = 0; j < f.hops; ++j) segment.service_ps[j] = rng() % 60;
      f.segments.push_back(segment);
    }
    const FlowTimes expected = by_packet(f);
    ASSERT_EQ(times_alone(f).end, expected.end) << "flow " << n << " hops " << int{f.hops} << " window " << f.window;
    ASSERT_EQ(times_alone(f).drained, expected.drained) << "flow " << n;
  }
}

TEST(AloneTimes, AnswersWhatTheFunctionsAnswer) {
  std::mt19937_64 rng(3);
  AloneTimes times;
  std::vector<Flow> flows(200);  // more than the table holds
  for (Flow& f : flows) {
    f.hops = 2;
    f.end_hop = static_cast<std::uint8_t>(rng() % 2);
    f.path = {Resource::wire_up, Resource::home_agent};
    f.latency_ps = {rng() % 3, rng() % 3};
    f.window = static_cast<std::uint32_t>(rng() % 4);
    f.segments = {{1 + rng() % 5, 64, {rng() % 4, rng() % 4}}};
    f.segments.front().unsnooped_ps = rng() % 3;
  }
  for (int round = 0; round < 3; ++round) {
    for (const Flow& f : flows) {
      ASSERT_EQ(times(f).end, times_alone(f).end);
      ASSERT_EQ(times(f).drained, times_alone(f).drained);
      ASSERT_EQ(times(f, Without::walks_and_snoops).end, times_alone(f, Without::walks_and_snoops).end);
    }
  }
}

}  // namespace
}  // namespace sluice::sim
