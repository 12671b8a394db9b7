/* Matrix products with a fixed order of additions:
 *
 *   c[i][j] = start[i][j] + a[i][0] b[0][j] + a[i][1] b[1][j] + ...      (one chain of fmaf, first term first)
 *
 * whatever the tile sizes of the instruction set. The vectors run along j; b is packed into panels of gemm_panel()
 * columns, so that every row of a panel is a few whole vectors, padded with zeros behind the last column. */
#ifndef CORE_KERNELS_GEMM_H
#define CORE_KERNELS_GEMM_H

#include <stdbool.h>
#include <stddef.h>

struct gemm {
	int rows, cols, depth;
	/* a[i][k] at a[i * a_row + k * a_depth]; one of the two strides must be 1. */
	const float *a;
	ptrdiff_t a_row, a_depth;
	/* a may be cut along its depth: `segments` pieces of depth / segments each, a_segment floats apart (convolution
	 * windows are a few lines of an image). 0 means 1. */
	int segments;
	ptrdiff_t a_segment;
	/* Packed: panel p at b + p * b_panel, row k of it at + k * gemm_panel(). b_panel = depth * gemm_panel() for a
	 * product of its own; larger where `depth` is a part of what was packed.
	 * Or as it lies, if cols is a multiple of 16: b_row floats from row to row, b_panel = gemm_panel(). */
	const float *b;
	ptrdiff_t b_panel, b_row; /* b_row 0: packed */
	float *c;                 /* c[i][j] at c[i * c_row + j] */
	ptrdiff_t c_row;
	/* Where chains start: from[i * from_row + j] (may be c) plus bias[j]; NULL means 0. */
	const float *from;
	ptrdiff_t from_row;
	const float *bias;
	bool relu; /* c = max(chain, 0); a NaN stays */
};

/* What to pack: element (k, j) at data[k * row + j * col], multiplied by `scale`. */
struct gemm_source {
	int depth, cols;
	const float *data;
	ptrdiff_t row, col;
	float scale;
	ptrdiff_t panel; /* floats from one packed panel to the next; 0: depth * gemm_panel() */
};

/* Floats that gemm_pack writes. */
static inline size_t gemm_packed_floats(int panel, int depth, int cols)
{
	size_t panels = ((size_t)cols + (size_t)panel - 1) / (size_t)panel;
	return panels * (size_t)panel * (size_t)depth;
}

#endif
