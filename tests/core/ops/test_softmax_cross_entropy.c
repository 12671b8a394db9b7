/* softmax_cross_entropy against its formula in double; ignored labels, class weights, large logits, labels that are no
 * class; what the shape rule refuses. */
#include "core/kernels.h"
#include "core/ops/ops.h"

#include <math.h>

#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

enum { SAMPLES = 2, CLASSES = 11, H = 17, W = 19, PIXELS = H * W };

static const float weights[CLASSES] = {1, 0.25f, 3, 0, 1, 1, 1, 1, 1, 1, 2};

static struct op_run start(const struct softmax_cross_entropy_attr *attr, float gain)
{
	const struct op_case c = {&op_softmax_cross_entropy, attr, .in = {{SAMPLES, CLASSES, H, W}, {SAMPLES, 1, H, W}},
				  .fill = {FILL_UNIFORM, FILL_LABEL}, .gain = gain};
	struct op_run run;
	op_run_init(&run, &c);
	return run;
}

/* -log softmax(z)[label], naively. */
static double term(const float *z, int label)
{
	double sum = 0;
	for (int c = 0; c < CLASSES; c++)
		sum += exp((double)z[c]);
	return log(sum) - (double)z[label];
}

static double expected(const struct op_call *call, const float *weight, int ignore)
{
	double total = 0;
	for (int n = 0; n < SAMPLES; n++) {
		double sum = 0, parts = 0;
		for (int p = n * PIXELS; p < (n + 1) * PIXELS; p++) {
			int label = (int)call->in[1].data[p];
			if (label < 0 || (ignore && label == ignore))
				continue;
			double u = weight ? (double)weight[label] : 1;
			sum += u * term(call->in[0].data + (size_t)p * CLASSES, label);
			parts += u;
		}
		total += parts > 0 ? sum / parts / SAMPLES : 0;
	}
	return total;
}

START_TEST(equals_formula)
{
	const struct softmax_cross_entropy_attr attrs[] = {{0}, {0, CLASSES, weights}, {2, 0, NULL}};
	struct op_run run = start(&attrs[_i], 6);
	for (int p = 0; p < PIXELS; p += 3)
		run.call.in[1].data[p] = (float)(p % CLASSES);
	for (int p = 0; p < PIXELS && _i == 0; p++)
		run.call.in[1].data[PIXELS + p] = TARGET_IGNORE; /* the second sample has no label */
	op_run_forward(&run);
	double want = expected(&run.call, attrs[_i].class_weight, attrs[_i].ignore_label);
	ck_assert_double_eq_tol(run.call.out.data[0], want, 1e-6 * want);
	op_run_release(&run);
}
END_TEST

/* A confident mistake costs the difference of the logits, a confident hit e^-difference; neither slope cancels. */
START_TEST(far_logits)
{
	const struct softmax_cross_entropy_attr attr = {0};
	const struct op_case c = {&op_softmax_cross_entropy, &attr, .in = {{1, 2, 1, 1}, {1, 1, 1, 1}}};
	struct op_run run;
	float grad[2], out_grad = 1, *z;
	op_run_init(&run, &c);
	z = run.call.in[0].data;
	run.call.in[1].data[0] = 0;
	run.call.in_grad[0] = grad;
	run.call.out_grad = &out_grad;
	z[0] = -500, z[1] = 1e4f;
	op_run_forward(&run);
	op_softmax_cross_entropy.backward(&run.call);
	ck_assert(run.call.out.data[0] == 10500 && grad[0] == -1 && grad[1] == 1);
	z[0] = 20, z[1] = 0;
	op_run_forward(&run);
	op_softmax_cross_entropy.backward(&run.call);
	ck_assert_double_eq_tol((double)run.call.out.data[0] / log1p(exp(-20)), 1, 1e-6);
	ck_assert_double_eq_tol((double)grad[0] / -exp(-20), 1, 1e-6);
	ck_assert_double_eq_tol((double)grad[1] / exp(-20), 1, 1e-6);
	op_run_release(&run);
}
END_TEST

START_TEST(ignored_pixels_have_no_part)
{
	const struct softmax_cross_entropy_attr attr = {.ignore_label = 255};
	struct op_run run = start(&attr, 1);
	float grad[SAMPLES * PIXELS * CLASSES], out_grad = 1;
	for (int p = 0; p < SAMPLES * PIXELS; p += 2) {
		run.call.in[1].data[p] = p % 4 ? 255 : TARGET_IGNORE;
		run.call.in[0].data[p * CLASSES] = p % 4 ? NAN : 1e30f;
	}
	run.call.in_grad[0] = grad;
	run.call.out_grad = &out_grad;
	op_run_forward(&run);
	op_softmax_cross_entropy.backward(&run.call);
	ck_assert(run.call.out.data[0] > 0.5f && run.call.out.data[0] < 5);
	for (int i = 0; i < SAMPLES * PIXELS * CLASSES; i++)
		ck_assert(isfinite(grad[i]) && (i / CLASSES % 2 || grad[i] == 0));
	op_run_release(&run);
}
END_TEST

/* So that a wrong table of labels is noticed, and nothing outside the logits is read. */
START_TEST(what_is_no_class_is_seen)
{
	const float labels[] = {CLASSES, 1e30f, INFINITY, NAN};
	const struct softmax_cross_entropy_attr attr = {0};
	struct op_run run = start(&attr, 1);
	run.call.in[1].data[5] = labels[_i];
	op_run_forward(&run);
	ck_assert(isnan(run.call.out.data[0]));
	run.call.in[1].data[5] = 1;
	run.call.in[0].data[5 * CLASSES + 7] = NAN;
	op_run_forward(&run);
	ck_assert(isnan(run.call.out.data[0]));
	op_run_release(&run);
}
END_TEST

START_TEST(shape_rule_refuses)
{
	const float negative[CLASSES] = {-1};
	struct shape out, good[] = {{2, CLASSES, 3, 5}, {2, 1, 3, 5}},
			  same[] = {{2, CLASSES, 3, 5}, {2, CLASSES, 3, 5}};
	const struct softmax_cross_entropy_attr few = {0, CLASSES - 1, weights}, bad = {0, CLASSES, negative};
	const struct softmax_cross_entropy_attr none = {0}, all = {0, CLASSES, weights}, uncounted = {0, 0, weights};
	const struct op *op = &op_softmax_cross_entropy;
	ck_assert_int_eq(op->shape(&all, good, 2, NULL, 0, &out), STATUS_OK);
	ck_assert_int_eq(op->shape(&none, same, 2, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op->shape(&few, good, 2, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_str_eq(status_message(), "softmax_cross_entropy: expected class_weight_count in 11..11, found 10");
	ck_assert_int_eq(op->shape(&uncounted, good, 2, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op->shape(&bad, good, 2, NULL, 0, &out), STATUS_CONFIG);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("softmax_cross_entropy");
	TCase *tcase = tcase_create("softmax_cross_entropy");
	tcase_add_loop_test(tcase, equals_formula, 0, 3);
	tcase_add_test(tcase, far_logits);
	tcase_add_test(tcase, ignored_pixels_have_no_part);
	tcase_add_loop_test(tcase, what_is_no_class_is_seen, 0, 4);
	tcase_add_test(tcase, shape_rule_refuses);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
