// Launches of which one group stands for all: against the same launch run group by group, whose bytes and records it
// must leave, and kernels for which no such proof exists.
#include <numeric>

#include "sim/iface/alike_groups.h"
#include "tests/unit/exec/fixture.h"

namespace sluice {
namespace {

class AlikeTest : public EngineTest {
 protected:
  static constexpr std::size_t words = 4096;

  // Runs `launch` both ways; whether one group stood for all.
  bool stands_for_all(const KernelLaunch& launch, std::span<int* const> buffers, std::size_t room = words) {
    const auto fill = [&] {
      for (int* b : buffers) std::fill_n(b, room, -1);
    };
    fill();
    const Outcome one_by_one = run(launch);
    EXPECT_EQ(one_by_one.good, reports_.bad.empty());
    std::vector<std::vector<int>> expected;
    for (int* b : buffers) expected.emplace_back(b, b + room);
    fill();
    const auto again = engine_->start(launch, 32);
    auto* const alike_run = dynamic_cast<AlikeRun*>(again.get());
    if (alike_run == nullptr) return false;
    const AlikeGroups* alike = alike_run->run_alike();
    const auto check_bytes = [&] {
      for (std::size_t i = 0; i < buffers.size(); ++i)
        EXPECT_EQ(std::vector<int>(buffers[i], buffers[i] + room), expected[i]) << "buffer " << i;
    };
    if (alike == nullptr && !one_by_one.good) return false;
    // What was tried and could not be proven must not show.
    if (alike == nullptr || !alike->whole) run_all(*again, launch, alike, one_by_one.traces);
    check_bytes();
    if (alike != nullptr && alike->whole) alike_groups_ = check_traces(launch, *alike, one_by_one.traces);
    return alike != nullptr;
  }

  void run_all(KernelRun& run, const KernelLaunch& launch, const AlikeGroups* alike,
               const std::vector<GroupTrace>& traces) {
    alike_groups_ = 0;
    GroupTrace trace;
    for (std::size_t g = 0; g < traces.size(); ++g) {
      const auto at = place_of(launch, g);
      ASSERT_TRUE(run.run_group(at, trace));
      if (trace.alike) {
        ASSERT_NE(alike, nullptr);
        ++alike_groups_;
        trace = alike->first;
        alike->place(at, trace.sectors);
      }
      expect_same(trace, traces[g], g);
    }
  }

  static std::size_t check_traces(const KernelLaunch& launch, const AlikeGroups& alike,
                                  const std::vector<GroupTrace>& traces) {
    EXPECT_EQ(alike.steps.size(), alike.first.sectors.size());
    GroupTrace trace = alike.first;
    for (std::size_t g = 0; g < traces.size(); ++g) {
      alike.place(place_of(launch, g), trace.sectors);
      expect_same(trace, traces[g], g);
    }
    return traces.size();
  }

  static std::array<std::uint64_t, 3> place_of(const KernelLaunch& launch, std::size_t g) {
    const auto groups = launch.range.groups();
    return {g % groups[0], g / groups[0] % groups[1], g / groups[0] / groups[1]};
  }

  static void expect_same(const GroupTrace& trace, const GroupTrace& expected, std::size_t group) {
    SCOPED_TRACE("group " + std::to_string(group));
    ASSERT_EQ(trace.accesses.size(), expected.accesses.size());
    for (std::size_t i = 0; i < trace.accesses.size(); ++i) {
      EXPECT_EQ(trace.accesses[i].site, expected.accesses[i].site);
      EXPECT_EQ(trace.accesses[i].sectors, expected.accesses[i].sectors);
      EXPECT_EQ(trace.accesses[i].issued, expected.accesses[i].issued);
    }
    ASSERT_EQ(trace.waves.size(), expected.waves.size());
    for (std::size_t i = 0; i < trace.waves.size(); ++i) EXPECT_EQ(trace.waves[i].issued, expected.waves[i].issued);
    EXPECT_EQ(trace.sectors, expected.sectors);
  }

  std::size_t alike_groups_ = 0;  // of the last launch
  std::shared_ptr<const KernelModule> module_ = load("alike");

  bool alike(const char* kernel, NdRange range, std::vector<LaunchArgument> more = {}, std::size_t room = words) {
    auto* out = buffer<int>(room);
    auto launch = launch_of(module_, kernel, range);
    launch.arguments = {global(out, room)};
    launch.arguments.insert(launch.arguments.end(), more.begin(), more.end());
    return stands_for_all(launch, std::array{out}, room);
  }
};

TEST_F(AlikeTest, OneGroupStandsForAll) {
  EXPECT_TRUE(alike("pattern", line(words, 64), {value(1.5F)}));
  EXPECT_TRUE(alike("narrow_id", line(words, 128)));
  EXPECT_TRUE(alike("reversed", line(words, 64), {local(64 * sizeof(int))}));
  EXPECT_TRUE(alike("backwards", line(words, 64), {value(std::uint64_t{words})}));
  EXPECT_TRUE(alike("same_place", line(words, 64)));
  EXPECT_TRUE(alike("branches", line(words, 64), {value(40)}));
  EXPECT_TRUE(alike("constant_table", line(words, 64)));
}

// Other bytes, but the same way: loads, what a group passes to itself, its number.
TEST_F(AlikeTest, GroupsThatGoTheSameWay) {
  for (const char* kernel : {"own_number", "reads_own", "passes_by_private", "reads_variable"})
    EXPECT_TRUE(alike(kernel, line(words, 64))) << kernel;
  EXPECT_TRUE(alike("passes_by_local", line(words, 64), {local(64 * sizeof(int))}));
  auto *a = buffer<int>(words), *b = buffer<int>(words);
  auto launch = launch_of(module_, "copies", line(words, 64));
  launch.arguments = {global(a, words), global(b, words)};
  EXPECT_TRUE(stands_for_all(launch, std::array{a, b}));
  NdRange range{.dimensions = 2, .offset = {0, 0, 0}, .global = {64, 32, 1}, .local = {8, 8, 1}};
  auto* in = buffer<int>(words);
  std::iota(in, in + words, 0);
  auto tiles = launch_of(module_, "transposes", range);
  tiles.arguments = {global(a, words), global(in, words), local(64 * sizeof(int))};
  EXPECT_TRUE(stands_for_all(tiles, std::array{a}));
  EXPECT_EQ(a[3 * 32 + 5], 5 * 64 + 3);
  EXPECT_TRUE(alike("int_indices", line(words, 64), {value(3), value(std::uint32_t{0xfffffff0})}));
  EXPECT_TRUE(alike("sums", line(words, 64), {local(64 * sizeof(int))}));
}

TEST_F(AlikeTest, InSeveralDimensionsAndWithAnOffset) {
  NdRange range{.dimensions = 2, .offset = {0, 0, 0}, .global = {64, 32, 1}, .local = {16, 4, 1}};
  EXPECT_TRUE(alike("plane", range, {value(std::uint64_t{128})}));
  NdRange moved = line(2048, 64);
  moved.offset[0] = 1024;
  EXPECT_TRUE(alike("narrow_id", moved));
}

TEST_F(AlikeTest, InSeveralBuffers) {
  auto *a = buffer<int>(words), *b = buffer<int>(words);
  auto launch = launch_of(module_, "two", line(2048, 64));
  launch.arguments = {global(a, words), global(b, words)};
  EXPECT_TRUE(stands_for_all(launch, std::array{a, b}));
  // The same buffer for both: whose bytes are last is for the groups to find out.
  launch.arguments = {global(a, words), global(a, words)};
  EXPECT_FALSE(stands_for_all(launch, std::array{a}));
}

TEST_F(AlikeTest, GroupsThatDifferAreNot) {
  for (const char* kernel : {"one_differs", "counts", "wraps", "wraps_narrow", "prints", "table_by_group", "loaded_way",
                             "wraps_around", "loaded_place", "group_by_lane"}) {
    EXPECT_FALSE(alike(kernel, line(words, 64))) << kernel;
  }
  EXPECT_FALSE(alike("square", line(512, 64)));
  auto *a = buffer<int>(words), *b = buffer<int>(words);
  for (const char* kernel : {"selects"}) {
    auto launch = launch_of(module_, kernel, line(words, 64));
    launch.arguments = {global(a, words), global(b, words)};
    EXPECT_FALSE(stands_for_all(launch, std::array{a, b})) << kernel;
  }
}

// What the code promises holds for some launches only.
TEST_F(AlikeTest, LaunchesThatBreakThePatternAreNot) {
  EXPECT_FALSE(alike("narrow_id", line(words - 1, 64)));  // the last group is smaller
  EXPECT_FALSE(alike("narrow_id", line(256, 64)));        // too few to be worth it
  EXPECT_FALSE(alike("narrow_id", line(words, 4)));       // 16 bytes apart: groups share sectors
  EXPECT_FALSE(alike("reads_own", line(words, 4)));
  EXPECT_TRUE(reports_.bad.empty());
  EXPECT_FALSE(alike("narrow_id", line(words, 64), {}, words - 1));  // the last access is out of bounds
  EXPECT_EQ(reports_.bad.size(), 1U);
}

// With quiet code from the first launch on.
class GuardedTest : public AlikeTest {
 protected:
  explicit GuardedTest(const char* kernels = "alike") {
    LoadOptions options;
    options.quiet_after_instructions = 0;
    module_ = load(kernels, options);
    for (std::size_t i = 0; i < words; ++i) in_[i] = static_cast<int>(i * 7 % 1001);
  }
  // How many groups were like the reference; as many as there are: all.
  std::size_t alike_of(const char* kernel, NdRange range, std::vector<LaunchArgument> more) {
    alike_groups_ = 0;
    return alike(kernel, range, std::move(more)) ? alike_groups_ : 0;
  }
  int* in_ = buffer<int>(words);
};

TEST_F(GuardedTest, GroupsInsideOfABorder) {
  const NdRange plane{.dimensions = 2, .offset = {0, 0, 0}, .global = {64, 64, 1}, .local = {8, 8, 1}};
  EXPECT_EQ(alike_of("border", plane, {global(in_, words), value(64), value(64)}), 6U * 6);
}

TEST_F(GuardedTest, GroupsWithinABound) {
  EXPECT_EQ(alike_of("bounded", line(words, 64), {value(std::uint32_t{words})}), 64U);
  EXPECT_EQ(alike_of("bounded", line(words, 64), {value(std::uint32_t{words - 1})}), 63U);
  EXPECT_EQ(alike_of("bounded", line(words, 64), {value(std::uint32_t{words / 2 + 64 + 1})}), 33U);
  EXPECT_EQ(alike_of("bounded", line(words - 8, 64), {value(std::uint32_t{words})}), 63U);  // the last is smaller
  EXPECT_EQ(alike_of("clamped", line(words, 64), {global(in_, words), value(int{words})}), 62U);
}

TEST_F(GuardedTest, LoopsThatEndByABound) {
  EXPECT_EQ(alike_of("strides", line(words / 4, 64), {global(in_, words), value(std::uint32_t{words})}), 16U);
  // The first group has one round more.
  EXPECT_EQ(alike_of("strides", line(words / 8, 64), {global(in_, words), value(std::uint32_t{words / 2 + 64})}), 7U);
}

TEST_F(GuardedTest, WorkItemsThatMeetAtBarriers) {
  EXPECT_EQ(alike_of("bounded_sums", line(words, 64),
                     {global(in_, words), local(64 * sizeof(int)), value(std::uint32_t{words - 70})}), 62U);
}

TEST_F(GuardedTest, WhatDoesNotPayOrCannotBeForetold) {
  EXPECT_EQ(alike_of("bits", line(words, 64), {}), 0U);
  EXPECT_EQ(alike_of("guarded_by_data", line(words, 64), {value(std::uint32_t{words})}), 0U);
  EXPECT_TRUE(reports_.bad.empty());
}

// Asking what guards decide ends, so that the watchdog of what is executed can say which kernel does not.
TEST_F(GuardedTest, LoopsThatDoNotEnd) {
  LoadOptions options;
  options.quiet_after_instructions = 0;
  options.group_instruction_limit = std::uint64_t{1} << 22;
  auto launch = launch_of(load("alike", options), "endless", line(words, 64));
  launch.arguments = {global(buffer<int>(words), words), value(std::uint32_t{words})};
  const auto run = engine_->start(launch, 32);
  EXPECT_EQ(dynamic_cast<AlikeRun&>(*run).run_alike(), nullptr);
  GroupTrace trace;
  EXPECT_FALSE(run->run_group({0, 0, 0}, trace));
  ASSERT_EQ(reports_.bad.size(), 1U);
  EXPECT_THAT(reports_.bad.front(), testing::HasSubstr("endless"));
}

// Where a foretold access would leave its argument the group is executed as ever, and says so.
TEST_F(GuardedTest, ABadAccessIsReported) {
  auto* out = buffer<int>(words);
  auto launch = launch_of(module_, "bounded_badly", line(words, 64));
  launch.arguments = {global(out, words), value(std::uint32_t{words})};
  const auto run = engine_->start(launch, 32);
  ASSERT_NE(dynamic_cast<AlikeRun&>(*run).run_alike(), nullptr);
  GroupTrace trace;
  for (std::uint64_t g = 0; g < 63; ++g) EXPECT_TRUE(run->run_group({g, 0, 0}, trace)) << g;
  EXPECT_TRUE(reports_.bad.empty());
  EXPECT_FALSE(run->run_group({63, 0, 0}, trace));
  ASSERT_EQ(reports_.bad.size(), 1U);
  EXPECT_THAT(reports_.bad.front(), testing::HasSubstr("bounded_badly"));
}

// Groups as loops over their work-items: against one work-item after the other.
class LaneTest : public GuardedTest {
 protected:
  LaneTest() : GuardedTest("lanes") {}
  const LaunchArgument in_argument_ = global(in_, words);
  const LaunchArgument part_ = local(64 * sizeof(int));
};

TEST_F(LaneTest, WhatWorkItemsKeepBehindBarriers) {
  EXPECT_EQ(alike_of("keeps", line(words, 64), {in_argument_, part_, value(7)}), 64U);
  EXPECT_EQ(alike_of("keeps", line(words, 64), {in_argument_, part_, value(0)}), 64U);
  EXPECT_EQ(alike_of("keeps", line(words, 24), {in_argument_, part_, value(5)}), 0U);  // the last group is smaller
  EXPECT_EQ(alike_of("kinds", line(words, 64), {in_argument_, part_}), 64U);
  EXPECT_EQ(alike_of("kinds", line(words, 8), {in_argument_, part_}), 512U);
}

TEST_F(LaneTest, WhatIsTheSameInALoopButNotBehindIt) {
  EXPECT_EQ(alike_of("leaves_late", line(words, 64), {in_argument_, part_}), 64U);
}

TEST_F(LaneTest, BarriersThatAnArgumentChooses) {
  EXPECT_EQ(alike_of("two_ways", line(words, 64), {in_argument_, part_, value(3)}), 64U);
  EXPECT_EQ(alike_of("two_ways", line(words, 64), {in_argument_, part_, value(0)}), 64U);
}

TEST_F(LaneTest, RowsOfAGroup) {
  const NdRange plane{.dimensions = 2, .offset = {0, 0, 0}, .global = {64, 64, 1}, .local = {16, 4, 1}};
  EXPECT_EQ(alike_of("rows", plane, {in_argument_, part_, value(64), value(64)}), 2U * 14);
}

TEST_F(LaneTest, SubGroups) {
  EXPECT_EQ(alike_of("numbers", line(words, 64), {in_argument_, part_}), 64U);
  EXPECT_EQ(alike_of("numbers", line(words, 16), {in_argument_, part_}), 256U);
}

TEST_F(LaneTest, WithoutABarrier) {
  EXPECT_EQ(alike_of("straight", line(words, 64), {in_argument_, value(int{words})}), 62U);
  EXPECT_EQ(alike_of("straight", line(words, 32), {in_argument_, value(int{words})}), 126U);
}

// Asked before anything is written; then one after the other, each told of.
TEST_F(LaneTest, ABadAccessOfOneWorkItem) {
  auto* out = buffer<int>(words);
  auto launch = launch_of(module_, "last_out", line(words, 64));
  launch.arguments = {global(out, words), in_argument_, part_};
  const auto run = engine_->start(launch, 32);
  std::fill_n(out, words, -1);
  ASSERT_TRUE(run->run_unseen({62, 0, 0}));
  EXPECT_EQ(out[63 * 64], in_[63 * 64 - 1] + 1);
  EXPECT_TRUE(reports_.bad.empty());
  EXPECT_FALSE(run->run_unseen({63, 0, 0}));
  EXPECT_EQ(out[words - 1], in_[words - 2] + 1);
  ASSERT_EQ(reports_.bad.size(), 1U);
  EXPECT_THAT(reports_.bad.front(), testing::HasSubstr("last_out"));
  EXPECT_THAT(reports_.bad.front(), testing::HasSubstr("63"));
}

}  // namespace
}  // namespace sluice
