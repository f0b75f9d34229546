#include "sim/models/compute/sector_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <list>
#include <random>
#include <vector>

namespace sluice::compute {
namespace {

// One set: every line meets every other.
constexpr std::uint64_t one_set = 128ULL * SectorCache::ways;

TEST(SectorCache, SectorsOfALineComeOneByOne) {
  TagMemory memory(SectorCache::tag_bytes(one_set, 128));
  SectorCache cache(one_set, 128, memory);
  EXPECT_EQ(cache.access(7, 0b0011, false).hits, 0U);
  const SectorCache::Result result = cache.access(7, 0b0110, false);
  EXPECT_EQ(result.hits, 0b0010U);
  EXPECT_EQ(cache.present(7, 0b1111), 0b0111U);
  *result.valid |= 0b1000;  // a miss fetched more than was asked for
  EXPECT_EQ(cache.access(7, 0b1111, false).hits, 0b1111U);
}

TEST(SectorCache, TheLeastRecentlyUsedLineGoesAndItsDirtySectorsAreWrittenBack) {
  TagMemory memory(SectorCache::tag_bytes(one_set, 128));
  SectorCache cache(one_set, 128, memory);
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
  TagMemory memory(SectorCache::tag_bytes(one_set, 128));
  SectorCache cache(one_set, 128, memory);
  (void)cache.access(1, 1, true);
  cache.clear(2);
  EXPECT_EQ(cache.present(1, 1), 0U);
  for (std::uint64_t line = 1; line <= 3; ++line) EXPECT_EQ(cache.access(line, 1, false).written_back, 0U);
  EXPECT_EQ(cache.present(1, 1), 0U);  // two ways hold two of three lines
  EXPECT_EQ(cache.present(2, 1) + cache.present(3, 1), 2U);
}

// Against a list of lines, the most recently used first.
TEST(SectorCache, AnyAccessesLeaveWhatAListWould) {
  struct Line {
    std::uint64_t number = 0;
    std::uint32_t valid = 0, dirty = 0;
  };
  TagMemory memory(SectorCache::tag_bytes(one_set, 128));
  SectorCache cache(one_set, 128, memory);
  std::mt19937 random(1);
  for (std::uint32_t ways : {16U, 1U, 7U, 16U, 15U}) {
    cache.clear(ways);
    std::list<Line> list;
    for (int i = 0; i < 20'000; ++i) {
      // Lines that have the same low bits, too, as hashes of them might have.
      const std::uint64_t number = random() % 24 + (random() % 2 != 0 ? 1ULL << 40 : 0);
      const std::uint32_t mask = 1 + random() % 15;
      const bool write = random() % 3 == 0;
      auto it = std::find_if(list.begin(), list.end(), [&](const Line& l) { return l.number == number; });
      std::uint32_t written_back = 0;
      if (it == list.end()) {
        if (list.size() == ways) {
          written_back = static_cast<std::uint32_t>(std::popcount(list.back().dirty));
          list.pop_back();
        }
        list.push_front({number});
      } else {
        list.splice(list.begin(), list, it);
      }
      Line& line = list.front();
      const SectorCache::Result result = cache.access(number, mask, write);
      ASSERT_EQ(result.hits, line.valid & mask) << i;
      ASSERT_EQ(result.written_back, written_back) << i;
      line.valid |= mask;
      if (write) line.dirty |= mask;
    }
  }
}

TEST(SectorCache, ForgottenLinesAreNotFoundAndKeepTheirPlaces) {
  constexpr std::uint64_t high = 1ULL << 47;
  TagMemory memory(SectorCache::tag_bytes(one_set, 128));
  SectorCache cache(one_set, 128, memory);
  for (std::uint64_t line = 0; line < SectorCache::ways; ++line) (void)cache.access(line < 2 ? line : line | high, 1, line == 1);
  cache.forget(5);  // which is not there
  cache.forget(5 | high);
  EXPECT_EQ(cache.present(5 | high, 1), 0U);
  EXPECT_EQ(cache.present(6 | high, 1), 1U);
  cache.forget_all(47);
  EXPECT_EQ(cache.present(6 | high, 1), 0U);
  EXPECT_EQ(cache.present(0, 1), 1U);
  EXPECT_EQ(cache.access(100, 1, false).written_back, 0U);  // line 0, the oldest still
  EXPECT_EQ(cache.present(0, 1), 0U);
  EXPECT_EQ(cache.access(101, 1, false).written_back, 1U);  // line 1
}

// All that decides what later accesses find, and nothing else.
TEST(SectorCache, TheFingerprintIsThatOfWhatItHolds) {
  struct Access {
    std::uint64_t line;
    std::uint32_t mask;
    bool write;
  };
  const auto print = [](const std::vector<Access>& accesses) {
    TagMemory memory(SectorCache::tag_bytes(one_set, 128));
    SectorCache cache(one_set, 128, memory);
    for (const Access& a : accesses) (void)cache.access(a.line, a.mask, a.write);
    return cache.fingerprint();
  };
  const std::uint64_t known = print({{1, 3, false}, {2, 3, false}});
  EXPECT_EQ(print({{2, 3, false}, {1, 1, false}, {1, 2, false}, {2, 1, false}}), known);  // in other ways
  for (const std::vector<Access>& other : std::vector<std::vector<Access>>{{},
                                                                           {{1, 3, false}},
                                                                           {{2, 3, false}, {1, 3, false}},
                                                                           {{1, 3, false}, {2, 1, false}},
                                                                           {{1, 3, false}, {2, 3, true}},
                                                                           {{1, 3, true}, {2, 3, false}},
                                                                           {{1, 3, false}, {3, 3, false}},
                                                                           {{1, 3, false}, {2 | 1ULL << 40, 3, false}}}) {
    EXPECT_NE(print(other), known);
  }
}

// What is put back is what was there: dirty sectors, too.
TEST(SectorCache, ChangesArePutBack) {
  TagMemory memory(2 * SectorCache::tag_bytes(one_set, 128));
  SectorCache from(one_set, 128, memory), to(one_set, 128, memory);
  (void)from.access(1, 0b11, true);
  (void)from.access(2, 0b1, false);
  SectorCache::Changes changes;
  const std::uint64_t print = from.fingerprint(&changes);
  (void)to.access(3, 0b1, true);
  to.apply(changes);
  EXPECT_EQ(to.fingerprint(), print);
  EXPECT_EQ(to.present(3, 1), 0U);
  for (std::uint64_t line = 10; line < 10 + SectorCache::ways - 2; ++line) (void)to.access(line, 1, false);
  EXPECT_EQ(to.access(30, 1, false).written_back, 2U);  // line 1
}

TEST(SectorCache, WithoutCapacityEverythingPasses) {
  TagMemory memory(SectorCache::tag_bytes(0, 128));
  SectorCache cache(0, 128, memory);
  EXPECT_EQ(cache.access(1, 0b11, true).written_back, 2U);
  EXPECT_EQ(cache.access(1, 0b11, false).hits, 0U);
}

// Lines at any power-of-two stride must find most of the cache, or strided kernels would thrash where none does.
TEST(SectorCache, StridesSpreadOverTheSets) {
  for (const std::uint64_t stride : {1, 2, 32, 1024, 4096}) {
    TagMemory memory(SectorCache::tag_bytes(1 << 20, 128));
    SectorCache cache(1 << 20, 128, memory);
    const std::uint64_t lines = (1 << 20) / 128 / 2;  // half of what it holds
    for (std::uint64_t i = 0; i < lines; ++i) (void)cache.access(i * stride, 1, false);
    std::uint64_t kept = 0;
    for (std::uint64_t i = 0; i < lines; ++i) kept += cache.present(i * stride, 1);
    EXPECT_GT(kept, lines * 9 / 10) << stride;
  }
}

}  // namespace
}  // namespace sluice::compute
