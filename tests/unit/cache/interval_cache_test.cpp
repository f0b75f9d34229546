// Random operations on IntervalCache and on a line-by-line LRU: same lines, states and victims after each.
#include "sim/cache/interval_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <random>
#include <utility>
#include <vector>

namespace sluice::cache {
namespace {

constexpr std::uint64_t line = 64;
using Line = std::pair<std::uint64_t, bool>;

struct LineLru {
  std::size_t capacity;
  std::list<Line> order;  // oldest first
  std::vector<Line> victims;

  void touch(std::uint64_t l, bool dirty) {
    for (auto it = order.begin(); it != order.end(); ++it) {
      if (it->first != l) continue;
      dirty = dirty || it->second;
      order.erase(it);
      break;
    }
    order.emplace_back(l, dirty);
    if (order.size() > capacity) {
      victims.push_back(order.front());
      order.pop_front();
    }
  }
};

void append_lines(const IntervalCache::Run& r, std::vector<Line>& out) {
  for (std::uint64_t l = r.begin / line; l < r.end / line; ++l) out.emplace_back(l, r.dirty);
}

void compare(std::uint32_t seed, std::uint64_t span, std::uint64_t longest) {
  std::mt19937 rng(seed);
  IntervalCache cache(16 * line);
  LineLru reference{16, {}, {}};
  for (int step = 0; step < 300; ++step) {
    const std::uint64_t a = rng() % span;
    const std::uint64_t b = a + 1 + rng() % longest;
    const unsigned op = rng() % 8;
    std::vector<IntervalCache::Run> runs;
    reference.victims.clear();
    if (op < 6) {
      cache.touch(a * line, b * line, op < 3, &runs);
      for (std::uint64_t l = a; l < b; ++l) reference.touch(l, op < 3);
    } else if (op == 6) {
      cache.remove(a * line, b * line);
      reference.order.remove_if([&](const Line& p) { return p.first >= a && p.first < b; });
    } else {
      cache.clean(a * line, b * line);
      for (Line& p : reference.order) p.second = p.second && (p.first < a || p.first >= b);
    }
    std::vector<Line> victims;
    for (const IntervalCache::Run& r : runs) append_lines(r, victims);
    ASSERT_EQ(victims, reference.victims) << "seed " << seed << " step " << step;
    runs.clear();
    cache.resident(0, 1 << 20, runs);
    std::vector<Line> got;
    for (const IntervalCache::Run& r : runs) append_lines(r, got);
    std::vector<Line> want(reference.order.begin(), reference.order.end());
    std::sort(want.begin(), want.end());
    ASSERT_EQ(got, want) << "seed " << seed << " step " << step;
    ASSERT_EQ(cache.used_bytes(), want.size() * line);
  }
}

TEST(IntervalCache, EqualsLineLruForLongRuns) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) ASSERT_NO_FATAL_FAILURE(compare(seed, 48, 24));
}

TEST(IntervalCache, EqualsLineLruForSingleLines) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) ASSERT_NO_FATAL_FAILURE(compare(seed, 24, 1));
}

TEST(IntervalCache, ConsecutiveTouchesAreOneRun) {
  IntervalCache cache(1 << 20);
  for (std::uint64_t l = 0; l < 1000; ++l) cache.touch(l * line, (l + 1) * line, true);
  EXPECT_EQ(cache.entries(), 1U);
  cache.clean(100 * line, 200 * line);
  EXPECT_EQ(cache.entries(), 3U);
  cache.clean(0, 1000 * line);
  EXPECT_EQ(cache.entries(), 1U);
}

TEST(IntervalCache, ABigWriteReplacesAMillionSmallOnes) {
  IntervalCache cache(std::uint64_t{256} << 20);
  for (std::uint64_t i = 0; i < 1'000'000; ++i) cache.touch(i * 2 * line, (i * 2 + 1) * line, true);
  EXPECT_EQ(cache.entries(), 1'000'000U);
  cache.touch(0, 2'000'000 * line, true);
  EXPECT_EQ(cache.entries(), 1U);
  EXPECT_EQ(cache.used_bytes(), 2'000'000 * line);
}

}  // namespace
}  // namespace sluice::cache
