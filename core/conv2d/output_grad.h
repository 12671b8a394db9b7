/* The gradient of a convolution's sums, made in pieces: an algorithm asks for the rows it is about to read, so that
 * they are still in the cache when it does. */
#ifndef CORE_CONV2D_OUTPUT_GRAD_H
#define CORE_CONV2D_OUTPUT_GRAD_H

#include "core/backend.h"

/* Output rows [*done, end), counted through all samples, become readable in grad->data; *done becomes end. Rows must be
 * asked for in order, each once. */
void output_grad_rows(const struct conv2d_dims *dims, const struct conv2d_grad *grad, int *done, int end);

#endif
