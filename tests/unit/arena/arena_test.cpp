#include "api/objects/arena.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace sluice::api {
namespace {

constexpr std::uintptr_t place = 0x210000000000;  // beside the driver's
constexpr std::size_t page = Arena::page_bytes;
constexpr std::size_t one_page_store = page + Arena::gap_bytes;

std::uintptr_t number(const std::byte* p) { return reinterpret_cast<std::uintptr_t>(p); }

std::size_t resident_pages() {
  std::size_t total = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident;
}

class ArenaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!arena.is_fixed()) GTEST_SKIP() << "the address range is not to be had here";
  }
  Arena arena{Arena::Options{place, std::size_t{1} << 40, true}};
};

TEST_F(ArenaTest, StoresFollowEachOtherWithAGapBetween) {
  EXPECT_EQ(number(arena.allocate(1)), place);
  EXPECT_EQ(number(arena.allocate(page + 1)), place + one_page_store);
  EXPECT_EQ(number(arena.allocate(5)), place + one_page_store + 2 * page + Arena::gap_bytes);
}

TEST_F(ArenaTest, ReleasedRoomIsUsedAgainLowestAddressFirst) {
  std::vector<std::byte*> stores;
  for (int i = 0; i < 6; ++i) stores.push_back(arena.allocate(page));
  arena.release(stores[4]);
  arena.release(stores[1]);
  EXPECT_EQ(arena.allocate(page), stores[1]);
  EXPECT_EQ(arena.allocate(page), stores[4]);
}

TEST_F(ArenaTest, NeighboursMergeWhateverTheOrderOfRelease) {
  for (const std::vector<std::size_t>& order : {std::vector<std::size_t>{1, 2, 3}, {3, 2, 1}, {1, 3, 2}, {2, 1, 3}}) {
    std::vector<std::byte*> stores;
    for (int i = 0; i < 5; ++i) stores.push_back(arena.allocate(page));
    for (std::size_t i : order) arena.release(stores[i]);
    // Three stores of a page and their gaps: room for one of five pages and its gap, and for no more.
    std::byte* const larger = arena.allocate(6 * page);
    std::byte* const fits = arena.allocate(5 * page);
    EXPECT_GT(larger, stores[4]);
    EXPECT_EQ(fits, stores[1]);
    for (std::byte* p : {stores[0], stores[4], larger, fits}) arena.release(p);
  }
}

TEST_F(ArenaTest, MemoryIsZeroWhenItIsUsedAgain) {
  std::byte* const store = arena.allocate(3 * page);
  std::memset(store, 0xA5, 3 * page);
  arena.release(store);
  ASSERT_EQ(arena.allocate(3 * page), store);
  EXPECT_TRUE(std::all_of(store, store + 3 * page, [](std::byte b) { return b == std::byte{0}; }));
}

TEST_F(ArenaTest, PagesAreTakenWhenTouchedAndReturnedAtRelease) {
  const std::size_t before = resident_pages();
  std::byte* const store = arena.allocate(std::size_t{141} << 30);  // all of an H200
  ASSERT_NE(store, nullptr);
  EXPECT_LT(resident_pages(), before + 1000);
  std::memset(store + (std::size_t{100} << 30), 1, 16 << 20);  // 4096 pages
  EXPECT_GT(resident_pages(), before + 4000);
  arena.release(store);
  EXPECT_LT(resident_pages(), before + 1000);
}

TEST_F(ArenaTest, AlignmentIsKept) {
  (void)arena.allocate(1);
  const std::byte* const store = arena.allocate(page, 131072);  // the largest CL_DEVICE_MEM_BASE_ADDR_ALIGN of a profile
  EXPECT_EQ(number(store), place + 131072);
  // What lies before it stays usable.
  EXPECT_EQ(number(arena.allocate(1)), place + one_page_store);
}

TEST_F(ArenaTest, MoreThanThereIsIsRefused) {
  EXPECT_EQ(arena.allocate(std::size_t{1} << 40), nullptr);  // no room for the gap
  EXPECT_EQ(arena.allocate(~std::size_t{0}), nullptr);
  EXPECT_EQ(arena.allocate(page, std::size_t{1} << 62), nullptr);
  EXPECT_NE(arena.allocate((std::size_t{1} << 40) - Arena::gap_bytes), nullptr);
  EXPECT_EQ(arena.allocate(1), nullptr);
}

TEST_F(ArenaTest, ManyStoresCostOneRegionOfTheProcess) {
  // A process has 65530 regions (vm.max_map_count).
  for (int i = 0; i < 100'000; ++i) {
    std::byte* const store = arena.allocate(1);
    ASSERT_NE(store, nullptr) << i;
    if (i % 1000 == 0) *store = std::byte{1};
  }
}

// Against a plain record of what is live: no store meets another, and the same calls give the same addresses.
TEST_F(ArenaTest, RandomCallsGiveDisjointStoresAndTheSameAddressesTwice) {
  std::vector<std::uintptr_t> first;
  for (int round = 0; round < 2; ++round) {
    std::mt19937 random(7);
    std::vector<std::pair<std::byte*, std::size_t>> live;
    std::vector<std::uintptr_t> given;
    for (int i = 0; i < 5000; ++i) {
      if (!live.empty() && random() % 2 == 0) {
        const std::size_t k = random() % live.size();
        arena.release(live[k].first);
        live.erase(live.begin() + static_cast<std::ptrdiff_t>(k));
        continue;
      }
      const std::size_t bytes = 1 + random() % (20 * page);
      std::byte* const store = arena.allocate(bytes, page << (random() % 4));
      given.push_back(number(store));
      for (const auto& [p, n] : live) ASSERT_TRUE(store + bytes + page <= p || p + n + page <= store);
      live.emplace_back(store, bytes);
    }
    for (const auto& [p, n] : live) arena.release(p);
    if (round == 0) first = given;
    EXPECT_EQ(given, first);
  }
}

TEST_F(ArenaTest, UnknownPointersAreIgnored) {
  std::byte* const store = arena.allocate(page);
  arena.release(nullptr);
  arena.release(store + 1);
  EXPECT_EQ(number(arena.allocate(page)), place + one_page_store);
}

void use(Arena& arena) {
  std::byte* const a = arena.allocate(3 * page, 131072);
  std::byte* const b = arena.allocate(page);
  ASSERT_TRUE(a != nullptr && b != nullptr);
  EXPECT_EQ(number(a) % 131072, 0U);
  std::memset(a, 1, 3 * page);
  std::memset(b, 2, page);
  arena.release(a);
  arena.release(b);
}

TEST(ArenaWithoutItsRange, GivesWhatAddressesThereAre) {
  Arena none(Arena::Options{place, std::size_t{1} << 40, false});
  EXPECT_FALSE(none.is_fixed());
  use(none);
  (void)none.allocate(page);  // the arena takes it along
}

TEST(ArenaWithoutItsRange, GivesWayToWhoWasThereBefore) {
  const Arena first(Arena::Options{place, std::size_t{1} << 30, true});
  if (!first.is_fixed()) GTEST_SKIP();
  Arena second(Arena::Options{place + (std::size_t{1} << 29), std::size_t{1} << 30, true});
  EXPECT_FALSE(second.is_fixed());
  use(second);
}

TEST(ArenaWithoutItsRange, LivesWithAProcessThatMayHaveFewAddresses) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer needs its addresses";
#endif
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &old), 0);
  const rlimit limit{std::size_t{8} << 30, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &limit), 0);
  {
    Arena arena(Arena::Options{place, std::size_t{1} << 44, true});
    EXPECT_FALSE(arena.is_fixed());
    use(arena);
  }
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &old), 0);
}

}  // namespace
}  // namespace sluice::api
