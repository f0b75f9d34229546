// Atomic functions, printf, generic pointers, collectives, program-scope variables, pointers in memory.
#include <numeric>

#include "tests/unit/exec/fixture.h"

namespace sluice {
namespace {

using testing::ElementsAre;

class SharedTest : public EngineTest {};

TEST_F(SharedTest, AtomicsOfOpenCl1) {
  auto* i = buffer<int>(4);
  auto* u = buffer<std::uint32_t>(3);
  auto* l = buffer<std::int64_t>(1);
  auto launch = launch_of("shared", "counters", line(128, 32));
  launch.arguments = {global(i, 4), global(u, 3), global(l, 1)};
  EXPECT_TRUE(run(launch).good) << reports_.bad.front();
  EXPECT_THAT(std::vector<int>(i, i + 4), ElementsAre(127 * 128 / 2, 127, -127, 128));
  // 0 ^ 1 ^ ... ^ 127 is 0; the exchange counts up because work-items come in order.
  EXPECT_THAT(std::vector<std::uint32_t>(u, u + 3), ElementsAre(0xffffffffU, 0U, 128U));
  EXPECT_EQ(l[0], std::int64_t{127 * 128 / 2} << 32);
}

TEST_F(SharedTest, Printf) {
  auto launch = launch_of("shared", "say", line(2, 1));
  launch.arguments = {value(7)};
  EXPECT_TRUE(run(launch).good);
  EXPECT_EQ(reports_.printed, "0/7  1.50|ff  |text% 1,-2,3,4 z\n1/7  1.50|ff  |text% 1,-2,3,4 z\n");
}

TEST_F(SharedTest, AtomicsOfOpenCl2) {
  auto *a = buffer<int>(1), *out = buffer<int>(8);
  auto* u = buffer<std::uint32_t>(1);
  auto launch = launch_of("modern", "atomics", line(8, 8));
  launch.arguments = {global(a, 1), global(u, 1), global(out, 8)};
  EXPECT_TRUE(run(launch).good) << reports_.bad.front();
  EXPECT_EQ(a[0], 8);
  EXPECT_EQ(u[0], 7U);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(out[i], i + (i + 1) * 1000);
}

TEST_F(SharedTest, GenericPointersKnowTheirMemory) {
  auto *g = buffer<int>(4, 1), *out = buffer<int>(4);
  const std::vector<std::vector<int>> expected{{4, 1, 0, 0}, {46, 0, 1, 0}, {406, 0, 0, 1}};
  for (int which = 0; which < 3; ++which) {
    auto launch = launch_of("modern", "generic_pointers", line(1, 1));
    launch.arguments = {global(g, 4), global(out, 4), value(which)};
    EXPECT_TRUE(run(launch).good) << reports_.bad.front();
    EXPECT_EQ(std::vector<int>(out, out + 4), expected[static_cast<std::size_t>(which)]) << which;
  }
}

TEST_F(SharedTest, ProgramScopeVariablesKeepTheirValue) {
  auto* out = buffer<int>(4);
  auto launch = launch_of("modern", "program_scope", line(2, 1));
  launch.arguments = {global(out, 4)};
  EXPECT_TRUE(run(launch).good) << reports_.bad.front();
  EXPECT_TRUE(run(launch).good);
  EXPECT_THAT(std::vector<int>(out, out + 2), ElementsAre(43, 44));
}

// Each kernel is compiled by itself; the variables are the program's.
TEST_F(SharedTest, ProgramScopeVariablesAreSharedByKernels) {
  auto* out = buffer<int>(4);
  const auto module = load("modern");
  auto writer = launch_of(module, "program_scope", line(2, 1));
  auto reader = launch_of(module, "other_kernel", line(4, 1));
  writer.arguments = reader.arguments = {global(out, 4)};
  EXPECT_TRUE(run(writer).good);
  EXPECT_TRUE(run(reader).good) << reports_.bad.front();
  // 40 visits and 2; the work-items before the last have moved the pointer to the step of 10.
  EXPECT_THAT(std::vector<int>(out, out + 4), ElementsAre(42, 42, 42, 52));
}

TEST_F(SharedTest, Collectives) {
  auto* out = buffer<int>(16 * 6);
  auto launch = launch_of("modern", "collectives", line(16, 8));
  launch.arguments = {global(out, 16 * 6)};
  EXPECT_TRUE(run(launch).good) << reports_.bad.front();
  for (int i = 0; i < 16; ++i) {
    const int l = i % 8;
    EXPECT_THAT(std::vector<int>(out + i * 6, out + i * 6 + 6),
                ElementsAre(28, l * (l + 1) / 2, l == 0 ? std::numeric_limits<int>::min() : l - 1, 30, 1, 0));
  }
}

TEST_F(SharedTest, FollowsPointersInMemory) {
  struct Node {
    Node* next;
    int value;
  };
  auto *first = buffer<Node>(1), *second = buffer<Node>(1);
  auto* out = buffer<int>(1);
  *first = {second, 3};
  *second = {nullptr, 4};
  auto launch = launch_of("modern", "list", line(1, 1));
  launch.arguments = {global(first, 1), global(out, 1)};
  EXPECT_TRUE(run(launch).good) << reports_.bad.front();
  EXPECT_EQ(out[0], 7);
  second->next = reinterpret_cast<Node*>(0x1234567890);  // leads nowhere
  EXPECT_FALSE(run(launch).good);
  ASSERT_EQ(reports_.bad.size(), 1U);
  EXPECT_THAT(reports_.bad[0], testing::HasSubstr("outside every buffer"));
}

TEST_F(SharedTest, ImagesOfTwoDimensions) {
  constexpr std::uint32_t width = 8, height = 4;
  auto *in = buffer<std::uint8_t>(width * height * 4), *out = buffer<std::uint8_t>(width * height * 4);
  std::iota(in, in + width * height * 4, std::uint8_t{0});
  auto image = [&](std::uint8_t* texels) {
    auto descriptor = std::make_shared<ImageDescriptor>();
    descriptor->data = reinterpret_cast<std::byte*>(texels);
    descriptor->row_pitch_bytes = width * 4;
    descriptor->width = width;
    descriptor->height = height;
    descriptor->channel_order = 0x10B5;  // CL_RGBA
    descriptor->channel_type = 0x10D2;   // CL_UNORM_INT8
    descriptor->pixel_bytes = 4;
    LaunchArgument argument;
    argument.image = descriptor;
    return argument;
  };
  NdRange range{.dimensions = 2, .offset = {}, .global = {width, height, 1}, .local = {width, height, 1}};
  auto launch = launch_of("shared", "shift_right", range);
  launch.arguments = {image(in), image(out), value(std::uint32_t{0x12})};  // as the constant sampler
  const Outcome outcome = run(launch);
  EXPECT_TRUE(outcome.good) << reports_.bad.front();
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x) {
      const std::uint32_t from = y * width + (x == 0 ? 0 : x - 1);  // the edge repeats
      for (std::uint32_t c = 0; c < 4; ++c) EXPECT_EQ(out[(y * width + x) * 4 + c], in[from * 4 + c]);
    }
  }
  // A row of 32 bytes is a sector; all 32 lanes are in one wave.
  ASSERT_EQ(outcome.traces[0].accesses.size(), 3U);
  for (const WaveAccess& access : outcome.traces[0].accesses) {
    EXPECT_EQ(access.space, MemorySpace::image);
    EXPECT_EQ(access.sectors, 4U);
  }
}

}  // namespace
}  // namespace sluice
