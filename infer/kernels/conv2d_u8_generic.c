/* The inner loops of conv2d_u8.c in plain C: any processor. */
#include "conv2d_u8_band.h"

/* Sums of a quad's pixels for one block of outputs. */
static void sum_quad(const struct infer_conv2d_u8_operand *o, size_t in, int block,
		     int32_t sums[INFER_U8_QUAD][INFER_U8_BLOCK])
{
	const int8_t *w = o->weight + (size_t)block * o->block_bytes;
	for (int p = 0; p < INFER_U8_QUAD; p++)
		memcpy(sums[p], o->bias + block * INFER_U8_BLOCK, sizeof sums[p]);
	for (int ry = 0; ry < o->runs_y; ry++)
		for (int rx = 0; rx < o->runs_x; rx++) {
			const infer_u8_lane *x = o->in + in + (size_t)ry * o->run_step_y + (size_t)rx * o->run_step_x;
			for (int g = 0; g < o->groups; g++, x += INFER_U8_GROUP, w += INFER_U8_BLOCK * INFER_U8_GROUP)
				for (int p = 0; p < INFER_U8_QUAD; p++) {
					const infer_u8_lane *q = x + (size_t)p * o->pixel_stride;
					for (int i = 0; i < INFER_U8_BLOCK; i++)
						sums[p][i] += q[0] * w[4 * i] + q[1] * w[4 * i + 1] +
							      q[2] * w[4 * i + 2] + q[3] * w[4 * i + 3];
				}
		}
}

void infer_conv2d_u8_generic(const struct infer_conv2d_u8_band *band)
{
	for (int block = 0; block * INFER_U8_BLOCK < band->outputs; block++)
		for (int i = 0; i < band->quad_count; i++) {
			int32_t sums[2][INFER_U8_QUAD][INFER_U8_BLOCK];
			for (int k = 0; k < band->operand_count; k++)
				sum_quad(&band->operand[k], band->quads[i].in[k], block, sums[k]);
			infer_conv2d_u8_finish(band, &band->quads[i], block,
					       (const int32_t(*)[INFER_U8_QUAD][INFER_U8_BLOCK])sums);
		}
}
