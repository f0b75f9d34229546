// Groups whose work-items log in rows: records, bytes and reports are those of groups whose work-items log one by one.
#include <numeric>

#include "sim/exec/loaded_program.h"
#include "sim/iface/alike_groups.h"
#include "tests/unit/exec/fixture.h"

namespace sluice {
namespace {

class RowLogsTest : public EngineTest {
 protected:
  static constexpr std::size_t words = 4096;

  static const exec::KernelImage* code_of(const KernelLaunch& launch) {
    const auto& program = dynamic_cast<const exec::LoadedProgram&>(*launch.module);
    std::string log;
    if (!program.prepare(launch.kernel, log)) return nullptr;
    const auto* const quiet = program.quiet(launch.kernel);
    return quiet == nullptr ? nullptr : &quiet->image;
  }

  Outcome run_after_asking(const KernelLaunch& launch, std::uint32_t wave_size) {
    Outcome outcome;
    const auto run = engine_->start(launch, wave_size);
    EXPECT_EQ(dynamic_cast<AlikeRun&>(*run).run_alike(), nullptr);
    const auto groups = launch.range.groups();
    for (std::uint64_t g = 0; g < groups[0] * groups[1] && outcome.good; ++g)
      outcome.good = run->run_group({g % groups[0], g / groups[0], 0}, outcome.traces.emplace_back());
    return outcome;
  }

  // Whether it was executed in rows; the bytes of `buffers` and the records are then those without.
  bool in_rows(const char* kernel, NdRange range, std::vector<LaunchArgument> arguments, std::uint32_t wave_size = 32) {
    std::vector<std::vector<std::byte>> before;
    for (const LaunchArgument& a : arguments) before.emplace_back(a.data, a.data + (a.data != nullptr ? a.size_bytes : 0));
    const auto bytes = [&] {
      std::vector<std::vector<std::byte>> now;
      for (const LaunchArgument& a : arguments) now.emplace_back(a.data, a.data + (a.data != nullptr ? a.size_bytes : 0));
      return now;
    };
    KernelLaunch launch = launch_of(plain_, kernel, range);
    launch.arguments = arguments;
    const Outcome expected = run_after_asking(launch, wave_size);
    const auto left = bytes();
    for (std::size_t i = 0; i < arguments.size(); ++i) std::copy(before[i].begin(), before[i].end(), arguments[i].data);
    launch = launch_of(rows_, kernel, range);
    launch.arguments = arguments;
    const Outcome outcome = run_after_asking(launch, wave_size);
    EXPECT_EQ(outcome.good, expected.good) << kernel;
    if (expected.good) {
      EXPECT_EQ(bytes(), left) << kernel;
    }
    expect_same(outcome, expected, kernel);
    const exec::KernelImage* const code = code_of(launch);
    return code != nullptr && code->in_rows && code->lane_loops;
  }

  static void expect_same(const Outcome& outcome, const Outcome& expected, const char* kernel) {
    SCOPED_TRACE(kernel);
    ASSERT_EQ(outcome.traces.size(), expected.traces.size());
    for (std::size_t g = 0; g < outcome.traces.size(); ++g) {
      const GroupTrace &a = outcome.traces[g], &b = expected.traces[g];
      SCOPED_TRACE(g);
      ASSERT_EQ(a.waves.size(), b.waves.size());
      for (std::size_t i = 0; i < a.waves.size(); ++i) {
        EXPECT_EQ(a.waves[i].first_access, b.waves[i].first_access);
        EXPECT_EQ(a.waves[i].accesses, b.waves[i].accesses);
        EXPECT_EQ(a.waves[i].issued, b.waves[i].issued);
        EXPECT_EQ(a.waves[i].unrecorded, b.waves[i].unrecorded);
      }
      ASSERT_EQ(a.accesses.size(), b.accesses.size());
      for (std::size_t i = 0; i < a.accesses.size(); ++i) {
        const WaveAccess &x = a.accesses[i], &y = b.accesses[i];
        EXPECT_EQ(std::tie(x.site, x.kind, x.space, x.lanes, x.first_sector, x.sectors, x.bytes, x.issued, x.dependence),
                  std::tie(y.site, y.kind, y.space, y.lanes, y.first_sector, y.sectors, y.bytes, y.issued, y.dependence))
            << "access " << i;
      }
      EXPECT_EQ(a.sectors, b.sectors);
    }
  }

  LoadOptions at_once() {
    LoadOptions options;
    options.quiet_after_instructions = 0;
    options.group_instruction_limit = std::uint64_t{1} << 22;
    return options;
  }
  LoadOptions never() {
    LoadOptions options = at_once();
    options.quiet_after_instructions = ~std::uint64_t{0};
    return options;
  }
  LaunchArgument in() { return global(in_, words); }
  LaunchArgument out() { return global(out_, 2 * words); }

  std::shared_ptr<const KernelModule> plain_ = load("rows", never()), rows_ = load("rows", at_once());
  std::uint32_t* in_ = [this] {
    auto* const made = buffer<std::uint32_t>(words);
    for (std::uint32_t i = 0; i < words; ++i) made[i] = (i + 1) * 0x9e3779b1U >> 5;
    return made;
  }();
  std::uint32_t* out_ = buffer<std::uint32_t>(2 * words);
};

TEST_F(RowLogsTest, WaysThatWhatWasLoadedDecides) {
  EXPECT_TRUE(in_rows("parts", line(words, 64), {out(), in(), value(std::uint32_t{words})}));
  EXPECT_TRUE(in_rows("tickets", line(words, 64), {out(), in(), global(buffer<std::uint32_t>(5), 5)}));
  EXPECT_TRUE(in_rows("bytes", line(words, 64), {out(), in(), global(buffer<std::uint8_t>(256, 3), 256)}));
}

TEST_F(RowLogsTest, WavesOfAnySizeAndGroupsThatEndInOne) {
  for (const std::uint32_t wave : {3U, 16U, 32U, 64U, 128U})
    EXPECT_TRUE(in_rows("parts", line(words, 125 * 2), {out(), in(), value(std::uint32_t{words - 100})}, wave)) << wave;
  EXPECT_TRUE(in_rows("parts", line(words, 1024), {out(), in(), value(std::uint32_t{words - 100})}));
  EXPECT_TRUE(in_rows("parts", line(words, 1025), {out(), in(), value(std::uint32_t{words - 100})}));  // not these groups
  NdRange plane{.dimensions = 2, .offset = {0, 0, 0}, .global = {64, 33, 1}, .local = {8, 6, 1}};
  EXPECT_TRUE(in_rows("parts", plane, {out(), in(), value(std::uint32_t{words})}));
}

TEST_F(RowLogsTest, FromBarrierToBarrier) {
  EXPECT_TRUE(in_rows("exchanges", line(words / 2, 64), {in(), local(512), value(2U), value(128U)}));
  EXPECT_TRUE(in_rows("exchanges", line(words / 2, 64), {in(), local(512), value(1U), value(4U)}));  // none in a round
  EXPECT_TRUE(in_rows("in_turns", line(words, 64), {out(), in(), local(256)}));
  EXPECT_TRUE(in_rows("in_turns", line(words, 48), {out(), in(), local(256)}, 64));
}

// Even that of a race.
TEST_F(RowLogsTest, TheOrderOfWorkItemsStays) {
  EXPECT_TRUE(in_rows("passes_on", line(words, 64), {out(), in()}));
  EXPECT_GT(out_[words - 1] + out_[words - 2], 2U);
  EXPECT_TRUE(in_rows("computes", line(words, 64), {out(), in(), value(9U)}));
}

TEST_F(RowLogsTest, WhatIsComeToMoreThanOnce) {
  EXPECT_FALSE(in_rows("own_rounds", line(words, 64), {out(), in()}));
  EXPECT_FALSE(in_rows("walks", line(words, 64), {out(), in(), value(5U)}));
  EXPECT_FALSE(in_rows("leaves", line(words, 64), {out(), in()}));
  EXPECT_FALSE(in_rows("turns_back", line(words, 64), {out(), in(), value(5U)}));
}

TEST_F(RowLogsTest, AGroupThatDoesNotEndIsReported) {
  EXPECT_TRUE(in_rows("late_end", line(words, 64), {out(), in()}));
  ASSERT_EQ(reports_.bad.size(), 2U);
  EXPECT_THAT(reports_.bad[1], testing::HasSubstr("late_end"));
}

// A loop without a barrier that never ends, of which the code in rows would not know.
TEST_F(RowLogsTest, ALaunchThatDoesNotEndIsReported) {
  EXPECT_TRUE(in_rows("exchanges", line(words / 2, 64), {in(), local(512), value(0U), value(4U)}));
  ASSERT_EQ(reports_.bad.size(), 2U);
  EXPECT_EQ(reports_.bad[0], reports_.bad[1]);
}

TEST_F(RowLogsTest, ABadAccessIsReported) {
  in_[1000] = 77;
  EXPECT_TRUE(in_rows("goes_out", line(words, 64), {out(), in()}));
  ASSERT_EQ(reports_.bad.size(), 2U);
  EXPECT_EQ(reports_.bad[0], reports_.bad[1]);
}

// Of which only the effect is wanted.
TEST_F(RowLogsTest, Unseen) {
  for (const std::uint64_t size : {64, 2048}) {
    std::vector<std::vector<std::uint32_t>> left;
    for (const auto& module : {plain_, rows_}) {
      std::fill_n(out_, 2 * words, 5U);
      KernelLaunch launch = launch_of(module, "parts", line(words, size));
      launch.arguments = {out(), in(), value(std::uint32_t{words - 70})};
      const auto run = engine_->start(launch, 32);
      for (std::uint64_t g = 0; g < words / size; ++g) ASSERT_TRUE(run->run_unseen({g, 0, 0}));
      left.emplace_back(out_, out_ + 2 * words);
    }
    EXPECT_EQ(left[0], left[1]);
  }
}

}  // namespace
}  // namespace sluice
