/* Winograd's F(4x4, 3x3) (Lavin & Gray, "Fast algorithms for convolutional neural networks", arXiv 1509.09308): a
 * tile of 4x4 outputs is A^T [sum over channels (G g G^T) * (B^T d B)] A, with 6x6 inputs d and weights g, and
 *
 *	      4  0 -5  0  1  0             1/4     0    0            1  1  1  1  1  0
 *	      0 -4 -4  1  1  0            -1/6  -1/6 -1/6     A^T =  0  1 -1  2 -2  0
 *	B^T = 0  4 -4 -1  1  0        G = -1/6   1/6 -1/6            0  1  1  4  4  0
 *	      0 -2 -1  2  1  0            1/24  1/12  1/6            0  1 -1  8 -8  1
 *	      0  2 -1 -2  1  0            1/24 -1/12  1/6
 *	      0  4  0 -5  0  1               0     0    1
 *
 * so there are 36 products of (tiles x channels) with (channels x outputs): 36 multiplications where there were 144.
 * With dilation d, each of the d x d grids of pixels that see each other is a picture of its own. Results differ
 * from a chain of sums by rounding, about 1e-6 of the largest.
 *
 * Some tiles are done at a time: their inputs transformed, then, for a few blocks of outputs after the other, the
 * products and the transform back, so that all that is written stays in the second-level cache. */
#include "winograd.h"

#include <stdbool.h>
#include <string.h>

#include "product.h"

enum { POINTS = 36, WORKSPACE_BYTES = 1 << 19, MOST_TILES = 256 };

bool infer_winograd_suits(const struct infer_step *conv2d, const struct infer_tensor *weight)
{
	const int *args = conv2d->args;
	return args[0] == 3 && args[1] == 3 && args[2] == 1 && args[3] == args[4] && weight->dims[0] >= INFER_BLOCK &&
	       weight->dims[1] >= INFER_BLOCK;
}

static size_t blocks_of(int channels)
{
	return ((size_t)channels + INFER_BLOCK - 1) / INFER_BLOCK;
}

/* --- weights: biases, then [block of 16 outputs][36][input][16] ----------- */

static size_t block_floats(const struct infer_tensor *weight)
{
	return POINTS * (size_t)weight->dims[1] * INFER_BLOCK;
}

size_t infer_winograd_packed(const struct infer_call *call)
{
	return blocks_of(call->tensor[0]->dims[0]) * (INFER_BLOCK + block_floats(call->tensor[0])) * sizeof(float);
}

/* G g G^T of one 3x3 kernel. */
static void transform_kernel(const float *g, double *u)
{
	static const double G[6][3] = {{0.25, 0, 0},
				       {-1 / 6.0, -1 / 6.0, -1 / 6.0},
				       {-1 / 6.0, 1 / 6.0, -1 / 6.0},
				       {1 / 24.0, 1 / 12.0, 1 / 6.0},
				       {1 / 24.0, -1 / 12.0, 1 / 6.0},
				       {0, 0, 1}};
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 6; j++) {
			double sum = 0;
			for (int k = 0; k < 9; k++)
				sum += G[i][k / 3] * G[j][k % 3] * (double)g[k];
			u[6 * i + j] = sum;
		}
}

void infer_winograd_pack(const struct infer_call *call, void *packed)
{
	const struct infer_tensor *weight = call->tensor[0], *bias = call->tensor[1];
	size_t inputs = (size_t)weight->dims[1];
	float *out = packed;
	memset(out, 0, infer_winograd_packed(call));
	if (bias)
		memcpy(out, bias->data, (size_t)weight->dims[0] * sizeof *out);
	out += blocks_of(weight->dims[0]) * INFER_BLOCK;
	for (size_t o = 0; o < (size_t)weight->dims[0]; o++)
		for (size_t i = 0; i < inputs; i++) {
			double u[POINTS];
			float *column =
				out + o / INFER_BLOCK * block_floats(weight) + i * INFER_BLOCK + o % INFER_BLOCK;
			transform_kernel(weight->data + (o * inputs + i) * 9, u);
			for (size_t p = 0; p < POINTS; p++)
				column[p * inputs * INFER_BLOCK] = (float)(u[p] * (double)call->in_scale);
		}
}

/* --- tiles ---------------------------------------------------------------- */

/* Tiles in the order: rows of 4 d output rows, the d x d grids, then columns. */
struct tiles {
	int dilation, across; /* tiles in a row of a grid */
	int channels;         /* rounded up to 16, as transformed */
	int outputs;          /* that are made at a time at most */
	int count;            /* that are done at a time */
};

static struct tiles tiles_of(const struct infer_call *call)
{
	struct tiles t = {.dilation = call->step->args[4], .channels = (int)blocks_of(call->in[0].c) * INFER_BLOCK};
	t.outputs = INFER_BLOCK *
		    (int)(blocks_of(call->out.c) < INFER_MOST_BLOCKS ? blocks_of(call->out.c) : INFER_MOST_BLOCKS);
	t.across = (call->out.w + 4 * t.dilation - 1) / (4 * t.dilation);
	int each = POINTS * (t.channels + t.outputs) * (int)sizeof(float);
	t.count = WORKSPACE_BYTES / each / 8 * 8;
	t.count = t.count < 8 ? 8 : t.count > MOST_TILES ? MOST_TILES : t.count;
	return t;
}

int infer_winograd_row_step(const struct infer_call *call)
{
	return 4 * call->step->args[4];
}

/* First output pixel of a tile; it lies outside where a grid has fewer columns than its neighbours. */
static void place_of_tile(const struct tiles *t, int index, int *y, int *x)
{
	int column = index % t->across, grid = index / t->across % (t->dilation * t->dilation);
	int row = index / t->across / (t->dilation * t->dilation);
	*y = row * 4 * t->dilation + grid / t->dilation;
	*x = column * 4 * t->dilation + grid % t->dilation;
}

struct workspace {
	float *patch;       /* 6x6 pixels of a tile that reaches over the edge, or whose channels need filling up */
	float *transformed; /* 36 x tiles x channels */
	float *products;    /* 36 x tiles x outputs of some blocks */
};

static size_t workspace_floats(const struct tiles *t, float *memory, struct workspace *w)
{
	size_t channels = (size_t)t->channels, count = (size_t)t->count;
	w->patch = memory;
	w->transformed = w->patch + POINTS * channels;
	w->products = w->transformed + POINTS * count * channels;
	return POINTS * (channels + count * (channels + (size_t)t->outputs));
}

size_t infer_winograd_scratch(const struct infer_call *call)
{
	struct tiles t = tiles_of(call);
	static float origin[1]; /* only distances count */
	struct workspace w;
	return workspace_floats(&t, origin, &w) * sizeof(float);
}

static void copy_patch(const struct infer_map *in, int y, int x, int dilation, float *patch, size_t pixel)
{
	for (int i = 0; i < POINTS; i++, patch += pixel) {
		int row = y + i / 6 * dilation, column = x + i % 6 * dilation;
		int inside = row >= 0 && column >= 0 && row < in->h && column < in->w;
		size_t channels = inside ? (size_t)in->c : 0;
		if (inside)
			memcpy(patch, infer_row(in, row) + (size_t)column * in->pitch, channels * sizeof *patch);
		memset(patch + channels, 0, (pixel - channels) * sizeof *patch);
	}
}

/* The input of tile `index` becomes row `tile_row` of the 36 matrices. */
static void transform_tile(const struct infer_call *call, const struct tiles *t, const struct workspace *w, int index,
			   int tile_row)
{
	const struct infer_map *in = &call->in[0];
	int y, x, d = t->dilation;
	place_of_tile(t, index, &y, &x);
	y -= d;
	x -= d;
	struct infer_winograd_tile tile = {.row = d * (ptrdiff_t)infer_row_numbers(in),
					   .pixel = d * (ptrdiff_t)in->pitch,
					   .transformed = w->transformed + tile_row * t->channels,
					   .stride = (ptrdiff_t)t->count * t->channels};
	if (in->c == t->channels && y >= 0 && x >= 0 && y + 5 * d < in->h && x + 5 * d < in->w) {
		tile.map = infer_row(in, y) + (size_t)x * in->pitch;
	} else {
		copy_patch(in, y, x, d, w->patch, (size_t)t->channels);
		tile.map = w->patch;
		tile.pixel = t->channels;
		tile.row = 6 * tile.pixel;
	}
	infer_product_kernels_of(call->isa)->winograd_input(&tile, t->channels);
}

static void multiply(const struct infer_call *call, const struct tiles *t, const struct workspace *w, int tiles,
		     int first, int outputs)
{
	static const float zeros[INFER_MOST_BLOCKS * INFER_BLOCK];
	static const ptrdiff_t nowhere = 0;
	const struct infer_tensor *weight = call->tensor[0];
	const float *weights = (const float *)call->packed + blocks_of(weight->dims[0]) * INFER_BLOCK;
	struct infer_product p = {.operand_count = 1,
				  .pixels = tiles,
				  .outputs = outputs,
				  .out_pitch = (size_t)t->outputs};
	for (size_t point = 0; point < POINTS; point++) {
		p.operand[0] = (struct infer_operand){
			.in = w->transformed + point * (size_t)t->count * (size_t)t->channels,
			.pitch = (size_t)t->channels,
			.offset = &nowhere,
			.taps = 1,
			.run = call->in[0].c,
			.block_stride = block_floats(weight),
			.bias = zeros,
			.weight = weights + (size_t)(first / INFER_BLOCK) * block_floats(weight) +
				  point * (size_t)weight->dims[1] * INFER_BLOCK,
		};
		p.out = w->products + point * (size_t)t->count * (size_t)t->outputs;
		infer_product_kernels_of(call->isa)->run(&p);
	}
}

static int existing(int from, int size, int step)
{
	int count = from < size ? (size - from + step - 1) / step : 0;
	return count < 4 ? count : 4;
}

/* Outputs first..first+outputs-1 of the tile, from row `tile_row` of the products. */
static void finish_tile(const struct infer_call *call, const struct tiles *t, const struct workspace *w, int index,
			int tile_row, int first, int outputs)
{
	const struct infer_map *out = &call->out, *addend = &call->addend;
	int y, x, d = t->dilation;
	place_of_tile(t, index, &y, &x);
	struct infer_winograd_tile tile = {.row = d * (ptrdiff_t)infer_row_numbers(out),
					   .pixel = d * (ptrdiff_t)out->pitch,
					   .transformed = w->products + tile_row * t->outputs,
					   .stride = (ptrdiff_t)t->count * t->outputs,
					   .rows = existing(y, out->h, d),
					   .columns = existing(x, out->w, d)};
	struct infer_winograd_end end = {.bias = (const float *)call->packed + first, .relu = call->relu};
	if (!tile.rows || !tile.columns)
		return;
	tile.map_out = infer_row(out, y) + (size_t)x * out->pitch + first;
	if (addend->data) {
		end.addend = infer_row(addend, y) + (size_t)x * addend->pitch + first;
		end.addend_row = d * (ptrdiff_t)infer_row_numbers(addend);
		end.addend_pixel = d * (ptrdiff_t)addend->pitch;
	}
	infer_product_kernels_of(call->isa)->winograd_output(&tile, &end, outputs);
}

void infer_winograd(const struct infer_call *call, int first, int end, void *scratch)
{
	struct tiles t = tiles_of(call);
	struct workspace w;
	int step = infer_winograd_row_step(call), row = t.across * t.dilation * t.dilation;
	int last = (end + step - 1) / step * row;
	workspace_floats(&t, scratch, &w);
	for (int from = first / step * row; from < last; from += t.count) {
		int tiles = last - from < t.count ? last - from : t.count;
		for (int i = 0; i < tiles; i++)
			transform_tile(call, &t, &w, from + i, i);
		for (int o = 0, outputs; o < call->out.c; o += outputs) {
			outputs = infer_product_outputs(call->out.c - o, infer_product_kernels_of(call->isa)->blocks);
			multiply(call, &t, &w, tiles, o, outputs);
			for (int i = 0; i < tiles; i++)
				finish_tile(call, &t, &w, from + i, i, o, outputs);
		}
	}
}
