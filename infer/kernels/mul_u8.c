/* in[0] * in[1], which has the same shape, or is one number per channel (C,1,1), or one plane for all channels (1,H,W):
 * (float)((a - a.zero) x (b - b.zero)) x (a.scale x b.scale / out.scale), rounded to nearest even. */
#include "u8.h"

void infer_mul_u8(const struct infer_call *call, int first, int end, void *scratch)
{
	const struct infer_map *a = &call->in[0], *b = &call->in[1], *out = &call->out;
	int same = a->h == b->h && a->w == b->w, plane = b->c < a->c;
	float m = infer_u8_multiplier(a->scale * b->scale, out->scale), low = (float)-out->zero,
	      high = (float)(255 - out->zero);
	(void)scratch;
	for (int y = first; y < end; y++) {
		const uint8_t *from = infer_u8_row(a, y), *second = infer_u8_row(b, same ? y : 0);
		uint8_t *to = infer_u8_row(out, y);
		for (int x = 0; x < out->w; x++, from += a->pitch, to += out->pitch, second += same ? b->pitch : 0)
			for (int c = 0; c < out->c; c++) {
				float t = (float)((from[c] - a->zero) * (second[plane ? 0 : c] - b->zero)) * m;
				to[c] = (uint8_t)(infer_nearest(infer_limit(t, low, high)) + out->zero);
			}
	}
}
