/* Maximum of bytes over windows; padding counts as nothing, so a window that lies in it altogether gives 0. Each result pixel is made
 * for all channels at once, 16 side by side. */
#include "u8.h"

enum { LANES = 16 };

static inline uint8_t larger(uint8_t a, uint8_t b)
{
	return a > b ? a : b;
}

/* out = max(out, in) for count channels. */
static void raise(uint8_t *restrict out, const uint8_t *restrict in, int count)
{
	int c = 0;
	for (; c + LANES <= count; c += LANES)
		for (int i = c; i < c + LANES; i++)
			out[i] = larger(out[i], in[i]);
	for (; c < count; c++)
		out[c] = larger(out[c], in[c]);
}

void infer_max_pool2d_u8(const struct infer_call *call, int first, int end, void *scratch)
{
	const struct infer_map *in = &call->in[0], *out = &call->out;
	const int *args = call->step->args;
	(void)scratch;
	for (int y = first; y < end; y++)
		for (int x = 0; x < out->w; x++) {
			uint8_t *pixel = infer_u8_row(out, y) + (size_t)x * out->pitch;
			int top = y * args[1] - args[2], left = x * args[1] - args[2];
			memset(pixel, 0, (size_t)out->c);
			for (int j = top > 0 ? top : 0; j < top + args[0] && j < in->h; j++)
				for (int i = left > 0 ? left : 0; i < left + args[0] && i < in->w; i++)
					raise(pixel, infer_u8_row(in, j) + (size_t)i * in->pitch, out->c);
		}
}
