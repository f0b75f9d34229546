// Accesses outside: reported once a launch, harmless, and the launch fails.
#include "tests/unit/exec/fixture.h"

namespace sluice {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class BoundsTest : public EngineTest {
 protected:
  void expect_report(const KernelLaunch& launch, const std::vector<std::string>& parts) {
    reports_.bad.clear();
    EXPECT_FALSE(run(launch).good);
    ASSERT_THAT(reports_.bad, SizeIs(1));
    for (const std::string& part : parts) EXPECT_THAT(reports_.bad[0], HasSubstr(part));
  }
};

TEST_F(BoundsTest, StorePastTheEnd) {
  auto* out = buffer<int>(256, -1);
  auto launch = launch_of("bad", "past_end", line(64, 32));
  launch.arguments = {global(out, 256)};
  expect_report(launch, {"kernel 'past_end', line 3", "work-item (3,0,0), group (0,0,0)", "store of 4 bytes",
                         "argument 0 'out' of 1024 bytes", "offset 1200"});
  EXPECT_EQ(out[200], 2);
  EXPECT_EQ(std::count(out, out + 256, -1), 253);
}

TEST_F(BoundsTest, LoadBeforeTheStart) {
  auto *a = buffer<int>(64), *out = buffer<int>(64);
  auto launch = launch_of("bad", "before_start", line(64, 32));
  launch.arguments = {global(a, 64), global(out, 64)};
  expect_report(launch, {"load of 4 bytes", "argument 0 'a' of 256 bytes", "offset -16"});
}

TEST_F(BoundsTest, WhatLiesBeforeAPointerIntoAnAllocationMayBeTouched) {
  auto *a = buffer<int>(68, 9), *out = buffer<int>(64);
  auto launch = launch_of("bad", "before_start", line(64, 32));
  launch.arguments = {global(a + 4, 64), global(out, 64)};  // as clSetKernelArgSVMPointer allows
  EXPECT_TRUE(run(launch).good) << reports_.bad.front();
  EXPECT_THAT(std::vector<int>(out, out + 64), Each(9));
}

// As with two sub-buffers of one buffer: which of them a pointer came from is known at run time only.
TEST_F(BoundsTest, WhatLiesBehindOneOfTwoPartsOfAnAllocationMayBeTouched) {
  auto *a = buffer<int>(64, 9), *b = buffer<int>(64, 9);
  auto launch = launch_of("bad", "either", line(64, 32));
  launch.arguments = {global(a, 32), global(b, 32)};
  EXPECT_TRUE(run(launch).good) << reports_.bad.front();
  EXPECT_EQ(a[63], 63);
  EXPECT_EQ(b[62], 62);
  launch = launch_of("bad", "either", line(66, 33));
  launch.arguments = {global(a, 32), global(b, 32)};
  EXPECT_FALSE(run(launch).good);
}

TEST_F(BoundsTest, WildAndNullPointers) {
  auto* address = buffer<std::uint64_t>(1);
  auto* near = buffer<int>(16);
  auto launch = launch_of("bad", "wild", line(1, 1));
  launch.arguments = {global(address, 1)};
  address[0] = reinterpret_cast<std::uint64_t>(near + 20);
  expect_report(launch, {"store of 4 bytes outside every buffer", "nearest buffer has 64 bytes", "offset is 80"});
  address[0] = 0;
  expect_report(launch, {"null pointer"});
  address[0] = reinterpret_cast<std::uint64_t>(near + 15);
  EXPECT_TRUE(run(launch).good);
  EXPECT_EQ(near[15], 1);

  launch = launch_of("bad", "null_pointer", line(1, 1));
  launch.arguments = {LaunchArgument{}};
  expect_report(launch, {"null pointer"});
}

TEST_F(BoundsTest, PrivateArrays) {
  auto *at = buffer<int>(2), *out = buffer<int>(1);
  auto launch = launch_of("bad", "private_array", line(1, 1));
  launch.arguments = {global(at, 2), global(out, 1)};
  at[0] = 3, at[1] = 3;
  EXPECT_TRUE(run(launch).good);
  EXPECT_EQ(out[0], 7);
  at[0] = 8;
  expect_report(launch, {"line 11", "store of 4 bytes outside private variable 'a' of 32 bytes, at offset 32"});
  at[0] = 0, at[1] = -1000000;
  expect_report(launch, {"line 12", "load of 4 bytes outside private variable 'a'", "offset -4000000"});
}

TEST_F(BoundsTest, LocalMemory) {
  auto *at = buffer<int>(1), *out = buffer<int>(16);
  auto launch = launch_of("bad", "local_array", line(16, 16));
  launch.arguments = {global(at, 1), global(out, 16)};
  at[0] = 16;  // may lie in the neighbour
  expect_report(launch, {"store of 4 bytes outside local variable 'table' of 64 bytes, at offset 64"});
  EXPECT_THAT(std::vector<int>(out, out + 16), Each(8));
  launch = launch_of("bad", "local_argument", line(1, 1));
  launch.arguments = {local(64), global(at, 1)};
  expect_report(launch, {"local memory of argument 0 'l' of 64 bytes, at offset 64"});
}

TEST_F(BoundsTest, ConstantsAndStructures) {
  auto *at = buffer<int>(1, 4), *out = buffer<int>(1);
  auto launch = launch_of("bad", "constant_array", line(1, 1));
  launch.arguments = {global(at, 1), global(out, 1)};
  expect_report(launch, {"load of 4 bytes outside constant variable 'table' of 16 bytes, at offset 16"});

  struct Large {
    int v[24];
  };
  auto *in = buffer<Large>(2), *copy = buffer<Large>(2);
  in[1].v[23] = 6;
  launch = launch_of("bad", "structure", line(1, 1));
  launch.arguments = {global(in, 2), global(copy, 2), value(1)};
  EXPECT_TRUE(run(launch).good) << reports_.bad.front();
  EXPECT_EQ(copy[1].v[23], 6);
  launch.arguments[2] = value(2);
  expect_report(launch, {"load of 96 bytes", "offset 192"});
}

TEST_F(BoundsTest, TrapsDoNotEndTheProcess) {
  for (int way = 0; way < 3; ++way) {
    auto* out = buffer<int>(2, way);
    auto launch = launch_of("bad", "trap", line(1, 1));
    launch.arguments = {global(out, 2)};
    (void)run(launch);
  }
}

TEST_F(BoundsTest, ReportsAreTheSameOnEveryRun) {
  auto* out = buffer<int>(256);
  auto launch = launch_of("bad", "past_end", line(64, 32));
  launch.arguments = {global(out, 256)};
  EXPECT_FALSE(run(launch).good);
  EXPECT_FALSE(run(launch).good);
  ASSERT_THAT(reports_.bad, SizeIs(2));
  EXPECT_EQ(reports_.bad[0], reports_.bad[1]);
}

}  // namespace
}  // namespace sluice
