/* 1 / (1 + exp(-x)).
 *
 * exp is our own: x = n ln2 + r with |r| <= ln2 / 2, exp(r) by its Taylor polynomial of degree 6 (error under 2^-23
 * there), times 2^n by writing the exponent's bits. Plain single-precision steps without libm, so that the compiler
 * vectorises it and the bits do not depend on the machine's library. */
#include "kernels.h"

#include <string.h>

static inline float exp_negative(float x)
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
	int32_t bits = ((int32_t)n + 127) * (1 << 23);
	float power;
	memcpy(&power, &bits, sizeof power);
	return p * power;
}

/* With exp of a negative number only, so that nothing overflows; NaN gives 0.5. */
static inline float sigmoid(float x)
{
	float e = exp_negative(x < 0 ? x : x > 0 ? -x : 0.0f);
	float small = e / (1.0f + e);
	return x > 0 ? 1.0f - small : small;
}

void infer_sigmoid_array(const float *in, float *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = sigmoid(in[i]);
}

void infer_sigmoid_f32(const struct infer_call *call, int first, int end, void *scratch)
{
	const struct infer_map *in = &call->in[0], *out = &call->out;
	(void)scratch;
	for (int y = first; y < end; y++)
		for (int x = 0; x < out->w; x++)
			infer_sigmoid_array(infer_row(in, y) + (size_t)x * in->pitch,
					    infer_row(out, y) + (size_t)x * out->pitch, (size_t)out->c);
}
