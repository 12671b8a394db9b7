/* See guided.h. */
#include "guided.h"

#include <stdbool.h>
#include <string.h>

#include "../common/arena.h"

/* Column sums: the guide's colours, their products, the input, its products with the colours. */
enum { RED, GREEN, BLUE, RR, RG, RB, GG, GB, BB, INPUT, IR, IG, IB, SUMS };

/* Functions as integers: |a| <= MAX_SLOPE, so |d| < 255 (1 + 3 MAX_SLOPE), and the sum over a largest window fits 32
 * bits. */
enum { MAX_SLOPE = 64, SLOPE_SCALE = 4096, OFFSET_SCALE = 32, PLANES = 4 };

enum { BLOCK = 32 }; /* windows fitted side by side, for the compiler to vectorise */

/* Its pieces of the workspace: lines, then what begins as zeros, then the means. Bytes in all. */
static size_t place(struct infer_guided *g, void *workspace)
{
	struct infer_arena arena = {.memory = workspace};
	size_t w = (size_t)g->w, planes = w * PLANES * sizeof(float);
	g->lines = infer_arena_take(&arena, w * 2 * PLANES);
	g->sums = infer_arena_take(&arena, w * SUMS * sizeof *g->sums);
	g->functions = infer_arena_take(&arena, planes * (size_t)(2 * g->radius + 1));
	g->totals = infer_arena_take(&arena, planes);
	for (int i = 0; i < 2; i++)
		g->means[i] = infer_arena_take(&arena, planes);
	return arena.used;
}

size_t infer_guided_workspace(int w, int radius)
{
	struct infer_guided none = {.w = w, .radius = radius};
	return place(&none, NULL);
}

/* Row y as planes of red, green, blue and input; rows outside are 0. */
static void split_row(const struct infer_guided *g, int y, uint8_t *restrict out)
{
	size_t w = (size_t)g->w;
	if (y < 0 || y >= g->h) {
		memset(out, 0, PLANES * w);
		return;
	}
	const uint8_t *restrict rgb = g->guide + (size_t)y * 3 * w;
	for (size_t x = 0; x < w; x++) {
		out[x] = rgb[3 * x];
		out[w + x] = rgb[3 * x + 1];
		out[2 * w + x] = rgb[3 * x + 2];
	}
	memcpy(out + 3 * w, g->input + (size_t)y * w, w);
}

/* Eight columns side by side, written out so that it stays so where the library is compiled for size. */
typedef uint8_t bytes8 __attribute__((vector_size(8)));
typedef uint16_t halves8 __attribute__((vector_size(16)));
typedef uint32_t words8 __attribute__((vector_size(32)));
enum { VECTOR = 8 };

static halves8 widen(const uint8_t *in)
{
	bytes8 bytes;
	memcpy(&bytes, in, sizeof bytes);
	return __builtin_convertvector(bytes, halves8);
}

/* sum += in_a in_b - out_a out_b in each column; without `b` the factor is 1. */
static void slide(uint32_t *restrict sum, const uint8_t *in_a, const uint8_t *in_b, const uint8_t *out_a,
		  const uint8_t *out_b, size_t w)
{
	size_t x = 0;
	for (; x + VECTOR <= w; x += VECTOR) {
		halves8 in = widen(in_a + x), out = widen(out_a + x);
		words8 s;
		if (in_b) {
			in *= widen(in_b + x);
			out *= widen(out_b + x);
		}
		memcpy(&s, sum + x, sizeof s);
		s += __builtin_convertvector(in, words8) - __builtin_convertvector(out, words8);
		memcpy(sum + x, &s, sizeof s);
	}
	for (; x < w; x++)
		sum[x] += (uint32_t)in_a[x] * (in_b ? in_b[x] : 1) - (uint32_t)out_a[x] * (out_b ? out_b[x] : 1);
}

/* Row `enter` enters the column sums, row `leave` leaves them. */
static void move_rows(struct infer_guided *g, int enter, int leave)
{
	static const uint8_t products[SUMS][2] =
		{[RR] = {0, 0}, [RG] = {0, 1}, [RB] = {0, 2}, [GG] = {1, 1}, [GB] = {1, 2},
		 [BB] = {2, 2}, [IR] = {3, 0}, [IG] = {3, 1}, [IB] = {3, 2}};
	static const uint8_t singles[SUMS] = {[RED] = 1, [GREEN] = 2, [BLUE] = 3, [INPUT] = 4};
	size_t w = (size_t)g->w;
	uint8_t *in = g->lines, *out = g->lines + PLANES * w;
	split_row(g, enter, in);
	split_row(g, leave, out);
	for (size_t i = 0; i < SUMS; i++) {
		if (singles[i]) {
			size_t plane = (singles[i] - 1u) * w;
			slide(g->sums + i * w, in + plane, NULL, out + plane, NULL, w);
		} else {
			size_t a = products[i][0] * w, b = products[i][1] * w;
			slide(g->sums + i * w, in + a, in + b, out + a, out + b, w);
		}
	}
}

void infer_guided_start(struct infer_guided *g, void *workspace)
{
	place(g, workspace);
	g->row = g->fitted = 0;
	memset(g->sums, 0, (size_t)((char *)g->means[0] - (char *)g->sums));
	for (int y = 0; y < g->radius; y++)
		move_rows(g, y, -1);
}

static int overlap(int centre, int radius, int size)
{
	int first = centre - radius > 0 ? centre - radius : 0,
	    last = centre + radius < size ? centre + radius : size - 1;
	return last - first + 1;
}

static double limit(double value)
{
	return value < -MAX_SLOPE ? -MAX_SLOPE : value > MAX_SLOPE ? MAX_SLOPE : value;
}

static int32_t fixed(double value, int scale)
{
	double scaled = value * scale;
	return (int32_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

/* Windows side by side. */
struct block {
	int first, count;
	double pixels[BLOCK];
	double sums[SUMS][BLOCK];
};

/* The functions of windows with these sums: (covariance + epsilon)^-1 cov(guide, input), by cofactors. The sums are
 * whole numbers under 2^53, so pixels^2 times each covariance is exact. */
static void fit(const struct block *w, double epsilon, int32_t *restrict out, size_t step)
{
	for (int k = 0; k < w->count; k++) {
		double n = w->pixels[k], flat = epsilon * n * n;
		double red = w->sums[RED][k], green = w->sums[GREEN][k], blue = w->sums[BLUE][k],
		       in = w->sums[INPUT][k];
		double rr = n * w->sums[RR][k] - red * red + flat, gg = n * w->sums[GG][k] - green * green + flat;
		double bb = n * w->sums[BB][k] - blue * blue + flat, rg = n * w->sums[RG][k] - red * green;
		double rb = n * w->sums[RB][k] - red * blue, gb = n * w->sums[GB][k] - green * blue;
		double ir = n * w->sums[IR][k] - in * red, ig = n * w->sums[IG][k] - in * green,
		       ib = n * w->sums[IB][k] - in * blue;
		double crr = gg * bb - gb * gb, crg = rb * gb - rg * bb, crb = rg * gb - rb * gg;
		double cgg = rr * bb - rb * rb, cgb = rb * rg - rr * gb, cbb = rr * gg - rg * rg;
		double inverse = 1 / (rr * crr + rg * crg + rb * crb);
		double a = limit((crr * ir + crg * ig + crb * ib) * inverse),
		       b = limit((crg * ir + cgg * ig + cgb * ib) * inverse);
		double c = limit((crb * ir + cgb * ig + cbb * ib) * inverse);
		out[k] = fixed(a, SLOPE_SCALE);
		out[step + (size_t)k] = fixed(b, SLOPE_SCALE);
		out[2 * step + (size_t)k] = fixed(c, SLOPE_SCALE);
		out[3 * step + (size_t)k] = fixed((in - a * red - b * green - c * blue) / n, OFFSET_SCALE);
	}
}

static void constant(uint32_t value, int32_t *out, size_t step)
{
	out[0] = out[step] = out[2 * step] = 0;
	out[3 * step] = (int32_t)value * OFFSET_SCALE;
}

/* Window sums of the block's columns from those of the columns. */
static void gather(const struct infer_guided *g, struct block *block, int rows)
{
	int radius = g->radius, from = block->first - radius > 0 ? block->first - radius : 0;
	for (int k = 0; k < block->count; k++)
		block->pixels[k] = rows * overlap(block->first + k, radius, g->w);
	for (int i = 0; i < SUMS; i++) {
		const uint32_t *column = g->sums + (size_t)i * (size_t)g->w;
		uint32_t sum = 0;
		for (int x = from; x < block->first + radius && x < g->w; x++)
			sum += column[x];
		for (int k = 0; k < block->count; k++) {
			int x = block->first + k;
			sum += x + radius < g->w ? column[x + radius] : 0;
			block->sums[i][k] = sum;
			sum -= x - radius >= 0 ? column[x - radius] : 0;
		}
	}
}

static void fit_block(const struct infer_guided *g, struct block *block, int rows, int32_t *out)
{
	if (block->count == 0)
		return;
	gather(g, block, rows);
	fit(block, g->epsilon, out + block->first, (size_t)g->w);
	block->count = 0;
}

/* Functions of row y. Most windows of a mask see one value only; they need no fit. */
static void fit_row(struct infer_guided *g, int y, int32_t *out)
{
	size_t w = (size_t)g->w;
	const uint32_t *input = g->sums + INPUT * w;
	struct block block = {.count = 0};
	uint32_t sum = 0;
	int rows = overlap(y, g->radius, g->h);
	for (int x = 0; x < g->radius && x < g->w; x++)
		sum += input[x];
	for (int x = 0; x < g->w; x++) {
		sum += x + g->radius < g->w ? input[x + g->radius] : 0;
		sum -= x - g->radius > 0 ? input[x - g->radius - 1] : 0;
		int n = rows * overlap(x, g->radius, g->w);
		if (sum == 0 || sum == 255 * (uint32_t)n) {
			fit_block(g, &block, rows, out);
			constant(sum ? 255 : 0, out + x, w);
			continue;
		}
		if (block.count == 0)
			block.first = x;
		if (++block.count == BLOCK)
			fit_block(g, &block, rows, out);
	}
	fit_block(g, &block, rows, out);
}

/* Row y of functions enters the totals in place of the one that leaves, whose memory it takes. */
static void next_functions(struct infer_guided *g)
{
	int y = g->fitted++;
	size_t count = (size_t)g->w * PLANES;
	int32_t *restrict row = g->functions + (size_t)(y % (2 * g->radius + 1)) * count, *restrict totals = g->totals;
	for (size_t i = 0; i < count; i++)
		totals[i] -= row[i];
	if (y >= g->h) {
		memset(row, 0, count * sizeof *row);
		return;
	}
	move_rows(g, y + g->radius, y - g->radius - 1);
	fit_row(g, y, row);
	for (size_t i = 0; i < count; i++)
		totals[i] += row[i];
}

static void average(const int32_t *totals, int w, int radius, int rows, int scale, float *out)
{
	int32_t sum = 0;
	float full = 1 / (float)(rows * (2 * radius + 1) * scale);
	for (int x = 0; x < radius && x < w; x++)
		sum += totals[x];
	for (int x = 0; x < w; x++) {
		bool inside = x >= radius && x + radius < w;
		sum += x + radius < w ? totals[x + radius] : 0;
		out[x] = (float)sum * (inside ? full : 1 / (float)(rows * overlap(x, radius, w) * scale));
		sum -= x >= radius ? totals[x - radius] : 0;
	}
}

const float *infer_guided_next(struct infer_guided *g)
{
	int y = g->row++;
	while (g->fitted <= y + g->radius)
		next_functions(g);
	float *out = g->means[y & 1];
	int rows = overlap(y, g->radius, g->h);
	for (int i = 0; i < PLANES; i++)
		average(g->totals + (size_t)i * (size_t)g->w, g->w, g->radius, rows, i < 3 ? SLOPE_SCALE : OFFSET_SCALE,
			out + (size_t)i * (size_t)g->w);
	return out;
}

static uint8_t to_byte(float value)
{
	return value <= 0 ? 0 : value >= 255 ? 255 : (uint8_t)(value + 0.5f);
}

static void mix(const float *above, const float *below, float down, size_t count, float *out)
{
	for (size_t i = 0; i < count; i++)
		out[i] = above[i] + (below[i] - above[i]) * down;
}

/* No slopes on either side, and the same byte. */
static bool is_flat(const float *at, const float *next, size_t w)
{
	return at[0] == 0 && at[w] == 0 && at[2 * w] == 0 && next[0] == 0 && next[w] == 0 && next[2 * w] == 0 &&
	       at[3 * w] == next[3 * w];
}

/* Pixels first..end-1, between the functions at `at` and `next`. place: the first pixel's between the two, 0 to 1. */
static void apply_between(const float *at, const float *next, size_t w, float place, float step, const uint8_t *rgb,
			  uint8_t *out, int count)
{
	if (is_flat(at, next, w)) {
		memset(out, to_byte(at[3 * w]), (size_t)count);
		return;
	}
	for (int i = 0; i < count; i++) {
		float t = place + step * (float)i, f[PLANES];
		for (int k = 0; k < PLANES; k++)
			f[k] = at[(size_t)k * w] + (next[(size_t)k * w] - at[(size_t)k * w]) * t;
		out[i] = to_byte(f[0] * rgb[3 * i] + f[1] * rgb[3 * i + 1] + f[2] * rgb[3 * i + 2] + f[3]);
	}
}

static void apply_same_size(const float *f, int w, const uint8_t *rgb, uint8_t *out)
{
	size_t n = (size_t)w;
	for (size_t x = 0; x < n; x++)
		out[x] = to_byte(f[x] * rgb[3 * x] + f[n + x] * rgb[3 * x + 1] + f[2 * n + x] * rgb[3 * x + 2] +
				 f[3 * n + x]);
}

void infer_guided_apply(const float *above, const float *below, float down, int w, const uint8_t *rgb, uint8_t *out,
			int out_w, float *mixed)
{
	size_t n = (size_t)w;
	const float *f = above;
	if (down > 0) {
		mix(above, below, down, n * PLANES, mixed);
		f = mixed;
	}
	if (out_w == w) {
		apply_same_size(f, w, rgb, out);
		return;
	}
	/* Pixel x lies at (x + 0.5) w / out_w - 0.5 of the functions: between i and i + 1 from the first x with
	 * (2 x + 1) w >= (2 i + 1) out_w on. */
	double step = (double)w / out_w;
	int x = 0;
	for (int i = -1; i < w; i++) {
		long long bound = (2LL * i + 3) * out_w;
		int end = i + 1 < w ? (int)((bound - w + 2LL * w - 1) / (2LL * w)) : out_w;
		int left = i < 0 ? 0 : i, right = i + 1 < w ? i + 1 : w - 1;
		apply_between(f + left, f + right, n, (float)((x + 0.5) * step - 0.5 - i), (float)step,
			      rgb + 3 * (size_t)x, out + x, end - x);
		x = end;
	}
}
