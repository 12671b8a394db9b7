/* The promise of training for 8 bits: what the network computes with rounded weights and values in core is what
 * infer computes with bytes. The two may differ where a sum lies between two bytes, not by what 8 bits cost. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/export.h"
#include "core/executor.h"
#include "core/ops/ops.h"
#include "core/quantize.h"
#include "core/rng.h"
#include "infer/kernels/kernels.h"
#include "infer/network/network.h"
#include "infer/tapcut.h"
#include "tests/support/graph.h"
#include "tests/support/test.h"

enum { SIDE = 96, PIXELS = SIDE * SIDE, PLANES = 3 };

static const struct export_options options = {
	.weights = EXPORT_F32,
	.preprocess = {.bgr = 1,
		       .mean = {104, 117, 123},
		       .scale = {1, 1, 1},
		       .radius = 5,
		       .click_scale = 64,
		       .previous_mask = 1},
	.default_size = SIDE,
};

static uint8_t image[PIXELS * PLANES], clicks[PIXELS * PLANES];

/* A picture of waves with noise; a few disks' worth of clicks. */
static void fill_bytes(void)
{
	struct rng rng = rng_stream(9, 0, 0, RNG_TEST);
	for (int i = 0; i < PIXELS * PLANES; i++) {
		int x = i / PLANES % SIDE, y = i / PLANES / SIDE;
		image[i] = (uint8_t)(110 + 60 * sin(x * 0.11 + i % PLANES) + 40 * cos(y * 0.23) +
				     rng_range(&rng, -20, 20));
		clicks[i] = rng_below(&rng, 20) == 0 ? 255 : 0;
	}
}

struct quantized {
	struct model_config config;
	struct params params;
	struct model model;
	struct executor executor;
};

static void build(struct quantized *q, enum click_entry entry, int activation)
{
	model_config_init(&q->config);
	q->config.quantize = true;
	q->config.click_entry = entry;
	q->config.activation = activation;
	params_init(&q->params);
	ck_assert_msg(model_build(&q->model, &q->params, &q->config, 1, SIDE, SIDE) == STATUS_OK, "%s",
		      status_message());
	ck_assert_int_eq(graph_plan(&q->model.graph, GRAPH_INFERENCE), STATUS_OK);
	ck_assert_int_eq(params_alloc(&q->params, 7), STATUS_OK);
	ck_assert_int_eq(executor_init(&q->executor, &q->model.graph), STATUS_OK);
}

/* The logits with these parameters. grads: gets the values' ranges, or NULL. */
static void run(struct quantized *q, const float *values, float *grads, bool quantize, float *logits)
{
	for (int i = 0; i < PIXELS * PLANES; i++) {
		executor_data(&q->executor, q->model.image)[i] = (float)image[i] - options.preprocess.mean[i % PLANES];
		executor_data(&q->executor, q->model.clicks)[i] =
			(float)clicks[i] * (options.preprocess.click_scale / 255);
	}
	float *prepared = test_prepare(&q->model.graph, values, NULL);
	struct pass pass = {.values = values,
			    .prepared = prepared,
			    .param_grads = grads,
			    .training = grads != NULL,
			    .quantize = quantize};
	executor_forward(&q->executor, &pass, q->model.logits);
	memcpy(logits, executor_data(&q->executor, q->model.logits), PIXELS * sizeof *logits);
	free(prepared);
}

static void calibrate(struct quantized *q, float *logits)
{
	float *seen = calloc(q->params.total, sizeof *seen);
	run(q, q->params.values, seen, false, logits);
	for (int i = 0; i < q->params.count; i++) {
		const struct param *param = &q->params.items[i];
		if (param->kind == PARAM_BUFFER)
			memcpy(q->params.values + param->offset, seen + param->offset, RANGE_FLOATS * sizeof *seen);
	}
	free(seen);
}

static void run_rounded(struct quantized *q, float *logits)
{
	float *values = malloc(q->params.total * sizeof *values);
	memcpy(values, q->params.values, q->params.total * sizeof *values);
	for (int i = 0; i < q->model.graph.node_count; i++)
		quantize_weights(&q->model.graph, values, i, values);
	run(q, values, NULL, true, logits);
	free(values);
}

static void run_bytes(struct quantized *q, float *logits)
{
	unsigned char *data;
	size_t size;
	struct infer_network network;
	struct infer_runner *runner;
	char message[TAPCUT_MESSAGE_SIZE];
	const struct infer_run_options in_bytes = {.arithmetic = INFER_ARITHMETIC_U8, .threads = 1, .isa = -1};
	ck_assert_int_eq(export_memory(&q->model, &q->config, q->params.values, &options, &data, &size), STATUS_OK);
	ck_assert_msg(infer_network_parse(data, size, &network, message) == TAPCUT_OK, "%s", message);
	ck_assert_msg(infer_runner_new(&network, SIDE, SIDE, &in_bytes, &runner, message) == TAPCUT_OK, "%s", message);
	const uint8_t *from[] = {image, clicks};
	for (int value = 0; value < 2; value++) {
		const struct infer_map *map = infer_runner_input(runner, value);
		for (int i = 0; i < PIXELS; i++)
			memcpy((uint8_t *)map->data + (size_t)i * map->pitch, from[value] + i * PLANES, PLANES);
	}
	memcpy(logits, infer_runner_run(runner), PIXELS * sizeof *logits);
	infer_runner_free(runner);
	infer_network_release(&network);
	free(data);
}

/* Root mean square of a - b. */
static double distance(const float *a, const float *b)
{
	double sum = 0;
	for (int i = 0; i < PIXELS; i++)
		sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
	return sqrt(sum / PIXELS);
}

static void check_rounded_is_bytes(enum click_entry entry, int activation)
{
	static float exact[PIXELS], rounded[PIXELS], bytes[PIXELS];
	struct quantized q;
	fill_bytes();
	build(&q, entry, activation);
	calibrate(&q, exact);
	run_rounded(&q, rounded);
	run_bytes(&q, bytes);
	double cost = distance(exact, bytes), difference = distance(rounded, bytes);
	if (getenv("TEST_VERBOSE"))
		printf("%s: 8 bits cost %g, training sees it within %g\n", click_entry_names[entry], cost, difference);
	ck_assert_msg(cost > 0 && difference < 0.4 * cost,
		      "%s: %g between rounded and bytes, %g between float and bytes", click_entry_names[entry],
		      difference, cost);
	executor_release(&q.executor);
	model_release(&q.model);
	params_release(&q.params);
}

START_TEST(test_rounded_is_bytes)
{
	check_rounded_is_bytes((enum click_entry)_i, 0);
}
END_TEST

START_TEST(test_activations)
{
	for (int i = 1; activation_names[i]; i++)
		check_rounded_is_bytes(CLICK_ENTRY_STEM_COARSE, i);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("parity u8");
	TCase *tcase = tcase_create("parity u8");
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, test_rounded_is_bytes, CLICK_ENTRY_STEM, CLICK_ENTRY_COARSE + 1);
	tcase_add_test(tcase, test_activations);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
