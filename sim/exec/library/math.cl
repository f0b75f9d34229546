// OpenCL C 3.0, 6.15.2 mathematical functions. What is not exact by construction is the host's C library, element by
// element (sim/exec/math_functions.cpp), within the error that section 7.4 allows, with subnormal numbers.
#pragma OPENCL FP_CONTRACT OFF

#define BY_ELEMENT1(f, R, T)                                               \
  FUNCTION R##2 f(T##2 x) { return (R##2)(f(x.x), f(x.y)); }               \
  FUNCTION R##3 f(T##3 x) { return (R##3)(f(x.x), f(x.y), f(x.z)); }       \
  FUNCTION R##4 f(T##4 x) { return (R##4)(f(x.lo), f(x.hi)); }             \
  FUNCTION R##8 f(T##8 x) { return (R##8)(f(x.lo), f(x.hi)); }             \
  FUNCTION R##16 f(T##16 x) { return (R##16)(f(x.lo), f(x.hi)); }
#define BY_ELEMENT2(f, T, U)                                                                    \
  FUNCTION T##2 f(T##2 x, U##2 y) { return (T##2)(f(x.x, y.x), f(x.y, y.y)); }                  \
  FUNCTION T##3 f(T##3 x, U##3 y) { return (T##3)(f(x.x, y.x), f(x.y, y.y), f(x.z, y.z)); }     \
  FUNCTION T##4 f(T##4 x, U##4 y) { return (T##4)(f(x.lo, y.lo), f(x.hi, y.hi)); }              \
  FUNCTION T##8 f(T##8 x, U##8 y) { return (T##8)(f(x.lo, y.lo), f(x.hi, y.hi)); }              \
  FUNCTION T##16 f(T##16 x, U##16 y) { return (T##16)(f(x.lo, y.lo), f(x.hi, y.hi)); }
#define BY_ELEMENT2_SCALAR(f, T, U)                                                          \
  FUNCTION T##2 f(T##2 x, U y) { return (T##2)(f(x.x, y), f(x.y, y)); }                      \
  FUNCTION T##3 f(T##3 x, U y) { return (T##3)(f(x.x, y), f(x.y, y), f(x.z, y)); }           \
  FUNCTION T##4 f(T##4 x, U y) { return (T##4)(f(x.lo, y), f(x.hi, y)); }                    \
  FUNCTION T##8 f(T##8 x, U y) { return (T##8)(f(x.lo, y), f(x.hi, y)); }                    \
  FUNCTION T##16 f(T##16 x, U y) { return (T##16)(f(x.lo, y), f(x.hi, y)); }

// ---- functions of the C library ----
#define LIBM1(name) \
  float __sluice_libm_##name##f(float) __attribute__((const)); \
  double __sluice_libm_##name(double) __attribute__((const)); \
  FUNCTION float name(float x) { return __sluice_libm_##name##f(x); } \
  FUNCTION double name(double x) { return __sluice_libm_##name(x); } \
  BY_ELEMENT1(name, float, float) BY_ELEMENT1(name, double, double)
#define LIBM2(name) \
  float __sluice_libm_##name##f(float, float) __attribute__((const)); \
  double __sluice_libm_##name(double, double) __attribute__((const)); \
  FUNCTION float name(float x, float y) { return __sluice_libm_##name##f(x, y); } \
  FUNCTION double name(double x, double y) { return __sluice_libm_##name(x, y); } \
  BY_ELEMENT2(name, float, float) BY_ELEMENT2(name, double, double)
#define LIBM_INT(name) \
  float __sluice_libm_##name##f(float, int) __attribute__((const)); \
  double __sluice_libm_##name(double, int) __attribute__((const)); \
  FUNCTION float name(float x, int n) { return __sluice_libm_##name##f(x, n); } \
  FUNCTION double name(double x, int n) { return __sluice_libm_##name(x, n); } \
  BY_ELEMENT2(name, float, int) BY_ELEMENT2(name, double, int)
// clang-format off
LIBM1(acos) LIBM1(acosh) LIBM1(acospi) LIBM1(asin) LIBM1(asinh) LIBM1(asinpi) LIBM1(atan) LIBM1(atanh) LIBM1(atanpi)
LIBM1(cbrt) LIBM1(cos) LIBM1(cosh) LIBM1(cospi) LIBM1(erf) LIBM1(erfc) LIBM1(exp) LIBM1(exp2) LIBM1(exp10) LIBM1(expm1)
LIBM1(lgamma) LIBM1(log) LIBM1(log2) LIBM1(log10) LIBM1(log1p) LIBM1(sin) LIBM1(sinh) LIBM1(sinpi) LIBM1(tan)
LIBM1(tanh) LIBM1(tanpi) LIBM1(tgamma)
LIBM2(atan2) LIBM2(atan2pi) LIBM2(fmod) LIBM2(hypot) LIBM2(pow) LIBM2(powr) LIBM2(remainder)
LIBM_INT(ldexp) LIBM_INT(pown) LIBM_INT(rootn)
BY_ELEMENT2_SCALAR(ldexp, float, int) BY_ELEMENT2_SCALAR(ldexp, double, int)
// clang-format on

// ---- exact functions with two results ----
// A struct: the second result is stored by the overloads of all address spaces.
#define TWO_RESULTS(T, P) \
  typedef struct {        \
    T value;              \
    P other;              \
  } TwoOf_##T##_##P;
TWO_RESULTS(float, float) TWO_RESULTS(double, double) TWO_RESULTS(float, int) TWO_RESULTS(double, int)
#define WITH_POINTER_IN(f, T, P, AS)          \
  FUNCTION T f(T x, AS P* p) {                \
    TwoOf_##T##_##P r = __sluice_##f(x);      \
    *p = r.other;                             \
    return r.value;                           \
  }                                           \
  FUNCTION T##2 f(T##2 x, AS P##2* p) {       \
    P a, b;                                   \
    T##2 r = (T##2)(f(x.x, &a), f(x.y, &b));  \
    *p = (P##2)(a, b);                        \
    return r;                                 \
  }                                           \
  FUNCTION T##3 f(T##3 x, AS P##3* p) {       \
    P a, b, c;                                \
    T##3 r = (T##3)(f(x.x, &a), f(x.y, &b), f(x.z, &c)); \
    *p = (P##3)(a, b, c);                     \
    return r;                                 \
  }                                           \
  WITH_POINTER_HALVES(f, T, P, AS, 4, 2) WITH_POINTER_HALVES(f, T, P, AS, 8, 4) WITH_POINTER_HALVES(f, T, P, AS, 16, 8)
#define WITH_POINTER_HALVES(f, T, P, AS, n, m)  \
  FUNCTION T##n f(T##n x, AS P##n* p) {         \
    P##m a, b;                                  \
    T##n r = (T##n)(f(x.lo, &a), f(x.hi, &b));  \
    *p = (P##n)(a, b);                          \
    return r;                                   \
  }
#define WITH_POINTER(f, T, P) \
  WITH_POINTER_IN(f, T, P, private) WITH_POINTER_IN(f, T, P, global) \
  WITH_POINTER_IN(f, T, P, local) WITH_POINTER_IN(f, T, P, )

#define EXACT_PARTS(T, BELOW_ONE)                                            \
  FUNCTION TwoOf_##T##_##T __sluice_fract(T x) {                             \
    TwoOf_##T##_##T r;                                                       \
    r.other = floor(x);                                                      \
    r.value = x == r.other ? copysign((T)0, x) : fmin(x - r.other, BELOW_ONE); \
    if (isnan(x)) r.value = x;                                               \
    return r;                                                                \
  }                                                                          \
  FUNCTION TwoOf_##T##_##T __sluice_modf(T x) {                              \
    TwoOf_##T##_##T r;                                                       \
    r.other = trunc(x);                                                      \
    r.value = x == r.other ? copysign((T)0, x) : x - r.other;                \
    return r;                                                                \
  }                                                                          \
  FUNCTION TwoOf_##T##_##T __sluice_sincos(T x) {                            \
    TwoOf_##T##_##T r;                                                       \
    r.other = cos(x);                                                        \
    r.value = sin(x);                                                        \
    return r;                                                                \
  }                                                                          \
  FUNCTION TwoOf_##T##_int __sluice_lgamma_r(T x) {                          \
    TwoOf_##T##_int r;                                                       \
    const T whole = floor(x);                                                \
    const bool odd = whole != 2 * floor(whole / 2);                          \
    r.value = lgamma(x);                                                     \
    r.other = x == 0 ? (signbit(x) ? -1 : 1) : x < 0 && x == whole ? 0 : x < 0 && odd ? -1 : 1; \
    return r;                                                                \
  }
EXACT_PARTS(float, 0x1.fffffep-1f)
EXACT_PARTS(double, 0x1.fffffffffffffp-1)
#define FREXP(T, U, I, DIGITS, BIAS, SCALE)                                                                 \
  FUNCTION TwoOf_##T##_int __sluice_frexp(T x) {                                                            \
    TwoOf_##T##_int r;                                                                                      \
    const bool small = fabs(x) < (T)SCALE;                                                                  \
    const U bits = as_##U(small ? x * ((T)1 / (T)SCALE) : x);                                               \
    const int exponent = (int)(bits >> (DIGITS)) & (2 * (BIAS) + 1);                                        \
    const U rest = (U)1 << (DIGITS);                                                                        \
    const U kept = bits & ~((U)(2 * (BIAS) + 1) << (DIGITS));                                               \
    const bool plain = x == 0 || isnan(x) || isinf(x);                                                      \
    r.value = plain ? x : as_##T(kept | (rest * (U)((BIAS)-1)));                                            \
    r.other = plain ? 0 : exponent - ((BIAS)-1) - (small ? 60 : 0);                                         \
    return r;                                                                                               \
  }
FREXP(float, uint, int, 23, 127, 0x1p-60f)
FREXP(double, ulong, long, 52, 1023, 0x1p-60)
// clang-format off
WITH_POINTER(fract, float, float) WITH_POINTER(fract, double, double)
WITH_POINTER(modf, float, float) WITH_POINTER(modf, double, double)
WITH_POINTER(sincos, float, float) WITH_POINTER(sincos, double, double)
WITH_POINTER(lgamma_r, float, int) WITH_POINTER(lgamma_r, double, int)
WITH_POINTER(frexp, float, int) WITH_POINTER(frexp, double, int)
// clang-format on

// ---- remquo: the seven lowest bits of the quotient, with its sign ----
#define REMQUO_IN(T, AS)                                                                        \
  FUNCTION T remquo(T x, T y, AS int* quotient) {                                               \
    TwoOf_##T##_int r = __sluice_remquo(x, y);                                                  \
    *quotient = r.other;                                                                        \
    return r.value;                                                                             \
  }                                                                                             \
  FUNCTION T##2 remquo(T##2 x, T##2 y, AS int2* quotient) {                                     \
    int a, b;                                                                                   \
    T##2 r = (T##2)(remquo(x.x, y.x, &a), remquo(x.y, y.y, &b));                                \
    *quotient = (int2)(a, b);                                                                   \
    return r;                                                                                   \
  }                                                                                             \
  FUNCTION T##3 remquo(T##3 x, T##3 y, AS int3* quotient) {                                     \
    int a, b, c;                                                                                \
    T##3 r = (T##3)(remquo(x.x, y.x, &a), remquo(x.y, y.y, &b), remquo(x.z, y.z, &c));          \
    *quotient = (int3)(a, b, c);                                                                \
    return r;                                                                                   \
  }                                                                                             \
  REMQUO_HALVES(T, AS, 4, 2) REMQUO_HALVES(T, AS, 8, 4) REMQUO_HALVES(T, AS, 16, 8)
#define REMQUO_HALVES(T, AS, n, m)                                        \
  FUNCTION T##n remquo(T##n x, T##n y, AS int##n* quotient) {             \
    int##m a, b;                                                          \
    T##n r = (T##n)(remquo(x.lo, y.lo, &a), remquo(x.hi, y.hi, &b));      \
    *quotient = (int##n)(a, b);                                           \
    return r;                                                             \
  }
#define REMQUO(T, LARGE)                                                                                     \
  FUNCTION TwoOf_##T##_int __sluice_remquo(T x, T y) {                                                       \
    TwoOf_##T##_int r;                                                                                       \
    r.value = remainder(x, y);                                                                               \
    /* Less a multiple of 128 y, x has the same seven bits, and its distance to the remainder is k y. */ \
    const T some = fabs(y) < (LARGE) ? fmod(x, 128 * y) : x;                                                 \
    const bool none = isnan(r.value) || isinf(y);                                                            \
    const T part = remainder(some, y);                                                                       \
    const int k = none ? 0 : (int)rint(some / y - part / y);                                                   \
    r.other = k < 0 ? -(-k & 127) : k & 127;                                                                 \
    return r;                                                                                                \
  }                                                                                                          \
  REMQUO_IN(T, private) REMQUO_IN(T, global) REMQUO_IN(T, local) REMQUO_IN(T, )
REMQUO(float, 0x1p120f)
REMQUO(double, 0x1p1016)

// ---- what libclc has otherwise ----
// 6.15.4: clamp is fmin(fmax(x, least), most), and fmin and fmax pass over a NaN, where libclc's comparisons keep it.
#define CLAMP(T) \
  FUNCTION T clamp(T x, T least, T most) { return fmin(fmax(x, least), most); }
#define CLAMP_VECTOR(T, S) \
  CLAMP(T)                 \
  FUNCTION T clamp(T x, S least, S most) { return fmin(fmax(x, (T)least), (T)most); }
#define CLAMPS(S)                                                                                \
  CLAMP(S) CLAMP_VECTOR(S##2, S) CLAMP_VECTOR(S##3, S) CLAMP_VECTOR(S##4, S) CLAMP_VECTOR(S##8, S) \
  CLAMP_VECTOR(S##16, S)
CLAMPS(float)
CLAMPS(double)

// ---- what libclc lacks ----
#define NAN_OF(T, U, quiet) \
  FUNCTION T nan(U code) { return as_##T(code | (U)(quiet)); }
NAN_OF(float, uint, 0x7FC00000)
NAN_OF(double, ulong, 0x7FF8000000000000)
BY_ELEMENT1(nan, float, uint)
BY_ELEMENT1(nan, double, ulong)
#define SMOOTHSTEP(T, S)                                               \
  FUNCTION T smoothstep(S from, S to, T x) {                           \
    const T t = clamp((x - (T)from) / ((T)to - (T)from), (S)0, (S)1);  \
    return t * t * ((S)3 - (S)2 * t);                                  \
  }
SMOOTHSTEP(double2, double)
SMOOTHSTEP(double3, double) SMOOTHSTEP(double4, double) SMOOTHSTEP(double8, double) SMOOTHSTEP(double16, double)
