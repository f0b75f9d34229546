#include "math_list.h"

// Results of function k lie at out[k * n].
#define CALL1(name, ...) out[n * k++ + i] = name(x);
#define UNARY(T)                                                      \
  kernel void unary_##T(global const T* samples, global T* out) {     \
    const size_t i = get_global_id(0), n = get_global_size(0);        \
    int k = 0;                                                        \
    const T x = samples[i];                                           \
    UNARY_FUNCTIONS(CALL1)                                            \
  }
UNARY(float)
UNARY(double)

#define CALL2(name, ...) out[n * k++ + i] = name(x, y);
#define BINARY(T)                                                                          \
  kernel void binary_##T(global const T* xs, global const T* ys, global T* out) {          \
    const size_t i = get_global_id(0), n = get_global_size(0);                             \
    int k = 0;                                                                             \
    const T x = xs[i], y = ys[i];                                                          \
    BINARY_FUNCTIONS(CALL2)                                                                \
  }
BINARY(float)
BINARY(double)

#define WITH_INTEGER(T)                                                                          \
  kernel void with_integer_##T(global const T* xs, global const int* ns, global T* out) {        \
    const size_t i = get_global_id(0), n = get_global_size(0);                                   \
    out[i] = ldexp(xs[i], ns[i]);                                                                \
    out[n + i] = pown(xs[i], ns[i]);                                                             \
    out[2 * n + i] = rootn(fabs(xs[i]), ns[i]);                                                  \
  }
WITH_INTEGER(float)
WITH_INTEGER(double)

// The same function in every width: elements of a vector are those of the scalar.
kernel void widths(global const float* xs, global int* equal) {
  const float16 v = vload16(get_global_id(0), xs);
  const float16 w = sin(v);
  const float8 w8 = sin(v.lo);
  const float4 w4 = sin(v.lo.lo);
  const float3 w3 = sin(v.s012);
  const float2 w2 = sin(v.s01);
  float first = sin(v.s0), last = sin(v.sf);
  equal[get_global_id(0)] = all(w.lo == w8) && all(w8.lo == w4) && all(w4.s012 == w3) && all(w3.s01 == w2) &&
                            w2.s0 == first && w.sf == last;
}

// Native functions are the code generator's; it computes a sine and a cosine of one number at once.
kernel void native_circle(global const float* xs, global float* out) {
  const size_t i = get_global_id(0), n = get_global_size(0);
  const float x = xs[i], sine = native_sin(x), cosine = native_cos(x);
  out[i] = sine;
  out[n + i] = cosine;
}

kernel void parts(global const float* xs, global float* values, global int* integers, local float* scratch,
                  local int* local_integer) {
  const size_t i = get_global_id(0), n = get_global_size(0);
  float whole;
  values[i] = fract(xs[i], &whole);
  values[n + i] = whole;
  values[2 * n + i] = modf(xs[i], scratch + get_local_id(0));
  values[3 * n + i] = scratch[get_local_id(0)];
  values[4 * n + i] = frexp(xs[i], integers + i);
  values[5 * n + i] = remquo(xs[i], 3.0f, local_integer + get_local_id(0));
  integers[n + i] = local_integer[get_local_id(0)];
  float* at = scratch + get_local_id(0);
  if (get_local_id(0) == 0) at = &whole;
  values[6 * n + i] = sincos(xs[i], at);
  values[7 * n + i] = *at;
  int sign;
  values[8 * n + i] = lgamma_r(xs[i], &sign);
  integers[2 * n + i] = sign;
  values[9 * n + i] = nan((uint)i);
}

kernel void to_integers(global const double* xs, global long* out) {
  const size_t i = get_global_id(0), n = get_global_size(0);
  const double x = xs[i];
  out[i] = convert_char_sat_rte(x);
  out[n + i] = convert_uchar_sat_rtp((float)x);
  out[2 * n + i] = convert_short_sat_rtn(x);
  out[3 * n + i] = convert_int_sat((float)x);
  out[4 * n + i] = convert_uint_sat_rtz(x);
  out[5 * n + i] = convert_long_sat((float)x);
  out[6 * n + i] = (long)convert_ulong_sat(x);
}

kernel void to_floats(global const long* xs, global float* out) {
  const size_t i = get_global_id(0), n = get_global_size(0);
  const long x = xs[i];
  out[i] = convert_float_rtz(x);
  out[n + i] = convert_float_rtp(x);
  out[2 * n + i] = convert_float_rtn(x);
  out[3 * n + i] = convert_float(x);
  out[4 * n + i] = convert_float_rtp((int)x);
  out[5 * n + i] = convert_float_rtn((uint)x);
  out[6 * n + i] = convert_float_rtz((double)x);
  out[7 * n + i] = convert_float_rtz((ulong)x);
}

kernel void to_halves(global const double* xs, global half* out) {
  const size_t i = get_global_id(0), n = get_global_size(0);
  vstore_half(xs[i], i, out);
  vstore_half_rtz(xs[i], n + i, out);
  vstore_half_rtp(xs[i], 2 * n + i, out);
  vstore_half_rtn(xs[i], 3 * n + i, out);
  vstorea_half3((double3)(xs[i], 1.0, -2.0), n + i, out);
}

kernel void float_atomics(volatile global atomic_float* f, volatile global atomic_double* d,
                          volatile global atomic_ulong* u) {
  const int i = get_global_id(0);
  atomic_fetch_add(f, 1.0f);
  atomic_fetch_min_explicit(f + 1, (float)-i, memory_order_relaxed);
  atomic_fetch_max_explicit(d, (double)i, memory_order_relaxed, memory_scope_device);
  atomic_fetch_sub(d + 1, 0.5);
  double expected = 0.0;
  if (i == 0) atomic_compare_exchange_strong(d + 2, &expected, 4.0);
  atomic_fetch_add(u, (long)-1);
}

kernel void clamps(global const float* xs, global float* out) {
  const size_t i = get_global_id(0), n = get_global_size(0);
  const float4 x = (float4)(xs[i], 0.0f, xs[i], 2.0f);
  out[i] = clamp(xs[i], -1.0f, 1.0f);
  out[n + i] = clamp(x, -1.0f, 1.0f).z;
  out[2 * n + i] = clamp(x, (float4)(-1.0f), (float4)(1.0f)).x;
  out[3 * n + i] = clamp((double)xs[i], -1.0, 1.0);
  out[4 * n + i] = clamp(convert_double2(x.xy), -1.0, 1.0).x;
}
