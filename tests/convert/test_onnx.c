/* The ONNX export, read back by a small reader of our own (is it a graph, does it hold the network's numbers and say
 * how its inputs are made), and run by ONNX Runtime where that is installed: all model variants and all operators give
 * our own logits. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/onnx.h"
#include "convert/steps.h"
#include "core/atomic_file.h"
#include "infer/network/ops.h"
#include "infer/tapcut.h"
#include "tests/convert/variants.h"
#include "tests/infer/build_network.h"
#include "tests/support/test.h"

enum { SIDE_H = 64, SIDE_W = 96, MAX_NAMES = 512 };

/* --- a reader of protocol buffers ----------------------------------------- */

struct view {
	const unsigned char *at, *end;
};

/* Check notes every assertion that it passes, which is too slow for every byte. */
static void expect(bool holds, const char *what)
{
	if (!holds)
		ck_abort_msg("%s", what);
}

/* One field: `number` for varints and floats' bits, `bytes` for the rest. */
struct field {
	int id, wire;
	uint64_t number;
	struct view bytes;
};

static uint64_t read_varint(struct view *view)
{
	uint64_t value = 0;
	for (int shift = 0; shift < 64; shift += 7) {
		expect(view->at < view->end, "a varint that is cut off");
		value |= (uint64_t)(*view->at & 127) << shift;
		if (*view->at++ < 128)
			return value;
	}
	ck_abort_msg("a varint of more than ten bytes");
	return 0;
}

static bool next_field(struct view *view, struct field *field)
{
	if (view->at == view->end)
		return false;
	uint64_t key = read_varint(view), size = 4;
	*field = (struct field){.id = (int)(key >> 3), .wire = (int)(key & 7)};
	expect(field->wire == 0 || field->wire == 2 || field->wire == 5, "an unknown wire type");
	if (field->wire == 0) {
		field->number = read_varint(view);
		return true;
	}
	if (field->wire == 2)
		size = read_varint(view);
	expect(size <= (uint64_t)(view->end - view->at), "a field that is cut off");
	field->bytes = (struct view){view->at, view->at + size};
	view->at += size;
	return true;
}

/* The n-th field with this id. */
static bool find(struct view view, int id, int n, struct field *field)
{
	while (next_field(&view, field))
		if (field->id == id && n-- == 0)
			return true;
	return false;
}

static int field_count(struct view view, int id)
{
	struct field field;
	int n = 0;
	while (find(view, id, n, &field))
		n++;
	return n;
}

static struct view message(struct view view, int id, int n)
{
	struct field field;
	expect(find(view, id, n, &field) && field.wire == 2, "a message is missing");
	return field.bytes;
}

static uint64_t number(struct view view, int id, int n)
{
	struct field field;
	expect(find(view, id, n, &field) && field.wire == 0, "a number is missing");
	return field.number;
}

/* Static buffers, eight in turn. */
static const char *string(struct view view, int id, int n)
{
	static char texts[8][2000];
	static int turn;
	struct view bytes = message(view, id, n);
	char *text = texts[turn++ % 8];
	ck_assert_uint_lt((size_t)(bytes.end - bytes.at), sizeof texts[0]);
	memcpy(text, bytes.at, (size_t)(bytes.end - bytes.at));
	text[bytes.end - bytes.at] = '\0';
	return text;
}

/* --- structure ------------------------------------------------------------ */

struct names {
	char name[MAX_NAMES][64];
	int count;
};

static bool known(const struct names *names, const char *name)
{
	for (int i = 0; i < names->count; i++)
		if (!strcmp(names->name[i], name))
			return true;
	return false;
}

static void add_name(struct names *names, const char *name)
{
	ck_assert_msg(!known(names, name), "%s twice", name);
	ck_assert_int_lt(names->count, MAX_NAMES);
	snprintf(names->name[names->count++], sizeof names->name[0], "%s", name);
}

/* Every input of a node is there before it, every value is made once, every initialiser has its dimensions' bytes. */
static void check_graph(struct view graph)
{
	struct names names = {.count = 0};
	for (int i = 0; i < field_count(graph, 11); i++)
		add_name(&names, string(message(graph, 11, i), 1, 0));
	for (int i = 0; i < field_count(graph, 5); i++) {
		struct view tensor = message(graph, 5, i), raw = message(tensor, 9, 0);
		size_t numbers = 1;
		for (int d = 0; d < field_count(tensor, 1); d++)
			numbers *= (size_t)number(tensor, 1, d);
		ck_assert_uint_eq((size_t)(raw.end - raw.at), 4 * numbers);
		ck_assert_uint_eq(number(tensor, 2, 0), 1);
		add_name(&names, string(tensor, 8, 0));
	}
	for (int i = 0; i < field_count(graph, 1); i++) {
		struct view node = message(graph, 1, i);
		for (int k = 0; k < field_count(node, 1); k++) {
			const char *input = string(node, 1, k);
			ck_assert_msg(!*input || known(&names, input), "node %d reads %s, which is not there yet", i,
				      input);
		}
		add_name(&names, string(node, 2, 0));
	}
	ck_assert_str_eq(string(message(graph, 12, 0), 1, 0), "logits");
	ck_assert(known(&names, "logits"));
}

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
	free(steps.names);
	variant_model_release(&m);
	return steps.network;
}

static struct view write_model(const struct infer_network *network, int h, int w)
{
	unsigned char *data;
	size_t size;
	ck_assert_msg(onnx_write(network, &(struct onnx_options){.height = h, .width = w}, &data, &size) == STATUS_OK, "%s",
		      status_message());
	return (struct view){data, data + size};
}

START_TEST(test_structure)
{
	struct infer_network network = variant_network(_i);
	struct view model = write_model(&network, 0, 0), graph = message(model, 7, 0);
	ck_assert_uint_eq(number(model, 1, 0), 8);
	ck_assert_uint_eq(number(message(model, 8, 0), 2, 0), 13);
	check_graph(graph);
	/* The first convolution's weight, number by number. */
	struct view weight = message(graph, 5, 0), raw = message(weight, 9, 0);
	ck_assert_str_eq(string(weight, 8, 0), "step0.weight");
	ck_assert_mem_eq(raw.at, network.tensors[network.steps[0].tensor[0]].data, (size_t)(raw.end - raw.at));
	ck_assert_str_eq(string(message(graph, 1, 0), 4, 0), "Conv");
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
	ck_assert_int_eq(onnx_write(&network, &(struct onnx_options){.height = 40, .width = 64}, &data, &size), STATUS_CONFIG);
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

static const char *dir;
static struct infer_click taps[] = {{30, 20, 1}, {60, 40, 0}};

static const char *path_of(const char *format, int i)
{
	static char paths[4][1200];
	static int turn;
	char *path = paths[turn++ % 4];
	int used = snprintf(path, sizeof paths[0], "%s/", dir);
	snprintf(path + used, sizeof paths[0] - (size_t)used, format, i);
	return path;
}

static void spit(const char *path, const void *data, size_t size)
{
	ck_assert_msg(atomic_file_write(path, &(struct file_part){data, size}, 1) == STATUS_OK, "%s", status_message());
}

/* A photo of noise, two taps and a previous mask: as an app gives them, and as planes. */
struct scene {
	uint8_t rgb[3 * SIDE_H * SIDE_W];
	float previous[SIDE_H * SIDE_W];
	float image[3 * SIDE_H * SIDE_W], clicks[3 * SIDE_H * SIDE_W];
};

static struct scene *make_scene(const struct infer_preprocess *preprocess)
{
	enum { PIXELS = SIDE_H * SIDE_W };
	uint32_t state = 77;
	struct scene *scene = malloc(sizeof *scene);
	for (int i = 0; i < 3 * PIXELS; i++)
		scene->rgb[i] = (uint8_t)(128 + 120 * builder_number(&state));
	for (int i = 0; i < PIXELS; i++)
		scene->previous[i] = fabsf(builder_number(&state));
	infer_normalize_rgb8(preprocess, scene->rgb, SIDE_W, SIDE_H, 3 * SIDE_W, scene->image, SIDE_W, SIDE_H);
	infer_draw_clicks(preprocess, taps, 2, scene->clicks, SIDE_W, SIDE_H);
	for (int i = 0; i < PIXELS; i++)
		scene->clicks[2 * PIXELS + i] = preprocess->click_scale * scene->previous[i];
	return scene;
}

static void write_logits(const struct infer_network *network, const struct scene *scene, const char *path)
{
	char text[TAPCUT_MESSAGE_SIZE];
	struct infer_runner *runner;
	ck_assert_msg(infer_runner_new(network, SIDE_H, SIDE_W, NULL, &runner, text) == TAPCUT_OK, "%s", text);
	infer_runner_set_photo(runner, scene->rgb, SIDE_W, SIDE_H, 3 * SIDE_W);
	infer_runner_set_clicks(runner, taps, 2, network->preprocess.previous_mask ? scene->previous : NULL, SIDE_W,
				SIDE_H);
	spit(path, infer_runner_run(runner), SIDE_H * SIDE_W * sizeof(float));
	infer_runner_free(runner);
}

/* Writes model, inputs and expected logits number i, and what ONNX Runtime shall do with them. */
static void prepare(FILE *commands, const struct infer_network *network, int i)
{
	int planes = infer_click_planes(&network->preprocess);
	size_t plane = SIDE_H * SIDE_W * sizeof(float);
	struct scene *scene = make_scene(&network->preprocess);
	struct view model = write_model(network, i % 2 ? SIDE_H : 0, i % 2 ? SIDE_W : 0);
	spit(path_of("m%d.onnx", i), model.at, (size_t)(model.end - model.at));
	spit(path_of("image%d", i), scene->image, 3 * plane);
	spit(path_of("clicks%d", i), scene->clicks, (size_t)planes * plane);
	write_logits(network, scene, path_of("logits%d", i));
	fprintf(commands, "{\"open\": \"%s\", \"threads\": 1}\n", path_of("m%d.onnx", i));
	fprintf(commands, "{\"input\": \"image\", \"dims\": [1, 3, %d, %d], \"file\": \"%s\"}\n", SIDE_H, SIDE_W,
		path_of("image%d", i));
	fprintf(commands, "{\"input\": \"clicks\", \"dims\": [1, %d, %d, %d], \"file\": \"%s\"}\n", planes, SIDE_H,
		SIDE_W, path_of("clicks%d", i));
	fprintf(commands, "{\"run\": 1}\n{\"output\": \"logits\", \"file\": \"%s\"}\n", path_of("found%d", i));
	free((void *)model.at);
	free(scene);
}

/* Largest difference over largest logit. */
static double difference(int i)
{
	char *expected_bytes, *found_bytes;
	size_t size, found_size;
	ck_assert_int_eq(file_read(path_of("logits%d", i), 1 << 20, &expected_bytes, &size), STATUS_OK);
	ck_assert_msg(file_read(path_of("found%d", i), 1 << 20, &found_bytes, &found_size) == STATUS_OK, "%s",
		      status_message());
	ck_assert_uint_eq(size, found_size);
	const float *expected = (const float *)(const void *)expected_bytes,
		    *found = (const float *)(const void *)found_bytes;
	double scale = 0, worst = 0;
	for (size_t k = 0; k < size / sizeof(float); k++) {
		scale = fmax(scale, fabs((double)expected[k]));
		worst = fmax(worst, fabs((double)expected[k] - (double)found[k]));
	}
	ck_assert_msg(scale > 1e-3, "model %d: the logits are all but zero", i);
	free(expected_bytes);
	free(found_bytes);
	return worst / scale;
}

/* One process for all models; false where it cannot run. */
static bool run_onnxruntime(void)
{
	char command[4000], first[400] = "", line[2000];
	snprintf(command, sizeof command, "node tools/bench/onnxruntime.mjs <%s/commands >%s/answers 2>&1", dir, dir);
	int code = system(command);
	FILE *answers = fopen(path_of("answers", 0), "r");
	ck_assert_ptr_nonnull(answers);
	bool some = fgets(first, sizeof first, answers) != NULL;
	if (code || !some || strstr(first, "\"skipped\"")) {
		test_skip("ONNX Runtime: %s", some ? first : "node did not run");
		fclose(answers);
		return false;
	}
	while (fgets(line, sizeof line, answers))
		ck_assert_msg(!strstr(line, "\"error\""), "%s", line);
	fclose(answers);
	return true;
}

START_TEST(test_onnxruntime)
{
	dir = test_tmp_dir("onnx");
	FILE *commands = fopen(path_of("commands", 0), "w");
	ck_assert_ptr_nonnull(commands);
	for (int i = 0; i <= VARIANT_COUNT; i++) {
		struct infer_network network = network_number(i);
		prepare(commands, &network, i);
		infer_network_release(&network);
	}
	fclose(commands);
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

/* The format's own checker, shapes included (python3-onnx). */
START_TEST(test_checker)
{
	char command[4000];
	dir = test_tmp_dir("onnx_checker");
	if (system("/usr/bin/python3 -c 'import onnx' 2>/dev/null") != 0) {
		test_skip("python3-onnx is not installed");
		return;
	}
	for (int i = 0; i <= VARIANT_COUNT; i++) {
		struct infer_network network = network_number(i);
		struct view model = write_model(&network, i % 2 ? SIDE_H : 0, i % 2 ? SIDE_W : 0);
		spit(path_of("m%d.onnx", i), model.at, (size_t)(model.end - model.at));
		free((void *)model.at);
		infer_network_release(&network);
	}
	snprintf(command, sizeof command,
		 "/usr/bin/python3 -c 'import onnx, sys\nfor f in sys.argv[1:]: onnx.checker.check_model(onnx.load(f), "
		 "full_check=True)' %s/m*.onnx",
		 dir);
	ck_assert_int_eq(system(command), 0);
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
