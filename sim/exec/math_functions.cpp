#include "sim/exec/math_functions.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <type_traits>

namespace sluice::exec {
namespace {

using Wide = long double;
constexpr Wide kPi = std::numbers::pi_v<Wide>;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// The C library computes these in a type; what OpenCL has beside C99 is computed in the next wider one.
template <class T>
using Wider = std::conditional_t<std::is_same_v<T, float>, double, Wide>;

// x less the nearest multiple of one half, which is exact, and that multiple modulo 4.
template <class T>
struct Turn {
  explicit Turn(T x) : rest(std::remainder(x, T{0.5})) {
    const T halves = std::fmod((x - rest) * 2, T{4});
    quarter = static_cast<int>(halves) & 3;
  }
  T rest;
  int quarter;
};

template <class T>
T sinpi(T x) {
  if (x == 0 || !std::isfinite(x)) return x == 0 ? x : static_cast<T>(kNaN);
  const Turn<T> turn(x);
  const auto angle = static_cast<Wider<T>>(turn.rest) * static_cast<Wider<T>>(kPi);
  // The sign of a zero is that of x (7.5.1).
  if (turn.rest == 0 && turn.quarter % 2 == 0) return std::copysign(T{0}, x);
  const auto size = turn.quarter % 2 == 0 ? std::sin(angle) : std::cos(angle);
  return static_cast<T>(turn.quarter >= 2 ? -size : size);
}

template <class T>
T cospi(T x) {
  if (!std::isfinite(x)) return static_cast<T>(kNaN);
  const Turn<T> turn(x);
  const auto angle = static_cast<Wider<T>>(turn.rest) * static_cast<Wider<T>>(kPi);
  if (turn.rest == 0 && turn.quarter % 2 == 1) return T{0};
  const auto size = turn.quarter % 2 == 0 ? std::cos(angle) : std::sin(angle);
  return static_cast<T>(turn.quarter == 1 || turn.quarter == 2 ? -size : size);
}

template <class T>
T tanpi(T x) {
  if (x == 0 || !std::isfinite(x)) return x == 0 ? x : static_cast<T>(kNaN);
  const Turn<T> turn(x);
  const T sign = std::copysign(T{1}, x);
  if (turn.rest == 0) {
    // 7.5.1: tanpi(n) is copysign(0, n) for even n and copysign(0, -n) for odd n, tanpi(n + 0.5) is infinite, positive
    // for even n and negative for odd n.
    switch (turn.quarter) {
      case 0:
        return std::copysign(T{0}, sign);
      case 1:
        return std::numeric_limits<T>::infinity();
      case 2:
        return std::copysign(T{0}, -sign);
      default:
        return -std::numeric_limits<T>::infinity();
    }
  }
  const auto angle = static_cast<Wider<T>>(turn.rest) * static_cast<Wider<T>>(kPi);
  return static_cast<T>(turn.quarter % 2 == 0 ? std::tan(angle) : -1 / std::tan(angle));
}

template <class T>
T acospi(T x) {
  return static_cast<T>(std::acos(static_cast<Wider<T>>(x)) / static_cast<Wider<T>>(kPi));
}
template <class T>
T asinpi(T x) {
  return static_cast<T>(std::asin(static_cast<Wider<T>>(x)) / static_cast<Wider<T>>(kPi));
}
template <class T>
T atanpi(T x) {
  return static_cast<T>(std::atan(static_cast<Wider<T>>(x)) / static_cast<Wider<T>>(kPi));
}
template <class T>
T atan2pi(T y, T x) {
  return static_cast<T>(std::atan2(static_cast<Wider<T>>(y), static_cast<Wider<T>>(x)) / static_cast<Wider<T>>(kPi));
}

// glibc's errs by 4 ULP; one step of Newton's method, with the cube in twice the precision, leaves less than one.
double cbrt(double x) {
  const double y = std::cbrt(x);
  constexpr double smallest = 0x1p-900;  // below it the cube's error is lost
  if (!(std::fabs(x) >= smallest) || std::isinf(x)) return static_cast<double>(std::cbrt(static_cast<Wide>(x)));
  const double square = y * y, cube = square * y;
  const double error = std::fma(square, y, -cube) + std::fma(y, y, -square) * y;
  return y + ((x - cube) - error) / (3 * square);
}
float cbrt(float x) {
  return std::cbrt(x);
}

template <class T>
T powr(T x, T y) {
  if (x < 0 || std::isnan(x) || std::isnan(y)) return static_cast<T>(kNaN);
  if (y == 0 && (x == 0 || std::isinf(x))) return static_cast<T>(kNaN);
  if (x == 1 && std::isinf(y)) return static_cast<T>(kNaN);
  return std::pow(std::fabs(x), y);
}

double pown(double x, int n) {
  return std::pow(x, static_cast<double>(n));
}
float pown(float x, int n) {
  return static_cast<float>(std::pow(static_cast<double>(x), static_cast<double>(n)));
}

template <class T>
T rootn(T x, int n) {
  if (n == 0 || (x < 0 && n % 2 == 0)) return static_cast<T>(kNaN);
  const auto root = static_cast<T>(std::pow(static_cast<Wider<T>>(std::fabs(x)), 1 / static_cast<Wider<T>>(n)));
  return n % 2 == 0 ? root : std::copysign(root, x);
}

double exp10(double x) {
  return ::exp10(x);
}
float exp10(float x) {
  return ::exp10f(x);
}

template <class Signature>
void* address(Signature* function) {
  return reinterpret_cast<void*>(function);
}

// The sign goes to a variable that all threads share with std::lgamma.
template <class T>
T lgamma(T x) {
  int sign = 0;
  if constexpr (std::is_same_v<T, float>) return ::lgammaf_r(x, &sign);
  return ::lgamma_r(x, &sign);
}

// The code generator calls these where the processor does not convert. It passes a half in the lowest 16 bits of a
// vector register, where C++17 has a float.
template <class T>
float half_of(T x) {
  const auto size = static_cast<double>(std::fabs(x));
  std::uint32_t bits = std::signbit(x) ? 0x8000 : 0;
  if (std::isnan(x)) {
    bits |= 0x7E00;
  } else if (size >= 65520) {  // half way from the largest number to what would be the next
    bits |= 0x7C00;
  } else if (size < 0x1p-14) {
    bits |= static_cast<std::uint32_t>(std::nearbyint(size * 0x1p24));
  } else {
    int exponent = 0;
    const double digits = std::frexp(size, &exponent);
    bits += static_cast<std::uint32_t>(exponent + 14) << 10;
    bits += static_cast<std::uint32_t>(std::nearbyint(digits * 0x1p11)) - 1024;
  }
  return std::bit_cast<float>(bits);
}

float float_of_half(float half) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(half) & 0xFFFF;
  const int exponent = static_cast<int>(bits >> 10) & 0x1F;
  const auto digits = static_cast<float>(bits & 0x3FF);
  float size = 0;
  if (exponent == 0x1F) {
    size = digits == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  } else {
    size = exponent == 0 ? std::ldexp(digits, -24) : std::ldexp(digits + 1024, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -size : size;
}

#define SLUICE_UNARY(prefix, name)                                                    \
  {"__sluice_libm_" #name, address(static_cast<double (*)(double)>(&prefix name))}, { \
    "__sluice_libm_" #name "f", address(static_cast<float (*)(float)>(&prefix name))  \
  }
#define SLUICE_BINARY(prefix, name)                                                           \
  {"__sluice_libm_" #name, address(static_cast<double (*)(double, double)>(&prefix name))}, { \
    "__sluice_libm_" #name "f", address(static_cast<float (*)(float, float)>(&prefix name))   \
  }
#define SLUICE_WITH_INT(prefix, name)                                                      \
  {"__sluice_libm_" #name, address(static_cast<double (*)(double, int)>(&prefix name))}, { \
    "__sluice_libm_" #name "f", address(static_cast<float (*)(float, int)>(&prefix name))  \
  }

const NamedFunction kFunctions[] = {
    SLUICE_UNARY(std::, acos),
    SLUICE_UNARY(std::, acosh),
    SLUICE_UNARY(, acospi),
    SLUICE_UNARY(std::, asin),
    SLUICE_UNARY(std::, asinh),
    SLUICE_UNARY(, asinpi),
    SLUICE_UNARY(std::, atan),
    SLUICE_UNARY(std::, atanh),
    SLUICE_UNARY(, atanpi),
    SLUICE_UNARY(exec::, cbrt),
    SLUICE_UNARY(std::, cos),
    SLUICE_UNARY(std::, cosh),
    SLUICE_UNARY(, cospi),
    SLUICE_UNARY(std::, erf),
    SLUICE_UNARY(std::, erfc),
    SLUICE_UNARY(std::, exp),
    SLUICE_UNARY(std::, exp2),
    SLUICE_UNARY(exec::, exp10),
    SLUICE_UNARY(std::, expm1),
    SLUICE_UNARY(exec::, lgamma),
    SLUICE_UNARY(std::, log),
    SLUICE_UNARY(std::, log2),
    SLUICE_UNARY(std::, log10),
    SLUICE_UNARY(std::, log1p),
    SLUICE_UNARY(std::, sin),
    SLUICE_UNARY(std::, sinh),
    SLUICE_UNARY(, sinpi),
    SLUICE_UNARY(std::, tan),
    SLUICE_UNARY(std::, tanh),
    SLUICE_UNARY(, tanpi),
    SLUICE_UNARY(std::, tgamma),
    SLUICE_BINARY(std::, atan2),
    SLUICE_BINARY(, atan2pi),
    SLUICE_BINARY(std::, fmod),
    SLUICE_BINARY(std::, hypot),
    SLUICE_BINARY(std::, pow),
    SLUICE_BINARY(, powr),
    SLUICE_BINARY(std::, remainder),
    SLUICE_WITH_INT(std::, ldexp),
    SLUICE_WITH_INT(, pown),
    SLUICE_WITH_INT(, rootn),
    {"__truncdfhf2", address(&half_of<double>)},
    {"__truncsfhf2", address(&half_of<float>)},
    {"__extendhfsf2", address(&float_of_half)},
};
#undef SLUICE_UNARY
#undef SLUICE_BINARY
#undef SLUICE_WITH_INT

}  // namespace

std::span<const NamedFunction> math_functions() {
  return kFunctions;
}

std::uint16_t float_to_half(float number) {
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(half_of(number)));
}
float half_to_float(std::uint16_t half) {
  return float_of_half(std::bit_cast<float>(std::uint32_t{half}));
}

}  // namespace sluice::exec
