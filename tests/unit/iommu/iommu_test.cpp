#include "sim/models/iommu/iommu.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace sluice::iommu {
namespace {

constexpr std::uint64_t page = 4096;

profile::Iommu machine(std::uint32_t entries, std::uint32_t ways = 0) {
  profile::Iommu p;
  p.entries = entries;
  p.ways = ways;
  p.walk_ps = 100;
  p.llc_read_ps = 10;
  p.memory_read_ps = 70;
  return p;
}

std::vector<bool> hits(LruTable& table, const std::vector<std::uint64_t>& keys) {
  std::vector<bool> out;
  for (const std::uint64_t key : keys) out.push_back(table.touch(key).hit);
  return out;
}

TEST(LruTable, TheLeastRecentlyUsedIsReplaced) {
  LruTable table(3, 0, 0);
  //                           fill     | use 1 again | 4 replaces 2 | 2 replaces 3 | 1 and 4 are left
  EXPECT_EQ(hits(table, {1, 2, 3, 1, 4, 2, 1, 4, 3}),
            (std::vector<bool>{false, false, false, true, false, false, true, true, false}));
}

// Key 0 is a key like others, also in a table whose slots are empty.
TEST(LruTable, AnEmptySlotHoldsNoKey) {
  LruTable table(2, 0, 0);
  EXPECT_EQ(hits(table, {0, 0, 5, 0}), (std::vector<bool>{false, true, false, true}));
}

// Two sets of two ways: even keys compete among themselves only.
TEST(LruTable, KeysCompeteWithinTheirSet) {
  LruTable table(4, 2, 0);
  EXPECT_EQ(hits(table, {1, 0, 2, 4, 0, 1}), (std::vector<bool>{false, false, false, false, false, true}));
}

// Of four entries in two sets one is another's: set 1 has one way left.
TEST(LruTable, WhatOthersHoldIsMissing) {
  LruTable table(4, 2, 1);
  EXPECT_EQ(hits(table, {0, 2, 0, 2, 1, 3, 1}),
            (std::vector<bool>{false, false, true, true, false, false, false}));
}

TEST(LruTable, ErasedKeysAreGoneAndTheirSlotsAreUsedFirst) {
  LruTable table(3, 0, 0);
  hits(table, {1, 2, 3});
  table.erase(2);
  EXPECT_EQ(hits(table, {4, 1, 3, 2}), (std::vector<bool>{false, true, true, false}));
  table.erase_run(0, 1'000'000);
  EXPECT_EQ(hits(table, {1, 2, 3}), (std::vector<bool>{false, false, false}));
}

// The short cut is held to page after page, over tables of every shape and what earlier runs have left in them.
TEST(Iommu, ARunMissesWhatItsPagesMiss) {
  std::mt19937_64 random(3);
  for (int shape = 0; shape < 40; ++shape) {
    profile::Iommu p = machine(0);
    p.ways = static_cast<std::uint32_t>(random() % 5);
    const std::uint32_t sets = 1U << random() % 4;
    p.entries = p.ways == 0 ? static_cast<std::uint32_t>(1 + random() % 20) : p.ways * sets;
    p.shared_entries = static_cast<std::uint32_t>(random() % (p.entries - (p.ways == 0 ? 1 : sets) + 1));
    p.table_cache_entries = static_cast<std::uint32_t>(random() % 4);
    p.tables = static_cast<profile::PageTables>(shape % 3);
    if (p.tables == profile::PageTables::cached) p.llc_table_lines = static_cast<std::uint32_t>(1 + random() % 60);
    Iommu runs(p);
    LruTable pages(p.entries, p.ways, p.shared_entries);
    LruTable tables(std::max(1U, p.table_cache_entries), 0, 0);
    LruTable lines(std::max(1U, p.llc_table_lines), 0, 0);
    for (int i = 0; i < 60; ++i) {
      const std::uint64_t first = 500 + random() % 40;
      const std::uint64_t count = 1 + random() % (i % 8 == 0 ? 3000 : 40);
      Iommu::Misses expected;
      for (std::uint64_t n = first; n < first + count; ++n) {
        if (pages.touch(n).hit) continue;
        ++expected.pages;
        const std::uint64_t reads = p.table_cache_entries != 0 && !tables.touch(n / 512).hit ? 2 : 1;
        expected.table_reads += reads;
        if (p.tables == profile::PageTables::memory) expected.memory_reads += reads;
        if (p.tables == profile::PageTables::cached && !lines.touch(n / 8).hit) ++expected.memory_reads;
      }
      const Iommu::Misses got = runs.misses_of_run(first * page + 5, count * page - 5);
      ASSERT_EQ(got.pages, expected.pages) << "shape " << shape << " run " << i;
      ASSERT_EQ(got.table_reads, expected.table_reads) << "shape " << shape << " run " << i;
      ASSERT_EQ(got.memory_reads, expected.memory_reads) << "shape " << shape << " run " << i;
    }
  }
}

// 2^40 pages: page after page this would take an hour.
TEST(Iommu, ARunCostsAsMuchAsTheTableIsLarge) {
  Iommu iommu(machine(128));
  EXPECT_EQ(iommu.misses_of_run(0, page << 40).pages, 1ULL << 40);
  EXPECT_EQ(iommu.misses_of_run((page << 40) - 128 * page, 128 * page).pages, 0U);
  iommu.forget(0, page << 40);
  EXPECT_EQ(iommu.misses_of_run((page << 40) - 128 * page, 128 * page).pages, 128U);
}

TEST(Iommu, AHitCostsNothingAndAMissAWalk) {
  Iommu iommu(machine(4));
  EXPECT_EQ(iommu.translate(5 * page, 1000, true), 1110U);         // 100 and a read of 10
  EXPECT_EQ(iommu.translate(5 * page + 4095, 2000, true), 2000U);
  EXPECT_EQ(iommu.translate(6 * page, 2000, true), 2110U);
  EXPECT_EQ(iommu.translate(6 * page, 2050, true), 2110U);         // waits for the walk that is under way
}

TEST(Iommu, WalksInMemoryAndThroughUnknownTablesCostMore) {
  profile::Iommu p = machine(64);
  p.tables = profile::PageTables::memory;
  p.table_cache_entries = 1;
  Iommu iommu(p);
  EXPECT_EQ(iommu.translate(0, 0, true), 100U + 2 * 70);
  EXPECT_EQ(iommu.translate(page, 1000, true), 1000U + 100 + 70);
  EXPECT_EQ(iommu.translate(512 * page, 2000, true), 2000U + 100 + 2 * 70);  // the next table
  EXPECT_EQ(iommu.translate(2 * page, 3000, true), 3000U + 100 + 2 * 70);    // which has replaced the first
}

// Eight entries of 8 bytes are a line: of nine pages in a row two find theirs in memory, of the same pages again none; and
// after lines of others as many as the cache keeps, all must be read again.
TEST(Iommu, TablesAreReadFromWhereTheirLinesAre) {
  profile::Iommu p = machine(1);  // no page is known twice
  p.tables = profile::PageTables::cached;
  p.llc_table_lines = 2;
  Iommu iommu(p);
  Iommu runs(p);
  EXPECT_EQ(runs.misses_of_run(0, 9 * page).memory_reads, 2U);
  EXPECT_EQ(runs.misses_of_run(0, 9 * page).memory_reads, 0U);
  EXPECT_EQ(runs.misses_of_run(800 * page, 16 * page).memory_reads, 2U);
  EXPECT_EQ(runs.misses_of_run(0, 9 * page).memory_reads, 2U);
  EXPECT_EQ(iommu.translate(0, 0, true), 100U + 70);
  EXPECT_EQ(iommu.translate(page, 1000, true), 1000U + 100 + 10);
  // A run's walks cost the sum: 100 each, 14 reads of 10 and 2 of 70.
  Iommu walks(p);
  EXPECT_EQ(walks.walk({0, 16 * page, 1, 0}, Direction::host_to_device).walkers_ps, 16U * 100 + 14 * 10 + 2 * 70);
}

// Two walkers of 110: the third walk begins when the first has ended and its walker is released, the fourth likewise.
TEST(Iommu, WalksWaitForAWalker) {
  profile::Iommu p = machine(64);
  p.walkers = 2;
  p.read_release_ps = 40;
  p.write_release_ps = 5;
  Iommu iommu(p);
  EXPECT_EQ(iommu.translate(0 * page, 0, true), 110U);    // walker free at 150
  EXPECT_EQ(iommu.translate(1 * page, 0, false), 110U);   // at 115
  EXPECT_EQ(iommu.translate(2 * page, 0, true), 225U);    // 115 + 110; at 265
  EXPECT_EQ(iommu.translate(3 * page, 0, true), 260U);    // 150 + 110; at 300
  EXPECT_EQ(iommu.translate(4 * page, 290, true), 400U);  // one is free
  EXPECT_EQ(iommu.translate(0 * page, 290, true), 290U);
}

TEST(Iommu, RowsAreLookedUpByThePagesThatTheyTouch) {
  profile::Iommu p = machine(64);
  p.walkers = 2;
  p.read_release_ps = 40;
  p.write_release_ps = 0;
  Iommu iommu(p);
  // 100 rows a page and a bit apart, from the end of page 0 on: rows of 8 bytes over no border, one page each.
  sim::Walks w = iommu.walk({4000, 8, 100, 5000}, Direction::device_to_host);
  std::vector<std::uint64_t> pages;
  for (std::uint64_t i = 0; i < 100; ++i) pages.push_back((4000 + i * 5000) / page);
  EXPECT_EQ(w.count, 100U);
  EXPECT_EQ(std::adjacent_find(pages.begin(), pages.end()), pages.end());
  EXPECT_EQ(w.latency_ps, 110U);
  EXPECT_EQ(w.walkers_ps, 100U * 110 / 2);
  // Rows closer than pages: 10 rows 1000 apart from 0 end at 9008, on page 2. Reads release later.
  iommu.forget(0, 1 << 30);
  w = iommu.walk({0, 8, 10, 1000}, Direction::host_to_device);
  EXPECT_EQ(w.count, 3U);
  EXPECT_EQ(w.walkers_ps, 3U * (110 + 40) / 2);
  w = iommu.walk({0, 8, 10, 1000}, Direction::host_to_device);
  EXPECT_EQ(w.count, 0U);
  EXPECT_EQ(iommu.walk({0, 0, 1, 0}, Direction::host_to_device).count, 0U);
}

// The same bytes on pages of 2 MiB are one page in 512.
TEST(Iommu, LargePagesNeedFewerEntries) {
  profile::Iommu p = machine(64);
  EXPECT_EQ(Iommu(p).misses_of_run(0, 64ULL << 20).pages, 16384U);
  p.page_bytes = 2 << 20;
  EXPECT_EQ(Iommu(p).misses_of_run(0, 64ULL << 20).pages, 32U);
}

}  // namespace
}  // namespace sluice::iommu
