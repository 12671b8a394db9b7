/* Sums of many floats, in double and in one fixed order: element i goes to lane i % 16, the lanes are added by a fixed
 * tree. The lanes are what lets a compiler use vectors without changing a bit. */
#ifndef CORE_OPS_SUM_H
#define CORE_OPS_SUM_H

#include <stddef.h>

/* Sum of x[i]. */
double sum_floats(const float *x, size_t count);

/* Sum of x[i] * y[i]. */
double sum_products(const float *x, const float *y, size_t count);

/* Sum of (x[i] - mean)^2. */
double sum_squares(const float *x, double mean, size_t count);

/* Sum of a[i] * (x[i] - mean). */
double sum_centred_products(const float *a, const float *x, double mean, size_t count);

/* Sum of x[i]. */
double sum_doubles(const double *x, size_t count);

#endif
