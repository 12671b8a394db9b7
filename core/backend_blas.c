/* The "openblas" backend: convolution as matrix products.
 *
 * A 1x1 convolution of stride 1 is a product as it stands. Any other is unrolled first (im2col; Chellapilla, Puri,
 * Simard: "High performance convolutional neural networks for document processing", 2006): row (c, ky, kx) of the
 * column matrix holds what weight (c, ky, kx) is multiplied with, one column per output pixel.
 *
 *     y (o x out_h*out_w)  =  weight (o x c*kh*kw)  *  columns (c*kh*kw x out_h*out_w)
 *
 * Only a block of the columns is unrolled at a time, some output rows of some channels, so that it is still in the L2
 * cache when sgemm reads it. The blocks depend on the dimensions alone, and with them the order of every sum. */
#include "core/backend.h"

#include <string.h>

#include "core/blas.h"
#include "core/vector.h"

/* Where OpenBLAS is fast, measured with 0.3.21 on one core (GFLOP/s with its SkylakeX kernels; 150 is what a 1000^3
 * product gets). It multiplies small matrices as they lie and packs large ones first, which does not pay off when there
 * are few outputs:
 *
 *     forward, 16 outputs:   120 in products of at most 10^6 multiply-adds, 85 in larger ones
 *     weights, 16 outputs:   105 for results of at most about 1150 elements, 55 (75 transposed) for larger ones */
enum {
	SMALL_PRODUCT = 1000 * 1000, /* multiply-adds */
	SMALL_RESULT = 1152,         /* elements */
	SMALL_COLUMNS = 192,
	SMALL_WEIGHT_COLUMNS = 384,
	BLOCK_FLOATS = 64 * 1024, /* 256 KiB of columns: half of a small L2 cache */
	BLOCK_COLUMNS = 256,      /* with fewer columns a packed product is slow: rather take fewer channels */
	FEW_OUTPUTS = 64,         /* up to here small products for forward and backward to the input, */
	VERY_FEW_OUTPUTS = 24,    /* up to here small results for the weights, */
	TURN_COLUMNS = 1024,      /* from there to FEW_OUTPUTS the transposed product, if there are so many columns */
};

/* How much of the columns is taken at a time. */
struct block {
	int rows, channels;
};

static bool is_product(const struct conv2d_dims *d)
{
	return d->kernel_h == 1 && d->kernel_w == 1 && d->stride == 1 && d->padding == 0;
}

static int taps(const struct conv2d_dims *d)
{
	return d->kernel_h * d->kernel_w;
}

/* `total` cut into parts of at most `most`, as equal as they can be: the size of a part. */
static int equal_part(int total, size_t most)
{
	if (most >= (size_t)total)
		return total;
	int parts = most > 0 ? (total + (int)most - 1) / (int)most : total;
	return (total + parts - 1) / parts;
}

/* As much as the cache holds. */
static struct block large_block(const struct conv2d_dims *d)
{
	size_t width = (size_t)d->out_w, row = (size_t)taps(d) * width; /* floats of one channel and row */
	size_t rows = BLOCK_FLOATS / (row * (size_t)d->c), enough = (BLOCK_COLUMNS + width - 1) / width;
	struct block block = { d->out_h, d->c };
	if (is_product(d)) /* nothing is unrolled */
		return block;
	block.rows = equal_part(d->out_h, rows > enough ? rows : enough);
	block.channels = equal_part(d->c, BLOCK_FLOATS / (row * (size_t)block.rows));
	return block;
}

/* For forward and backward to the input. */
static struct block product_block(const struct conv2d_dims *d)
{
	if (d->o > FEW_OUTPUTS)
		return large_block(d);
	struct block block = { .rows = equal_part(d->out_h, (size_t)SMALL_COLUMNS / (size_t)d->out_w) };
	size_t columns = (size_t)block.rows * (size_t)d->out_w;
	block.channels = equal_part(d->c, SMALL_PRODUCT / ((size_t)d->o * (size_t)taps(d) * columns));
	return block;
}

static struct block weight_block(const struct conv2d_dims *d)
{
	if (d->o > VERY_FEW_OUTPUTS)
		return large_block(d);
	return (struct block){
		.rows = equal_part(d->out_h, (size_t)SMALL_WEIGHT_COLUMNS / (size_t)d->out_w),
		.channels = equal_part(d->c, SMALL_RESULT / ((size_t)d->o * (size_t)taps(d))),
	};
}

static size_t block_floats(const struct conv2d_dims *d, struct block block)
{
	return is_product(d) ? 0 : (size_t)block.channels * (size_t)taps(d) * (size_t)block.rows * (size_t)d->out_w;
}

/* The product for the weights is computed transposed: see the table above. */
static bool turns_weights(const struct conv2d_dims *d)
{
	return d->o > VERY_FEW_OUTPUTS && d->o <= FEW_OUTPUTS && d->o < d->c * taps(d) &&
	       d->out_h * d->out_w >= TURN_COLUMNS;
}

static size_t scratch_floats(const struct conv2d_dims *d)
{
	size_t product = block_floats(d, product_block(d)), weight = block_floats(d, weight_block(d));
	if (turns_weights(d))
		weight += (size_t)d->o * (size_t)d->c * (size_t)taps(d);
	return product > weight ? product : weight;
}

/* One block: output rows [row, row_end) and input channels [channel, channel_end). */
struct piece {
	int row, row_end, channel, channel_end;
	int columns; /* output pixels */
	int taps;    /* rows of the column matrix */
};

/* Moves on to the next piece, channels within rows; to the first one from a piece of zeros. False after the last. */
static bool next_piece(const struct conv2d_dims *d, struct block block, struct piece *p)
{
	if (p->channel_end == d->c || p->columns == 0) {
		p->row = p->row_end;
		p->row_end = p->row + block.rows < d->out_h ? p->row + block.rows : d->out_h;
		p->channel_end = 0;
	}
	p->channel = p->channel_end;
	p->channel_end = p->channel + block.channels < d->c ? p->channel + block.channels : d->c;
	p->columns = (p->row_end - p->row) * d->out_w;
	p->taps = (p->channel_end - p->channel) * taps(d);
	return p->row < d->out_h;
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

/* --- image -> columns --------------------------------------------------------------------------------------------- */

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

/* Rows [row, row_end) of one tap lie inside the input and output is as wide as input at stride 1: then output pixel i
 * reads input pixel i + x.shift through all rows, so that one copy does, and only the pixels that fell over the left or
 * right edge are to be cleared. */
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
static void unroll_tap(const struct conv2d_dims *d, const float *plane, struct span y, struct span x, int row,
		       int row_end, float *to)
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

static void image_to_columns(const struct conv2d_dims *d, const float *image, const struct piece *p, float *columns)
{
	image += (size_t)p->channel * (size_t)d->h * (size_t)d->w;
	for (int c = p->channel; c < p->channel_end; c++, image += (size_t)d->h * (size_t)d->w)
		for (int ky = 0; ky < d->kernel_h; ky++) {
			struct span y = tap_span(ky, d->h, d->out_h, d);
			for (int kx = 0; kx < d->kernel_w; kx++, columns += p->columns)
				unroll_tap(d, image, y, tap_span(kx, d->w, d->out_w, d), p->row, p->row_end, columns);
		}
}

/* --- columns -> image: the transpose of the above, adding --------------------------------------------------------- */

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

/* The counterpart of unroll_same_width: clear in the columns what fell over the edge, then one addition through all
 * rows. */
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

static void roll_tap(const struct conv2d_dims *d, float *plane, struct span y, struct span x, int row, int row_end,
		     float *from)
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

static void columns_to_image(const struct conv2d_dims *d, float *columns, const struct piece *p, float *image)
{
	image += (size_t)p->channel * (size_t)d->h * (size_t)d->w;
	for (int c = p->channel; c < p->channel_end; c++, image += (size_t)d->h * (size_t)d->w)
		for (int ky = 0; ky < d->kernel_h; ky++) {
			struct span y = tap_span(ky, d->h, d->out_h, d);
			for (int kx = 0; kx < d->kernel_w; kx++, columns += p->columns)
				roll_tap(d, image, y, tap_span(kx, d->w, d->out_w, d), p->row, p->row_end, columns);
		}
}

/* --- the three kernels -------------------------------------------------------------------------------------------- */

static int plane_of(const struct conv2d_dims *d)
{
	return d->out_h * d->out_w;
}

/* Floats of one sample. */
static size_t x_floats(const struct conv2d_dims *d)
{
	return (size_t)d->c * (size_t)d->h * (size_t)d->w;
}

static size_t y_floats(const struct conv2d_dims *d)
{
	return (size_t)d->o * (size_t)plane_of(d);
}

/* The products add to what is there, so that the bias costs nothing: it is written instead of the zeros that sgemm
 * would, piece by piece, so that sgemm finds it in the cache. */
static void fill_bias(const struct conv2d_dims *d, const struct piece *p, const float *bias, float *y)
{
	y += p->row * d->out_w;
	for (int o = 0; o < d->o; o++, y += plane_of(d))
		for (int i = 0; i < p->columns; i++)
			y[i] = bias[o];
}

/* The column matrix of a piece and the floats from one of its rows to the next: unrolled into scratch, or x itself. */
static const float *columns_of(const struct conv2d_dims *d, const float *x, const struct piece *p, float *scratch,
			       int *stride)
{
	if (is_product(d)) {
		*stride = plane_of(d);
		return x + (size_t)p->channel * (size_t)plane_of(d) + p->row * d->w;
	}
	image_to_columns(d, x, p, scratch);
	*stride = p->columns;
	return scratch;
}

static void forward_sample(const struct conv2d_dims *d, const float *x, const float *weight, const float *bias, float *y,
			   bool add, float *scratch)
{
	struct block block = product_block(d);
	for (struct piece p = { 0 }; next_piece(d, block, &p);) {
		int stride;
		const float *columns = columns_of(d, x, &p, scratch, &stride);
		if (bias && p.channel == 0)
			fill_bias(d, &p, bias, y);
		blas_sgemm(false, false, d->o, p.columns, p.taps, weight + p.channel * taps(d), d->c * taps(d), columns,
			   stride, bias || add || p.channel > 0 ? 1 : 0, y + p.row * d->out_w, plane_of(d));
	}
}

static void forward(const struct conv2d_dims *d, const float *x, const float *weight, const float *bias, float *y,
		    bool add, float *scratch)
{
	for (int n = 0; n < d->n; n++, x += x_floats(d), y += y_floats(d))
		forward_sample(d, x, weight, bias, y, add, scratch);
}

static void backward_data_sample(const struct conv2d_dims *d, const float *y_grad, const float *weight, float *x_grad,
				 bool add, float *scratch)
{
	int plane = plane_of(d), all_taps = d->c * taps(d);
	if (!add && !is_product(d))
		memset(x_grad, 0, x_floats(d) * sizeof *x_grad);
	struct block block = product_block(d);
	for (struct piece p = { 0 }; next_piece(d, block, &p);) {
		const float *from = y_grad + p.row * d->out_w;
		if (is_product(d)) {
			blas_sgemm(true, false, p.taps, p.columns, d->o, weight + p.channel, all_taps, from, plane,
				   add ? 1 : 0, x_grad + (size_t)p.channel * (size_t)plane + p.row * d->w, plane);
			continue;
		}
		blas_sgemm(true, false, p.taps, p.columns, d->o, weight + p.channel * taps(d), all_taps, from, plane, 0,
			   scratch, p.columns);
		columns_to_image(d, scratch, &p, x_grad);
	}
}

static void backward_data(const struct conv2d_dims *d, const float *y_grad, const float *weight, float *x_grad,
			  bool add, float *scratch)
{
	for (int n = 0; n < d->n; n++, x_grad += x_floats(d), y_grad += y_floats(d))
		backward_data_sample(d, y_grad, weight, x_grad, add, scratch);
}

/* to (rows x columns) += turned (columns x rows), transposed */
static void add_turned(float *restrict to, const float *restrict turned, int rows, int columns)
{
	for (int i = 0; i < columns; i++)
		for (int j = 0; j < rows; j++)
			to[(size_t)j * (size_t)columns + (size_t)i] += turned[(size_t)i * (size_t)rows + (size_t)j];
}

static void backward_weight_sample(const struct conv2d_dims *d, const float *x, const float *y_grad, float *weight_grad,
				   float *scratch)
{
	int plane = plane_of(d), all_taps = d->c * taps(d);
	float *turned = scratch + block_floats(d, weight_block(d));
	struct block block = weight_block(d);
	for (struct piece p = { 0 }; next_piece(d, block, &p);) {
		int stride;
		const float *columns = columns_of(d, x, &p, scratch, &stride), *from = y_grad + p.row * d->out_w;
		if (turns_weights(d))
			blas_sgemm(false, true, p.taps, d->o, p.columns, columns, stride, from, plane,
				   p.row > 0 ? 1 : 0, turned + p.channel * taps(d) * d->o, d->o);
		else
			blas_sgemm(false, true, d->o, p.taps, p.columns, from, plane, columns, stride, 1,
				   weight_grad + p.channel * taps(d), all_taps);
	}
	if (turns_weights(d))
		add_turned(weight_grad, turned, d->o, all_taps);
}

static void backward_weight(const struct conv2d_dims *d, const float *x, const float *y_grad, float *weight_grad,
			    float *scratch)
{
	for (int n = 0; n < d->n; n++, x += x_floats(d), y_grad += y_floats(d))
		backward_weight_sample(d, x, y_grad, weight_grad, scratch);
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
