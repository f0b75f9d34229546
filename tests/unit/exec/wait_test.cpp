// Groups that wait for each other and for the host take turns; nothing else changes.
#include <atomic>
#include <thread>

#include "tests/unit/exec/fixture.h"

namespace sluice {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::SizeIs;

class WaitTest : public EngineTest {
 protected:
  Outcome run_resident(const KernelLaunch& launch, std::uint64_t resident) {
    Outcome outcome;
    auto run = engine_->start(launch, 32);
    if (run == nullptr) return {false, {}};
    run->set_resident_groups(resident);
    for (std::uint64_t x = 0; x < launch.range.groups()[0]; ++x) {
      outcome.good = run->run_group({x, 0, 0}, outcome.traces.emplace_back()) && outcome.good;
    }
    return outcome;
  }

  std::vector<int> sums(std::uint64_t groups, int rounds, Outcome& outcome) {
    auto* arrived = buffer<int>(1);
    auto* values = buffer<int>(2 * groups);
    for (std::uint64_t i = 0; i < groups; ++i) values[i] = values[groups + i] = static_cast<int>(i) + 1;
    auto launch = launch_of("waits", "global_barrier", line(groups * 64, 64));
    launch.arguments = {global(arrived, 1), global(values, 2 * groups), value(rounds)};
    outcome = run_resident(launch, groups);
    return {values, values + groups};
  }
};

TEST_F(WaitTest, GroupsMeetAtAGlobalBarrier) {
  constexpr int groups = 12, rounds = 3;
  Outcome outcome;
  const std::vector<int> found = sums(groups, rounds, outcome);
  EXPECT_TRUE(outcome.good) << reports_.bad.front();
  EXPECT_THAT(outcome.traces, SizeIs(groups));
  std::vector<int> expected(groups), before(groups);
  for (int i = 0; i < groups; ++i) expected[i] = i + 1;
  for (int r = 0; r < rounds; ++r) {
    before = expected;
    for (int i = 0; i < groups; ++i) expected[i] += before[(i + 1) % groups];
  }
  EXPECT_EQ(found, expected);
}

// The turns are counted in instructions, not in time.
TEST_F(WaitTest, TurnsAreTheSameOnEveryRun) {
  const auto issued = [&] {
    Outcome outcome;
    sums(5, 2, outcome);
    std::vector<std::uint64_t> all;
    for (const GroupTrace& trace : outcome.traces) {
      for (const WaveTrace& wave : trace.waves) all.insert(all.end(), wave.issued.begin(), wave.issued.end());
    }
    return all;
  };
  EXPECT_EQ(issued(), issued());
}

TEST_F(WaitTest, GroupsThatPollFromBarrierToBarrierTakeTurns) {
  constexpr int groups = 3;
  auto* turn = buffer<int>(1, groups - 1);
  auto* order = buffer<int>(groups);
  auto launch = launch_of("waits", "from_barrier_to_barrier", line(groups * 2, 2));
  launch.arguments = {global(turn, 1), global(order, groups)};
  EXPECT_TRUE(run_resident(launch, groups).good) << reports_.bad.front();
  for (int i = 0; i < groups; ++i) EXPECT_EQ(order[i], i + 1);
}

TEST_F(WaitTest, TheHostAnswers) {
  auto* request = buffer<int>(1);
  auto* answer = buffer<int>(1);
  auto launch = launch_of("waits", "flag", line(1, 1));
  launch.arguments = {global(request, 1), global(answer, 1)};
  std::thread host([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::atomic_ref(*request).store(41);
    while (std::atomic_ref(*answer).load() == 0) std::this_thread::yield();
  });
  EXPECT_TRUE(run_resident(launch, 4).good) << reports_.bad.front();
  host.join();
  EXPECT_EQ(*answer, 42);
}

// Two wavefronts and a part of one.
TEST_F(WaitTest, WorkItemsOfAGroupTakeTurns) {
  constexpr int n = 70;
  auto* out = buffer<int>(n);
  auto launch = launch_of("waits", "items", line(n, n));
  launch.arguments = {global(out, n)};
  ASSERT_TRUE(run_resident(launch, 1).good) << reports_.bad.front();
  for (int i = 0; i < n; ++i) EXPECT_EQ(out[i], n - i);
}

TEST_F(WaitTest, WorkItemsAtABarrierAreNotInTheWay) {
  constexpr int n = 64;
  auto* flags = buffer<int>(2);
  auto* out = buffer<int>(n);
  auto launch = launch_of("waits", "items_and_barrier", line(n, n));
  launch.arguments = {global(flags, 2), global(out, n)};
  ASSERT_TRUE(run_resident(launch, 1).good) << reports_.bad.front();
  for (int i = 0; i < n; ++i) EXPECT_EQ(out[i], 1 + i);
}

TEST_F(WaitTest, WorkItemsThatWaitWithoutEndAreReported) {
  LoadOptions options;
  options.group_instruction_limit = 1 << 22;
  auto* flag = buffer<int>(64);
  auto launch = launch_of(load("waits", options), "item_waits_without_end", line(64, 64));
  launch.arguments = {global(flag, 64)};
  EXPECT_FALSE(run_resident(launch, 2).good);
  ASSERT_FALSE(reports_.bad.empty());
  EXPECT_THAT(reports_.bad.front(), HasSubstr("kernel 'item_waits_without_end', line 91, work-item"));
}

// What a launch waits for from outside may also be refused to it.
TEST_F(WaitTest, OutsideIsAskedAgainAndAgain) {
  auto* request = buffer<int>(1);
  auto* answer = buffer<int>(1);
  auto launch = launch_of("waits", "flag", line(1, 1));
  launch.arguments = {global(request, 1), global(answer, 1)};
  for (const bool answers : {true, false}) {
    *request = 0;
    int asked = 0;
    auto run = engine_->start(launch, 32);
    run->on_wait([&] {
      if (++asked == 3) *request = 41;
      return asked < 3 || answers;
    });
    GroupTrace trace;
    EXPECT_EQ(run->run_group({0, 0, 0}, trace), answers);
    EXPECT_EQ(asked, 3);
  }
  EXPECT_EQ(*answer, 42);
}

TEST_F(WaitTest, WavefrontsInStep) {
  constexpr int n = 64;
  LoadOptions options;
  options.lockstep = true;
  auto* in = buffer<int>(n);
  auto* out = buffer<int>(n);
  for (int i = 0; i < n; ++i) in[i] = 1000 * i;
  auto launch = launch_of(load("waits", options), "in_step", line(n, n));
  launch.arguments = {global(in, n), global(out, n)};
  ASSERT_TRUE(run_resident(launch, 1).good) << reports_.bad.front();
  // values[i] becomes in[i ^ 31] and 100 for each round of its own loop, before the neighbour reads it.
  for (int i = 0; i < n; ++i) {
    const int from = i ^ 1;
    EXPECT_EQ(out[i], 1000 * (from ^ 31) + (from % 32 < 5 ? 100 * (from % 32) : 0)) << i;
  }
}

// A group that the device cannot hold is not begun, so the wait has no end; the launch fails, and says where.
TEST_F(WaitTest, WaitsWithoutEndAreReported) {
  LoadOptions options;
  options.group_instruction_limit = 1 << 20;
  auto* flag = buffer<int>(1);
  auto launch = launch_of(load("waits", options), "never", line(4, 1));
  launch.arguments = {global(flag, 1)};
  EXPECT_FALSE(run_resident(launch, 2).good);
  ASSERT_FALSE(reports_.bad.empty());
  EXPECT_THAT(reports_.bad.front(), HasSubstr("kernel 'never', line 39, work-item"));
}

// Many branches that ask for different things are merged by the optimiser into one that asks for what a phi says.
TEST_F(WaitTest, QueriesOfALoopOverDimensions) {
  auto* out = buffer<int>(5);
  auto launch = launch_of("waits", "dimensions", line(64, 32));
  launch.arguments = {global(out, 5)};
  EXPECT_TRUE(run_resident(launch, 1).good) << reports_.bad.front();
  EXPECT_THAT(std::vector<int>(out, out + 5), Each(0));
}

}  // namespace
}  // namespace sluice
