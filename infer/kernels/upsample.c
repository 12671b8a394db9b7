/* Enlarging by a whole factor: nearest, and bilinear with half-pixel centres (align_corners=False). */
#include "kernels.h"

#include <string.h>

void infer_upsample_nearest_f32(const struct infer_call *call, int first, int end, void *scratch)
{
	const struct infer_map *in = &call->in[0], *out = &call->out;
	int factor = call->step->args[0];
	(void)scratch;
	for (int y = first; y < end; y++)
		for (int x = 0; x < out->w; x++)
			memcpy(infer_row(out, y) + (size_t)x * out->pitch, infer_row(in, y / factor) + (size_t)(x / factor) * in->pitch,
			       (size_t)in->c * sizeof(float));
}

/* Where result pixel i lies between two source pixels: a and b, `part` of the way. */
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

/* One row between two source rows. */
size_t infer_upsample_bilinear_f32_scratch(const struct infer_call *call)
{
	return (size_t)call->in[0].w * (size_t)call->in[0].c * sizeof(float);
}

static void mix(const float *restrict a, const float *restrict b, float part, float *restrict out, int count)
{
	float rest = 1.0f - part;
	for (int i = 0; i < count; i++)
		out[i] = a[i] * rest + b[i] * part;
}

static void mix_rows(const struct infer_map *in, const struct place *p, float *out)
{
	const float *a = infer_row(in, p->a), *b = infer_row(in, p->b);
	if (in->pitch == (size_t)in->c) {
		mix(a, b, p->part, out, in->w * in->c);
		return;
	}
	for (int x = 0; x < in->w; x++, a += in->pitch, b += in->pitch, out += in->c)
		mix(a, b, p->part, out, in->c);
}

/* Twice as wide, one channel: result pixels lie a quarter before and behind each source pixel. */
static void widen_2(const float *restrict row, int w, float *restrict out)
{
	for (int x = 0; x + 1 < w; x++) {
		out[2 * x + 1] = row[x] * 0.75f + row[x + 1] * 0.25f;
		out[2 * x + 2] = row[x] * 0.25f + row[x + 1] * 0.75f;
	}
	out[0] = row[0];
	out[2 * w - 1] = row[w - 1];
}

void infer_upsample_bilinear_f32(const struct infer_call *call, int first, int end, void *scratch)
{
	const struct infer_map *in = &call->in[0], *out = &call->out;
	int factor = call->step->args[0];
	float *row = scratch;
	for (int y = first; y < end; y++) {
		struct place p = place_of(y, factor, in->h);
		mix_rows(in, &p, row);
		if (factor == 2 && in->c == 1) {
			widen_2(row, in->w, infer_row(out, y));
			continue;
		}
		for (int x = 0; x < out->w; x++) {
			struct place q = place_of(x, factor, in->w);
			mix(row + (size_t)q.a * (size_t)in->c, row + (size_t)q.b * (size_t)in->c, q.part,
			    infer_row(out, y) + (size_t)x * out->pitch, in->c);
		}
	}
}
