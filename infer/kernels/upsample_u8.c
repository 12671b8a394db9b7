/* Enlarging bytes by a whole factor f: nearest, and bilinear with half-pixel centres. Result pixel i lies at (2 i +
 * 1 - f) / 2 f source pixels, so that both weights are whole numbers of 2 f: the result is the weighted sum of four
 * bytes, (sum + 2 f^2) / 4 f^2 rounded down. */
#include "u8.h"

#include <stdbool.h>

void infer_upsample_nearest_u8(const struct infer_call *call, int first, int end, void *scratch)
{
	const struct infer_map *in = &call->in[0], *out = &call->out;
	int factor = call->step->args[0];
	(void)scratch;
	for (int y = first; y < end; y++)
		for (int x = 0; x < out->w; x++)
			memcpy(infer_u8_row(out, y) + (size_t)x * out->pitch,
			       infer_u8_row(in, y / factor) + (size_t)(x / factor) * in->pitch, (size_t)in->c);
}

/* Between source pixels a and b: b counts `part` of 2 f. */
struct place {
	int a, b, part;
};

static struct place place_of(int i, int factor, int size)
{
	int position = 2 * i + 1 - factor;
	if (position < 0)
		position = 0;
	int a = position / (2 * factor);
	return (struct place){a, a + 1 < size ? a + 1 : a, position % (2 * factor)};
}

/* The logarithm of a power of two, else 0. */
static int shift_of(int n)
{
	int shift = 0;
	while (n >> shift > 1)
		shift++;
	return n == 1 << shift ? shift : 0;
}

/* Up to this factor, where it is a power of two, sums fit 16 bits (255 x 4 f^2 + 2 f^2 < 2^16) and are shifted. */
enum { MAX_FAST_FACTOR = 8, LANES = 16 };

static bool is_fast(int factor)
{
	return factor <= MAX_FAST_FACTOR && shift_of(factor) > 0;
}

/* One row between two source rows. */
size_t infer_upsample_bilinear_u8_scratch(const struct infer_call *call)
{
	return (size_t)call->in[0].w * (size_t)call->in[0].c * sizeof(uint16_t);
}

/* Between two rows, in steps of 1 / whole. */
static void mix_down(const uint8_t *restrict a, const uint8_t *restrict b, int part, int whole, uint16_t *restrict out,
		     size_t count)
{
	uint16_t rest = (uint16_t)(whole - part), some = (uint16_t)part;
	size_t i = 0;
	for (; i + LANES <= count; i += LANES)
		for (size_t k = i; k < i + LANES; k++)
			out[k] = (uint16_t)(a[k] * rest + b[k] * some);
	for (; i < count; i++)
		out[i] = (uint16_t)(a[i] * rest + b[i] * some);
}

static void mix_across(const uint16_t *restrict a, const uint16_t *restrict b, int part, int whole, int shift,
		       uint8_t *restrict out, int count)
{
	uint16_t rest = (uint16_t)(whole - part), some = (uint16_t)part, half = (uint16_t)(1 << (shift - 1));
	int c = 0;
	for (; c + LANES <= count; c += LANES)
		for (int k = c; k < c + LANES; k++)
			out[k] = (uint8_t)((uint16_t)(a[k] * rest + b[k] * some + half) >> shift);
	for (; c < count; c++)
		out[c] = (uint8_t)((uint16_t)(a[c] * rest + b[c] * some + half) >> shift);
}

static void fast_row(const struct infer_call *call, int y, uint16_t *row)
{
	const struct infer_map *in = &call->in[0], *out = &call->out;
	int factor = call->step->args[0], shift = shift_of(4 * factor * factor);
	size_t c = (size_t)in->c;
	struct place p = place_of(y, factor, in->h);
	const uint8_t *a = infer_u8_row(in, p.a), *b = infer_u8_row(in, p.b);
	if (in->pitch == c)
		mix_down(a, b, p.part, 2 * factor, row, (size_t)in->w * c);
	for (int x = 0; in->pitch != c && x < in->w; x++)
		mix_down(a + (size_t)x * in->pitch, b + (size_t)x * in->pitch, p.part, 2 * factor, row + (size_t)x * c,
			 c);
	for (int x = 0; x < out->w; x++) {
		struct place q = place_of(x, factor, in->w);
		mix_across(row + (size_t)q.a * c, row + (size_t)q.b * c, q.part, 2 * factor, shift,
			   infer_u8_row(out, y) + (size_t)x * out->pitch, in->c);
	}
}

static void plain_row(const struct infer_call *call, int y)
{
	const struct infer_map *in = &call->in[0], *out = &call->out;
	int factor = call->step->args[0], whole = 2 * factor;
	struct place p = place_of(y, factor, in->h);
	for (int x = 0; x < out->w; x++) {
		struct place q = place_of(x, factor, in->w);
		const uint8_t *a = infer_u8_row(in, p.a), *b = infer_u8_row(in, p.b);
		uint8_t *to = infer_u8_row(out, y) + (size_t)x * out->pitch;
		for (int c = 0; c < in->c; c++) {
			size_t left = (size_t)q.a * in->pitch + (size_t)c, right = (size_t)q.b * in->pitch + (size_t)c;
			int above = a[left] * (whole - q.part) + a[right] * q.part,
			    below = b[left] * (whole - q.part) + b[right] * q.part;
			to[c] = (uint8_t)((above * (whole - p.part) + below * p.part + whole * whole / 2) /
					  (whole * whole));
		}
	}
}

void infer_upsample_bilinear_u8(const struct infer_call *call, int first, int end, void *scratch)
{
	for (int y = first; y < end; y++) {
		if (is_fast(call->step->args[0]))
			fast_row(call, y, scratch);
		else
			plain_row(call, y);
	}
}
