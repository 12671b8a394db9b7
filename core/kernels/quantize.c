/* 8-bit values in floats: real = scale (q - zero), q in 0..255. */
#include "core/kernels/kernel.h"
#include "core/kernels/vec.h"

/* To the nearest integer, ties to even; |x| < 2^22. The sum has no bits behind the point. */
static inline float round_even(float x)
{
	const float magic = 0x1.8p23f;
	return (x + magic) - magic;
}

void KERNEL(fake_quantize)(float *x, size_t count, float scale, float zero)
{
	float inverse = 1 / scale, low = 0 - zero, high = 255 - zero;
	INDEPENDENT
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
	INDEPENDENT
	for (size_t i = 0; i < count; i++)
		y_grad[i] = y[i] <= low || y[i] >= high ? 0 : y_grad[i];
}

/* Two vectors of each, so that a step need not wait for the one before it. */
void KERNEL(value_range)(const float *x, size_t count, float *low, float *high)
{
	vec least[2] = {vec_zero(), vec_zero()}, most[2] = {vec_zero(), vec_zero()};
	float lane[2 * VEC_LANES];
	size_t whole = count - count % (2 * VEC_LANES);
	for (size_t i = 0; i < whole; i += 2 * VEC_LANES) {
		for (size_t k = 0; k < 2; k++) {
			vec v = vec_load(x + i + k * VEC_LANES);
			least[k] = vec_min(v, least[k]);
			most[k] = vec_max(v, most[k]);
		}
	}
	*low = *high = 0;
	for (size_t i = whole; i < count; i++) {
		*low = x[i] < *low ? x[i] : *low;
		*high = x[i] > *high ? x[i] : *high;
	}
	vec_store(lane, vec_min(least[0], least[1]));
	vec_store(lane + VEC_LANES, vec_max(most[0], most[1]));
	for (int j = 0; j < VEC_LANES; j++) {
		*low = lane[j] < *low ? lane[j] : *low;
		*high = lane[VEC_LANES + j] > *high ? lane[VEC_LANES + j] : *high;
	}
}
