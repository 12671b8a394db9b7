/* See sum.h. */
#include "core/ops/sum.h"

#include "core/kernels.h"
#include "core/vector.h"

enum { LANES = 16 };

static double add_lanes(double lane[LANES])
{
	for (int half = LANES / 2; half > 0; half /= 2)
		for (int i = 0; i < half; i++)
			lane[i] += lane[i + half];
	return lane[0];
}

/* One body for all: TERM is a function of i. */
#define LANE_SUM(TERM)                                              \
	do {                                                        \
		double lane[LANES] = {0};                           \
		size_t whole = count - count % LANES;               \
		for (size_t base = 0; base < whole; base += LANES)  \
			for (size_t j = 0; j < LANES; j++) {        \
				size_t i = base + j;                \
				lane[j] += (TERM);                  \
			}                                           \
		for (size_t i = whole; i < count; i++)              \
			lane[i - whole] += (TERM);                  \
		return add_lanes(lane);                             \
	} while (0)

double sum_floats(const float *x, size_t count)
{
	return kernels()->sum_floats(x, count);
}

VECTORISED double sum_products(const float *x, const float *y, size_t count)
{
	LANE_SUM((double)x[i] * (double)y[i]);
}

VECTORISED double sum_squares(const float *x, double mean, size_t count)
{
	LANE_SUM(((double)x[i] - mean) * ((double)x[i] - mean));
}

VECTORISED double sum_centred_products(const float *a, const float *x, double mean, size_t count)
{
	LANE_SUM((double)a[i] * ((double)x[i] - mean));
}

VECTORISED double sum_doubles(const double *x, size_t count)
{
	LANE_SUM(x[i]);
}
