// Each timing parameter: not ready a picosecond before, ready at it. Times are sums of the parameters by hand.
#include "sim/models/memory/dram_banks.h"

#include <gtest/gtest.h>

#include "tests/unit/memory/dram_parts.h"

namespace sluice::memory {
namespace {

using C = DramCommand;

class Banks : public ::testing::Test {
 protected:
  void expect_ready(C command, std::uint32_t bank, TimePs at) const {
    const auto ready = [&](TimePs t) { return t >= banks.ready(command, bank).at; };
    EXPECT_FALSE(ready(at - 1));
    EXPECT_TRUE(ready(at));
  }
  // Banks 0 to 3 are group 0, 4 to 7 group 1.
  DramRules rules{hbm3_groups()};
  DramBanks banks{rules};
};

// 32 bytes over 4 bytes at 6.4 GT/s: 8 beats, 1.25 ns.
TEST(DramRules, Burst) {
  EXPECT_EQ(DramRules(hbm3()).burst_bytes, 32U);
  EXPECT_EQ(DramRules(hbm3()).burst, 1250U);
  profile::Dram m = hbm3();
  m.burst_length = 16;
  EXPECT_EQ(DramRules(m).burst_bytes, 64U);
  EXPECT_EQ(DramRules(m).burst, 2500U);
  EXPECT_EQ(DramRules(m).column, 2500U);  // data of two bursts may not overlap, whatever tCCD says
}

TEST_F(Banks, Trcd) {
  banks.issue(C::activate, 0, 7, 1000);
  expect_ready(C::read, 0, 1000 + 19375);
}

TEST_F(Banks, TrcdOfWrites) {
  banks.issue(C::activate, 0, 7, 1000);
  expect_ready(C::write, 0, 1000 + 9375);
}

TEST_F(Banks, Tras) {
  banks.issue(C::activate, 0, 7, 1000);
  expect_ready(C::precharge, 0, 1000 + 28125);
  expect_ready(C::precharge_all, 0, 1000 + 28125);
}

TEST_F(Banks, Trp) {
  banks.issue(C::activate, 0, 7, 1000);
  banks.issue(C::precharge, 0, 7, 100000);
  expect_ready(C::activate, 0, 100000 + 16250);
  expect_ready(C::refresh_bank, 0, 100000 + 16250);
  expect_ready(C::refresh_all, 0, 100000 + 16250);
}

// tRC is 60 ns here, and tRAS and tRP together 44.375: the row is closed at once after tRAS.
TEST(DramBanks, Trc) {
  profile::Dram m = hbm3_groups();
  m.timings.trc_ps = 60000;
  DramBanks banks{DramRules(m)};
  banks.issue(C::activate, 0, 7, 1000);
  banks.issue(C::precharge, 0, 7, 1000 + 28125);
  EXPECT_EQ(banks.ready(C::activate, 0).at, 61000U);
  EXPECT_EQ(DramRules(hbm3()).trc, 28125U + 16250);  // unless it is said
}

TEST_F(Banks, TrrdOfOtherGroups) {
  banks.issue(C::activate, 0, 7, 1000);
  expect_ready(C::activate, 4, 1000 + 2500);
}

TEST_F(Banks, TrrdWithinAGroup) {
  banks.issue(C::activate, 0, 7, 1000);
  expect_ready(C::activate, 1, 1000 + 3125);
}

// The fifth waits for tFAW after the first, not for tRRD after the fourth (11000).
TEST_F(Banks, Tfaw) {
  for (std::uint32_t i = 0; i < 4; ++i) banks.issue(C::activate, 4 * i, 7, 1000 + i * 2500);
  expect_ready(C::activate, 1, 1000 + 15000);
  banks.issue(C::activate, 1, 7, 16000);
  expect_ready(C::activate, 5, 3500 + 15000);  // and the sixth after the second: 18500, which is tRRD after the fifth, too
}

TEST_F(Banks, TccdOfOtherGroups) {
  banks.issue(C::activate, 0, 7, 0);
  banks.issue(C::activate, 4, 7, 2500);
  banks.issue(C::read, 0, 7, 50000);
  expect_ready(C::read, 4, 50000 + 1250);
  banks.issue(C::write, 0, 7, 80000);
  expect_ready(C::write, 4, 80000 + 1250);
}

TEST_F(Banks, TccdWithinAGroup) {
  banks.issue(C::activate, 0, 7, 0);
  banks.issue(C::read, 0, 7, 50000);
  expect_ready(C::read, 0, 50000 + 2500);
  banks.issue(C::write, 0, 7, 80000);
  expect_ready(C::write, 0, 80000 + 2500);
}

TEST(DramBanks, TccdOfWrites) {
  profile::Dram m = hbm3_groups();
  m.timings.tccd_l_write_ps = 20000;
  DramBanks banks{DramRules(m)};
  banks.issue(C::activate, 0, 7, 0);
  banks.issue(C::write, 0, 7, 50000);
  EXPECT_EQ(banks.ready(C::write, 0).at, 70000U);
  banks.issue(C::read, 0, 7, 100000);
  EXPECT_EQ(banks.ready(C::read, 0).at, 102500U);
}

TEST_F(Banks, Trtw) {
  banks.issue(C::activate, 0, 7, 0);
  banks.issue(C::read, 0, 7, 50000);
  expect_ready(C::write, 0, 50000 + 12500);
}

// From the end of the data, which begin tCWL after the command.
TEST_F(Banks, TwtrOfOtherGroups) {
  banks.issue(C::activate, 0, 7, 0);
  banks.issue(C::activate, 4, 7, 2500);
  banks.issue(C::write, 0, 7, 50000);
  expect_ready(C::read, 4, 50000 + 6250 + 1250 + 4375);
}

TEST_F(Banks, TwtrWithinAGroup) {
  banks.issue(C::activate, 0, 7, 0);
  banks.issue(C::write, 0, 7, 50000);
  expect_ready(C::read, 0, 50000 + 6250 + 1250 + 6250);
}

TEST_F(Banks, Twr) {
  banks.issue(C::activate, 0, 7, 0);
  banks.issue(C::write, 0, 7, 50000);
  expect_ready(C::precharge, 0, 50000 + 6250 + 1250 + 20625);
}

TEST_F(Banks, Trtp) {
  banks.issue(C::activate, 0, 7, 0);
  banks.issue(C::read, 0, 7, 50000);
  expect_ready(C::precharge, 0, 50000 + 5625);
}

TEST_F(Banks, Trfc) {
  banks.issue(C::refresh_all, 0, 0, 1000);
  for (std::uint32_t bank = 0; bank < 16; ++bank) expect_ready(C::activate, bank, 1000 + 350000);
}

TEST(DramBanks, TrfcOfABank) {
  profile::Dram m = hbm3_groups();
  m.refresh = profile::DramRefresh::per_bank;
  DramBanks banks{DramRules(m)};
  banks.issue(C::refresh_bank, 3, 0, 1000);
  EXPECT_EQ(banks.ready(C::activate, 3).at, 1000U + 200000);
  EXPECT_EQ(banks.ready(C::activate, 2).at, 0U);  // others go on
  EXPECT_EQ(DramRules(m).trefi, 3900000U / 16);   // each bank once in tREFI
}

TEST_F(Banks, SayWhatTheyWaitFor) {
  banks.issue(C::activate, 0, 7, 1000);
  EXPECT_EQ(banks.ready(C::read, 0).limit, DramLimit::bank);
  EXPECT_EQ(banks.ready(C::activate, 4).limit, DramLimit::activation);
  EXPECT_EQ(banks.ready(C::activate, 1).limit, DramLimit::bank_group);
  banks.issue(C::activate, 4, 7, 3500, DramLimit::activation);
  EXPECT_EQ(banks.ready(C::read, 4).limit, DramLimit::activation);  // whatever held up its row
  banks.issue(C::read, 0, 7, 50000);
  EXPECT_EQ(banks.ready(C::read, 4).limit, DramLimit::bus);
  EXPECT_EQ(banks.ready(C::read, 1).limit, DramLimit::bank_group);
  EXPECT_EQ(banks.ready(C::write, 0).limit, DramLimit::turnaround);
  banks.issue(C::precharge_all, 0, 0, 100000);
  banks.issue(C::refresh_all, 0, 0, 120000);
  EXPECT_EQ(banks.ready(C::activate, 0).limit, DramLimit::refresh);
}

}  // namespace
}  // namespace sluice::memory
