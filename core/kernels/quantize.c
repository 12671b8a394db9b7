/* 8-bit values in floats: real = scale (q - zero), q in 0..255. */
#include "core/kernels/kernel.h"

enum { LANES = 16 };

/* To the nearest integer, ties to even; |x| < 2^22. The sum has no bits behind the point. */
static inline float round_even(float x)
{
	const float magic = 0x1.8p23f;
	return (x + magic) - magic;
}

void KERNEL(fake_quantize)(float *x, size_t count, float scale, float zero)
{
	float inverse = 1 / scale, low = 0 - zero, high = 255 - zero;
#pragma GCC ivdep
	for (size_t i = 0; i < count; i++) {
		float v = x[i] * inverse; /* a NaN stays one: no comparison with it is true */
		v = v > high ? high : v;
		v = v < low ? low : v;
		x[i] = round_even(v) * scale;
	}
}

void KERNEL(fake_quantize_grad)(float *y_grad, const float *y, size_t count, float scale, float zero)
{
	float low = (0 - zero) * scale, high = (255 - zero) * scale;
#pragma GCC ivdep
	for (size_t i = 0; i < count; i++)
		y_grad[i] = y[i] <= low || y[i] >= high ? 0 : y_grad[i];
}

void KERNEL(value_range)(const float *x, size_t count, float *low, float *high)
{
	float least[LANES] = { 0 }, most[LANES] = { 0 };
	size_t whole = count - count % LANES;
	for (size_t base = 0; base < whole; base += LANES)
		for (size_t j = 0; j < LANES; j++) {
			float v = x[base + j];
			least[j] = v < least[j] ? v : least[j];
			most[j] = v > most[j] ? v : most[j];
		}
	*low = *high = 0;
	for (size_t i = whole; i < count; i++) {
		least[0] = x[i] < least[0] ? x[i] : least[0];
		most[0] = x[i] > most[0] ? x[i] : most[0];
	}
	for (size_t j = 0; j < LANES; j++) {
		*low = least[j] < *low ? least[j] : *low;
		*high = most[j] > *high ? most[j] : *high;
	}
}
