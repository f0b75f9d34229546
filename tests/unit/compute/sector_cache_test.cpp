#include "sim/models/compute/sector_cache.h"

#include <gtest/gtest.h>

namespace sluice::compute {
namespace {

// One set: every line meets every other.
constexpr std::uint64_t one_set = 128ULL * SectorCache::ways;

TEST(SectorCache, SectorsOfALineComeOneByOne) {
  SectorCache cache(one_set, 128);
  EXPECT_EQ(cache.access(7, 0b0011, false).hits, 0U);
  EXPECT_EQ(cache.access(7, 0b0110, false).hits, 0b0010U);
  EXPECT_EQ(cache.present(7, 0b1111), 0b0111U);
  cache.fill(7, 0b1000);
  EXPECT_EQ(cache.access(7, 0b1111, false).hits, 0b1111U);
}

TEST(SectorCache, TheLeastRecentlyUsedLineGoesAndItsDirtySectorsAreWrittenBack) {
  SectorCache cache(one_set, 128);
  (void)cache.access(0, 0b0111, true);
  for (std::uint64_t line = 1; line < SectorCache::ways; ++line) {
    EXPECT_EQ(cache.access(line, 1, false).written_back, 0U);
  }
  (void)cache.access(1, 1, false);
  EXPECT_EQ(cache.access(100, 1, false).written_back, 3U);  // line 0, the oldest
  EXPECT_EQ(cache.present(0, 0b1111), 0U);
  EXPECT_EQ(cache.access(101, 1, false).written_back, 0U);  // line 2, clean
  EXPECT_EQ(cache.present(2, 1), 0U);
  EXPECT_EQ(cache.present(1, 1), 1U);
}

TEST(SectorCache, ClearForgetsAndLimitsTheWays) {
  SectorCache cache(one_set, 128);
  (void)cache.access(1, 1, true);
  cache.clear(2);
  EXPECT_EQ(cache.present(1, 1), 0U);
  for (std::uint64_t line = 1; line <= 3; ++line) EXPECT_EQ(cache.access(line, 1, false).written_back, 0U);
  EXPECT_EQ(cache.present(1, 1), 0U);  // two ways hold two of three lines
  EXPECT_EQ(cache.present(2, 1) + cache.present(3, 1), 2U);
}

TEST(SectorCache, WithoutCapacityEverythingPasses) {
  SectorCache cache(0, 128);
  EXPECT_EQ(cache.access(1, 0b11, true).written_back, 2U);
  EXPECT_EQ(cache.access(1, 0b11, false).hits, 0U);
}

// Lines at any power-of-two stride must find most of the cache, or strided kernels would thrash where none does.
TEST(SectorCache, StridesSpreadOverTheSets) {
  for (const std::uint64_t stride : {1, 2, 32, 1024, 4096}) {
    SectorCache cache(1 << 20, 128);
    const std::uint64_t lines = (1 << 20) / 128 / 2;  // half of what it holds
    for (std::uint64_t i = 0; i < lines; ++i) (void)cache.access(i * stride, 1, false);
    std::uint64_t kept = 0;
    for (std::uint64_t i = 0; i < lines; ++i) kept += cache.present(i * stride, 1);
    EXPECT_GT(kept, lines * 9 / 10) << stride;
  }
}

}  // namespace
}  // namespace sluice::compute
