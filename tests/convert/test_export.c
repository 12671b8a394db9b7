/* Whole models to weights files and back through the reader: every variant of the config, every way of storing; the
 * same bytes each time; and what rounding loses. What the network computes is test_parity.c's question. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "convert/export.h"
#include "core/atomic_file.h"
#include "core/quantize.h"
#include "core/rng.h"
#include "infer/network/network.h"
#include "infer/tapcut.h"
#include "tests/convert/variants.h"
#include "tests/support/test.h"

/* A network with gelu is of version 3, and its steps are refused in a file that says it is older. */
START_TEST(test_version_of_operators)
{
	struct variant_model m;
	unsigned char *data;
	size_t size;
	struct infer_network network;
	char message[TAPCUT_MESSAGE_SIZE];
	int gelu = 0;
	while (!variants[gelu].activation)
		gelu++;
	variant_model_init(&m, gelu);
	ck_assert_int_eq(export_memory(&m.model, &m.config, m.params.values, &m.options, &data, &size), STATUS_OK);
	ck_assert_int_eq(data[8], 3);
	data[8] = 2;
	uint32_t crc = (uint32_t)crc32(0, data, (uInt)size - 4);
	for (int i = 0; i < 4; i++)
		data[size - 4 + (size_t)i] = (unsigned char)(crc >> (8 * i));
	ck_assert_int_eq(infer_network_parse(data, size, &network, message), TAPCUT_FORMAT);
	ck_assert_msg(strstr(message, "gelu came with version 3, the file has version 2") != NULL, "%s", message);
	free(data);
	variant_model_release(&m);
}
END_TEST

START_TEST(test_variants)
{
	struct variant_model m;
	variant_model_init(&m, _i);
	/* All three ways for the first variant, one each for the others. */
	for (int weights = _i ? _i % 3 : EXPORT_F32; weights <= (_i ? _i % 3 : EXPORT_INT8); weights++) {
		unsigned char *data;
		size_t size;
		struct infer_network network;
		char message[TAPCUT_MESSAGE_SIZE];
		m.options.weights = (enum export_weights)weights;
		ck_assert_msg(export_memory(&m.model, &m.config, m.params.values, &m.options, &data, &size) ==
				      STATUS_OK,
			      "%s: %s", variants[_i].name, status_message());
		ck_assert_msg(infer_network_parse(data, size, &network, message) == TAPCUT_OK, "%s: %s",
			      variants[_i].name, message);
		ck_assert_int_eq(network.weights, weights);
		ck_assert_int_eq(network.default_size, 128);
		ck_assert_mem_eq(&network.preprocess.mean, &m.options.preprocess.mean, sizeof network.preprocess.mean);
		ck_assert_ptr_nonnull(strchr(network.architecture, '+'));
		/* Folded normalisation leaves fewer numbers, never more than a bias each. */
		ck_assert_uint_le(network.parameters, m.params.total);
		ck_assert_uint_ge(network.parameters, m.params.total - m.params.total / 50);
		infer_network_release(&network);
		free(data);
	}
	variant_model_release(&m);
}
END_TEST

/* A model with training for 8 bits whose values have all been seen between -1 and 3. */
static void quantized_model(struct variant_model *m, enum click_entry entry)
{
	*m = (struct variant_model){
		.options = {.weights = EXPORT_INT8,
			    .preprocess = {.radius = 5, .click_scale = 64, .scale = {1, 1, 1}, .previous_mask = 1},
			    .default_size = 128}};
	model_config_init(&m->config);
	m->config.quantize = true;
	m->config.click_entry = entry;
	params_init(&m->params);
	ck_assert_int_eq(model_build(&m->model, &m->params, &m->config, 1, VARIANT_BUILD_SIZE, VARIANT_BUILD_SIZE),
			 STATUS_OK);
	ck_assert_int_eq(params_alloc(&m->params, 7), STATUS_OK);
	for (int i = 0; i < m->params.count; i++)
		if (m->params.items[i].kind == PARAM_BUFFER)
			memcpy(m->params.values + m->params.items[i].offset, (float[]){-0.5f, 1.5f, 0.5f},
			       sizeof(float[RANGE_FLOATS]));
}

/* The reader accepts the ranges only where every value that must be bytes has one. */
START_TEST(test_trained_ranges)
{
	struct variant_model m;
	struct infer_network network;
	unsigned char *data;
	size_t size;
	char message[TAPCUT_MESSAGE_SIZE];
	quantized_model(&m, (enum click_entry)_i);
	ck_assert_int_eq(export_memory(&m.model, &m.config, m.params.values, &m.options, &data, &size), STATUS_OK);
	ck_assert_msg(infer_network_parse(data, size, &network, message) == TAPCUT_OK, "%s", message);
	ck_assert_ptr_nonnull(network.ranges);
	ck_assert(network.ranges[1].scale == 64.0f / 255 && network.ranges[1].zero == 0);
	int trained = 0;
	for (int v = INFER_FIRST_STEP_VALUE; v < INFER_FIRST_STEP_VALUE + network.step_count; v++)
		trained += network.ranges[v].scale == 4.0f / 255 && network.ranges[v].zero == 64;
	ck_assert_int_gt(trained, network.step_count * 2 / 3);
	infer_network_release(&network);
	free(data);
	variant_model_release(&m);
}
END_TEST

/* Nothing seen, nothing written: such a file is one of version 1. */
START_TEST(test_untrained_ranges)
{
	struct variant_model m;
	struct infer_network network;
	unsigned char *data;
	size_t size;
	quantized_model(&m, CLICK_ENTRY_STEM);
	for (int i = 0; i < m.params.count; i++)
		if (m.params.items[i].kind == PARAM_BUFFER)
			memset(m.params.values + m.params.items[i].offset, 0, sizeof(float[RANGE_FLOATS]));
	ck_assert_int_eq(export_memory(&m.model, &m.config, m.params.values, &m.options, &data, &size), STATUS_OK);
	ck_assert_int_eq(infer_network_parse(data, size, &network, NULL), TAPCUT_OK);
	ck_assert_ptr_null(network.ranges);
	infer_network_release(&network);
	free(data);
	variant_model_release(&m);
}
END_TEST

START_TEST(test_sizes)
{
	/* Random weights hardly pack: bounds on bytes per parameter, f32 below 4, f16 below 2, int8 below 1.1. */
	static const double bounds[] = {3.8, 1.95, 1.1};
	struct variant_model m;
	variant_model_init(&m, 0);
	for (int weights = EXPORT_F32; weights <= EXPORT_INT8; weights++) {
		unsigned char *data;
		size_t size;
		m.options.weights = (enum export_weights)weights;
		ck_assert_int_eq(export_memory(&m.model, &m.config, m.params.values, &m.options, &data, &size),
				 STATUS_OK);
		double per = (double)size / (double)m.params.total;
		ck_assert_msg(per < bounds[weights], "%s: %.3f bytes per parameter", export_weights_names[weights],
			      per);
		free(data);
	}
	variant_model_release(&m);
}
END_TEST

START_TEST(test_loss)
{
	/* Half a step of the largest magnitude: int8 1/254; f16 2^-11; f32 none.
	 */
	static const double bounds[] = {0, 0.000489, 0.00395};
	struct variant_model m;
	variant_model_init(&m, 0);
	for (int weights = EXPORT_F32; weights <= EXPORT_INT8; weights++) {
		unsigned char *data;
		size_t size;
		struct export_loss *losses;
		int count;
		double worst = 0;
		m.options.weights = (enum export_weights)weights;
		ck_assert_int_eq(export_memory(&m.model, &m.config, m.params.values, &m.options, &data, &size),
				 STATUS_OK);
		ck_assert_int_eq(export_compare(&m.model, m.params.values, data, size, &losses, &count), STATUS_OK);
		ck_assert_int_gt(count, 50);
		for (int i = 0; i < count; i++) {
			ck_assert_int_le(losses[i].type, weights);
			worst = fmax(worst, losses[i].error.max_relative);
			ck_assert_double_le(losses[i].error.rms_relative, 0.02);
		}
		ck_assert_msg(worst <= bounds[weights], "%s: %.6f", export_weights_names[weights], worst);
		ck_assert(weights == EXPORT_F32 || worst > 0);
		ck_assert_str_eq(losses[0].name, "features.0.weight");
		free(losses);
		free(data);
	}
	variant_model_release(&m);
}
END_TEST

START_TEST(test_same_bytes)
{
	unsigned char *first = NULL;
	size_t first_size = 0;
	for (int round = 0; round < 2; round++) {
		struct variant_model m;
		variant_model_init(&m, 0);
		m.options.weights = EXPORT_INT8;
		unsigned char *file;
		size_t size;
		enum status status = export_memory(&m.model, &m.config, m.params.values, &m.options, &file, &size);
		ck_assert_msg(status == STATUS_OK, "%s", status_message());
		if (round == 0) {
			first = file;
			first_size = size;
		} else {
			ck_assert_uint_eq(size, first_size);
			ck_assert_mem_eq(file, first, size);
			free(file);
		}
		variant_model_release(&m);
	}
	free(first);
}
END_TEST

static void expect_failure(struct variant_model *m, const char *message)
{
	unsigned char *data = NULL;
	size_t size;
	ck_assert_int_ne(export_memory(&m->model, &m->config, m->params.values, &m->options, &data, &size), STATUS_OK);
	ck_assert_msg(strstr(status_message(), message) != NULL, "'%s' should contain '%s'", status_message(), message);
}

START_TEST(test_refused)
{
	struct variant_model m;
	variant_model_init(&m, 0);
	float *number = m.params.values + m.params.items[3].offset, sound = *number;
	*number = NAN;
	expect_failure(&m, m.params.items[3].name);
	*number = sound;
	m.options.default_size = 5000;
	expect_failure(&m, "default size");
	m.options.default_size = 128;
	m.options.preprocess.scale[1] = 0;
	expect_failure(&m, "preprocess");
	m.options.preprocess.scale[1] = 1;
	m.options.preprocess.previous_mask = !m.options.preprocess.previous_mask; /* planes differ from the model's */
	expect_failure(&m, "weight must be (O,2,3,3), found (64,3,3,3)");
	variant_model_release(&m);
}
END_TEST

/* A number beyond a half stays a float. */
START_TEST(test_large_number)
{
	struct variant_model m;
	variant_model_init(&m, 0);
	unsigned char *data;
	size_t size;
	struct export_loss *losses;
	int count;
	m.params.values[m.params.items[0].offset] = 1e6f;
	m.options.weights = EXPORT_F16;
	ck_assert_int_eq(export_memory(&m.model, &m.config, m.params.values, &m.options, &data, &size), STATUS_OK);
	ck_assert_int_eq(export_compare(&m.model, m.params.values, data, size, &losses, &count), STATUS_OK);
	ck_assert_int_eq(losses[0].type, INFER_TENSOR_F32);
	ck_assert_int_eq(losses[2].type, INFER_TENSOR_F16);
	free(losses);
	free(data);
	variant_model_release(&m);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("export");
	TCase *tcase = tcase_create("export");
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, test_variants, 0, VARIANT_COUNT);
	tcase_add_test(tcase, test_version_of_operators);
	tcase_add_loop_test(tcase, test_trained_ranges, CLICK_ENTRY_STEM, CLICK_ENTRY_COARSE + 1);
	tcase_add_test(tcase, test_untrained_ranges);
	tcase_add_test(tcase, test_sizes);
	tcase_add_test(tcase, test_loss);
	tcase_add_test(tcase, test_same_bytes);
	tcase_add_test(tcase, test_refused);
	tcase_add_test(tcase, test_large_number);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
