/* in[0] + in[1], which has the same shape or is one number per channel: the terms (q - zero) x round(in.scale /
 * out.scale x 4096) are added, and out = limit((sum + 2048) >> 12) + out.zero. */
#include "u8.h"

/* What does not change from pixel to pixel. */
struct terms {
	int multiplier[2], constant, low, high, zero;
};

static inline uint8_t byte_of(const struct terms *t, uint8_t a, uint8_t b)
{
	int q = (a * t->multiplier[0] + b * t->multiplier[1] + t->constant) >> INFER_U8_FRACTION;
	q = q > t->low ? q : t->low;
	return (uint8_t)((q < t->high ? q : t->high) + t->zero);
}

/* Sixteen at a time, which compilers make vectors of. */
static void add_pixel(const struct terms *terms, const uint8_t *restrict a, const uint8_t *restrict b,
		      uint8_t *restrict out, int count)
{
	const struct terms t = *terms;
	int c = 0;
	for (; c + 16 <= count; c += 16)
		for (int i = c; i < c + 16; i++)
			out[i] = byte_of(&t, a[i], b[i]);
	for (; c < count; c++)
		out[c] = byte_of(&t, a[c], b[c]);
}

void infer_add_u8(const struct infer_call *call, int first, int end, void *scratch)
{
	const struct infer_map *a = &call->in[0], *b = &call->in[1], *out = &call->out;
	int same = a->h == b->h && a->w == b->w;
	struct terms t = {{infer_u8_term(a->scale, out->scale), infer_u8_term(b->scale, out->scale)},
			  0,
			  call->relu ? 0 : -out->zero,
			  255 - out->zero,
			  out->zero};
	t.constant = (1 << (INFER_U8_FRACTION - 1)) - a->zero * t.multiplier[0] - b->zero * t.multiplier[1];
	(void)scratch;
	for (int y = first; y < end; y++) {
		const uint8_t *from = infer_u8_row(a, y), *second = infer_u8_row(b, same ? y : 0);
		uint8_t *to = infer_u8_row(out, y);
		for (int x = 0; x < out->w; x++, from += a->pitch, to += out->pitch, second += same ? b->pitch : 0)
			add_pixel(&t, from, second, to, out->c);
	}
}
