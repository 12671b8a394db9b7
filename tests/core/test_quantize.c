/* Training for 8 bits: which values get ranges, what they are, and what rounding does to a step. */
#include "core/quantize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/executor.h"
#include "core/nn/model.h"
#include "core/ops/ops.h"
#include "tests/support/graph.h"
#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

struct net {
	struct params params;
	struct model model;
	int loss;
};

static enum status build(struct net *net, const struct model_config *config)
{
	params_init(&net->params);
	TRY(model_build(&net->model, &net->params, config, 1, 32, 32));
	struct graph *graph = &net->model.graph;
	int inputs[] = {net->model.logits, graph_input(graph, "target", graph->nodes[net->model.logits].shape)};
	net->loss = graph_add(graph, &op_bce_with_logits, "loss", NULL, inputs, 2, NULL, 0);
	graph_keep(graph, net->loss);
	TRY(graph_plan(graph, GRAPH_TRAINING));
	return params_alloc(&net->params, 7);
}

static void release(struct net *net)
{
	model_release(&net->model);
	params_release(&net->params);
}

static struct model_config quantized_model(void)
{
	struct model_config config;
	model_config_init(&config);
	config.quantize = true;
	return config;
}

static bool has_range(const struct net *net, const char *name)
{
	return params_find(&net->params, name) >= 0;
}

START_TEST(test_which_values)
{
	struct net net;
	struct model_config config = quantized_model();
	ck_assert_msg(build(&net, &config) == STATUS_OK, "%s", status_message());
	ck_assert(has_range(&net, "clicks.stem.conv2d.range"));
	ck_assert(has_range(&net, "features.3.squeeze.conv2d.range"));
	ck_assert(has_range(&net, "features.3.concat.range"));
	ck_assert(has_range(&net, "decoder.coarse.concat.range"));
	ck_assert(has_range(&net, "decoder.refine1.mask.conv2d.range"));
	/* the sum takes it as it is; the concat has the range; a concat of that concat has it; the logits are float */
	ck_assert(!has_range(&net, "features.0.conv2d.range"));
	ck_assert(!has_range(&net, "features.3.expand1x1.conv2d.range"));
	ck_assert(!has_range(&net, "features.12.concat.range"));
	ck_assert(!has_range(&net, "decoder.logits.conv2d.range"));
	release(&net);
}
END_TEST

/* Node of that operator and name. */
static int node_of(const struct net *net, const char *name, const struct op *op)
{
	for (int i = 0; i < net->model.graph.node_count; i++)
		if (net->model.graph.nodes[i].op == op && !strcmp(net->model.graph.nodes[i].name, name))
			return i;
	ck_abort_msg("no node %s", name);
	return -1;
}

static float *range_of(const struct net *net, int node)
{
	return net->params.values + net->params.items[net->model.graph.nodes[node].range].offset;
}

START_TEST(test_grids)
{
	struct net net;
	struct model_config config = quantized_model();
	ck_assert_int_eq(build(&net, &config), STATUS_OK);
	const struct graph *graph = &net.model.graph;
	int concat = node_of(&net, "decoder.coarse", &op_concat),
	    mask = node_of(&net, "decoder.refine1.mask", &op_conv2d);
	ck_assert(quantize_node_grid(graph, net.params.values, concat).scale == 0); /* nothing seen yet */
	memcpy(range_of(&net, concat), (float[]){0, 51, 0.5f}, sizeof(float[RANGE_FLOATS]));
	memcpy(range_of(&net, mask), (float[]){-0.5f, 0.75f, 0.5f}, sizeof(float[RANGE_FLOATS]));
	struct quantize_grid grid = quantize_node_grid(graph, net.params.values, concat);
	ck_assert(grid.scale == 102.0f / 255 && grid.zero == 0);
	int expand = node_of(&net, "features.12.expand3x3", &op_conv2d); /* two concats up */
	ck_assert(quantize_node_grid(graph, net.params.values, expand).scale == grid.scale);
	int wide = node_of(&net, "decoder.refine1.mask", &op_upsample);
	grid = quantize_node_grid(graph, net.params.values, wide);
	ck_assert(grid.scale == 2.5f / 255 && grid.zero == 102);
	ck_assert(quantize_node_grid(graph, net.params.values, net.model.logits).scale == 0);
	ck_assert(quantize_node_grid(graph, net.params.values, node_of(&net, "features.0", &op_conv2d)).scale == 0);
	release(&net);
}
END_TEST

START_TEST(test_weights)
{
	struct net net;
	struct model_config config = quantized_model();
	ck_assert_int_eq(build(&net, &config), STATUS_OK);
	int node = node_of(&net, "decoder.head", &op_conv2d);
	const struct param *param = &net.params.items[net.model.graph.nodes[node].params[0]];
	size_t count = shape_count(param->shape), inner = count / (size_t)param->shape.n;
	float *to = calloc(net.params.total, sizeof *to), *from = net.params.values;
	memset(from + param->offset, 0, inner * sizeof *from); /* a channel of zeros stays one */
	quantize_weights(&net.model.graph, from, node, to);
	for (size_t i = param->offset; i < param->offset + count; i++) {
		size_t first = param->offset + (i - param->offset) / inner * inner;
		float most = 0;
		for (size_t k = first; k < first + inner; k++)
			most = fmaxf(most, fabsf(from[k]));
		float step = most / QUANTIZE_MAX_WEIGHT;
		ck_assert(fabsf(to[i] - from[i]) <= 0.5001f * step);
		ck_assert(step == 0 || fabsf(to[i] / step - rintf(to[i] / step)) < 1e-4f);
	}
	free(to);
	release(&net);
}
END_TEST

static void fill_inputs(const struct executor *executor)
{
	unsigned state = 4;
	for (int i = 0; i < executor->graph->node_count; i++) {
		const struct node *node = &executor->graph->nodes[i];
		float *data = executor_data(executor, i);
		for (size_t k = 0; !node->op && k < shape_count(node->shape); k++)
			data[k] = strcmp(node->name, "target") ? 50 * test_random(&state)
							       : (float)(test_random(&state) > 0);
	}
}

/* One step; the gradients and statistics (caller frees). */
static float *run(const struct net *net, bool quantize, float *loss)
{
	struct executor executor;
	ck_assert_int_eq(executor_init(&executor, &net->model.graph), STATUS_OK);
	fill_inputs(&executor);
	float *prepared = test_prepare(&net->model.graph, net->params.values, NULL);
	struct pass pass = {.values = net->params.values,
			    .prepared = prepared,
			    .training = true,
			    .quantize = quantize,
			    .param_grads = calloc(net->params.total, sizeof(float))};
	executor_forward(&executor, &pass, net->loss);
	*loss = *executor_data(&executor, net->loss);
	executor_backward(&executor, &pass, net->loss, 1);
	executor_release(&executor);
	free(prepared);
	return pass.param_grads;
}

/* Calibrated by one step, the next one in 8 bits has nearly its loss and its gradients, though not quite. */
START_TEST(test_step)
{
	struct net net;
	struct model_config config = quantized_model();
	config.click_entry = _i ? CLICK_ENTRY_COARSE : CLICK_ENTRY_STEM_COARSE;
	ck_assert_msg(build(&net, &config) == STATUS_OK, "%s", status_message());
	float exact_loss, loss;
	float *exact = run(&net, false, &exact_loss);
	for (int i = 0; i < net.params.count; i++) {
		const struct param *param = &net.params.items[i];
		if (param->kind != PARAM_BUFFER)
			continue;
		ck_assert_msg(exact[param->offset + RANGE_HIGH] > 0 && exact[param->offset + RANGE_SEEN] == 1, "%s",
			      param->name);
		memcpy(net.params.values + param->offset, exact + param->offset, RANGE_FLOATS * sizeof(float));
	}
	float *grads = run(&net, true, &loss);
	double dot = 0, exact_square = 0, square = 0;
	for (int i = 0; i < net.params.count; i++)
		for (size_t k = net.params.items[i].offset;
		     net.params.items[i].kind != PARAM_BUFFER &&
		     k < net.params.items[i].offset + shape_count(net.params.items[i].shape);
		     k++) {
			dot += (double)exact[k] * (double)grads[k];
			exact_square += (double)exact[k] * (double)exact[k];
			square += (double)grads[k] * (double)grads[k];
		}
	double cosine = dot / sqrt(exact_square * square);
	ck_assert_msg(loss != exact_loss && fabsf(loss / exact_loss - 1) < 0.02f, "loss %g in 8 bits, %g in float",
		      (double)loss, (double)exact_loss);
	ck_assert_msg(cosine > 0.97 && cosine < 1, "the gradients' cosine is %g", cosine);
	free(exact);
	free(grads);
	release(&net);
}
END_TEST

START_TEST(test_refused)
{
	struct net net;
	struct model_config config = quantized_model();
	config.batch_norm = true;
	ck_assert_int_eq(build(&net, &config), STATUS_CONFIG);
	ck_assert_msg(strstr(status_message(), "no training for 8 bits with batch_norm2d"), "%s", status_message());
	params_release(&net.params);
	config.batch_norm = false;
	config.decoder = DECODER_TRANSPOSED;
	ck_assert_int_eq(build(&net, &config), STATUS_CONFIG);
	params_release(&net.params);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("quantize");
	TCase *tcase = tcase_create("quantize");
	tcase_add_test(tcase, test_which_values);
	tcase_add_test(tcase, test_grids);
	tcase_add_test(tcase, test_weights);
	tcase_add_loop_test(tcase, test_step, 0, 2);
	tcase_add_test(tcase, test_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
