// cl_khr_fp16: conversions, and arithmetic functions by way of float.
#define HALF_FROM(n, T) \
  FUNCTION half##n convert_half##n(T##n x) { return __builtin_convertvector(x, half##n); } \
  FUNCTION T##n convert_##T##n(half##n x) { return __builtin_convertvector(x, T##n); }
#define HALF_CONVERSIONS(n) \
  HALF_FROM(n, float) HALF_FROM(n, double) HALF_FROM(n, int) HALF_FROM(n, uint) HALF_FROM(n, short) HALF_FROM(n, ushort)
HALF_CONVERSIONS(2) HALF_CONVERSIONS(3) HALF_CONVERSIONS(4) HALF_CONVERSIONS(8) HALF_CONVERSIONS(16)
#define HALF_SCALAR(T) \
  FUNCTION half convert_half(T x) { return (half)x; } \
  FUNCTION T convert_##T(half x) { return (T)x; }
HALF_SCALAR(float) HALF_SCALAR(double) HALF_SCALAR(int) HALF_SCALAR(uint) HALF_SCALAR(short) HALF_SCALAR(ushort)
