/* What a tapcut_model is inside. */
#ifndef INFER_MODEL_H
#define INFER_MODEL_H

#include "network.h"

struct tapcut_model {
	struct infer_network network;
};

#endif
