/* An optimiser's update rule, private to core/optim*.c. To add one: a file core/optim_NAME.c with its formula, and
 * a line in core/optim_list.h. */
#ifndef CORE_OPTIM_RULE_H
#define CORE_OPTIM_RULE_H

#include <stddef.h>
#include <stdint.h>

struct optim_config; /* core/optim.h, which a rule's file includes */

/* Floats of one parameter (all of them or a part) and what the rule needs to know about them. */
struct optim_span {
	float *values, *first, *second; /* `second` NULL unless the rule wants it */
	const float *grads;
	size_t count;
	double grad_scale;   /* of clipping: multiplies the gradient first */
	double lr;           /* of this parameter's group */
	double weight_decay; /* 0 where the parameter does not decay */
	uint64_t step;       /* 1 in the first one */
};

/* Updates values, first and second. Element by element in float32, each with the same additions, multiplications,
 * divisions and square roots, in a kernel (core/kernels/optim.c); factors that are the same for all are formed in
 * double. */
typedef void optim_rule(const struct optim_config *config, const struct optim_span *span);

#define OPTIM(KIND, name, has_second) optim_rule optim_##name;
#include "core/optim_list.h"
#undef OPTIM

#endif
