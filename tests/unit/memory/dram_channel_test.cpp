// HBM3 at 6.4 Gb/s a pin; timings of CMU-SAFARI/ramulator2@c5b1c3a hbm3.py (tCK 625 ps), 8 Gb channels for tRFC.
#include "sim/models/memory/dram_channel.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace sluice::memory {
namespace {

profile::DeviceMemory hbm3() {
  profile::DeviceMemory m;
  m.channels = 1;
  m.banks = 16;
  m.row_bytes = 1024;
  m.bus_bits = 32;
  m.gigatransfers_per_s = 6.4;
  profile::DramTimings& t = m.timings;
  t.tck_ps = 625;
  t.trcd_ps = 19375;
  t.trp_ps = 16250;
  t.tcl_ps = 12500;
  t.tras_ps = 28125;
  t.trefi_ps = 3900000;
  t.trfc_ps = 350000;
  t.tccd_ps = 1250;
  t.tfaw_ps = 15000;
  t.trrd_ps = 2500;
  t.twtr_ps = 4375;
  t.trtw_ps = 12500;
  return m;
}

void expect_ready(const DramChannel& c, DramCommand command, std::uint32_t bank, TimePs at) {
  EXPECT_FALSE(c.ready(command, bank, at - 1));
  EXPECT_TRUE(c.ready(command, bank, at));
}

// 32 bytes over 4 bytes at 6.4 GT/s: 8 beats, 1.25 ns.
TEST(DramChannel, Burst) {
  EXPECT_EQ(burst_bytes(hbm3()), 32U);
  EXPECT_EQ(burst_ps(hbm3()), 1250U);
}

TEST(DramChannel, RowToColumn) {
  DramChannel c(hbm3());
  c.issue(DramCommand::activate, 0, 0, 1000);
  expect_ready(c, DramCommand::read, 0, 1000 + 19375);
  expect_ready(c, DramCommand::write, 0, 1000 + 19375);
}

TEST(DramChannel, RowStaysOpenAndPrecharges) {
  DramChannel c(hbm3());
  c.issue(DramCommand::activate, 0, 0, 1000);
  expect_ready(c, DramCommand::precharge, 0, 1000 + 28125);
  c.issue(DramCommand::precharge, 0, 0, 30000);
  expect_ready(c, DramCommand::activate, 0, 30000 + 16250);
}

TEST(DramChannel, ActivateToActivateOfOtherBanks) {
  DramChannel c(hbm3());
  c.issue(DramCommand::activate, 0, 0, 1000);
  expect_ready(c, DramCommand::activate, 1, 3500);
  c.issue(DramCommand::activate, 1, 0, 3500);
  c.issue(DramCommand::activate, 2, 0, 6000);
  c.issue(DramCommand::activate, 3, 0, 8500);
  // The fifth waits for tFAW after the first, not for tRRD after the fourth (11000).
  expect_ready(c, DramCommand::activate, 4, 16000);
}

TEST(DramChannel, ColumnToColumn) {
  profile::DeviceMemory m = hbm3();
  m.timings.tccd_ps = 1500;
  DramChannel c(m);
  c.issue(DramCommand::activate, 0, 0, 0);
  c.issue(DramCommand::read, 0, 0, 20000);
  expect_ready(c, DramCommand::read, 0, 21500);
  c.issue(DramCommand::read, 0, 0, 21500);
  // Read to write: command to command.
  expect_ready(c, DramCommand::write, 0, 21500 + 12500);
  c.issue(DramCommand::write, 0, 0, 40000);
  // Write to read: from the end of the data, 12.5 ns and a burst after the command.
  expect_ready(c, DramCommand::read, 0, 40000 + 12500 + 1250 + 4375);
}

TEST(DramChannel, FirstAccessAndRowMiss) {
  DramChannel c(hbm3());
  EXPECT_EQ(c.access(Access::read, 0), 19375U + 12500 + 1250);
  EXPECT_EQ(c.access(Access::read, 32), 19375U + 1250 + 12500 + 1250);
  // Row 1 of bank 0: precharge at tRAS, tRP, tRCD.
  EXPECT_EQ(c.access(Access::read, 16 * 1024), 28125U + 16250 + 19375 + 12500 + 1250);
  EXPECT_EQ(c.activations(), 2U);
}

TEST(DramChannel, RefreshHoldsCommandsAndClosesRows) {
  DramChannel c(hbm3());
  (void)c.access(Access::read, 0);
  expect_ready(c, DramCommand::activate, 1, 2500);
  EXPECT_EQ(c.access(Access::read, 32, 3899999), 3899999U + 12500 + 1250);
  // Refresh due at 3.9 us: tRP and tRFC, then the row again.
  EXPECT_EQ(c.access(Access::read, 64, 3900000), 3900000U + 16250 + 350000 + 19375 + 12500 + 1250);
  EXPECT_EQ(c.activations(), 2U);
}

double measured(const profile::DeviceMemory& m, std::uint32_t reads, std::uint32_t writes) {
  DramChannel c(m);
  const std::uint64_t total = 8U << 20;
  std::uint64_t from = 0;
  std::uint64_t to = total + m.banks / 2 * m.row_bytes;  // half the banks away
  TimePs end = 0;
  for (std::uint64_t done = 0; done < total; done += (reads + writes) * m.row_bytes) {
    for (std::uint64_t i = 0; i < reads * m.row_bytes; i += 32) end = c.access(Access::read, from + i);
    for (std::uint64_t i = 0; i < writes * m.row_bytes; i += 32) end = c.access(Access::write, to + i);
    from += reads * m.row_bytes;
    to += writes * m.row_bytes;
  }
  return static_cast<double>(total) * 1e12 / static_cast<double>(end);
}

double closed(const profile::DeviceMemory& m, std::uint32_t permille) {
  const profile::DeviceCache none;
  return static_cast<double>(DramMemory(m, none).sustained_bytes_per_s(permille));
}

TEST(ClosedForm, WithinOnePercentOfBursts) {
  const profile::DeviceMemory m = hbm3();
  EXPECT_NEAR(measured(m, 1, 0) / closed(m, 0), 1.0, 0.01);
  EXPECT_NEAR(measured(m, 0, 1) / closed(m, 1000), 1.0, 0.01);
  EXPECT_NEAR(measured(m, 1, 1) / closed(m, 500), 1.0, 0.01);
  // Streams of unequal speed meet in banks now and then, which the closed form leaves out.
  EXPECT_NEAR(measured(m, 3, 1) / closed(m, 250), 1.0, 0.02);
}

TEST(ClosedForm, GatheredWritesTurnTheBusLessOften) {
  profile::DeviceMemory m = hbm3();
  m.write_drain_rows = 8;
  EXPECT_NEAR(measured(m, 8, 8) / closed(m, 500), 1.0, 0.01);
  m.timings.trefi_ps = 0;
  EXPECT_NEAR(closed(m, 500), 25.6e9 * 8 * 80 / (8 * 80 + 28.125), 1.0);  // as below, for 8 rows of each kind
}

TEST(ClosedForm, ColumnCommandsLimit) {
  profile::DeviceMemory m = hbm3();
  m.timings.trefi_ps = 0;
  m.timings.tccd_ps = 1600;  // 32 bytes in 1.6 ns
  EXPECT_NEAR(closed(m, 0), 20e9, 1.0);
  EXPECT_NEAR(measured(m, 1, 0) / closed(m, 0), 1.0, 0.01);
}

TEST(ClosedForm, RarerKindSetsTurnarounds) {
  profile::DeviceMemory m = hbm3();
  m.timings.trefi_ps = 0;
  // Rows of 40 ns; turnarounds 12.5 - 1.25 and 12.5 + 1.25 + 4.375 - 1.25: 28.125 ns in 2 rows, or in 4.
  EXPECT_NEAR(closed(m, 500), 25.6e9 * 80 / 108.125, 1.0);
  EXPECT_NEAR(closed(m, 250), 25.6e9 * 160 / 188.125, 1.0);
}

TEST(DeviceCache, WriteBackIsChargedOnceTheCacheIsFull) {
  profile::DeviceMemory m = hbm3();
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

}  // namespace
}  // namespace sluice::memory
