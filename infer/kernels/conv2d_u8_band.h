/* Between conv2d_u8.c, which lays a band of input rows out in memory, and the inner loops, one file per instruction
 * set. */
#ifndef INFER_KERNELS_CONV2D_U8_BAND_H
#define INFER_KERNELS_CONV2D_U8_BAND_H

#include <stdbool.h>

#include "u8.h"

/* Outputs are computed in blocks of this many, input channels in groups, pixels in quads that lie side by side in a
 * row. */
enum { INFER_U8_BLOCK = 16, INFER_U8_GROUP = 4, INFER_U8_QUAD = 4, INFER_U8_QUADS = 12 };

#if defined(__wasm_simd128__)
typedef int16_t infer_u8_lane; /* what i32x4.dot_i16x8_s takes */
#else
typedef uint8_t infer_u8_lane;
#endif

/* One convolution of the one or two that are added up. A window is runs_y x runs_x runs of `groups` groups of
 * channels. All strides in lanes. */
struct infer_conv2d_u8_operand {
	const infer_u8_lane *in;
	size_t pixel_stride, row_stride; /* from an output's window to the next one's */
	size_t run_step_y, run_step_x;
	int runs_y, runs_x, groups;
	const int8_t *weight; /* [block][run][group][16 outputs][4 inputs] */
	size_t block_bytes;
	const int32_t *bias;   /* the input's zero point is in it */
	const int32_t *sum128; /* 128 times the sum of an output's weights: for those who compute with q - 128 */
	/* from sums to steps of the output, or to fractions of them where terms are added; for logits, to reals */
	const float *multiplier;
};

/* A quad of pixels: where its first pixel's windows and its output are, in lanes and bytes from the band's
 * beginning. */
struct infer_conv2d_u8_quad {
	uint32_t in[2], out;
};

struct infer_conv2d_u8_band {
	struct infer_conv2d_u8_operand operand[2];
	int operand_count;
	int outputs, pixels; /* in a quad: 4, or fewer where a row is narrower */
	uint8_t *out;        /* or NULL */
	float *logits;       /* or NULL */
	size_t out_pitch;
	int zero, low;         /* low: -zero, or 0 with relu */
	const uint8_t *addend; /* or NULL; its pixel is at out / out_pitch * addend_pitch */
	size_t addend_pitch;
	int addend_zero, addend_multiplier;
	/* the last one is repeated up to a multiple of INFER_U8_QUADS, so that threes and fours of quads come out
	 * even */
	const struct infer_conv2d_u8_quad *quads;
	int quad_count;
};

void infer_conv2d_u8_generic(const struct infer_conv2d_u8_band *band);
void infer_conv2d_u8_sse2(const struct infer_conv2d_u8_band *band);
void infer_conv2d_u8_avx2(const struct infer_conv2d_u8_band *band);
void infer_conv2d_u8_vnni(const struct infer_conv2d_u8_band *band);
void infer_conv2d_u8_neon(const struct infer_conv2d_u8_band *band);
void infer_conv2d_u8_neon_dot(const struct infer_conv2d_u8_band *band);
void infer_conv2d_u8_wasm(const struct infer_conv2d_u8_band *band);

/* The end of what does not stay in registers: sums of a quad's pixels, for one block of outputs, of one or two
 * operands, to bytes or logits. sums: [operand][4 pixels][16]. */
void infer_conv2d_u8_finish(const struct infer_conv2d_u8_band *band, const struct infer_conv2d_u8_quad *quad, int block,
			    const int32_t sums[2][INFER_U8_QUAD][INFER_U8_BLOCK]);

/* Whether a band's bytes are made of one operand's sums alone: the common case, which inner loops finish in
 * registers. */
static inline bool infer_conv2d_u8_is_simple(const struct infer_conv2d_u8_band *band)
{
	return band->out && band->operand_count == 1 && !band->addend;
}

#endif
