/* The logistic function and what is made of it, in plain single-precision steps without libm, so that the compiler
 * vectorises loops of it and the bits do not depend on the machine's library.
 *
 * exp is our own: x = n ln2 + r with |r| <= ln2 / 2, exp(r) by its Taylor polynomial of degree 6 (error under 2^-23
 * there), times 2^n by writing the exponent's bits. */
#ifndef INFER_KERNELS_SIGMOID_H
#define INFER_KERNELS_SIGMOID_H

#include "../common/bytes.h"

/* e to the power x, for x <= 0; below -87 that of -87. */
static inline float infer_exp_negative(float x)
{
	const float log2e = 1.44269504f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
	const float round = 12582912.0f; /* 1.5 * 2^23: adding and taking it away rounds to a whole number */
	x = x < -87.0f ? -87.0f : x;
	float n = (x * log2e + round) - round;
	float r = x - n * ln2_high;
	r = r - n * ln2_low;
	float p = 1.0f / 720;
	p = p * r + 1.0f / 120;
	p = p * r + 1.0f / 24;
	p = p * r + 1.0f / 6;
	p = p * r + 0.5f;
	p = p * r + 1.0f;
	p = p * r + 1.0f;
	return p * infer_float_of_bits((uint32_t)(((int32_t)n + 127) * (1 << 23)));
}

/* 1 / (1 + exp(-x)), with exp of a negative number only, so that nothing overflows; NaN gives 0.5. */
static inline float infer_sigmoid(float x)
{
	float e = infer_exp_negative(x < 0 ? x : x > 0 ? -x : 0.0f);
	float small = e / (1.0f + e);
	return x > 0 ? 1.0f - small : small;
}

/* out[i] = 1 / (1 + exp(-in[i])); in may be out (pointwise.c). */
void infer_sigmoid_array(const float *in, float *out, size_t count);

#endif
