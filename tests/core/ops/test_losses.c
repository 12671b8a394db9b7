/* bce_with_logits, soft_dice_loss and soft_iou_loss against their formulas; what all losses promise: ignored pixels,
 * samples without valid pixels, large logits, shapes. (normalized_focal_loss has a file of its own.) */
#include "core/ops/ops.h"

#include <math.h>
#include <string.h>

#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

enum { H = 17, W = 19, PIXELS = H * W, SAMPLES = 3, COUNT = SAMPLES * PIXELS }; /* more than LOSS_BLOCK */

static const struct shape map = {SAMPLES, 1, H, W};
static const struct soft_dice_attr smooth = {0.5f};
static const struct nfl_attr focal = {0.5f, 2, 1e-12f};

static const struct {
	const struct op *op;
	const void *attr;
} losses[] = {{&op_bce_with_logits, NULL},
	      {&op_soft_dice_loss, &smooth},
	      {&op_soft_iou_loss, &smooth},
	      {&op_normalized_focal_loss, &focal}};
enum { BCE, DICE, IOU, FOCAL, LOSSES };

static void init(struct op_run *run, int loss, float gain)
{
	const struct op_case c = {.op = losses[loss].op,
				  .attr = losses[loss].attr,
				  .in = {map, map},
				  .fill = {FILL_UNIFORM, FILL_TARGET},
				  .gain = gain};
	op_run_init(run, &c);
}

static double expected_sample(int loss, const float *z, const float *y)
{
	double bce = 0, valid = 0, product = 0, predicted = 0, wanted = 0;
	for (int i = 0; i < PIXELS; i++) {
		if (y[i] < 0)
			continue;
		double p = 1 / (1 + exp(-(double)z[i])), t = y[i];
		bce -= t * log(p) + (1 - t) * log(1 - p);
		valid++;
		product += p * t;
		predicted += p;
		wanted += t;
	}
	if (valid == 0)
		return 0;
	if (loss == BCE)
		return bce / valid;
	if (loss == DICE)
		return 1 - (2 * product + 0.5) / (predicted + wanted + 0.5);
	return 1 - (product + 0.5) / (predicted + wanted - product + 0.5);
}

START_TEST(equals_formula)
{
	struct op_run run;
	init(&run, _i, 5);
	for (int i = 0; i < PIXELS; i++)
		run.call.in[1].data[PIXELS + i] = TARGET_IGNORE; /* the second sample has no valid pixel */
	op_run_forward(&run);
	double expected = 0;
	for (int n = 0; n < SAMPLES; n++)
		expected += expected_sample(_i, run.call.in[0].data + n * PIXELS, run.call.in[1].data + n * PIXELS) /
			    SAMPLES;
	ck_assert_double_eq_tol(run.call.out.data[0], expected, 1e-6);
	op_run_release(&run);
}
END_TEST

START_TEST(ignored_pixels_have_no_part)
{
	struct op_run run;
	init(&run, _i, 2);
	op_run_forward(&run);
	float before = run.call.out.data[0], grad[COUNT], out_grad = 1;
	for (int i = 0; i < COUNT; i++)
		if (run.call.in[1].data[i] < 0 || i < PIXELS)
			run.call.in[0].data[i] = i % 2 ? 1000 : -1000;
	for (int i = 0; i < PIXELS; i++)
		run.call.in[1].data[i] = TARGET_IGNORE;
	run.call.out_grad = &out_grad;
	run.call.in_grad[0] = grad;
	op_run_forward(&run);
	losses[_i].op->backward(&run.call);
	ck_assert_float_lt(run.call.out.data[0], before);
	for (int i = 0; i < COUNT; i++)
		ck_assert(run.call.in[1].data[i] >= 0 || grad[i] == 0);
	op_run_release(&run);
}
END_TEST

START_TEST(large_logits_stay_finite)
{
	const float sizes[] = {20, 100, 1e4f, 1e30f};
	struct op_run run;
	init(&run, _i, 1);
	for (int s = 0; s < 4; s++) {
		float grad[COUNT], out_grad = 1;
		for (int i = 0; i < COUNT; i++)
			run.call.in[0].data[i] = i % 3 ? -sizes[s] : sizes[s];
		run.call.out_grad = &out_grad;
		run.call.in_grad[0] = grad;
		op_run_forward(&run);
		losses[_i].op->backward(&run.call);
		ck_assert(isfinite(run.call.out.data[0]) && run.call.out.data[0] >= 0);
		for (int i = 0; i < COUNT; i++)
			ck_assert(isfinite(grad[i]));
	}
	op_run_release(&run);
}
END_TEST

/* A confident wrong pixel: the loss is |z|, its slope -1. */
START_TEST(bce_is_linear_when_wrong)
{
	const struct op_case c = {.op = &op_bce_with_logits, .in = {{1, 1, 1, 1}, {1, 1, 1, 1}}};
	struct op_run run;
	op_run_init(&run, &c);
	float grad, out_grad = 1;
	run.call.in[0].data[0] = -500;
	run.call.in[1].data[0] = 1;
	run.call.out_grad = &out_grad;
	run.call.in_grad[0] = &grad;
	op_run_forward(&run);
	op_bce_with_logits.backward(&run.call);
	ck_assert(run.call.out.data[0] == 500 && grad == -1);
	run.call.in[0].data[0] = 30; /* right: the slope is -e^-30, not 0 */
	op_run_forward(&run);
	op_bce_with_logits.backward(&run.call);
	ck_assert_double_eq_tol(grad / -exp(-30), 1, 1e-6);
	op_run_release(&run);
}
END_TEST

START_TEST(nan_is_seen)
{
	struct op_run run;
	init(&run, _i, 1);
	run.call.in[1].data[8] = 1;
	run.call.in[0].data[8] = NAN;
	op_run_forward(&run);
	ck_assert(isnan(run.call.out.data[0]));
	op_run_release(&run);
}
END_TEST

/* Without smoothing, a sample in which nothing is wanted and nothing predicted is no loss, and no division by 0. */
START_TEST(nothing_wanted_nothing_predicted)
{
	struct soft_dice_attr none = {0};
	const struct op_case c = {.op = losses[_i].op, .attr = &none, .in = {{1, 1, 2, 2}, {1, 1, 2, 2}}};
	struct op_run run;
	op_run_init(&run, &c);
	float grad[4], out_grad = 1;
	for (int i = 0; i < 4; i++) {
		run.call.in[0].data[i] = -INFINITY;
		run.call.in[1].data[i] = i < 3 ? TARGET_IGNORE : 0;
	}
	run.call.out_grad = &out_grad;
	run.call.in_grad[0] = grad;
	op_run_forward(&run);
	losses[_i].op->backward(&run.call);
	ck_assert(isfinite(run.call.out.data[0]));
	for (int i = 0; i < 4; i++)
		ck_assert(isfinite(grad[i]));
	op_run_release(&run);
}
END_TEST

START_TEST(shape_rule_refuses)
{
	struct shape different[] = {map, {SAMPLES, 1, W, H}}, wide[] = {{1, 2, H, W}, {1, 1, H, W}};
	struct shape good[] = {map, map}, out;
	const struct op *op = losses[_i].op;
	ck_assert_int_eq(op->shape(losses[_i].attr, good, 2, NULL, 0, &out), STATUS_OK);
	ck_assert(shape_equal(out, (struct shape){1, 1, 1, 1}));
	ck_assert_int_eq(op->shape(losses[_i].attr, different, 2, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op->shape(losses[_i].attr, wide, 2, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op->shape(losses[_i].attr, good, 1, NULL, 0, &out), STATUS_CONFIG);
}
END_TEST

/* Channel k of a map alone. */
static void copy_channel(const struct tensor *from, int k, struct tensor *to)
{
	for (size_t i = 0; i < shape_count(to->shape); i++)
		to->data[i] = from->data[i * (size_t)from->shape.c + (size_t)k];
}

/* Each channel is a question of its own: Dice and IoU give the mean of what they give for each channel alone; so does
 * cross-entropy where all channels have as many valid pixels. */
START_TEST(channels_are_questions_of_their_own)
{
	enum { CHANNELS = 3 };
	struct shape wide = {2, CHANNELS, H, W}, narrow = {2, 1, H, W};
	struct op_case c = {losses[_i].op, losses[_i].attr, .in = {wide, wide}, .fill = {FILL_UNIFORM, FILL_TARGET}};
	struct op_run whole, alone;
	op_run_init(&whole, &c);
	for (size_t i = 0; i < shape_count(wide) && _i == BCE; i++)
		if (whole.call.in[1].data[i] < 0)
			whole.call.in[1].data[i] = 0.25f;
	op_run_forward(&whole);
	c.in[0] = c.in[1] = narrow;
	op_run_init(&alone, &c);
	double mean = 0;
	for (int k = 0; k < CHANNELS; k++) {
		copy_channel(&whole.call.in[0], k, &alone.call.in[0]);
		copy_channel(&whole.call.in[1], k, &alone.call.in[1]);
		op_run_forward(&alone);
		mean += (double)alone.call.out.data[0] / CHANNELS;
	}
	ck_assert_double_eq_tol(whole.call.out.data[0], mean, 1e-6);
	op_run_release(&whole);
	op_run_release(&alone);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("losses");
	TCase *tcase = tcase_create("losses");
	tcase_set_timeout(tcase, 60); /* naive loops under a sanitizer on a busy machine */
	tcase_add_loop_test(tcase, equals_formula, BCE, FOCAL);
	tcase_add_loop_test(tcase, ignored_pixels_have_no_part, 0, LOSSES);
	tcase_add_loop_test(tcase, large_logits_stay_finite, 0, LOSSES);
	tcase_add_loop_test(tcase, nan_is_seen, 0, LOSSES);
	tcase_add_loop_test(tcase, nothing_wanted_nothing_predicted, DICE, FOCAL);
	tcase_add_loop_test(tcase, shape_rule_refuses, 0, LOSSES);
	tcase_add_loop_test(tcase, channels_are_questions_of_their_own, 0, FOCAL);
	tcase_add_test(tcase, bce_is_linear_when_wrong);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
