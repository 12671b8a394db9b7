/* The table of one instruction set. */
#include "core/kernels.h"
#include "core/kernels/kernel.h"
#include "core/kernels/vec.h"

#define KERNEL_STRING_(name) #name
#define KERNEL_STRING(name) KERNEL_STRING_(name)

extern const struct kernels KERNEL(kernels_table);

const struct kernels KERNEL(kernels_table) = {
	.isa = KERNEL_STRING(KERNEL_ISA),
	.lanes = VEC_LANES,
#define KERNEL_FUNCTION(type, name, arguments) .name = KERNEL(name),
#include "core/kernels/kernel_list.h"
#undef KERNEL_FUNCTION
};
