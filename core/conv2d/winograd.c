/* See winograd.h. Tiles of all samples form one list, which is worked through in blocks small enough for a block's
 * matrices to stay in the processor's second cache. A block goes forward as
 *
 *   V = B^T d B,   M[f] = V[f] U[f],   y = A^T M A + bias + from
 *
 * and backward as the adjoints of these, with one transform of y_grad for both gradients:
 *
 *   Z = A dy A^T,   dU[f] += Z[f]^T V[f],   dg = G^T dU G,   dV[f] = Z[f] U[f]^T,   dx = sum of B dV B^T
 *
 * Sums over tiles or channels that go across blocks continue their chains of fmaf (gemm's `from`), so that block sizes
 * do not matter to the result.
 *
 * With a dilation d the convolution is d * d independent ones without dilation, each on every d-th row and column:
 * their tiles join the list. */
#include "core/bytes.h"
#include "core/conv2d/winograd.h"

#include "core/conv2d/algorithm.h"
#include "core/conv2d/output_grad.h"
#include "core/kernels.h"

enum {
	FREQUENCIES = WINOGRAD_FREQUENCIES,
	MOST_TILES = 240, /* of a block; a multiple of the rows that gemm takes at a time */
	TILE_MULTIPLE = 24,
	/* Floats of one matrix of a block. Each block reads all of U and dU, so blocks are large where those are: where
	 * c * o is MANY_FILTERS or more. Measured. */
	SMALL_BLOCK = 1024,
	LARGE_BLOCK = 4096,
	MANY_FILTERS = 4096,
	MOST_DU = 10240,       /* more filters than that are transformed back piece by piece, while in the cache */
	CHANNEL_MULTIPLE = 32, /* a multiple of every instruction set's gemm_panel() */
	LINE = 16,             /* floats of a cache line */
};

struct plan {
	int panel;
	int tiles, block;     /* in all samples; of a block */
	int outputs;          /* channels of o in a block */
	int du_outputs;       /* and in a part of it that goes to the weights */
	int c_pitch, o_pitch; /* floats from one tile to the next in matrices of c, and of a block of o */
	/* Floats from frequency to frequency. */
	ptrdiff_t forward_u, backward_u, v, m, du;
};

/* An odd number of cache lines from frequency to frequency, so that the 36 of them that a transform writes do not
 * compete for the same lines of the first cache. */
static ptrdiff_t frequency_step(ptrdiff_t floats)
{
	return ((floats + LINE - 1) / LINE | 1) * LINE;
}

/* How many pixels phase p of a dilation has along one direction: p, p + dilation, ... */
static int phase_size(int size, int dilation, int phase)
{
	return (size - phase + dilation - 1) / dilation;
}

/* Tiles in one direction, over all phases. */
static int tiles_along(int size, int dilation)
{
	int tiles = 0;
	for (int phase = 0; phase < dilation && phase < size; phase++)
		tiles += (phase_size(size, dilation, phase) + WINOGRAD_TILE - 1) / WINOGRAD_TILE;
	return tiles;
}

static struct plan plan_for(const struct conv2d_dims *d)
{
	struct plan p = {.panel = kernels()->gemm_panel()};
	p.tiles = d->n * tiles_along(d->h, d->dilation) * tiles_along(d->w, d->dilation);
	p.c_pitch = round_up_int(d->c, LINE);
	int floats = d->c * d->o < MANY_FILTERS ? SMALL_BLOCK : LARGE_BLOCK;
	int most = min_int(round_up_int(floats / p.c_pitch, TILE_MULTIPLE), MOST_TILES);
	int blocks = (p.tiles + most - 1) / most;
	p.block = min_int(round_up_int((p.tiles + blocks - 1) / blocks, TILE_MULTIPLE), p.tiles);
	int outputs = round_up_int(floats / p.block, CHANNEL_MULTIPLE);
	int du_outputs = d->c * d->o > MOST_DU ? round_up_int(floats / p.c_pitch, CHANNEL_MULTIPLE) : d->o;
	p.outputs = min_int(outputs, d->o);
	p.du_outputs = min_int(du_outputs, p.outputs);
	p.o_pitch = round_up_int(p.outputs, LINE);
	p.forward_u = frequency_step((ptrdiff_t)d->c * round_up_int(d->o, kernels()->lanes));
	p.backward_u = frequency_step((ptrdiff_t)d->o * round_up_int(d->c, kernels()->lanes));
	p.v = frequency_step((ptrdiff_t)p.block * p.c_pitch);
	p.m = frequency_step((ptrdiff_t)p.block * p.o_pitch);
	p.du = frequency_step((ptrdiff_t)(p.block < p.tiles ? d->o : p.du_outputs) * p.c_pitch);
	return p;
}

bool winograd_can(const struct conv2d_dims *d)
{
	return d->kernel_h == 3 && d->kernel_w == 3 && d->stride == 1 && d->padding == d->dilation;
}

/* Below, the direct convolution is as fast: with less than half a vector of channels, with a tile or two, or with most
 * of the tiles outside the map. The number of samples has no say, so that it does not change the bits of one. */
bool winograd_suits(const struct conv2d_dims *d)
{
	if (!winograd_can(d) || d->c < 8 || d->o < 8)
		return false;
	int tiles = tiles_along(d->h, d->dilation) * tiles_along(d->w, d->dilation);
	return tiles >= 4 && tiles * WINOGRAD_TILE * WINOGRAD_TILE <= 2 * d->h * d->w;
}

size_t winograd_prepared_floats(const struct conv2d_dims *d)
{
	struct plan p = plan_for(d);
	return FREQUENCIES * (size_t)(p.forward_u + p.backward_u);
}

void winograd_prepare(const struct conv2d_dims *d, const float *weight, float *prepared)
{
	struct plan p = plan_for(d);
	struct winograd_filters forward =
		{.depth = d->c, .cols = d->o, .data = weight, .row = 9, .col = 9 * d->c, .scale = d->scale};
	struct winograd_filters backward =
		{.depth = d->o, .cols = d->c, .data = weight, .row = 9 * d->c, .col = 9, .scale = d->scale};
	kernels()->winograd_filter(&forward, prepared, p.forward_u);
	kernels()->winograd_filter(&backward, prepared + FREQUENCIES * p.forward_u, p.backward_u);
}

size_t winograd_scratch_floats(const struct conv2d_dims *d)
{
	struct plan p = plan_for(d);
	size_t forward = FREQUENCIES * (size_t)(p.v + p.m);
	size_t backward = FREQUENCIES * (size_t)(2 * p.v + p.m + p.du);
	return forward > backward ? forward : backward;
}

/* Where the list of tiles stands. */
struct cursor {
	int sample, phase_y, phase_x, y, x; /* y, x: pixels of the phase */
};

/* The next tile in the order sample, phase, row, column. */
static void advance(const struct conv2d_dims *d, struct cursor *at)
{
	at->x += WINOGRAD_TILE;
	if (at->x < phase_size(d->w, d->dilation, at->phase_x))
		return;
	at->x = 0;
	at->y += WINOGRAD_TILE;
	if (at->y < phase_size(d->h, d->dilation, at->phase_y))
		return;
	at->y = 0;
	if (++at->phase_x < min_int(d->dilation, d->w))
		return;
	at->phase_x = 0;
	if (++at->phase_y < min_int(d->dilation, d->h))
		return;
	at->phase_y = 0;
	at->sample++;
}

static void next_tiles(const struct conv2d_dims *d, struct cursor *at, int count, struct winograd_tile *tiles)
{
	for (int t = 0; t < count; t++, advance(d, at)) {
		ptrdiff_t row = (ptrdiff_t)at->sample * d->h + at->phase_y + at->y * d->dilation;
		tiles[t] = (struct winograd_tile){
			.pixel = row * d->w + at->phase_x + at->x * d->dilation,
			.row_begin = at->y == 0,
			.col_begin = at->x == 0,
			.row_end = min_int(WINOGRAD_PATCH, phase_size(d->h, d->dilation, at->phase_y) - at->y + 1),
			.col_end = min_int(WINOGRAD_PATCH, phase_size(d->w, d->dilation, at->phase_x) - at->x + 1),
		};
	}
}

static struct winograd_map map_of(const struct conv2d_dims *d, int channels, int pitch)
{
	ptrdiff_t step = (ptrdiff_t)d->dilation * pitch;
	return (struct winograd_map){channels, pitch, step * d->w, step};
}

void winograd_forward(const struct conv2d_dims *d, const float *x, const float *prepared,
		      const struct conv2d_epilogue *epilogue, float *y, float *scratch)
{
	struct plan p = plan_for(d);
	struct winograd_tile tiles[MOST_TILES];
	struct cursor at = {0};
	struct winograd_map x_map = map_of(d, d->c, d->c);
	struct winograd_matrices v = {scratch, p.v, p.c_pitch};
	struct winograd_matrices m = {scratch + FREQUENCIES * p.v, p.m, p.o_pitch};
	for (int first = 0, count; first < p.tiles; first += count) {
		count = min_int(p.block, p.tiles - first);
		next_tiles(d, &at, count, tiles);
		kernels()->winograd_input(&x_map, x, tiles, count, &v);
		for (int o = 0; o < d->o; o += p.outputs) {
			int outputs = min_int(p.outputs, d->o - o);
			struct winograd_products products = {
				.rows = count,
				.cols = outputs,
				.depth = d->c,
				.a = v.data,
				.a_pitch = v.pitch,
				.a_frequency = p.v,
				.b = prepared + (ptrdiff_t)o * d->c,
				.b_panel = (ptrdiff_t)p.panel * d->c,
				.b_frequency = p.forward_u,
				.c = m.data,
				.c_pitch = m.pitch,
				.c_frequency = p.m,
			};
			kernels()->winograd_products(&products);
			struct winograd_map y_map = map_of(d, outputs, d->y_pitch);
			struct winograd_epilogue e = {
				.bias = epilogue->bias ? epilogue->bias + o : NULL,
				.from = epilogue->from ? epilogue->from + o : NULL,
				.from_map = map_of(d, outputs, epilogue->from_pitch),
				.relu = epilogue->relu,
			};
			kernels()->winograd_output(&y_map, &m, tiles, count, &e, y + o);
		}
	}
}

/* Scratch of backward. */
struct gradients {
	struct winograd_matrices v, z, dv;
	float *du;
	bool whole_du; /* du has all outputs: the sums go on from block to block */
};

/* dU of outputs o .. o + outputs - 1, of which z is the first, and what of weight_grad follows from it. */
static void weight_part(const struct conv2d_dims *d, const struct plan *p, const struct gradients *g, int first,
			int count, const float *z, int o, int outputs, float *weight_grad)
{
	float *du = g->du + (g->whole_du ? (ptrdiff_t)o * p->c_pitch : 0);
	struct winograd_products products = {
		.rows = outputs,
		.cols = d->c,
		.depth = count,
		.transposed = true,
		.a = z,
		.a_pitch = g->z.pitch,
		.a_frequency = p->m,
		.b = g->v.data,
		.b_panel = g->v.pitch,
		.b_frequency = p->v,
		.c = du,
		.c_pitch = p->c_pitch,
		.c_frequency = p->du,
		.add = first > 0,
	};
	kernels()->winograd_products(&products);
	if (first + count == p->tiles)
		kernels()->winograd_filter_adjoint(du, p->du, outputs, d->c, p->c_pitch, d->scale,
						   weight_grad + (ptrdiff_t)o * d->c * 9);
}

static void weight_block(const struct conv2d_dims *d, const struct plan *p, const struct gradients *g, int first,
			 int count, int o, int outputs, float *weight_grad)
{
	for (int i = 0; i < outputs; i += p->du_outputs)
		weight_part(d, p, g, first, count, g->z.data + i, o + i, min_int(p->du_outputs, outputs - i),
			    weight_grad);
}

/* What outputs o .. o + outputs - 1 give to dV. */
static void data_block(const struct conv2d_dims *d, const struct plan *p, const struct gradients *g, int count, int o,
		       int outputs, const float *u)
{
	struct winograd_products products = {
		.rows = count,
		.cols = d->c,
		.depth = outputs,
		.a = g->z.data,
		.a_pitch = g->z.pitch,
		.a_frequency = p->m,
		.b = u,
		.b_panel = (ptrdiff_t)p->panel * d->o,
		.b_frequency = p->backward_u,
		.b_row = o,
		.c = g->dv.data,
		.c_pitch = g->dv.pitch,
		.c_frequency = p->v,
		.add = o > 0,
	};
	kernels()->winograd_products(&products);
}

/* Output rows that the tiles before the cursor read. With dilation, tiles of one phase lie all over a sample. */
static int rows_before(const struct conv2d_dims *d, const struct cursor *at)
{
	int row = at->sample * d->h;
	if (d->dilation > 1)
		return at->phase_y + at->phase_x + at->y + at->x > 0 ? row + d->h : row;
	return row + min_int(at->x > 0 ? at->y + WINOGRAD_TILE : at->y, d->h);
}

void winograd_backward(const struct conv2d_dims *d, const float *x, const struct conv2d_grad *grad,
		       const float *prepared, float *x_grad, bool add, float *weight_grad, float *scratch)
{
	struct plan p = plan_for(d);
	struct winograd_tile tiles[MOST_TILES];
	struct cursor at = {0};
	int rows = 0;
	struct winograd_map x_map = map_of(d, d->c, d->c);
	struct gradients g = {.whole_du = p.block < p.tiles};
	g.z = (struct winograd_matrices){scratch, p.m, p.o_pitch};
	g.dv = (struct winograd_matrices){g.z.data + FREQUENCIES * p.m, p.v, p.c_pitch};
	g.v = (struct winograd_matrices){g.dv.data + FREQUENCIES * p.v, p.v, p.c_pitch};
	g.du = g.v.data + FREQUENCIES * p.v;
	for (int first = 0, count; first < p.tiles; first += count) {
		count = min_int(p.block, p.tiles - first);
		next_tiles(d, &at, count, tiles);
		output_grad_rows(d, grad, &rows, rows_before(d, &at));
		if (weight_grad)
			kernels()->winograd_input(&x_map, x, tiles, count, &g.v);
		for (int o = 0; o < d->o; o += p.outputs) {
			int outputs = min_int(p.outputs, d->o - o);
			struct winograd_map y_map = map_of(d, outputs, d->y_pitch);
			kernels()->winograd_output_adjoint(&y_map, grad->data + o, tiles, count, &g.z);
			if (weight_grad)
				weight_block(d, &p, &g, first, count, o, outputs, weight_grad);
			if (x_grad)
				data_block(d, &p, &g, count, o, outputs, prepared + FREQUENCIES * p.forward_u);
		}
		if (x_grad)
			kernels()->winograd_input_adjoint(&x_map, &g.dv, tiles, count, add, x_grad);
	}
}

const struct conv2d_algorithm conv2d_winograd = {
	.name = "winograd",
	.suits = winograd_suits,
	.prepared_floats = winograd_prepared_floats,
	.prepare = winograd_prepare,
	.scratch_floats = winograd_scratch_floats,
	.forward = winograd_forward,
	.backward = winograd_backward,
};
