// Sub-groups: OpenCL C 3.0, 6.15.19, and the extensions cl_khr_subgroup_*. A wavefront of 8 makes several in a group, the
// last of them partial. Everything is run twice, with work-items as they come and in step.
#include <cmath>
#include <numeric>

#include "sim/exec/sub_groups.h"
#include "sim/iface/alike_groups.h"
#include "tests/unit/exec/fixture.h"

namespace sluice {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::SizeIs;

constexpr std::uint32_t wave = 8;

class SubGroupTest : public EngineTest, public testing::WithParamInterface<bool> {
 protected:
  KernelLaunch sub_groups(const std::string& kernel, NdRange range, std::uint64_t limit = std::uint64_t{1} << 30) {
    LoadOptions options;
    options.lockstep = GetParam();
    options.group_instruction_limit = limit;
    return launch_of(load("sub_groups", options), kernel, range);
  }
};

TEST_P(SubGroupTest, EachWorkItemHasItsPlace) {
  // Groups of 20, 20 and 10.
  auto* out = buffer<std::uint32_t>(50 * 6);
  auto launch = sub_groups("ids", line(50, 20));
  launch.arguments = {global(out, 50 * 6)};
  ASSERT_TRUE(run(launch, wave).good);
  for (std::uint32_t i = 0; i < 50; ++i) {
    const std::uint32_t l = i % 20, items = i < 40 ? 20 : 10, count = i < 40 ? 3 : 2;
    const std::uint32_t size = l / wave + 1 < count ? wave : items - (count - 1) * wave;
    const std::vector<std::uint32_t> own(out + i * 6, out + i * 6 + 6);
    EXPECT_THAT(own, testing::ElementsAre(size, wave, count, 3, l / wave, l % wave)) << i;
  }
  // In a dispatch whose groups are smaller than a wavefront no sub-group is as large.
  auto small = sub_groups("ids", line(10, 5));
  small.arguments = {global(out, 60)};
  ASSERT_TRUE(run(small, wave).good);
  EXPECT_EQ(out[0], 5U);
  EXPECT_EQ(out[1], 5U);
}

TEST_P(SubGroupTest, WorkItemsAreNumberedInTheOrderOfLocalLinearIds) {
  NdRange range;
  range.dimensions = 3;
  range.global = range.local = {3, 4, 2};
  auto* out = buffer<std::uint32_t>(24 * 6);
  auto launch = sub_groups("ids", range);
  launch.arguments = {global(out, 24 * 6)};
  ASSERT_TRUE(run(launch, wave).good);
  for (std::uint32_t i = 0; i < 24; ++i) {
    EXPECT_EQ(out[i * 6 + 4], i / wave);
    EXPECT_EQ(out[i * 6 + 5], i % wave);
  }
}

TEST_P(SubGroupTest, AllDoSomethingTogether) {
  constexpr int items = 24, local_size = 12;
  auto *in = buffer<int>(items), *out = buffer<int>(items * 8);
  for (int i = 0; i < items; ++i) in[i] = (i * 37 + 11) % 101 - 50;
  auto launch = sub_groups("collectives", line(items, local_size));
  launch.arguments = {global(in, items), global(out, items * 8)};
  ASSERT_TRUE(run(launch, wave).good);
  for (int i = 0; i < items; ++i) {
    const int first = i / local_size * local_size + i % local_size / 8 * 8;
    const int end = std::min(first + 8, i / local_size * local_size + local_size);
    const int* o = out + i * 8;
    EXPECT_EQ(o[0], std::accumulate(in + first, in + end, 0));
    EXPECT_EQ(o[1], *std::max_element(in + first, in + i + 1));
    EXPECT_EQ(o[2], i == first ? INT_MAX : *std::min_element(in + first, in + i));
    EXPECT_EQ(o[3], in[first + 2]);
    EXPECT_EQ(o[4] != 0, std::all_of(in + first, in + end, [](int v) { return v > -50; }));
    EXPECT_EQ(o[5] != 0, std::any_of(in + first, in + end, [](int v) { return v > 40; }));
    std::uint64_t sum = 0;
    for (int j = first; j < i; ++j) sum += static_cast<std::uint64_t>(in[j]) << 33 >> 33;
    EXPECT_EQ(o[6], static_cast<int>(sum));
    EXPECT_EQ(o[7], *std::max_element(in + first, in + end));
  }
  EXPECT_THAT(reports_.bad, SizeIs(0));
}

TEST_P(SubGroupTest, OthersNeedNotComeToIt) {
  auto* out = buffer<int>(24);
  auto launch = sub_groups("one_of_them", line(24, 12));
  launch.arguments = {global(out, 24), local(12 * sizeof(int))};
  ASSERT_TRUE(run(launch, wave).good);
  for (int i = 0; i < 24; ++i) {
    const int l = i % 12, other = 11 - l;
    EXPECT_EQ(out[i], (l < 8 ? -1 : 2 * (8 + 9 + 10 + 11)) + (other < 8 ? other : 2 * other) * 1000);
  }
}

TEST_P(SubGroupTest, SubGroupsGoTheirOwnWay) {
  auto* out = buffer<int>(20);
  auto launch = sub_groups("in_loops", line(20, 20));
  launch.arguments = {global(out, 20)};
  ASSERT_TRUE(run(launch, wave).good);
  for (int first = 0; first < 20; first += 8) {
    std::vector<int> v(8);
    std::iota(v.begin(), v.end(), 0);
    for (int i = 0; i < first / 8; ++i) std::partial_sum(v.begin(), v.end(), v.begin());
    for (int l = 0; l < std::min(8, 20 - first); ++l) EXPECT_EQ(out[first + l], v[static_cast<std::size_t>(l)]);
  }
}

// CL_DEVICE_SUB_GROUP_INDEPENDENT_FORWARD_PROGRESS.
TEST_P(SubGroupTest, OneMayWaitForAnother) {
  auto* out = buffer<int>(16);
  auto launch = sub_groups("waits_for_other", line(16, 16));
  launch.arguments = {global(out, 16), local(4)};
  ASSERT_TRUE(run(launch, wave).good) << reports_.bad.front();
  for (int i = 0; i < 16; ++i) EXPECT_EQ(out[i], i < 8 ? 7 : 8);
}

TEST_P(SubGroupTest, DivergenceWithinOneIsReportedAndFails) {
  auto* out = buffer<int>(16);
  auto launch = sub_groups("divergent", line(16, 16));
  launch.arguments = {global(out, 16), value(8)};
  ASSERT_TRUE(run(launch, wave).good);
  for (int i = 0; i < 16; ++i) EXPECT_EQ(out[i], i < 8 ? 28 : 15);
  EXPECT_THAT(reports_.bad, SizeIs(0));
  launch.arguments[1] = value(3);
  EXPECT_FALSE(run(launch, wave).good);
  ASSERT_THAT(reports_.bad, SizeIs(1));
  EXPECT_THAT(reports_.bad[0], HasSubstr("kernel 'divergent'"));
  EXPECT_THAT(reports_.bad[0], HasSubstr("divergent sub-group function"));
}

TEST_P(SubGroupTest, ABarrierOfTheGroupIsNotOneOfTheSubGroup) {
  auto* out = buffer<int>(16);
  auto launch = sub_groups("divergent_from_barrier", line(16, 16));
  launch.arguments = {global(out, 16), value(8)};
  ASSERT_TRUE(run(launch, wave).good);
  launch.arguments[1] = value(3);
  EXPECT_FALSE(run(launch, wave).good);
  ASSERT_THAT(reports_.bad, SizeIs(1));
  EXPECT_THAT(reports_.bad[0], HasSubstr("divergent sub-group function"));
}

TEST_P(SubGroupTest, WorkItemsThatEndedAreNotWaitedFor) {
  auto* out = buffer<int>(32);
  auto launch = sub_groups("early_end", line(32, 16));
  launch.arguments = {global(out, 32), value(13)};
  ASSERT_TRUE(run(launch, wave).good);
  for (int i = 0; i < 32; ++i) EXPECT_EQ(out[i], i < 8 ? 8 : i < 13 ? 5 : 0);
  ASSERT_THAT(reports_.bad, SizeIs(1));
  EXPECT_THAT(reports_.bad[0], HasSubstr("divergent sub-group function: ended"));
}

TEST_P(SubGroupTest, LoopsThatNeverEndAreStopped) {
  auto* out = buffer<int>(16);
  auto launch = sub_groups("endless", line(16, 16), 100'000);
  launch.arguments = {global(out, 16)};
  EXPECT_FALSE(run(launch, wave).good);
  ASSERT_THAT(reports_.bad, SizeIs(1));
  EXPECT_THAT(reports_.bad[0], HasSubstr("has not ended after"));
}

TEST_P(SubGroupTest, BothSidesOfABranchAreTwoPlaces) {
  auto* out = buffer<std::array<std::uint32_t, 4>>(8);
  auto launch = sub_groups("both_sides", line(8, 8));
  launch.arguments = {global(out, 8)};
  ASSERT_TRUE(run(launch, wave).good);
  for (std::uint32_t i = 0; i < 8; ++i)
    EXPECT_THAT(out[i], testing::ElementsAre(i < 3 ? 0x07U : 0xf8U, 0U, 0U, 100U)) << i;
}

TEST_P(SubGroupTest, IterationsDoNotMix) {
  auto* out = buffer<std::uint32_t>(8);
  auto launch = sub_groups("in_some_iterations", line(8, 8));
  launch.arguments = {global(out, 8)};
  ASSERT_TRUE(run(launch, wave).good);
  for (std::uint32_t i = 0; i < 8; ++i) EXPECT_EQ(out[i], 0x11U << (i & 3));
}

TEST_P(SubGroupTest, WhoLeavesALoopMeetsTheOthersBehindIt) {
  auto* out = buffer<std::uint32_t>(8);
  auto launch = sub_groups("leave_early", line(8, 8));
  launch.arguments = {global(out, 8)};
  ASSERT_TRUE(run(launch, wave).good);
  for (std::uint32_t l = 0, sum = 0; l < 8; ++l) {
    sum += 8 - l;  // who is still there in iteration l
    EXPECT_EQ(out[l], sum * 1000 + 8);
  }
}

TEST_P(SubGroupTest, ValuesMoveBetweenWorkItems) {
  using Long16 = std::array<std::int64_t, 16>;
  auto *in = buffer<double>(8), *out = buffer<double>(64);
  auto* wide = buffer<Long16>(8);
  for (int i = 0; i < 8; ++i) in[i] = i * 1.25 + 0.5;
  auto launch = sub_groups("moves", line(8, 8));
  launch.arguments = {global(in, 8), global(out, 64), global(wide, 8)};
  ASSERT_TRUE(run(launch, wave).good);
  double product = 1;
  for (int l = 0; l < 8; ++l) {
    const double* o = out + l * 8;
    EXPECT_EQ(o[0], in[l * 3 % 8]);
    EXPECT_EQ(o[1], in[l ^ 5]);
    if (l >= 4) {
      EXPECT_EQ(o[2], in[l - 2]);  // the first two have not come to it
    }
    if (l < 5) {
      EXPECT_EQ(o[3], in[l + 3]);
    }
    EXPECT_EQ(o[4], in[(l + 5) % 8]);
    EXPECT_EQ(o[5], in[l / 4 * 4 + (l + 1) % 4]);
    EXPECT_EQ(o[6], std::accumulate(in + l / 4 * 4, in + l / 4 * 4 + 4, 0.0));
    EXPECT_EQ(o[7], product);
    product *= in[l];
    EXPECT_EQ(wide[l][0], 6);
    EXPECT_EQ(wide[l][7], 13);
    EXPECT_EQ(wide[l][15], std::int64_t{6} << 40);
  }
}

TEST_P(SubGroupTest, Votes) {
  auto* in = buffer<int>(8);
  auto* out = buffer<std::uint32_t>(8 * 12);
  for (int i = 0; i < 8; ++i) in[i] = i == 2 || i == 3 || i == 6 ? 4 + i * 2 : 0;
  auto launch = sub_groups("votes", line(8, 8));
  launch.arguments = {global(in, 8), global(out, 8 * 12)};
  ASSERT_TRUE(run(launch, wave).good);
  for (std::uint32_t l = 0; l < 8; ++l) {
    const std::uint32_t below = 0x4cU & ((1U << l) - 1), own = 0x4cU >> l & 1;
    const auto bits = [](std::uint32_t v) { return static_cast<std::uint32_t>(__builtin_popcount(v)); };
    const std::vector<std::uint32_t> o(out + l * 12, out + l * 12 + 12);
    EXPECT_THAT(o, testing::ElementsAre(0x4cU, l == 0 ? 1U : 0U, 1U, own, 1U, 8U, bits(below) + own, bits(below), 2U, 6U,
                                        0xffU & ~((1U << l) - 1), (1U << l) - 1))
        << l;
  }
}

INSTANTIATE_TEST_SUITE_P(Free, SubGroupTest, testing::Values(false));
INSTANTIATE_TEST_SUITE_P(InStep, SubGroupTest, testing::Values(true));

class SubGroupCostTest : public EngineTest {
 protected:
  struct Sums {
    std::array<std::uint64_t, instruction_classes> issued{};
    std::uint64_t recorded = 0;  // instructions that belong to records
    std::size_t records = 0, barriers = 0;
  };
  Sums sums_of(const std::string& kernel, std::size_t element_bytes = 4) {
    auto *in = buffer<std::byte>(64 * 8), *out = buffer<std::byte>(64 * 8);
    auto launch = launch_of("sub_groups", kernel, line(64, 64));
    launch.arguments = {global(in, 64 * element_bytes), global(out, 64 * element_bytes)};
    const Outcome outcome = run(launch);
    EXPECT_TRUE(outcome.good);
    Sums sums;
    for (const GroupTrace& trace : outcome.traces) {
      for (const WaveTrace& w : trace.waves) {
        for (std::size_t c = 0; c < instruction_classes; ++c) sums.issued[c] += w.issued[c];
      }
      for (const WaveAccess& a : trace.accesses) {
        sums.recorded += a.issued;
        ++sums.records;
        sums.barriers += a.kind == AccessKind::barrier ? 1 : 0;
      }
    }
    return sums;
  }
  static std::uint64_t of(const Sums& sums, InstructionClass c) { return sums.issued[static_cast<std::size_t>(c)]; }
};

// Two wavefronts. An operation is no access, and what was issued before it belongs to the access behind it.
TEST_F(SubGroupCostTest, AnOperationIsInstructionsOfTheWave) {
  const Sums none = sums_of("none"), barrier = sums_of("with_sub_group"), sum = sums_of("with_sum");
  EXPECT_EQ(none.records, 4U);
  EXPECT_EQ(barrier.records, 4U);
  EXPECT_EQ(sum.records, 4U);
  EXPECT_EQ(barrier.barriers + sum.barriers, 0U);
  EXPECT_EQ(of(barrier, InstructionClass::control), of(none, InstructionClass::control) + 2);
  EXPECT_EQ(of(barrier, InstructionClass::integer), of(none, InstructionClass::integer));
  EXPECT_EQ(of(barrier, InstructionClass::memory), of(none, InstructionClass::memory));
  EXPECT_EQ(barrier.recorded, none.recorded + 2);
  // Five steps, in each a shuffle at half the rate and an addition.
  EXPECT_EQ(of(sum, InstructionClass::integer), of(none, InstructionClass::integer) + 2 * 5 * 3);
  EXPECT_EQ(of(sum, InstructionClass::memory), of(none, InstructionClass::memory));
  EXPECT_EQ(sum.recorded, none.recorded + 2 * 5 * 3);
}

TEST_F(SubGroupCostTest, ShufflesMoveWordByWord) {
  // A long is added in two instructions and moves in two shuffles; its partner's number is not computed.
  const Sums shuffle = sums_of("with_shuffle", 8), none = sums_of("none");
  EXPECT_EQ(shuffle.records, 4U);
  EXPECT_EQ(of(shuffle, InstructionClass::memory), of(none, InstructionClass::memory));
}

// What is known of other groups never stands for one whose work-items exchange values.
TEST_F(SubGroupCostTest, GroupsAreNotTakenToBeAlike) {
  auto *in = buffer<int>(64 * 16), *out = buffer<int>(64 * 16);
  for (const char* name : {"with_sub_group", "with_sum"}) {
    auto launch = launch_of("sub_groups", name, line(64 * 16, 64));
    launch.arguments = {global(in, 64 * 16), global(out, 64 * 16)};
    EXPECT_EQ(launch.module->kernels()[launch.kernel].has_barrier, false);
    const auto run = engine_->start(launch, 32);
    auto* const alike = dynamic_cast<AlikeRun*>(run.get());
    ASSERT_NE(alike, nullptr);
    EXPECT_EQ(alike->run_alike(), nullptr);
    EXPECT_NE(launch.module->kernels()[launch.kernel].steered_by >> steered_by_other, 0U);
  }
}

}  // namespace

namespace exec {
namespace {

// Arithmetic of every type against what C++ computes, or the tables of the specification.
class ExchangeTest : public testing::Test {
 protected:
  template <class T>
  void put(std::initializer_list<T> values, std::uint32_t size = 0) {
    places_.assign(values.size(), {});
    std::size_t i = 0;
    for (const T& v : values) {
      places_[i].size = size;
      std::memcpy(places_[i++].value.data(), &v, sizeof v);
    }
  }
  template <class T>
  [[nodiscard]] std::vector<T> get() const {
    std::vector<T> values(places_.size());
    for (std::size_t i = 0; i < values.size(); ++i) std::memcpy(&values[i], places_[i].value.data(), sizeof(T));
    return values;
  }
  void exchange(std::uint32_t form, std::uint32_t combine, std::uint32_t type, std::uint64_t lanes = ~0ULL) {
    LaneMask mask;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if ((lanes >> i & 1) != 0) mask.add(i);
    }
    exec::exchange(SubGroupOperation(SUB_GROUP_CODE(form, combine, type, 1U)), places_, mask);
  }
  std::vector<SubGroupPlace> places_;
};

using testing::ElementsAre;

TEST_F(ExchangeTest, IntegersWrap) {
  put<std::int8_t>({100, 100, -1});
  exchange(sub_group_fold, sub_group_add, sub_group_char);
  EXPECT_THAT(get<std::int8_t>(), Each(static_cast<std::int8_t>(199)));
  put<std::uint16_t>({0xffff, 0xffff});
  exchange(sub_group_fold, sub_group_mul, sub_group_ushort);
  EXPECT_THAT(get<std::uint16_t>(), Each(1));
  put<std::int32_t>({INT32_MIN, INT32_MIN, 5});
  exchange(sub_group_scan_inclusive, sub_group_add, sub_group_int);
  EXPECT_THAT(get<std::int32_t>(), ElementsAre(INT32_MIN, 0, 5));
  put<std::int64_t>({INT64_MAX, INT64_MAX});
  exchange(sub_group_fold, sub_group_mul, sub_group_long);
  EXPECT_THAT(get<std::int64_t>(), Each(1));
}

TEST_F(ExchangeTest, SignsMatter) {
  put<std::uint8_t>({1, 255});
  exchange(sub_group_fold, sub_group_max, sub_group_uchar);
  EXPECT_THAT(get<std::uint8_t>(), Each(255));
  put<std::uint8_t>({1, 255});
  exchange(sub_group_fold, sub_group_max, sub_group_char);
  EXPECT_THAT(get<std::uint8_t>(), Each(1));
  put<std::uint64_t>({1, 1ULL << 63});
  exchange(sub_group_fold, sub_group_min, sub_group_long);
  EXPECT_THAT(get<std::uint64_t>(), Each(1ULL << 63));
}

// "If an exclusive scan has no values before it": 0, 1, the largest, the smallest, all bits, none.
TEST_F(ExchangeTest, ExclusiveScansBeginWithTheIdentity) {
  const auto first = [this](std::uint32_t combine, std::uint32_t type, auto zero) {
    put<decltype(zero)>({zero, zero});
    exchange(sub_group_scan_exclusive, combine, type);
    return get<decltype(zero)>().front();
  };
  EXPECT_EQ(first(sub_group_add, sub_group_int, 3), 0);
  EXPECT_EQ(first(sub_group_mul, sub_group_int, 3), 1);
  EXPECT_EQ(first(sub_group_min, sub_group_int, 3), INT32_MAX);
  EXPECT_EQ(first(sub_group_max, sub_group_int, 3), INT32_MIN);
  EXPECT_EQ(first(sub_group_max, sub_group_ulong, 3UL), 0U);
  EXPECT_EQ(first(sub_group_and, sub_group_uint, 3U), ~0U);
  EXPECT_EQ(first(sub_group_or, sub_group_uint, 3U), 0U);
  EXPECT_EQ(first(sub_group_xor, sub_group_uint, 3U), 0U);
  EXPECT_EQ(first(sub_group_logical_and, sub_group_int, 3), 1);
  EXPECT_EQ(first(sub_group_logical_or, sub_group_int, 3), 0);
  EXPECT_EQ(first(sub_group_min, sub_group_float, 3.0F), INFINITY);
  EXPECT_EQ(first(sub_group_max, sub_group_double, 3.0), -INFINITY);
  EXPECT_EQ(first(sub_group_min, sub_group_half, std::uint16_t{0}), 0x7c00);
}

// Half precision: 2048 and 1 make 2048 (ties to even), 2048 and 3 make 2052; 60000 twice is infinite.
TEST_F(ExchangeTest, HalvesRoundAtEachStep) {
  put<std::uint16_t>({0x6800, 0x3c00, 0x3c00});
  exchange(sub_group_fold, sub_group_add, sub_group_half);
  EXPECT_THAT(get<std::uint16_t>(), Each(0x6800));
  put<std::uint16_t>({0x6800, 0x4200});
  exchange(sub_group_fold, sub_group_add, sub_group_half);
  EXPECT_THAT(get<std::uint16_t>(), Each(0x6802));
  put<std::uint16_t>({0x7b53, 0x7b53});
  exchange(sub_group_fold, sub_group_add, sub_group_half);
  EXPECT_THAT(get<std::uint16_t>(), Each(0x7c00));
}

TEST_F(ExchangeTest, OneValueStaysAsItIs) {
  put<float>({-0.0F, 7});
  exchange(sub_group_fold, sub_group_add, sub_group_float, 1);
  EXPECT_TRUE(std::signbit(get<float>().front()));
  EXPECT_EQ(get<float>().back(), 7);  // took no part
  put<float>({-0.0F});
  exchange(sub_group_scan_inclusive, sub_group_add, sub_group_float);
  EXPECT_TRUE(std::signbit(get<float>().front()));
}

TEST_F(ExchangeTest, LogicalOnesAreOnes) {
  put<std::int32_t>({8, 0, 4});
  exchange(sub_group_scan_inclusive, sub_group_logical_xor, sub_group_int);
  EXPECT_THAT(get<std::int32_t>(), ElementsAre(1, 1, 0));
  put<std::int32_t>({8, 2, 4});
  exchange(sub_group_fold, sub_group_logical_and, sub_group_int);
  EXPECT_THAT(get<std::int32_t>(), Each(1));
  put<std::int32_t>({8});
  exchange(sub_group_fold, sub_group_logical_or, sub_group_int);
  EXPECT_THAT(get<std::int32_t>(), Each(1));
}

TEST_F(ExchangeTest, ClustersAreApart) {
  put<std::int32_t>({1, 2, 4, 8, 16, 32, 64}, 4);
  exchange(sub_group_fold, sub_group_add, sub_group_int, 0b1011101);
  EXPECT_THAT(get<std::int32_t>(), ElementsAre(13, 2, 13, 13, 80, 32, 80));
}

TEST_F(ExchangeTest, EqualityIsOfNumbers) {
  put<float>({0.0F, -0.0F});
  exchange(sub_group_equal, 0, sub_group_float);
  EXPECT_THAT(get<std::int32_t>(), Each(1));
  put<float>({NAN, NAN});
  exchange(sub_group_equal, 0, sub_group_float);
  EXPECT_THAT(get<std::int32_t>(), Each(0));
  put<std::int32_t>({5, 6, 5});
  exchange(sub_group_equal, 0, sub_group_int, 0b101);
  EXPECT_THAT(get<std::int32_t>(), ElementsAre(1, 6, 1));
}

TEST_F(ExchangeTest, WhoIsNotThereHasNothing) {
  put<std::int32_t>({5, 6, 7});
  places_[0].argument = 1, places_[1].argument = 2, places_[2].argument = 0xfffffff0;
  exchange(sub_group_move, 0, sub_group_uint, 0b101);
  EXPECT_THAT(get<std::int32_t>(), ElementsAre(0, 6, 0));
  put<std::int32_t>({5, 6, 7});
  for (SubGroupPlace& p : places_) p.argument = SUB_GROUP_FIRST;
  exchange(sub_group_move, 0, sub_group_uint, 0b110);
  EXPECT_THAT(get<std::int32_t>(), ElementsAre(5, 6, 6));
}

// A program may declare the engine's function and call it with anything.
TEST_F(ExchangeTest, UnknownCodesDoNothing) {
  for (const std::uint32_t code : {0x8U, 0xfU, 0xa5U, 0xb05U, 0xf05U, 0xffffffffU, 0x2005U}) {
    put<std::int32_t>({5, 6});
    LaneMask mask;
    mask.add(0);
    mask.add(1);
    exec::exchange(SubGroupOperation(code), places_, mask);
    EXPECT_THAT(get<std::int32_t>(), ElementsAre(5, 6)) << code;
  }
}

}  // namespace
}  // namespace exec
}  // namespace sluice
