// Textbook bandwidths and latencies of one controller, each worked out by hand from the timings of dram_parts.h:
// tRCD 19.375 (9.375 to a write), tRP 16.25, tRAS 28.125, tCL 12.5, tCWL 6.25, burst 1.25 ns.
#include "sim/models/memory/dram_controller.h"

#include <gtest/gtest.h>

#include <vector>

#include "sim/models/memory/dram_address.h"
#include "tests/unit/memory/dram_parts.h"

namespace sluice::memory {
namespace {

profile::Dram quiet() { return without_refresh(hbm3_groups()); }

std::size_t at(DramLimit limit) { return static_cast<std::size_t>(limit); }

// Consecutive bursts, as the profile orders them.
void add_sequential(const profile::Dram& m, std::uint64_t bursts, DramController& c, Access access = Access::read) {
  const DramAddress address(m);
  for (std::uint64_t i = 0; i < bursts; ++i) {
    const DramPlace p = address.place_in_channel(i);
    for (std::uint32_t channel = 0; channel < c.channels(); ++channel) c.add(access, channel, p.bank, p.row);
  }
}

// ns a burst, the first one's latency apart.
double pace(const profile::Dram& m, std::uint64_t bursts, Access access = Access::read) {
  DramController c(m);
  add_sequential(m, bursts, c, access);
  c.run();
  return static_cast<double>(c.data_end()) / 1000.0 / static_cast<double>(bursts);
}

TEST(DramController, SequentialIsTheBusAlone) {
  DramController c(quiet());
  add_sequential(quiet(), 1 << 15, c);
  c.run();
  // Latency of the first, and 40.96 us of data; four groups take some ns to open their first rows.
  const TimePs data = (1ULL << 15) * 1250;
  EXPECT_GE(c.data_end(), 19375 + 12500 + data);
  EXPECT_LE(c.data_end(), 19375 + 12500 + data + 10000);
  EXPECT_EQ(c.counts().activations, (1ULL << 15) / 32);
  EXPECT_EQ(c.counts().row_hits, (1ULL << 15) - (1ULL << 15) / 32);
  EXPECT_NEAR(pace(quiet(), 1 << 15, Access::write), 1.25, 0.001);
}

// Without refresh's rows the stream loses tRP, tRFC and tRCD of each 3900 ns.
TEST(DramController, SequentialLosesRefresh) {
  EXPECT_NEAR(1.25 / pace(hbm3_groups(), 1 << 16), 1.0 - (16.25 + 350 + 19.375) / 3900, 0.004);
  DramController c(hbm3_groups());
  add_sequential(hbm3_groups(), 1 << 16, c);
  c.run();
  EXPECT_EQ(c.counts().refreshes, c.data_end() / 3900000);
  EXPECT_EQ(c.counts().refresh_ps, c.counts().refreshes * 350000);
  EXPECT_GT(c.counts().idle_ps[at(DramLimit::refresh)], 9 * c.counts().idle_ps[at(DramLimit::bank)]);
}

// A bank at a time: the others have work for a while. The same refresh of all banks costs ten times as much.
TEST(DramController, RefreshOfOneBankCostsLess) {
  profile::Dram m = hbm3_groups();
  m.refresh = profile::DramRefresh::per_bank;
  DramController c(m);
  add_sequential(m, 1 << 16, c);
  c.run();
  EXPECT_NEAR(static_cast<double>(c.counts().refreshes), static_cast<double>(c.data_end()) / (3900000.0 / 16), 1.0);
  EXPECT_LT(pace(m, 1 << 16), 1.25 * 1.05);
}

// The column is lowest, and rows longer than the queue: neighbours lie in one group, and take tCCD_L.
TEST(DramController, OneGroupAtATime) {
  profile::Dram m = quiet();
  m.row_bytes = 65536;
  m.address_order = {profile::DramField::row, profile::DramField::bank, profile::DramField::bank_group,
                     profile::DramField::column};
  EXPECT_NEAR(pace(m, 1 << 14), 2.5, 0.03);  // the next group's first bursts come early
}

// One bank, another row each time: a burst each tRC.
TEST(DramController, RowConflictsTakeTrc) {
  DramController c(quiet());
  for (std::uint64_t i = 0; i < 100; ++i) c.add(Access::read, 0, 0, i);
  c.run();
  EXPECT_EQ(c.data_end(), 99 * (28125U + 16250) + 19375 + 12500 + 1250);
  EXPECT_EQ(c.counts().row_conflicts, 99U);
  EXPECT_EQ(c.counts().row_misses, 1U);
  EXPECT_EQ(c.counts().idle_ps[at(DramLimit::bank)], 99 * (28125U + 16250 - 1250));
}

// Writes keep the row longer: tRCD, tCWL, the data and tWR before tRP.
TEST(DramController, RowConflictsOfWrites) {
  DramController c(quiet());
  for (std::uint64_t i = 0; i < 100; ++i) c.add(Access::write, 0, 0, i);
  c.run();
  EXPECT_EQ(c.data_end(), 99 * (9375U + 6250 + 1250 + 20625 + 16250) + 9375 + 6250 + 1250);
}

// A row for each burst, over `banks` banks in turn, of four groups.
double scattered(const profile::Dram& m, std::uint32_t banks) {
  constexpr std::uint64_t bursts = 4000;
  DramController c(m);
  for (std::uint64_t i = 0; i < bursts; ++i) {
    const auto n = static_cast<std::uint32_t>(i % banks);
    c.add(Access::read, 0, n % 4 * 4 + n / 4, i / banks);
  }
  c.run();
  return static_cast<double>(c.data_end()) / 1000.0 / bursts;
}

// Sixteen banks: tRC / 16 is 2.77, tRRD 2.5, four activations in tFAW 3.75 ns.
TEST(DramController, ScatteredRowsAreLimitedByTfaw) { EXPECT_NEAR(scattered(quiet(), 16), 3.75, 0.02); }

TEST(DramController, ScatteredRowsAreLimitedByTrrd) {
  profile::Dram m = quiet();
  m.timings.tfaw_ps = 5000;
  m.timings.trrd_ps = m.timings.trrd_l_ps = 6000;
  EXPECT_NEAR(scattered(m, 16), 6.0, 0.02);
}

TEST(DramController, ScatteredRowsAreLimitedByTheBanks) {
  EXPECT_NEAR(scattered(quiet(), 4), 44.375 / 4, 0.02);
  EXPECT_NEAR(scattered(quiet(), 8), 44.375 / 8, 0.02);
}

// One burst after another in open rows of two groups: tRTW to the write; tCWL, its data and tWTR_S back.
TEST(DramController, TurnaroundsOneByOne) {
  profile::Dram m = quiet();
  m.scheduler = profile::DramScheduler::fcfs;
  DramController c(m);
  for (std::uint64_t i = 0; i < 101; ++i) {
    c.add(Access::read, 0, 0, 7);
    if (i < 100) c.add(Access::write, 0, 4, 7);
  }
  c.run();
  // The first write's row is opened when its turn comes: tRCD and not tRTW from the first read.
  const TimePs pair = 12500 + 6250 + 1250 + 4375;
  const TimePs first = 19375 + std::max(12500, 9375) + 6250 + 1250 + 4375;
  EXPECT_EQ(c.data_end(), first + 99 * pair + 12500 + 1250);
  EXPECT_GT(c.counts().idle_ps[at(DramLimit::turnaround)], 95 * (pair - 2500));
}

// Gathered: 64 writes at a time, one turnaround each way.
TEST(DramController, TurnaroundsOfGatheredWrites) {
  profile::Dram m = quiet();
  m.write_drain_rows = 2;  // 64 bursts
  DramController c(m);
  for (std::uint64_t i = 0; i < 64 * 50; ++i) {
    c.add(Access::read, 0, static_cast<std::uint32_t>(i % 4 * 4), 7);
    c.add(Access::write, 0, static_cast<std::uint32_t>(i % 4 * 4 + 1), 7);
  }
  c.run();
  const double turnarounds = 12.5 - 1.25 + 6.25 + 1.25 + 4.375 - 1.25;
  EXPECT_NEAR(static_cast<double>(c.data_end()) / 1000.0, 50 * (128 * 1.25 + turnarounds), 0.02 * 50 * 160);
}

// Two rows of a bank in turn. In order, each burst is a conflict; the scheduler takes all of the first row first, unless
// the bound stops it: after 8 that overtook, the one that waits has its row.
TEST(DramController, OpenRowsFirst) {
  const auto activations = [](profile::DramScheduler scheduler, std::uint32_t passes) {
    profile::Dram m = quiet();
    m.scheduler = scheduler;
    m.starvation_passes = passes;
    DramController c(m);
    for (std::uint64_t i = 0; i < 512; ++i) c.add(Access::read, 0, 0, i % 2);
    c.run();
    return c.counts().activations;
  };
  EXPECT_EQ(activations(profile::DramScheduler::fcfs, 0), 512U);
  // 32 wait at a time, so the whole of row 0 is never there; it stays open while some of it is.
  EXPECT_LE(activations(profile::DramScheduler::fr_fcfs, 1 << 20), 16U);
  EXPECT_GE(activations(profile::DramScheduler::fr_fcfs, 8), 512U / 20);
  EXPECT_LE(activations(profile::DramScheduler::fr_fcfs, 8), 512U / 8);
}

// Lone reads, a microsecond apart, of the same row or another: when their data have passed.
TEST(DramController, LatencyByPagePolicy) {
  const auto last = [](profile::DramPages pages, std::uint64_t second_row) {
    profile::Dram m = quiet();
    m.pages = pages;
    DramController c(m);
    c.add(Access::read, 0, 0, 1);
    c.add(Access::read, 0, 0, second_row, 1'000'000);
    c.run();
    return c.data_end() - 1'000'000;
  };
  EXPECT_EQ(last(profile::DramPages::open, 1), 12500U + 1250);
  EXPECT_EQ(last(profile::DramPages::open, 2), 16250U + 19375 + 12500 + 1250);
  EXPECT_EQ(last(profile::DramPages::closed, 1), 19375U + 12500 + 1250);
  EXPECT_EQ(last(profile::DramPages::closed, 2), 19375U + 12500 + 1250);
}

// Two pseudo-channels, each with a burst in two clocks: their column commands fill the pins exactly. With a clock of
// 1.25 ns the pins are short by half; rows need them as well.
TEST(DramController, PseudoChannelsShareCommandPins) {
  profile::Dram m = quiet();
  m.pseudo_channels = 2;
  EXPECT_NEAR(pace(m, 1 << 14), 1.25, 0.003);
  m.timings.tck_ps = 1250;
  EXPECT_NEAR(pace(m, 1 << 14), 2.5, 0.003);
  m.command_buses = 1;
  // Two more commands a row; columns go first, so that rows come late now and then.
  EXPECT_GE(pace(m, 1 << 14), 2.5 * 34 / 32);
  EXPECT_LE(pace(m, 1 << 14), 2.5 * 34 / 32 * 1.05);
}

// ---- times that are the controller's, not a bank's: nothing a picosecond before --------------------------------------

// All banks are closed, so the refresh that is due is given at once; and again a tREFI after it was due.
TEST(DramController, Trefi) {
  DramController c(hbm3_groups());
  std::vector<DramEvent> log;
  c.log(&log);
  c.add(Access::read, 0, 0, 1, 100'000'000);
  for (std::size_t i = 1; i <= 3; ++i) {
    c.run_until(i * 3'900'000 - 1);
    EXPECT_EQ(log.size(), i - 1);
    c.run_until(i * 3'900'000);
    ASSERT_EQ(log.size(), i);
    EXPECT_EQ(log.back().command, DramCommand::refresh_all);
  }
}

// Two pseudo-channels want a row each at once, through the same pins.
TEST(DramController, Tck) {
  profile::Dram m = quiet();
  m.pseudo_channels = 2;
  DramController c(m);
  std::vector<DramEvent> log;
  c.log(&log);
  c.add(Access::read, 0, 0, 1, 1'000'000);
  c.add(Access::read, 1, 0, 1, 1'000'000);
  c.run_until(1'000'000 + 624);
  EXPECT_EQ(log.size(), 1U);
  c.run_until(1'000'000 + 625);
  ASSERT_EQ(log.size(), 2U);
  EXPECT_EQ(log.back().command, DramCommand::activate);
  EXPECT_EQ(log.back().channel, 1U);
}

// Data are on the bus so long after their command, and for a burst.
TEST(DramController, TclAndTcwl) {
  for (const Access access : {Access::read, Access::write}) {
    DramController c(quiet());
    std::vector<DramEvent> log;
    c.log(&log);
    c.add(access, 0, 0, 1);
    c.run();
    ASSERT_FALSE(log.empty());
    EXPECT_EQ(log.back().command, access == Access::read ? DramCommand::read : DramCommand::write);
    EXPECT_EQ(c.data_end(), log.back().at + (access == Access::read ? 12500 : 6250) + 1250);
  }
}

// Nothing is given while there is nothing to do, and refresh comes in its time all the same.
TEST(DramController, IdleTimeIsRefreshedIn) {
  DramController c(hbm3_groups());
  c.add(Access::read, 0, 0, 1, 100'000'000);
  c.run();
  EXPECT_EQ(c.counts().refreshes, 25U);  // of 3.9 us in 100
  EXPECT_EQ(c.data_end(), 100'000'000U + 19375 + 12500 + 1250);
}

}  // namespace
}  // namespace sluice::memory
