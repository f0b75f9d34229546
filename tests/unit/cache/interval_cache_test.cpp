// Random operations on IntervalCache and on a line-by-line LRU: same lines and same states after each.
#include "sim/cache/interval_cache.h"
#include <gtest/gtest.h>
#include <list>
#include <random>
#include <utility>
namespace sluice::cache {
namespace {
struct LineLru {
  std::size_t capacity;
  std::list<std::pair<std::uint64_t, bool>> order;  // oldest first
  void touch(std::uint64_t l, bool dirty) {
    for (auto it = order.begin(); it != order.end(); ++it) {
      if (it->first == l) { dirty = dirty || it->second; order.erase(it); break; }
    }
    order.emplace_back(l, dirty);
    if (order.size() > capacity) order.pop_front();
  }
};
int run(bool compare_dirty, std::uint32_t seeds, std::uint64_t span, std::uint64_t max_len) {
  for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
    std::mt19937 rng(seed);
    IntervalCache cache(16 * 64);
    LineLru ref{16, {}};
    for (int step = 0; step < 300; ++step) {
      const std::uint64_t a = rng() % span, n = 1 + rng() % max_len;
      const unsigned op = rng() % 8;
      if (op < 6) { cache.touch(a * 64, (a + n) * 64, op < 3); for (auto l = a; l < a + n; ++l) ref.touch(l, op < 3); }
      else if (op == 6) { cache.remove(a * 64, (a + n) * 64); ref.order.remove_if([&](auto& p) { return p.first >= a && p.first < a + n; }); }
      else { cache.clean(a * 64, (a + n) * 64); for (auto& p : ref.order) if (p.first >= a && p.first < a + n) p.second = false; }
      std::vector<IntervalCache::Run> runs; cache.resident(0, 1 << 20, runs);
      std::vector<int> got(1024, 0), want(1024, 0);
      for (auto& r : runs) for (auto l = r.begin / 64; l < r.end / 64; ++l) got[l] = compare_dirty && r.dirty ? 2 : 1;
      for (auto& p : ref.order) want[p.first] = compare_dirty && p.second ? 2 : 1;
      if (got != want) { ADD_FAILURE() << "seed " << seed << " step " << step << " op " << op << " [" << a << "," << a + n << ")"; return 1; }
    }
  }
  return 0;
}
TEST(IntervalCache, ResidencyMatchesLineLru) { run(false, 500, 48, 24); }
TEST(IntervalCache, StatesMatchLineLru) { run(true, 500, 48, 24); }
TEST(IntervalCache, StatesMatchLineLruShortRuns) { run(true, 500, 48, 1); }
}  // namespace
}  // namespace sluice::cache
