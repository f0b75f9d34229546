#include "sim/cache/host_memory.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::cache {
namespace {

// Two lines in the private cache, two in the last-level cache.
profile::Host small_host() {
  profile::Host h;
  h.private_cache.capacity_bytes = 128;
  h.last_level_cache.capacity_bytes = 128;
  h.copy.overhead_ps = 100;
  h.copy.private_bytes_per_s = 64'000'000'000;
  h.copy.llc_bytes_per_s = 48'000'000'000;
  h.copy.memory_bytes_per_s = 32'000'000'000;
  return h;
}

// State of each line from 0 on.
std::vector<LineState> states(const HostMemory& m, std::uint64_t lines) {
  std::vector<LineRun> runs;
  m.classify(0, lines * 64, runs);
  std::vector<LineState> out;
  for (const LineRun& r : runs) out.insert(out.end(), r.lines, r.state);
  return out;
}

constexpr auto mem = LineState::memory;
constexpr auto llc = LineState::llc;
constexpr auto clean = LineState::private_clean;
constexpr auto dirty = LineState::private_dirty;

TEST(HostMemory, PartLinesCountWhole) {
  const profile::Host h = small_host();
  HostMemory m(h);
  m.cpu_wrote(63, 2);
  EXPECT_EQ(states(m, 3), (std::vector{dirty, dirty, mem}));
}

TEST(HostMemory, EvictedLinesAgeInOrder) {
  const profile::Host h = small_host();
  HostMemory m(h);
  m.cpu_wrote(0, 256);
  EXPECT_EQ(states(m, 5), (std::vector{llc, llc, dirty, dirty, mem}));
  m.cpu_read(256, 64);  // drives line 2 out, which drives out line 0
  EXPECT_EQ(states(m, 5), (std::vector{mem, llc, llc, dirty, clean}));
}

// A filter of two lines lists the last two of four that a core has written, which has room for them all; what a device takes
// drives out the oldest entry, whoever has the line.
TEST(HostMemory, LinesOutsideTheFilterLeaveTheCaches) {
  profile::Host h = small_host();
  h.private_cache.capacity_bytes = h.last_level_cache.capacity_bytes = 256;
  h.home_agent.filter_lines = 2;
  HostMemory m(h);
  m.cpu_wrote(0, 256);
  EXPECT_EQ(states(m, 5), (std::vector{llc, llc, dirty, dirty, mem}));
  HostMemory::Recalls taken = m.device_holds(256, 64);
  EXPECT_EQ(taken.core_lines, 1U);
  EXPECT_EQ(taken.device_lines, 0U);
  EXPECT_EQ(states(m, 5), (std::vector{llc, llc, llc, dirty, mem}));
  taken = m.device_holds(320, 128);
  EXPECT_EQ(taken.core_lines, 1U);
  EXPECT_EQ(taken.device_lines, 1U);
  EXPECT_EQ(states(m, 4), (std::vector{llc, llc, llc, llc}));
  m.device_drops(256, 192);
  m.cpu_wrote(0, 128);
  EXPECT_EQ(states(m, 2), (std::vector{dirty, dirty}));
  EXPECT_EQ(m.device_holds(1024, 64).core_lines, 1U);
  // Four lines for two entries: the first two are the device's own again.
  m.device_drops(1024, 64);
  taken = m.device_holds(2048, 256);
  EXPECT_EQ(taken.core_lines, 1U);
  EXPECT_EQ(taken.device_lines, 2U);
}

TEST(HostMemory, WithoutAFilterAllIsListed) {
  profile::Host h = small_host();
  h.private_cache.capacity_bytes = 256;
  HostMemory m(h);
  m.cpu_wrote(0, 256);
  const HostMemory::Recalls taken = m.device_holds(0, 1 << 20);
  EXPECT_EQ(taken.core_lines + taken.device_lines, 0U);
  EXPECT_EQ(states(m, 4), (std::vector{dirty, dirty, dirty, dirty}));
}

TEST(HostMemory, DeviceTraffic) {
  const profile::Host h = small_host();
  HostMemory m(h);
  m.cpu_wrote(0, 128);
  m.device_read(0, 64);
  EXPECT_EQ(states(m, 2), (std::vector{clean, dirty}));
  m.device_wrote(64, 64);
  EXPECT_EQ(states(m, 2), (std::vector{clean, llc}));
  m.forget(0, 128);
  EXPECT_EQ(states(m, 2), (std::vector{mem, mem}));
}

// 32 bytes of a private line at 64 GB/s: 500 ps; 32 bytes of memory at 32 GB/s: 1000 ps.
TEST(HostMemory, CopyOverABorderCostsItsBytes) {
  const profile::Host h = small_host();
  HostMemory m(h);
  m.cpu_wrote(0, 64);
  EXPECT_EQ(m.copy_in(32, 4096, 64), 100U + 500 + 1000);
}

// A line that the program wrote (1000 ps at 64 GB/s and 700 more) and one in memory (4000 ps at 16 GB/s). Others than the
// caller's core read what it has as any reader does: it stays, written back, so that nothing is added a second time.
TEST(HostMemory, AnotherCoreFetchesWhatTheProgramWrote) {
  profile::Host h = small_host();
  h.copy.thread_dirty_line_ps = 700;
  h.copy.thread_memory_bytes_per_s = 16'000'000'000;
  h.copy.streaming_threshold_bytes = 64;  // the buffer takes no room in the cache
  h.copy.streaming_bytes_per_s = 64'000'000'000;
  HostMemory m(h);
  m.cpu_wrote(0, 64);
  EXPECT_EQ(m.copy_in(0, 4096, 128, Copier::driver_thread), 100U + 1000 + 700 + 4000);
  EXPECT_EQ(states(m, 2), (std::vector{clean, clean}));
  EXPECT_EQ(m.copy_in(0, 4096, 128, Copier::driver_thread), 100U + 1000 + 1000);
  m.cpu_wrote(0, 64);
  EXPECT_EQ(m.copy_in(0, 4096, 64), 100U + 1000);  // the caller has it at hand
  EXPECT_EQ(states(m, 1), (std::vector{dirty}));
}

// 1000 ps a line at 64 GB/s; of the two, one is in a core's cache.
TEST(HostMemory, StreamingCopiesOutEvictWhatTheyMeet) {
  profile::Host h = small_host();
  h.copy.out_bytes_per_s = 64'000'000'000;
  h.copy.out_private_line_ps = 300;
  h.copy.streaming_threshold_bytes = 256;
  const auto out = [&](HostMemory& m) {
    m.cpu_wrote(0, 64);
    return m.copy_out(4096, 0, 128);
  };
  HostMemory ordinary(h);
  EXPECT_EQ(out(ordinary), 2000U);
  EXPECT_EQ(states(ordinary, 2), (std::vector{dirty, dirty}));
  h.copy.out_streaming_threshold_bytes = 128;
  HostMemory streaming(h);
  EXPECT_EQ(out(streaming), 2000U + 300);
  EXPECT_EQ(states(streaming, 2), (std::vector{mem, mem}));
}

// 64 bytes at 64 GB/s where a core has them, at 32 GB/s where not.
TEST(HostMemory, StoresTakeTheirTime) {
  profile::Host h = small_host();
  HostMemory untimed(h);
  EXPECT_EQ(untimed.store_time(0, 128), 0U);
  h.copy.store_bytes_per_s = 32'000'000'000;
  HostMemory one_rate(h);
  one_rate.cpu_wrote(0, 64);
  EXPECT_EQ(one_rate.store_time(0, 128), 4000U);
  h.copy.store_private_bytes_per_s = 64'000'000'000;
  HostMemory m(h);
  m.cpu_wrote(0, 64);
  EXPECT_EQ(m.store_time(0, 128), 1000U + 2000);
  EXPECT_EQ(m.store_time(0, 32), 500U);
}

}  // namespace
}  // namespace sluice::cache
