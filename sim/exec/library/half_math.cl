// cl_khr_fp16: every function that float has. A float holds any half, and a function of float that errs by a few units
// in its last place rounds to the half nearest to what is exact, or next to it. One operation +, -, *, / or a square
// root in float, then rounded, is what half arithmetic gives, since 24 bits are twice 11 and 2.
#pragma OPENCL FP_CONTRACT OFF

#define TO_FLOATS(n, x) convert_float##n(x)
#define TO_HALVES(n, x) convert_half##n(x)
#define EACH_VECTOR(M, ...) \
  M(__VA_ARGS__, 2) M(__VA_ARGS__, 3) M(__VA_ARGS__, 4) M(__VA_ARGS__, 8) M(__VA_ARGS__, 16)
#define EACH_SIZE(M, ...) M(__VA_ARGS__, ) EACH_VECTOR(M, __VA_ARGS__)

#define HALF1(f, n) \
  FUNCTION half##n f(half##n x) { return TO_HALVES(n, f(TO_FLOATS(n, x))); }
#define HALF2(f, n) \
  FUNCTION half##n f(half##n x, half##n y) { return TO_HALVES(n, f(TO_FLOATS(n, x), TO_FLOATS(n, y))); }
#define HALF3(f, n)                                                                       \
  FUNCTION half##n f(half##n x, half##n y, half##n z) {                                   \
    return TO_HALVES(n, f(TO_FLOATS(n, x), TO_FLOATS(n, y), TO_FLOATS(n, z)));            \
  }
#define HALF_INT(f, n) \
  FUNCTION half##n f(half##n x, int##n i) { return TO_HALVES(n, f(TO_FLOATS(n, x), i)); }
// clang-format off
#define H1(f) EACH_SIZE(HALF1, f)
#define H2(f) EACH_SIZE(HALF2, f)
#define H3(f) EACH_SIZE(HALF3, f)
H1(acos) H1(acosh) H1(acospi) H1(asin) H1(asinh) H1(asinpi) H1(atan) H1(atanh) H1(atanpi) H1(cbrt) H1(ceil) H1(cos)
H1(cosh) H1(cospi) H1(erf) H1(erfc) H1(exp) H1(exp2) H1(exp10) H1(expm1) H1(fabs) H1(floor) H1(lgamma) H1(log) H1(log2)
H1(log10) H1(log1p) H1(logb) H1(rint) H1(round) H1(rsqrt) H1(sin) H1(sinh) H1(sinpi) H1(sqrt) H1(tan) H1(tanh)
H1(tanpi) H1(tgamma) H1(trunc) H1(degrees) H1(radians) H1(sign)
H2(atan2) H2(atan2pi) H2(copysign) H2(fdim) H2(fmax) H2(fmin) H2(fmod) H2(hypot) H2(maxmag) H2(minmag) H2(pow) H2(powr)
H2(remainder) H2(max) H2(min) H2(step)
H3(mad) H3(clamp) H3(mix) H3(smoothstep)
EACH_SIZE(HALF_INT, ldexp) EACH_SIZE(HALF_INT, pown) EACH_SIZE(HALF_INT, rootn)
// clang-format on

// ---- vectors with scalars ----
#define WITH_SCALARS(_, n)                                                                            \
  FUNCTION half##n fmax(half##n x, half y) { return fmax(x, (half##n)y); }                            \
  FUNCTION half##n fmin(half##n x, half y) { return fmin(x, (half##n)y); }                            \
  FUNCTION half##n max(half##n x, half y) { return max(x, (half##n)y); }                              \
  FUNCTION half##n min(half##n x, half y) { return min(x, (half##n)y); }                              \
  FUNCTION half##n ldexp(half##n x, int i) { return ldexp(x, (int##n)i); }                            \
  FUNCTION half##n step(half edge, half##n x) { return step((half##n)edge, x); }                      \
  FUNCTION half##n clamp(half##n x, half a, half b) { return clamp(x, (half##n)a, (half##n)b); }      \
  FUNCTION half##n mix(half##n x, half##n y, half a) { return mix(x, y, (half##n)a); }                \
  FUNCTION half##n smoothstep(half a, half b, half##n x) { return smoothstep((half##n)a, (half##n)b, x); }
EACH_VECTOR(WITH_SCALARS, )

// ---- what has to be exact or looks at bits ----
// The product of two halves is exact in double; the sum is made odd where it is not.
FUNCTION half fma(half x, half y, half z) {
  const double product = (double)x * (double)y;
  const double sum = product + (double)z;
  const double back = sum - product;
  const double rest = (product - (sum - back)) + ((double)z - back);
  const long bits = as_long(sum);
  const bool even = (bits & 1) == 0 && isfinite(sum) && rest != 0;
  return convert_half(even ? as_double((rest > 0) == (sum > 0) ? bits + 1 : bits - 1) : sum);
}
#define FMA_VECTORS(f, n, m)                                                              \
  FUNCTION half##n f(half##n x, half##n y, half##n z) {                                   \
    return (half##n)(f(x.lo, y.lo, z.lo), f(x.hi, y.hi, z.hi));                           \
  }
FMA_VECTORS(fma, 2, )
FUNCTION half3 fma(half3 x, half3 y, half3 z) {
  return (half3)(fma(x.x, y.x, z.x), fma(x.y, y.y, z.y), fma(x.z, y.z, z.z));
}
FMA_VECTORS(fma, 4, 2) FMA_VECTORS(fma, 8, 4) FMA_VECTORS(fma, 16, 8)
FUNCTION half nextafter(half x, half y) {
  return isnan((float)x) ? x : x == y || isnan((float)y) ? y : x < y ? __sluice_above(x) : __sluice_below(x);
}
BY_ELEMENT2(nextafter, half, half)
#define NAN_CODE(_, n) \
  FUNCTION half##n nan(ushort##n code) { return as_half##n((ushort##n)(code | (ushort##n)0x7E00)); }
EACH_SIZE(NAN_CODE, )
#define ILOGB(_, n) \
  FUNCTION int##n ilogb(half##n x) { return ilogb(TO_FLOATS(n, x)); }
EACH_SIZE(ILOGB, )

// ---- two results ----
#define HALF_SECOND(f, AS, n)                                                        \
  FUNCTION half##n f(half##n x, AS half##n* p) {                                     \
    float##n other;                                                                  \
    const half##n r = TO_HALVES(n, f(TO_FLOATS(n, x), &other));                      \
    *p = TO_HALVES(n, other);                                                        \
    return r;                                                                        \
  }
#define INT_SECOND(f, AS, n)                                                         \
  FUNCTION half##n f(half##n x, AS int##n* p) {                                      \
    int##n other;                                                                    \
    const half##n r = TO_HALVES(n, f(TO_FLOATS(n, x), &other));                      \
    *p = other;                                                                      \
    return r;                                                                        \
  }
// Less than one in half too.
#define HALF_FRACT(AS, n)                                                            \
  FUNCTION half##n fract(half##n x, AS half##n* p) {                                 \
    float##n whole;                                                                  \
    const half##n r = TO_HALVES(n, fract(TO_FLOATS(n, x), &whole));                  \
    *p = TO_HALVES(n, whole);                                                        \
    return r > (half##n)0x1.ffcp-1h ? (half##n)0x1.ffcp-1h : r;                      \
  }
#define HALF_REMQUO(AS, n)                                                           \
  FUNCTION half##n remquo(half##n x, half##n y, AS int##n* p) {                      \
    int##n quotient;                                                                 \
    const half##n r = TO_HALVES(n, remquo(TO_FLOATS(n, x), TO_FLOATS(n, y), &quotient)); \
    *p = quotient;                                                                   \
    return r;                                                                        \
  }
// clang-format off
#define TWO_HALF_RESULTS(AS)                                                                     \
  EACH_SIZE(HALF_SECOND, modf, AS) EACH_SIZE(HALF_SECOND, sincos, AS) EACH_SIZE(HALF_FRACT, AS)  \
  EACH_SIZE(INT_SECOND, frexp, AS) EACH_SIZE(INT_SECOND, lgamma_r, AS) EACH_SIZE(HALF_REMQUO, AS)
TWO_HALF_RESULTS(private) TWO_HALF_RESULTS(global) TWO_HALF_RESULTS(local)
#define NOWHERE
TWO_HALF_RESULTS(NOWHERE)

// ---- geometry ----
#define HALF_GEOMETRY(_, n)                                                                             \
  FUNCTION half dot(half##n x, half##n y) { return (half)dot(TO_FLOATS(n, x), TO_FLOATS(n, y)); }       \
  FUNCTION half distance(half##n x, half##n y) { return (half)distance(TO_FLOATS(n, x), TO_FLOATS(n, y)); } \
  FUNCTION half length(half##n x) { return (half)length(TO_FLOATS(n, x)); }                             \
  HALF1(normalize, n)
HALF_GEOMETRY(, ) HALF_GEOMETRY(, 2) HALF_GEOMETRY(, 3) HALF_GEOMETRY(, 4)
HALF2(cross, 3) HALF2(cross, 4)

// ---- relations: int for scalars, short for vectors ----
#define HALF_TEST(f)                                                                                    \
  FUNCTION int f(half x) { return f((float)x); }                                                        \
  EACH_VECTOR(HALF_TEST_VECTOR, f)
#define HALF_TEST_VECTOR(f, n) \
  FUNCTION short##n f(half##n x) { return convert_short##n(f(TO_FLOATS(n, x))); }
#define HALF_RELATION(f)                                                                                \
  FUNCTION int f(half x, half y) { return f((float)x, (float)y); }                                      \
  EACH_VECTOR(HALF_RELATION_VECTOR, f)
#define HALF_RELATION_VECTOR(f, n) \
  FUNCTION short##n f(half##n x, half##n y) { return convert_short##n(f(TO_FLOATS(n, x), TO_FLOATS(n, y))); }
HALF_TEST(isfinite) HALF_TEST(isinf) HALF_TEST(isnan) HALF_TEST(signbit)
HALF_RELATION(isequal) HALF_RELATION(isnotequal) HALF_RELATION(isgreater) HALF_RELATION(isgreaterequal)
HALF_RELATION(isless) HALF_RELATION(islessequal) HALF_RELATION(islessgreater) HALF_RELATION(isordered)
HALF_RELATION(isunordered)
FUNCTION int isnormal(half x) { return fabs((float)x) >= 0x1p-14f && isfinite((float)x); }
#define IS_NORMAL(_, n)                                                                                 \
  FUNCTION short##n isnormal(half##n x) {                                                               \
    const ushort##n exponent = as_ushort##n(x) & (ushort##n)0x7C00;                                     \
    return (exponent != (ushort##n)0) & (exponent != (ushort##n)0x7C00);                                \
  }
EACH_VECTOR(IS_NORMAL, )
#define HALF_CHOICE(_, n)                                                                               \
  FUNCTION half##n bitselect(half##n a, half##n b, half##n c) {                                         \
    return as_half##n(bitselect(as_ushort##n(a), as_ushort##n(b), as_ushort##n(c)));                    \
  }                                                                                                     \
  FUNCTION half##n select(half##n a, half##n b, short##n c) {                                           \
    return as_half##n(select(as_short##n(a), as_short##n(b), c));                                       \
  }                                                                                                     \
  FUNCTION half##n select(half##n a, half##n b, ushort##n c) {                                          \
    return as_half##n(select(as_short##n(a), as_short##n(b), c));                                       \
  }
EACH_SIZE(HALF_CHOICE, )

// ---- vectors in memory, and their elements ----
#define HALF_LOAD(AS, n)                                                                                \
  FUNCTION half##n vload##n(size_t at, const AS half* p) {                                              \
    return as_half##n(vload##n(at, (const AS ushort*)p));                                               \
  }
#define HALF_STORE(AS, n)                                                                               \
  FUNCTION void vstore##n(half##n x, size_t at, AS half* p) {                                           \
    vstore##n(as_ushort##n(x), at, (AS ushort*)p);                                                      \
  }
EACH_VECTOR(HALF_LOAD, private) EACH_VECTOR(HALF_LOAD, global) EACH_VECTOR(HALF_LOAD, local)
EACH_VECTOR(HALF_LOAD, constant) EACH_VECTOR(HALF_LOAD, NOWHERE)
EACH_VECTOR(HALF_STORE, private) EACH_VECTOR(HALF_STORE, global) EACH_VECTOR(HALF_STORE, local)
EACH_VECTOR(HALF_STORE, NOWHERE)
#define HALF_SHUFFLE(m, n)                                                                              \
  FUNCTION half##n shuffle(half##m x, ushort##n mask) {                                                 \
    return as_half##n(shuffle(as_ushort##m(x), mask));                                                  \
  }                                                                                                     \
  FUNCTION half##n shuffle2(half##m x, half##m y, ushort##n mask) {                                     \
    return as_half##n(shuffle2(as_ushort##m(x), as_ushort##m(y), mask));                                \
  }
#define HALF_SHUFFLES(m) HALF_SHUFFLE(m, 2) HALF_SHUFFLE(m, 4) HALF_SHUFFLE(m, 8) HALF_SHUFFLE(m, 16)
HALF_SHUFFLES(2) HALF_SHUFFLES(4) HALF_SHUFFLES(8) HALF_SHUFFLES(16)
// clang-format on

COLLECTIVES_OF(half, (half)-INFINITY, (half)INFINITY)
