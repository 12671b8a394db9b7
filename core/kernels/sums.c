/* Sums of many floats in double over 16 virtual lanes, element i in lane i % 16; the lanes are added as a tree. */
#include "core/kernels/kernel.h"

enum { LANES = 16 };

static double add_lanes(double lane[LANES])
{
	for (int half = LANES / 2; half > 0; half /= 2)
		for (int i = 0; i < half; i++)
			lane[i] += lane[i + half];
	return lane[0];
}

double KERNEL(sum_floats)(const float *x, size_t count)
{
	double lane[LANES] = {0};
	size_t whole = count - count % LANES;
	for (size_t base = 0; base < whole; base += LANES)
		for (size_t j = 0; j < LANES; j++)
			lane[j] += (double)x[base + j];
	for (size_t i = whole; i < count; i++)
		lane[i - whole] += (double)x[i];
	return add_lanes(lane);
}

double KERNEL(sum_of_squares)(const float *x, size_t count)
{
	double lane[LANES] = {0};
	size_t whole = count - count % LANES;
	for (size_t base = 0; base < whole; base += LANES)
		for (size_t j = 0; j < LANES; j++)
			lane[j] += (double)x[base + j] * (double)x[base + j];
	for (size_t i = whole; i < count; i++)
		lane[i - whole] += (double)x[i] * (double)x[i];
	return add_lanes(lane);
}
