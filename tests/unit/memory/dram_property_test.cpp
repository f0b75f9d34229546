// Random memories, controllers and traffic: every command that is given keeps every rule, as an independent checker reads
// them; every burst is served once; none is overtaken more often than the bound says.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/memory/dram_checker.h"
#include "tests/unit/memory/dram_parts.h"

namespace sluice::memory {
namespace {

struct Case {
  profile::Dram memory;
  std::uint64_t seed = 0;
};

Case random_case(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto from = [&](std::uint64_t low, std::uint64_t high) { return low + random() % (high - low + 1); };
  profile::Dram m;
  m.channels = 8;
  m.bank_groups = 1U << from(0, 2);
  m.banks = m.bank_groups << from(0, 2);
  m.row_bytes = 1024;
  m.bus_bits = 32;
  m.burst_length = 8;
  m.gigatransfers_per_s = 6.4;
  m.pseudo_channels = static_cast<std::uint32_t>(from(1, 2));
  m.command_buses = static_cast<std::uint32_t>(from(1, 2));
  m.write_drain_rows = static_cast<std::uint32_t>(from(1, 2));
  m.queue_entries = static_cast<std::uint32_t>(from(1, 24));
  m.starvation_passes = static_cast<std::uint32_t>(from(0, 20));
  m.scheduler = from(0, 3) == 0 ? profile::DramScheduler::fcfs : profile::DramScheduler::fr_fcfs;
  m.pages = from(0, 2) == 0 ? profile::DramPages::closed : profile::DramPages::open;
  m.refresh = from(0, 1) == 0 ? profile::DramRefresh::per_bank : profile::DramRefresh::all_bank;
  profile::DramTimings& t = m.timings;
  t.tck_ps = 625;
  t.trcd_ps = from(8000, 22000);
  t.trcd_write_ps = from(0, 1) * from(6000, 16000);
  t.trp_ps = from(8000, 22000);
  t.tcl_ps = from(8000, 22000);
  t.tcwl_ps = from(0, 1) * from(4000, t.tcl_ps);
  t.tras_ps = t.trcd_ps + from(1000, 20000);
  t.trc_ps = from(0, 1) * (t.tras_ps + t.trp_ps + from(0, 9000));
  t.tccd_ps = from(1000, 3000);
  t.tccd_l_ps = from(0, 1) * (t.tccd_ps + from(0, 3000));
  t.tccd_l_write_ps = t.tccd_l_ps == 0 ? 0 : from(0, 1) * (t.tccd_l_ps + from(0, 9000));
  t.trrd_ps = from(1000, 6000);
  t.trrd_l_ps = from(0, 1) * (t.trrd_ps + from(0, 4000));
  t.tfaw_ps = from(t.trrd_ps, 30000);
  t.twtr_ps = from(1000, 6000);
  t.twtr_l_ps = from(0, 1) * (t.twtr_ps + from(0, 6000));
  t.trtw_ps = t.tcl_ps + 1250 - (t.tcwl_ps == 0 ? t.tcl_ps : t.tcwl_ps) + from(0, 6000);
  t.twr_ps = from(0, 1) * from(5000, 30000);
  t.trtp_ps = from(0, 1) * from(2000, 9000);
  t.trefi_ps = from(0, 4) * 1'950'000;
  t.trfc_ps = from(50'000, 400'000);
  t.trfc_bank_ps = from(20'000, 100'000);
  return {m, random()};
}

void add_traffic(const Case& c, std::uint64_t bursts, DramController& controller) {
  std::mt19937_64 random(c.seed);
  TimePs arrival = 0;
  std::uint64_t row = 0;
  std::uint32_t bank = 0;
  Access access = Access::read;
  for (std::uint64_t i = 0; i < bursts; ++i) {
    if (random() % 4 == 0) row = random() % 5;
    if (random() % 3 == 0) bank = static_cast<std::uint32_t>(random() % c.memory.banks);
    if (random() % 6 == 0) access = random() % 3 == 0 ? Access::write : Access::read;
    if (random() % 64 == 0) arrival += random() % 8 == 0 ? random() % 9'000'000 : random() % 60'000;
    controller.add(access, static_cast<std::uint32_t>(random() % controller.channels()), bank, row, arrival);
  }
}

TEST(DramProperty, EveryCommandKeepsEveryRule) {
  constexpr std::uint64_t bursts = 600;
  for (std::uint64_t seed = 1; seed <= 60 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case c = random_case(seed);
    DramController controller(c.memory);
    std::vector<DramEvent> log;
    controller.log(&log);
    add_traffic(c, bursts, controller);
    controller.run();
    DramChecker(c.memory).check(log);
    const DramCounts& n = controller.counts();
    EXPECT_EQ(n.reads + n.writes, bursts);
    EXPECT_EQ(n.row_hits + n.row_misses + n.row_conflicts, bursts);
    std::vector<std::uint64_t> all;
    const bool fcfs = c.memory.scheduler == profile::DramScheduler::fcfs;
    for (std::uint32_t channel = 0; channel < controller.channels(); ++channel) {
      std::vector<std::uint64_t> both;
      for (const DramCommand kind : {DramCommand::read, DramCommand::write}) {
        std::vector<std::uint64_t> served;
        for (const DramEvent& e : log) {
          if (e.channel == channel && e.command == kind) served.push_back(e.burst);
        }
        EXPECT_LE(DramChecker::most_passes(served), fcfs ? 0 : c.memory.starvation_passes);
        all.insert(all.end(), served.begin(), served.end());
      }
      for (const DramEvent& e : log) {
        if (e.channel == channel && (e.command == DramCommand::read || e.command == DramCommand::write)) both.push_back(e.burst);
      }
      EXPECT_TRUE(!fcfs || std::is_sorted(both.begin(), both.end()));
    }
    std::sort(all.begin(), all.end());
    for (std::uint64_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], i);
  }
}

TEST(DramProperty, TheSameEveryTime) {
  const Case c = random_case(7);
  std::vector<DramEvent> first;
  for (int run = 0; run < 2; ++run) {
    DramController controller(c.memory);
    std::vector<DramEvent> log;
    controller.log(&log);
    add_traffic(c, 600, controller);
    controller.run();
    if (run == 0) {
      first = log;
      continue;
    }
    ASSERT_EQ(log.size(), first.size());
    for (std::size_t i = 0; i < log.size(); ++i) {
      EXPECT_EQ(log[i].at, first[i].at);
      EXPECT_EQ(log[i].bank, first[i].bank);
      EXPECT_EQ(log[i].burst, first[i].burst);
    }
  }
}

// The checker itself: a log that is right is let pass, and each single thing that is wrong is seen.
TEST(DramChecker, SeesWhatIsWrong) {
  using C = DramCommand;
  profile::Dram m = without_refresh(hbm3_groups());
  m.burst_length = 8;
  const std::vector<DramEvent> right = {{1000, C::activate, 0, 0, 1, false, 0}, {3500, C::activate, 0, 4, 1, false, 0},
                                        {20375, C::read, 0, 0, 1, false, 0},    {22875, C::read, 0, 4, 1, false, 1},
                                        {35375, C::write, 0, 0, 1, false, 2},   {63500, C::precharge, 0, 0, 1, false, 0},
                                        {79750, C::activate, 0, 0, 2, false, 0}};
  DramChecker(m).check(right);
  for (std::size_t i = 1; i < right.size(); ++i) {
    if (i == 3) continue;  // could be earlier
    std::vector<DramEvent> wrong = right;
    wrong[i].at -= 1;
    ::testing::TestPartResultArray failures;
    {
      ::testing::ScopedFakeTestPartResultReporter catcher(
          ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
      DramChecker(m).check(wrong);
    }
    EXPECT_GT(failures.size(), 0) << i;
  }
}

}  // namespace
}  // namespace sluice::memory
