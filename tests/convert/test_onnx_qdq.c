/* The ONNX export in 8 bits: the integers, scales and zero points are those of our own arithmetic, and ONNX Runtime,
 * where it is installed, gives the same masks. */
#include "convert/calibrate.h"
#include "data/image_io.h"
#include "infer/image/resize.h"
#include "infer/kernels/kernels.h"
#include "infer/kernels/sigmoid.h"
#include "infer/network/ops.h"
#include "tests/convert/onnx_support.h"
#include "tools/network_file.h"

#define SHIPPED "infer/models/base.tapcut"

enum { SIDE_H = 64, SIDE_W = 96, PHOTO_SIDE = 256 };

/* --- networks ------------------------------------------------------------- */

/* All that is done in whole numbers on both sides: convolutions, alone and summed up, the image in one that pads, sums
 * with and without relu and with one number per channel, products, pools with a last window that begins outside,
 * concats of equal and different ranges, both ways to enlarge. */
static int build_whole(struct builder *b)
{
	int stem = build_conv2d(b, 0, 8, 3, 2, 1, 1, 0);
	int half = build_binary(b, INFER_OP_ADD, stem, build_conv2d(b, 1, 8, 5, 2, 2, 1, 0), 1);
	int x = build_max_pool2d(b, build_max_pool2d(b, half, 3, 2, 0, 1), 1, 2, 0, 1);
	x = build_conv2d(b, x, 8, 3, 1, 2, 2, 0);
	int mean = build_unary(b, INFER_OP_GLOBAL_AVG_POOL2D, x, 0, 0, 0, 0, 0);
	x = build_binary(b, INFER_OP_ADD, x, mean, 0);
	x = build_binary(b, INFER_OP_MUL, x, build_conv2d(b, x, 1, 1, 1, 0, 1, 1), 0);
	x = build_binary(b, INFER_OP_ADD, build_conv2d(b, x, 8, 1, 1, 0, 1, 0), x, 0);
	x = build_binary(b, INFER_OP_CONCAT, x, build_max_pool2d(b, 1, 8, 8, 0, 0), 0);
	x = build_conv2d(b, build_unary(b, INFER_OP_UPSAMPLE_NEAREST, x, 2, 0, 0, 0, 0), 8, 3, 1, 1, 1, 0);
	x = build_binary(b, INFER_OP_ADD, build_conv2d(b, half, 8, 1, 1, 0, 1, 0), build_upsample(b, x, 2), 0);
	return build_binary(b, INFER_OP_ADD, x, half, 1);
}

/* Operators that are a function of a number. */
static int build_functions(struct builder *b, int x)
{
	x = build_unary(b, INFER_OP_LEAKY_RELU, build_channel_affine(b, x), 0, 0, 0, 0, 0.1f);
	for (int op = INFER_NAMED_OPS; op <= infer_op_last(); op++)
		x = build_unary(b, op, x, 0, 0, 0, 0, 0);
	x = build_binary(b, INFER_OP_MUL, x, build_unary(b, INFER_OP_SIGMOID, x, 0, 0, 0, 0, 0), 0);
	x = build_unary(b, INFER_OP_RELU, build_scale(b, x, -0.5f), 0, 0, 0, 0, 0);
	return build_conv2d(b, x, 8, 1, 1, 0, 1, 1);
}

/* Ranges from a float run on the scene. */
static void calibrate(struct infer_network *network, const struct scene *scene)
{
	const struct infer_run_options options = {.threads = 1, .isa = -1, .stream_bytes = SIZE_MAX};
	char text[TAPCUT_MESSAGE_SIZE];
	struct calibration *calibration;
	struct infer_runner *runner;
	int values = INFER_FIRST_STEP_VALUE + network->step_count;
	ck_assert_int_eq(calibration_new(network, &calibration), STATUS_OK);
	ck_assert_msg(infer_runner_new(network, scene->h, scene->w, &options, &runner, text) == TAPCUT_OK, "%s", text);
	infer_runner_watch(runner, calibration_observe, calibration);
	infer_runner_set_photo(runner, scene->rgb, scene->w, scene->h, 3 * (size_t)scene->w);
	infer_runner_set_clicks(runner, scene->taps, scene->tap_count, scene->previous, scene->w, scene->h);
	infer_runner_run(runner);
	infer_runner_free(runner);
	struct infer_range *ranges = calloc((size_t)values, sizeof *ranges);
	ck_assert_msg(calibration_ranges(calibration, ranges) == STATUS_OK, "%s", status_message());
	network->ranges = ranges;
	calibration_free(calibration);
}

enum kind { WHOLE, UNEVEN, FUNCTIONS, KINDS };
static const char *const kind_names[KINDS] = {"whole numbers", "uneven image", "functions"};

static struct infer_network network_of(enum kind kind, const struct scene *scene)
{
	struct builder built, *b = &built;
	builder_init(b, 3);
	if (kind == UNEVEN) { /* no scale for all planes, means between two bytes */
		const float mean[3] = {123.675f, 116.28f, 103.53f}, scale[3] = {0.017f, -0.0175f, 0.03f};
		memcpy(b->network.preprocess.mean, mean, sizeof mean);
		memcpy(b->network.preprocess.scale, scale, sizeof scale);
	}
	int x = build_whole(b);
	if (kind == FUNCTIONS)
		x = build_functions(b, x);
	build_upsample(b, build_conv2d(b, x, 1, 3, 1, 1, 1, 0), 2);
	calibrate(&b->network, scene);
	return b->network;
}

static struct infer_network shipped(void)
{
	struct infer_network network;
	ck_assert_msg(network_file_read(SHIPPED, &network) == STATUS_OK, "%s", status_message());
	return network;
}

/* --- structure ------------------------------------------------------------ */

static struct view write_qdq(const struct infer_network *network)
{
	unsigned char *data;
	size_t size;
	ck_assert_msg(onnx_write(network, &(struct onnx_options){.qdq = true}, &data, &size) == STATUS_OK, "%s",
		      status_message());
	return (struct view){data, data + size};
}

/* The node that makes a value. */
static struct view maker(struct view graph, const char *output)
{
	struct field field;
	struct view rest = graph;
	char name[64]; /* string() takes its buffer back */
	snprintf(name, sizeof name, "%s", output);
	while (next_field(&rest, &field))
		if (field.id == 1 && strcmp(string(field.bytes, 2, 0), name) == 0)
			return field.bytes;
	ck_abort_msg("nothing makes %s", name);
	return graph;
}

/* The bytes of an initialiser of this type. */
static struct view constant(struct view graph, const char *initialiser, int type)
{
	struct field field;
	struct view rest = graph;
	char name[64];
	snprintf(name, sizeof name, "%s", initialiser);
	while (next_field(&rest, &field))
		if (field.id == 5 && strcmp(string(field.bytes, 8, 0), name) == 0) {
			ck_assert_int_eq((int)number(field.bytes, 2, 0), type);
			return message(field.bytes, 9, 0);
		}
	ck_abort_msg("no constant %s", name);
	return graph;
}

static float float_at(struct view data, int i)
{
	float value;
	ck_assert(data.at + 4 * i + 4 <= data.end);
	memcpy(&value, data.at + 4 * i, sizeof value);
	return value;
}

/* A conv2d of bytes: its weight, its bias and the input it stands behind are the file's, number by number. */
static void check_conv2d(const struct infer_network *n, struct view graph, int step)
{
	const struct infer_tensor *t = &n->tensors[n->steps[step].tensor[0]];
	bool sums = infer_value_kind(n, INFER_FIRST_STEP_VALUE + step) == INFER_VALUE_FUSED,
	     image = n->steps[step].inputs[0] == 0;
	char name[32];
	snprintf(name, sizeof name, step == n->step_count - 1 ? "logits" : "v%d", INFER_FIRST_STEP_VALUE + step);
	struct view conv = maker(graph, name);
	ck_assert_str_eq(string(conv, 4, 0), "Conv");
	struct view x = maker(graph, string(conv, 1, 0)), weight = maker(graph, string(conv, 1, 1)),
		    bias = maker(graph, string(conv, 1, 2));
	ck_assert_str_eq(string(x, 4, 0), "DequantizeLinear");
	ck_assert_str_eq(string(weight, 4, 0), "DequantizeLinear");
	ck_assert_uint_eq(number(message(weight, 5, 0), 3, 0), 0); /* axis */
	struct view integers = constant(graph, string(weight, 1, 0), 3),
		    scales = constant(graph, string(weight, 1, 1), 1), units = constant(graph, string(bias, 1, 1), 1);
	ck_assert_uint_eq((size_t)(constant(graph, string(bias, 1, 0), 6).end -
				   constant(graph, string(bias, 1, 0), 6).at),
			  4 * (size_t)t->dims[0]);
	ck_assert_mem_eq(integers.at, t->integers, (size_t)(integers.end - integers.at));
	float in = float_at(constant(graph, string(x, 1, 1), 1), 0);
	struct infer_range range = n->ranges[n->steps[step].inputs[0]];
	ck_assert(in == (sums || image ? 1 : range.scale));
	ck_assert_int_eq(constant(graph, string(x, 1, 2), 2).at[0], image ? 0 : range.zero);
	for (int o = 0; o < t->dims[0]; o++) {
		ck_assert(float_at(scales, o) == (sums ? 1 : t->scales[o] * (image ? n->preprocess.scale[0] : 1)));
		ck_assert(float_at(units, o) == (sums ? 1 : in * float_at(scales, o)));
	}
}

START_TEST(test_structure)
{
	struct infer_network n = shipped();
	struct view model = write_qdq(&n), graph = message(model, 7, 0);
	char name[32];
	int convs = 0, bytes = 0;
	check_graph(graph);
	for (int i = 0; i < n.step_count; i++) {
		int value = INFER_FIRST_STEP_VALUE + i;
		if (n.steps[i].op == INFER_OP_CONV2D) {
			check_conv2d(&n, graph, i);
			convs++;
		}
		if (infer_value_kind(&n, value) != INFER_VALUE_U8)
			continue;
		snprintf(name, sizeof name, "v%d.u8", value);
		struct view rounding = maker(graph, name);
		ck_assert_str_eq(string(rounding, 4, 0), "QuantizeLinear");
		if (n.steps[i].op != INFER_OP_UPSAMPLE_BILINEAR)
			ck_assert_int_eq(constant(graph, string(rounding, 1, 2), 2).at[0], n.ranges[value].zero);
		if (n.steps[i].op != INFER_OP_UPSAMPLE_BILINEAR && n.steps[i].op != INFER_OP_ADD)
			ck_assert(float_at(constant(graph, string(rounding, 1, 1), 1), 0) == n.ranges[value].scale);
		bytes++;
	}
	ck_assert_int_gt(convs, 40);
	ck_assert_int_gt(bytes, 50);
	free((void *)model.at);
	infer_network_release(&n);
}
END_TEST

START_TEST(test_refused)
{
	struct builder b;
	unsigned char *data;
	size_t size;
	builder_init(&b, 3);
	build_upsample(&b, build_conv2d(&b, build_binary(&b, INFER_OP_CONCAT, 0, 1, 0), 1, 3, 2, 1, 1, 0), 2);
	ck_assert_int_eq(onnx_write(&b.network, &(struct onnx_options){.qdq = true}, &data, &size), STATUS_CONFIG);
	ck_assert_ptr_nonnull(strstr(status_message(), "no value ranges"));
	builder_release(&b);
}
END_TEST

START_TEST(test_same_bytes)
{
	struct infer_network network = shipped();
	struct view a = write_qdq(&network), b = write_qdq(&network);
	ck_assert_uint_eq((size_t)(a.end - a.at), (size_t)(b.end - b.at));
	ck_assert_mem_eq(a.at, b.at, (size_t)(a.end - a.at));
	free((void *)a.at);
	free((void *)b.at);
	infer_network_release(&network);
}
END_TEST

START_TEST(test_checker)
{
	struct scene scene = noise_scene(SIDE_W, SIDE_H);
	onnx_dir = test_tmp_dir("onnx_qdq_checker");
	for (int i = 0; i <= KINDS; i++) {
		struct infer_network network = i < KINDS ? network_of((enum kind)i, &scene) : shipped();
		struct view model = write_qdq(&network);
		spit(path_of("m%d.onnx", i), model.at, (size_t)(model.end - model.at));
		free((void *)model.at);
		infer_network_release(&network);
	}
	scene_release(&scene);
	run_checker();
}
END_TEST

/* --- ONNX Runtime --------------------------------------------------------- */

START_TEST(test_onnxruntime)
{
	/* Functions may end on the other side of a tie, by what the last bits of their floats differ. */
	const double limits[KINDS] = {1e-5, 1e-5, 0.05};
	struct scene scene = noise_scene(SIDE_W, SIDE_H);
	onnx_dir = test_tmp_dir("onnx_qdq");
	FILE *commands = fopen(path_of("commands", 0), "w");
	ck_assert_ptr_nonnull(commands);
	for (int i = 0; i < KINDS; i++) {
		struct infer_network network = network_of((enum kind)i, &scene);
		prepare_scene(commands, &network, &(struct onnx_options){.qdq = true}, &scene, i);
		infer_network_release(&network);
	}
	fclose(commands);
	scene_release(&scene);
	if (!run_onnxruntime())
		return;
	for (int i = 0; i < KINDS; i++) {
		double worst = difference(i);
		if (getenv("TEST_VERBOSE"))
			printf("%-16s %.3g\n", kind_names[i], worst);
		ck_assert_msg(worst <= limits[i], "%s: %.3g of the logits' scale", kind_names[i], worst);
	}
}
END_TEST

static const char *const photos[] = {"000000000025.jpg", "000000142620.jpg",    "000000332845.jpg",
				     "000000503755.jpg", "VOC_2008_006178.jpg", "VOC_2010_000303.jpg"};
enum { PHOTOS = sizeof photos / sizeof *photos };

/* A photo, stretched to a square. The first of a pair of scenes has one tap, the second two and the first mask. */
static struct scene photo_scene(const struct infer_network *network, const char *folder, int i)
{
	struct scene scene =
		{PHOTO_SIDE, PHOTO_SIDE, malloc(3 * PHOTO_SIDE * PHOTO_SIDE), NULL, {{130, 140, 1}, {30, 25, 0}}, 1};
	struct image image;
	char path[1200];
	snprintf(path, sizeof path, "%s/%s", folder, photos[i / 2]);
	ck_assert_msg(image_read(path, &(struct image_read_options){.channels = 3, .exif = EXIF_IGNORE}, &image) ==
			      STATUS_OK,
		      "%s", status_message());
	void *workspace = malloc(infer_resize_workspace(image.width, image.height, PHOTO_SIDE, PHOTO_SIDE));
	infer_resize_u8(image.pixels, image.width, image.height, 3 * (size_t)image.width, 3,
			(struct infer_rect){0, 0, image.width, image.height}, scene.rgb, PHOTO_SIDE, PHOTO_SIDE,
			(uint8_t[3]){0}, 0, workspace);
	free(workspace);
	image_release(&image);
	if (i % 2) {
		scene.previous = run_scene(network, &scene, INFER_ARITHMETIC_U8);
		for (int k = 0; k < PHOTO_SIDE * PHOTO_SIDE; k++)
			scene.previous[k] = infer_sigmoid(scene.previous[k]);
		scene.tap_count = 2;
	}
	return scene;
}

static double grey(float logit)
{
	return floor(255 / (1 + exp(-(double)logit)) + 0.5);
}

/* Pixels of mask i whose grey levels, of 255, are more than one apart. */
static size_t pixels_apart(int i)
{
	size_t count, apart = 0;
	float *ours = read_logits(path_of("logits%d", i), &count), *theirs = read_logits(path_of("found%d", i), &count);
	for (size_t k = 0; k < count; k++)
		apart += fabs(grey(ours[k]) - grey(theirs[k])) > 1;
	free(ours);
	free(theirs);
	return apart;
}

/* The shipped network on photos: within one grey level in 99.9 % of all pixels; measured 100 %. */
START_TEST(test_photos)
{
	char folder[1024];
	const char *found = test_shared_data("clicks/val/images");
	if (!found)
		return;
	snprintf(folder, sizeof folder, "%s", found);
	struct infer_network network = shipped();
	onnx_dir = test_tmp_dir("onnx_qdq_photos");
	FILE *commands = fopen(path_of("commands", 0), "w");
	ck_assert_ptr_nonnull(commands);
	for (int i = 0; i < 2 * PHOTOS; i++) {
		struct scene scene = photo_scene(&network, folder, i);
		prepare_scene(commands, &network, &(struct onnx_options){PHOTO_SIDE, PHOTO_SIDE, true}, &scene, i);
		scene_release(&scene);
	}
	fclose(commands);
	infer_network_release(&network);
	if (!run_onnxruntime())
		return;
	size_t apart = 0;
	for (int i = 0; i < 2 * PHOTOS; i++)
		apart += pixels_apart(i);
	double share = 1 - (double)apart / (2.0 * PHOTOS * PHOTO_SIDE * PHOTO_SIDE);
	if (getenv("TEST_VERBOSE"))
		printf("within one grey level: %.4f %% of all pixels\n", 100 * share);
	ck_assert_msg(share >= 0.999, "only %.3f %% of all pixels are within one grey level", 100 * share);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("onnx qdq");
	TCase *tcase = tcase_create("onnx qdq");
	tcase_set_timeout(tcase, 300);
	tcase_add_test(tcase, test_structure);
	tcase_add_test(tcase, test_refused);
	tcase_add_test(tcase, test_same_bytes);
	tcase_add_test(tcase, test_checker);
	tcase_add_test(tcase, test_onnxruntime);
	tcase_add_test(tcase, test_photos);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
