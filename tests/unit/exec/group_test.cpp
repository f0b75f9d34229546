// Work-groups with barriers: results, divergent barriers, kernels that never end.
#include <numeric>

#include "tests/unit/exec/fixture.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class GroupTest : public EngineTest {};

TEST_F(GroupTest, ReversesThroughLocalMemory) {
  auto* data = buffer<int>(256);
  std::iota(data, data + 256, 0);
  auto launch = launch_of("barriers", "reverse", line(256, 64));
  launch.arguments = {global(data, 256)};
  EXPECT_TRUE(run(launch).good) << reports_.bad.front();
  for (int i = 0; i < 256; ++i) EXPECT_EQ(data[i], i / 64 * 64 + 63 - i % 64);
}

TEST_F(GroupTest, ReducesWithBarriersInALoop) {
  auto *in = buffer<float>(512), *out = buffer<float>(2);
  std::iota(in, in + 512, 0.0F);
  auto launch = launch_of("barriers", "reduce", line(512, 256));
  launch.arguments = {global(in, 512), global(out, 2), local(256 * sizeof(float))};
  EXPECT_TRUE(run(launch).good) << reports_.bad.front();
  EXPECT_EQ(out[0], 255.0F * 256 / 2);
  EXPECT_EQ(out[1], 255.0F * 256 / 2 + 256 * 256);
}

TEST_F(GroupTest, PrivateArraysSurviveBarriers) {
  auto *in = buffer<int>(128), *out = buffer<int>(128);
  for (int i = 0; i < 128; ++i) in[i] = i * 7 % 16;
  auto launch = launch_of("barriers", "keeps", line(128, 64));
  launch.arguments = {global(in, 128), global(out, 128)};
  EXPECT_TRUE(run(launch).good) << reports_.bad.front();
  // The same, work-items in lockstep.
  for (int group = 0; group < 2; ++group) {
    std::vector<std::array<int, 20>> a(64);
    std::vector<int> s(64);
    std::vector<std::uint32_t> r(64);
    for (int l = 0; l < 64; ++l) {
      for (int k = 0; k < 20; ++k) a[l][k] = in[(group * 64 + l + k) & 127];
      s[l] = a[l][in[group * 64 + l] & 7];
    }
    for (int k = 0; k < 20; ++k) {
      for (int l = 0; l < 64; ++l) a[l][static_cast<unsigned>(k * 3 + in[group * 64 + l]) % 20] += s[(l + k) & 63];
      for (int l = 0; l < 64; ++l) s[l] = a[l][k];
      for (int l = 0; l < 64; ++l) {
        const int i = group * 64 + l;
        r[l] = r[l] * 31 + static_cast<std::uint32_t>(a[l][(static_cast<unsigned>(k + in[i ^ 1]) % 20) & 15]);
      }
    }
    for (int l = 0; l < 64; ++l) EXPECT_EQ(static_cast<std::uint32_t>(out[group * 64 + l]), r[l]) << l;
  }
}

TEST_F(GroupTest, BarriersInFunctionsAndLoopsOfEachGroup) {
  auto *rounds = buffer<int>(2), *out = buffer<int>(128);
  rounds[0] = 0, rounds[1] = 1;
  auto launch = launch_of("barriers", "helper", line(128, 64));
  launch.arguments = {global(rounds, 2), global(out, 128)};
  EXPECT_TRUE(run(launch).good) << reports_.bad.front();
  for (int l = 0; l < 64; ++l) {
    EXPECT_EQ(out[l], 63 - l);
    EXPECT_EQ(out[64 + l], (63 - l) + (63 - l + 1) % 64);
  }
}

TEST_F(GroupTest, WideVectorsLiveAcrossBarriers) {
  auto *in = buffer<float>(128), *out = buffer<float>(64);
  std::iota(in, in + 128, 0.0F);
  auto launch = launch_of("barriers", "vectors", line(64, 64));
  launch.arguments = {global(in, 128), global(out, 64)};
  EXPECT_TRUE(run(launch).good) << reports_.bad.front();
  for (int l = 0; l < 64; ++l) {
    const int own = (l & 7) * 16, other = ((l + 3) & 7) * 16;
    EXPECT_EQ(out[l], static_cast<float>(own + 2 * other + own + 15 + 2 * (other + 15)));
  }
}

TEST_F(GroupTest, AsynchronousCopies) {
  auto *in = buffer<int>(128), *out = buffer<int>(128);
  std::iota(in, in + 128, 5);
  auto launch = launch_of("barriers", "copies", line(128, 64));
  launch.arguments = {global(in, 128), global(out, 128)};
  EXPECT_TRUE(run(launch).good) << reports_.bad.front();
  for (int i = 0; i < 128; ++i) EXPECT_EQ(out[i], 2 * (5 + i));
}

TEST_F(GroupTest, DifferentBarriersAreReportedAndFail) {
  auto* out = buffer<int>(32, 1);
  auto launch = launch_of("bad", "divergent", line(32, 32));
  launch.arguments = {global(out, 32)};
  EXPECT_FALSE(run(launch).good);
  ASSERT_THAT(reports_.bad, SizeIs(1));
  EXPECT_THAT(reports_.bad[0], HasSubstr("kernel 'divergent'"));
  EXPECT_THAT(reports_.bad[0], HasSubstr("divergent barrier"));
}

TEST_F(GroupTest, WorkItemsThatEndedAreNotWaitedFor) {
  auto* out = buffer<int>(96);
  auto launch = launch_of("bad", "early_end", line(96, 32));
  launch.arguments = {global(out, 96), value(40)};
  EXPECT_TRUE(run(launch).good);
  ASSERT_THAT(reports_.bad, SizeIs(1));  // the second group; once for the launch
  EXPECT_THAT(reports_.bad[0], HasSubstr("work-item (40,0,0)"));
  for (int i = 0; i < 96; ++i) EXPECT_EQ(out[i], i < 40 ? 4 : 0);
}

TEST_F(GroupTest, KernelsThatNeverEndAreStopped) {
  LoadOptions options;
  options.group_instruction_limit = 100'000;
  const auto module = load("bad", options);
  for (const char* name : {"endless", "endless_silent", "endless_group"}) {
    reports_.bad.clear();
    auto* p = buffer<int>(2);
    auto launch = launch_of(module, name, line(4, 2));
    launch.arguments = {global(p, 2)};
    if (launch.module->kernels()[launch.kernel].arguments.size() == 2) launch.arguments.push_back(value(1));
    EXPECT_FALSE(run(launch).good) << name;
    ASSERT_THAT(reports_.bad, SizeIs(1)) << name;
    EXPECT_THAT(reports_.bad[0], HasSubstr(std::string("kernel '") + name + "', line "));
    EXPECT_THAT(reports_.bad[0], HasSubstr("not ended"));
  }
}

}  // namespace
}  // namespace sluice
