/* Choosing ranges: they cover what was seen, leave out what is rare and far, are shared where FORMAT.md says so, and
 * what needs none has none. */
#include "convert/calibrate.h"

#include <math.h>
#include <stdlib.h>

#include "infer/kernels/kernels.h"
#include "infer/tapcut.h"
#include "tests/infer/build_network.h"
#include "tests/support/test.h"

enum { SIDE = 64 };

/* Image and clicks summed, a pool, two branches and their concat with pooled clicks, logits at half size. Values as
 * numbered here. */
enum { IMAGE_SUMS = 2, CLICK_SUMS, STEM, POOL, LEFT, RIGHT, JOINED, CLICKS_POOLED, WITH_CLICKS, SMALL, LOGITS };

static int build_concat(struct builder *b, int first, int second, int channels)
{
	struct infer_step step = {.op = INFER_OP_CONCAT,
				  .input_count = 2,
				  .inputs = {first, second},
				  .tensor = {-1, -1}};
	return builder_step(b, step, channels);
}

static void build(struct builder *b)
{
	builder_init(b, 5);
	int image = build_conv2d(b, 0, 8, 3, 2, 1, 1, 0), clicks = build_conv2d(b, 1, 8, 3, 2, 1, 1, 0);
	int stem = build_binary(b, INFER_OP_ADD, image, clicks, 1);
	int pool = build_max_pool2d(b, stem, 3, 1, 1, 0);
	int left = build_conv2d(b, pool, 4, 1, 1, 0, 1, 1), right = build_conv2d(b, pool, 6, 3, 1, 1, 1, 0);
	int joined = build_concat(b, left, right, 10), pooled = build_max_pool2d(b, 1, 2, 2, 0, 0);
	int small = build_conv2d(b, build_concat(b, joined, pooled, 13), 1, 3, 1, 1, 1, 0);
	struct infer_step up = {.op = INFER_OP_UPSAMPLE_BILINEAR,
				.input_count = 1,
				.inputs = {small},
				.args = {2},
				.tensor = {-1, -1}};
	builder_step(b, up, 1);
}

static void run(struct infer_network *network, infer_runner_watcher *watcher, void *context, int arithmetic)
{
	struct infer_run_options options = {.arithmetic = arithmetic, .threads = 1, .isa = -1};
	struct infer_click click = {20, 30, 1};
	struct infer_runner *runner;
	char message[TAPCUT_MESSAGE_SIZE];
	uint8_t rgb[3 * SIDE * SIDE];
	for (int i = 0; i < 3 * SIDE * SIDE; i++)
		rgb[i] = (uint8_t)(i * i / 7);
	ck_assert_msg(infer_runner_new(network, SIDE, SIDE, &options, &runner, message) == TAPCUT_OK, "%s", message);
	infer_runner_watch(runner, watcher, context);
	infer_runner_set_photo(runner, rgb, SIDE, SIDE, 3 * SIDE);
	infer_runner_set_clicks(runner, &click, 1, NULL, 0, 0);
	infer_runner_run(runner);
	infer_runner_free(runner);
}

static void unpack(struct infer_network *network, const struct infer_network *packed)
{
	for (int i = 0; i < INFER_ARITHMETIC_COUNT; i++)
		network->packed[i] = packed->packed[i];
}

START_TEST(test_ranges)
{
	struct builder b;
	struct calibration *calibration;
	struct infer_range r[LOGITS + 1];
	build(&b);
	ck_assert_int_eq(calibration_new(&b.network, &calibration), STATUS_OK);
	ck_assert_int_eq(calibration_ranges(calibration, r), STATUS_CONFIG); /* nothing was seen */
	run(&b.network, calibration_observe, calibration, INFER_ARITHMETIC_F32);
	ck_assert_msg(calibration_ranges(calibration, r) == STATUS_OK, "%s", status_message());
	static const int none[] = {0, IMAGE_SUMS, CLICK_SUMS, SMALL, LOGITS};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		ck_assert_msg(r[none[i]].scale == 0, "value %d has scale %g", none[i], (double)r[none[i]].scale);
	ck_assert_float_eq(r[1].scale, 1 / 255.0f);
	ck_assert_float_eq(r[CLICKS_POOLED].scale, r[1].scale);
	ck_assert(r[STEM].scale > 0 && r[STEM].zero == 0 && r[POOL].scale == r[STEM].scale);
	ck_assert(r[LEFT].scale == r[JOINED].scale && r[RIGHT].scale == r[JOINED].scale &&
		  r[LEFT].zero == r[RIGHT].zero);
	ck_assert(r[WITH_CLICKS].scale == r[JOINED].scale);
	ck_assert_int_gt(r[RIGHT].zero, 0); /* it has negative numbers */
	calibration_free(calibration);
	builder_release(&b);
}
END_TEST

/* Numbers spread evenly over 0..2000, and one that is far: the range does not follow it. */
START_TEST(test_rare)
{
	enum { NUMBERS = 40000 };
	struct builder b;
	struct calibration *calibration;
	struct infer_range r[LOGITS + 1];
	float *numbers = malloc(NUMBERS * sizeof *numbers);
	build(&b);
	ck_assert_int_eq(calibration_new(&b.network, &calibration), STATUS_OK);
	run(&b.network, calibration_observe, calibration, INFER_ARITHMETIC_F32);
	for (int i = 0; i < NUMBERS; i++)
		numbers[i] = 2000 * (float)i / NUMBERS;
	struct infer_map map = {.data = numbers, .c = 1, .h = 200, .w = 200, .pitch = 1, .element = INFER_ELEMENT_F32};
	calibration_observe(calibration, STEM - INFER_FIRST_STEP_VALUE, &map);
	ck_assert_int_eq(calibration_ranges(calibration, r), STATUS_OK);
	ck_assert_float_eq_tol(255 * r[STEM].scale, 2000, 2000 * 0.04f);
	numbers[7] = 3000;
	calibration_observe(calibration, STEM - INFER_FIRST_STEP_VALUE, &map);
	ck_assert_int_eq(calibration_ranges(calibration, r), STATUS_OK);
	ck_assert_msg(255 * r[STEM].scale < 2900, "the range follows one number: it reaches %g",
		      (double)(255 * r[STEM].scale));
	free(numbers);
	calibration_free(calibration);
	builder_release(&b);
}
END_TEST

START_TEST(test_losses)
{
	struct builder b;
	struct calibration *calibration;
	struct comparison *comparison;
	struct infer_range r[LOGITS + 1];
	build(&b);
	ck_assert_int_eq(calibration_new(&b.network, &calibration), STATUS_OK);
	run(&b.network, calibration_observe, calibration, INFER_ARITHMETIC_F32);
	ck_assert_int_eq(calibration_ranges(calibration, r), STATUS_OK);
	struct infer_network with = b.network;
	with.ranges = r;
	ck_assert_int_eq(comparison_new(&with, &comparison), STATUS_OK);
	run(&with, comparison_observe_float, comparison, INFER_ARITHMETIC_F32);
	run(&with, comparison_observe_bytes, comparison, INFER_ARITHMETIC_U8);
	const struct calibration_loss *losses = comparison_losses(comparison);
	ck_assert(losses != NULL);
	for (int v = 0; v <= LOGITS; v++) {
		int made = v != 0 && v != 1 && v != IMAGE_SUMS && v != CLICK_SUMS;
		ck_assert_msg((losses[v].count > 0) == made, "value %d: compared %g numbers", v, losses[v].count);
		if (made)
			ck_assert_msg(sqrt(losses[v].error / losses[v].square) < 0.05, "value %d lost %g %%", v,
				      100 * sqrt(losses[v].error / losses[v].square));
	}
	comparison_free(comparison);
	calibration_free(calibration);
	unpack(&b.network, &with);
	builder_release(&b);
}
END_TEST

START_TEST(test_refused)
{
	/* A transposed convolution has no 8-bit form: the message names the step. */
	struct builder b;
	struct calibration *calibration;
	builder_init(&b, 6);
	int half = build_conv2d(&b, 0, 4, 3, 2, 1, 1, 1), more = build_conv2d(&b, 1, 4, 3, 2, 1, 1, 1);
	int both = builder_step(&b,
				(struct infer_step){.op = INFER_OP_ADD,
						    .input_count = 2,
						    .inputs = {half, more},
						    .tensor = {-1, -1}},
				4);
	struct infer_step up = {.op = INFER_OP_CONV_TRANSPOSE2D,
				.input_count = 1,
				.inputs = {both},
				.args = {2, 2, 0},
				.tensor = {0, -1}};
	up.tensor[0] = builder_tensor(&b, 4, 1, 2, 2, 1);
	builder_step(&b, up, 1);
	struct infer_range r[6];
	ck_assert_int_eq(calibration_new(&b.network, &calibration), STATUS_OK);
	run(&b.network, calibration_observe, calibration, INFER_ARITHMETIC_F32);
	ck_assert_int_eq(calibration_ranges(calibration, r), STATUS_CONFIG);
	ck_assert_msg(strstr(status_message(), "value 5 (conv_transpose2d): this operator has no 8-bit form"), "%s",
		      status_message());
	calibration_free(calibration);
	builder_release(&b);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("calibrate");
	TCase *tcase = tcase_create("calibrate");
	tcase_add_test(tcase, test_ranges);
	tcase_add_test(tcase, test_rare);
	tcase_add_test(tcase, test_losses);
	tcase_add_test(tcase, test_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
