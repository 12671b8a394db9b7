/* Between conv2d.c, which lays a band of input rows out in memory, and the inner loops, which are built once per
 * instruction set from conv2d_band.inc. */
#ifndef INFER_KERNELS_CONV2D_BAND_H
#define INFER_KERNELS_CONV2D_BAND_H

#include <stddef.h>

/* The inner loops read up to this many floats behind the last packed row (and drop what they make of them). */
enum { INFER_CONV2D_SLACK = 128 };

/* Some output rows of all output channels. The packed input holds, for each input channel, rows of `row_stride` floats such
 * that output (y, x) needs, for tap t, packed[y * row_stride + x + offset[t]]: padding, stride and dilation are in the
 * offsets. Where x runs over the row's end, the value made is not stored. */
struct infer_conv2d_operand {
	const float *packed;
	size_t channel_stride;
	int channels, taps;
	const int *offset;
	const float *weight; /* outputs x channels x taps */
	const float *bias;   /* or NULL */
};

struct infer_conv2d_band {
	struct infer_conv2d_operand operand[2]; /* the second one's output is added to the first one's */
	int operand_count;
	int outputs;
	int rows, width, row_stride;

	float *out;          /* first row of the first channel; rows are `width` floats apart */
	const float *addend; /* laid out as out, or NULL */
	size_t out_stride;   /* from channel to channel */
	int relu;
};

void infer_conv2d_band_generic(const struct infer_conv2d_band *band);
void infer_conv2d_band_avx2(const struct infer_conv2d_band *band);
void infer_conv2d_band_avx512(const struct infer_conv2d_band *band);

#endif
