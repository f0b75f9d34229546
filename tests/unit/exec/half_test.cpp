// cl_khr_fp16 against exact arithmetic.
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <random>

#include "tests/unit/exec/fixture.h"
#include "tests/unit/exec/kernels/math_list.h"

namespace sluice {
namespace {

using Wide = long double;
using Bits = std::uint16_t;
constexpr Wide kPi = std::numbers::pi_v<Wide>;
__extension__ using Int128 = __int128;

bool is_nan(Bits half) {
  return (half & 0x7FFF) > 0x7C00;
}

Wide number(Bits half) {
  const int exponent = half >> 10 & 0x1F;
  const int digits = half & 0x3FF;
  if (exponent == 0x1F) return digits != 0 ? NAN : (half >> 15) != 0 ? -INFINITY : INFINITY;
  const Wide size = std::ldexp(Wide(exponent == 0 ? digits : digits + 1024), std::max(exponent, 1) - 25);
  return (half >> 15) != 0 ? -size : size;
}

// Halves are ordered as their bits are, so the nearest is found by halving the interval.
Bits nearest(Wide x) {
  if (std::isnan(x)) return 0x7E00;
  const Wide size = std::fabs(x);
  Bits below = 0;
  for (int bit = 0x4000; bit != 0; bit /= 2) {
    const auto next = static_cast<Bits>(below + bit);
    if (next <= 0x7C00 && (next == 0x7C00 ? 65536 : number(next)) <= size) below = next;
  }
  if (below < 0x7C00) {
    const auto above = static_cast<Bits>(below + 1);
    const Wide to_below = size - number(below), to_above = (above == 0x7C00 ? 65536 : number(above)) - size;
    if (to_above < to_below || (to_above == to_below && below % 2 == 1)) below = above;
  }
  return static_cast<Bits>(below | (std::signbit(x) ? 0x8000 : 0));
}

// In units of 2^-48: every half is a multiple of 2^-24, so products and their sums are whole.
Int128 units(Bits half) {
  return static_cast<Int128>(std::ldexp(number(half), 24));
}
// Rounded to a number of 64 bits that is odd where that was not exact: it rounds to half as the exact sum does.
Wide odd(Int128 sum) {
  const bool negative = sum < 0;
  Int128 size = negative ? -sum : sum;
  int shifts = 0;
  bool lost = false;
  for (; size >> 62 != 0; size >>= 1, ++shifts) lost = lost || (size & 1) != 0;
  if (lost) size |= 1;
  const Wide result = std::ldexp(static_cast<Wide>(static_cast<std::int64_t>(size)), shifts - 48);
  return negative ? -result : result;
}

class Domain {
 public:
  static Bits any(Bits x) { return x; }
  static Bits positive(Bits x) { return x & 0x7FFF; }
  static Bits above_one(Bits x) { return nearest(1 + std::fabs(number(x))); }
  static Bits unit(Bits x) { return nearest(std::fmod(number(x), Wide{1})); }
};

class HalfTest : public EngineTest {
 protected:
  KernelLaunch launch_line(const std::string& kernel, std::size_t count) {
    static const auto module = load("halves");
    return launch_of(module, kernel, line(count, std::min<std::size_t>(count, 64)));
  }
  LaunchArgument filled(const std::vector<Bits>& values) {
    Bits* data = buffer<Bits>(values.size());
    std::copy(values.begin(), values.end(), data);
    return global(data, values.size());
  }
};

// cl_khr_fp16 allows 2 ULP for most functions, 4 for a few; what float or double has exactly is exact.
TEST_F(HalfTest, FunctionsOfOneArgument) {
  struct Entry {
    const char* name;
    Wide (*exact)(Wide);
    bool is_exact;
    Bits (*domain)(Bits);
  };
#define SLUICE_ENTRY(name, exact, ulps, ulps64, domain) \
  {#name, [](Wide x) -> Wide { return exact; }, (ulps64) < 1, &Domain::domain},
  const std::vector<Entry> entries = {UNARY_FUNCTIONS(SLUICE_ENTRY)};
#undef SLUICE_ENTRY
  for (auto* domain : {&Domain::any, &Domain::positive, &Domain::above_one, &Domain::unit}) {
    std::vector<Bits> xs;
    for (int x = 0; x < 0x10000; x += 61) {
      if (std::fabs(number(static_cast<Bits>(x))) <= 64) xs.push_back(domain(static_cast<Bits>(x)));
    }
    Bits* out = buffer<Bits>(xs.size() * entries.size());
    auto launch = launch_line("unary_half", xs.size());
    launch.arguments = {filled(xs), global(out, xs.size() * entries.size())};
    EXPECT_TRUE(run(launch).good);
    for (std::size_t k = 0; k < entries.size(); ++k) {
      if (entries[k].domain != domain) continue;
      for (std::size_t i = 0; i < xs.size(); ++i) {
        const Bits got = out[k * xs.size() + i];
        const Wide exact = entries[k].exact(number(xs[i]));
        const Bits wanted = nearest(exact);
        // In steps from one half to the next; 2^10 times smaller errors of float do not add another step.
        const int steps = std::abs(static_cast<int>(got) - static_cast<int>(wanted));
        const bool good = is_nan(wanted) ? is_nan(got) : (got & 0x8000) == (wanted & 0x8000) || exact == 0;
        EXPECT_TRUE(good) << entries[k].name << " of " << number(xs[i]);
        if (!is_nan(wanted) && exact != 0) {
          EXPECT_LE(steps, entries[k].is_exact ? 0 : 1) << entries[k].name << " of " << number(xs[i]);
        }
      }
    }
  }
}

TEST_F(HalfTest, ArithmeticIsRoundedOnce) {
  constexpr std::size_t n = 2048;
  std::mt19937 random(1);
  std::vector<Bits> xs(n), ys(n), zs(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto draw = [&] { return static_cast<Bits>(random() % 0x7800 | (random() % 2 != 0 ? 0x8000 : 0)); };
    xs[i] = draw(), ys[i] = draw(), zs[i] = draw();
  }
  xs[0] = 0x3C00, ys[0] = 0x3801, zs[0] = 1;  // just beyond the middle of two halves
  Bits* out = buffer<Bits>(6 * n);
  int* integers = buffer<int>(n);
  auto launch = launch_line("exact_half", n);
  launch.arguments = {filled(xs), filled(ys), filled(zs), global(out, 6 * n), global(integers, n)};
  EXPECT_TRUE(run(launch).good);
  for (std::size_t i = 0; i < n; ++i) {
    const Wide x = number(xs[i]), y = number(ys[i]);
    const Int128 sum = units(xs[i]) * units(ys[i]) + (units(zs[i]) << 24);
    if (sum != 0) {
      EXPECT_EQ(out[i], nearest(odd(sum))) << i;
    }
    if (x + y != 0) {
      EXPECT_EQ(out[n + i], nearest(x + y)) << i;
    }
    EXPECT_EQ(out[2 * n + i], nearest(x * y)) << i;
    if (y != 0) {
      EXPECT_EQ(out[3 * n + i], nearest(x / y)) << i;  // 64 bits are enough to round twice
    }
    EXPECT_EQ(number(out[4 * n + i]), std::min(number(nearest(x - std::floor(x))), number(0x3BFF))) << i;
    if (x != y && x != 0) {
      EXPECT_EQ(out[5 * n + i], (y > x) == (x > 0) ? xs[i] + 1 : xs[i] - 1) << i;
    }
    const int expected =
        (x < y ? 1 : 0) + (std::fabs(x) >= 0x1p-14L ? 2 : 0) + (std::signbit(x) ? 4 : 0) + (std::floor(x) == 3 ? 8 : 0);
    EXPECT_EQ(integers[i], expected) << i;
  }
}

TEST_F(HalfTest, Vectors) {
  // 0.5, 1, 2, 3, the least normal, the largest subnormal, infinity, -4.
  const std::vector<Bits> xs = {0x3800, 0x3C00, 0x4000, 0x4200, 0x0400, 0x03FF, 0x7C00, 0xC400};
  Bits* out = buffer<Bits>(8);
  auto* tests = buffer<std::int16_t>(8);
  auto launch = launch_line("vectors_half", 1);
  launch.arguments = {filled(xs), global(out, 8), global(tests, 8)};
  EXPECT_TRUE(run(launch).good);
  // The element from the other end where x < 1, else the greater of x and 2.
  EXPECT_THAT(std::vector<Bits>(out, out + 8),
              testing::ElementsAre(0xC400, 0x4000, 0x4000, 0x4200, 0x4200, 0x4000, 0x7C00, 0x3800));
  EXPECT_THAT(std::vector<std::int16_t>(tests, tests + 8), testing::ElementsAre(-1, -1, -1, -1, -1, 0, 0, -1));
}

}  // namespace
}  // namespace sluice
