// OpenCL C 3.0, 6.4.3 explicit conversions from or to floating point, and 6.15.7 vload_half and vstore_half.
// libclc's saturate by way of an undefined conversion at the upper bound.
#pragma OPENCL FP_CONTRACT OFF

#define CONVERT_VECTORS(D, S, how)                                                                  \
  FUNCTION D##2 convert_##D##2##how(S##2 x) {                                                       \
    return (D##2)(convert_##D##how(x.x), convert_##D##how(x.y));                                    \
  }                                                                                                 \
  FUNCTION D##3 convert_##D##3##how(S##3 x) {                                                       \
    return (D##3)(convert_##D##how(x.x), convert_##D##how(x.y), convert_##D##how(x.z));             \
  }                                                                                                 \
  FUNCTION D##4 convert_##D##4##how(S##4 x) {                                                       \
    return (D##4)(convert_##D##2##how(x.lo), convert_##D##2##how(x.hi));                            \
  }                                                                                                 \
  FUNCTION D##8 convert_##D##8##how(S##8 x) {                                                       \
    return (D##8)(convert_##D##4##how(x.lo), convert_##D##4##how(x.hi));                            \
  }                                                                                                 \
  FUNCTION D##16 convert_##D##16##how(S##16 x) {                                                    \
    return (D##16)(convert_##D##8##how(x.lo), convert_##D##8##how(x.hi));                           \
  }

// ---- to integers: `beyond` is the least power of two that is too large, `least` the smallest value ----
#define AS_IT_IS(x) (x)
#define TO_INTEGER(D, S, W, how, ROUND, beyond, least, most)                                             \
  FUNCTION D convert_##D##how(S x) { return (D)ROUND((W)x); }                                            \
  FUNCTION D convert_##D##_sat##how(S x) {                                                               \
    const W r = ROUND((W)x);                                                                             \
    return r >= (W)(beyond) ? (D)(most) : r >= (W)(least) ? (D)r : isnan(r) ? (D)0 : (D)(least);         \
  }                                                                                                      \
  CONVERT_VECTORS(D, S, how) CONVERT_VECTORS(D, S, _sat##how)
#define TO_INTEGER_FROM(D, S, W, beyond, least, most)                                                    \
  TO_INTEGER(D, S, W, , AS_IT_IS, beyond, least, most) TO_INTEGER(D, S, W, _rtz, AS_IT_IS, beyond, least, most) \
  TO_INTEGER(D, S, W, _rte, rint, beyond, least, most) TO_INTEGER(D, S, W, _rtp, ceil, beyond, least, most) \
  TO_INTEGER(D, S, W, _rtn, floor, beyond, least, most)
#define TO_INTEGERS(D, beyond, least, most) \
  TO_INTEGER_FROM(D, half, float, beyond, least, most) \
  TO_INTEGER_FROM(D, float, float, beyond, least, most) TO_INTEGER_FROM(D, double, double, beyond, least, most)
// What truncation makes of numbers between `least` - 1 and `least` is `least` either way.
TO_INTEGERS(char, 0x1p7, CHAR_MIN, CHAR_MAX)
TO_INTEGERS(uchar, 0x1p8, 0, UCHAR_MAX)
TO_INTEGERS(short, 0x1p15, SHRT_MIN, SHRT_MAX)
TO_INTEGERS(ushort, 0x1p16, 0, USHRT_MAX)
TO_INTEGERS(int, 0x1p31, INT_MIN, INT_MAX)
TO_INTEGERS(uint, 0x1p32, 0, UINT_MAX)
TO_INTEGERS(long, 0x1p63, LONG_MIN, LONG_MAX)
TO_INTEGERS(ulong, 0x1p64, 0, ULONG_MAX)

// ---- the neighbours of a floating-point number, infinities and zeros included; not of NaN ----
#define NEIGHBOURS(T, I)                                                                    \
  FUNCTION T __sluice_smaller(T x) { return as_##T((I)(as_##I(x) - 1)); } /* in size; x != 0 */ \
  FUNCTION T __sluice_above(T x) {                                                          \
    const I bits = as_##I(x);                                                               \
    return x == 0 ? as_##T((I)1) : as_##T((I)(bits < 0 ? bits - 1 : bits + 1));             \
  }                                                                                         \
  FUNCTION T __sluice_below(T x) { return -__sluice_above((T)-x); }
NEIGHBOURS(half, short)
NEIGHBOURS(float, int)
NEIGHBOURS(double, long)

// ---- to floating point: the nearest, then what the mode says if that is on the wrong side ----
// `compare` says on which side of x the nearest r is: -1, 0, 1.
#define TO_FLOAT(D, S, nearest, compare)                                                \
  FUNCTION D convert_##D(S x) { return nearest(x); }                                    \
  FUNCTION D convert_##D##_rte(S x) { return nearest(x); }                              \
  FUNCTION D convert_##D##_rtz(S x) {                                                   \
    const D r = nearest(x);                                                             \
    const int side = compare(r, x);                                                     \
    return (side > 0 && r > 0) || (side < 0 && r < 0) ? __sluice_smaller(r) : r;        \
  }                                                                                     \
  FUNCTION D convert_##D##_rtp(S x) {                                                   \
    const D r = nearest(x);                                                             \
    return compare(r, x) < 0 ? __sluice_above(r) : r;                                   \
  }                                                                                     \
  FUNCTION D convert_##D##_rtn(S x) {                                                   \
    const D r = nearest(x);                                                             \
    return compare(r, x) > 0 ? __sluice_below(r) : r;                                   \
  }                                                                                     \
  CONVERT_VECTORS(D, S, ) CONVERT_VECTORS(D, S, _rte) CONVERT_VECTORS(D, S, _rtz)       \
  CONVERT_VECTORS(D, S, _rtp) CONVERT_VECTORS(D, S, _rtn)
#define ORDER_OF(a, b) ((a) > (b) ? 1 : (a) < (b) ? -1 : 0)
#define COMPARE_AS_DOUBLE(r, x) ORDER_OF((double)(r), (double)(x))
#define COMPARE_LONG(r, x) ((r) >= 0x1p63f ? 1 : ORDER_OF((long)(r), x))
#define COMPARE_ULONG(r, x) ((r) >= 0x1p64f ? 1 : ORDER_OF((ulong)(r), x))
#define EXACT(r, x) 0
#define TO_float(x) ((float)(x))
#define TO_double(x) ((double)(x))
// clang-format off
TO_FLOAT(float, char, TO_float, EXACT) TO_FLOAT(float, uchar, TO_float, EXACT)
TO_FLOAT(float, short, TO_float, EXACT) TO_FLOAT(float, ushort, TO_float, EXACT)
TO_FLOAT(float, int, TO_float, COMPARE_AS_DOUBLE) TO_FLOAT(float, uint, TO_float, COMPARE_AS_DOUBLE)
TO_FLOAT(float, long, TO_float, COMPARE_LONG) TO_FLOAT(float, ulong, TO_float, COMPARE_ULONG)
TO_FLOAT(float, half, TO_float, EXACT) TO_FLOAT(float, float, TO_float, EXACT)
TO_FLOAT(float, double, TO_float, COMPARE_AS_DOUBLE)
TO_FLOAT(double, char, TO_double, EXACT) TO_FLOAT(double, uchar, TO_double, EXACT)
TO_FLOAT(double, short, TO_double, EXACT) TO_FLOAT(double, ushort, TO_double, EXACT)
TO_FLOAT(double, int, TO_double, EXACT) TO_FLOAT(double, uint, TO_double, EXACT)
TO_FLOAT(double, long, TO_double, COMPARE_LONG) TO_FLOAT(double, ulong, TO_double, COMPARE_ULONG)
TO_FLOAT(double, half, TO_double, EXACT) TO_FLOAT(double, float, TO_double, EXACT)
TO_FLOAT(double, double, TO_double, EXACT)
// clang-format on

// ---- to half ----
// A float that rounds to half as x does: towards zero, and odd if that was not exact (both are wide enough).
FUNCTION float __sluice_odd(double x) {
  const float r = convert_float_rtz(x);
  return isnan(x) || (double)r == x ? r : as_float(as_int(r) | 1);
}
FUNCTION float __sluice_odd(float x) { return x; }
FUNCTION float __sluice_odd(half x) { return (float)x; }
FUNCTION float __sluice_odd(long x) { return __sluice_odd(convert_double_rtz(x)); }
FUNCTION float __sluice_odd(ulong x) { return __sluice_odd(convert_double_rtz(x)); }
FUNCTION float __sluice_odd(int x) { return __sluice_odd((double)x); }
FUNCTION float __sluice_odd(uint x) { return __sluice_odd((double)x); }
FUNCTION float __sluice_odd(short x) { return (float)x; }
FUNCTION float __sluice_odd(ushort x) { return (float)x; }
FUNCTION float __sluice_odd(char x) { return (float)x; }
FUNCTION float __sluice_odd(uchar x) { return (float)x; }
#define TO_half(x) ((half)__sluice_odd(x))
#define COMPARE_AS_ODD(r, x) ORDER_OF((float)(r), __sluice_odd(x))
// clang-format off
TO_FLOAT(half, char, TO_half, EXACT) TO_FLOAT(half, uchar, TO_half, EXACT)
TO_FLOAT(half, short, TO_half, COMPARE_AS_ODD) TO_FLOAT(half, ushort, TO_half, COMPARE_AS_ODD)
TO_FLOAT(half, int, TO_half, COMPARE_AS_ODD) TO_FLOAT(half, uint, TO_half, COMPARE_AS_ODD)
TO_FLOAT(half, long, TO_half, COMPARE_AS_ODD) TO_FLOAT(half, ulong, TO_half, COMPARE_AS_ODD)
TO_FLOAT(half, half, TO_half, EXACT) TO_FLOAT(half, float, TO_half, COMPARE_AS_ODD)
TO_FLOAT(half, double, TO_half, COMPARE_AS_ODD)
// clang-format on

// ---- half in memory: aligned to two bytes, or (vstorea) to the vector; three elements have the pitch of four ----
#define STORE_HALF_VECTOR(S, AS, how, n, pitch)                                             \
  FUNCTION void vstore_half##n##how(S##n x, size_t at, AS half* p) {                        \
    vstore##n(as_ushort##n(convert_half##n##how(x)), at, (AS ushort*)p);                    \
  }                                                                                         \
  FUNCTION void vstorea_half##n##how(S##n x, size_t at, AS half* p) {                       \
    vstore##n(as_ushort##n(convert_half##n##how(x)), 0, (AS ushort*)p + at * (pitch));      \
  }
#define STORE_HALF(S, AS, how)                                                                                  \
  FUNCTION void vstore_half##how(S x, size_t at, AS half* p) { p[at] = convert_half##how(x); }                  \
  FUNCTION void vstorea_half##how(S x, size_t at, AS half* p) { p[at] = convert_half##how(x); }                 \
  STORE_HALF_VECTOR(S, AS, how, 2, 2) STORE_HALF_VECTOR(S, AS, how, 3, 4) STORE_HALF_VECTOR(S, AS, how, 4, 4)   \
  STORE_HALF_VECTOR(S, AS, how, 8, 8) STORE_HALF_VECTOR(S, AS, how, 16, 16)
#define STORE_HALVES(S, AS)                                                             \
  STORE_HALF(S, AS, ) STORE_HALF(S, AS, _rte) STORE_HALF(S, AS, _rtz)                   \
  STORE_HALF(S, AS, _rtp) STORE_HALF(S, AS, _rtn)
// clang-format off
STORE_HALVES(float, private) STORE_HALVES(float, global) STORE_HALVES(float, local) STORE_HALVES(float, )
STORE_HALVES(double, private) STORE_HALVES(double, global) STORE_HALVES(double, local) STORE_HALVES(double, )
// clang-format on
