/* The "native" backend: our own matrix products (core/kernels/gemm.h), in which every sum is one chain in a fixed order:
 * the same bits on every processor.
 *
 * A 1x1 convolution is a product of pixels by channels as it lies. Any other multiplies blocks of its column matrix
 * (core/columns.h) that stay in the cache. */
#include <string.h>

#include "core/backend.h"
#include "core/columns.h"
#include "core/kernels.h"

enum {
	FORWARD_COLUMNS = 8 * 1024, /* floats of the columns at a time: with a panel of weights they fill the L1 cache */
	WEIGHT_PIXELS = 256,        /* pixels at a time in the products for the weights */
	WEIGHT_COLUMNS = 128 * 1024,
};

static enum status check(void)
{
	return STATUS_OK; /* kernels_select has done it */
}

static const char *core_name(void)
{
	return kernels()->isa;
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
			.depth = d->c, .cols = d->o, .data = weight + tap, .row = taps, .col = depth,
			.scale = d->scale, .panel = (ptrdiff_t)depth * panel,
		};
		k->gemm_pack(&source, prepared + (ptrdiff_t)tap * d->c * panel);
	}
	prepared += forward_packed_floats(d);
	if (taps == 1) {
		struct gemm_source source = { d->o, depth, weight, depth, 1, d->scale, 0 };
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

static int at_least_one(int value)
{
	return value > 0 ? value : 1;
}

/* Output pixels at a time. */
static int forward_block(const struct conv2d_dims *d)
{
	int pixels = columns_pixels(d), block = at_least_one(FORWARD_COLUMNS / columns_depth(d));
	return columns_are_input(d) || block > pixels ? pixels : block;
}

static int weight_block(const struct conv2d_dims *d)
{
	int pixels = columns_pixels(d), block = at_least_one(WEIGHT_COLUMNS / columns_depth(d));
	block = block < WEIGHT_PIXELS ? block : WEIGHT_PIXELS;
	return block < pixels ? block : pixels;
}

static size_t columns_floats(const struct conv2d_dims *d, int block)
{
	return columns_are_input(d) ? 0 : (size_t)block * (size_t)columns_depth(d);
}

/* For the weights: their sums, a block of columns, a block of packed gradients. */
static size_t weight_scratch_floats(const struct conv2d_dims *d)
{
	int block = weight_block(d);
	return (size_t)columns_depth(d) * (size_t)d->o + columns_floats(d, block) +
	       gemm_packed_floats(kernels()->gemm_panel(), block, d->o);
}

static size_t scratch_floats(const struct conv2d_dims *d)
{
	size_t product = columns_floats(d, forward_block(d)), weight = weight_scratch_floats(d);
	return product > weight ? product : weight;
}

/* Rows [first, first + count) of the column matrix. */
static const float *columns_of(const struct conv2d_dims *d, const float *x, int first, int count, float *scratch)
{
	if (columns_are_input(d))
		return x + (size_t)first * (size_t)d->c;
	columns_gather(d, x, first, count, scratch);
	return scratch;
}

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

static void forward(const struct conv2d_dims *d, const float *x, const float *prepared,
		    const struct conv2d_epilogue *epilogue, float *y, float *scratch)
{
	const struct kernels *k = kernels();
	int block = forward_block(d), pixels = columns_pixels(d), depth = columns_depth(d);
	for (int first = 0; first < pixels; first += block) {
		int count = smaller(block, pixels - first);
		struct gemm g = {
			.rows = count, .cols = d->o, .depth = depth,
			.a = columns_of(d, x, first, count, scratch), .a_row = depth, .a_depth = 1,
			.b = prepared, .b_panel = (ptrdiff_t)depth * k->gemm_panel(),
			.c = y + (ptrdiff_t)first * d->y_pitch, .c_row = d->y_pitch,
			.from = epilogue->from ? epilogue->from + (ptrdiff_t)first * epilogue->from_pitch : NULL,
			.from_row = epilogue->from_pitch,
			.bias = epilogue->bias, .relu = epilogue->relu,
		};
		k->gemm(&g);
	}
}

static void backward_data(const struct conv2d_dims *d, const float *y_grad, const float *prepared, float *x_grad,
			  bool add, float *scratch)
{
	const struct kernels *k = kernels();
	bool direct = columns_are_input(d);
	int block = forward_block(d), pixels = columns_pixels(d), depth = columns_depth(d);
	if (!direct && !add)
		memset(x_grad, 0, columns_input_floats(d) * sizeof *x_grad);
	for (int first = 0; first < pixels; first += block) {
		int count = smaller(block, pixels - first);
		float *to = direct ? x_grad + (ptrdiff_t)first * d->c : scratch;
		struct gemm g = {
			.rows = count, .cols = depth, .depth = d->o,
			.a = y_grad + (ptrdiff_t)first * d->y_pitch, .a_row = d->y_pitch, .a_depth = 1,
			.b = prepared + forward_packed_floats(d), .b_panel = (ptrdiff_t)d->o * k->gemm_panel(),
			.c = to, .c_row = depth, .from = direct && add ? to : NULL, .from_row = depth,
		};
		k->gemm(&g);
		if (!direct)
			columns_scatter_add(d, scratch, first, count, x_grad);
	}
}

/* The sums over pixels go on through all blocks as one chain. */
static void backward_weight(const struct conv2d_dims *d, const float *x, const float *y_grad, float *weight_grad,
			    float *scratch)
{
	const struct kernels *k = kernels();
	int block = weight_block(d), pixels = columns_pixels(d), depth = columns_depth(d);
	float *sums = scratch, *columns = sums + (size_t)depth * (size_t)d->o;
	float *packed = columns + columns_floats(d, block);
	for (int first = 0; first < pixels; first += block) {
		int count = smaller(block, pixels - first);
		struct gemm_source source = { count, d->o, y_grad + (ptrdiff_t)first * d->y_pitch, d->y_pitch, 1, 1, 0 };
		k->gemm_pack(&source, packed);
		struct gemm g = {
			.rows = depth, .cols = d->o, .depth = count,
			.a = columns_of(d, x, first, count, columns), .a_row = 1, .a_depth = depth,
			.b = packed, .b_panel = (ptrdiff_t)count * k->gemm_panel(),
			.c = sums, .c_row = d->o, .from = first ? sums : NULL, .from_row = d->o,
		};
		k->gemm(&g);
	}
	columns_add_weights(d, sums, weight_grad);
}

static void backward(const struct conv2d_dims *d, const float *x, const float *y_grad, const float *prepared,
		     float *x_grad, bool add, float *weight_grad, float *scratch)
{
	if (weight_grad)
		backward_weight(d, x, y_grad, weight_grad, scratch);
	if (x_grad)
		backward_data(d, y_grad, prepared, x_grad, add, scratch);
}

const struct backend backend_native = {
	.name = "native",
	.check = check,
	.core_name = core_name,
	.conv2d_prepared_floats = prepared_floats,
	.conv2d_prepare = prepare,
	.conv2d_scratch_floats = scratch_floats,
	.conv2d_forward = forward,
	.conv2d_backward = backward,
};
