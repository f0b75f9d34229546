// Groups that run in a thread of their own, against the same in a loop.
#include "sim/models/compute/group_pipeline.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::compute {
namespace {

NdRange plane(std::uint64_t groups_x, std::uint64_t groups_y) {
  NdRange range;
  range.dimensions = 2;
  range.global = {groups_x * 4, groups_y, 1};
  range.local = {4, 1, 1};
  return range;
}

std::uint64_t number(const NdRange& range, const std::array<std::uint64_t, 3>& group) {
  return group[1] * range.groups()[0] + group[0];
}

TEST(GroupPipeline, HandsOverEveryGroupInOrder) {
  for (const std::uint64_t rows : {1U, 3U, 7U, 64U, 65U, 500U}) {
    const NdRange range = plane(5, rows);
    GroupPipeline pipeline(GroupOrder(range), [&](const std::array<std::uint64_t, 3>& group, GroupTrace& trace) {
      trace.sectors = {number(range, group)};
      trace.alike = number(range, group) % 3 == 0;
      return true;
    });
    GroupTrace trace;
    for (std::uint64_t g = 0; g < 5 * rows; ++g) {
      ASSERT_TRUE(pipeline.next(trace));
      ASSERT_EQ(trace.sectors, std::vector<std::uint64_t>{g});
      ASSERT_EQ(trace.alike, g % 3 == 0);
    }
  }
}

TEST(GroupPipeline, BeginsWhereItIsTold) {
  const NdRange range = plane(5, 9);
  GroupOrder order(range);
  for (int i = 0; i < 8; ++i) order.next();
  GroupPipeline pipeline(order, [&](const std::array<std::uint64_t, 3>& group, GroupTrace& trace) {
    trace.sectors = {number(range, group)};
    return true;
  });
  GroupTrace trace;
  for (std::uint64_t g = 8; g < 45; ++g) {
    ASSERT_TRUE(pipeline.next(trace));
    ASSERT_EQ(trace.sectors, std::vector<std::uint64_t>{g});
  }
}

// As in a loop, nothing runs behind the group that failed.
TEST(GroupPipeline, StopsWhereAGroupFails) {
  const NdRange range = plane(10, 100);
  std::uint64_t ran = 0;
  {
    GroupPipeline pipeline(GroupOrder(range), [&](const std::array<std::uint64_t, 3>& group, GroupTrace&) {
      ++ran;
      return number(range, group) != 123;
    });
    GroupTrace trace;
    for (std::uint64_t g = 0; g < 123; ++g) ASSERT_TRUE(pipeline.next(trace));
    EXPECT_FALSE(pipeline.next(trace));
  }
  EXPECT_EQ(ran, 124U);
}

TEST(GroupPipeline, MayBeLeftAtAnyTime) {
  for (std::uint64_t taken = 0; taken < 40; ++taken) {
    GroupPipeline pipeline(GroupOrder(plane(10, 100)), [](const std::array<std::uint64_t, 3>&, GroupTrace&) { return true; });
    GroupTrace trace;
    for (std::uint64_t g = 0; g < taken; ++g) ASSERT_TRUE(pipeline.next(trace));
  }
}

// Large traces: few are ahead, one at least.
TEST(GroupPipeline, KeepsLittleOfLargeGroups) {
  const NdRange range = plane(1, 40);
  constexpr std::size_t large = (std::size_t{1} << 20) + 1;
  std::atomic<std::uint64_t> ran{0};
  GroupPipeline pipeline(GroupOrder(range), [&](const std::array<std::uint64_t, 3>&, GroupTrace& trace) {
    trace.sectors.resize(large);
    ++ran;
    return true;
  });
  GroupTrace trace;
  for (std::uint64_t g = 0; g < 40; ++g) {
    ASSERT_TRUE(pipeline.next(trace));
    EXPECT_EQ(trace.sectors.size(), large);
    EXPECT_LE(ran.load(), g + 3);
  }
}

}  // namespace
}  // namespace sluice::compute
