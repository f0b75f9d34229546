// Traces against what can be counted by hand.
#include <algorithm>
#include <numeric>

#include "tests/unit/exec/fixture.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class TraceTest : public EngineTest {
 protected:
  static std::vector<WaveAccess> records(const GroupTrace& trace, std::size_t wave) {
    const WaveTrace& w = trace.waves.at(wave);
    return {trace.accesses.begin() + w.first_access, trace.accesses.begin() + w.first_access + w.accesses};
  }
  static std::uint64_t total(const WaveTrace& wave) {
    return std::accumulate(wave.issued.begin(), wave.issued.end(), std::uint64_t{0});
  }
};

TEST_F(TraceTest, SectorsOfStrides) {
  auto *in = buffer<float>(32 * 64), *out = buffer<float>(64);
  // 32 lanes of 4 bytes: 128 bytes are 4 sectors; strides from 8 floats on touch a sector a lane.
  for (const auto& [stride, sectors] : {std::pair{1, 4U}, {2, 8U}, {8, 32U}, {32, 32U}}) {
    auto launch = launch_of("traces", "strided", line(64, 64));
    launch.arguments = {global(in, 32 * 64), global(out, 64), value(stride)};
    const Outcome outcome = run(launch);
    ASSERT_TRUE(outcome.good) << reports_.bad.front();
    ASSERT_THAT(outcome.traces, SizeIs(1));
    ASSERT_THAT(outcome.traces[0].waves, SizeIs(2));
    for (std::size_t wave = 0; wave < 2; ++wave) {
      const auto accesses = records(outcome.traces[0], wave);
      ASSERT_THAT(accesses, SizeIs(2)) << stride;
      EXPECT_EQ(accesses[0].kind, AccessKind::load);
      EXPECT_EQ(accesses[0].space, MemorySpace::global);
      EXPECT_EQ(accesses[0].lanes, 32);
      EXPECT_EQ(accesses[0].bytes, 4U);
      EXPECT_EQ(accesses[0].sectors, sectors) << stride;
      EXPECT_EQ(accesses[1].kind, AccessKind::store);
      EXPECT_EQ(accesses[1].sectors, 4U);
      const auto expected =
          reinterpret_cast<std::uint64_t>(in + 32 * wave * static_cast<std::size_t>(stride)) / sector_bytes;
      EXPECT_EQ(outcome.traces[0].sectors[accesses[0].first_sector], expected);
    }
  }
}

TEST_F(TraceTest, WaveSizesAndPartialWaves) {
  auto *in = buffer<float>(100), *out = buffer<float>(100);
  auto launch = launch_of("traces", "strided", line(100, 100));
  launch.arguments = {global(in, 100), global(out, 100), value(1)};
  const GroupTrace trace = run(launch, 64).traces.at(0);
  ASSERT_THAT(trace.waves, SizeIs(2));
  EXPECT_EQ(records(trace, 0).at(0).lanes, 64);
  EXPECT_EQ(records(trace, 0).at(0).sectors, 8U);
  EXPECT_EQ(records(trace, 1).at(0).lanes, 36);
  EXPECT_EQ(records(trace, 1).at(0).sectors, 5U);  // 144 bytes
}

TEST_F(TraceTest, BranchesSplitAWave) {
  auto *a = buffer<int>(32), *b = buffer<int>(32), *out = buffer<int>(128);
  auto launch = launch_of("traces", "branch", line(32, 32));
  launch.arguments = {global(a, 32), global(b, 32), global(out, 128)};
  const GroupTrace trace = run(launch).traces.at(0);
  std::vector<std::pair<AccessKind, int>> seen;
  for (const WaveAccess& access : records(trace, 0)) seen.emplace_back(access.kind, access.lanes);
  std::sort(seen.begin(), seen.end());
  EXPECT_THAT(seen, ElementsAre(std::pair{AccessKind::load, 8}, std::pair{AccessKind::load, 24},
                                std::pair{AccessKind::store, 8}, std::pair{AccessKind::store, 24}));
}

TEST_F(TraceTest, LanesLeaveALoopOneByOne) {
  auto *in = buffer<int>(32 * 64), *out = buffer<int>(32);
  auto launch = launch_of("traces", "ragged", line(32, 32));
  launch.arguments = {global(in, 32 * 64), global(out, 32)};
  const auto accesses = records(run(launch).traces.at(0), 0);
  ASSERT_THAT(accesses, SizeIs(33));
  for (int k = 0; k < 32; ++k) EXPECT_EQ(accesses[static_cast<std::size_t>(k)].lanes, 32 - k);
  EXPECT_EQ(accesses[32].kind, AccessKind::store);
  EXPECT_EQ(accesses[32].lanes, 32);
}

TEST_F(TraceTest, LocalMemoryBanksAndBarriers) {
  auto* out = buffer<int>(64);
  for (const auto& [stride, lanes] : {std::pair{1, 1U}, {2, 2U}, {32, 32U}, {33, 1U}}) {
    auto launch = launch_of("traces", "banks", line(64, 64));
    launch.arguments = {local(64 * 33 * sizeof(int)), value(stride), global(out, 64)};
    // Lanes of the second wave read where nobody wrote: 31 - i is negative there, so only one wave's worth is run.
    launch.range = line(32, 32);
    const GroupTrace trace = run(launch).traces.at(0);
    const auto accesses = records(trace, 0);
    ASSERT_THAT(accesses, SizeIs(4));
    EXPECT_EQ(accesses[0].space, MemorySpace::local);
    EXPECT_EQ(accesses[0].kind, AccessKind::store);
    EXPECT_EQ(accesses[0].sectors, lanes) << stride;
    EXPECT_EQ(accesses[1].kind, AccessKind::barrier);
    EXPECT_EQ(accesses[1].lanes, 32);
    EXPECT_EQ(accesses[2].kind, AccessKind::load);
    EXPECT_EQ(accesses[2].sectors, lanes) << stride;
    EXPECT_EQ(accesses[3].space, MemorySpace::global);
  }
}

TEST_F(TraceTest, EachWaveHasItsRecordsTogetherDespiteBarriers) {
  auto *in = buffer<float>(128), *out = buffer<float>(1);
  auto launch = launch_of("barriers", "reduce", line(128, 128));
  launch.arguments = {global(in, 128), global(out, 1), local(128 * sizeof(float))};
  const GroupTrace trace = run(launch).traces.at(0);
  ASSERT_THAT(trace.waves, SizeIs(4));
  for (std::size_t wave = 0; wave < 4; ++wave) {
    const auto accesses = records(trace, wave);
    // One barrier after the load, then one for each of 64, 32, 16, 8, 4, 2, 1.
    EXPECT_EQ(std::count_if(accesses.begin(), accesses.end(),
                            [](const WaveAccess& a) { return a.kind == AccessKind::barrier; }),
              8);
    EXPECT_EQ(accesses.front().space, MemorySpace::global);
    std::uint64_t issued = 0;
    for (const WaveAccess& access : accesses) issued += access.issued;
    EXPECT_LE(issued, total(trace.waves[wave]));
  }
  EXPECT_EQ(trace.accesses.size(), trace.waves[3].first_access + trace.waves[3].accesses);
}

// Subtracting is adding; what is neither that nor a swap takes a loop around a compare-and-swap.
TEST_F(TraceTest, AtomicsSayWhatTheyDo) {
  auto* c = buffer<int>(8);
  auto launch = launch_of("traces", "all_atomics", line(32, 32));
  launch.arguments = {global(c, 8)};
  std::vector<AtomicKind> kinds;
  for (const WaveAccess& a : records(run(launch).traces.at(0), 0)) {
    EXPECT_EQ(a.kind, AccessKind::atomic);
    kinds.push_back(a.atomic);
  }
  EXPECT_THAT(kinds, ElementsAre(AtomicKind::add, AtomicKind::add, AtomicKind::swap, AtomicKind::compare_swap,
                                 AtomicKind::other, AtomicKind::other));
}

TEST_F(TraceTest, AtomicsAndConstants) {
  auto *c = buffer<int>(1), *t = buffer<int>(4), *out = buffer<int>(32);
  auto launch = launch_of("traces", "counter", line(32, 32));
  launch.arguments = {global(c, 1)};
  auto accesses = records(run(launch).traces.at(0), 0);
  ASSERT_THAT(accesses, SizeIs(1));
  EXPECT_EQ(accesses[0].kind, AccessKind::atomic);
  EXPECT_EQ(accesses[0].lanes, 32);
  EXPECT_EQ(accesses[0].sectors, 1U);
  EXPECT_EQ(c[0], 64);
  launch = launch_of("traces", "table_lookup", line(32, 32));
  launch.arguments = {global(t, 4), global(out, 32)};
  accesses = records(run(launch).traces.at(0), 0);
  ASSERT_THAT(accesses, SizeIs(2));
  EXPECT_EQ(accesses[0].space, MemorySpace::constant);
  EXPECT_EQ(accesses[0].sectors, 1U);
}

TEST_F(TraceTest, InstructionsByClass) {
  auto* in = buffer<float>(32);
  auto* out = buffer<double>(32);
  auto issued = [&](int n) {
    auto launch = launch_of("traces", "classes", line(32, 32));
    launch.arguments = {global(in, 32), global(out, 32), value(n)};
    return run(launch).traces.at(0).waves.at(0).issued;
  };
  const auto few = issued(64), many = issued(128);
  // 64 iterations more: a multiply-add each, whatever the loop was made into; a load, a store and a conversion as
  // before.
  auto at = [](const auto& counts, InstructionClass c) { return counts[static_cast<std::size_t>(c)]; };
  EXPECT_EQ(at(many, InstructionClass::float32) - at(few, InstructionClass::float32), 64U);
  EXPECT_EQ(at(many, InstructionClass::memory), 2U);
  EXPECT_EQ(at(few, InstructionClass::memory), 2U);
  EXPECT_EQ(at(few, InstructionClass::special), 1U);
}

// What a wave issues for 64 rounds more.
std::array<std::uint64_t, instruction_classes> more(const GroupTrace& few, const GroupTrace& many) {
  auto counts = many.waves.at(0).issued;
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] -= few.waves.at(0).issued[i];
  return counts;
}

// As the devices that the model knows: x * y + z is one instruction, where (x ^ y) + z is two.
TEST_F(TraceTest, AnIntegerProductThatIsAddedIsOneInstruction) {
  auto* out = buffer<std::uint32_t>(32);
  const auto integers = [&](const char* kernel) {
    const auto trace = [&](int n) {
      auto launch = launch_of("traces", kernel, line(32, 32));
      launch.arguments = {global(out, 32), value(5U), value(7U), value(n)};
      return run(launch).traces.at(0);
    };
    return more(trace(64), trace(128))[static_cast<std::size_t>(InstructionClass::integer)];
  };
  EXPECT_EQ(integers("two_steps") - integers("products"), 64U);
}

// The engine computes half precision in float; a device adds two halves in one instruction.
TEST_F(TraceTest, HalfPrecisionCostsNoConversions) {
  auto* out = buffer<std::uint16_t>(32);
  const auto trace = [&](int n) {
    auto launch = launch_of("halves", "sum_half", line(32, 32));
    launch.arguments = {global(out, 32), value(std::uint16_t{0x3C00}), value(n)};
    return run(launch).traces.at(0);
  };
  const GroupTrace few = trace(64);
  const auto counts = more(few, trace(128));
  EXPECT_EQ(counts[static_cast<std::size_t>(InstructionClass::float32)], 64U);
  EXPECT_EQ(counts[static_cast<std::size_t>(InstructionClass::special)], 0U);
  EXPECT_EQ(out[1], 0x5808);  // 1 + 128
}

TEST_F(TraceTest, TwoRunsAreEqual) {
  auto *in = buffer<float>(512), *out = buffer<float>(2);
  std::vector<std::vector<std::uint64_t>> seen;
  for (int i = 0; i < 2; ++i) {
    auto launch = launch_of("barriers", "reduce", line(512, 256));
    launch.arguments = {global(in, 512), global(out, 2), local(256 * sizeof(float))};
    std::vector<std::uint64_t>& flat = seen.emplace_back();
    for (const GroupTrace& trace : run(launch).traces) {
      for (const WaveTrace& wave : trace.waves) {
        flat.insert(flat.end(), {wave.first_access, wave.accesses, wave.unrecorded});
        flat.insert(flat.end(), wave.issued.begin(), wave.issued.end());
      }
      for (const WaveAccess& a : trace.accesses) {
        flat.insert(flat.end(), {a.site, static_cast<std::uint64_t>(a.kind), static_cast<std::uint64_t>(a.space),
                                 a.lanes, a.first_sector, a.sectors, a.bytes, a.issued});
      }
      flat.insert(flat.end(), trace.sectors.begin(), trace.sectors.end());
    }
  }
  EXPECT_GT(seen[0].size(), 100U);
  EXPECT_EQ(seen[0], seen[1]);
}

TEST_F(TraceTest, ALongPhaseIsCountedThoughNotAllOfItIsKept) {
  auto *in = buffer<int>(1024, 1), *out = buffer<int>(1);
  auto launch = launch_of("traces", "many", line(1, 1));
  constexpr int n = 2'000'000;
  launch.arguments = {global(in, 1024), global(out, 1), value(n)};
  const GroupTrace trace = run(launch).traces.at(0);
  EXPECT_EQ(out[0], n);
  ASSERT_THAT(trace.waves, SizeIs(1));
  // Each iteration loads once, and one store: all of them are recorded or counted as left out.
  EXPECT_EQ(trace.waves[0].accesses + trace.waves[0].unrecorded, n + 1U);
  EXPECT_GT(trace.waves[0].unrecorded, 0U);
  EXPECT_GT(total(trace.waves[0]), 4U * n);
}

}  // namespace
}  // namespace sluice
