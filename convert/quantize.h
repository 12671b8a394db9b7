/* Numbers in fewer bits: binary16 and 8-bit integers with a scale per output channel, as infer/FORMAT.md stores them,
 * and what is lost by it. */
#ifndef CONVERT_QUANTIZE_H
#define CONVERT_QUANTIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* IEEE 754 binary16, round to nearest even; beyond 65504 it becomes infinity. */
uint16_t half_from_float(float value);
float float_from_half(uint16_t half);
/* The upper half of a binary32. */
float float_from_bfloat16(uint16_t bits);

/* weights: outer x channels x inner. Per channel: scale = max|w| / largest (0 if all are 0), values = w / scale
 * rounded to nearest even, -largest..largest; largest is up to 127. scales: `channels` floats. */
void quantize_int8(const float *weights, size_t outer, size_t channels, size_t inner, int largest, float *scales,
		   int8_t *values);

enum { QUANTIZE_MAX_ENTRIES = 256 };

/* At most `entries` (2 to 256) numbers that stand for all weights, each for the nearest of them: k-means in one
 * dimension from evenly spaced starts, as Deep Compression shares weights (Han, Mao & Dally, ICLR 2016, section 3).
 * The same weights give the same table. table: `entries` floats, ascending; indices: `count` bytes. Returns how many
 * entries are used; 0: no memory. */
int quantize_codebook(const float *weights, size_t count, int entries, float *table, uint8_t *indices);

/* What a tensor lost. Relative: to the tensor's largest magnitude, and to its root mean square. */
struct quantize_error {
	double max_relative; /* max|stored - exact| / max|exact| */
	double rms_relative; /* rms(stored - exact) / rms(exact) */
};
struct quantize_error quantize_error(const float *exact, const float *stored, size_t count);

#endif
