/* The parameters of a model: named tensors in one flat array, so that a gradient buffer, an optimiser's moments or
 * an averaged copy is just another array of `total` floats with the same offsets. Names of the trunk equal
 * torchvision's. */
#ifndef CORE_PARAMS_H
#define CORE_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"
#include "core/tensor.h"

enum param_group { PARAM_TRUNK, PARAM_DECODER, PARAM_GROUP_COUNT }; /* own learning rate each */

enum param_kind {
	PARAM_WEIGHT, /* decays where the optimiser has weight decay */
	PARAM_BIAS,   /* never decays (also: scale and shift of a normalisation) */
	PARAM_BUFFER, /* not optimised: running mean and variance; its "gradient" slot carries the batch's statistic */
};

enum param_init {
	PARAM_INIT_ZERO,
	PARAM_INIT_ONE,
	PARAM_INIT_HE_NORMAL, /* normal, variance 2 / fan_in: He et al., ICCV 2015, eq. 10 */
	/* normal, deviation 0.01: a layer that gives logits starts undecided (Lin et al., ICCV 2017, 4.1) */
	PARAM_INIT_SMALL,
	PARAM_INIT_BILINEAR, /* conv_transpose2d weight as bilinear interpolation: Long et al., CVPR 2015 */
};

struct param {
	char name[64];
	struct shape shape; /* weight: O,I,KH,KW (conv_transpose2d: I,O,KH,KW); vector: C,1,1,1 */
	size_t offset;      /* first float in the flat array */
	enum param_group group;
	enum param_kind kind;
	enum param_init init;
	bool frozen; /* keeps the value that it has: no gradient is computed for it, no step changes it */
};

struct params {
	struct param *items;
	int count;
	size_t total;  /* floats in all */
	float *values; /* owned; NULL until params_alloc */
};

void params_init(struct params *params);
void params_release(struct params *params);

/* Adds a parameter, or finds the one of that name (a second graph over the same model). The index, or -1 with a message
 * when the name is taken by another shape, too long, or memory is out. Not after params_alloc unless it exists. */
int params_add(struct params *params, const char *name, struct shape shape, enum param_group group,
	       enum param_kind kind, enum param_init init);

/* The index of `name`, or -1. */
int params_find(const struct params *params, const char *name);

/* Copies what both have by name and shape: from_values and to_values are arrays of from->total and to->total floats.
 * Returns how many of to's parameters were found. */
int params_carry(const struct params *from, const float *from_values, const struct params *to, float *to_values);

/* Allocates `values` and fills them from their param_init, keyed by (seed, name): independent of the order of
 * adding. */
enum status params_alloc(struct params *params, uint64_t seed);

#endif
