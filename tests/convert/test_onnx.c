/* The ONNX export, read back by a small reader of our own (is it a graph, does it hold the network's numbers and say
 * how its inputs are made), and run by ONNX Runtime where that is installed: all model variants and all operators give
 * our own logits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/steps.h"
#include "infer/network/ops.h"
#include "tests/convert/onnx_support.h"
#include "tests/convert/variants.h"

enum { SIDE_H = 64, SIDE_W = 96 };

/* --- structure ------------------------------------------------------------ */

static struct view shape_of(struct view graph, int field, int n)
{
	return message(message(message(message(graph, field, n), 2, 0), 1, 0), 2, 0);
}

static const char *metadata(struct view model, const char *key)
{
	for (int i = 0; i < field_count(model, 14); i++)
		if (!strcmp(string(message(model, 14, i), 1, 0), key))
			return string(message(model, 14, i), 2, 0);
	ck_abort_msg("no %s", key);
	return NULL;
}

/* Without the way through a weights file, whose packing takes a while. */
static struct infer_network variant_network(int variant)
{
	struct variant_model m;
	struct steps steps;
	variant_model_init(&m, variant);
	ck_assert_msg(steps_translate(&steps, &m.model.graph, m.model.image, m.model.clicks, m.model.logits,
				      m.params.values) == STATUS_OK,
		      "%s", status_message());
	steps.network.preprocess = m.options.preprocess;
	steps.network.default_size = m.options.default_size;
	snprintf(steps.network.architecture, sizeof steps.network.architecture, "%s+%s", trunk_names[m.config.trunk],
		 decoder_names[m.config.decoder]);
	if (m.config.classes) {
		steps.network.class_count = m.config.classes;
		steps.network.class_names = calloc((size_t)m.config.classes, sizeof *steps.network.class_names);
		for (int i = 0; i < m.config.classes; i++)
			snprintf(steps.network.class_names[i], sizeof steps.network.class_names[i], "class %d", i);
	}
	free(steps.names);
	variant_model_release(&m);
	return steps.network;
}

static struct view write_model(const struct infer_network *network, int h, int w)
{
	unsigned char *data;
	size_t size;
	ck_assert_msg(onnx_write(network, &(struct onnx_options){.height = h, .width = w}, &data, &size) == STATUS_OK,
		      "%s", status_message());
	return (struct view){data, data + size};
}

START_TEST(test_structure)
{
	struct infer_network network = variant_network(_i);
	struct view model = write_model(&network, 0, 0), graph = message(model, 7, 0);
	ck_assert_uint_eq(number(model, 1, 0), 8);
	ck_assert_uint_eq(number(message(model, 8, 0), 2, 0), 13);
	check_graph(graph);
	for (int i = 0; i < field_count(graph, 5); i++)
		ck_assert_uint_eq(number(message(graph, 5, i), 2, 0), 1); /* floats */
	/* The first convolution's weight, number by number. */
	struct view weight = message(graph, 5, 0), raw = message(weight, 9, 0);
	ck_assert_str_eq(string(weight, 8, 0), "step0.weight");
	ck_assert_mem_eq(raw.at, network.tensors[network.steps[0].tensor[0]].data, (size_t)(raw.end - raw.at));
	ck_assert_str_eq(string(message(graph, 1, 0), 4, 0), "Conv");
	if (network.class_count)
		ck_assert_int_eq(strncmp(metadata(model, "tapcut.classes"), "class 0\nclass 1\nclass 2", 23), 0);
	free((void *)model.at);
	infer_network_release(&network);
}
END_TEST

START_TEST(test_inputs)
{
	struct infer_network network = variant_network(0);
	struct view model = write_model(&network, 0, 0), graph = message(model, 7, 0);
	ck_assert_str_eq(string(message(shape_of(graph, 11, 0), 1, 2), 2, 0), "height");
	ck_assert_str_eq(string(message(shape_of(graph, 12, 0), 1, 3), 2, 0), "width");
	ck_assert_str_eq(metadata(model, "tapcut.architecture"), "squeezenet1_1+sharpmask_light");
	ck_assert_str_eq(metadata(model, "tapcut.channel_order"), "bgr");
	ck_assert_str_eq(metadata(model, "tapcut.mean"), "104,117,123");
	ck_assert_str_eq(metadata(model, "tapcut.scale"), "1,1,1");
	ck_assert_str_eq(metadata(model, "tapcut.click_planes"), "positive,negative,previous_mask");
	ck_assert_str_eq(metadata(model, "tapcut.click_encoding"), "disk");
	ck_assert_str_eq(metadata(model, "tapcut.click_radius"), "5");
	ck_assert_str_eq(metadata(model, "tapcut.click_scale"), "64");
	free((void *)model.at);
	model = write_model(&network, 48, 80);
	graph = message(model, 7, 0);
	ck_assert_uint_eq(number(message(shape_of(graph, 11, 0), 1, 1), 1, 0), 3);
	ck_assert_uint_eq(number(message(shape_of(graph, 11, 1), 1, 2), 1, 0), 48);
	ck_assert_uint_eq(number(message(shape_of(graph, 12, 0), 1, 3), 1, 0), 80);
	free((void *)model.at);
	unsigned char *data;
	size_t size;
	ck_assert_int_eq(onnx_write(&network, &(struct onnx_options){.height = 40, .width = 64}, &data, &size),
			 STATUS_CONFIG);
	ck_assert_ptr_nonnull(strstr(status_message(), "multiples of 16"));
	network.steps[0].op = (uint8_t)(infer_op_last() + 1);
	ck_assert_int_eq(onnx_write(&network, &(struct onnx_options){0}, &data, &size), STATUS_FORMAT);
	infer_network_release(&network);
}
END_TEST

START_TEST(test_same_bytes)
{
	struct infer_network network = variant_network(0);
	struct view a = write_model(&network, 0, 0), b = write_model(&network, 0, 0);
	ck_assert_uint_eq((size_t)(a.end - a.at), (size_t)(b.end - b.at));
	ck_assert_mem_eq(a.at, b.at, (size_t)(a.end - a.at));
	free((void *)a.at);
	free((void *)b.at);
	infer_network_release(&network);
}
END_TEST

/* --- ONNX Runtime --------------------------------------------------------- */

/* All operators of infer/network/ops.c, and windows that end beyond the edge. */
static struct infer_network all_operators(void)
{
	struct builder built, *b = &built;
	builder_init(b, 5);
	int stem = build_conv2d(b, 0, 8, 3, 2, 1, 1, 0);
	int half = build_binary(b, INFER_OP_ADD, stem, build_conv2d(b, 1, 8, 5, 2, 2, 1, 0), 1);
	int x = build_channel_affine(b, build_max_pool2d(b, half, 3, 2, 0, 1));
	x = build_unary(b, INFER_OP_LEAKY_RELU, x, 0, 0, 0, 0, 0.1f);
	/* the last window would begin outside */
	x = build_max_pool2d(b, build_max_pool2d(b, x, 3, 2, 1, 0), 1, 2, 0, 1);
	x = build_unary(b, INFER_OP_RELU, build_conv2d(b, x, 8, 3, 1, 2, 2, 0), 0, 0, 0, 0, 0);
	for (int op = INFER_NAMED_OPS; op <= infer_op_last(); op++)
		x = build_unary(b, op, x, 0, 0, 0, 0, 0);
	int mean = build_unary(b, INFER_OP_GLOBAL_AVG_POOL2D, x, 0, 0, 0, 0, 0);
	x = build_binary(b, INFER_OP_MUL, x, build_unary(b, INFER_OP_SIGMOID, mean, 0, 0, 0, 0, 0), 0);
	x = build_binary(b, INFER_OP_MUL, x, build_conv2d(b, x, 1, 1, 1, 0, 1, 0), 0);
	x = build_binary(b, INFER_OP_ADD, build_scale(b, x, -0.5f), mean, 1);
	x = build_conv_transpose2d(b, build_binary(b, INFER_OP_CONCAT, x, x, 0), 6, 4, 2, 1);
	b->network.steps[b->network.step_count - 1].relu = 1;
	x = build_unary(b, INFER_OP_UPSAMPLE_NEAREST, x, 4, 0, 0, 0, 0);
	x = build_conv2d(b, build_binary(b, INFER_OP_CONCAT, x, half, 0), 1, 3, 1, 1, 1, 0);
	build_upsample(b, x, 2);
	return b->network;
}

/* The variants, then all operators. */
static struct infer_network network_number(int i)
{
	return i < VARIANT_COUNT ? variant_network(i) : all_operators();
}

START_TEST(test_onnxruntime)
{
	onnx_dir = test_tmp_dir("onnx");
	struct scene scene = noise_scene(SIDE_W, SIDE_H);
	FILE *commands = fopen(path_of("commands", 0), "w");
	ck_assert_ptr_nonnull(commands);
	for (int i = 0; i <= VARIANT_COUNT; i++) {
		struct infer_network network = network_number(i);
		prepare_scene(commands, &network,
			      &(struct onnx_options){.height = i % 2 ? SIDE_H : 0, .width = i % 2 ? SIDE_W : 0}, &scene,
			      i);
		infer_network_release(&network);
	}
	fclose(commands);
	scene_release(&scene);
	if (!run_onnxruntime())
		return;
	for (int i = 0; i <= VARIANT_COUNT; i++) {
		const char *name = i < VARIANT_COUNT ? variants[i].name : "all operators";
		double worst = difference(i);
		if (getenv("TEST_VERBOSE"))
			printf("%-16s %.3g\n", name, worst);
		ck_assert_msg(worst <= 1e-4, "%s: %.3g of the logits' scale", name, worst);
	}
}
END_TEST

START_TEST(test_checker)
{
	onnx_dir = test_tmp_dir("onnx_checker");
	for (int i = 0; i <= VARIANT_COUNT; i++) {
		struct infer_network network = network_number(i);
		struct view model = write_model(&network, i % 2 ? SIDE_H : 0, i % 2 ? SIDE_W : 0);
		spit(path_of("m%d.onnx", i), model.at, (size_t)(model.end - model.at));
		free((void *)model.at);
		infer_network_release(&network);
	}
	run_checker();
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("onnx");
	TCase *tcase = tcase_create("onnx");
	tcase_set_timeout(tcase, 300);
	tcase_add_loop_test(tcase, test_structure, 0, VARIANT_COUNT);
	tcase_add_test(tcase, test_inputs);
	tcase_add_test(tcase, test_same_bytes);
	tcase_add_test(tcase, test_checker);
	tcase_add_test(tcase, test_onnxruntime);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
