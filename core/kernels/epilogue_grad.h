/* The way back through a convolution's epilogue (core/backend.h): y = relu?(sums + bias + addend). */
#ifndef CORE_KERNELS_EPILOGUE_GRAD_H
#define CORE_KERNELS_EPILOGUE_GRAD_H

#include <stddef.h>

/* g = y_grad where y > 0, else 0 (y_grad itself without a relu): what the sums and the addend get, and, summed over
 * pixels, the bias. Pixels come in rows, each a chain of its own, for short chains lose less to rounding than one over
 * the whole image; the rows' sums are added to bias_grad[c] one after the other, so that it does not matter whether all
 * rows come in one call. */
struct epilogue_grad {
	size_t rows;
	int width, channels;
	const float *y; /* NULL where no relu follows */
	const float *y_grad;
	ptrdiff_t pitch; /* floats from one pixel of y and of y_grad to the next */
	float *g;        /* NULL where it need not be stored; may be y_grad */
	ptrdiff_t g_pitch;
	float *bias_grad; /* NULL where it is not wanted */
};

#endif
