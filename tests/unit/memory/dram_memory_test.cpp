// What a stream costs in closed form, worked out by hand; dram_levels_test.cpp holds it to the commands.
#include "sim/models/memory/dram_memory.h"

#include <gtest/gtest.h>

#include "tests/unit/memory/dram_parts.h"

namespace sluice::memory {
namespace {

double closed(const profile::Dram& m, std::uint32_t permille) {
  const profile::DeviceCache none;
  return static_cast<double>(DramMemory(m, none).sustained_bytes_per_s(permille));
}

TEST(ClosedForm, GatheredWritesTurnTheBusLessOften) {
  profile::Dram m = hbm3();
  m.write_drain_rows = 8;
  m.timings.trefi_ps = 0;
  EXPECT_NEAR(closed(m, 500), 25.6e9 * 8 * 80 / (8 * 80 + 28.125), 1.0);  // as below, for 8 rows of each kind
}

TEST(ClosedForm, ColumnCommandsLimit) {
  profile::Dram m = hbm3();
  m.timings.trefi_ps = 0;
  m.timings.tccd_ps = 1600;  // 32 bytes in 1.6 ns
  EXPECT_NEAR(closed(m, 0), 20e9, 1.0);
}

TEST(ClosedForm, RarerKindSetsTurnarounds) {
  profile::Dram m = hbm3();
  m.timings.trefi_ps = 0;
  // Rows of 40 ns; turnarounds 12.5 - 1.25 and 12.5 + 1.25 + 4.375 - 1.25: 28.125 ns in 2 rows, or in 4.
  EXPECT_NEAR(closed(m, 500), 25.6e9 * 80 / 108.125, 1.0);
  EXPECT_NEAR(closed(m, 250), 25.6e9 * 160 / 188.125, 1.0);
}

TEST(DeviceCache, WriteBackIsChargedOnceTheCacheIsFull) {
  profile::Dram m = hbm3();
  m.timings.trefi_ps = 0;  // 25.6 GB/s
  profile::DeviceCache l2;
  l2.capacity_bytes = 1U << 20;
  l2.line_bytes = 128;
  l2.bytes_per_s = 1'000'000'000'000ULL;
  l2.latency_ps = 1000;
  DramMemory memory(m, l2);
  const StreamCost first = memory.stream(Access::write, 0, 1U << 20, 256);
  EXPECT_TRUE(first.cached);
  EXPECT_EQ(first.interval_ps, 256U);  // 1 byte a ps
  EXPECT_TRUE(memory.stream(Access::write, 0, 1U << 20, 256).cached);
  const StreamCost second = memory.stream(Access::write, 1U << 20, 1U << 20, 256);
  EXPECT_FALSE(second.cached);
  EXPECT_EQ(second.interval_ps, 10000U);  // every byte drives one out: 256 bytes at 25.6 GB/s
  EXPECT_EQ(second.first_ps, 1000U);
  EXPECT_EQ(second.row_activations, 1024U);
  EXPECT_TRUE(memory.stream(Access::read, 1U << 20, 1U << 20, 256).cached);
}

// The same command by command: half of what is driven out was written before, so half of the second stream's bytes move.
TEST(DeviceCache, WriteBackIsCharged) {
  profile::Dram m = without_refresh(hbm3_groups());
  m.detail = profile::DramDetail::commands;
  profile::DeviceCache l2;
  l2.capacity_bytes = 1U << 20;
  l2.line_bytes = 128;
  l2.bytes_per_s = 1'000'000'000'000ULL;
  DramMemory memory(m, l2);
  EXPECT_TRUE(memory.stream(Access::write, 0, 1U << 19, 256).cached);
  (void)memory.stream(Access::read, 1U << 21, 1U << 19, 256);
  const StreamCost second = memory.stream(Access::write, 1U << 22, 1U << 20, 256);
  EXPECT_NEAR(static_cast<double>(second.interval_ps), 5000.0, 100.0);  // 128 of 256 bytes at 25.6 GB/s
  EXPECT_EQ(second.dram.row_hits + second.dram.row_misses + second.dram.row_conflicts, (1U << 19) / 32);
  EXPECT_EQ(second.dram.limit, "bus");
}

}  // namespace
}  // namespace sluice::memory
