/* See model.h. */
#include "core/nn/model.h"

#include <stdio.h>

#include "core/nn/click_pyramid.h"
#include "core/nn/refinement.h"
#include "core/nn/vgg.h"
#include "core/ops/ops.h"
#include "core/quantize.h"

const char *const trunk_names[] = {"squeezenet1_0", "squeezenet1_1", "vgg16", NULL};
const char *const decoder_names[] = {"transposed", "sharpmask", "sharpmask_light", "fcn8s", NULL};
const char *const freeze_names[] = {"none", "half", "quarter", "eighth", "all", NULL};
const char *const click_entry_names[] = {"stem", "stem_coarse", "eighth", "sixteenth", "coarse", NULL};

void model_config_init(struct model_config *config)
{
	*config = (struct model_config){
		.trunk = TRUNK_SQUEEZENET1_1,
		.decoder = DECODER_SHARPMASK_LIGHT,
		.trunk_width = 1,
		.widths = {64, 48, 32, 16},
		.context_width = 96,
		.global_context = true,
		.click_entry = CLICK_ENTRY_STEM_COARSE,
		.click_planes = 3,
		.feature_scale = 1.0 / 32,
	};
}

static struct nn_trunk trunk_of(const struct model_config *config)
{
	return (struct nn_trunk){config->trunk, config->trunk_width, config->freeze};
}

/* The clicks' part of the first convolution, added to the image's: the same function as one convolution over 3 + P
 * planes, but the image's part keeps its published name and shape, and need not be computed again when only clicks
 * change. */
static int add_to_stem(struct nn *nn, const struct model *model, const struct model_config *config, int stem)
{
	struct nn_trunk trunk = trunk_of(config);
	struct nn_conv2d conv = nn_trunk_stem_conv(&trunk);
	conv.no_bias = true; /* features.0 has one */
	conv.relu = true;
	nn->group = PARAM_DECODER; /* not pretrained: it learns at the full rate */
	nn->frozen = false;
	stem = nn_conv2d_add(nn, "clicks.stem", model->clicks, stem, conv);
	nn->group = PARAM_TRUNK;
	return stem;
}

static bool has_clicks(const struct model_config *config)
{
	return config->classes == 0;
}

static bool enters_late(const struct model_config *config)
{
	return has_clicks(config) && config->click_entry >= CLICK_ENTRY_EIGHTH;
}

static int logit_channels(const struct model_config *config)
{
	return has_clicks(config) ? 1 : config->classes;
}

/* Where clicks enter late: their pyramid, down to the map that they enter at. */
static void build_pyramid(struct nn *nn, struct model *model, const struct model_config *config)
{
	for (int i = 0; i < CLICK_PYRAMID_LEVELS; i++)
		model->pyramid[i] = -1;
	if (!enters_late(config))
		return;
	nn->group = PARAM_DECODER;
	nn_click_pyramid(nn, model->clicks, config->click_entry == CLICK_ENTRY_EIGHTH ? 3 : 4, model->pyramid);
}

static void build_trunk(struct nn *nn, struct model *model, const struct model_config *config)
{
	build_pyramid(nn, model, config);
	nn->group = PARAM_TRUNK;
	nn->frozen = config->freeze >= FREEZE_HALF;
	bool alone = !has_clicks(config) || enters_late(config);
	struct nn_trunk trunk = trunk_of(config);
	int stem = nn_trunk_stem(nn, &trunk, model->image, alone);
	if (!alone)
		stem = add_to_stem(nn, model, config, stem);
	int level = config->click_entry == CLICK_ENTRY_EIGHTH ? 2 : 3;
	int planes = config->click_entry == CLICK_ENTRY_COARSE ? -1 : model->pyramid[level];
	model->maps = nn_trunk_maps(nn, &trunk, stem, (struct nn_trunk_entry){planes, level});
	nn->group = PARAM_DECODER;
}

/* Two dilated convolutions (rates 2 and 4) and a global average, so that the coarsest map knows what lies around: Yu
 * & Koltun, ICLR 2016; Liu et al., "ParseNet", 2015. */
static int build_context(struct nn *nn, const struct model_config *config, struct nn_features coarse)
{
	int width = config->context_width;
	struct nn_conv2d reduce = {.channels = width, .kernel = 1, .input_scale = coarse.scale};
	int x = nn_conv2d_block(nn, "decoder.context.reduce", coarse.map, reduce);
	for (int rate = 2; rate <= 4; rate *= 2) {
		char name[64];
		snprintf(name, sizeof name, "decoder.context.dilated%d", rate);
		struct nn_conv2d conv = {.channels = width, .kernel = 3, .padding = rate, .dilation = rate};
		x = nn_add(nn, name, x, nn_conv2d_block(nn, name, x, conv));
	}
	if (!config->global_context)
		return x;
	int average = nn_global_avg_pool2d(nn, "decoder.context.global", x);
	average = nn_conv2d(nn, "decoder.context.global", average,
			    (struct nn_conv2d){.channels = width, .kernel = 1, .relu = true});
	return nn_add(nn, "decoder.context.global", x, average);
}

/* What the decoder starts from: trunk map, with the click planes beside it if the config says so, dropout, context. */
static struct nn_features build_coarse(struct nn *nn, struct model *model, const struct model_config *config)
{
	int x = model->maps.sixteenth;
	if (has_clicks(config) && config->click_entry == CLICK_ENTRY_COARSE)
		x = nn_trunk_entry(nn, model->pyramid[3], x);
	if (has_clicks(config) && config->click_entry != CLICK_ENTRY_STEM) {
		int planes = nn_max_pool2d(nn, "clicks.coarse", model->clicks, MODEL_STRIDE, MODEL_STRIDE, false);
		x = nn_concat(nn, "decoder.coarse", x, planes);
	}
	x = nn_dropout(nn, "decoder.dropout", x, config->dropout);
	struct nn_features coarse = {x, config->feature_scale};
	return config->context_width ? (struct nn_features){build_context(nn, config, coarse), 1} : coarse;
}

/* What a stage of the decoder takes from the trunk; stages go from coarse to fine. */
static struct nn_features features_of(const struct model *model, const struct model_config *config, int stage)
{
	const int maps[] = {model->maps.sixteenth, model->maps.eighth, model->maps.quarter, model->maps.half};
	return (struct nn_features){maps[stage], config->feature_scale};
}

/* The clicks of a stage's resolution, where the decoder sees them. */
static struct nn_features clicks_of(const struct model *model, const struct model_config *config, int stage)
{
	return (struct nn_features){model->pyramid[DECODER_STAGES - 1 - stage], config->feature_scale};
}

static int build_light(struct nn *nn, const struct model *model, const struct model_config *config,
		       struct nn_features coarse)
{
	struct nn_conv2d first = {.channels = config->widths[0],
				  .kernel = 3,
				  .padding = 1,
				  .input_scale = coarse.scale};
	int m = nn_conv2d_block(nn, "decoder.coarse", coarse.map, first);
	for (int stage = 1; stage < DECODER_STAGES; stage++) {
		char name[64];
		snprintf(name, sizeof name, "decoder.refine%d", stage);
		m = nn_refinement_light(nn, name, m, features_of(model, config, stage), clicks_of(model, config, stage),
					config->widths[stage]);
	}
	struct nn_conv2d conv = {.channels = config->widths[DECODER_STAGES - 1], .kernel = 3, .padding = 1};
	m = nn_conv2d_block(nn, "decoder.head", m, conv);
	m = nn_conv2d(nn, "decoder.logits", m,
		      (struct nn_conv2d){.channels = logit_channels(config),
					 .kernel = 3,
					 .padding = 1,
					 .near_zero = true});
	return nn_upsample(nn, "logits", m, 2, UPSAMPLE_BILINEAR);
}

static int build_published(struct nn *nn, const struct model *model, const struct model_config *config,
			   struct nn_features coarse)
{
	struct nn_conv2d first = {.channels = config->widths[0], .kernel = 1, .input_scale = coarse.scale};
	int m = nn_conv2d_block(nn, "decoder.coarse", coarse.map, first);
	for (int stage = 0; stage < DECODER_STAGES; stage++) {
		char name[64];
		snprintf(name, sizeof name, "decoder.refine%d", stage + 1);
		m = nn_refinement_published(nn, name, m, features_of(model, config, stage),
					    clicks_of(model, config, stage), stage == DECODER_STAGES - 1);
	}
	return nn_conv2d(nn, "decoder.logits", m,
			 (struct nn_conv2d){.channels = logit_channels(config),
					    .kernel = 3,
					    .padding = 1,
					    .near_zero = true});
}

/* A score for each place of a map: one channel per class, or one. */
static int score(struct nn *nn, const struct model_config *config, const char *name, int map, double scale)
{
	return nn_conv2d(nn, name, map,
			 (struct nn_conv2d){.channels = logit_channels(config),
					    .kernel = 1,
					    .near_zero = true,
					    .input_scale = scale});
}

static int build_transposed(struct nn *nn, const struct model_config *config, struct nn_features coarse)
{
	int channels = logit_channels(config);
	int x = score(nn, config, "decoder.score", coarse.map, coarse.scale);
	return nn_conv_transpose2d(nn, "decoder.logits", x, channels, 2 * MODEL_STRIDE, MODEL_STRIDE, MODEL_STRIDE / 2);
}

/* All layers learn at once, with the scores of the finer maps scaled down as the authors do it then
 * (github.com/shelhamer/fcn.berkeleyvision.org, voc-fcn8s-atonce). */
static int build_fcn8s(struct nn *nn, const struct model *model, const struct model_config *config)
{
	static const double pool4_scale = 0.01, pool3_scale = 0.0001;
	int channels = logit_channels(config);
	struct nn_trunk trunk = trunk_of(config);
	nn->group = PARAM_TRUNK;
	int x = nn_vgg16_classifier(nn, &trunk, model->maps.pool5, config->dropout);
	nn->group = PARAM_DECODER;
	x = score(nn, config, "decoder.score", x, 1);
	x = nn_conv_transpose2d(nn, "decoder.upscore2", x, channels, 4, 2, 1);
	x = nn_add(nn, "decoder.fuse_pool4", x,
		   score(nn, config, "decoder.score_pool4", model->maps.pool4, pool4_scale));
	x = nn_conv_transpose2d(nn, "decoder.upscore_pool4", x, channels, 4, 2, 1);
	x = nn_add(nn, "decoder.fuse_pool3", x,
		   score(nn, config, "decoder.score_pool3", model->maps.pool3, pool3_scale));
	return nn_conv_transpose2d(nn, "decoder.logits", x, channels, 16, 8, 4);
}

static int build_decoder(struct nn *nn, const struct model *model, const struct model_config *config,
			 struct nn_features coarse)
{
	switch (config->decoder) {
	case DECODER_TRANSPOSED: return build_transposed(nn, config, coarse);
	case DECODER_SHARPMASK: return build_published(nn, model, config, coarse);
	case DECODER_SHARPMASK_LIGHT: return build_light(nn, model, config, coarse);
	case DECODER_FCN8S: return build_fcn8s(nn, model, config);
	}
	return -1;
}

/* Behind the logits, so that nothing that is deployed depends on it: its parameters are the last. */
static int build_coarse_head(struct nn *nn, const struct model_config *config, struct nn_features coarse)
{
	int x = score(nn, config, "decoder.coarse_head", coarse.map, coarse.scale);
	return nn_upsample(nn, "coarse_logits", x, MODEL_STRIDE, UPSAMPLE_BILINEAR);
}

int model_stride(const struct model_config *config)
{
	return config->decoder == DECODER_FCN8S ? 2 * MODEL_STRIDE : MODEL_STRIDE;
}

enum status model_check(const struct model_config *config)
{
	bool vgg = config->trunk == TRUNK_VGG16, fcn = config->decoder == DECODER_FCN8S;
	if (fcn && !vgg)
		return status_fail(STATUS_CONFIG,
				   "model.trunk: expected \"vgg16\" with model.decoder \"fcn8s\", found \"%s\"",
				   trunk_names[config->trunk]);
	if (vgg && has_clicks(config) && config->click_entry > (fcn ? CLICK_ENTRY_STEM : CLICK_ENTRY_STEM_COARSE))
		return status_fail(
			STATUS_CONFIG,
			"model.click_entry: expected \"stem\"%s with model.trunk \"vgg16\" and model.decoder "
			"\"%s\", found \"%s\"",
			fcn ? "" : " or \"stem_coarse\"", decoder_names[config->decoder],
			click_entry_names[config->click_entry]);
	if (fcn && config->coarse_head)
		return status_fail(STATUS_CONFIG, "loss.coarse_weight: expected 0 with model.decoder \"fcn8s\"");
	return STATUS_OK;
}

enum status model_build(struct model *model, struct params *params, const struct model_config *config, int n, int h,
			int w)
{
	int stride = model_stride(config);
	if (h % stride || w % stride || h <= 0 || w <= 0 || n <= 0)
		return status_fail(STATUS_CONFIG, "model input: expected sides that are multiples of %d, found %d x %d",
				   stride, w, h);
	TRY(model_check(config));
	*model = (struct model){0};
	graph_init(&model->graph, params);
	struct nn nn = {.graph = &model->graph, .batch_norm = config->batch_norm};
	model->image = graph_input(&model->graph, "image", (struct shape){n, 3, h, w});
	graph_fix(&model->graph, model->image);
	model->clicks = -1;
	if (has_clicks(config))
		model->clicks = graph_input(&model->graph, "clicks", (struct shape){n, config->click_planes, h, w});
	build_trunk(&nn, model, config);
	nn.activation = config->activation ? activations[config->activation] : NULL;
	struct nn_features coarse = {-1, 1};
	if (config->decoder != DECODER_FCN8S)
		coarse = build_coarse(&nn, model, config);
	model->logits = build_decoder(&nn, model, config, coarse);
	graph_keep(&model->graph, model->logits);
	if (config->quantize)
		graph_quantize(&model->graph, model->logits);
	model->coarse = config->coarse_head ? build_coarse_head(&nn, config, coarse) : -1;
	enum status status = model->graph.status;
	if (status)
		model_release(model);
	return status;
}

void model_release(struct model *model)
{
	graph_release(&model->graph);
	model->logits = -1;
}
