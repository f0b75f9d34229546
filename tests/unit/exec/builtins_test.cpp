// Built-in functions against the host's mathematics in a wider type, within the errors that OpenCL C allows.
#include <cfenv>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <random>

#include "tests/unit/exec/fixture.h"
#include "tests/unit/exec/kernels/math_list.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using Wide = long double;
constexpr Wide kPi = std::numbers::pi_v<Wide>;
constexpr std::size_t kCount = 256;

// The distance from what is exact in units of the last place that T has there (OpenCL C 3.0, 7.4).
template <class T>
Wide error_in_ulp(T got, Wide exact) {
  const T nearest = static_cast<T>(exact);
  if (std::isnan(exact) || std::isinf(nearest)) {
    const bool same = std::isnan(exact) ? std::isnan(got) : got == nearest;
    return same ? 0 : std::numeric_limits<Wide>::infinity();
  }
  const int exponent = std::max(exact == 0 ? std::numeric_limits<T>::min_exponent : std::ilogb(exact) + 1,
                                std::numeric_limits<T>::min_exponent);
  return std::fabs(static_cast<Wide>(got) - exact) / std::ldexp(Wide{1}, exponent - std::numeric_limits<T>::digits);
}

class Domain {
 public:
  template <class T>
  static T any(T x) {
    return x;
  }
  template <class T>
  static T positive(T x) {
    return std::fabs(x);
  }
  template <class T>
  static T above_one(T x) {
    return 1 + std::fabs(x);
  }
  template <class T>
  static T unit(T x) {
    return std::fmod(x, T{1});
  }
};

class BuiltinsTest : public EngineTest {
 protected:
  // Numbers of all sizes up to 64, some whole, some subnormal.
  template <class T>
  std::vector<T> samples(unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> exponent(-12, 6);
    std::vector<T> values(kCount);
    for (T& value : values) {
      const double size = std::exp2(exponent(random)) * (random() % 2 == 0 ? 1 : -1);
      value = static_cast<T>(random() % 8 == 0 ? std::ceil(size) : size);
    }
    values[0] = std::numeric_limits<T>::denorm_min();
    values[1] = -std::numeric_limits<T>::min() / 4;
    values[2] = 0;
    values[3] = -T{0};
    return values;
  }

  KernelLaunch launch_line(const std::string& kernel, std::size_t count = kCount) {
    static const auto module = load("builtins");  // many kernels, compiled once
    return launch_of(module, kernel, line(count, std::min<std::size_t>(count, 64)));
  }

  template <class T>
  LaunchArgument filled(const std::vector<T>& values) {
    T* data = buffer<T>(values.size());
    std::copy(values.begin(), values.end(), data);
    return global(data, values.size());
  }

  template <class T>
  void test_unary(const std::string& type) {
    constexpr bool wide = std::is_same_v<T, double>;
    const auto xs = samples<T>(1);
    struct Entry {
      const char* name;
      Wide (*exact)(Wide);
      Wide allowed;
      T (*domain)(T);
    };
#define SLUICE_ENTRY(name, exact, ulps, ulps64, domain) \
  {#name, [](Wide x) -> Wide { return exact; }, wide ? ulps64 : ulps, &Domain::domain<T>},
    const std::vector<Entry> entries = {UNARY_FUNCTIONS(SLUICE_ENTRY)};
#undef SLUICE_ENTRY
    std::map<T (*)(T), T*> results;
    std::map<T (*)(T), std::vector<T>> inputs;
    for (const Entry& entry : entries) {
      if (results.count(entry.domain) != 0) continue;
      auto& input = inputs[entry.domain];
      for (const T x : xs) input.push_back(entry.domain(x));
      T* out = results[entry.domain] = buffer<T>(kCount * entries.size());
      auto launch = launch_line("unary_" + type);
      launch.arguments = {filled(input), global(out, kCount * entries.size())};
      EXPECT_TRUE(run(launch).good);
    }
    for (std::size_t k = 0; k < entries.size(); ++k) {
      Wide worst = 0;
      T where = 0;
      for (std::size_t i = 0; i < kCount; ++i) {
        const T x = inputs[entries[k].domain][i];
        const Wide error = error_in_ulp(results[entries[k].domain][k * kCount + i], entries[k].exact(x));
        if (error > worst) worst = error, where = x;
      }
      EXPECT_LE(worst, entries[k].allowed) << entries[k].name << " of " << where;
    }
  }

  template <class T>
  void test_binary(const std::string& type) {
    constexpr bool wide = std::is_same_v<T, double>;
    const auto xs = samples<T>(2), ys = samples<T>(3);
    struct Entry {
      const char* name;
      Wide (*exact)(Wide, Wide);
      Wide allowed;
    };
#define SLUICE_ENTRY(name, exact, ulps, ulps64) \
  {#name, [](Wide x, Wide y) -> Wide { return exact; }, wide ? ulps64 : ulps},
    const std::vector<Entry> entries = {BINARY_FUNCTIONS(SLUICE_ENTRY)};
#undef SLUICE_ENTRY
    T* out = buffer<T>(kCount * entries.size());
    auto launch = launch_line("binary_" + type);
    launch.arguments = {filled(xs), filled(ys), global(out, kCount * entries.size())};
    EXPECT_TRUE(run(launch).good);
    for (std::size_t k = 0; k < entries.size(); ++k) {
      for (std::size_t i = 4; i < kCount; ++i) {  // 0, 0: powr differs from pow
        const T exact_in_type = static_cast<T>(entries[k].exact(xs[i], ys[i]));
        // The difference of two numbers is rounded, what is exact in the table is not.
        const Wide exact = entries[k].allowed == 0 ? exact_in_type : entries[k].exact(xs[i], ys[i]);
        EXPECT_LE(error_in_ulp(out[k * kCount + i], exact), entries[k].allowed)
            << entries[k].name << " of " << xs[i] << ", " << ys[i];
      }
    }
  }

  template <class T>
  void test_with_integer(const std::string& type) {
    const auto xs = samples<T>(4);
    std::vector<int> ns(kCount);
    for (std::size_t i = 0; i < kCount; ++i) ns[i] = static_cast<int>(i % 41) - 20;
    ns[5] = std::numeric_limits<int>::max(), ns[6] = std::numeric_limits<int>::min() + 1;
    T* out = buffer<T>(3 * kCount);
    auto launch = launch_line("with_integer_" + type);
    launch.arguments = {filled(xs), filled(ns), global(out, 3 * kCount)};
    EXPECT_TRUE(run(launch).good);
    for (std::size_t i = 0; i < kCount; ++i) {
      EXPECT_EQ(out[i], std::ldexp(xs[i], ns[i])) << xs[i] << ' ' << ns[i];
      EXPECT_LE(error_in_ulp(out[kCount + i], std::pow(Wide{xs[i]}, Wide(ns[i]))), 16) << xs[i] << ' ' << ns[i];
      const Wide root = ns[i] == 0 ? NAN : std::pow(std::fabs(Wide{xs[i]}), 1 / Wide(ns[i]));
      EXPECT_LE(error_in_ulp(out[2 * kCount + i], root), 16) << xs[i] << ' ' << ns[i];
    }
  }
};

TEST_F(BuiltinsTest, FunctionsOfOneFloat) {
  test_unary<float>("float");
}
TEST_F(BuiltinsTest, FunctionsOfOneDouble) {
  test_unary<double>("double");
}
TEST_F(BuiltinsTest, FunctionsOfTwoFloats) {
  test_binary<float>("float");
}
TEST_F(BuiltinsTest, FunctionsOfTwoDoubles) {
  test_binary<double>("double");
}
TEST_F(BuiltinsTest, FunctionsOfFloatAndInteger) {
  test_with_integer<float>("float");
}
TEST_F(BuiltinsTest, FunctionsOfDoubleAndInteger) {
  test_with_integer<double>("double");
}

TEST_F(BuiltinsTest, VectorsAreTheirElements) {
  int* equal = buffer<int>(kCount / 16);
  auto launch = launch_line("widths", kCount / 16);
  launch.arguments = {filled(samples<float>(5)), global(equal, kCount / 16)};
  EXPECT_TRUE(run(launch).good);
  EXPECT_THAT(std::vector<int>(equal, equal + kCount / 16), testing::Each(1));
}

TEST_F(BuiltinsTest, NativeSineAndCosineOfOneNumber) {
  const auto xs = samples<float>(6);
  auto* values = buffer<float>(2 * kCount);
  auto launch = launch_line("native_circle");
  launch.arguments = {filled(xs), global(values, 2 * kCount)};
  EXPECT_TRUE(run(launch).good);
  for (std::size_t i = 0; i < kCount; ++i) {
    EXPECT_NEAR(values[i], std::sin(double{xs[i]}), 1e-6) << xs[i];
    EXPECT_NEAR(values[kCount + i], std::cos(double{xs[i]}), 1e-6) << xs[i];
  }
}

TEST_F(BuiltinsTest, PartsOfNumbers) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> xs = {-0.25F, -0.0F, inf, 0x1p-149F, 1000.0F, -7.5F, 2.5F, -1.5F};
  const std::size_t n = xs.size();
  auto* values = buffer<float>(10 * n);
  auto* integers = buffer<int>(3 * n);
  auto launch = launch_line("parts", n);
  launch.arguments = {filled(xs), global(values, 10 * n), global(integers, 3 * n), local(n * 4), local(n * 4)};
  EXPECT_TRUE(run(launch).good);
  for (std::size_t i = 0; i < n; ++i) {
    const float x = xs[i];
    float whole = 0;
    int integer = 0;
    // 7.5.1: fract(-0) is -0, fract(infinity) is 0; never 1.
    const float fraction = std::isinf(x) ? 0 : x == 0 ? x : std::fmin(x - std::floor(x), 0x1.fffffep-1F);
    EXPECT_EQ(values[i], fraction) << x;
    EXPECT_EQ(std::signbit(values[i]), std::signbit(fraction)) << x;
    EXPECT_EQ(values[n + i], std::floor(x)) << x;
    EXPECT_EQ(values[2 * n + i], std::modf(x, &whole)) << x;
    EXPECT_EQ(values[3 * n + i], whole) << x;
    EXPECT_EQ(values[4 * n + i], std::frexp(x, &integer)) << x;
    if (std::isfinite(x)) {
      EXPECT_EQ(integers[i], integer) << x;
      EXPECT_EQ(values[5 * n + i], std::remainder(x, 3.0F)) << x;
      // Seven bits of the quotient with its sign (6.15.2): 1000 / 3 is 333, less 256.
      EXPECT_EQ(integers[n + i], x == 1000.0F ? 77 : static_cast<int>(std::rint(x / 3.0F))) << x;
      EXPECT_LE(error_in_ulp(values[6 * n + i], std::sin(Wide{x})), 4) << x;
      EXPECT_LE(error_in_ulp(values[7 * n + i], std::cos(Wide{x})), 4) << x;
      // Gamma is negative between -1 and 0, and between every second pair of negative whole numbers below.
      const int sign = x == 0 || x > 0 ? (std::signbit(x) ? -1 : 1) : x == -0.25F ? -1 : 1;
      EXPECT_EQ(integers[2 * n + i], sign) << x;
    }
    EXPECT_TRUE(std::isnan(values[9 * n + i]));
  }
}

// 6.15.4: clamp is fmin(fmax(x, least), most), of which a NaN comes out as the least.
TEST_F(BuiltinsTest, ClampTakesNanToTheLeast) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> xs = {std::numeric_limits<float>::quiet_NaN(), -inf, -0.5F, 1, inf, 3};
  const std::vector<float> clamped = {-1, -1, -0.5F, 1, 1, 1};
  const std::size_t n = xs.size();
  auto* out = buffer<float>(5 * n);
  auto launch = launch_line("clamps", n);
  launch.arguments = {filled(xs), global(out, 5 * n)};
  EXPECT_TRUE(run(launch).good);
  for (std::size_t i = 0; i < 5 * n; ++i) EXPECT_EQ(out[i], clamped[i % n]) << i;
}

TEST_F(BuiltinsTest, ConversionsToIntegersSaturate) {
  const std::vector<double> xs = {0.5,  1.5,          -0.5,   127.5,   -128.5, 255.5, -1.0,     2147483648.0,
                                  -3e9, 4294967296.0, 0x1p63, -0x1p63, 0x1p64, NAN,   INFINITY, -INFINITY};
  const std::size_t n = xs.size();
  auto* out = buffer<std::int64_t>(7 * n);
  auto launch = launch_line("to_integers", n);
  launch.arguments = {filled(xs), global(out, 7 * n)};
  EXPECT_TRUE(run(launch).good);
  const auto clamped = [](double rounded, Wide least, Wide most) -> std::int64_t {
    if (std::isnan(rounded)) return 0;  // 6.4.3.3: "NaN should be converted to 0"
    const Wide value = std::clamp(Wide{rounded}, least, most);
    return most > 0x1p63L ? static_cast<std::int64_t>(static_cast<std::uint64_t>(value))
                          : static_cast<std::int64_t>(value);
  };
  for (std::size_t i = 0; i < n; ++i) {
    const double x = xs[i];
    EXPECT_EQ(out[i], clamped(std::nearbyint(x), -128, 127)) << x;
    EXPECT_EQ(out[n + i], clamped(std::ceil(x), 0, 255)) << x;
    EXPECT_EQ(out[2 * n + i], clamped(std::floor(x), -32768, 32767)) << x;
    EXPECT_EQ(out[3 * n + i], clamped(std::trunc(x), -0x1p31L, 0x1p31L - 1)) << x;
    EXPECT_EQ(out[4 * n + i], clamped(std::trunc(x), 0, 0x1p32L - 1)) << x;
    EXPECT_EQ(out[5 * n + i], clamped(std::trunc(x), -0x1p63L, 0x1p63L - 1)) << x;
    EXPECT_EQ(out[6 * n + i], clamped(std::trunc(x), 0, 0x1p64L - 1)) << x;
  }
}

// What the processor rounds when it is told how.
template <class From>
float rounded(From x, int mode) {
  const int before = std::fegetround();
  std::fesetround(mode);
  volatile From in = x;
  volatile float out = static_cast<float>(in);
  std::fesetround(before);
  return out;
}

TEST_F(BuiltinsTest, ConversionsToFloatRoundAsTold) {
  std::vector<std::int64_t> xs = {
      0, 1, -1, 16777217, -16777217, 16777219, 0x7FFFFFFF, 0x7FFFFFFFFFFFFFFF, -0x7FFFFFFFFFFFFFFF};
  std::mt19937_64 random(6);
  for (int i = 0; i < 119; ++i) xs.push_back(static_cast<std::int64_t>(random()) >> (i / 2));
  const std::size_t n = xs.size();
  auto* out = buffer<float>(8 * n);
  auto launch = launch_line("to_floats", n);
  launch.arguments = {filled(xs), global(out, 8 * n)};
  EXPECT_TRUE(run(launch).good);
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t x = xs[i];
    EXPECT_EQ(out[i], rounded(x, FE_TOWARDZERO)) << x;
    EXPECT_EQ(out[n + i], rounded(x, FE_UPWARD)) << x;
    EXPECT_EQ(out[2 * n + i], rounded(x, FE_DOWNWARD)) << x;
    EXPECT_EQ(out[3 * n + i], rounded(x, FE_TONEAREST)) << x;
    EXPECT_EQ(out[4 * n + i], rounded(static_cast<std::int32_t>(x), FE_UPWARD)) << x;
    EXPECT_EQ(out[5 * n + i], rounded(static_cast<std::uint32_t>(x), FE_DOWNWARD)) << x;
    EXPECT_EQ(out[6 * n + i], rounded(static_cast<double>(x), FE_TOWARDZERO)) << x;
    EXPECT_EQ(out[7 * n + i], rounded(static_cast<std::uint64_t>(x), FE_TOWARDZERO)) << x;
  }
}

TEST_F(BuiltinsTest, HalvesAreRoundedOnce) {
  // 1 + 2^-11 lies between two halves; a little more is nearer to the upper one, which rounding to float first hides.
  const std::vector<double> xs = {1.0 + 0x1p-11, 1.0 + 0x1p-11 + 0x1p-40, 65519.99, 65520.0, 0x1p-25, -0x1p-26, -1e300,
                                  0x1p-1060};
  const std::size_t n = xs.size();
  auto* out = buffer<std::uint16_t>(8 * n);
  auto launch = launch_line("to_halves", n);
  launch.arguments = {filled(xs), global(out, 8 * n)};
  EXPECT_TRUE(run(launch).good);
  const auto row = [&](std::size_t k) { return std::vector<std::uint16_t>(out + k * n, out + (k + 1) * n); };
  EXPECT_THAT(row(0), ElementsAre(0x3C00, 0x3C01, 0x7BFF, 0x7C00, 0, 0x8000, 0xFC00, 0));
  EXPECT_THAT(row(1), ElementsAre(0x3C00, 0x3C00, 0x7BFF, 0x7BFF, 0, 0x8000, 0xFBFF, 0));
  EXPECT_THAT(row(2), ElementsAre(0x3C01, 0x3C01, 0x7C00, 0x7C00, 1, 0x8000, 0xFBFF, 1));
  EXPECT_THAT(row(3), ElementsAre(0x3C00, 0x3C00, 0x7BFF, 0x7BFF, 0, 0x8001, 0xFC00, 0));
  for (std::size_t i = 0; i < n; ++i) {  // three halves of four
    EXPECT_THAT(std::vector<std::uint16_t>(out + (n + i) * 4, out + (n + i + 1) * 4),
                ElementsAre(out[i], 0x3C00, 0xC000, 0));
  }
}

TEST_F(BuiltinsTest, AtomicsOnFloatingPoint) {
  auto* f = buffer<float>(2);
  auto* d = buffer<double>(3);
  auto* u = buffer<std::uint64_t>(1, 1000);
  auto launch = launch_line("float_atomics");
  launch.arguments = {global(f, 2), global(d, 3), global(u, 1)};
  EXPECT_TRUE(run(launch).good);
  EXPECT_THAT(std::vector<float>(f, f + 2), ElementsAre(256.0F, -255.0F));
  EXPECT_THAT(std::vector<double>(d, d + 3), ElementsAre(255.0, -128.0, 4.0));
  EXPECT_EQ(*u, 1000 - kCount);
}

}  // namespace
}  // namespace sluice
