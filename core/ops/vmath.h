/* exp and log that a compiler can vectorise and that have the same bits on every machine: only +, -, *, / and bit
 * operations, each rounded as written; libm's own differ between processors with and without FMA. In double (relative
 * error below 1e-14) and, with an f at the end, in float (2e-7), which is what losses and activations need.
 *
 * A NaN stays a NaN. */
#ifndef CORE_OPS_VMATH_H
#define CORE_OPS_VMATH_H

#include <float.h>
#include <stdint.h>
#include <string.h>

/* Adding it to a small double rounds to an integer, which is then found in the low bits of the sum. */
#define VMATH_ROUND 6755399441055744.0 /* 1.5 * 2^52 */
#define VMATH_LN2_HIGH 6.93147180369123816490e-01 /* ends in zeros: times an exponent it is exact */
#define VMATH_LN2_LOW 1.90821492927058770002e-10

static inline uint64_t vmath_bits(double x)
{
	uint64_t bits;
	memcpy(&bits, &x, sizeof bits);
	return bits;
}

static inline double vmath_double(uint64_t bits)
{
	double x;
	memcpy(&x, &bits, sizeof x);
	return x;
}

/* e^x; x is first clamped to -708..708, where the result is a normal number. x = n ln 2 + r, |r| <= ln 2 / 2, and e^r
 * is its Taylor polynomial. */
static inline double vmath_exp(double x)
{
	x = x < -708 ? -708 : x;
	x = x > 708 ? 708 : x;
	double rounded = x * 1.44269504088896340736 + VMATH_ROUND;
	double n = rounded - VMATH_ROUND;
	double r = (x - n * VMATH_LN2_HIGH) - n * VMATH_LN2_LOW;
	double p = 1.0 / 479001600;
	p = p * r + 1.0 / 39916800;
	p = p * r + 1.0 / 3628800;
	p = p * r + 1.0 / 362880;
	p = p * r + 1.0 / 40320;
	p = p * r + 1.0 / 5040;
	p = p * r + 1.0 / 720;
	p = p * r + 1.0 / 120;
	p = p * r + 1.0 / 24;
	p = p * r + 1.0 / 6;
	p = p * r + 0.5;
	p = p * r + 1;
	p = p * r + 1;
	return p * vmath_double((vmath_bits(rounded) + 1023) << 52);
}

/* ln x for finite x >= 0; x is first raised to the smallest normal number (so that log 0 is -708.4). x = 2^n m with m
 * in [sqrt 1/2, sqrt 2), and ln m = 2 artanh((m - 1) / (m + 1)) as a series. */
static inline double vmath_log(double x)
{
	x = x < DBL_MIN ? DBL_MIN : x;
	uint64_t shifted = vmath_bits(x) + 0x00095f6198000000ull; /* moves the carry into the exponent from sqrt 2 on */
	uint64_t exponent = shifted >> 52;
	double n = vmath_double(exponent | 0x4330000000000000ull) - (4503599627370496.0 + 1023);
	double m = vmath_double(vmath_bits(x) - ((exponent - 1023) << 52));
	double f = (m - 1) / (m + 1), s = f * f;
	double p = 1.0 / 19;
	p = p * s + 1.0 / 17;
	p = p * s + 1.0 / 15;
	p = p * s + 1.0 / 13;
	p = p * s + 1.0 / 11;
	p = p * s + 1.0 / 9;
	p = p * s + 1.0 / 7;
	p = p * s + 1.0 / 5;
	p = p * s + 1.0 / 3;
	return n * VMATH_LN2_HIGH + (2 * f + (2 * f * s * p + n * VMATH_LN2_LOW)) + (x - x); /* x - x: 0, or the NaN */
}

/* x^power for x >= 0; 0^0 is 1. */
static inline double vmath_pow(double x, double power)
{
	return vmath_exp(power * vmath_log(x));
}

/* 1 / (1 + e^-x) and one minus it, both without cancellation. */
struct vmath_sigmoid {
	double value, rest;
};

static inline struct vmath_sigmoid vmath_sigmoid(double x)
{
	double e = vmath_exp(x < 0 ? x : -x);
	double large = 1 / (1 + e), small = e * large;
	return (struct vmath_sigmoid){x < 0 ? small : large, x < 0 ? large : small};
}

/* --- the same in float: relative error below 2e-7, half the width and shorter polynomials ------------------------- */

static inline uint32_t vmath_bitsf(float x)
{
	uint32_t bits;
	memcpy(&bits, &x, sizeof bits);
	return bits;
}

static inline float vmath_float(uint32_t bits)
{
	float x;
	memcpy(&x, &bits, sizeof x);
	return x;
}

#define VMATH_ROUNDF 12582912.0f /* 1.5 * 2^23 */
#define VMATH_LN2_HIGHF 0.693359375f /* 355/512: times an exponent it is exact */
#define VMATH_LN2_LOWF -2.12194440e-4f

/* e^x; x is first clamped to -87..87, where the result is a normal number. */
static inline float vmath_expf(float x)
{
	x = x < -87 ? -87 : x;
	x = x > 87 ? 87 : x;
	float rounded = x * 1.44269504f + VMATH_ROUNDF;
	float n = rounded - VMATH_ROUNDF;
	float r = (x - n * VMATH_LN2_HIGHF) - n * VMATH_LN2_LOWF;
	float p = 1.0f / 5040;
	p = p * r + 1.0f / 720;
	p = p * r + 1.0f / 120;
	p = p * r + 1.0f / 24;
	p = p * r + 1.0f / 6;
	p = p * r + 0.5f;
	p = p * r * r + r + 1;
	return p * vmath_float((vmath_bitsf(rounded) + 127) << 23);
}

/* A number as 2^n (1 + f), f in [sqrt 1/2 - 1, sqrt 2 - 1). Who knows a number near 1 better as its distance from 1 sets
 * n = 0 and f himself. */
struct vmath_parts {
	float n, f;
};

/* Of a normal positive number. */
static inline struct vmath_parts vmath_partsf(float x)
{
	uint32_t shifted = vmath_bitsf(x) + (0x3f800000u - 0x3f3504f3u); /* carries from sqrt 2 on */
	int32_t n = (int32_t)(shifted >> 23) - 127;
	return (struct vmath_parts){(float)n, vmath_float(vmath_bitsf(x) - ((uint32_t)n << 23)) - 1};
}

/* ln(2^n (1 + f)) = n ln 2 + 2 artanh(f / (2 + f)). */
static inline float vmath_log_partsf(struct vmath_parts x)
{
	float s = x.f / (2 + x.f), s2 = s * s;
	float p = 1.0f / 9;
	p = p * s2 + 1.0f / 7;
	p = p * s2 + 1.0f / 5;
	p = p * s2 + 1.0f / 3;
	p = p * s2 + 1;
	return x.n * VMATH_LN2_HIGHF + (2 * s * p + x.n * VMATH_LN2_LOWF);
}

/* ln x for finite x >= 0; x is first raised to the smallest normal number (so that the log of 0 is -87.3). */
static inline float vmath_logf(float x)
{
	x = x < FLT_MIN ? FLT_MIN : x;
	return vmath_log_partsf(vmath_partsf(x)) + (x - x); /* x - x: 0, or the NaN */
}

struct vmath_sigmoidf {
	float value, rest;
	float e; /* e^-|x| */
};

static inline struct vmath_sigmoidf vmath_sigmoidf(float x)
{
	float e = vmath_expf(x < 0 ? x : -x);
	float large = 1 / (1 + e), small = e * large;
	return (struct vmath_sigmoidf){x < 0 ? small : large, x < 0 ? large : small, e};
}

#endif
