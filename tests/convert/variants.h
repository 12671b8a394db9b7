/* The model variants that a config can choose, for tests of export and parity. Widths are small where the config allows
 * it. */
#ifndef TESTS_CONVERT_VARIANTS_H
#define TESTS_CONVERT_VARIANTS_H

#include <check.h>
#include <stdio.h>

#include "convert/export.h"
#include "core/ops/ops.h"
#include "core/rng.h"

struct variant {
	const char *name;
	enum trunk_kind trunk;
	enum decoder_kind decoder;
	enum click_entry click_entry;
	int click_planes;
	int context_width;
	bool global_context, batch_norm;
	double dropout;
	const char *activation; /* NULL: relu */
	int classes;            /* 0: what is clicked */
};

static const struct variant variants[] = {
	{"default", TRUNK_SQUEEZENET1_1, DECODER_SHARPMASK_LIGHT, CLICK_ENTRY_STEM_COARSE, 3, 96, true, false, 0, NULL,
	 0},
	{"stem", TRUNK_SQUEEZENET1_1, DECODER_SHARPMASK_LIGHT, CLICK_ENTRY_STEM, 2, 0, false, false, 0.2, NULL, 0},
	{"norm", TRUNK_SQUEEZENET1_1, DECODER_SHARPMASK_LIGHT, CLICK_ENTRY_STEM_COARSE, 3, 32, true, true, 0.1, NULL,
	 0},
	{"sharpmask", TRUNK_SQUEEZENET1_1, DECODER_SHARPMASK, CLICK_ENTRY_STEM, 3, 0, false, false, 0, NULL, 0},
	{"sharpmask norm", TRUNK_SQUEEZENET1_1, DECODER_SHARPMASK, CLICK_ENTRY_STEM_COARSE, 2, 32, false, true, 0, NULL,
	 0},
	{"transposed", TRUNK_SQUEEZENET1_1, DECODER_TRANSPOSED, CLICK_ENTRY_STEM, 3, 0, false, false, 0, NULL, 0},
	{"transposed norm", TRUNK_SQUEEZENET1_1, DECODER_TRANSPOSED, CLICK_ENTRY_STEM_COARSE, 3, 32, true, true, 0.5,
	 NULL, 0},
	{"v1.0", TRUNK_SQUEEZENET1_0, DECODER_SHARPMASK_LIGHT, CLICK_ENTRY_STEM_COARSE, 3, 32, true, false, 0, NULL, 0},
	{"eighth", TRUNK_SQUEEZENET1_1, DECODER_SHARPMASK_LIGHT, CLICK_ENTRY_EIGHTH, 3, 32, true, false, 0, NULL, 0},
	{"sixteenth", TRUNK_SQUEEZENET1_0, DECODER_SHARPMASK, CLICK_ENTRY_SIXTEENTH, 2, 32, true, true, 0, NULL, 0},
	{"coarse", TRUNK_SQUEEZENET1_1, DECODER_SHARPMASK_LIGHT, CLICK_ENTRY_COARSE, 3, 32, true, false, 0, NULL, 0},
	{"gelu", TRUNK_SQUEEZENET1_1, DECODER_SHARPMASK_LIGHT, CLICK_ENTRY_STEM_COARSE, 3, 32, true, true, 0, "gelu",
	 0},
	{"hard_swish", TRUNK_SQUEEZENET1_1, DECODER_SHARPMASK, CLICK_ENTRY_STEM, 3, 0, false, false, 0, "hard_swish",
	 0},
	{"v1.0 sharpmask", TRUNK_SQUEEZENET1_0, DECODER_SHARPMASK, CLICK_ENTRY_STEM, 3, 0, false, true, 0, NULL, 0},
	{"fcn8s", TRUNK_VGG16, DECODER_FCN8S, CLICK_ENTRY_STEM, 3, 0, false, false, 0.5, NULL, 0},
	{"vgg16", TRUNK_VGG16, DECODER_SHARPMASK_LIGHT, CLICK_ENTRY_STEM_COARSE, 3, 32, true, false, 0, NULL, 0},
	{"labels", TRUNK_SQUEEZENET1_1, DECODER_SHARPMASK_LIGHT, CLICK_ENTRY_STEM, 3, 32, true, false, 0, NULL, 7},
	{"fcn8s labels", TRUNK_VGG16, DECODER_FCN8S, CLICK_ENTRY_STEM, 3, 0, false, false, 0, NULL, 21},
};

enum { VARIANT_COUNT = sizeof variants / sizeof variants[0], VARIANT_BUILD_SIZE = 64 };

static const char variant_categories[20][32] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j",
						"k", "l", "m", "n", "o", "p", "q", "r", "s", "t"};

struct variant_model {
	struct model_config config;
	struct params params;
	struct model model;
	struct export_options options;
};

static inline struct model_config variant_config(const struct variant *v)
{
	struct model_config config;
	model_config_init(&config);
	config.trunk = v->trunk;
	config.decoder = v->decoder;
	config.click_entry = v->click_entry;
	config.click_planes = v->click_planes;
	config.context_width = v->context_width;
	config.global_context = v->global_context;
	config.batch_norm = v->batch_norm;
	config.dropout = v->dropout;
	config.trunk_width = 1.0 / 16; /* of VGG-16 alone */
	config.classes = v->classes;
	for (int i = 0; v->activation && activation_names[i]; i++)
		if (strcmp(activation_names[i], v->activation) == 0)
			config.activation = i;
	return config;
}

/* As after some training: biases, normalisations and their statistics are no longer what they were initialised to. */
static inline void variant_disturb(struct params *params)
{
	for (int i = 0; i < params->count; i++) {
		const struct param *p = &params->items[i];
		struct rng rng = rng_stream(11, 0, (uint64_t)i, RNG_TEST);
		for (size_t k = 0; p->kind != PARAM_WEIGHT && k < shape_count(p->shape); k++)
			params->values[p->offset + k] += rng_range(&rng, -0.1f, 0.3f);
	}
}

static inline void variant_model_init(struct variant_model *m, int variant)
{
	m->config = variant_config(&variants[variant]);
	params_init(&m->params);
	enum status status = model_build(&m->model, &m->params, &m->config, 1, VARIANT_BUILD_SIZE, VARIANT_BUILD_SIZE);
	ck_assert_msg(status == STATUS_OK, "%s: %s", variants[variant].name, status_message());
	ck_assert_int_eq(params_alloc(&m->params, 7), STATUS_OK);
	variant_disturb(&m->params);
	m->options = (struct export_options){
		.preprocess = {.bgr = 1,
			       .mean = {104, 117, 123},
			       .scale = {1, 1, 1},
			       .radius = 5,
			       .truncate = 64,
			       .click_scale = 64,
			       .previous_mask = m->config.click_planes == 3},
		.default_size = 128,
		.categories = variant_categories,
	};
}

static inline void variant_model_release(struct variant_model *m)
{
	model_release(&m->model);
	params_release(&m->params);
}

#endif
