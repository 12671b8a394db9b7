/* normalized_focal_loss against its definition evaluated in long double, with the multiplier held fixed for difference
 * quotients; large logits; ignored pixels. */
#include "core/ops/ops.h"

#include <math.h>
#include <string.h>

#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

enum { H = 7, W = 9, PIXELS = H * W, SAMPLES = 2, COUNT = SAMPLES * PIXELS };

static const struct shape map = {SAMPLES, 1, H, W};

static const struct nfl_attr attrs[] = {
	{0.5f, 2, 1e-12f}, {0.5f, 1, 1e-12f},     {0.25f, 2, 1e-12f},
	{0.5f, 3, 1e-6f},  {0.75f, 0.5f, 1e-12f}, {0.5f, 0, 1e-12f},
};

/* pt = 1 - |y - sigmoid z|, and 1 - pt, without cancellation for y = 0 and 1. */
static void certainty(long double z, long double y, long double *pt, long double *q)
{
	if (y == 0 || y == 1) {
		*pt = 1 / (1 + expl(y == 1 ? -z : z));
		*q = 1 / (1 + expl(y == 1 ? z : -z));
	} else {
		*q = fabsl(y - 1 / (1 + expl(-z)));
		*pt = 1 - *q;
	}
}

/* N / (sum beta + epsilon) of one sample. */
static long double multiplier(const struct nfl_attr *a, const float *z, const float *y)
{
	long double sum = 0, valid = 0, pt, q;
	for (int i = 0; i < PIXELS; i++) {
		if (y[i] < 0)
			continue;
		certainty(z[i], y[i], &pt, &q);
		sum += powl(q, a->gamma);
		valid++;
	}
	return valid / (sum + a->epsilon);
}

static long double pixel_loss(const struct nfl_attr *a, long double z, float y, long double mult)
{
	long double pt, q, weight = y > 0.5f ? a->alpha : 1 - a->alpha;
	if (y < 0)
		return 0;
	certainty(z, y, &pt, &q);
	return -weight * powl(q, a->gamma) * mult * logl(fminl(pt + a->epsilon, 1));
}

static long double valid_pixels(const float *y)
{
	int valid = 0;
	for (int i = 0; i < PIXELS; i++)
		valid += y[i] >= 0;
	return valid;
}

static struct op_case loss_case(const struct nfl_attr *attr, float gain)
{
	return (struct op_case){.op = &op_normalized_focal_loss,
				.attr = attr,
				.in = {map, map},
				.fill = {FILL_UNIFORM, FILL_TARGET},
				.gain = gain};
}

static void assert_near(double expected, double found, double scale, const char *what, int index)
{
	ck_assert_msg(fabs(expected - found) <= 1e-5 * scale + 1e-12, "%s %d: expected %.9g, found %.9g", what, index,
		      expected, found);
}

/* Loss and gradient of the call as it stands, against the definition. */
static void compare(struct op_run *run)
{
	const struct nfl_attr *a = run->call.attr;
	const float *z = run->call.in[0].data, *y = run->call.in[1].data;
	float grad[COUNT], out_grad = 0.5f;
	run->call.out_grad = &out_grad;
	run->call.in_grad[0] = grad;
	op_run_forward(run);
	op_normalized_focal_loss.backward(&run->call);
	long double total = 0;
	for (int n = 0; n < SAMPLES; n++, z += PIXELS, y += PIXELS) {
		long double mult = multiplier(a, z, y), valid = valid_pixels(y), expected[PIXELS], largest = 0;
		for (int i = 0; i < PIXELS; i++) {
			total += valid > 0 ? pixel_loss(a, z[i], y[i], mult) / valid / SAMPLES : 0;
			long double step = 1e-5L, zi = z[i];
			long double up = pixel_loss(a, zi + step, y[i], mult);
			long double down = pixel_loss(a, zi - step, y[i], mult);
			expected[i] = (up - down) / (2 * step);
			expected[i] *= valid > 0 ? 0.5L / valid / SAMPLES : 0;
			largest = fmaxl(largest, fabsl(expected[i]));
		}
		for (int i = 0; i < PIXELS; i++)
			assert_near((double)expected[i], grad[n * PIXELS + i], (double)largest, "gradient of pixel", i);
	}
	assert_near((double)total, run->call.out.data[0], (double)total, "loss", 0);
}

START_TEST(equals_definition)
{
	const float gains[] = {0.5f, 4, 30};
	for (int g = 0; g < 3; g++) {
		struct op_case c = loss_case(&attrs[_i], gains[g]);
		struct op_run run;
		op_run_init(&run, &c);
		compare(&run);
		op_run_release(&run);
	}
}
END_TEST

START_TEST(huge_logits_stay_finite)
{
	struct op_case c = loss_case(&attrs[0], 1);
	struct op_run run;
	op_run_init(&run, &c);
	const float sizes[] = {16.7f, 50, 90, 150, 800, 1e10f, 3e38f};
	for (int s = 0; s < 7; s++) {
		for (int i = 0; i < COUNT; i++)
			run.call.in[0].data[i] = i % 3 == 0 ? -sizes[s] : sizes[s];
		float grad[COUNT], out_grad = 1;
		run.call.out_grad = &out_grad;
		run.call.in_grad[0] = grad;
		op_run_forward(&run);
		op_normalized_focal_loss.backward(&run.call);
		ck_assert_msg(run.call.out.data[0] >= 0 && run.call.out.data[0] < 100, "loss %g at |z| = %g",
			      (double)run.call.out.data[0], (double)sizes[s]);
		for (int i = 0; i < COUNT; i++)
			ck_assert_msg(isfinite(grad[i]), "gradient %g at |z| = %g", (double)grad[i], (double)sizes[s]);
	}
	op_run_release(&run);
}
END_TEST

/* Ever better: the sum of weights stays that of N pixels, so the loss goes down no faster than log pt. A pixel that is
 * wrong by z = -20 must still be pulled, although 1 - |y - s| is 0 in float32. */
START_TEST(gradient_survives_where_float_has_none_left)
{
	struct op_case c = loss_case(&attrs[0], 1);
	struct op_run run;
	op_run_init(&run, &c);
	for (int i = 0; i < COUNT; i++) {
		run.call.in[1].data[i] = (float)(i % 2);
		run.call.in[0].data[i] = i % 2 ? 20.0f : -20.0f;
	}
	run.call.in[0].data[1] = -20;
	compare(&run);
	ck_assert_float_lt(run.call.in_grad[0][1], -0.05f / SAMPLES);
	run.call.in_grad[0] = NULL;
	op_run_release(&run);
}
END_TEST

START_TEST(ignored_pixels_have_no_part)
{
	struct op_case c = loss_case(&attrs[0], 2);
	struct op_run run;
	op_run_init(&run, &c);
	op_run_forward(&run);
	float before = run.call.out.data[0], grad[COUNT], out_grad = 1;
	for (int i = 0; i < COUNT; i++)
		if (run.call.in[1].data[i] < 0)
			run.call.in[0].data[i] = 1000;
	run.call.out_grad = &out_grad;
	run.call.in_grad[0] = grad;
	op_run_forward(&run);
	op_normalized_focal_loss.backward(&run.call);
	ck_assert(before == run.call.out.data[0]);
	for (int i = 0; i < COUNT; i++)
		ck_assert(run.call.in[1].data[i] >= 0 || grad[i] == 0);
	for (int i = 0; i < COUNT; i++)
		run.call.in[1].data[i] = TARGET_IGNORE;
	op_run_forward(&run);
	op_normalized_focal_loss.backward(&run.call);
	ck_assert(run.call.out.data[0] == 0);
	for (int i = 0; i < COUNT; i++)
		ck_assert(grad[i] == 0);
	op_run_release(&run);
}
END_TEST

START_TEST(nan_is_seen)
{
	struct op_case c = loss_case(&attrs[0], 2);
	struct op_run run;
	op_run_init(&run, &c);
	run.call.in[1].data[4] = 1;
	run.call.in[0].data[4] = NAN;
	op_run_forward(&run);
	ck_assert(isnan(run.call.out.data[0]));
	op_run_release(&run);
}
END_TEST

START_TEST(shape_rule_refuses)
{
	struct shape in[] = {map, {SAMPLES, 1, H, W + 1}}, wide[] = {{1, 2, H, W}, {1, 1, H, W}};
	struct shape good[] = {map, map}, out;
	ck_assert_int_eq(op_normalized_focal_loss.shape(&attrs[0], good, 2, NULL, 0, &out), STATUS_OK);
	ck_assert(shape_equal(out, (struct shape){1, 1, 1, 1}));
	ck_assert_int_eq(op_normalized_focal_loss.shape(&attrs[0], in, 2, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_normalized_focal_loss.shape(&attrs[0], wide, 2, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_normalized_focal_loss.shape(&attrs[0], good, 1, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_normalized_focal_loss.shape(&(struct nfl_attr){2, 2, 1e-12f}, good, 2, NULL, 0, &out),
			 STATUS_CONFIG);
	ck_assert_int_eq(op_normalized_focal_loss.shape(&(struct nfl_attr){0.5f, -1, 1e-12f}, good, 2, NULL, 0, &out),
			 STATUS_CONFIG);
	ck_assert_int_eq(op_normalized_focal_loss.shape(&(struct nfl_attr){0.5f, 2, 0}, good, 2, NULL, 0, &out),
			 STATUS_CONFIG);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("normalized_focal_loss");
	TCase *tcase = tcase_create("normalized_focal_loss");
	tcase_add_loop_test(tcase, equals_definition, 0, sizeof attrs / sizeof attrs[0]);
	tcase_add_test(tcase, huge_logits_stay_finite);
	tcase_add_test(tcase, gradient_survives_where_float_has_none_left);
	tcase_add_test(tcase, ignored_pixels_have_no_part);
	tcase_add_test(tcase, nan_is_seen);
	tcase_add_test(tcase, shape_rule_refuses);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
