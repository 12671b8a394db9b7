/* Convolutions with one output channel, such as the last one before the logits (core/kernels/conv2d_single.h). */
#include <string.h>

#include "core/conv2d/algorithm.h"
#include "core/conv2d/columns.h"
#include "core/conv2d/lines.h"
#include "core/conv2d/output_grad.h"
#include "core/kernels.h"

static bool suits(const struct conv2d_dims *d)
{
	return d->o == 1 && d->kernel_h == 3 && d->kernel_w == 3 && d->stride == 1 && d->padding == 1 &&
	       d->dilation == 1;
}

/* The weights as (3,3,c). */
static size_t prepared_floats(const struct conv2d_dims *d)
{
	return (size_t)columns_depth(d);
}

static void prepare(const struct conv2d_dims *d, const float *weight, float *prepared)
{
	for (int k = 0; k < columns_depth(d); k++)
		prepared[k] = d->scale * weight[columns_weight_offset(d, k, 0)];
}

/* Rows row - 1, row, row + 1 of the gradient with a zero on both sides; zeros where the image ends. */
static void copy_grad_lines(const struct conv2d_dims *d, const float *y_grad, int row, float *lines)
{
	int width = d->w + 2, y = row % d->h;
	memset(lines, 0, 3 * (size_t)width * sizeof *lines);
	for (int k = y > 0 ? 0 : 1; k < 3 && y + k - 1 < d->h; k++) {
		const float *from = y_grad + (ptrdiff_t)(row + k - 1) * d->w * d->y_pitch;
		for (int x = 0; x < d->w; x++)
			lines[k * width + 1 + x] = from[(ptrdiff_t)x * d->y_pitch];
	}
}

/* Lines and a row of sums forward; lines and the sums for the weights backward. */
static size_t scratch_floats(const struct conv2d_dims *d)
{
	size_t forward = 3 * (size_t)lines_width(d) + (size_t)d->w;
	size_t backward = 3 * ((size_t)d->w + 2) + (size_t)columns_depth(d);
	return forward > backward ? forward : backward;
}

static void finish_row(const struct conv2d_dims *d, const struct conv2d_epilogue *e, int row, const float *sums,
		       float *y)
{
	ptrdiff_t first = (ptrdiff_t)row * d->w;
	for (int x = 0; x < d->w; x++) {
		float value = sums[x] + (e->bias ? e->bias[0] : 0);
		if (e->from)
			value += e->from[(first + x) * e->from_pitch];
		y[(first + x) * d->y_pitch] = e->relu && value < 0 ? 0 : value;
	}
}

static void forward(const struct conv2d_dims *d, const float *x, const float *prepared,
		    const struct conv2d_epilogue *epilogue, float *y, float *scratch)
{
	struct conv2d_single_forward f = {
		.width = d->w,
		.channels = d->c,
		.lines = scratch,
		.weight = prepared,
		.y = scratch + 3 * lines_width(d),
	};
	for (int row = 0; row < d->n * d->h; row++) {
		lines_copy(d, x, row, scratch);
		kernels()->conv2d_single_forward(&f);
		finish_row(d, epilogue, row, f.y, y);
	}
}

static void backward(const struct conv2d_dims *d, const float *x, const struct conv2d_grad *grad, const float *prepared,
		     float *x_grad, bool add, float *weight_grad, float *scratch)
{
	float *sums = scratch + 3 * (d->w + 2);
	struct conv2d_single_backward b = {
		.width = d->w,
		.channels = d->c,
		.grad_lines = scratch,
		.weight = prepared,
		.add = add,
		.weight_sums = weight_grad ? sums : NULL,
	};
	int done = 0;
	output_grad_rows(d, grad, &done, d->n * d->h);
	memset(sums, 0, (size_t)columns_depth(d) * sizeof *sums);
	for (int row = 0; row < d->n * d->h; row++) {
		ptrdiff_t at = (ptrdiff_t)row * d->w * d->c;
		copy_grad_lines(d, grad->data, row, scratch);
		b.x = weight_grad ? x + at : NULL;
		b.x_grad = x_grad ? x_grad + at : NULL;
		kernels()->conv2d_single_backward(&b);
	}
	if (weight_grad)
		columns_add_weights(d, sums, weight_grad);
}

const struct conv2d_algorithm conv2d_single = {
	.name = "single",
	.suits = suits,
	.prepared_floats = prepared_floats,
	.prepare = prepare,
	.scratch_floats = scratch_floats,
	.forward = forward,
	.backward = backward,
};
