// Tiles of images: addresses against a published formula, and what regions touch, counted by hand.
#include "sim/iface/image_tiling.h"

#include <gtest/gtest.h>

#include <set>

#include "sim/models/memory/dram_memory.h"
#include "sim/profile/load.h"

namespace sluice {
namespace {

// Groups of 64 bytes by 8 rows in sectors of 16 bytes by 2 rows: from the lowest bit on x x x x y x y y x.
constexpr ImageTile gob{0b100101111, 0b011010000, 0};
constexpr std::uint64_t width = 1024;  // bytes, 16 groups
const ImageTiling image = ImageTiling::of(gob, width, 256, 1, width, 0);

// NVIDIA, Tegra X1 technical reference manual, "pitch to block linear", blocks of one group.
std::uint64_t manual(std::uint64_t x, std::uint64_t y) {
  return (y / 8 * (width / 64) + x / 64) * 512 + x % 64 / 32 * 256 + y % 8 / 2 * 64 + x % 32 / 16 * 32 + y % 2 * 16 +
         x % 16;
}

std::uint64_t touched(const ImageTiling& t, const ImageRegion& r, std::uint64_t block) {
  std::vector<AddressRun> runs;
  t.runs(r, block, runs);
  std::uint64_t bytes = 0;
  for (const AddressRun& run : runs) bytes += run.bytes;
  return bytes / block;
}

TEST(ImageTiling, AddressesAreThoseOfTheManual) {
  for (std::uint64_t y = 0; y < 24; ++y) {
    for (std::uint64_t x = 0; x < width; ++x) ASSERT_EQ(image.place(y * width + x), manual(x, y)) << x << ' ' << y;
  }
}

// 100 bytes by 5 rows by 3 slices in tiles of 16 by 4 by 2: 7 by 2 by 2 tiles of 128 bytes. Each byte has a place of
// its own, and a pitch beyond the row changes none.
TEST(ImageTiling, EveryByteHasAPlaceOfItsOwn) {
  const ImageTile tile{0b0001111, 0b0110000, 0b1000000};
  const ImageTiling t = ImageTiling::of(tile, 100, 5, 3, 112, 600);
  EXPECT_EQ(t.bytes(), 7U * 2 * 2 * 128);
  const ImageTiling tight = ImageTiling::of(tile, 100, 5, 3, 100, 500);
  std::set<std::uint64_t> places;
  for (std::uint64_t z = 0; z < 3; ++z) {
    for (std::uint64_t y = 0; y < 5; ++y) {
      for (std::uint64_t x = 0; x < 100; ++x) {
        const std::uint64_t at = t.place(z * 600 + y * 112 + x);
        EXPECT_LT(at, t.bytes());
        EXPECT_EQ(at, tight.place(z * 500 + y * 100 + x));
        places.insert(at);
      }
    }
  }
  EXPECT_EQ(places.size(), 1500U);
}

// Sectors hold 16 bytes of two rows. A column of 32 rows lies in 16, where rows of their own would be 32; a row of 128
// bytes lies in 8, where a linear one has 4; an aligned square of 32 bytes by 32 rows in 32, as a linear one.
TEST(ImageTiling, ColumnsTouchLessAndRowsMore) {
  EXPECT_EQ(touched(image, {0, 0, 0, 4, 32, 1}, 32), 16U);
  EXPECT_EQ(touched(image, {0, 0, 0, 128, 1, 1}, 32), 8U);
  EXPECT_EQ(touched(image, {0, 0, 0, 32, 32, 1}, 32), 32U);
  // Off the tiles' borders: rows 1 to 32 share no sector at either end, bytes 12 to 19 lie in two.
  EXPECT_EQ(touched(image, {12, 1, 0, 8, 32, 1}, 32), 2 * 17U);
  // Lines of 128 bytes are 32 bytes by 4 rows: bits x x x x y x y.
  EXPECT_EQ(touched(image, {0, 0, 0, 4, 32, 1}, 128), 8U);
  EXPECT_EQ(touched(image, {0, 0, 0, 128, 1, 1}, 128), 4U);
}

// The whole is one run of all bytes. Two columns of groups: a run for each row of groups.
TEST(ImageTiling, RunsAreConsecutiveTiles) {
  std::vector<AddressRun> runs;
  image.runs({0, 0, 0, width, 256, 1}, 32, runs);
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].begin, 0U);
  EXPECT_EQ(runs[0].end, 256 * width);
  EXPECT_EQ(runs[0].bytes, 256 * width);
  runs.clear();
  image.runs({64, 0, 0, 128, 16, 1}, 32, runs);
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].begin, 512U);
  EXPECT_EQ(runs[0].end, 512U + 1024);
  EXPECT_EQ(runs[1].begin, 16 * 512U + 512);
  EXPECT_EQ(runs[1].bytes, 1024U);
}

// What memory moves for a part of tiles: 128 bytes of a column are 16 blocks of 64 bytes (32 bytes by 2 rows), eight
// times the payload, so each packet of payload takes eight times as long as one of a whole image.
TEST(ImageTiling, MemoryMovesWholeBlocks) {
  const auto loaded = profile::load_profile("h200-pcie5");
  ASSERT_TRUE(loaded.profile);
  const auto cost = [&](const ImageRegion& region) {
    memory::DramMemory memory(loaded.profile->device_memory, loaded.profile->device_cache);
    std::vector<AddressRun> runs;
    image.runs(region, 64, runs);
    return memory.stream(memory::Access::read, runs, region.row_bytes * region.rows, 1 << 20);
  };
  const auto whole = cost({0, 0, 0, width, 256, 1});
  const auto column = cost({0, 0, 0, 4, 32, 1});
  EXPECT_NEAR(static_cast<double>(column.interval_ps) / static_cast<double>(whole.interval_ps), 8.0, 0.001);
}

}  // namespace
}  // namespace sluice
