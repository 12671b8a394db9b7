/* For the sources in this folder only: each is compiled once per instruction set, with KERNEL_ISA set to its name and
 * the compiler's flags to match. KERNEL(relu) is relu_avx2 in the AVX2 object. */
#ifndef CORE_KERNELS_KERNEL_H
#define CORE_KERNELS_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The arguments' structs, by name only: a kernel includes the header that has its own (gemm.h and so on), and none has
 * to know the table of all kernels (core/kernels.h), which is made of them. */
struct adam_run;
struct avg_pool2d;
struct channel_normalise_grad;
struct conv2d_single_backward;
struct conv2d_single_forward;
struct epilogue_grad;
struct focal_block;
struct gemm;
struct gemm_source;
struct layer_norm;
struct layer_norm_grad;
struct max_pool2d;
struct overlap_block;
struct sgd_run;
struct softmax_block;
struct upsample;
struct winograd_epilogue;
struct winograd_filters;
struct winograd_map;
struct winograd_matrices;
struct winograd_products;
struct winograd_tile;

#define KERNEL_PASTE(name, isa) name##_##isa
#define KERNEL_EXPAND(name, isa) KERNEL_PASTE(name, isa)
#define KERNEL(name) KERNEL_EXPAND(name, KERNEL_ISA)

/* Before a loop: no pass of it needs what another one wrote, though the compiler cannot see that. */
#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

#define KERNEL_FUNCTION(type, name, arguments) type KERNEL(name) arguments;
#include "core/kernels/kernel_list.h"
#undef KERNEL_FUNCTION

#endif
