/* Where clicks enter the model, and how much of it a second tap computes anew. */
#include "core/nn/model.h"
#include "tests/support/test.h"

static void build(struct model *model, struct params *params, enum click_entry entry, enum decoder_kind decoder)
{
	struct model_config config;
	model_config_init(&config);
	config.click_entry = entry;
	config.decoder = decoder;
	params_init(params);
	ck_assert_msg(model_build(model, params, &config, 1, 64, 64) == STATUS_OK, "%s", status_message());
}

static double macs_of(const struct graph *graph, const struct node *node)
{
	if (!node->op || !node->op->macs)
		return 0;
	struct op_call call = {.attr = node->attr, .out.shape = node->shape};
	for (int i = 0; i < node->input_count; i++)
		call.in[i].shape = graph->nodes[node->inputs[i]].shape;
	for (int i = 0; i < node->param_count; i++)
		call.param[i].shape = graph->params->items[node->params[i]].shape;
	return node->op->macs(&call);
}

/* The multiply-adds that the clicks decide over all. */
static double share_per_tap(const struct model *model)
{
	bool depends[512] = {[0] = false};
	double all = 0, per_tap = 0;
	ck_assert_int_le(model->graph.node_count, 512);
	for (int i = 0; i < model->graph.node_count; i++) {
		const struct node *node = &model->graph.nodes[i];
		depends[i] = i == model->clicks;
		for (int k = 0; k < node->input_count; k++)
			depends[i] |= depends[node->inputs[k]];
		all += macs_of(&model->graph, node);
		/* an addend costs none */
		per_tap += node->input_count && depends[node->inputs[0]] ? macs_of(&model->graph, node) : 0;
	}
	ck_assert(depends[model->logits]);
	return per_tap / all;
}

/* Of SqueezeNet v1.1 with the light decoder: 96, 67, 48 and 26 percent. */
START_TEST(test_late_clicks_leave_work_done)
{
	static const double most[] = {[CLICK_ENTRY_STEM] = 0.97,
				      [CLICK_ENTRY_STEM_COARSE] = 0.97,
				      [CLICK_ENTRY_EIGHTH] = 0.67,
				      [CLICK_ENTRY_SIXTEENTH] = 0.49,
				      [CLICK_ENTRY_COARSE] = 0.3};
	struct model model;
	struct params params;
	build(&model, &params, (enum click_entry)_i, DECODER_SHARPMASK_LIGHT);
	double share = share_per_tap(&model);
	ck_assert_msg(share > 0.1 && share < most[_i], "%s: %g of the multiply-adds per tap, expected at most %g",
		      click_entry_names[_i], share, most[_i]);
	model_release(&model);
	params_release(&params);
}
END_TEST

/* A trunk's published weights fill the same parameters wherever clicks enter. */
START_TEST(test_trunk_parameters_stay)
{
	struct model stem, late;
	struct params stem_params, late_params;
	build(&stem, &stem_params, CLICK_ENTRY_STEM, DECODER_TRANSPOSED);
	build(&late, &late_params, (enum click_entry)_i, DECODER_TRANSPOSED);
	int trunk = 0;
	for (int i = 0; i < stem_params.count; i++) {
		if (stem_params.items[i].group != PARAM_TRUNK)
			continue;
		int same = params_find(&late_params, stem_params.items[i].name);
		ck_assert_msg(same >= 0, "%s lacks %s", click_entry_names[_i], stem_params.items[i].name);
		ck_assert(shape_equal(stem_params.items[i].shape, late_params.items[same].shape));
		trunk++;
	}
	for (int i = 0; i < late_params.count; i++)
		trunk -= late_params.items[i].group == PARAM_TRUNK;
	ck_assert_int_eq(trunk, 0);
	model_release(&stem);
	model_release(&late);
	params_release(&stem_params);
	params_release(&late_params);
}
END_TEST

/* Some of the parameters that the papers and torchvision's file have, of 21 classes. */
static const struct {
	const char *name;
	struct shape shape;
} fcn8s_params[] = {
	{"features.0.weight", {64, 3, 3, 3}},
	{"features.7.weight", {128, 128, 3, 3}},
	{"features.28.bias", {512, 1, 1, 1}},
	{"classifier.0.weight", {4096, 512, 7, 7}},
	{"classifier.3.weight", {4096, 4096, 1, 1}},
	{"decoder.score.weight", {21, 4096, 1, 1}},
	{"decoder.score_pool4.weight", {21, 512, 1, 1}},
	{"decoder.score_pool3.weight", {21, 256, 1, 1}},
	{"decoder.upscore2.weight", {21, 21, 4, 4}},
	{"decoder.logits.weight", {21, 21, 16, 16}},
};

/* 21 classes, or clicks. */
static struct model_config fcn8s_config(int classes)
{
	struct model_config config;
	model_config_init(&config);
	config.trunk = TRUNK_VGG16;
	config.decoder = DECODER_FCN8S;
	config.click_entry = CLICK_ENTRY_STEM;
	config.click_planes = 2;
	config.classes = classes;
	return config;
}

/* VGG-16 without its last layer has 134,260,544 parameters; then the scores and the way up, and the clicks' stem. */
START_TEST(test_fcn8s_of_full_width)
{
	static const size_t more[] = {21 * (4096 + 512 + 256 + 3) + 21 * 21 * (16 + 16 + 256) + 3 * 21,
				      4096 + 512 + 256 + 3 + 16 + 16 + 256 + 3 + 64 * 2 * 9};
	struct model_config config = fcn8s_config(_i ? 0 : 21);
	struct model model;
	struct params params;
	params_init(&params);
	ck_assert_msg(model_build(&model, &params, &config, 1, 64, 96) == STATUS_OK, "%s", status_message());
	ck_assert(shape_equal(model.graph.nodes[model.logits].shape, (struct shape){1, _i ? 1 : 21, 64, 96}));
	for (size_t i = 0; i < sizeof fcn8s_params / sizeof *fcn8s_params && !_i; i++) {
		int index = params_find(&params, fcn8s_params[i].name);
		ck_assert_msg(index >= 0 && shape_equal(params.items[index].shape, fcn8s_params[i].shape), "%s",
			      fcn8s_params[i].name);
	}
	ck_assert_int_eq(params_find(&params, "clicks.stem.weight") >= 0, _i);
	ck_assert_uint_eq(params.total, 134260544 + more[_i]);
	model_release(&model);
	params_release(&params);
}
END_TEST

START_TEST(test_fcn8s_refuses)
{
	struct model_config config = fcn8s_config(0);
	struct model model;
	struct params params;
	params_init(&params);
	ck_assert_int_eq(model_build(&model, &params, &config, 1, 48, 96), STATUS_CONFIG); /* no multiple of 32 */
	config.click_entry = CLICK_ENTRY_EIGHTH;
	ck_assert_int_eq(model_build(&model, &params, &config, 1, 64, 96), STATUS_CONFIG);
	config = fcn8s_config(0);
	config.trunk = TRUNK_SQUEEZENET1_1;
	ck_assert_int_eq(model_build(&model, &params, &config, 1, 64, 96), STATUS_CONFIG);
	params_release(&params);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("model");
	TCase *tcase = tcase_create("click entry");
	tcase_add_loop_test(tcase, test_late_clicks_leave_work_done, CLICK_ENTRY_STEM, CLICK_ENTRY_COARSE + 1);
	tcase_add_loop_test(tcase, test_trunk_parameters_stay, CLICK_ENTRY_STEM_COARSE, CLICK_ENTRY_COARSE + 1);
	tcase_add_loop_test(tcase, test_fcn8s_of_full_width, 0, 2);
	tcase_add_test(tcase, test_fcn8s_refuses);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
