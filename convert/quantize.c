/* Rounding weights to binary16 and to 8-bit integers. Integer arithmetic and rintf only, so that the bytes are the same
 * everywhere. */
#include "convert/quantize.h"

#include <math.h>
#include <string.h>

static uint32_t bits_of(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	return bits;
}

static float float_of(uint32_t bits)
{
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

/* value / 2^shift, rounded to nearest, ties to even. */
static uint32_t shift_even(uint32_t value, uint32_t shift)
{
	uint32_t half = 1u << (shift - 1), rest = value & ((1u << shift) - 1), kept = value >> shift;
	return kept + (rest > half || (rest == half && (kept & 1)));
}

uint16_t half_from_float(float value)
{
	uint32_t bits = bits_of(value), sign = bits >> 16 & 0x8000, exponent = bits >> 23 & 255,
		 fraction = bits & 0x7fffff;
	if (exponent == 255)
		return (uint16_t)(sign | 0x7c00 | (fraction ? 0x200 : 0));
	if (exponent >= 113) { /* normal: a carry out of the fraction rightly raises the exponent, up to infinity */
		uint32_t half = shift_even((exponent - 112) << 23 | fraction, 13);
		return (uint16_t)(sign | (half > 0x7c00 ? 0x7c00 : half));
	}
	if (exponent < 102) /* below half of the smallest subnormal */
		return (uint16_t)sign;
	return (uint16_t)(sign | shift_even(fraction | 0x800000, 126 - exponent));
}

float float_from_half(uint16_t half)
{
	uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 0x3ff;
	if (exponent == 31)
		return float_of(sign | 0x7f800000 | fraction << 13);
	if (exponent == 0)
		return copysignf((float)fraction * 0x1p-24f, float_of(sign));
	return float_of(sign | (exponent + 112) << 23 | fraction << 13);
}

float float_from_bfloat16(uint16_t bits)
{
	return float_of((uint32_t)bits << 16);
}

void quantize_int8(const float *weights, size_t outer, size_t channels, size_t inner, int largest, float *scales,
		   int8_t *values)
{
	float limit = (float)largest;
	for (size_t c = 0; c < channels; c++) {
		float most = 0;
		for (size_t o = 0; o < outer; o++)
			for (size_t i = 0; i < inner; i++)
				most = fmaxf(most, fabsf(weights[(o * channels + c) * inner + i]));
		float scale = scales[c] = most / limit;
		for (size_t o = 0; o < outer; o++)
			for (size_t i = 0; i < inner; i++) {
				size_t at = (o * channels + c) * inner + i;
				float steps = scale > 0 ? rintf(weights[at] / scale) : 0;
				values[at] = (int8_t)fminf(fmaxf(steps, -limit), limit);
			}
	}
}

struct quantize_error quantize_error(const float *exact, const float *stored, size_t count)
{
	double largest = 0, square = 0, worst = 0, lost = 0;
	for (size_t i = 0; i < count; i++) {
		double difference = fabs((double)stored[i] - (double)exact[i]);
		largest = fmax(largest, fabs((double)exact[i]));
		square += (double)exact[i] * (double)exact[i];
		worst = fmax(worst, difference);
		lost += difference * difference;
	}
	return (struct quantize_error){largest > 0 ? worst / largest : 0, square > 0 ? sqrt(lost / square) : 0};
}
