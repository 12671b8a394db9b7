/* The inner loops, compiled once per instruction set from one source each (core/kernels/) and chosen at run time.
 *
 * Every set gives the same bits: each output element is one chain of operations whose order depends on shapes alone;
 * only how many elements go side by side differs. core/kernels/README.md states the rule. */
#ifndef CORE_KERNELS_H
#define CORE_KERNELS_H

#include "core/kernels/avg_pool2d.h"
#include "core/kernels/channels.h"
#include "core/kernels/epilogue_grad.h"
#include "core/kernels/fma_peak.h"
#include "core/kernels/conv2d_single.h"
#include "core/kernels/gemm.h"
#include "core/kernels/layer_norm.h"
#include "core/kernels/losses.h"
#include "core/kernels/max_pool2d.h"
#include "core/kernels/optim.h"
#include "core/kernels/softmax.h"
#include "core/kernels/upsample.h"
#include "core/kernels/winograd.h"
#include "core/status.h"

struct kernels {
	const char *isa; /* "generic", "avx2", "avx512" */
	int lanes;       /* floats of one vector */
#define KERNEL_FUNCTION(type, name, arguments) type(*name) arguments;
#include "core/kernels/kernel_list.h"
#undef KERNEL_FUNCTION
};

/* The set in use: the one that TAPCUT_ISA names if this processor has it, else the best that it has. */
const struct kernels *kernels(void);

/* Chooses a set by name; NULL: what TAPCUT_ISA says, or the best one if it is unset. STATUS_CONFIG for a set that is
 * unknown or that this processor lacks. Call it before threads start and before anything is planned or prepared:
 * packed weights have the set's own layout. */
enum status kernels_select(const char *isa);

/* Whether this processor can run that set, and the names of all compiled sets, NULL-terminated, slowest first. */
bool kernels_supported(const char *isa);
extern const char *const kernels_names[];

#endif
