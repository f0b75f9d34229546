// Groups that are alike, looked up by a plan and access by access in memories of their own: the same is found, and left.
#include "sim/models/compute/alike_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>

#include "sim/models/compute/grid.h"
#include "sim/models/compute/launch.h"
#include "sim/models/link/link.h"
#include "sim/models/memory/dram_memory.h"
#include "sim/profile/load.h"

namespace sluice::compute {
namespace {

constexpr std::uint64_t range_bytes = 1 << 20;
constexpr std::array<std::uint64_t, 3> bases{0x200000000000, 0x200000200000, 0x210000000000};
constexpr std::array<std::uint64_t, 3> groups{8, 4, 2};

class AlikePlanTest : public ::testing::TestWithParam<unsigned> {
 protected:
  void SetUp() override {
    auto loaded = profile::load_profile("h200-pcie5");
    ASSERT_TRUE(loaded.profile);
    profile_ = std::make_unique<profile::Profile>(std::move(*loaded.profile));
    if (GetParam() % 3 == 1) profile_->compute.l1_bytes = std::uint64_t{128} * SectorCache::ways * 2;  // two sets
    if (GetParam() % 5 == 1) profile_->device_cache.capacity_bytes = std::uint64_t{128} * SectorCache::ways * 4;
    link_ = sim::make_link(*profile_);
    dram_ = std::make_unique<memory::DramMemory>(profile_->device_memory, profile_->device_cache);
    rates_ = std::make_unique<Rates>(*profile_, *link_, *dram_);
    map_.add({reinterpret_cast<std::byte*>(bases[0]), range_bytes, Placement::device, 1 << 20});
    map_.add({reinterpret_cast<std::byte*>(bases[1]), range_bytes, Placement::device, (1 << 23) + 96});
    map_.add({reinterpret_cast<std::byte*>(bases[2]), range_bytes, Placement::host_pinned, 1ULL << 32});
    planned_ = std::make_unique<MemorySide>(*profile_, *rates_);
    each_ = std::make_unique<MemorySide>(*profile_, *rates_);
  }

  std::uint64_t any(std::uint64_t below) { return random_() % below; }

  // The reference is a group in the middle; here and there another leaves its range.
  AlikeGroups alike() {
    AlikeGroups all;
    all.at = {4, 2, 1};
    struct Way {
      std::uint64_t base;
      AlikeGroups::Step step;
      bool small;
    };
    std::vector<Way> ways(1 + any(4));
    for (Way& way : ways) {
      way.base = bases[any(3)] + (any(6) == 0 ? range_bytes - 4096 : range_bytes / 2) + any(64) * sector_bytes;
      way.small = any(4) == 0;
      constexpr std::array<std::int64_t, 6> steps{0, 32, 64, 128, -160, 4096};
      for (std::int64_t& s : way.step.bytes) s = way.small ? static_cast<std::int64_t>(4 * any(3)) : steps[any(6)];
      way.step.offset = way.small ? static_cast<std::uint32_t>(4 * any(8)) : 0;
    }
    WaveTrace wave;
    for (std::size_t n = 2 + any(30); n != 0; --n) {
      const Way& way = ways[any(ways.size())];
      WaveAccess a;
      a.kind = any(8) == 0 ? AccessKind::atomic : any(3) == 0 ? AccessKind::store : AccessKind::load;
      a.lanes = 32;
      a.bytes = 4;
      a.first_sector = static_cast<std::uint32_t>(all.first.sectors.size());
      const std::uint64_t first = way.base / sector_bytes + (way.small ? 0 : any(60));
      const std::size_t sectors = way.small ? 1 : 1 + any(8);
      for (std::size_t i = 0; i < sectors; ++i) {
        all.first.sectors.push_back(first + i * (n % 3 == 0 ? 5 : 1));
        all.steps.push_back(way.step);
      }
      a.sectors = static_cast<std::uint32_t>(sectors);
      all.first.accesses.push_back(a);
    }
    wave.accesses = static_cast<std::uint32_t>(all.first.accesses.size());
    all.first.waves.push_back(wave);
    return all;
  }

  std::vector<Found> look_up_each(const AlikeGroups& alike, std::size_t unit, const std::array<std::uint64_t, 3>& group,
                                  const std::vector<std::uint32_t>& order, Traffic& sum) {
    GroupTrace trace = alike.first;
    alike.place(group, trace.sectors);
    std::vector<Found> found;
    for (const std::uint32_t number : order) {
      Traffic t;
      each_->access(unit, trace.accesses[number], trace, t);
      found.push_back({l1_cost(*rates_, t.lines, t.sectors), t.level, t.device_read + t.device_written != 0,
                       t.atomic_sectors != 0});
      sum.add(t);
    }
    return found;
  }

  static void expect_same(const Traffic& a, const Traffic& b) {
    EXPECT_EQ(a.level, b.level);
    EXPECT_EQ(a.lines, b.lines);
    EXPECT_EQ(a.sectors, b.sectors);
    EXPECT_EQ(a.l1_hits, b.l1_hits);
    EXPECT_EQ(a.l2_hits, b.l2_hits);
    EXPECT_EQ(a.l2_sectors, b.l2_sectors);
    EXPECT_EQ(a.atomic_sectors, b.atomic_sectors);
    EXPECT_EQ(a.device_read, b.device_read);
    EXPECT_EQ(a.device_written, b.device_written);
    EXPECT_EQ(a.host_reads, b.host_reads);
    EXPECT_EQ(a.host_writes, b.host_writes);
    EXPECT_EQ(a.host_partial_writes, b.host_partial_writes);
  }

  static void expect_same(const std::vector<HostSpan>& a, const std::vector<HostSpan>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].address, b[i].address);
      EXPECT_EQ(a[i].bytes, b[i].bytes);
    }
  }

  std::mt19937_64 random_{GetParam()};
  std::unique_ptr<profile::Profile> profile_;
  std::unique_ptr<sim::Link> link_;
  std::unique_ptr<memory::DramMemory> dram_;
  std::unique_ptr<Rates> rates_;
  std::unique_ptr<MemorySide> planned_, each_;
  MemoryMap map_;
};

TEST_P(AlikePlanTest, FindsAndLeavesWhatEachAccessWould) {
  std::size_t by_plan = 0;
  for (int launch = 0; launch < 12; ++launch) {
    planned_->begin(&map_, 0);
    each_->begin(&map_, 0);
    const AlikeGroups groups_alike = alike();
    std::vector<std::uint32_t> order(groups_alike.first.accesses.size());
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random_);  // of waves that run side by side
    AlikePlan plan(groups_alike, order, *rates_, *planned_);
    GroupTrace trace = groups_alike.first;
    std::vector<Found> found(order.size());
    std::array<std::uint64_t, 3> at{};
    for (at[2] = 0; at[2] < groups[2]; ++at[2]) {
      for (at[1] = 0; at[1] < groups[1]; ++at[1]) {
        for (at[0] = 0; at[0] < groups[0]; ++at[0]) {
          const std::size_t unit = any(3);
          Traffic wanted, got;
          const std::vector<Found> expected = look_up_each(groups_alike, unit, at, order, wanted);
          if (plan.look_up(unit, at, trace, found, got)) {
            ++by_plan;
            EXPECT_EQ(found, expected);
            expect_same(got, wanted);
          } else {
            groups_alike.place(at, trace.sectors);
            for (const std::uint32_t number : order) planned_->access(unit, trace.accesses[number], trace, got);
          }
          ASSERT_FALSE(HasFailure()) << "launch " << launch << " group " << at[0] << ' ' << at[1] << ' ' << at[2];
        }
      }
    }
    EXPECT_EQ(planned_->fingerprint(), each_->fingerprint());
    expect_same({planned_->host_read(), planned_->host_written()}, {each_->host_read(), each_->host_written()});
    expect_same(planned_->device_spans(), each_->device_spans());
    ASSERT_FALSE(HasFailure()) << "launch " << launch;
  }
  EXPECT_GT(by_plan, 64U);  // of 768; small caches and ends of ranges keep the rest from it
}

INSTANTIATE_TEST_SUITE_P(Seeds, AlikePlanTest, ::testing::Range(0U, 15U));

}  // namespace
}  // namespace sluice::compute
