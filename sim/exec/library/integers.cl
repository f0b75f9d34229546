// Integer functions that libclc 15 lacks.
#define CTZ(T, bits) \
  FUNCTION T ctz(T x) { return x != 0 ? (T)__builtin_ctzl((ulong)x) : (T)(bits); }
CTZ(char, 8) CTZ(uchar, 8) CTZ(short, 16) CTZ(ushort, 16) CTZ(int, 32) CTZ(uint, 32) CTZ(long, 64) CTZ(ulong, 64)
#define BY_ELEMENT(f, T)                                                                   \
  FUNCTION T##2 f(T##2 x) { return (T##2)(f(x.x), f(x.y)); }                               \
  FUNCTION T##3 f(T##3 x) { return (T##3)(f(x.x), f(x.y), f(x.z)); }                       \
  FUNCTION T##4 f(T##4 x) { return (T##4)(f(x.lo), f(x.hi)); }                             \
  FUNCTION T##8 f(T##8 x) { return (T##8)(f(x.lo), f(x.hi)); }                             \
  FUNCTION T##16 f(T##16 x) { return (T##16)(f(x.lo), f(x.hi)); }
BY_ELEMENT(ctz, char) BY_ELEMENT(ctz, uchar) BY_ELEMENT(ctz, short) BY_ELEMENT(ctz, ushort)
BY_ELEMENT(ctz, int) BY_ELEMENT(ctz, uint) BY_ELEMENT(ctz, long) BY_ELEMENT(ctz, ulong)
#define MAD_HI(T) \
  FUNCTION T mad_hi(T a, T b, T c) { return mul_hi(a, b) + c; }
EACH_WIDTH(MAD_HI, char) EACH_WIDTH(MAD_HI, uchar) EACH_WIDTH(MAD_HI, short) EACH_WIDTH(MAD_HI, ushort)
EACH_WIDTH(MAD_HI, int) EACH_WIDTH(MAD_HI, uint) EACH_WIDTH(MAD_HI, long) EACH_WIDTH(MAD_HI, ulong)

// Defined for operands of 24 bits only, for which they are the plain product: what a device without a narrower multiplier
// makes of them, too.
#define PRODUCTS(T)                                           \
  FUNCTION T mul24(T a, T b) { return a * b; }                \
  FUNCTION T mad24(T a, T b, T c) { return a * b + c; }
EACH_WIDTH(PRODUCTS, int) EACH_WIDTH(PRODUCTS, uint)
