// What image functions leave in the trace.
#include "tests/unit/exec/fixture.h"

namespace sluice {
namespace {

class ImageTest : public EngineTest {
 protected:
  static LaunchArgument image(void* texels, std::uint32_t order, std::uint32_t type, std::uint32_t pixel_bytes,
                              std::uint32_t width, std::uint32_t height) {
    auto d = std::make_shared<ImageDescriptor>();
    d->data = static_cast<std::byte*>(texels);
    d->width = width;
    d->height = height;
    d->channel_order = order;
    d->channel_type = type;
    d->pixel_bytes = pixel_bytes;
    d->row_pitch_bytes = std::uint64_t{pixel_bytes} * width;
    LaunchArgument argument;
    argument.image = d;
    return argument;
  }
};

constexpr std::uint32_t rgba = 0x10B5;  // as the language has them
constexpr std::uint32_t unorm_int8 = 0x10D2;
constexpr std::uint32_t float32 = 0x10DE;

// Four texels a lane, in the order of the formula: left and right of two rows. 32 lanes of 4 bytes are 4 sectors, 5 if
// they begin at the second texel; of 16 bytes, 16 and 17.
TEST_F(ImageTest, EachTexelIsAnAccess) {
  struct Row {
    std::uint32_t type, bytes;
    std::array<std::uint32_t, 4> sectors;
  };
  for (const Row& row : {Row{unorm_int8, 4, {4, 5, 4, 5}}, Row{float32, 16, {16, 17, 16, 17}}}) {
    const std::uint32_t width = 64;
    auto* in = buffer<std::uint32_t>(4 * width * 2);
    auto* out = buffer<std::uint32_t>(4 * 32);
    auto launch = launch_of("images", "filter", line(32, 32));
    launch.arguments = {image(in, rgba, row.type, row.bytes, width, 2), image(out, rgba, row.type, row.bytes, 32, 1)};
    const Outcome outcome = run(launch);
    ASSERT_TRUE(outcome.good);
    const GroupTrace& trace = outcome.traces.at(0);
    ASSERT_EQ(trace.accesses.size(), 5U);
    for (std::size_t i = 0; i < 5; ++i) {
      const WaveAccess& access = trace.accesses[i];
      EXPECT_EQ(access.kind, i < 4 ? AccessKind::load : AccessKind::store) << i;
      EXPECT_EQ(access.space, MemorySpace::image);
      EXPECT_EQ(access.bytes, row.bytes);
      EXPECT_EQ(access.lanes, 32);
      EXPECT_EQ(access.sectors, i < 4 ? row.sectors[i] : row.sectors[0]) << i;
      const auto first = reinterpret_cast<std::uint64_t>(i < 4 ? in : out) + (i / 2 == 1 ? row.bytes * width : 0);
      EXPECT_EQ(trace.sectors[access.first_sector], first / sector_bytes) << i;
    }
  }
}

// A device that tiles the source in groups of 64 bytes by 8 rows, sectors of 16 bytes by 2 rows: 32 lanes read a row of
// 128 bytes from 8 sectors and a column of 32 rows from 16. The linear target has 4 and 32. The bytes stay in rows.
TEST_F(ImageTest, ATiledImageIsTouchedWhereTheDeviceHasIt) {
  const std::uint32_t width = 64;
  for (const bool row : {true, false}) {
    auto* in = buffer<std::uint32_t>(width * 64);
    auto* out = buffer<std::uint32_t>(width * 64);
    for (std::uint32_t i = 0; i < width * 64; ++i) in[i] = i * 2654435761U;
    LaunchArgument source = image(in, rgba, unorm_int8, 4, width, 64);
    auto tiled = std::make_shared<ImageDescriptor>(*source.image);
    tiled->tiling = ImageTiling::of({0b100101111, 0b011010000, 0}, 4 * width, 64, 1, 4 * width, 0);
    source.image = tiled;
    auto launch = launch_of("images", row ? "row" : "column", line(32, 32));
    launch.arguments = {source, image(out, rgba, unorm_int8, 4, width, 64)};
    const Outcome outcome = run(launch);
    ASSERT_TRUE(outcome.good);
    const GroupTrace& trace = outcome.traces.at(0);
    ASSERT_EQ(trace.accesses.size(), 2U);
    EXPECT_EQ(trace.accesses[0].sectors, row ? 8U : 16U);
    EXPECT_EQ(trace.accesses[1].sectors, row ? 4U : 32U);
    // The second sector: of a row the next 16 bytes, of a column the next two rows, two sectors on.
    EXPECT_EQ(trace.sectors[trace.accesses[0].first_sector + 1],
              reinterpret_cast<std::uint64_t>(in) / sector_bytes + (row ? 1 : 2));
    for (std::uint32_t i = 0; i < 32; ++i) EXPECT_EQ(out[row ? i : i * width], in[row ? i : i * width]) << i;
  }
}

}  // namespace
}  // namespace sluice
