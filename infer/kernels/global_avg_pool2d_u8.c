/* The mean of each channel: (float)(sum of (q - in.zero)) x ((in.scale / out.scale) / number of pixels), rounded to
 * nearest even. */
#include "u8.h"

size_t infer_global_avg_pool2d_u8_scratch(const struct infer_call *call)
{
	return (size_t)call->in[0].c * (sizeof(uint64_t) + sizeof(uint32_t));
}

void infer_global_avg_pool2d_u8(const struct infer_call *call, int first, int end, void *scratch)
{
	const struct infer_map *in = &call->in[0], *out = &call->out;
	uint64_t *sum = scratch;
	uint32_t *row = (uint32_t *)(sum + in->c); /* a row has less than 2^24 pixels */
	uint8_t *to = out->data;
	int64_t count = (int64_t)in->h * in->w;
	(void)first; /* there is one row */
	(void)end;
	memset(sum, 0, (size_t)in->c * sizeof *sum);
	for (int y = 0; y < in->h; y++) {
		const uint8_t *from = infer_u8_row(in, y);
		memset(row, 0, (size_t)in->c * sizeof *row);
		for (int x = 0; x < in->w; x++, from += in->pitch)
			for (int c = 0; c < in->c; c++)
				row[c] += from[c];
		for (int c = 0; c < in->c; c++)
			sum[c] += row[c];
	}
	float m = infer_u8_multiplier(in->scale, out->scale) / (float)count;
	for (int c = 0; c < in->c; c++) {
		float t = (float)((int64_t)sum[c] - count * in->zero) * m;
		to[c] = (uint8_t)(infer_nearest(infer_limit(t, (float)-out->zero, (float)(255 - out->zero))) +
				  out->zero);
	}
}
