#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#include "math_list.h"

// Results of function k lie at out[k * n].
#define CALL1(name, ...) out[n * k++ + i] = name(x);
kernel void unary_half(global const half* samples, global half* out) {
  const size_t i = get_global_id(0), n = get_global_size(0);
  int k = 0;
  const half x = samples[i];
  UNARY_FUNCTIONS(CALL1)
}

kernel void exact_half(global const half* xs, global const half* ys, global const half* zs, global half* out,
                       global int* integers) {
  const size_t i = get_global_id(0), n = get_global_size(0);
  const half x = xs[i], y = ys[i], z = zs[i];
  out[i] = fma(x, y, z);
  out[n + i] = x + y;
  out[2 * n + i] = x * y;
  out[3 * n + i] = x / y;
  half whole;
  out[4 * n + i] = fract(x, &whole);
  out[5 * n + i] = nextafter(x, y);
  integers[i] = isless(x, y) + 2 * isnormal(x) + 4 * signbit(x) + 8 * (convert_int_sat_rtn(x) == 3);
}

kernel void vectors_half(global const half* xs, global half* out, global short* tests) {
  const size_t i = get_global_id(0);
  const half8 x = vload8(i, xs);
  vstore8(select(max(x, (half)2.0h), shuffle(x, (ushort8)(7, 6, 5, 4, 3, 2, 1, 0)), isless(x, (half8)1.0h)), i, out);
  vstore8(isnormal(x), i, tests);
}

kernel void sum_half(global half* out, half y, int n) {
  half x = get_local_id(0);
  for (int i = 0; i < n; ++i) x += y;
  out[get_local_id(0)] = x;
}
