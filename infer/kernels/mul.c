/* in[0] * in[1]; in[1] has the same shape, or is one number per channel (C,1,1), or one plane for all channels
 * (1,H,W). */
#include "kernels.h"

void infer_mul_f32(const struct infer_call *call, int first, int end, void *scratch)
{
	const struct infer_map *a = &call->in[0], *b = &call->in[1], *out = &call->out;
	int same = a->h == b->h && a->w == b->w, plane = b->c < a->c;
	(void)scratch;
	for (int y = first; y < end; y++) {
		const float *from = infer_row(a, y), *second = infer_row(b, same ? y : 0);
		float *to = infer_row(out, y);
		for (int x = 0; x < out->w; x++, from += a->pitch, to += out->pitch, second += same ? b->pitch : 0)
			for (int c = 0; c < out->c; c++)
				to[c] = from[c] * second[plane ? 0 : c];
	}
}
