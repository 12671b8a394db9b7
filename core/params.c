/* The flat parameter array and its initial values. See core/params.h. */
#include "core/params.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"

void params_init(struct params *params)
{
	memset(params, 0, sizeof *params);
}

void params_release(struct params *params)
{
	free(params->items);
	free(params->values);
	params_init(params);
}

int params_find(const struct params *params, const char *name)
{
	for (int i = 0; i < params->count; i++)
		if (strcmp(params->items[i].name, name) == 0)
			return i;
	return -1;
}

static int find_with_shape(const struct params *params, int index, struct shape shape)
{
	struct shape have = params->items[index].shape;
	if (shape_equal(have, shape))
		return index;
	status_fail(STATUS_CONFIG, "parameter %s: expected shape (" SHAPE_FORMAT "), found (" SHAPE_FORMAT ")",
		    params->items[index].name, SHAPE_ARGS(shape), SHAPE_ARGS(have));
	return -1;
}

int params_add(struct params *params, const char *name, struct shape shape, enum param_group group,
	       enum param_kind kind, enum param_init init)
{
	int known = params_find(params, name);
	if (known >= 0)
		return find_with_shape(params, known, shape);
	assert(!params->values);
	if (strlen(name) >= sizeof params->items[0].name) {
		status_fail(STATUS_CONFIG, "parameter name too long: %s", name);
		return -1;
	}
	/* Grown in powers of two: full exactly when the count is one. */
	if ((params->count & (params->count - 1)) == 0) {
		size_t capacity = params->count ? (size_t)params->count * 2 : 1;
		struct param *items = realloc(params->items, capacity * sizeof *items);
		if (!items) {
			status_fail(STATUS_NO_MEMORY, "no memory for %zu parameters", capacity);
			return -1;
		}
		params->items = items;
	}
	struct param *param = &params->items[params->count];
	*param = (struct param){.shape = shape, .offset = params->total, .group = group, .kind = kind, .init = init};
	strcpy(param->name, name);
	params->total += shape_count(shape);
	return params->count++;
}

int params_carry(const struct params *from, const float *from_values, const struct params *to, float *to_values)
{
	int found = 0;
	for (int i = 0; i < to->count; i++) {
		const struct param *param = &to->items[i];
		int index = params_find(from, param->name);
		if (index < 0 || !shape_equal(from->items[index].shape, param->shape))
			continue;
		memcpy(to_values + param->offset, from_values + from->items[index].offset,
		       shape_count(param->shape) * sizeof *to_values);
		found++;
	}
	return found;
}

/* FNV-1a, cut to the 56 bits that a stream's sample number may have. */
static uint64_t name_hash(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
	return hash >> 8;
}

static void init_normal(float *values, struct shape shape, double deviation, uint64_t seed, const char *name)
{
	struct rng rng = rng_stream(seed, 0, name_hash(name), RNG_INIT);
	size_t count = shape_count(shape);
	for (size_t i = 0; i < count; i++)
		values[i] = (float)(deviation * rng_normal(&rng));
}

/* Each input channel to the output channel of its number: an even kernel of 2f upsamples by f as half-pixel bilinear
 * does. */
static void init_bilinear(float *values, struct shape shape)
{
	double centre = (shape.h - 1) / 2.0, factor = (shape.h + 1) / 2;
	memset(values, 0, shape_count(shape) * sizeof *values);
	for (int c = 0; c < shape.n && c < shape.c; c++) {
		float *plane = values + ((size_t)c * shape.c + c) * shape.h * shape.w;
		for (int y = 0; y < shape.h; y++)
			for (int x = 0; x < shape.w; x++)
				plane[y * shape.w + x] =
					(float)((1 - fabs(y - centre) / factor) * (1 - fabs(x - centre) / factor));
	}
}

static void init_values(const struct param *param, float *values, uint64_t seed)
{
	struct shape shape = param->shape;
	size_t count = shape_count(shape);
	switch (param->init) {
	case PARAM_INIT_ZERO: memset(values, 0, count * sizeof *values); break;
	case PARAM_INIT_ONE:
		for (size_t i = 0; i < count; i++)
			values[i] = 1;
		break;
	case PARAM_INIT_HE_NORMAL:
		init_normal(values, shape, sqrt(2.0 / ((double)shape.c * shape.h * shape.w)), seed, param->name);
		break;
	case PARAM_INIT_SMALL: init_normal(values, shape, 0.01, seed, param->name); break;
	case PARAM_INIT_BILINEAR: init_bilinear(values, shape); break;
	}
}

enum status params_alloc(struct params *params, uint64_t seed)
{
	assert(!params->values);
	params->values = malloc((params->total ? params->total : 1) * sizeof *params->values);
	if (!params->values)
		return status_fail(STATUS_NO_MEMORY, "no memory for %zu parameter values", params->total);
	for (int i = 0; i < params->count; i++)
		init_values(&params->items[i], params->values + params->items[i].offset, seed);
	return STATUS_OK;
}
