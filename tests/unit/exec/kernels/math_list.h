// Functions of one argument, the host's reference and the errors in ULP that OpenCL C 3.0 allows for float (table 7.1)
// and double (7.2). The last word is the domain that the samples are mapped to.
// clang-format off
#define UNARY_FUNCTIONS(F)                                                                      \
  F(acos, acosl(x), 4, 4, unit)                                                                 \
  F(acosh, acoshl(x), 4, 4, above_one)                                                          \
  F(acospi, acosl(x) / kPi, 5, 5, unit)                                                         \
  F(asin, asinl(x), 4, 4, unit)                                                                 \
  F(asinh, asinhl(x), 4, 4, any)                                                                \
  F(asinpi, asinl(x) / kPi, 5, 5, unit)                                                         \
  F(atan, atanl(x), 5, 5, any)                                                                  \
  F(atanh, atanhl(x), 5, 5, unit)                                                               \
  F(atanpi, atanl(x) / kPi, 5, 5, any)                                                          \
  F(cbrt, cbrtl(x), 2, 2, any)                                                                  \
  F(ceil, ceill(x), 0, 0, any)                                                                  \
  F(cos, cosl(x), 4, 4, any)                                                                    \
  F(cosh, coshl(x), 4, 4, any)                                                                  \
  F(cospi, fabsl(x) == 0.5L ? 0 : cosl(kPi * x), 4, 4, unit)                                    \
  F(erf, erfl(x), 16, 16, any)                                                                  \
  F(erfc, erfcl(x), 16, 16, any)                                                                \
  F(exp, expl(x), 3, 3, any)                                                                    \
  F(exp2, exp2l(x), 3, 3, any)                                                                  \
  F(exp10, exp10l(x), 3, 3, any)                                                                \
  F(expm1, expm1l(x), 3, 3, any)                                                                \
  F(fabs, fabsl(x), 0, 0, any)                                                                  \
  F(floor, floorl(x), 0, 0, any)                                                                \
  F(log, logl(x), 3, 3, positive)                                                               \
  F(log10, log10l(x), 3, 3, positive)                                                           \
  F(log1p, log1pl(x), 2, 2, positive)                                                           \
  F(log2, log2l(x), 3, 3, positive)                                                             \
  F(logb, logbl(x), 0, 0, positive)                                                             \
  F(rint, rintl(x), 0, 0, any)                                                                  \
  F(round, roundl(x), 0, 0, any)                                                                \
  F(rsqrt, 1 / sqrtl(x), 2, 2, positive)                                                        \
  F(sin, sinl(x), 4, 4, any)                                                                    \
  F(sinh, sinhl(x), 4, 4, any)                                                                  \
  F(sinpi, sinl(kPi * x), 4, 4, unit)                                                           \
  F(sqrt, sqrtl(x), 3, 0.5L, positive)                                                          \
  F(tan, tanl(x), 5, 5, any)                                                                    \
  F(tanh, tanhl(x), 5, 5, any)                                                                  \
  F(tanpi, fabsl(x) == 0.5L ? copysignl(INFINITY, x) : tanl(kPi * x), 6, 6, unit)               \
  F(tgamma, tgammal(x), 16, 16, above_one)                                                      \
  F(trunc, truncl(x), 0, 0, any)

#define BINARY_FUNCTIONS(F)                                                                     \
  F(atan2, atan2l(x, y), 6, 6)                                                                  \
  F(atan2pi, atan2l(x, y) / kPi, 6, 6)                                                          \
  F(copysign, copysignl(x, y), 0, 0)                                                            \
  F(fdim, fdiml(x, y), 0, 0)                                                                    \
  F(fmax, fmaxl(x, y), 0, 0)                                                                    \
  F(fmin, fminl(x, y), 0, 0)                                                                    \
  F(fmod, fmodl(x, y), 0, 0)                                                                    \
  F(hypot, hypotl(x, y), 4, 4)                                                                  \
  F(pow, powl(x, y), 16, 16)                                                                    \
  F(powr, x < 0 ? NAN : powl(x, y), 16, 16)                                                     \
  F(remainder, remainderl(x, y), 0, 0)
// clang-format on
