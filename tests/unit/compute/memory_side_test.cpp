// Where accesses go, and what a compute unit holds, on the units of an H200: lines of 128 bytes, a miss brings 64.
#include "sim/models/compute/memory_side.h"

#include <gtest/gtest.h>

#include <memory>

#include "sim/models/compute/grid.h"
#include "sim/models/link/link.h"
#include "sim/models/memory/dram_memory.h"
#include "sim/profile/load.h"

namespace sluice::compute {
namespace {

constexpr std::uint64_t device_base = 0x200000000000;
constexpr std::uint64_t host_base = 0x210000000000;

class Memory : public ::testing::Test {
 protected:
  void SetUp() override {
    auto loaded = profile::load_profile("h200-pcie5");
    ASSERT_TRUE(loaded.profile);
    profile = std::make_unique<profile::Profile>(std::move(*loaded.profile));
    link = sim::make_link(*profile);
    dram = std::make_unique<memory::DramMemory>(profile->device_memory, profile->device_cache);
    rates = std::make_unique<Rates>(*profile, *link, *dram);
    side = std::make_unique<MemorySide>(*profile, *rates);
    map.add({reinterpret_cast<std::byte*>(device_base), 1 << 20, Placement::device, 1 << 20});
    map.add({reinterpret_cast<std::byte*>(host_base), 1 << 20, Placement::host_pinned, 1ULL << 32});
    side->begin(&map, 0);
  }
  // One access of lanes that touch `bytes` each, `stride` apart.
  Traffic access(AccessKind kind, std::uint64_t base, std::uint32_t lanes, std::uint64_t stride, std::uint32_t bytes,
                 std::size_t unit = 0, AtomicKind atomic = AtomicKind::add) {
    GroupTrace trace;
    for (std::uint64_t i = 0; i < lanes; ++i) {
      const std::uint64_t s = (base + i * stride) / sector_bytes;
      if (trace.sectors.empty() || trace.sectors.back() != s) trace.sectors.push_back(s);
    }
    WaveAccess a;
    a.kind = kind;
    a.lanes = static_cast<std::uint16_t>(lanes);
    a.bytes = bytes;
    a.atomic = atomic;
    a.sectors = static_cast<std::uint32_t>(trace.sectors.size());
    Traffic t;
    side->access(unit, a, trace, t);
    return t;
  }

  std::unique_ptr<profile::Profile> profile;
  std::unique_ptr<sim::Link> link;
  std::unique_ptr<memory::DramMemory> dram;
  std::unique_ptr<Rates> rates;
  std::unique_ptr<MemorySide> side;
  MemoryMap map;
};

TEST_F(Memory, ALoadFillsBothCaches) {
  const Traffic cold = access(AccessKind::load, device_base, 32, 4, 4);
  EXPECT_EQ(cold.level, Level::memory);
  EXPECT_EQ(cold.lines, 1U);
  EXPECT_EQ(cold.device_read, 128U);
  EXPECT_EQ(access(AccessKind::load, device_base, 32, 4, 4).level, Level::l1);
  EXPECT_EQ(access(AccessKind::load, device_base, 32, 4, 4, 1).level, Level::l2);  // another unit
  side->begin(&map, 0);
  EXPECT_EQ(access(AccessKind::load, device_base, 32, 4, 4).level, Level::l2);  // another launch
}

// Copies and kernels meet in the last-level cache, lines of 128 bytes: what one leaves, the other hits.
TEST_F(Memory, CopiesWarmKernels) {
  dram->share(*side);
  (void)dram->stream(memory::Access::write, 1 << 20, 4096, 256);
  const Traffic t = access(AccessKind::load, device_base + 3968, 64, 4, 4);  // 256 bytes: the last line, and one more
  EXPECT_EQ(t.l2_hits, 4U);
  EXPECT_EQ(t.device_read, 128U);
}

TEST_F(Memory, KernelsWarmCopies) {
  dram->share(*side);
  access(AccessKind::store, device_base, 32, 16, 16);  // 512 bytes
  EXPECT_TRUE(dram->stream(memory::Access::read, 1 << 20, 512, 256).cached);
  EXPECT_FALSE(dram->stream(memory::Access::read, 1 << 20, 1024, 256).cached);
}

// What a copy left before the first launch is found by it, too.
TEST_F(Memory, EarlierCopiesAreNotForgotten) {
  (void)dram->stream(memory::Access::read, 1 << 20, 4096, 256);
  dram->share(*side);
  EXPECT_EQ(access(AccessKind::load, device_base, 32, 4, 4).level, Level::l2);
}

// Engines that leave nothing: a copy finds what a kernel left and renews it, and the rest goes by.
TEST_F(Memory, CopiesNeedNotAllocate) {
  profile->device_cache.copies_allocate = false;
  dram->share(*side);
  access(AccessKind::load, device_base, 32, 4, 4);  // one line
  EXPECT_FALSE(dram->stream(memory::Access::write, 1 << 20, 256, 256).cached);
  EXPECT_TRUE(dram->stream(memory::Access::read, 1 << 20, 128, 256).cached);
  EXPECT_EQ(access(AccessKind::load, device_base, 32, 4, 4, 1).level, Level::l2);
  EXPECT_EQ(access(AccessKind::load, device_base + 128, 32, 4, 4).level, Level::memory);
}

// A copy longer than the 50 MiB of the cache leaves its end there, and drives dirty lines out.
TEST_F(Memory, ALongCopyLeavesItsEnd) {
  dram->share(*side);
  const std::uint64_t mib = 1 << 20;
  const auto t = side->touch(memory::Access::write, mib, 65 * mib, true);
  EXPECT_EQ(t.hit_bytes, 0U);
  EXPECT_GE(t.driven_out_bytes, 14 * mib);
  EXPECT_EQ(access(AccessKind::load, device_base, 32, 4, 4).level, Level::memory);
}

TEST_F(Memory, AMissBringsItsNeighbour) {
  EXPECT_EQ(access(AccessKind::load, device_base, 4, 128, 16).device_read, 4 * 64U);
  const Traffic neighbour = access(AccessKind::load, device_base + 32, 4, 128, 16);
  EXPECT_EQ(neighbour.level, Level::l2);
  EXPECT_EQ(neighbour.device_read, 0U);
}

TEST_F(Memory, StoresStayInTheLastLevelCache) {
  const Traffic t = access(AccessKind::store, device_base, 32, 16, 16);
  EXPECT_EQ(t.level, Level::l2);
  EXPECT_EQ(t.l2_sectors, 16U);
  EXPECT_EQ(t.device_read + t.device_written, 0U);
}

// tests/silicon/h200_cuda_fit.jsonl: reads run at the same rate a span at strides up to 64 bytes, and a write of a part
// of a sector takes a TLP of its own.
TEST_F(Memory, HostMemoryIsReadByHalfLinesAndWrittenByTlps) {
  const Traffic dense = access(AccessKind::load, host_base, 32, 16, 16);
  EXPECT_EQ(dense.level, Level::host);
  EXPECT_EQ(dense.host_reads[4], 4U);  // 512 bytes in lines of 128
  EXPECT_EQ(access(AccessKind::load, host_base + 4096, 32, 64, 16).host_reads[4], 16U);
  EXPECT_EQ(access(AccessKind::load, host_base + 8192, 32, 128, 16).host_reads[2], 32U);
  EXPECT_EQ(access(AccessKind::store, host_base, 32, 16, 16).host_writes[4], 4U);
  const Traffic holes = access(AccessKind::store, host_base, 32, 32, 16);
  EXPECT_EQ(holes.host_partial_writes, 32U);
  EXPECT_EQ(holes.host_writes[4], 0U);
}

TEST_F(Memory, LinesOfTheHostAreForgottenBetweenLaunches) {
  EXPECT_EQ(access(AccessKind::load, host_base, 32, 4, 4).level, Level::host);
  EXPECT_EQ(access(AccessKind::load, host_base, 32, 4, 4, 1).level, Level::l2);
  side->begin(&map, 0);
  EXPECT_EQ(access(AccessKind::load, host_base, 32, 4, 4).level, Level::host);
  EXPECT_EQ(side->host_read().address, 1ULL << 32);
  EXPECT_EQ(side->host_read().bytes, 128U);
}

// For good: in one set every line of every launch meets every other.
TEST_F(Memory, NoLaterLaunchFindsLinesOfTheHost) {
  profile->device_cache.capacity_bytes = std::uint64_t{128} * SectorCache::ways;
  side = std::make_unique<MemorySide>(*profile, *rates);
  for (int launch = 0; launch < 40; ++launch) {
    side->begin(&map, 0);
    EXPECT_EQ(access(AccessKind::load, host_base, 8, 4, 4).l2_hits, 0U) << launch;
    EXPECT_EQ(access(AccessKind::load, host_base, 8, 4, 4, 1).l2_hits, 1U) << launch;
  }
}

TEST_F(Memory, AtomicsAreDoneAtTheLastLevelCache) {
  (void)access(AccessKind::load, device_base, 1, 4, 4);
  const Traffic t = access(AccessKind::atomic, device_base, 1, 4, 4);
  EXPECT_EQ(t.level, Level::l2);
  EXPECT_EQ(t.atomic_sectors, 1U);
  EXPECT_EQ(t.l1_hits, 0U);
}

// On host memory the device reads the sectors and writes them back, unless the way there routes AtomicOps: then each lane's
// is a request; what none of them does is a read, and a compare-and-swap.
TEST_F(Memory, AtomicsOnHostMemoryGoAsTheLinkSays) {
  const auto host = [&](AtomicKind kind, std::uint32_t bytes) {
    return access(AccessKind::atomic, host_base, 32, bytes, bytes, 0, kind);
  };
  Traffic t = host(AtomicKind::add, 4);
  EXPECT_EQ(t.host_reads[1], 4U);
  EXPECT_EQ(t.host_partial_writes, 4U);
  EXPECT_EQ(t.host_atomics, (std::array<std::uint64_t, atomic_ops>{}));
  profile->link.atomics = profile::Atomics::atomic_ops;
  link = sim::make_link(*profile);
  rates = std::make_unique<Rates>(*profile, *link, *dram);
  side = std::make_unique<MemorySide>(*profile, *rates);
  side->begin(&map, 0);
  const auto at = [](AtomicOp op, std::size_t size) { return static_cast<std::size_t>(op) * atomic_sizes + size; };
  t = host(AtomicKind::add, 4);
  EXPECT_EQ(t.level, Level::host);
  EXPECT_EQ(t.host_atomics[at(AtomicOp::fetch_add, 0)], 32U);
  EXPECT_EQ(t.host_reads[1] + t.host_partial_writes + t.atomic_sectors, 0U);
  EXPECT_TRUE(t.crosses_link());
  EXPECT_EQ(host(AtomicKind::swap, 8).host_atomics[at(AtomicOp::swap, 1)], 32U);
  EXPECT_EQ(host(AtomicKind::compare_swap, 8).host_atomics[at(AtomicOp::compare_swap, 1)], 32U);
  t = host(AtomicKind::other, 4);
  EXPECT_EQ(t.host_reads[1], 4U);
  EXPECT_EQ(t.host_atomics[at(AtomicOp::compare_swap, 0)], 32U);
  EXPECT_EQ(host(AtomicKind::load, 4).host_reads[1], 4U);
  EXPECT_EQ(host(AtomicKind::store, 4).host_partial_writes, 4U);
  // In device memory they are where they were.
  EXPECT_EQ(access(AccessKind::atomic, device_base, 32, 4, 4).atomic_sectors, 4U);
  EXPECT_EQ(side->host_written().bytes, 256U);
}

// 64 waves, 32 groups, 65536 registers and 228 KiB of local memory a unit.
TEST_F(Memory, OccupancyIsWhatRunsOutFirst) {
  NdRange range;
  range.global = {1 << 20, 1, 1};
  const auto of = [&](std::uint64_t local, std::uint32_t registers, std::uint64_t local_bytes) {
    range.local = {local, 1, 1};
    return occupancy_of(*profile, range, registers, local_bytes);
  };
  const Occupancy waves = of(256, 32, 0);
  EXPECT_EQ(waves.groups_per_unit, 8U);
  EXPECT_EQ(waves.permille, 1000U);
  EXPECT_EQ(waves.limit, "waves");
  EXPECT_EQ(of(256, 64, 0).groups_per_unit, 4U);
  EXPECT_EQ(of(256, 64, 0).limit, "registers");
  EXPECT_EQ(of(256, 32, 48 << 10).groups_per_unit, 4U);
  EXPECT_EQ(of(256, 32, 48 << 10).limit, "local_memory");
  EXPECT_EQ(of(32, 16, 0).groups_per_unit, 32U);
  EXPECT_EQ(of(32, 16, 0).limit, "groups");
  EXPECT_EQ(of(32, 16, 0).permille, 500U);
  range.global = {64, 1, 1};
  EXPECT_EQ(of(64, 32, 0).limit, "launch");
}

}  // namespace
}  // namespace sluice::compute
