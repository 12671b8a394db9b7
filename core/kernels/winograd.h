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

/* 36 matrices, tiles x channels. Number f has channel c of tile t at
 * data[f * frequency + t * tile + c / gemm_panel() * panel + c % gemm_panel()]: with panel = gemm_panel() it lies row
 * by row, with tile = gemm_panel() in the panels of gemm. Channels are written up to the next multiple of a vector. */
struct winograd_matrices {
	float *data;
	ptrdiff_t frequency, tile, panel;
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
