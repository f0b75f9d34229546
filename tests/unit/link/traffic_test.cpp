// times_alone() against the recurrence that defines it, packet by packet.
#include "sim/models/traffic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace sluice::sim {
namespace {

// What a kind of credits has seen: units taken, and when each comes back.
struct Taken {
  std::vector<std::pair<TimePs, std::uint32_t>> packets;

  // The earliest time at which no more than `capacity - units` are out: all packets are looked at, from the first.
  [[nodiscard]] TimePs room(std::uint64_t capacity, std::uint32_t units) const {
    TimePs at = 0;
    std::uint64_t out = 0;
    for (const auto& [back, n] : packets) out += n;
    for (const auto& [back, n] : packets) {
      if (out + units <= capacity) break;
      at = std::max(at, back);
      out -= n;
    }
    return at;
  }
};

// A packet enters a hop when it has arrived and its predecessor has left, and the first one only when the packet
// `window` before it has left the last hop and its slot is back; a wire only with the credits that it needs.
FlowTimes by_packet(const Flow& f) {
  std::vector<TimePs> left(f.hops, 0);
  std::vector<TimePs> finished;
  std::vector<Taken> taken(f.credits.size());
  FlowTimes times;
  for (const Segment& s : f.segments) {
    for (std::uint64_t p = 0; p < s.packets; ++p) {
      TimePs at = 0;
      if (f.window > 0 && finished.size() >= f.window) at = finished[finished.size() - f.window] + f.window_return_ps;
      for (std::size_t j = 0; j < f.hops; ++j) {
        for (std::size_t c = 0; c < taken.size(); ++c) {
          if (f.credits[c].hop == j) at = std::max(at, taken[c].room(f.credits[c].capacity, f.credits[c].units(s)));
        }
        left[j] = std::max(left[j], at) + s.service_ps[j];
        at = left[j] + f.latency_ps[j];
        if (j == f.end_hop) times.end = j + 1U == f.hops ? at : left[j];
      }
      for (std::size_t c = 0; c < taken.size(); ++c) {
        taken[c].packets.emplace_back(left[f.credits[c].until_hop] + f.credits[c].return_ps, f.credits[c].units(s));
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

// Up to three kinds of credits anywhere on the way, of packets and of bytes.
TEST(TimeAlone, EqualsPacketByPacketWithCredits) {
  std::mt19937_64 rng(19);
  for (int n = 0; n < 1500; ++n) {
    Flow f;
    f.hops = static_cast<std::uint8_t>(2 + rng() % 5);
    f.end_hop = static_cast<std::uint8_t>(rng() % f.hops);
    for (std::size_t j = 0; j < f.hops; ++j) f.latency_ps[j] = rng() % 400;
    f.window = static_cast<std::uint32_t>(rng() % 3 == 0 ? 0 : 1 + rng() % 40);
    f.window_return_ps = rng() % 300;
    for (std::uint64_t c = 1 + rng() % 3; c > 0; --c) {
      CreditWindow w;
      w.kind = static_cast<Credit>(c);
      w.hop = static_cast<std::uint8_t>(rng() % f.hops);
      w.until_hop = static_cast<std::uint8_t>(w.hop + rng() % (f.hops - w.hop));
      w.return_ps = rng() % 500;
      w.unit = rng() % 2 == 0 ? CreditWindow::Unit::packets : CreditWindow::Unit::bytes;
      w.capacity = static_cast<std::uint32_t>(w.unit == CreditWindow::Unit::packets ? 1 + rng() % 40 : 1 + rng() % 4096);
      f.credits.push_back(w);
    }
    for (std::uint64_t s = 1 + rng() % 4; s > 0; --s) {
      Segment segment{1 + rng() % (rng() % 4 == 0 ? 1 : 200), static_cast<std::uint32_t>(16 + rng() % 256), {}};
      for (std::size_t j = 0; j < f.hops; ++j) segment.service_ps[j] = rng() % 60;
      f.segments.push_back(segment);
    }
    const FlowTimes expected = by_packet(f);
    ASSERT_EQ(times_alone(f).end, expected.end) << "flow " << n << " hops " << int{f.hops} << " window " << f.window;
    ASSERT_EQ(times_alone(f).drained, expected.drained) << "flow " << n;
  }
}

// 4096 packets of which four are out at once, each for 10 + 100 + 20 + 70 ps: four every 200 ps, and the last four do not
// wait for their credits.
TEST(TimeAlone, CreditsByHand) {
  Flow f;
  f.hops = 2;
  f.end_hop = 1;
  f.latency_ps = {100, 0};
  f.segments = {{4096, 256, {10, 20}}};
  f.segments.front().data_credits = 16;
  f.credits.push_back({Credit::posted_data, CreditWindow::Unit::data_credits, 0, 1, 70, 79, 0, "credits"});
  // The second to fourth follow 20 ps apart, and so do their credits: a round takes 200 ps, and the four keep their distance.
  EXPECT_EQ(time_alone(f), 1023U * 200 + 130 + 3 * 20);
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
