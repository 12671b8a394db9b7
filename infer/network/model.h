/* What a tapcut_model is inside. */
#ifndef INFER_MODEL_H
#define INFER_MODEL_H

#include "network.h"
#include "../tapcut.h"

struct tapcut_model {
	struct infer_network network;
};

/* What TAPCUT_ARITHMETIC_AUTO means. */
static inline int infer_natural_arithmetic(const struct infer_network *network)
{
	return network->ranges ? TAPCUT_ARITHMETIC_INT8 : TAPCUT_ARITHMETIC_FLOAT;
}

#endif
