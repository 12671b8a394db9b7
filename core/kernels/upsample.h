/* Enlarging by a whole factor, one sample, channels last. core/ops/upsample.c has the formulas. */
#ifndef CORE_KERNELS_UPSAMPLE_H
#define CORE_KERNELS_UPSAMPLE_H

#include <stdbool.h>
#include <stddef.h>

enum { UPSAMPLE_MAX_FACTOR = 64 };

struct upsample {
	int h, w, channels; /* of the small side */
	int factor;
	/* Bilinear, per phase of an output pixel: the left (or upper) neighbour's offset and both weights. */
	int offset[UPSAMPLE_MAX_FACTOR];
	float left[UPSAMPLE_MAX_FACTOR], right[UPSAMPLE_MAX_FACTOR];
};

/* Floats that the bilinear kernels want for a line. */
static inline size_t upsample_line_floats(int factor, int w, int channels)
{
	size_t pixels = factor == 2 ? 2 * (size_t)w : (size_t)w;
	return (pixels + 2) * (size_t)channels;
}

#endif
