#include "sim/models/compute/timeline.h"

#include <gtest/gtest.h>

namespace sluice::compute {
namespace {

Timeline::Sums total(const Timeline& line) {
  Timeline::Sums all{};
  for (const Timeline::Sums& sums : line.spans()) {
    for (std::size_t i = 0; i < all.size(); ++i) all[i] += sums[i];
  }
  return all;
}

TEST(TimelineTest, AmountsAreSpreadOverTheirTime) {
  Timeline line;
  line.begin(1000);
  const TimePs span = line.span();
  // Half of the first span to half of the third: a quarter, a half, a quarter.
  line.add(1000 + span / 2, 1000 + span * 5 / 2, {400, 4, 8, 1});
  ASSERT_EQ(line.spans().size(), 3U);
  EXPECT_EQ(line.spans()[0], (Timeline::Sums{100, 1, 2, 0}));
  EXPECT_EQ(line.spans()[1], (Timeline::Sums{200, 2, 4, 0}));
  EXPECT_EQ(line.spans()[2], (Timeline::Sums{100, 1, 2, 1}));
}

TEST(TimelineTest, LongLaunchesTakeWiderSpansAndLoseNothing) {
  Timeline line;
  line.begin(0);
  for (TimePs t = 0; t < TimePs{1} << 30; t += TimePs{1} << 20) line.add(t, t + 1000, {3, 5, 7, 11});
  EXPECT_LE(line.spans().size(), Timeline::most_spans);
  EXPECT_GE(line.spans().size(), Timeline::most_spans / 2);
  EXPECT_EQ(total(line), (Timeline::Sums{3 << 10, 5 << 10, 7 << 10, 11 << 10}));
}

TEST(TimelineTest, WhatTakesNoTimeCountsAllTheSame) {
  Timeline line;
  line.begin(500);
  line.add(500, 500, {1, 2, 3, 4});
  line.add(0, 0, {1, 2, 3, 4});
  EXPECT_EQ(total(line), (Timeline::Sums{2, 4, 6, 8}));
}

}  // namespace
}  // namespace sluice::compute
