/* The inner loops of float convolutions, built once per instruction set from product.inc: products of rows of
 * numbers with weights, for a run of pixels and some blocks of 16 outputs. Whoever calls has arranged the input such
 * that each tap of the kernel is a constant distance away. */
#ifndef INFER_KERNELS_PRODUCT_H
#define INFER_KERNELS_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels.h"

enum { INFER_BLOCK = 16 }; /* outputs whose weights lie side by side */

/* For pixel p, tap t and number k < run: in[offset[t] + p * pitch + k] times weight[(t * run + k) * 16 + output % 16]
 * of its block. */
struct infer_operand {
	const float *in;
	size_t pitch;
	const ptrdiff_t *offset;
	int taps, run;
	const float *weight; /* of the first block */
	size_t block_stride; /* from block to block */
	const float *bias;   /* of the first block */
};

/* out = relu(operand 0 + operand 1 + addend): a chain of fused multiply-adds that starts at the first bias and goes
 * over taps and numbers; then the second bias is added and the chain goes on. */
struct infer_product {
	struct infer_operand operand[2];
	int operand_count;
	int pixels, outputs; /* outputs need not be a multiple of 16; nothing is stored behind them */
	float *out;
	size_t out_pitch;    /* from pixel to pixel */
	const float *addend; /* or NULL */
	size_t addend_pitch;
	bool relu;
};

/* A 4x4 tile of Winograd's F(4x4, 3x3), numbers counted in floats. */
struct infer_winograd_tile {
	union {
		const float *map; /* input: the tile's 6x6 pixels */
		float *map_out;   /* output: its 4x4 */
	};
	ptrdiff_t row, pixel; /* from row to row and from pixel to pixel of the map */
	float *transformed;   /* 36 times the channels */
	ptrdiff_t stride;     /* from one of the 36 to the next */
	int rows, columns;    /* output: those that exist */
};

struct infer_winograd_end {
	const float *bias;
	const float *addend; /* or NULL */
	ptrdiff_t addend_row, addend_pixel;
	bool relu;
};

struct infer_product_kernels {
	int blocks; /* that are best done together: whoever calls cuts the outputs accordingly */
	void (*run)(const struct infer_product *product); /* at most that many blocks */
	/* One operand and one output, whose weights lie in rows of block_stride for each tap, filled up with zeros
	 * to a multiple of 16. */
	void (*dot)(const struct infer_product *product);
	/* out[c] = the largest of 3x3 pixels' number c (max_pool2d); distances in floats. */
	void (*max_of_nine)(const float *in, ptrdiff_t row, ptrdiff_t pixel, float *out, int channels);
	/* out = a (1 - part) + b part, of `count` numbers. */
	void (*mix)(const float *a, const float *b, float part, float *out, int count);
	/* channels: a multiple of 16. */
	void (*winograd_input)(const struct infer_winograd_tile *tile, int channels);
	void (*winograd_output)(const struct infer_winograd_tile *tile, const struct infer_winograd_end *end,
				int outputs);
};

extern const struct infer_product_kernels infer_product_generic, infer_product_avx2, infer_product_avx512;

/* isa.c: those of an instruction set that this processor has. */
const struct infer_product_kernels *infer_product_kernels_of(enum infer_isa isa);

/* Outputs that are to be done next of the `left` ones, where `most` blocks are best done together: four are better
 * than three and one. */
enum { INFER_MOST_BLOCKS = 4 };
static inline int infer_product_outputs(int left, int most)
{
	int blocks =
		(left + INFER_BLOCK - 1) / INFER_BLOCK == INFER_MOST_BLOCKS && most == 3 ? INFER_MOST_BLOCKS : most;
	return left < blocks * INFER_BLOCK ? left : blocks * INFER_BLOCK;
}

#endif
