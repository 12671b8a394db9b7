/* For the sources in this folder only: each is compiled once per instruction set, with KERNEL_ISA set to its name and
 * the compiler's flags to match. KERNEL(relu) is relu_avx2 in the AVX2 object. */
#ifndef CORE_KERNELS_KERNEL_H
#define CORE_KERNELS_KERNEL_H

#include "core/kernels.h"

#define KERNEL_PASTE(name, isa) name##_##isa
#define KERNEL_EXPAND(name, isa) KERNEL_PASTE(name, isa)
#define KERNEL(name) KERNEL_EXPAND(name, KERNEL_ISA)

#define KERNEL_FUNCTION(type, name, arguments) type KERNEL(name) arguments;
#include "core/kernels/kernel_list.h"
#undef KERNEL_FUNCTION

#endif
