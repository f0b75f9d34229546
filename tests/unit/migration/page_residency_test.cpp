// Where pages go, by hand: blocks of 2 MiB, 32 leaves of 64 KiB each, 16 pages of 4 KiB to a leaf.
#include "sim/models/migration/page_residency.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace sluice::migration {
namespace {

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t leaf = 16 * page;
constexpr std::uint64_t block = 32 * leaf;
constexpr std::uint64_t base = (1ULL << 32) + 3 * page;  // blocks begin where the allocation does
constexpr std::uint64_t plenty = 1ULL << 40;

profile::Migration uvm(std::uint32_t batch = 256) {
  profile::Migration p;
  p.batch_faults = batch;
  p.batches_per_service = 20;
  p.fault_ps = 1000;
  p.batch_ps = 100;
  p.block_ps = 10;
  p.host_fault_ps = 7;
  return p;
}

// `count` pages, `step` apart.
std::vector<std::uint64_t> pages(std::uint64_t first, std::uint64_t count, std::uint64_t step = 1) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t i = 0; i < count; ++i) all.push_back(base + (first + i * step) * page);
  return all;
}

std::vector<std::uint64_t> bytes_of(const sim::PageMoves& moves) {
  std::vector<std::uint64_t> all;
  for (const sim::FaultBatch& b : moves.batches) all.push_back(b.bytes);
  return all;
}

// 256 faults in a row are 16 leaves: half of a block, which is not above 51 %. The next 256 fill it.
TEST(PageResidency, FaultsInARowFillABlockInTwoBatches) {
  PageResidency r(uvm(), plenty);
  r.add(base, 2 * block);
  const sim::PageMoves m = r.device_faults(pages(0, 512));
  EXPECT_EQ(bytes_of(m), (std::vector<std::uint64_t>{block / 2, block / 2}));
  EXPECT_EQ(m.faults, 512U);
  EXPECT_EQ(m.to_device_bytes, block);
  EXPECT_EQ(m.first_to_device, base);
  EXPECT_EQ(m.handling_ps, 1000U + 2 * (100 + 10));
  EXPECT_EQ(r.device_faults(pages(0, 512)).batches.size(), 0U);  // they are there
}

// Every other page: 256 faults touch all leaves.
TEST(PageResidency, ABatchThatTouchesMoreLeavesBringsMore) {
  PageResidency r(uvm(), plenty);
  r.add(base, 2 * block);
  EXPECT_EQ(bytes_of(r.device_faults(pages(0, 256, 2))), std::vector<std::uint64_t>{block});
}

// One fault at a time: leaves 0 and 1 move alone; with leaf 2 three quarters of four leaves are there, which is dense,
// with leaf 4 five of eight, with leaf 8 nine of 16, with leaf 16 seventeen of 32 (53 %).
TEST(PageResidency, DensePartsOfTheTreeMoveWhole) {
  PageResidency r(uvm(1), plenty);
  r.add(base, block);
  const sim::PageMoves m = r.device_faults(pages(0, 512));
  EXPECT_EQ(bytes_of(m), (std::vector<std::uint64_t>{leaf, leaf, 2 * leaf, 4 * leaf, 8 * leaf, 16 * leaf}));
  // A core that reads them in order faults as often.
  const sim::PageMoves back = r.host_faults(base, block);
  EXPECT_EQ(back.faults, 6U);
  EXPECT_EQ(back.to_host_bytes, block);
  EXPECT_EQ(back.handling_ps, 6U * 7);
  EXPECT_EQ(r.resident_bytes(), 0U);
}

TEST(PageResidency, WithoutPrefetchLeavesMoveAlone) {
  profile::Migration p = uvm(1);
  p.prefetch_percent = 100;
  PageResidency r(p, plenty);
  r.add(base, block);
  EXPECT_EQ(bytes_of(r.device_faults(pages(0, 512))), std::vector<std::uint64_t>(32, leaf));
}

// An interrupt for every second batch, and blocks by how many a batch touches.
TEST(PageResidency, TheDriversWorkIsByInterruptBatchAndBlock) {
  profile::Migration p = uvm(4);
  p.batches_per_service = 2;
  PageResidency r(p, plenty);
  r.add(base, 64 * block);
  const sim::PageMoves m = r.device_faults(pages(0, 12, 512));  // a page in each of 12 blocks
  ASSERT_EQ(m.batches.size(), 3U);
  EXPECT_EQ(m.batches[0].handling_ps, 1000U + 100 + 4 * 10);
  EXPECT_EQ(m.batches[1].handling_ps, 100U + 4 * 10);
  EXPECT_EQ(m.batches[2].handling_ps, 1000U + 100 + 4 * 10);
  EXPECT_EQ(m.handling_ps, 2 * 1000U + 3 * 100 + 12 * 10);
}

// Three pages behind the first leaf: they are a leaf of their own that is no longer than that.
TEST(PageResidency, TheLastLeafEndsWithTheAllocation) {
  PageResidency r(uvm(), plenty);
  r.add(base, leaf + 2 * page + 5);
  EXPECT_EQ(r.device_faults(pages(17, 1)).to_device_bytes, 3 * page);
  EXPECT_EQ(r.device_faults(pages(0, 1)).to_device_bytes, leaf);
  EXPECT_EQ(r.resident_bytes(), leaf + 3 * page);
  EXPECT_EQ(r.host_faults(base, leaf + 2 * page + 5).to_host_bytes, leaf + 3 * page);
}

// Room for two blocks: the third drives out the one to which pages came longest ago.
TEST(PageResidency, BlocksAreDrivenOutByAge) {
  PageResidency r(uvm(), 2 * block);
  r.add(base, 4 * block);
  EXPECT_EQ(r.device_faults(pages(0, 512)).to_host_bytes, 0U);
  EXPECT_EQ(r.device_faults(pages(512, 512)).to_host_bytes, 0U);
  const sim::PageMoves m = r.device_faults(pages(1024, 512));
  EXPECT_EQ(m.to_host_bytes, block);
  EXPECT_EQ(m.first_to_host, base);
  EXPECT_EQ(m.batches[0].evicted_bytes, block);
  EXPECT_EQ(r.resident_bytes(), 2 * block);
  EXPECT_EQ(r.device_faults(pages(512, 512)).faults, 0U);
  EXPECT_EQ(r.device_faults(pages(0, 1)).faults, 1U);
  EXPECT_EQ(r.totals().evicted_bytes, 2 * block);
}

TEST(PageResidency, TheProgramMovesWhatItAsksFor) {
  PageResidency r(uvm(), plenty);
  r.add(base, 2 * block);
  const sim::PageMoves m = r.move(base + 5, leaf, true, true);  // over the border of two leaves
  EXPECT_EQ(m.to_device_bytes, 2 * leaf);
  EXPECT_EQ(m.faults, 0U);
  EXPECT_EQ(m.handling_ps, 0U);
  EXPECT_EQ(r.device_faults(pages(0, 32)).faults, 0U);
  EXPECT_EQ(r.move(base, block, false, true).to_host_bytes, 2 * leaf);
  EXPECT_EQ(r.move(base, block, true, false).to_device_bytes, 0U);  // nothing is worth moving
  EXPECT_EQ(r.device_faults(pages(0, 512)).faults, 0U);
}

TEST(PageResidency, WhatNobodyAllocatedMovesPageByPage) {
  PageResidency r(uvm(2), plenty);
  const sim::PageMoves m = r.device_faults(pages(0, 3));
  EXPECT_EQ(bytes_of(m), (std::vector<std::uint64_t>{2 * page, page}));
  EXPECT_EQ(r.host_faults(base, 3 * page).faults, 0U);
  EXPECT_FALSE(r.covers(base));
}

TEST(PageResidency, AnAllocationThatIsGoneLeavesNothing) {
  PageResidency r(uvm(), 2 * block);
  r.add(base, 2 * block);
  static_cast<void>(r.move(base, 2 * block, true, true));
  r.remove(base);
  EXPECT_EQ(r.resident_bytes(), 0U);
  EXPECT_FALSE(r.covers(base + page));
  r.add(base + page, block);
  EXPECT_TRUE(r.covers(base + block));
  EXPECT_FALSE(r.covers(base + page + block));
  EXPECT_EQ(r.move(base + page, block, true, true).to_host_bytes, 0U);
}

// 2^20 blocks: leaf by leaf this takes no noticeable time, page by page it would.
TEST(PageResidency, RangesCostByTheirBlocks) {
  PageResidency r(uvm(), 1ULL << 50);
  r.add(base, block << 16);
  EXPECT_EQ(r.move(base, block << 16, true, true).to_device_bytes, block << 16);
  EXPECT_EQ(r.move(base, block << 16, false, true).to_host_bytes, block << 16);
}

}  // namespace
}  // namespace sluice::migration
