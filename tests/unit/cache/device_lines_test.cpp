// Which lines of its own memory a device takes back from the host. What that costs the link: link_test.cpp.
#include "sim/cache/device_lines.h"

#include <gtest/gtest.h>

namespace sluice::cache {
namespace {

constexpr std::uint64_t line = 64;
constexpr std::uint64_t page = 4096;

profile::Link link_with(std::uint32_t filter_lines) {
  profile::Link l;
  l.device_memory = profile::DeviceMemoryCoherence::back_invalidation;
  l.line_bytes = line;
  l.filter_lines = filter_lines;
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
  return h;
}

DeviceLines make(const profile::Link& link) { return {link, host()}; }

TEST(DeviceLines, OnlyWhatTheHostHoldsIsTakenBack) {
  DeviceLines lines = make(link_with(0));
  EXPECT_EQ(lines.device_touches(0, page).lines, 0U);
  EXPECT_EQ(lines.host_touches(640, 1, false).lines, 0U);
  const DeviceLines::Taken taken = lines.device_touches(0, page);
  EXPECT_EQ(taken.lines, 1U);
  EXPECT_EQ(taken.dirty, 0U);
  EXPECT_EQ(lines.device_touches(0, page).lines, 0U);
}

// A filter of eight: of ten lines that the host touches two are taken back at once, and eight when the device comes.
TEST(DeviceLines, AFilterThatOverflowsBackInvalidates) {
  DeviceLines lines = make(link_with(8));
  EXPECT_EQ(lines.host_touches(0, 8 * line, true).lines, 0U);
  const DeviceLines::Taken over = lines.host_touches(8 * line, 2 * line, true);
  EXPECT_EQ(over.lines, 2U);
  EXPECT_EQ(over.dirty, 2U);
  EXPECT_EQ(lines.held_lines(), 8U);
  EXPECT_EQ(lines.device_touches(0, 2 * line).lines, 0U);  // those are gone
  EXPECT_EQ(lines.device_touches(0, page).lines, 8U);
}

// What the host's caches evict by themselves costs the device nothing.
TEST(DeviceLines, AFilterLargerThanTheHostsCachesNeverOverflows) {
  DeviceLines lines = make(link_with(2048));
  EXPECT_EQ(lines.host_touches(0, 4096 * line, true).lines, 0U);
  EXPECT_EQ(lines.held_lines(), 1024U);
}

// Pages go to the host and back whole, 900 a flip; the host flushes what it has changed.
TEST(DeviceLines, BiasFlipsWholePages) {
  DeviceLines lines = make(biased());
  EXPECT_EQ(lines.host_touches(100, page, false).flips_ps, 2 * 900U);
  EXPECT_EQ(lines.host_touches(0, 2 * page, false).flips, 0U);
  const DeviceLines::Taken first = lines.device_touches(0, 1);
  EXPECT_EQ(first.flips, 1U);
  EXPECT_EQ(first.lines, 0U);
  EXPECT_EQ(first.flips_ps, 900U);
  EXPECT_EQ(lines.device_touches(0, page).flips, 0U);
  static_cast<void>(lines.host_touches(page, 4 * line, true));
  const DeviceLines::Taken second = lines.device_touches(0, 2 * page);
  EXPECT_EQ(second.flips_ps, 900U);
  EXPECT_EQ(second.dirty, 4U);
}

TEST(DeviceLines, FreedMemoryIsForgotten) {
  for (const profile::Link& link : {link_with(0), biased()}) {
    DeviceLines lines = make(link);
    static_cast<void>(lines.host_touches(0, page, true));
    lines.forget(0, page);
    const DeviceLines::Taken taken = lines.device_touches(0, page);
    EXPECT_EQ(taken.lines + taken.dirty + taken.flips, 0U);
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
