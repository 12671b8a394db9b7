/* 3x3 convolutions of stride 1 with a quarter of the multiplications. Called by conv2d.c for steps that
 * infer_winograd_suits; the arguments are those of struct infer_kernel. */
#ifndef INFER_KERNELS_WINOGRAD_H
#define INFER_KERNELS_WINOGRAD_H

#include <stdbool.h>

#include "kernels.h"

bool infer_winograd_suits(const struct infer_step *conv2d, const struct infer_tensor *weight);
size_t infer_winograd_packed(const struct infer_call *call);
void infer_winograd_pack(const struct infer_call *call, void *packed);
int infer_winograd_row_step(const struct infer_call *call);
size_t infer_winograd_scratch(const struct infer_call *call);
void infer_winograd(const struct infer_call *call, int first, int end, void *scratch);

#endif
