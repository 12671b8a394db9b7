/* exp, log and the logistic function for inner loops: only +, -, *, / and bit operations, each rounded as written,
 * so that a compiler can vectorise them and every machine gets the same bits (libm's own differ between processors
 * with and without FMA). Relative error below 2e-7. A NaN stays a NaN. For scalars in double: core/portable_math.h. */
#ifndef CORE_KERNELS_VMATH_H
#define CORE_KERNELS_VMATH_H

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t vmath_bits(float x)
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

/* Adding it to a small number rounds to an integer, which is then found in the low bits of the sum. */
#define VMATH_ROUND 12582912.0f     /* 1.5 * 2^23 */
#define VMATH_LN2_HIGH 0.693359375f /* 355/512: times an exponent it is exact */
#define VMATH_LN2_LOW -2.12194440e-4f

/* e^x for |x| <= 87, where the result is a normal number. x = n ln 2 + r, |r| <= ln 2 / 2, and e^r is its Taylor
 * polynomial. */
static inline float vmath_exp_within(float x)
{
	float rounded = x * 1.44269504f + VMATH_ROUND;
	float n = rounded - VMATH_ROUND;
	float r = (x - n * VMATH_LN2_HIGH) - n * VMATH_LN2_LOW;
	float p = 1.0f / 5040;
	p = p * r + 1.0f / 720;
	p = p * r + 1.0f / 120;
	p = p * r + 1.0f / 24;
	p = p * r + 1.0f / 6;
	p = p * r + 0.5f;
	p = p * r * r + r + 1;
	return p * vmath_float((vmath_bits(rounded) + 127) << 23);
}

/* e^x; x is first clamped to -87..87. */
static inline float vmath_exp(float x)
{
	x = x < -87 ? -87 : x;
	return vmath_exp_within(x > 87 ? 87 : x);
}

/* A number as 2^n (1 + f), f in [sqrt 1/2 - 1, sqrt 2 - 1). Who knows a number near 1 better as its distance from 1
 * sets n = 0 and f himself. */
struct vmath_parts {
	float n, f;
};

/* Of a normal positive number. */
static inline struct vmath_parts vmath_parts(float x)
{
	uint32_t shifted = vmath_bits(x) + (0x3f800000u - 0x3f3504f3u); /* carries from sqrt 2 on */
	int32_t n = (int32_t)(shifted >> 23) - 127;
	return (struct vmath_parts){(float)n, vmath_float(vmath_bits(x) - ((uint32_t)n << 23)) - 1};
}

/* ln(2^n (1 + f)) = n ln 2 + 2 artanh(f / (2 + f)), the latter as a series. */
static inline float vmath_log_parts(struct vmath_parts x)
{
	float s = x.f / (2 + x.f), s2 = s * s;
	float p = 1.0f / 9;
	p = p * s2 + 1.0f / 7;
	p = p * s2 + 1.0f / 5;
	p = p * s2 + 1.0f / 3;
	p = p * s2 + 1;
	return x.n * VMATH_LN2_HIGH + (2 * s * p + x.n * VMATH_LN2_LOW);
}

/* ln x for finite x >= 0; x is first raised to the smallest normal number (so that the log of 0 is -87.3). */
static inline float vmath_log(float x)
{
	x = x < FLT_MIN ? FLT_MIN : x;
	return vmath_log_parts(vmath_parts(x)) + (x - x); /* x - x: 0, or the NaN */
}

/* 1 / (1 + e^-x) and one minus it, both without cancellation. */
struct vmath_sigmoid {
	float value, rest;
	float e; /* e^-|x| */
};

/* |x| counts as at most `most` <= 87. */
static inline struct vmath_sigmoid vmath_sigmoid_within(float x, float most)
{
	float size = fabsf(x), e = vmath_exp_within(-(size > most ? most : size));
	float large = 1 / (1 + e), small = e * large;
	return (struct vmath_sigmoid){x < 0 ? small : large, x < 0 ? large : small, e};
}

static inline struct vmath_sigmoid vmath_sigmoid(float x)
{
	return vmath_sigmoid_within(x, 87);
}

/* tanh x: (1 - e^-2|x|) / (1 + e^-2|x|), which cancels near 0, where the Taylor series is used instead. */
static inline float vmath_tanh(float x)
{
	float size = fabsf(x), s = x * x;
	float e = vmath_exp_within(-2 * (size > 43 ? 43 : size)), large = (1 - e) / (1 + e);
	float p = -929569.0f / 638512896.0f /* 638512875, as near as a float comes */;
	p = p * s + 21844.0f / 6081075;
	p = p * s - 1382.0f / 155925;
	p = p * s + 62.0f / 2835;
	p = p * s - 17.0f / 315;
	p = p * s + 2.0f / 15;
	p = p * s - 1.0f / 3;
	float near = x + x * s * p;
	return size < 0.5f ? near : (x < 0 ? -large : large);
}

#endif
