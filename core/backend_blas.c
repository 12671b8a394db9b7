/* The "openblas" backend: convolution as matrix products of the column matrix (core/conv2d/columns.h) by OpenBLAS.
 * It is the independent oracle for the native kernels, so it shares no sum with them. Its bits depend on which of
 * its kernels OpenBLAS chooses for the processor.
 *
 * Only a block of the columns is gathered at a time, so that it is still in the L2 cache when sgemm reads it. */
#include "core/backend.h"

#include <string.h>

#include "core/blas.h"
#include "core/conv2d/columns.h"
#include "core/conv2d/output_grad.h"

enum { BLOCK_FLOATS = 64 * 1024 }; /* 256 KiB of columns: half of a small L2 cache */

static size_t prepared_floats(const struct conv2d_dims *d)
{
	return (size_t)columns_depth(d) * (size_t)d->o;
}

/* depth x o, scaled. */
static void prepare(const struct conv2d_dims *d, const float *weight, float *prepared)
{
	for (int k = 0; k < columns_depth(d); k++)
		for (int o = 0; o < d->o; o++)
			*prepared++ = d->scale * weight[columns_weight_offset(d, k, o)];
}

/* Output pixels at a time. */
static int block_pixels(const struct conv2d_dims *d)
{
	int pixels = columns_pixels(d), block = BLOCK_FLOATS / columns_depth(d);
	if (columns_are_input(d) || block > pixels)
		return pixels;
	return block > 0 ? block : 1;
}

static size_t columns_floats(const struct conv2d_dims *d)
{
	return columns_are_input(d) ? 0 : (size_t)block_pixels(d) * (size_t)columns_depth(d);
}

/* A block of columns, and the sums for the weights. */
static size_t scratch_floats(const struct conv2d_dims *d)
{
	return columns_floats(d) + (size_t)columns_depth(d) * (size_t)d->o;
}

/* What sgemm adds to: rows [first, first + count) of y begin with `from` and the bias. False: with nothing. */
static bool begin(const struct conv2d_dims *d, const struct conv2d_epilogue *e, int first, int count, float *y)
{
	if (!e->from && !e->bias)
		return false;
	for (int p = first; p < first + count; p++) {
		float *to = y + (ptrdiff_t)p * d->y_pitch;
		const float *from = e->from ? e->from + (ptrdiff_t)p * e->from_pitch : NULL;
		for (int o = 0; o < d->o; o++)
			to[o] = (from ? from[o] : 0) + (e->bias ? e->bias[o] : 0);
	}
	return true;
}

static void relu(const struct conv2d_dims *d, int first, int count, float *y)
{
	for (int p = first; p < first + count; p++)
		for (int o = 0; o < d->o; o++) {
			float *value = y + (ptrdiff_t)p * d->y_pitch + o;
			*value = *value < 0 ? 0 : *value;
		}
}

static void forward(const struct conv2d_dims *d, const float *x, const float *prepared,
		    const struct conv2d_epilogue *epilogue, float *y, float *scratch)
{
	int block = block_pixels(d), pixels = columns_pixels(d), depth = columns_depth(d);
	for (int first = 0; first < pixels; first += block) {
		int count = block < pixels - first ? block : pixels - first;
		const float *columns = columns_rows(d, x, first, count, scratch);
		float beta = begin(d, epilogue, first, count, y) ? 1 : 0;
		blas_sgemm(false, false, count, d->o, depth, columns, depth, prepared, d->o, beta,
			   y + (ptrdiff_t)first * d->y_pitch, d->y_pitch);
		if (epilogue->relu)
			relu(d, first, count, y);
	}
}

static void backward_data(const struct conv2d_dims *d, const float *y_grad, const float *prepared, float *x_grad,
			  bool add, float *scratch)
{
	bool direct = columns_are_input(d);
	int block = block_pixels(d), pixels = columns_pixels(d), depth = columns_depth(d);
	if (!direct && !add)
		memset(x_grad, 0, columns_input_floats(d) * sizeof *x_grad);
	for (int first = 0; first < pixels; first += block) {
		int count = block < pixels - first ? block : pixels - first;
		blas_sgemm(false, true, count, depth, d->o, y_grad + (ptrdiff_t)first * d->y_pitch, d->y_pitch,
			   prepared, d->o, direct && add ? 1 : 0, direct ? x_grad + (ptrdiff_t)first * d->c : scratch,
			   depth);
		if (!direct)
			columns_scatter_add(d, scratch, first, count, x_grad);
	}
}

static void backward_weight(const struct conv2d_dims *d, const float *x, const float *y_grad, float *weight_grad,
			    float *scratch)
{
	int block = block_pixels(d), pixels = columns_pixels(d), depth = columns_depth(d);
	float *sums = scratch + columns_floats(d);
	for (int first = 0; first < pixels; first += block) {
		int count = block < pixels - first ? block : pixels - first;
		const float *columns = columns_rows(d, x, first, count, scratch);
		blas_sgemm(true, false, depth, d->o, count, columns, depth, y_grad + (ptrdiff_t)first * d->y_pitch,
			   d->y_pitch, first ? 1 : 0, sums, d->o);
	}
	columns_add_weights(d, sums, weight_grad);
}

static void backward(const struct conv2d_dims *d, const float *x, const struct conv2d_grad *grad, const float *prepared,
		     float *x_grad, bool add, float *weight_grad, float *scratch)
{
	int done = 0;
	output_grad_rows(d, grad, &done, d->n * d->out_h);
	if (weight_grad)
		backward_weight(d, x, grad->data, weight_grad, scratch);
	if (x_grad)
		backward_data(d, grad->data, prepared, x_grad, add, scratch);
}

const struct backend backend_blas = {
	.name = "openblas",
	.check = blas_check,
	.core_name = blas_core_name,
	.conv2d_prepared_floats = prepared_floats,
	.conv2d_prepare = prepare,
	.conv2d_scratch_floats = scratch_floats,
	.conv2d_forward = forward,
	.conv2d_backward = backward,
};
