// Results against plain C++ on the host, and what the engine tells of kernels.
#include <cmath>
#include <limits>
#include <numeric>

#include "tests/unit/exec/fixture.h"

namespace sluice {
namespace {

using testing::ElementsAre;

class KernelTest : public EngineTest {};

TEST_F(KernelTest, AddsVectors) {
  constexpr std::size_t n = 1000;
  auto *a = buffer<float>(n), *b = buffer<float>(n), *c = buffer<float>(n);
  for (std::size_t i = 0; i < n; ++i) a[i] = static_cast<float>(i), b[i] = 0.5F * static_cast<float>(i);
  auto launch = launch_of("basic", "add", line(n, 128));  // the last group has 104 work-items
  launch.arguments = {global(a, n), global(b, n), global(c, n)};
  EXPECT_TRUE(run(launch).good);
  for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(c[i], 1.5F * static_cast<float>(i)) << i;
  EXPECT_TRUE(reports_.bad.empty()) << reports_.bad.front();
}

TEST_F(KernelTest, LoopsOverMoreElementsThanWorkItems) {
  constexpr std::size_t n = 777;
  auto *x = buffer<float>(n, 2.0F), *y = buffer<float>(n);
  std::iota(y, y + n, 0.0F);
  auto launch = launch_of("basic", "saxpy", line(64, 32));
  launch.arguments = {global(x, n), global(y, n), value(3.0F), value(std::uint32_t{n})};
  EXPECT_TRUE(run(launch).good);
  for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(y[i], 6.0F + static_cast<float>(i)) << i;
}

TEST_F(KernelTest, AnswersWorkItemQueries) {
  NdRange range{.dimensions = 2, .offset = {100, 200, 0}, .global = {5, 4, 1}, .local = {2, 2, 1}};
  auto* out = buffer<std::uint64_t>(5 * 4 * 16);
  auto launch = launch_of("basic", "ids", range);
  launch.arguments = {global(out, 5 * 4 * 16)};
  EXPECT_TRUE(run(launch).good);
  for (std::uint64_t y = 0; y < 4; ++y) {
    for (std::uint64_t x = 0; x < 5; ++x) {
      const std::uint64_t* o = out + (y * 5 + x) * 16;
      // The last group of the row has one column; out-of-range dimensions answer 1 for sizes, 0 for ids (6.15.1).
      EXPECT_THAT(std::vector<std::uint64_t>(o, o + 16), ElementsAre(100 + x, 200 + y, x % 2, y % 2, x / 2, y / 2,
                                                                     x == 4 ? 1 : 2, 2, 5, 200, 3, 2, 2, 1, 0, 1));
    }
  }
}

TEST_F(KernelTest, TakesArgumentsOfAllKinds) {
  struct alignas(16) Settings {
    int first = 5;
    alignas(16) float vector[4] = {1, 2, 3, 4};
    int table[3] = {10, 20, 30};
  };
  static_assert(sizeof(Settings) == 48);
  struct alignas(16) Float3 {
    float v[4] = {1, 2, 9, 0};
  };
  auto *k = buffer<int>(64), *out = buffer<int>(64);
  std::iota(k, k + 64, 1000);
  auto launch = launch_of("basic", "arguments", line(64, 16));
  launch.arguments = {value(Settings{}), value(std::int8_t{-2}), value(std::uint16_t{7}), value(std::uint64_t{100}),
                      value(2.5),        value(Float3{}),        global(k, 64),           local(16 * sizeof(int)),
                      global(out, 64)};
  EXPECT_TRUE(run(launch).good) << reports_.bad.front();
  for (int i = 0; i < 64; ++i) EXPECT_EQ(out[i], 5 + 4 + 60 + i - 2 + 7 + 100 + 2 + 9 + 1000 + i);
}

TEST_F(KernelTest, ReadsProgramScopeConstants) {
  auto* out = buffer<int>(4);
  auto launch = launch_of("basic", "constants", line(4, 4));
  launch.arguments = {global(out, 4)};
  EXPECT_TRUE(run(launch).good) << reports_.bad.front();
  EXPECT_THAT(std::vector<int>(out, out + 4), ElementsAre(2 + 't', 3 + 't', 5 + 'f', 7 + 's'));
}

TEST_F(KernelTest, DivisionThatX86TrapsGivesSomeValue) {
  auto *a = buffer<int>(3), *b = buffer<int>(3), *out = buffer<int>(6);
  a[0] = 7, b[0] = 0;
  a[1] = std::numeric_limits<int>::min(), b[1] = -1;
  a[2] = -17, b[2] = 5;
  auto launch = launch_of("basic", "divide", line(3, 3));
  launch.arguments = {global(a, 3), global(b, 3), global(out, 6)};
  EXPECT_TRUE(run(launch).good);
  EXPECT_EQ(out[4], -3);
  EXPECT_EQ(out[5], -2);
  auto* v = buffer<std::uint32_t>(4);
  v[0] = 3, v[1] = 0, v[2] = 10, v[3] = 0;
  launch = launch_of("basic", "divide_vector", line(1, 1));
  launch.arguments = {global(v, 4)};
  EXPECT_TRUE(run(launch).good);
  EXPECT_EQ(v[0], 33U);
  EXPECT_EQ(v[2], 10U);
}

TEST_F(KernelTest, HasTheMathematicalFunctions) {
  auto *x = buffer<float>(8), *out = buffer<float>(8);
  for (int i = 0; i < 8; ++i) x[i] = 0.3F * static_cast<float>(i);
  auto launch = launch_of("basic", "mathematics", line(8, 8));
  launch.arguments = {global(x, 8), global(out, 8)};
  EXPECT_TRUE(run(launch).good) << reports_.bad.front();
  for (int i = 0; i < 8; ++i) {
    const double v = static_cast<double>(x[i]);
    const double expected = std::sin(v) + std::exp(v) + std::pow(v, 1.5) + v;  // fract: part and whole are the value
    EXPECT_NEAR(static_cast<double>(out[i]), expected, 4e-6 * (1 + expected));
  }
}

TEST_F(KernelTest, UnalignedVectorsDoNotFault) {
  auto* data = buffer<float>(9, 1.0F);
  auto launch = launch_of("basic", "unaligned", line(2, 2));
  launch.arguments = {global(data, 9)};
  EXPECT_TRUE(run(launch).good) << reports_.bad.front();
  EXPECT_EQ(data[0], 1.0F);
  for (int i = 1; i < 9; ++i) EXPECT_EQ(data[i], 2.0F);
}

TEST_F(KernelTest, DescribesKernels) {
  const auto module = load("basic");
  const KernelInfo* required = nullptr;
  const KernelInfo* arguments = nullptr;
  for (const KernelInfo& info : module->kernels()) {
    if (info.name == "required") required = &info;
    if (info.name == "arguments") arguments = &info;
  }
  ASSERT_NE(required, nullptr);
  EXPECT_THAT(required->required_group, ElementsAre(8, 4, 1));
  EXPECT_EQ(required->attributes, "reqd_work_group_size(8,4,1)");
  EXPECT_EQ(required->arguments[0].type_name, "float4*");
  EXPECT_TRUE(required->arguments[0].is_restrict);
  EXPECT_EQ(required->arguments[1].name, "q");
  EXPECT_TRUE(required->arguments[1].is_volatile);
  ASSERT_NE(arguments, nullptr);
  ASSERT_EQ(arguments->arguments.size(), 9U);
  EXPECT_EQ(arguments->arguments[0].size_bytes, 48U);
  EXPECT_EQ(arguments->arguments[5].size_bytes, 16U);
  EXPECT_EQ(arguments->arguments[6].kind, ArgumentKind::constant);
  EXPECT_EQ(arguments->arguments[7].kind, ArgumentKind::local);
  std::string log;
  ASSERT_TRUE(module->prepare(static_cast<std::uint32_t>(arguments - module->kernels().data()), log)) << log;
  EXPECT_FALSE(arguments->has_barrier);
  EXPECT_GT(arguments->registers, 8U);
}

TEST_F(KernelTest, SaysWhatItCannotLoad) {
  std::string log;
  EXPECT_EQ(engine_->load(read_bitcode("broken"), {}, log), nullptr);
  EXPECT_THAT(log, testing::HasSubstr("not_there"));
  log.clear();
  std::vector<std::byte> noise(100, std::byte{0x42});
  EXPECT_EQ(engine_->load(noise, {}, log), nullptr);
  EXPECT_THAT(log, testing::HasSubstr("bitcode"));
}

TEST_F(KernelTest, RefusesLaunchesThatDoNotFit) {
  auto launch = launch_of("basic", "add", line(64, 64));
  EXPECT_EQ(engine_->start(launch, 32), nullptr);  // no arguments
  launch.arguments.resize(3);
  launch.kernel = 1000;
  EXPECT_EQ(engine_->start(launch, 32), nullptr);
}

}  // namespace
}  // namespace sluice
