/* The "openblas" backend: convolution as matrix products.
 *
 * A 1x1 convolution of stride 1 is a product as it stands. Any other is unrolled first (im2col; Chellapilla, Puri, Simard:
 * "High performance convolutional neural networks for document processing", 2006): row (c, ky, kx) of the column matrix holds
 * what weight (c, ky, kx) is multiplied with, one column per output pixel.
 *
 *            chunk of output rows                     columns: c*kh*kw rows, chunk_rows*out_w columns
 *     y (o x out_h*out_w)  =  weight (o x c*kh*kw)  *  [ x shifted by (0,0) ... x shifted by (kh-1,kw-1) ]
 *
 * Only a chunk of output rows is unrolled at a time, so that the columns are still in the L2 cache when sgemm reads them. The
 * chunk depends on the dimensions alone, and with it the order of every sum. */
#include "core/backend.h"

#include <string.h>

#include "core/blas.h"
#include "core/vector.h"

/* 256 KiB of columns. */
enum { CHUNK_FLOATS = 64 * 1024 };

static bool is_product(const struct conv2d_dims *d)
{
	return d->kernel_h == 1 && d->kernel_w == 1 && d->stride == 1 && d->padding == 0;
}

static int column_rows(const struct conv2d_dims *d)
{
	return d->c * d->kernel_h * d->kernel_w;
}

/* Output rows per chunk, as equal as they can be. */
static int chunk_rows(const struct conv2d_dims *d)
{
	size_t row_floats = (size_t)column_rows(d) * (size_t)d->out_w;
	size_t most = CHUNK_FLOATS / row_floats;
	if (most < 1)
		most = 1;
	if (most > (size_t)d->out_h)
		most = (size_t)d->out_h;
	int chunks = (d->out_h + (int)most - 1) / (int)most;
	return (d->out_h + chunks - 1) / chunks;
}

static size_t scratch_floats(const struct conv2d_dims *d)
{
	return is_product(d) ? 0 : (size_t)column_rows(d) * (size_t)d->out_w * (size_t)chunk_rows(d);
}

/* For one kernel tap along one axis: outputs [first, end) read inside the input at out * stride + shift. */
struct span {
	int first, end, shift;
};

static struct span tap_span(int tap, int in_size, int out_size, const struct conv2d_dims *d)
{
	struct span s = {.shift = tap * d->dilation - d->padding};
	s.first = s.shift < 0 ? (-s.shift + d->stride - 1) / d->stride : 0;
	s.end = s.shift < in_size ? (in_size - 1 - s.shift) / d->stride + 1 : 0;
	if (s.end > out_size)
		s.end = out_size;
	if (s.first > s.end)
		s.first = s.end;
	return s;
}

/* --- image -> columns ----------------------------------------------------------------------------------------------- */

/* Every second pixel; the constant stride lets the compiler use shuffles. */
VECTORISED static void gather_stride2(float *restrict to, const float *restrict from, int count)
{
	for (int i = 0; i < count; i++)
		to[i] = from[2 * i];
}

static void gather(float *to, const float *from, int count, int stride)
{
	if (stride == 1) {
		memcpy(to, from, (size_t)count * sizeof *to);
	} else if (stride == 2) {
		gather_stride2(to, from, count);
	} else {
		for (int i = 0; i < count; i++)
			to[i] = from[(size_t)i * (size_t)stride];
	}
}

/* Rows [row, row_end) of one tap lie inside the input and output is as wide as input at stride 1: then output pixel i reads
 * input pixel i + x.shift through all rows, so that one copy does, and only the pixels that fell over the left or right
 * edge are to be cleared. */
static void unroll_same_width(float *to, const float *plane, int rows, int first_row, int width, struct span x)
{
	size_t count = (size_t)rows * (size_t)width;
	const float *from = plane + (size_t)first_row * (size_t)width;
	size_t skip = (size_t)(x.shift < 0 ? -x.shift : x.shift);
	if (skip >= count) {
		memset(to, 0, count * sizeof *to);
		return;
	}
	if (x.shift <= 0)
		memcpy(to + skip, from, (count - skip) * sizeof *to);
	else
		memcpy(to, from + skip, (count - skip) * sizeof *to);
	for (int r = 0; r < rows; r++, to += width) {
		for (int i = 0; i < x.first; i++)
			to[i] = 0;
		for (int i = x.end; i < width; i++)
			to[i] = 0;
	}
}

/* One row of the column matrix: output rows [row, row_end) of one tap of one channel. */
static void unroll_tap(const struct conv2d_dims *d, const float *plane, struct span y, struct span x, int row, int row_end,
		       float *to)
{
	int width = d->out_w;
	int inside = row > y.first ? row : y.first, inside_end = row_end < y.end ? row_end : y.end;
	if (inside >= inside_end) {
		memset(to, 0, (size_t)(row_end - row) * (size_t)width * sizeof *to);
		return;
	}
	memset(to, 0, (size_t)(inside - row) * (size_t)width * sizeof *to);
	to += (size_t)(inside - row) * (size_t)width;
	if (d->stride == 1 && width == d->w) {
		unroll_same_width(to, plane, inside_end - inside, inside + y.shift, width, x);
		to += (size_t)(inside_end - inside) * (size_t)width;
	} else {
		for (int r = inside; r < inside_end; r++, to += width) {
			const float *from = plane + (size_t)(r * d->stride + y.shift) * (size_t)d->w;
			memset(to, 0, (size_t)x.first * sizeof *to);
			gather(to + x.first, from + x.first * d->stride + x.shift, x.end - x.first, d->stride);
			memset(to + x.end, 0, (size_t)(width - x.end) * sizeof *to);
		}
	}
	memset(to, 0, (size_t)(row_end - inside_end) * (size_t)width * sizeof *to);
}

static void image_to_columns(const struct conv2d_dims *d, const float *image, int row, int row_end, float *columns)
{
	size_t count = (size_t)(row_end - row) * (size_t)d->out_w;
	for (int c = 0; c < d->c; c++, image += (size_t)d->h * (size_t)d->w)
		for (int ky = 0; ky < d->kernel_h; ky++) {
			struct span y = tap_span(ky, d->h, d->out_h, d);
			for (int kx = 0; kx < d->kernel_w; kx++, columns += count)
				unroll_tap(d, image, y, tap_span(kx, d->w, d->out_w, d), row, row_end, columns);
		}
}

/* --- columns -> image: the transpose of the above, adding ----------------------------------------------------------- */

VECTORISED static void add_run(float *restrict to, const float *restrict from, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] += from[i];
}

VECTORISED static void add_run_stride2(float *restrict to, const float *restrict from, int count)
{
	for (int i = 0; i < count; i++)
		to[2 * i] += from[i];
}

static void scatter(float *to, const float *from, int count, int stride)
{
	if (stride == 1) {
		add_run(to, from, (size_t)count);
	} else if (stride == 2) {
		add_run_stride2(to, from, count);
	} else {
		for (int i = 0; i < count; i++)
			to[(size_t)i * (size_t)stride] += from[i];
	}
}

/* The counterpart of unroll_same_width: clear in the columns what fell over the edge, then one addition through all rows. */
static void roll_same_width(float *plane, float *from, int rows, int first_row, int width, struct span x)
{
	size_t count = (size_t)rows * (size_t)width;
	float *to = plane + (size_t)first_row * (size_t)width;
	size_t skip = (size_t)(x.shift < 0 ? -x.shift : x.shift);
	if (skip >= count)
		return;
	float *line = from;
	for (int r = 0; r < rows; r++, line += width) {
		for (int i = 0; i < x.first; i++)
			line[i] = 0;
		for (int i = x.end; i < width; i++)
			line[i] = 0;
	}
	if (x.shift <= 0)
		add_run(to, from + skip, count - skip);
	else
		add_run(to + skip, from, count - skip);
}

static void roll_tap(const struct conv2d_dims *d, float *plane, struct span y, struct span x, int row, int row_end, float *from)
{
	int width = d->out_w;
	int inside = row > y.first ? row : y.first, inside_end = row_end < y.end ? row_end : y.end;
	if (inside >= inside_end)
		return;
	from += (size_t)(inside - row) * (size_t)width;
	if (d->stride == 1 && width == d->w) {
		roll_same_width(plane, from, inside_end - inside, inside + y.shift, width, x);
		return;
	}
	for (int r = inside; r < inside_end; r++, from += width) {
		float *to = plane + (size_t)(r * d->stride + y.shift) * (size_t)d->w;
		scatter(to + x.first * d->stride + x.shift, from + x.first, x.end - x.first, d->stride);
	}
}

static void columns_to_image(const struct conv2d_dims *d, float *columns, int row, int row_end, float *image)
{
	size_t count = (size_t)(row_end - row) * (size_t)d->out_w;
	for (int c = 0; c < d->c; c++, image += (size_t)d->h * (size_t)d->w)
		for (int ky = 0; ky < d->kernel_h; ky++) {
			struct span y = tap_span(ky, d->h, d->out_h, d);
			for (int kx = 0; kx < d->kernel_w; kx++, columns += count)
				roll_tap(d, image, y, tap_span(kx, d->w, d->out_w, d), row, row_end, columns);
		}
}

/* --- the three kernels ---------------------------------------------------------------------------------------------- */

/* The products add to what is there, so that the bias costs nothing: it is written instead of the zeros that sgemm would. */
static void fill_bias(float *y, const float *bias, int channels, size_t plane)
{
	for (int o = 0; o < channels; o++)
		for (size_t i = 0; i < plane; i++)
			y[(size_t)o * plane + i] = bias[o];
}

static void forward(const struct conv2d_dims *d, const float *x, const float *weight, const float *bias, float *y,
		    bool add, float *scratch)
{
	int plane = d->out_h * d->out_w, k = column_rows(d), step = chunk_rows(d);
	float beta = bias || add ? 1 : 0;
	for (int n = 0; n < d->n; n++) {
		if (bias)
			fill_bias(y, bias, d->o, (size_t)plane);
		if (is_product(d)) {
			blas_sgemm(false, false, d->o, plane, k, weight, k, x, plane, beta, y, plane);
		} else {
			for (int row = 0; row < d->out_h; row += step) {
				int end = row + step < d->out_h ? row + step : d->out_h, count = (end - row) * d->out_w;
				image_to_columns(d, x, row, end, scratch);
				blas_sgemm(false, false, d->o, count, k, weight, k, scratch, count, beta,
					   y + row * d->out_w, plane);
			}
		}
		x += (size_t)d->c * (size_t)d->h * (size_t)d->w;
		y += (size_t)d->o * (size_t)plane;
	}
}

static void backward_data(const struct conv2d_dims *d, const float *y_grad, const float *weight, float *x_grad, bool add,
			  float *scratch)
{
	int plane = d->out_h * d->out_w, k = column_rows(d), step = chunk_rows(d);
	size_t x_count = (size_t)d->c * (size_t)d->h * (size_t)d->w;
	for (int n = 0; n < d->n; n++) {
		if (is_product(d)) {
			blas_sgemm(true, false, k, plane, d->o, weight, k, y_grad, plane, add ? 1 : 0, x_grad, plane);
		} else {
			if (!add)
				memset(x_grad, 0, x_count * sizeof *x_grad);
			for (int row = 0; row < d->out_h; row += step) {
				int end = row + step < d->out_h ? row + step : d->out_h, count = (end - row) * d->out_w;
				blas_sgemm(true, false, k, count, d->o, weight, k, y_grad + row * d->out_w, plane, 0,
					   scratch, count);
				columns_to_image(d, scratch, row, end, x_grad);
			}
		}
		x_grad += x_count;
		y_grad += (size_t)d->o * (size_t)plane;
	}
}

static void backward_weight(const struct conv2d_dims *d, const float *x, const float *y_grad, float *weight_grad, float *scratch)
{
	int plane = d->out_h * d->out_w, k = column_rows(d), step = chunk_rows(d);
	for (int n = 0; n < d->n; n++) {
		if (is_product(d)) {
			blas_sgemm(false, true, d->o, k, plane, y_grad, plane, x, plane, 1, weight_grad, k);
		} else {
			for (int row = 0; row < d->out_h; row += step) {
				int end = row + step < d->out_h ? row + step : d->out_h, count = (end - row) * d->out_w;
				image_to_columns(d, x, row, end, scratch);
				blas_sgemm(false, true, d->o, k, count, y_grad + row * d->out_w, plane, scratch, count, 1,
					   weight_grad, k);
			}
		}
		x += (size_t)d->c * (size_t)d->h * (size_t)d->w;
		y_grad += (size_t)d->o * (size_t)plane;
	}
}

const struct backend backend_blas = {
	.name = "openblas",
	.check = blas_check,
	.core_name = blas_core_name,
	.conv2d_scratch_floats = scratch_floats,
	.conv2d_forward = forward,
	.conv2d_backward_data = backward_data,
	.conv2d_backward_weight = backward_weight,
};
