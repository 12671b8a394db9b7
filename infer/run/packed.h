/* Weights as the kernels read them, made once for a network and shared by all its runners; and what of the network's
 * steps is done inside of others, as far as that does not depend on sizes. */
#ifndef INFER_PACKED_H
#define INFER_PACKED_H

#include <stdbool.h>

#include "../kernels/kernels.h"

/* Of each step, NULL where its kernel packs nothing. */
struct infer_packed {
	void *memory;
	size_t bytes;
	const void *step[];
};

/* NULL before infer_network_pack. */
const struct infer_packed *infer_network_packed(const struct infer_network *network, int arithmetic);
void infer_network_unpack(struct infer_network *network);

/* Marks, in `fused` (one for each step), the scale steps that all their readers do themselves: conv2ds, in their
 * weights. None in 8 bits, where a scale rounds to its own range. */
void infer_find_fused_scales(const struct infer_network *network, int arithmetic, bool *fused);

/* If `value` is a fused scale's: what it scales, and by what; else the value itself and 1. */
int infer_unscaled(const struct infer_network *network, int value, const bool *fused, float *factor);

/* What a value's elements are (enum infer_element). */
int infer_value_element(const struct infer_network *network, int arithmetic, int value);

#endif
