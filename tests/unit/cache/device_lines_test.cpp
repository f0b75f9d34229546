// What a device pays to take lines of its own memory back from the host, by hand.
#include "sim/cache/device_lines.h"

#include <gtest/gtest.h>

namespace sluice::cache {
namespace {

constexpr std::uint64_t line = 64;
constexpr std::uint64_t page = 4096;

profile::Link link_with(std::uint32_t filter_lines) {
  profile::Link l;
  l.device_memory = profile::DeviceMemoryCoherence::back_invalidation;
  l.flit_bytes = 68;
  l.flit_payload_bytes = 64;  // a byte of a message takes 1.0625 of the wire
  l.line_bytes = line;
  l.request_bytes = 16;
  l.response_bytes = 4;
  l.data_header_bytes = 4;
  l.propagation_ps = 100;
  l.filter_lines = filter_lines;
  l.filter_snoops = 4;
  l.bias_page_bytes = page;
  l.bias_flip_ps = 900;
  return l;
}

profile::Link biased() {
  profile::Link l = link_with(0);
  l.device_memory = profile::DeviceMemoryCoherence::bias;
  return l;
}

profile::Host host() {
  profile::Host h;
  h.private_cache.capacity_bytes = 64 * line;
  h.last_level_cache.capacity_bytes = 1024 * line;
  h.home_agent.snoop_latency_ps = 50;
  return h;
}

constexpr TimePs round_trip = 2 * 100 + 50;

DeviceLines make(const profile::Link& link) { return {link, host(), 1.0}; }

TEST(DeviceLines, OnlyWhatTheHostHoldsIsTakenBack) {
  DeviceLines lines = make(link_with(0));
  EXPECT_EQ(lines.device_touches(0, page).ps, 0U);
  EXPECT_EQ(lines.host_touches(640, 1, false).ps, 0U);
  const DeviceLines::Taken taken = lines.device_touches(0, page);
  EXPECT_EQ(taken.lines, 1U);
  EXPECT_EQ(taken.dirty, 0U);
  EXPECT_EQ(taken.ps, round_trip);
  EXPECT_EQ(lines.device_touches(0, page).lines, 0U);
}

// Four under way at once: after the first, one each 250 / 4. Data of four modified lines (4 + 68 bytes an answer, in
// flits) take longer: 306 for all.
TEST(DeviceLines, TheSlowestPartSetsThePace) {
  DeviceLines lines = make(link_with(0));
  static_cast<void>(lines.host_touches(0, 4 * line, false));
  EXPECT_EQ(lines.device_touches(0, page).ps, round_trip + 188);  // 250 * 3 / 4
  static_cast<void>(lines.host_touches(0, 4 * line, true));
  const DeviceLines::Taken dirty = lines.device_touches(0, page);
  EXPECT_EQ(dirty.dirty, 4U);
  EXPECT_EQ(dirty.ps, round_trip + 230);  // 306 * 3 / 4
  profile::Link wide = link_with(0);
  wide.filter_snoops = 1000;
  DeviceLines many = make(wide);
  static_cast<void>(many.host_touches(0, 4 * line, false));
  EXPECT_EQ(many.device_touches(0, page).ps, round_trip + 51);  // requests: 4 * 16 * 1.0625 * 3 / 4
}

// A filter of eight: of ten lines that the host touches two are taken back at once, and eight when the device comes.
TEST(DeviceLines, AFilterThatOverflowsBackInvalidates) {
  DeviceLines lines = make(link_with(8));
  EXPECT_EQ(lines.host_touches(0, 8 * line, true).lines, 0U);
  const DeviceLines::Taken over = lines.host_touches(8 * line, 2 * line, true);
  EXPECT_EQ(over.lines, 2U);
  EXPECT_EQ(over.dirty, 2U);
  EXPECT_EQ(over.ps, round_trip + 77);  // data: (2 * 4 + 2 * 68) * 1.0625 / 2 = 76.5, above 250 * 2 / 4 / 2 = 62.5
  EXPECT_EQ(lines.held_lines(), 8U);
  EXPECT_EQ(lines.device_touches(0, 2 * line).lines, 0U);  // those are gone
  EXPECT_EQ(lines.device_touches(0, page).lines, 8U);
}

// What the host's caches evict by themselves costs the device nothing.
TEST(DeviceLines, AFilterLargerThanTheHostsCachesNeverOverflows) {
  DeviceLines lines = make(link_with(2048));
  EXPECT_EQ(lines.host_touches(0, 4096 * line, true).ps, 0U);
  EXPECT_EQ(lines.held_lines(), 1024U);
}

// Pages go to the host and back whole, 900 a flip; the host flushes what it has changed: 68 bytes a line, in flits.
TEST(DeviceLines, BiasFlipsWholePages) {
  DeviceLines lines = make(biased());
  EXPECT_EQ(lines.host_touches(100, page, false).ps, 2 * 900U);
  EXPECT_EQ(lines.host_touches(0, 2 * page, false).flips, 0U);
  const DeviceLines::Taken first = lines.device_touches(0, 1);
  EXPECT_EQ(first.flips, 1U);
  EXPECT_EQ(first.lines, 0U);
  EXPECT_EQ(first.ps, 900U);
  EXPECT_EQ(lines.device_touches(0, page).flips, 0U);
  static_cast<void>(lines.host_touches(page, 4 * line, true));
  EXPECT_EQ(lines.device_touches(0, 2 * page).ps, 900U + 289);
}

TEST(DeviceLines, FreedMemoryIsForgotten) {
  for (const profile::Link& link : {link_with(0), biased()}) {
    DeviceLines lines = make(link);
    static_cast<void>(lines.host_touches(0, page, true));
    lines.forget(0, page);
    EXPECT_EQ(lines.device_touches(0, page).ps, 0U);
  }
}

// 2^40 bytes cost what one line costs.
TEST(DeviceLines, RangesCostByTheirRuns) {
  DeviceLines lines = make(link_with(8));
  EXPECT_EQ(lines.host_touches(0, 1ULL << 40, true).lines, (1ULL << 34) - 8);
  EXPECT_EQ(lines.device_touches(0, 1ULL << 40).lines, 8U);
}

}  // namespace
}  // namespace sluice::cache
