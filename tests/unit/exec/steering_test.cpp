// What decides which way work-items go, and groups that are executed while nobody looks.
#include <numeric>

#include "tests/unit/exec/fixture.h"

namespace sluice {
namespace {

class SteeringTest : public EngineTest {
 protected:
  static constexpr std::uint64_t other = std::uint64_t{1} << steered_by_other;
  std::uint64_t steered_by(const std::string& kernel, const LoadOptions& options = {}) {
    const KernelLaunch launch = launch_of(load("steering", options), kernel);
    std::string log;
    EXPECT_TRUE(launch.module->prepare(launch.kernel, log)) << log;
    return launch.module->kernels()[launch.kernel].steered_by;
  }
};

TEST_F(SteeringTest, ArgumentsThatDecide) {
  EXPECT_EQ(steered_by("data"), 0U);
  EXPECT_EQ(steered_by("bound"), 0b010U);
  EXPECT_EQ(steered_by("gather"), 0b001U);
  EXPECT_EQ(steered_by("choose"), 0U);
  EXPECT_EQ(steered_by("turn"), 0b01U);
  EXPECT_EQ(steered_by("by_local"), 0b001U);
  EXPECT_EQ(steered_by("by_array"), 0b101U);
  EXPECT_EQ(steered_by("by_structure"), 0b10U);
  EXPECT_EQ(steered_by("counted"), 0b001U);
  EXPECT_EQ(steered_by("queue"), 0b01U);
  EXPECT_EQ(steered_by("picture") & ~0b0001U, 0b1000U);  // and perhaps the texels
  EXPECT_EQ(steered_by("sums"), 0b1000U);
}

TEST_F(SteeringTest, ItMayNotBeKnown) {
  EXPECT_NE(steered_by("by_variable") & other, 0U);
  EXPECT_NE(steered_by("printing") & other, 0U);
  EXPECT_NE(steered_by("waiting") & other, 0U);
  // The pointer is the first argument's memory, so that steers; what it leads to is only written.
  EXPECT_NE(steered_by("by_pointer"), 0U);
  LoadOptions options;
  options.lockstep = true;
  EXPECT_NE(steered_by("data", options) & other, 0U);
}

// The same bytes, by code that logs as by quiet code.
TEST_F(SteeringTest, UnseenGroupsDoWhatTheyDo) {
  constexpr std::size_t n = 1000, group = 64, groups = (n + group - 1) / group;
  std::vector<int> in(groups * group);
  std::iota(in.begin(), in.end(), 1);
  int* const from = buffer<int>(in.size());
  std::copy(in.begin(), in.end(), from);
  int* const to = buffer<int>(groups);
  for (const std::uint64_t quiet_after : {std::uint64_t{1} << 40, std::uint64_t{0}}) {
    LoadOptions options;
    options.quiet_after_instructions = quiet_after;
    KernelLaunch launch = launch_of(load("steering", options), "sums", line(groups * group, group));
    launch.arguments = {global(from, in.size()), global(to, groups), local(group * sizeof(int)), value(int{n})};
    const auto check = [&](const char* how) {
      for (std::size_t g = 0; g < groups; ++g) {
        const std::size_t begin = g * group, end = std::min(n, begin + group);
        EXPECT_EQ(to[g], std::accumulate(in.begin() + static_cast<std::ptrdiff_t>(begin),
                                         in.begin() + static_cast<std::ptrdiff_t>(end), 0))
            << how << ", group " << g;
      }
      std::fill_n(to, groups, -1);
    };
    EXPECT_TRUE(run(launch).good);
    check("seen");
    const auto again = engine_->start(launch, 32);
    for (std::size_t g = 0; g < groups; ++g) EXPECT_TRUE(again->run_unseen({g, 0, 0}));
    check(quiet_after == 0 ? "quietly" : "unseen");
    EXPECT_TRUE(again->told_all());
  }
}

TEST_F(SteeringTest, UnseenGroupsAreBoundToTheirMemory) {
  KernelLaunch launch = launch_of("steering", "data", line(256, 64));
  float* const in = buffer<float>(256);
  float* const out = buffer<float>(128);
  launch.arguments = {global(in, 256), global(out, 128), value(2.0F)};
  const auto run = engine_->start(launch, 32);
  EXPECT_TRUE(run->run_unseen({0, 0, 0}));
  EXPECT_TRUE(reports_.bad.empty());
  (void)run->run_unseen({2, 0, 0});
  EXPECT_FALSE(reports_.bad.empty());
}

}  // namespace
}  // namespace sluice
