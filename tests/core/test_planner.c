/* The planner's promise: buffers that live at the same time never share memory. Checked on every model variant by an
 * independent walk over the plan, and by running a training step in a poisoned arena against one in which nothing is
 * reused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/executor.h"
#include "core/nn/layers.h"
#include "core/nn/model.h"
#include "core/ops/ops.h"
#include "tests/support/gradcheck.h"
#include "tests/support/graph.h"
#include "tests/support/test.h"

static struct model_config variants[8];
static int variant_count;

static void add_variants(void)
{
	for (int decoder = DECODER_TRANSPOSED; decoder <= DECODER_SHARPMASK_LIGHT; decoder++)
		for (int trunk = TRUNK_SQUEEZENET1_0; trunk <= TRUNK_SQUEEZENET1_1; trunk++) {
			struct model_config config;
			model_config_init(&config);
			config.trunk = (enum trunk_kind)trunk;
			config.decoder = (enum decoder_kind)decoder;
			config.widths[0] = 32;
			config.click_entry = trunk ? CLICK_ENTRY_STEM_COARSE : CLICK_ENTRY_STEM;
			config.batch_norm = decoder == DECODER_SHARPMASK;
			config.dropout = decoder == DECODER_TRANSPOSED ? 0.25 : 0;
			variants[variant_count++] = config;
		}
	model_config_init(&variants[variant_count]);
	variants[variant_count].quantize = true;
	variants[variant_count++].click_entry = CLICK_ENTRY_EIGHTH;
}

/* A model of 32x32 with a loss, planned for training. */
static int build(struct model *model, struct params *params, const struct model_config *config)
{
	params_init(params);
	ck_assert_msg(model_build(model, params, config, 2, 32, 32) == STATUS_OK, "%s", status_message());
	struct nn nn = {.graph = &model->graph};
	int inputs[] = {model->logits, graph_input(&model->graph, "target", nn_shape(&nn, model->logits))};
	int loss = graph_add(&model->graph, &op_bce_with_logits, "loss", NULL, inputs, 2, NULL, 0);
	graph_keep(&model->graph, loss);
	ck_assert_msg(graph_plan(&model->graph, GRAPH_TRAINING) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(params_alloc(params, 7), STATUS_OK);
	for (int i = 0; i < params->count; i++) /* ranges that cut off much */
		if (config->quantize && params->items[i].kind == PARAM_BUFFER)
			memcpy(params->values + params->items[i].offset, (float[]){0, 12, 1}, sizeof(float[3]));
	return loss;
}

static void fill_inputs(const struct executor *executor, int seed)
{
	struct rng rng = rng_stream((uint64_t)seed, 0, 0, RNG_TEST);
	for (int i = 0; i < executor->graph->node_count; i++) {
		const struct node *node = &executor->graph->nodes[i];
		float *data = executor_data(executor, i);
		for (size_t k = 0; !node->op && k < shape_count(node->shape); k++)
			data[k] = strcmp(node->name, "target") ? rng_range(&rng, -50, 50) : (float)rng_below(&rng, 2);
	}
}

/* One step in an arena filled with `poison` first; returns the gradients (caller frees). */
static float *run_step(const struct graph *graph, const struct params *params, int loss, float poison,
		       float *loss_value)
{
	struct executor executor;
	ck_assert_int_eq(executor_init(&executor, graph), STATUS_OK);
	for (size_t i = 0; i < graph->arena_floats; i++)
		executor.arena[i] = poison;
	fill_inputs(&executor, 3);
	float *prepared = test_prepare(graph, params->values, NULL);
	struct pass pass = {.values = params->values,
			    .prepared = prepared,
			    .training = true,
			    .rng = rng_stream(1, 0, 0, RNG_DROPOUT)};
	executor_forward(&executor, &pass, loss); /* inputs must survive a first pass */
	pass.param_grads = calloc(params->total, sizeof(float));
	pass.quantize = true; /* where there are ranges */
	executor_forward(&executor, &pass, loss);
	*loss_value = *executor_data(&executor, loss);
	executor_backward(&executor, &pass, loss, 1);
	executor_release(&executor);
	free(prepared);
	return pass.param_grads;
}

/* The same graph with a private place for every buffer: nothing is reused, nothing in place, nothing inside a
 * concat. */
static void spread_out(struct graph *graph)
{
	size_t at = 0;
	for (int i = 0; i < graph->node_count; i++) {
		struct node *node = &graph->nodes[i];
		size_t room = (shape_count(node->shape) + 15) / 16 * 16;
		node->out_pitch = node->shape.c;
		node->data_offset = at;
		node->grad_offset = at + room;
		node->saved_offset = at + 2 * room;
		at += 4 * room + 1024; /* saved bytes: at most a few per output element */
	}
	size_t scratch = graph->arena_floats - graph->scratch_offset;
	graph->scratch_offset = at;
	graph->arena_floats = at + scratch;
}

START_TEST(test_reuse_changes_nothing)
{
	struct params params;
	struct model model;
	int loss = build(&model, &params, &variants[_i]);
	float value, spread_value;
	float *grads = run_step(&model.graph, &params, loss, NAN, &value);
	size_t planned = model.graph.scratch_offset;
	spread_out(&model.graph);
	float *spread = run_step(&model.graph, &params, loss, 1e30f, &spread_value);
	ck_assert(value == spread_value && isfinite(value));
	for (size_t i = 0; i < params.total; i++)
		ck_assert_msg(grads[i] == spread[i], "gradient %zu: %g in the plan, %g without reuse", i, grads[i],
			      spread[i]);
	ck_assert_uint_lt(planned, model.graph.scratch_offset / 2);
	free(grads);
	free(spread);
	model_release(&model);
	params_release(&params);
}
END_TEST

/* Two rounds in a poisoned arena: clicks change between them, and the gradients of both are added up. `again`: the
 * second does not compute anew what the photo alone decides. */
static float *run_rounds(const struct graph *graph, const struct model *model, const struct params *params, int loss,
			 bool again)
{
	struct executor executor;
	ck_assert_int_eq(executor_init(&executor, graph), STATUS_OK);
	for (size_t i = 0; i < graph->arena_floats; i++)
		executor.arena[i] = NAN;
	fill_inputs(&executor, 3);
	float *prepared = test_prepare(graph, params->values, NULL);
	struct pass pass = {.values = params->values, .prepared = prepared, .training = true};
	pass.rng = rng_stream(1, 0, 0, RNG_DROPOUT);
	pass.param_grads = calloc(params->total, sizeof(float));
	executor_forward(&executor, &pass, loss);
	executor_backward(&executor, &pass, loss, 1);
	pass.add_grads = true;
	test_fill(executor_data(&executor, model->clicks), shape_count(graph->nodes[model->clicks].shape), FILL_UNIFORM,
		  11);
	pass.again = again;
	executor_forward(&executor, &pass, loss);
	executor_backward(&executor, &pass, loss, 1);
	executor_release(&executor);
	free(prepared);
	return pass.param_grads;
}

START_TEST(test_again_changes_nothing)
{
	struct params params;
	struct model model;
	int loss = build(&model, &params, &variants[_i]);
	float *all = run_rounds(&model.graph, &model, &params, loss, false);
	float *again = run_rounds(&model.graph, &model, &params, loss, true);
	for (size_t i = 0; i < params.total; i++)
		ck_assert_msg(all[i] == again[i], "gradient %zu: %g, with what was kept %g", i, all[i], again[i]);
	free(all);
	free(again);
	model_release(&model);
	params_release(&params);
}
END_TEST

/* Logits do not change with the photo in a pass that is said to be of the same photo: nothing was computed from it. */
START_TEST(test_again_reads_no_fixed_input)
{
	struct params params;
	struct model model;
	int loss = build(&model, &params, &variants[_i]);
	struct executor executor;
	ck_assert_int_eq(executor_init(&executor, &model.graph), STATUS_OK);
	float *prepared = test_prepare(&model.graph, params.values, NULL);
	struct pass pass = {.values = params.values, .prepared = prepared};
	fill_inputs(&executor, 3);
	executor_forward(&executor, &pass, loss);
	float before = *executor_data(&executor, loss);
	memset(executor_data(&executor, model.image), 0,
	       shape_count(model.graph.nodes[model.image].shape) * sizeof(float));
	pass.again = true;
	executor_forward(&executor, &pass, loss);
	ck_assert(*executor_data(&executor, loss) == before);
	pass.again = false;
	executor_forward(&executor, &pass, loss);
	ck_assert(*executor_data(&executor, loss) != before);
	executor_release(&executor);
	free(prepared);
	model_release(&model);
	params_release(&params);
}
END_TEST

/* Parameters that are frozen have no gradient; that of the others has the same bits as if they were not. */
START_TEST(test_frozen_layers)
{
	struct params params, frozen_params;
	struct model model, frozen;
	struct model_config config = variants[_i];
	int loss = build(&model, &params, &config), stopped = 0;
	config.freeze = FREEZE_QUARTER;
	build(&frozen, &frozen_params, &config);
	float value, frozen_value;
	float *grads = run_step(&model.graph, &params, loss, NAN, &value);
	float *found = run_step(&frozen.graph, &frozen_params, loss, NAN, &frozen_value);
	ck_assert(value == frozen_value);
	for (int p = 0; p < params.count; p++) {
		const struct param *param = &frozen_params.items[p];
		stopped += param->frozen;
		for (size_t k = param->offset; k < param->offset + shape_count(param->shape); k++)
			ck_assert_msg(found[k] == (param->frozen ? 0 : grads[k]), "%s", param->name);
	}
	/* weights and biases of features.0 and of the three layers of each fire module at 1/4 */
	ck_assert_int_eq(stopped, 2 + 6 * (config.trunk == TRUNK_SQUEEZENET1_0 ? 3 : 2));
	free(grads);
	free(found);
	model_release(&model);
	model_release(&frozen);
	params_release(&params);
	params_release(&frozen_params);
}
END_TEST

/* A small graph with every case of a concat's inputs: one with a relu, one without, one that somebody else reads
 * too, and one that is kept; and in-place operators behind concats. */
struct joined {
	struct params params;
	struct graph graph;
	int rectified, plain, shared, kept, concat, scale, late, plain_concat, plain_scale, loss;
};

static void build_joined(struct joined *j)
{
	*j = (struct joined){0};
	params_init(&j->params);
	graph_init(&j->graph, &j->params);
	struct nn nn = {.graph = &j->graph};
	int x = graph_input(&j->graph, "x", (struct shape){2, 3, 6, 5});
	int y = nn_conv2d(&nn, "y", x, (struct nn_conv2d){.channels = 7, .kernel = 3, .padding = 1});
	j->rectified = nn_conv2d(&nn, "rectified", y, (struct nn_conv2d){.channels = 5, .kernel = 1, .relu = true});
	j->plain = nn_conv2d(&nn, "plain", y, (struct nn_conv2d){.channels = 4, .kernel = 3, .padding = 1});
	j->shared = nn_conv2d(&nn, "shared", y, (struct nn_conv2d){.channels = 2, .kernel = 1});
	j->kept = nn_conv2d(&nn, "kept", y, (struct nn_conv2d){.channels = 2, .kernel = 1});
	graph_keep(&j->graph, j->kept);
	int inputs[] = {j->rectified, j->plain, j->shared, j->kept};
	j->concat = graph_add(&j->graph, &op_concat, "concat", NULL, inputs, 4, NULL, 0);
	j->scale = nn_scale(&nn, "scale", j->concat, 0.5);
	int a = nn_conv2d(&nn, "a", y, (struct nn_conv2d){.channels = 3, .kernel = 1});
	int b = nn_conv2d(&nn, "b", j->shared, (struct nn_conv2d){.channels = 3, .kernel = 1});
	j->plain_concat = nn_concat(&nn, "plain", a, b);
	j->plain_scale = nn_scale(&nn, "plain", j->plain_concat, 0.5);
	j->late = nn_conv2d(&nn, "late", x, (struct nn_conv2d){.channels = 1, .kernel = 1});
	graph_run_early(&j->graph, j->late);
	int c = nn_conv2d_add(&nn, "c", j->plain_scale, j->late, (struct nn_conv2d){.channels = 1, .kernel = 1});
	int logits =
		nn_conv2d_add(&nn, "logits", j->scale, c, (struct nn_conv2d){.channels = 1, .kernel = 3, .padding = 1});
	int pair[] = {logits, graph_input(&j->graph, "target", nn_shape(&nn, logits))};
	j->loss = graph_add(&j->graph, &op_bce_with_logits, "loss", NULL, pair, 2, NULL, 0);
	graph_keep(&j->graph, j->loss);
	ck_assert_msg(graph_plan(&j->graph, GRAPH_TRAINING) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(params_alloc(&j->params, 7), STATUS_OK);
}

START_TEST(test_concat_is_written_in_place)
{
	struct joined j;
	build_joined(&j);
	const struct node *nodes = j.graph.nodes, *concat = &nodes[j.concat];
	ck_assert_int_eq(nodes[j.rectified].out_pitch, 13);
	ck_assert_uint_eq(nodes[j.rectified].data_offset, concat->data_offset);
	ck_assert_uint_eq(nodes[j.rectified].grad_offset, concat->grad_offset);
	ck_assert_int_eq(nodes[j.plain].out_pitch, 13);
	ck_assert_uint_eq(nodes[j.plain].data_offset, concat->data_offset + 5);
	ck_assert_uint_eq(nodes[j.plain].grad_offset, concat->grad_offset + 5);
	ck_assert_int_eq(nodes[j.shared].out_pitch, 2);
	ck_assert_int_eq(nodes[j.kept].out_pitch, 2);
	/* The relu's backward reads what a scale in place would have changed. */
	ck_assert_uint_ne(nodes[j.scale].data_offset, concat->data_offset);
	ck_assert_uint_eq(nodes[j.plain_scale].data_offset, nodes[j.plain_concat].data_offset);
	float value, spread_value;
	float *grads = run_step(&j.graph, &j.params, j.loss, NAN, &value);
	spread_out(&j.graph);
	float *spread = run_step(&j.graph, &j.params, j.loss, 1e30f, &spread_value);
	ck_assert(value == spread_value && isfinite(value));
	for (size_t i = 0; i < j.params.total; i++)
		ck_assert_msg(grads[i] == spread[i], "gradient %zu: %g in place, %g apart", i, grads[i], spread[i]);
	free(grads);
	free(spread);
	graph_release(&j.graph);
	params_release(&j.params);
}
END_TEST

START_TEST(test_early_node_runs_behind_its_input)
{
	struct joined j;
	build_joined(&j);
	ck_assert_int_eq(j.graph.order[0], 0);
	ck_assert_int_eq(j.graph.order[1], j.late);
	for (int i = 2; i < j.graph.node_count; i++)
		ck_assert_int_eq(j.graph.order[i], i <= j.late ? i - 1 : i);
	graph_release(&j.graph);
	params_release(&j.params);
}
END_TEST

START_TEST(test_every_parameter_has_a_gradient)
{
	struct params params;
	struct model model;
	int loss = build(&model, &params, &variants[_i]);
	float value;
	float *grads = run_step(&model.graph, &params, loss, 0, &value);
	for (int p = 0; p < params.count; p++) {
		double sum = 0;
		for (size_t k = 0; k < shape_count(params.items[p].shape); k++)
			sum += fabs(grads[params.items[p].offset + k]);
		ck_assert_msg(sum > 0, "%s has no gradient", params.items[p].name);
	}
	free(grads);
	model_release(&model);
	params_release(&params);
}
END_TEST

START_TEST(test_inference_plan_is_smaller)
{
	struct params params;
	struct model model;
	build(&model, &params, &variants[_i]);
	size_t training = model.graph.arena_floats;
	struct model forward;
	ck_assert_int_eq(model_build(&forward, &params, &variants[_i], 2, 32, 32), STATUS_OK);
	ck_assert_int_eq(graph_plan(&forward.graph, GRAPH_INFERENCE), STATUS_OK);
	ck_assert_uint_lt(forward.graph.arena_floats, training);
	model_release(&forward);
	model_release(&model);
	params_release(&params);
}
END_TEST

START_TEST(test_bad_shapes_are_refused)
{
	struct params params;
	struct model model;
	struct model_config config;
	model_config_init(&config);
	params_init(&params);
	ck_assert_int_eq(model_build(&model, &params, &config, 1, 40, 32), STATUS_CONFIG);
	ck_assert_ptr_nonnull(strstr(status_message(), "32 x 40"));
	params_release(&params);
}
END_TEST

START_TEST(test_parameter_of_another_shape_is_refused)
{
	struct params params;
	params_init(&params);
	ck_assert_int_eq(params_add(&params, "a", (struct shape){1, 2, 3, 4}, PARAM_TRUNK, PARAM_WEIGHT,
				    PARAM_INIT_ZERO),
			 0);
	ck_assert_int_eq(params_add(&params, "a", (struct shape){1, 2, 3, 4}, PARAM_TRUNK, PARAM_WEIGHT,
				    PARAM_INIT_ZERO),
			 0);
	ck_assert_int_eq(params_add(&params, "a", (struct shape){4, 3, 2, 1}, PARAM_TRUNK, PARAM_WEIGHT,
				    PARAM_INIT_ZERO),
			 -1);
	ck_assert_ptr_nonnull(strstr(status_message(), "(1, 2, 3, 4)"));
	params_release(&params);
}
END_TEST

START_TEST(test_trunk_has_the_published_size)
{
	static const size_t expected[] = {735424, 722496}; /* the original networks without conv10 */
	for (int trunk = TRUNK_SQUEEZENET1_0; trunk <= TRUNK_SQUEEZENET1_1; trunk++) {
		struct params params;
		struct model model;
		struct model_config config;
		model_config_init(&config);
		config.trunk = (enum trunk_kind)trunk;
		params_init(&params);
		ck_assert_int_eq(model_build(&model, &params, &config, 1, 64, 64), STATUS_OK);
		size_t total = 0;
		for (int i = 0; i < params.count; i++)
			if (!strncmp(params.items[i].name, "features.", 9))
				total += shape_count(params.items[i].shape);
		ck_assert_uint_eq(total, expected[trunk]);
		model_release(&model);
		params_release(&params);
	}
}
END_TEST

static Suite *make_suite(void)
{
	add_variants();
	Suite *suite = suite_create("planner");
	TCase *tcase = tcase_create("planner");
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_reuse_changes_nothing, 0, variant_count);
	tcase_add_loop_test(tcase, test_again_changes_nothing, 0, variant_count);
	tcase_add_loop_test(tcase, test_again_reads_no_fixed_input, 0, variant_count);
	tcase_add_loop_test(tcase, test_frozen_layers, 0, variant_count);
	tcase_add_test(tcase, test_concat_is_written_in_place);
	tcase_add_test(tcase, test_early_node_runs_behind_its_input);
	tcase_add_loop_test(tcase, test_every_parameter_has_a_gradient, 0, variant_count);
	tcase_add_loop_test(tcase, test_inference_plan_is_smaller, 0, variant_count);
	tcase_add_test(tcase, test_bad_shapes_are_refused);
	tcase_add_test(tcase, test_parameter_of_another_shape_is_refused);
	tcase_add_test(tcase, test_trunk_has_the_published_size);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
