/* The promise of export: what was trained is what is deployed. Every model variant runs in core's executor and, after
 * export and parsing, in infer's runner; logits agree within 1e-4 of their scale for f32, and within what rounding
 * explains for f16 and int8. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert/export.h"
#include "core/executor.h"
#include "core/rng.h"
#include "infer/kernels/kernels.h"
#include "infer/network/network.h"
#include "infer/tapcut.h"
#include "tests/convert/variants.h"
#include "tests/support/graph.h"
#include "tests/support/test.h"

static const struct {
	int h, w;
} sizes[] = {{96, 32}, {256, 256}, {192, 320}};

/* Noise around 0 of a picture's size for the image; sparse disks' worth of values for the clicks. */
static void fill(float *image, float *clicks, size_t image_count, size_t click_count, uint64_t sample)
{
	struct rng rng = rng_stream(9, 0, sample, RNG_TEST);
	for (size_t i = 0; i < image_count; i++)
		image[i] = rng_range(&rng, -120, 130);
	for (size_t i = 0; i < click_count; i++)
		clicks[i] = rng_below(&rng, 20) == 0 ? 64 : 0;
}

static size_t channels_of(const struct variant_model *m)
{
	return m->config.classes ? (size_t)m->config.classes : 1;
}

/* The logits of core's executor, channels last; caller frees. */
static float *core_logits(const struct variant_model *m, int h, int w)
{
	/* Found again by name in the same parameters. */
	struct params *params = (struct params *)&m->params;
	struct model model;
	struct executor executor;
	ck_assert_msg(model_build(&model, params, &m->config, 1, h, w) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(graph_plan(&model.graph, GRAPH_INFERENCE), STATUS_OK);
	ck_assert_int_eq(executor_init(&executor, &model.graph), STATUS_OK);
	size_t plane = (size_t)h * (size_t)w;
	bool clicked = model.clicks >= 0;
	fill(executor_data(&executor, model.image), clicked ? executor_data(&executor, model.clicks) : NULL, 3 * plane,
	     clicked ? (size_t)m->config.click_planes * plane : 0, plane);
	float *prepared = test_prepare(&model.graph, m->params.values, NULL);
	const struct pass pass = {.values = m->params.values, .prepared = prepared};
	executor_forward(&executor, &pass, model.logits);
	free(prepared);
	size_t count = plane * channels_of(m);
	float *logits = malloc(count * sizeof *logits);
	memcpy(logits, executor_data(&executor, model.logits), count * sizeof *logits);
	executor_release(&executor);
	model_release(&model);
	return logits;
}

static struct infer_network export_and_parse(struct variant_model *m, enum export_weights weights)
{
	unsigned char *data;
	size_t size;
	struct infer_network network;
	char message[TAPCUT_MESSAGE_SIZE];
	m->options.weights = weights;
	ck_assert_msg(export_memory(&m->model, &m->config, m->params.values, &m->options, &data, &size) == STATUS_OK,
		      "%s", status_message());
	ck_assert_msg(infer_network_parse(data, size, &network, message) == TAPCUT_OK, "%s", message);
	free(data);
	return network;
}

/* Largest difference relative to the largest magnitude of the reference. */
static double compare(const struct variant_model *m, const struct infer_network *network, int h, int w)
{
	char message[TAPCUT_MESSAGE_SIZE];
	struct infer_runner *runner;
	size_t plane = (size_t)h * (size_t)w;
	ck_assert_msg(infer_runner_new(network, h, w, NULL, &runner, message) == TAPCUT_OK, "%s", message);
	const struct infer_map *image = infer_runner_input(runner, 0), *clicks = infer_runner_input(runner, 1);
	ck_assert_uint_eq(image->pitch, 3); /* dense, as core's */
	ck_assert_uint_eq(clicks->pitch, (size_t)m->config.click_planes);
	fill(image->data, clicks->data, 3 * plane, (size_t)m->config.click_planes * plane, plane);
	const float *found = infer_runner_run(runner);
	size_t channels = channels_of(m), pitch = infer_runner_output(runner)->pitch;
	float *expected = core_logits(m, h, w);
	double scale = 0, difference = 0;
	for (size_t i = 0; i < plane * channels; i++) {
		float value = found[i / channels * pitch + i % channels];
		ck_assert(isfinite(expected[i]) && isfinite(value));
		scale = fmax(scale, fabs((double)expected[i]));
		difference = fmax(difference, fabs((double)expected[i] - (double)value));
	}
	free(expected);
	infer_runner_free(runner);
	ck_assert_msg(scale > 1e-3, "the logits are all but zero: nothing is compared");
	return difference / scale;
}

START_TEST(test_f32)
{
	struct variant_model m;
	variant_model_init(&m, _i);
	struct infer_network network = export_and_parse(&m, EXPORT_F32);
	/* All sizes for the default model, the small one for the others. */
	for (size_t s = 0; s < (_i ? 1 : sizeof sizes / sizeof *sizes); s++) {
		double difference = compare(&m, &network, sizes[s].h, sizes[s].w);
		if (getenv("TEST_VERBOSE"))
			printf("%-16s %3dx%3d %.3g\n", variants[_i].name, sizes[s].h, sizes[s].w, difference);
		ck_assert_msg(difference <= 1e-4, "%s at %dx%d: %.3g of the logits' scale", variants[_i].name,
			      sizes[s].h, sizes[s].w, difference);
	}
	infer_network_release(&network);
	variant_model_release(&m);
}
END_TEST

/* The smallest input: the coarsest map is one pixel, pooled from two by a window of three. */
START_TEST(test_smallest)
{
	struct variant_model m;
	struct model smallest;
	variant_model_init(&m, 0);
	if (model_build(&smallest, &m.params, &m.config, 1, 16, 16) != STATUS_OK) {
		test_skip("core does not build 16x16: %s", status_message());
	} else {
		model_release(&smallest);
		struct infer_network network = export_and_parse(&m, EXPORT_F32);
		ck_assert_double_le(compare(&m, &network, 16, 16), 1e-4);
		infer_network_release(&network);
	}
	variant_model_release(&m);
}
END_TEST

/* Rounded weights: the whole network stays within a few times what one tensor loses. */
START_TEST(test_rounded)
{
	static const double bounds[] = {1e-4, 0.005, 0.08, 1, 0.6, 0.3, 0.15};
	struct variant_model m;
	variant_model_init(&m, 0);
	for (int weights = EXPORT_F16; weights <= EXPORT_CODEBOOK256; weights++) {
		struct infer_network network = export_and_parse(&m, (enum export_weights)weights);
		double difference = compare(&m, &network, 96, 64);
		if (getenv("TEST_VERBOSE"))
			printf("%s %.3g\n", export_weights_names[weights], difference);
		ck_assert_msg(difference <= bounds[weights], "%s: %.3g of the logits' scale",
			      export_weights_names[weights], difference);
		ck_assert_msg(difference > 1e-5, "%s: no difference at all: were the weights rounded?",
			      export_weights_names[weights]);
		infer_network_release(&network);
	}
	variant_model_release(&m);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("parity");
	TCase *tcase = tcase_create("parity");
	tcase_set_timeout(tcase, 300);
	tcase_add_loop_test(tcase, test_f32, 0, VARIANT_COUNT);
	tcase_add_test(tcase, test_smallest);
	tcase_add_test(tcase, test_rounded);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
