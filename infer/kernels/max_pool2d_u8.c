/* Maximum of bytes over windows; padding counts as nothing, so a window that lies in it altogether gives 0. First
 * down the rows of a window, all pixels and channels of a row at once, then across. */
#include "u8.h"

enum { LANES = 16 };

typedef uint8_t lanes __attribute__((vector_size(LANES))); /* gcc and clang make it what the processor has */

/* out = max(out, in). */
static void raise_to(uint8_t *out, const uint8_t *in, size_t count)
{
	size_t i = 0;
	for (; i + LANES <= count; i += LANES) {
		lanes a, b;
		memcpy(&a, out + i, LANES);
		memcpy(&b, in + i, LANES);
		lanes larger = (lanes)(a > b);
		a = (a & larger) | (b & ~larger);
		memcpy(out + i, &a, LANES);
	}
	for (; i < count; i++)
		out[i] = out[i] > in[i] ? out[i] : in[i];
}

/* Channels of a pixel in the row between; gaps are taken along where they are small. */
static size_t row_pixel(const struct infer_map *in)
{
	return in->pitch <= LANES ? in->pitch : (size_t)in->c;
}

/* One row of the input's width. */
size_t infer_max_pool2d_u8_scratch(const struct infer_call *call)
{
	return (size_t)call->in[0].w * row_pixel(&call->in[0]);
}

static void raise_row(const struct infer_map *in, int y, uint8_t *row)
{
	const uint8_t *from = infer_u8_row(in, y);
	size_t c = (size_t)in->c, pixel = row_pixel(in);
	if (in->pitch == pixel) {
		raise_to(row, from, (size_t)(in->w - 1) * pixel + c);
		return;
	}
	for (int x = 0; x < in->w; x++)
		raise_to(row + (size_t)x * pixel, from + (size_t)x * in->pitch, c);
}

void infer_max_pool2d_u8(const struct infer_call *call, int first, int end, void *scratch)
{
	const struct infer_map *in = &call->in[0], *out = &call->out;
	const int *args = call->step->args;
	uint8_t *row = scratch;
	size_t c = (size_t)in->c, pixel = row_pixel(in);
	for (int y = first; y < end; y++) {
		int top = y * args[1] - args[2];
		memset(row, 0, (size_t)in->w * pixel);
		for (int j = top > 0 ? top : 0; j < top + args[0] && j < in->h; j++)
			raise_row(in, j, row);
		for (int x = 0; x < out->w; x++) {
			uint8_t *to = infer_u8_row(out, y) + (size_t)x * out->pitch;
			int left = x * args[1] - args[2];
			memset(to, 0, c);
			for (int i = left > 0 ? left : 0; i < left + args[0] && i < in->w; i++)
				raise_to(to, row + (size_t)i * pixel, c);
		}
	}
}
