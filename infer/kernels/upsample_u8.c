/* Enlarging bytes by a whole factor f: nearest, and bilinear with half-pixel centres. Result pixel i lies at (2 i + 1 - f) / 2 f source
 * pixels, so that both weights are whole numbers of 2 f: the result is the weighted sum of four bytes, (sum + 2 f^2) / 4 f^2 rounded
 * down. */
#include "u8.h"

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
	return (struct place){ a, a + 1 < size ? a + 1 : a, position % (2 * factor) };
}

/* One row between two source rows, with room for the rounding of vectors. */
size_t infer_upsample_bilinear_u8_scratch(const struct infer_call *call)
{
	return (size_t)call->in[0].w * (size_t)call->in[0].c * sizeof(uint32_t);
}

/* Up to this factor sums fit 16 bits: 255 x 4 f^2 + 2 f^2 < 2^16. */
enum { MAX_16_BIT_FACTOR = 8 };

/* The two passes, for sums of 16 and of 32 bits. */
#define MIX(type)                                                                                                                   \
	static void mix_down_##type(const uint8_t *restrict a, const uint8_t *restrict b, int part, int whole, type *restrict out,  \
				    size_t count)                                                                                    \
	{                                                                                                                           \
		type rest = (type)(whole - part), some = (type)part;                                                                \
		for (size_t i = 0; i < count; i++)                                                                                  \
			out[i] = (type)(a[i] * rest + b[i] * some);                                                                 \
	}                                                                                                                           \
	static void mix_across_##type(const type *restrict a, const type *restrict b, int part, int factor, int shift,              \
				      uint8_t *restrict out, int count)                                                              \
	{                                                                                                                           \
		type rest = (type)(2 * factor - part), some = (type)part, half = (type)(2 * factor * factor);                      \
		int c = 0;                                                                                                          \
		for (; shift && c + 16 <= count; c += 16)                                                                           \
			for (int i = c; i < c + 16; i++)                                                                            \
				out[i] = (uint8_t)((type)(a[i] * rest + b[i] * some + half) >> shift);                              \
		for (; c < count; c++)                                                                                              \
			out[c] = (uint8_t)((type)(a[c] * rest + b[c] * some + half) / (4 * factor * factor));                      \
	}                                                                                                                           \
	static void row_##type(const struct infer_call *call, int y, type *row)                                                     \
	{                                                                                                                           \
		const struct infer_map *in = &call->in[0], *out = &call->out;                                                       \
		int factor = call->step->args[0], shift = shift_of(4 * factor * factor);                                            \
		size_t c = (size_t)in->c;                                                                                           \
		struct place p = place_of(y, factor, in->h);                                                                        \
		const uint8_t *a = infer_u8_row(in, p.a), *b = infer_u8_row(in, p.b);                                               \
		if (in->pitch == c)                                                                                                 \
			mix_down_##type(a, b, p.part, 2 * factor, row, (size_t)in->w * c);                                          \
		for (int x = 0; in->pitch != c && x < in->w; x++)                                                                   \
			mix_down_##type(a + (size_t)x * in->pitch, b + (size_t)x * in->pitch, p.part, 2 * factor, row + (size_t)x * c, c); \
		for (int x = 0; x < out->w; x++) {                                                                                  \
			struct place q = place_of(x, factor, in->w);                                                                \
			mix_across_##type(row + (size_t)q.a * c, row + (size_t)q.b * c, q.part, factor, shift,                      \
					  infer_u8_row(out, y) + (size_t)x * out->pitch, in->c);                                     \
		}                                                                                                                   \
	}

/* The logarithm of a power of two, else 0. */
static int shift_of(int n)
{
	int shift = 0;
	while (n >> shift > 1)
		shift++;
	return n == 1 << shift ? shift : 0;
}

MIX(uint16_t)
MIX(uint32_t)

void infer_upsample_bilinear_u8(const struct infer_call *call, int first, int end, void *scratch)
{
	for (int y = first; y < end; y++) {
		if (call->step->args[0] <= MAX_16_BIT_FACTOR)
			row_uint16_t(call, y, scratch);
		else
			row_uint32_t(call, y, scratch);
	}
}
