/* in[0] + in[1]; in[1] has the same shape or is one number per channel. */
#include "kernels.h"

static void add_pixel(const float *a, const float *b, int relu, float *out, int c)
{
	for (int i = 0; i < c; i++)
		out[i] = a[i] + b[i];
	for (int i = 0; relu && i < c; i++)
		out[i] = out[i] > 0 ? out[i] : 0;
}

void infer_add_f32(const struct infer_call *call, int first, int end, void *scratch)
{
	const struct infer_map *a = &call->in[0], *b = &call->in[1], *out = &call->out;
	int same = a->h == b->h && a->w == b->w;
	(void)scratch;
	for (int y = first; y < end; y++) {
		const float *from = infer_row(a, y), *second = infer_row(b, same ? y : 0);
		float *to = infer_row(out, y);
		for (int x = 0; x < out->w; x++, from += a->pitch, to += out->pitch, second += same ? b->pitch : 0)
			add_pixel(from, second, call->relu, to, out->c);
	}
}
