/* Convolutions as matrix products (core/kernels/gemm.h).
 *
 * A 1x1 convolution is a product of pixels by channels as it lies. Others without dilation multiply one output row at a
 * time: its windows overlap in a few lines of the image, which are copied once with the padding beside them (lines.h).
 * With dilation, and backward to the data, blocks of the column matrix (columns.h) are multiplied while they are in the
 * cache. */
#include <string.h>

#include "core/bytes.h"
#include "core/conv2d/algorithm.h"
#include "core/conv2d/columns.h"
#include "core/conv2d/lines.h"
#include "core/conv2d/output_grad.h"
#include "core/kernels.h"

enum {
	/* floats of the columns at a time: with a panel of weights they fill the L1 cache */
	FORWARD_COLUMNS = 8 * 1024,
	WEIGHT_PIXELS = 256, /* pixels at a time in the products for the weights */
	WEIGHT_COLUMNS = 128 * 1024,
};

static bool suits(const struct conv2d_dims *d)
{
	(void)d;
	return true;
}

/* Packed weights for forward (depth x o), then for backward to the data (o x depth). */
static size_t forward_packed_floats(const struct conv2d_dims *d)
{
	return gemm_packed_floats(kernels()->gemm_panel(), columns_depth(d), d->o);
}

static size_t prepared_floats(const struct conv2d_dims *d)
{
	return forward_packed_floats(d) + gemm_packed_floats(kernels()->gemm_panel(), d->o, columns_depth(d));
}

static void prepare(const struct conv2d_dims *d, const float *weight, float *prepared)
{
	const struct kernels *k = kernels();
	int taps = columns_taps(d), depth = columns_depth(d), panel = k->gemm_panel();
	for (int tap = 0; tap < taps; tap++) {
		struct gemm_source source = {
			.depth = d->c,
			.cols = d->o,
			.data = weight + tap,
			.row = taps,
			.col = depth,
			.scale = d->scale,
			.panel = (ptrdiff_t)depth * panel,
		};
		k->gemm_pack(&source, prepared + (ptrdiff_t)tap * d->c * panel);
	}
	prepared += forward_packed_floats(d);
	if (taps == 1) {
		struct gemm_source source = {d->o, depth, weight, depth, 1, d->scale, 0};
		k->gemm_pack(&source, prepared);
		return;
	}
	for (int j = 0; j < depth; j++) {
		float *to = prepared + (ptrdiff_t)(j / panel) * d->o * panel + j % panel;
		for (int o = 0; o < d->o; o++)
			to[o * panel] = d->scale * weight[columns_weight_offset(d, j, o)];
	}
	for (int j = depth; j % panel; j++)
		for (int o = 0; o < d->o; o++)
			prepared[(ptrdiff_t)(j / panel) * d->o * panel + o * panel + j % panel] = 0;
}

/* Output pixels at a time. */
static int forward_block(const struct conv2d_dims *d)
{
	int pixels = columns_pixels(d), block = max_int(1, FORWARD_COLUMNS / columns_depth(d));
	return columns_are_input(d) || block > pixels ? pixels : block;
}

static int weight_block(const struct conv2d_dims *d)
{
	int pixels = columns_pixels(d), block = max_int(1, WEIGHT_COLUMNS / columns_depth(d));
	block = block < WEIGHT_PIXELS ? block : WEIGHT_PIXELS;
	return block < pixels ? block : pixels;
}

/* Whether an output row's windows are taken from lines. */
static bool uses_lines(const struct conv2d_dims *d)
{
	return !columns_are_input(d) && d->dilation == 1;
}

static size_t columns_floats(const struct conv2d_dims *d, int block)
{
	return columns_are_input(d) ? 0 : (size_t)block * (size_t)columns_depth(d);
}

/* The products for the weights can be computed as columns^T * y_grad or transposed: the wider matrix gives the
 * vectors. */
static bool turns_product(const struct conv2d_dims *d)
{
	return columns_are_input(d) && d->c > d->o;
}

/* For the weights: a block of columns, a packed block. */
static size_t weight_scratch_floats(const struct conv2d_dims *d)
{
	int block = weight_block(d);
	return columns_floats(d, block) +
	       gemm_packed_floats(kernels()->gemm_panel(), block, turns_product(d) ? d->c : d->o);
}

/* For the weights from lines: the lines, a packed row of gradients. */
static size_t lines_scratch_floats(const struct conv2d_dims *d)
{
	return (size_t)(d->kernel_h * lines_width(d)) + gemm_packed_floats(kernels()->gemm_panel(), d->out_w, d->o);
}

static size_t scratch_floats(const struct conv2d_dims *d)
{
	size_t sums = (size_t)columns_depth(d) * (size_t)d->o, data = columns_floats(d, forward_block(d));
	size_t weight = uses_lines(d) ? lines_scratch_floats(d) : weight_scratch_floats(d);
	return sums + (data > weight ? data : weight);
}

/* The product for output pixels [first, first + count); `a` is the caller's. */
static struct gemm forward_gemm(const struct conv2d_dims *d, const float *prepared,
				const struct conv2d_epilogue *epilogue, float *y, ptrdiff_t first, int count)
{
	int depth = columns_depth(d);
	return (struct gemm){
		.rows = count,
		.cols = d->o,
		.depth = depth,
		.a_depth = 1,
		.b = prepared,
		.b_panel = (ptrdiff_t)depth * kernels()->gemm_panel(),
		.c = y + first * d->y_pitch,
		.c_row = d->y_pitch,
		.from = epilogue->from ? epilogue->from + first * epilogue->from_pitch : NULL,
		.from_row = epilogue->from_pitch,
		.bias = epilogue->bias,
		.relu = epilogue->relu,
	};
}

static void forward_lines(const struct conv2d_dims *d, const float *x, const float *prepared,
			  const struct conv2d_epilogue *epilogue, float *y, float *lines)
{
	for (int row = 0; row < d->n * d->out_h; row++) {
		struct gemm g = forward_gemm(d, prepared, epilogue, y, (ptrdiff_t)row * d->out_w, d->out_w);
		lines_copy(d, x, row, lines);
		g.a = lines;
		g.a_row = d->stride * d->c;
		g.segments = d->kernel_h;
		g.a_segment = lines_width(d);
		kernels()->gemm(&g);
	}
}

static void forward_columns(const struct conv2d_dims *d, const float *x, const float *prepared,
			    const struct conv2d_epilogue *epilogue, float *y, float *scratch)
{
	int block = forward_block(d), pixels = columns_pixels(d);
	for (int first = 0; first < pixels; first += block) {
		int count = min_int(block, pixels - first);
		struct gemm g = forward_gemm(d, prepared, epilogue, y, first, count);
		g.a = columns_rows(d, x, first, count, scratch);
		g.a_row = g.depth;
		kernels()->gemm(&g);
	}
}

static void forward(const struct conv2d_dims *d, const float *x, const float *prepared,
		    const struct conv2d_epilogue *epilogue, float *y, float *scratch)
{
	if (uses_lines(d))
		forward_lines(d, x, prepared, epilogue, y, scratch);
	else
		forward_columns(d, x, prepared, epilogue, y, scratch);
}

/* Of output pixels [begin, end). */
static void backward_data(const struct conv2d_dims *d, const float *y_grad, int begin, int end, const float *prepared,
			  float *x_grad, bool add, float *scratch)
{
	const struct kernels *k = kernels();
	bool direct = columns_are_input(d);
	int block = forward_block(d), depth = columns_depth(d);
	for (int first = begin; first < end; first += block) {
		int count = min_int(block, end - first);
		float *to = direct ? x_grad + (ptrdiff_t)first * d->c : scratch;
		struct gemm g = {
			.rows = count,
			.cols = depth,
			.depth = d->o,
			.a = y_grad + (ptrdiff_t)first * d->y_pitch,
			.a_row = d->y_pitch,
			.a_depth = 1,
			.b = prepared + forward_packed_floats(d),
			.b_panel = (ptrdiff_t)d->o * k->gemm_panel(),
			.c = to,
			.c_row = depth,
			.from = direct && add ? to : NULL,
			.from_row = depth,
		};
		k->gemm(&g);
		if (!direct)
			columns_scatter_add(d, scratch, first, count, x_grad);
	}
}

/* sums (depth x o, or o x c) over pixels [first, first + count), continued from the block before. */
static void weight_block_sums(const struct conv2d_dims *d, const float *x, const float *y_grad, int first, int count,
			      float *sums, float *scratch)
{
	const struct kernels *k = kernels();
	int depth = columns_depth(d);
	float *packed = scratch + columns_floats(d, weight_block(d));
	x = columns_rows(d, x, first, count, scratch);
	y_grad += (ptrdiff_t)first * d->y_pitch;
	bool turned = turns_product(d);
	struct gemm_source source = {
		.depth = count,
		.cols = turned ? depth : d->o,
		.data = turned ? x : y_grad,
		.row = turned ? depth : d->y_pitch,
		.col = 1,
		.scale = 1,
	};
	struct gemm g = {
		.rows = turned ? d->o : depth,
		.cols = source.cols,
		.depth = count,
		.a = turned ? y_grad : x,
		.a_row = 1,
		.a_depth = turned ? d->y_pitch : depth,
		.b = packed,
		.b_panel = (ptrdiff_t)count * k->gemm_panel(),
		.c = sums,
		.c_row = source.cols,
		.from = first ? sums : NULL,
		.from_row = source.cols,
	};
	if (g.cols % 16 == 0) { /* as it lies: faster than packing first */
		g.b = source.data;
		g.b_row = source.row;
		g.b_panel = k->gemm_panel();
	} else {
		k->gemm_pack(&source, packed);
	}
	k->gemm(&g);
}

/* One kernel row after the other: what a kernel row sees lies side by side in its line. */
static void weight_row_sums(const struct conv2d_dims *d, const float *x, const float *y_grad, int row, float *sums,
			    float *lines)
{
	const struct kernels *k = kernels();
	int depth = d->kernel_w * d->c;
	float *packed = lines + d->kernel_h * lines_width(d);
	lines_copy(d, x, row, lines);
	y_grad += (ptrdiff_t)row * d->out_w * d->y_pitch;
	bool whole_vectors = d->o % 16 == 0; /* then as it lies: faster than packing first */
	struct gemm_source source = {d->out_w, d->o, y_grad, d->y_pitch, 1, 1, 0};
	if (!whole_vectors)
		k->gemm_pack(&source, packed);
	for (int ky = 0; ky < d->kernel_h; ky++, sums += depth * d->o, lines += lines_width(d)) {
		struct gemm g = {
			.rows = depth,
			.cols = d->o,
			.depth = d->out_w,
			.a = lines,
			.a_row = 1,
			.a_depth = d->stride * d->c,
			.b = whole_vectors ? y_grad : packed,
			.b_row = whole_vectors ? d->y_pitch : 0,
			.b_panel = (ptrdiff_t)(whole_vectors ? 1 : d->out_w) * k->gemm_panel(),
			.c = sums,
			.c_row = d->o,
			.from = row ? sums : NULL,
			.from_row = d->o,
		};
		k->gemm(&g);
	}
}

/* Of output rows [begin, end): the sums over pixels go on through all of them as one chain. */
static void backward_weight(const struct conv2d_dims *d, const float *x, const float *y_grad, int begin, int end,
			    float *sums, float *scratch)
{
	if (uses_lines(d)) {
		for (int row = begin; row < end; row++)
			weight_row_sums(d, x, y_grad, row, sums, scratch);
		return;
	}
	int block = weight_block(d), last = end * d->out_w;
	for (int first = begin * d->out_w; first < last; first += block)
		weight_block_sums(d, x, y_grad, first, min_int(block, last - first), sums, scratch);
}

static void add_weights(const struct conv2d_dims *d, const float *sums, float *weight_grad)
{
	if (!turns_product(d)) {
		columns_add_weights(d, sums, weight_grad);
		return;
	}
	size_t count = (size_t)columns_depth(d) * (size_t)d->o;
	for (size_t i = 0; i < count; i++)
		weight_grad[i] += d->scale * sums[i];
}

/* Some rows at a time, so that their gradients are read from the cache by all three. */
static void backward(const struct conv2d_dims *d, const float *x, const struct conv2d_grad *grad, const float *prepared,
		     float *x_grad, bool add, float *weight_grad, float *scratch)
{
	int rows = d->n * d->out_h, step = max_int(1, WEIGHT_PIXELS / d->out_w), done = 0;
	float *sums = scratch, *rest = sums + (size_t)columns_depth(d) * (size_t)d->o;
	if (x_grad && !columns_are_input(d) && !add)
		memset(x_grad, 0, columns_input_floats(d) * sizeof *x_grad);
	while (done < rows) {
		int begin = done, end = min_int(begin + step, rows);
		output_grad_rows(d, grad, &done, end);
		if (weight_grad)
			backward_weight(d, x, grad->data, begin, end, sums, rest);
		if (x_grad)
			backward_data(d, grad->data, begin * d->out_w, end * d->out_w, prepared, x_grad, add, rest);
	}
	if (weight_grad)
		add_weights(d, sums, weight_grad);
}

const struct conv2d_algorithm conv2d_product = {
	.name = "product",
	.suits = suits,
	.prepared_floats = prepared_floats,
	.prepare = prepare,
	.scratch_floats = scratch_floats,
	.forward = forward,
	.backward = backward,
};
