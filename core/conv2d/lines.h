/* The lines of an image under one row of convolution windows, copied with the padding beside them: window i of the row
 * begins at float i * stride * c of every line and is kernel_w * c floats wide. */
#ifndef CORE_CONV2D_LINES_H
#define CORE_CONV2D_LINES_H

#include "core/backend.h"

/* Floats of one line. */
ptrdiff_t lines_width(const struct conv2d_dims *dims);

/* The kernel_h lines under output row `row` (counted through all samples), zeros where the image ends. */
void lines_copy(const struct conv2d_dims *dims, const float *x, int row, float *lines);

#endif
