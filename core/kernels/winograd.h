/* The transforms of Winograd's convolution F(4x4, 3x3) (A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural
 * Networks", CVPR 2016, section 4.3). A map is cut into tiles of 4x4 pixels; the sums of a tile read a patch of 6x6
 * pixels, which starts one step above and one step left of the tile. With d the patch, g a filter, m an element-wise
 * product summed over channels, for each tile:
 *
 *   y = A^T m A,   m = sum over channels of (G g G^T) * (B^T d B)
 *
 * The transformed side has 36 numbers for a tile and a channel, here called frequencies: number f = 6 i + j is one
 * element of a matrix of its own (tiles x channels), so that the sums are 36 matrix products (gemm.h). */
#ifndef CORE_KERNELS_WINOGRAD_H
#define CORE_KERNELS_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>

enum { WINOGRAD_TILE = 4, WINOGRAD_PATCH = 6, WINOGRAD_FREQUENCIES = 36 };

struct winograd_tile {
	ptrdiff_t pixel; /* its first pixel: number in the map */
	/* What of the patch lies inside the map: rows row_begin .. row_end - 1, columns likewise. */
	int row_begin, row_end, col_begin, col_end;
};

/* How the pixels of a map lie in memory; all in floats. */
struct winograd_map {
	int channels;
	ptrdiff_t pitch;       /* from a pixel's number to the next */
	ptrdiff_t down, right; /* steps inside a patch: `dilation` pixels */
};

/* 36 matrices, tiles x channels: number f has channel c of tile t at data[f * frequency + t * pitch + c]. Rows are
 * padded to a multiple of 16 channels, which are written to as well. */
struct winograd_matrices {
	float *data;
	ptrdiff_t frequency, pitch;
};

/* 36 matrix products c = a b or c += a b, one chain of fmaf per element like gemm's. */
struct winograd_products {
	int rows, cols, depth;
	/* a[i][k] at a[i * a_pitch + k], or at a[k * a_pitch + i] where `transposed`. */
	bool transposed;
	const float *a;
	ptrdiff_t a_pitch, a_frequency;
	/* In panels of gemm_panel() columns, b_panel floats apart; the last panel is half as wide if that is enough.
	 * Where a is transposed, b[k][j] at b[k * b_panel + j]. */
	const float *b;
	ptrdiff_t b_panel, b_frequency;
	int b_row; /* row 0 of the product's b is this row of the panels, which may be deeper */
	float *c;  /* c[i][j] at c[i * c_pitch + j], written up to the next multiple of 16 columns */
	ptrdiff_t c_pitch, c_frequency;
	bool add;
};

/* 3x3 filters: tap (i, j) of the one that weighs input k for output c at data[k * row + c * col + 3 * i + j]. */
struct winograd_filters {
	int depth, cols;
	const float *data;
	ptrdiff_t row, col;
	float scale;
};

/* What is added to the sums of a tile: bias[channel] and pixels of another map. */
struct winograd_epilogue {
	const float *bias, *from; /* or NULL */
	struct winograd_map from_map;
	bool relu;
};

#endif
