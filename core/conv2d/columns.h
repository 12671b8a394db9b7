/* The column matrix of a convolution (im2col; Chellapilla, Puri, Simard: "High performance convolutional neural
 * networks for document processing", 2006), a block of it at a time: row p is output pixel p, its elements what
 * weight (ky, kx, c) is multiplied with, so that
 *
 *     y (pixels x o) = columns (pixels x kernel_h*kernel_w*c) * weights (kernel_h*kernel_w*c x o)
 *
 * Pixels are counted through all samples: p = (n * out_h + y) * out_w + x. */
#ifndef CORE_CONV2D_COLUMNS_H
#define CORE_CONV2D_COLUMNS_H

#include "core/backend.h"

/* The input is its own column matrix: 1x1, stride 1, no padding. */
bool columns_are_input(const struct conv2d_dims *dims);

/* kernel_h * kernel_w, and the length of a row: that times c. */
int columns_taps(const struct conv2d_dims *dims);
int columns_depth(const struct conv2d_dims *dims);

/* Output pixels of all samples, and floats of all of x. */
int columns_pixels(const struct conv2d_dims *dims);
size_t columns_input_floats(const struct conv2d_dims *dims);

/* Rows [first, first + count) of the matrix; outside the image is 0. */
void columns_gather(const struct conv2d_dims *dims, const float *x, int first, int count, float *columns);

/* The same rows without a copy where the input is its own column matrix, else gathered into `columns`. */
const float *columns_rows(const struct conv2d_dims *dims, const float *x, int first, int count, float *columns);

/* The transpose of columns_gather: adds each element to where it was gathered from, in the order of rows. */
void columns_scatter_add(const struct conv2d_dims *dims, const float *columns, int first, int count, float *x);

/* Element (k, o) of the weights, k = (ky, kx, c), in an array (O,C,KH,KW). */
size_t columns_weight_offset(const struct conv2d_dims *dims, int k, int o);

/* weight_grad (O,C,KH,KW) += scale * grad, which is (kernel_h*kernel_w*c x o). */
void columns_add_weights(const struct conv2d_dims *dims, const float *grad, float *weight_grad);

#endif
