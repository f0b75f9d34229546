// Logs written by hand; expectations follow from how a machine with reconvergence would run them.
#include "sim/exec/wave_merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace sluice::exec {
namespace {

using testing::ElementsAre;

class WaveMergeTest : public testing::Test {
 protected:
  std::uint32_t add_site(SiteKind kind, SiteSpace space = SiteSpace::global, std::uint32_t bytes = 4) {
    Site site;
    site.kind = kind;
    site.space = space;
    site.bytes = bytes;
    sites_.push_back(site);
    return static_cast<std::uint32_t>(sites_.size() - 1);
  }
  void merge(const std::vector<std::vector<LogEntry>>& logs) {
    std::vector<std::span<const LogEntry>> lanes(logs.begin(), logs.end());
    issued_ = merge_.run(lanes, sites_, memory_, accesses_, sectors_);
  }
  std::vector<Site> sites_ = std::vector<Site>(1);
  GroupMemory memory_;
  WaveMerge merge_;
  std::vector<WaveAccess> accesses_;
  std::vector<std::uint64_t> sectors_;
  std::uint64_t issued_ = 0;
};

TEST_F(WaveMergeTest, LanesOnBothSidesOfABranchMeetBehindIt) {
  const auto then = add_site(SiteKind::load), otherwise = add_site(SiteKind::load), behind = add_site(SiteKind::store);
  std::vector<std::vector<LogEntry>> logs;
  for (std::uint32_t i = 0; i < 8; ++i) {
    logs.push_back({{1024 + 4 * i, i < 3 ? then : otherwise, 5}, {4096 + 4 * i, behind, 9}});
  }
  merge(logs);
  ASSERT_EQ(accesses_.size(), 3U);
  EXPECT_EQ(accesses_[0].lanes, 3);
  EXPECT_EQ(accesses_[1].lanes, 5);
  EXPECT_EQ(accesses_[2].lanes, 8);
  // Both sides issue their 5 instructions, then all issue 4 together.
  EXPECT_EQ(issued_, 5U + 5U + 4U);
  EXPECT_EQ(accesses_[2].issued, 4U);
}

TEST_F(WaveMergeTest, MarkersKeepIterationsTogether) {
  // A loop of three iterations; every lane loads in a different one.
  const auto load = add_site(SiteKind::load), marker = add_site(SiteKind::marker);
  std::vector<std::vector<LogEntry>> logs;
  for (std::uint32_t lane = 0; lane < 3; ++lane) {
    std::vector<LogEntry>& log = logs.emplace_back();
    for (std::uint32_t iteration = 0; iteration < 3; ++iteration) {
      if (iteration == lane) log.push_back({32 * lane, load, 10 * iteration + 4});
      log.push_back({0, marker, 10 * iteration + 10});
    }
  }
  merge(logs);
  ASSERT_EQ(accesses_.size(), 3U);
  for (const WaveAccess& access : accesses_) EXPECT_EQ(access.lanes, 1);
  EXPECT_THAT(sectors_, ElementsAre(0, 1, 2));
}

TEST_F(WaveMergeTest, GenericPointersAreToldApart) {
  memory_.local = {1 << 20, 4096};
  memory_.private_memory = {1 << 24, 4096};
  const auto site = add_site(SiteKind::load, SiteSpace::generic);
  merge({{{64, site, 1}}, {{(1 << 20) + 4, site, 1}}, {{(1 << 24) + 8, site, 1}}, {{68, site, 1}}});
  ASSERT_EQ(accesses_.size(), 2U);
  EXPECT_EQ(accesses_[0].space, MemorySpace::global);
  EXPECT_EQ(accesses_[0].lanes, 2);
  EXPECT_EQ(accesses_[1].space, MemorySpace::local);
  EXPECT_EQ(accesses_[1].lanes, 1);
}

std::vector<std::uint64_t> strided(std::uint64_t first, std::uint64_t stride, std::size_t count = 32) {
  std::vector<std::uint64_t> addresses(count);
  for (std::size_t i = 0; i < count; ++i) addresses[i] = first + stride * i;
  return addresses;
}

TEST(Sectors, CountsDistinctSectorsOfAnyPattern) {
  auto seen = std::make_unique<KeySet>();
  auto count = [&](const std::vector<std::uint64_t>& addresses, std::uint64_t bytes) {
    std::vector<std::uint64_t> sectors;
    const std::uint32_t n = coalesce(addresses, bytes, *seen, sectors);
    EXPECT_EQ(n, sectors.size());
    return n;
  };
  EXPECT_EQ(count(strided(4096, 4), 4), 4U);       // 128 bytes
  EXPECT_EQ(count(strided(4096 + 16, 4), 4), 5U);  // not aligned: one more
  EXPECT_EQ(count(strided(4096, 32), 4), 32U);
  EXPECT_EQ(count(strided(4096, 128), 4), 32U);
  EXPECT_EQ(count(strided(4096, 64), 64), 64U);
  EXPECT_EQ(count(strided(4096, 0), 4), 1U);  // all lanes one word
  EXPECT_EQ(count({4094}, 4), 2U);            // over a sector's edge
  auto reversed = strided(4096, 4);
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_EQ(count(reversed, 4), 4U);
  EXPECT_EQ(count(strided(0, 4096, 128), 256), 128U * 8);
}

TEST(Sectors, BankConflicts) {
  auto seen = std::make_unique<KeySet>();
  EXPECT_EQ(bank_conflicts(strided(0, 4), 4, false, *seen), 1U);
  EXPECT_EQ(bank_conflicts(strided(0, 8), 4, false, *seen), 2U);     // every second bank twice
  EXPECT_EQ(bank_conflicts(strided(0, 128), 4, false, *seen), 32U);  // all in bank 0
  EXPECT_EQ(bank_conflicts(strided(0, 132), 4, false, *seen), 1U);   // the padding of every transpose
  EXPECT_EQ(bank_conflicts(strided(64, 0), 4, false, *seen), 1U);    // one word is broadcast
  EXPECT_EQ(bank_conflicts(strided(64, 0), 4, true, *seen), 32U);    // but not an atomic access to it
}

}  // namespace
}  // namespace sluice::exec
