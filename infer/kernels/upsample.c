/* Enlarging by a whole factor: nearest, and bilinear with half-pixel centres (align_corners=False). */
#include "kernels.h"

#include <string.h>

#include "product.h"

void infer_upsample_nearest_f32(const struct infer_call *call, int first, int end, void *scratch)
{
	const struct infer_map *in = &call->in[0], *out = &call->out;
	int factor = call->step->args[0];
	(void)scratch;
	for (int y = first; y < end; y++)
		for (int x = 0; x < out->w; x++)
			memcpy(infer_row(out, y) + (size_t)x * out->pitch,
			       infer_row(in, y / factor) + (size_t)(x / factor) * in->pitch,
			       (size_t)in->c * sizeof(float));
}

/* Where result pixel i lies between two source pixels: a and b, `part` of the way. */
struct place {
	int a, b;
	float part;
};

static struct place place_of(int i, int factor, int size)
{
	int halves = 2 * i + 1 - factor; /* the position times 2 factor */
	if (halves < 0)
		halves = 0;
	int a = halves / (2 * factor);
	return (struct place){a, a + 1 < size ? a + 1 : a, (float)(halves - a * 2 * factor) / (float)(2 * factor)};
}

/* One row between two source rows. */
size_t infer_upsample_bilinear_f32_scratch(const struct infer_call *call)
{
	return (size_t)call->in[0].w * (size_t)call->in[0].c * sizeof(float);
}

static void mix_rows(const struct infer_product_kernels *kernels, const struct infer_map *in, const struct place *p,
		     float *out)
{
	const float *a = infer_row(in, p->a), *b = infer_row(in, p->b);
	if (in->pitch == (size_t)in->c) {
		kernels->mix(a, b, p->part, out, in->w * in->c);
		return;
	}
	for (int x = 0; x < in->w; x++, a += in->pitch, b += in->pitch, out += in->c)
		kernels->mix(a, b, p->part, out, in->c);
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
	const struct infer_product_kernels *kernels = infer_product_kernels_of(call->isa);
	float *row = scratch;
	for (int y = first; y < end; y++) {
		struct place p = place_of(y, factor, in->h);
		mix_rows(kernels, in, &p, row);
		if (factor == 2 && in->c == 1) {
			widen_2(row, in->w, infer_row(out, y));
			continue;
		}
		for (int x = 0; x < out->w; x++) {
			struct place q = place_of(x, factor, in->w);
			kernels->mix(row + (size_t)q.a * (size_t)in->c, row + (size_t)q.b * (size_t)in->c, q.part,
				     infer_row(out, y) + (size_t)x * out->pitch, in->c);
		}
	}
}
