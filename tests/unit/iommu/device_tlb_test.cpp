#include "sim/models/iommu/device_tlb.h"

#include <gtest/gtest.h>

#include <random>

namespace sluice::iommu {
namespace {

constexpr std::uint64_t page = 4096;
constexpr TimePs flight = 100;
constexpr TimePs walk = 110;

profile::Iommu agent_of(std::uint32_t entries, std::uint32_t walkers = 8) {
  profile::Iommu p;
  p.entries = entries;
  p.walkers = walkers;
  p.walk_ps = walk;
  return p;
}

profile::Ats cache_of(std::uint32_t entries, std::uint32_t requests = 2) {
  profile::Ats p;
  p.entries = entries;
  p.requests = requests;
  p.agent_ps = 50;
  return p;
}

constexpr TimePs round_trip = 2 * flight + 50;

sim::Walks read(DeviceTlb& tlb, std::uint64_t first, std::uint64_t pages) {
  return tlb.walk({first * page, pages * page, 1, 0}, Direction::host_to_device);
}

TEST(DeviceTlb, AMissingPageCostsARoundTripAndPerhapsAWalk) {
  Iommu agent(agent_of(64));
  DeviceTlb tlb(cache_of(2), flight, agent);
  // Neither side knows the four pages: two requests at a time, a round trip and a walk each.
  sim::Walks w = read(tlb, 0, 4);
  EXPECT_EQ(w.count, 4U);
  EXPECT_EQ(w.latency_ps, round_trip + walk);
  EXPECT_EQ(w.walkers_ps, 4 * (round_trip + walk) / 2);
  EXPECT_FALSE(w.holds_window);
  EXPECT_EQ(w.part, "device.atc");
  // The device has kept the last two, the IOMMU all.
  EXPECT_EQ(read(tlb, 2, 2).count, 0U);
  w = read(tlb, 0, 2);
  EXPECT_EQ(w.count, 2U);
  EXPECT_EQ(w.latency_ps, round_trip);
  EXPECT_EQ(w.walkers_ps, round_trip);
}

// One walker: 16 walks of 110 take longer than 16 requests of which 64 may be under way.
TEST(DeviceTlb, TheSlowerOfRequestsAndWalkersSetsThePace) {
  Iommu agent(agent_of(64, 1));
  DeviceTlb tlb(cache_of(64, 64), flight, agent);
  EXPECT_EQ(read(tlb, 0, 16).walkers_ps, 16 * walk);
}

TEST(DeviceTlb, OnlyMissingPagesAreAskedFor) {
  Iommu agent(agent_of(64));
  DeviceTlb tlb(cache_of(64), flight, agent);
  EXPECT_EQ(read(tlb, 3, 2).count, 2U);
  EXPECT_EQ(read(tlb, 0, 8).count, 6U);
  EXPECT_EQ(agent.misses_of_run(0, 8 * page).pages, 0U);
  // Rows a page and a half apart touch a page each, or two where they meet a border.
  EXPECT_EQ(tlb.walk({100 * page, 8, 4, page * 3 / 2}, Direction::host_to_device).count, 4U);
}

// Held to page after page, over caches of every size and what earlier runs have left in both.
TEST(DeviceTlb, ARunMissesWhatItsPagesMiss) {
  std::mt19937_64 random(5);
  for (int shape = 0; shape < 30; ++shape) {
    const auto entries = static_cast<std::uint32_t>(1 + random() % 20);
    const auto agents = static_cast<std::uint32_t>(1 + random() % 40);
    Iommu agent(agent_of(agents));
    DeviceTlb tlb(cache_of(entries), flight, agent);
    LruTable known(entries, 0, 0);
    LruTable walked(agents, 0, 0);
    for (int i = 0; i < 40; ++i) {
      const std::uint64_t first = 500 + random() % 40;
      const std::uint64_t count = 1 + random() % (i % 8 == 0 ? 3000 : 40);
      std::uint64_t requests = 0;
      std::uint64_t walks = 0;
      for (std::uint64_t n = first; n < first + count; ++n) {
        if (known.touch(n).hit) continue;
        ++requests;
        walks += walked.touch(n).hit ? 0 : 1;
      }
      const sim::Walks got = read(tlb, first, count);
      ASSERT_EQ(got.count, requests);
      const TimePs mean = requests == 0 ? 0 : (requests * round_trip + walks * walk) / requests;
      ASSERT_EQ(got.latency_ps, mean) << "shape " << shape << " run " << i;
    }
  }
}

// 2^40 pages: one by one this would take an hour.
TEST(DeviceTlb, ARunCostsAsMuchAsTheCacheIsLarge) {
  Iommu agent(agent_of(128));
  DeviceTlb tlb(cache_of(64), flight, agent);
  EXPECT_EQ(read(tlb, 0, 1ULL << 40).count, 1ULL << 40);
  EXPECT_EQ(read(tlb, (1ULL << 40) - 64, 64).count, 0U);
}

TEST(DeviceTlb, OnlyADeviceThatKeepsThePagesIsToForgetThem) {
  Iommu agent(agent_of(64));
  DeviceTlb tlb(cache_of(64), flight, agent);
  EXPECT_FALSE(tlb.forget(0, 4 * page));  // it has none of them
  EXPECT_EQ(read(tlb, 3, 2).count, 2U);
  EXPECT_TRUE(tlb.forget(0, 4 * page));
  EXPECT_FALSE(tlb.forget(0, 4 * page));
  EXPECT_EQ(read(tlb, 3, 2).count, 1U);  // page 4 is still there
}

// A request names an aligned power of two of pages. Pages 5 and 6 take 4 to 7 with them, a page's last byte and the next one's
// first both; a page alone takes nothing else.
TEST(DeviceTlb, NeighboursInTheRequestsRangeGoToo) {
  Iommu agent(agent_of(64));
  DeviceTlb tlb(cache_of(64), flight, agent);
  EXPECT_EQ(read(tlb, 0, 16).count, 16U);
  EXPECT_TRUE(tlb.forget(6 * page - 1, 2));
  EXPECT_EQ(read(tlb, 0, 4).count + read(tlb, 8, 8).count, 0U);
  EXPECT_EQ(read(tlb, 0, 16).count, 4U);
  EXPECT_TRUE(tlb.forget(9 * page, page));
  EXPECT_EQ(read(tlb, 0, 16).count, 1U);
}

}  // namespace
}  // namespace sluice::iommu
