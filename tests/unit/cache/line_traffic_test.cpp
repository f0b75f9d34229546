#include "sim/cache/line_traffic.h"

#include <gtest/gtest.h>

namespace sluice::cache {
namespace {

using Access = DeviceAccess;

// What each access sends, read off the tables of docs/coherence.md.
TEST(LineTraffic, CopiesReadWithoutKeeping) {
  const LineTraffic& absent = traffic_of(Access::read_current, LineState::memory);  // read_current, data_current
  EXPECT_EQ(absent.requests_up, 1U);
  EXPECT_EQ(absent.data_down, 1U);
  EXPECT_EQ(absent.responses_up + absent.data_up + absent.requests_down + absent.responses_down, 0U);
  EXPECT_EQ(absent.core_snoops, 0U);
  const LineTraffic& dirty = traffic_of(Access::read_current, LineState::private_dirty);
  EXPECT_EQ(dirty.requests_up, 1U);
  EXPECT_EQ(dirty.data_down, 1U);
  EXPECT_EQ(dirty.core_snoops, 1U);
  EXPECT_TRUE(dirty.core_data);
  EXPECT_EQ(dirty.core_after, CacheState::modified);
}

TEST(LineTraffic, KernelsReadIntoTheDevicesCache) {
  // read_shared, go_exclusive; evict_clean, drop.
  const LineTraffic& absent = traffic_of(Access::read, LineState::llc);
  EXPECT_EQ(absent.requests_up, 2U);
  EXPECT_EQ(absent.data_down, 1U);
  EXPECT_EQ(absent.responses_down, 1U);
  EXPECT_EQ(absent.evictions, 1U);
  // read_shared, go_shared; the copy is dropped silently.
  const LineTraffic& dirty = traffic_of(Access::read, LineState::private_dirty);
  EXPECT_EQ(dirty.requests_up, 1U);
  EXPECT_EQ(dirty.data_down, 1U);
  EXPECT_EQ(dirty.responses_down, 0U);
  EXPECT_EQ(dirty.evictions, 0U);
  EXPECT_EQ(dirty.core_snoops, 1U);
  EXPECT_TRUE(dirty.core_data);
  EXPECT_EQ(dirty.core_after, CacheState::shared);
  EXPECT_FALSE(traffic_of(Access::read, LineState::private_clean).core_data);
}

TEST(LineTraffic, WholeLinesAreWrittenWithoutFetchingThem) {
  for (const LineState state : {LineState::memory, LineState::private_clean, LineState::private_dirty}) {
    const LineTraffic& t = traffic_of(Access::write_line, state);  // write_line, write_pull, write_data
    EXPECT_EQ(t.requests_up, 1U);
    EXPECT_EQ(t.responses_down, 1U);
    EXPECT_EQ(t.data_up, 1U);
    EXPECT_EQ(t.data_down, 0U);
    EXPECT_EQ(t.core_snoops, state == LineState::memory ? 0U : 1U);
    EXPECT_EQ(t.core_after, CacheState::invalid);
  }
}

TEST(LineTraffic, PartsOfLinesAreFetchedAndWrittenBack) {
  // read_own, go_exclusive; evict_dirty, write_pull, write_data.
  const LineTraffic& t = traffic_of(Access::write_part, LineState::private_dirty);
  EXPECT_EQ(t.requests_up, 2U);
  EXPECT_EQ(t.data_down, 1U);
  EXPECT_EQ(t.responses_down, 1U);
  EXPECT_EQ(t.data_up, 1U);
  EXPECT_EQ(t.core_snoops, 1U);
  EXPECT_TRUE(t.core_data);
  EXPECT_EQ(t.core_after, CacheState::invalid);
}

// Where the line is afterwards is also what the timed model keeps of it.
TEST(LineTraffic, HostMemoryFollowsTheProtocol) {
  profile::Host h;
  h.private_cache.capacity_bytes = 128;
  h.last_level_cache.capacity_bytes = 128;
  for (const bool writes : {false, true}) {
    HostMemory m(h);
    m.cpu_wrote(0, 64);
    if (writes) {
      m.device_wrote(0, 64);
    } else {
      m.device_read(0, 64);
    }
    std::vector<LineRun> runs;
    m.classify(0, 64, runs);
    const Access access = writes ? Access::write_line : Access::read;
    const CacheState after = traffic_of(access, LineState::private_dirty).core_after;
    EXPECT_EQ(runs.at(0).state, after == CacheState::shared ? LineState::private_clean : LineState::llc);
  }
}

}  // namespace
}  // namespace sluice::cache
