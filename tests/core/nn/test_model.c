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

static Suite *make_suite(void)
{
	Suite *suite = suite_create("model");
	TCase *tcase = tcase_create("click entry");
	tcase_add_loop_test(tcase, test_late_clicks_leave_work_done, CLICK_ENTRY_STEM, CLICK_ENTRY_COARSE + 1);
	tcase_add_loop_test(tcase, test_trunk_parameters_stay, CLICK_ENTRY_STEM_COARSE, CLICK_ENTRY_COARSE + 1);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
