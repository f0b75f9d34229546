// Places of bytes, worked out by hand, and that no two bursts share one.
#include "sim/models/memory/dram_address.h"

#include <gtest/gtest.h>

#include <set>
#include <tuple>

#include "tests/unit/memory/dram_parts.h"

namespace sluice::memory {
namespace {

using F = profile::DramField;

// 188 channels with 256 bytes each in turn, bursts of 32 bytes over four groups: burst 5 of the channel's second piece is
// burst 13 in the channel, in group 1 at column 3.
TEST(DramAddress, OddNumberOfChannels) {
  profile::Dram m = hbm3_groups();
  m.channels = 188;
  const DramAddress a(m);
  EXPECT_EQ(a.place(0), (DramPlace{0, 0, 0, 0}));
  EXPECT_EQ(a.place(256 * 187 + 32), (DramPlace{187, 4, 0, 0}));
  EXPECT_EQ(a.place(256 * 188 + 5 * 32), (DramPlace{0, 4, 0, 3}));
  // A row of 1 KiB in each of four groups is 4 KiB of the channel; then comes the next bank of each group, and after the
  // fourth the next row.
  EXPECT_EQ(a.place(std::uint64_t{188} * 4096), (DramPlace{0, 1, 0, 0}));
  EXPECT_EQ(a.place(std::uint64_t{188} * 4 * 4096), (DramPlace{0, 0, 1, 0}));
}

TEST(DramAddress, OrderOfTheParts) {
  profile::Dram m = hbm3_groups();
  m.address_order = {F::row, F::bank_group, F::bank, F::column};
  const DramAddress rows(m);
  EXPECT_EQ(rows.place(32), (DramPlace{0, 0, 0, 1}));
  EXPECT_EQ(rows.place(1024), (DramPlace{0, 1, 0, 0}));
  EXPECT_EQ(rows.place(4096), (DramPlace{0, 4, 0, 0}));
  m.address_order = {F::row, F::column, F::bank, F::bank_group};
  const DramAddress banks(m);
  EXPECT_EQ(banks.place(32), (DramPlace{0, 4, 0, 0}));
  EXPECT_EQ(banks.place(4 * 32), (DramPlace{0, 1, 0, 0}));
  EXPECT_EQ(banks.place(16 * 32), (DramPlace{0, 0, 0, 1}));
  m.address_order = {F::bank, F::bank_group, F::row, F::column};
  m.rows = 8;
  const DramAddress regions(m);
  EXPECT_EQ(regions.place(1024), (DramPlace{0, 0, 1, 0}));
  EXPECT_EQ(regions.place(8 * 1024), (DramPlace{0, 4, 0, 0}));
}

// Row 6 = 0b0110: bits 10 to the bank, 01 to the group.
TEST(DramAddress, HashedBanks) {
  profile::Dram m = hbm3_groups();
  m.bank_hash = true;
  const DramAddress a(m);
  EXPECT_EQ(a.place(6 * 16 * 1024), (DramPlace{0, 1 * 4 + 2, 6, 0}));
}

TEST(DramAddress, EveryBurstHasAPlaceOfItsOwn) {
  const std::array<std::array<F, 4>, 3> orders = {{{F::row, F::bank, F::column, F::bank_group},
                                                   {F::row, F::column, F::bank_group, F::bank},
                                                   {F::bank, F::row, F::bank_group, F::column}}};
  for (const auto& order : orders) {
    for (const bool hash : {false, true}) {
      profile::Dram m = hbm3_groups();
      m.channels = 3;
      m.rows = 4;
      m.address_order = order;
      m.bank_hash = hash;
      const DramAddress a(m);
      std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint64_t, std::uint32_t>> places;
      const std::uint64_t bytes = 3 * 16 * 4 * 1024;
      for (std::uint64_t at = 0; at < bytes; at += 32) {
        const DramPlace p = a.place(at);
        EXPECT_LT(p.channel, 3U);
        EXPECT_LT(p.bank, 16U);
        EXPECT_LT(p.row, 4U);
        EXPECT_LT(p.column, 32U);
        places.emplace(p.channel, p.bank, p.row, p.column);
      }
      EXPECT_EQ(places.size(), bytes / 32);
    }
  }
}

}  // namespace
}  // namespace sluice::memory
