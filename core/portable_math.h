/* Elementary functions with the same bits on every machine: additions, multiplications and divisions in a fixed
 * order, which IEEE 754 makes exact, where libm's own choose among implementations by processor (with and without
 * FMA). For what ends up in weights: initial values and learning rates. Relative error below 1e-15 (portable_pow:
 * 1e-13), not correctly rounded; not for inner loops. */
#ifndef CORE_PORTABLE_MATH_H
#define CORE_PORTABLE_MATH_H

#include <stdint.h>

/* Natural logarithm of a normal positive number. */
double portable_log(double x);

/* e to the power x for |x| <= 700; beyond, that of the nearer end. */
double portable_exp(double x);

/* Cosine of x turns, that is of 2 pi x; |x| < 2^31. */
double portable_cos_turns(double x);

/* x to the power y for x >= 0; 0 to the power 0 is 1. */
double portable_pow(double x, double y);

/* x to a whole power, by repeated squaring. */
double portable_powi(double x, uint64_t n);

#endif
