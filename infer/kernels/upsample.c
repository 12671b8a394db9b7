/* Enlarging by a whole factor: nearest, and bilinear with half-pixel centres (align_corners=False). */
#include "kernels.h"

#include <string.h>

void infer_upsample_nearest(const struct infer_planar_call *call)
{
	struct infer_shape in = call->in_shape[0], out = call->out_shape;
	int factor = call->step->args[0];
	const float *src = call->in[0];
	float *dst = call->out;
	for (int row = 0; row < in.c * in.h; row++, src += in.w, dst += (size_t)factor * (size_t)out.w) {
		for (int x = 0; x < in.w; x++)
			for (int k = 0; k < factor; k++)
				dst[x * factor + k] = src[x];
		for (int k = 1; k < factor; k++)
			memcpy(dst + (size_t)k * (size_t)out.w, dst, (size_t)out.w * sizeof *dst);
	}
}

/* Where result pixel i lies between two source pixels: a and a + 1 (clamped), `part` of the way. */
struct place {
	int a, b;
	float part;
};

static struct place place_of(int i, int factor, int size)
{
	double position = (i + 0.5) / factor - 0.5;
	if (position < 0)
		position = 0;
	int a = (int)position;
	return (struct place){ a, a + 1 < size ? a + 1 : a, (float)(position - a) };
}

size_t infer_upsample_bilinear_scratch(const struct infer_planar_call *call)
{
	return (size_t)call->in_shape[0].w;
}

static void mix_rows(const float *restrict a, const float *restrict b, float part, float *restrict out, int w)
{
	float rest = 1.0f - part;
	for (int x = 0; x < w; x++)
		out[x] = a[x] * rest + b[x] * part;
}

static void widen(const float *row, int w, int factor, float *out, int out_w)
{
	for (int x = 0; x < out_w; x++) {
		struct place p = place_of(x, factor, w);
		out[x] = row[p.a] * (1.0f - p.part) + row[p.b] * p.part;
	}
}

/* Twice as wide: result pixels lie a quarter before and behind each source pixel. */
static void widen_2(const float *restrict row, int w, float *restrict out)
{
	for (int x = 0; x + 1 < w; x++) {
		out[2 * x + 1] = row[x] * 0.75f + row[x + 1] * 0.25f;
		out[2 * x + 2] = row[x] * 0.25f + row[x + 1] * 0.75f;
	}
	out[0] = row[0];
	out[2 * w - 1] = row[w - 1];
}

void infer_upsample_bilinear(const struct infer_planar_call *call)
{
	struct infer_shape in = call->in_shape[0], out = call->out_shape;
	int factor = call->step->args[0];
	float *row = call->out;
	for (int c = 0; c < in.c; c++) {
		const float *plane = call->in[0] + (size_t)c * (size_t)in.h * (size_t)in.w;
		for (int y = 0; y < out.h; y++, row += out.w) {
			struct place p = place_of(y, factor, in.h);
			mix_rows(plane + (size_t)p.a * (size_t)in.w, plane + (size_t)p.b * (size_t)in.w, p.part, call->scratch, in.w);
			if (factor == 2)
				widen_2(call->scratch, in.w, row);
			else
				widen(call->scratch, in.w, factor, row, out.w);
		}
	}
}
