/* layer_norm against its formula in double; a pixel far from 0; what its shape rule refuses. */
#include "core/ops/ops.h"

#include <math.h>

#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

static const struct layer_norm_attr attr = {1e-5f};

static void check_pixel(const struct op_call *call, size_t pixel, double tolerance)
{
	size_t channels = (size_t)call->out.shape.c;
	const float *x = call->in[0].data + pixel * channels, *y = call->out.data + pixel * channels;
	double mean = 0, squares = 0;
	for (size_t c = 0; c < channels; c++)
		mean += (double)x[c] / (double)channels;
	for (size_t c = 0; c < channels; c++)
		squares += ((double)x[c] - mean) * ((double)x[c] - mean) / (double)channels;
	for (size_t c = 0; c < channels; c++)
		ck_assert_double_eq_tol(y[c],
					((double)x[c] - mean) / sqrt(squares + 1e-5) * (double)call->param[0].data[c] +
						(double)call->param[1].data[c],
					tolerance);
}

START_TEST(equals_formula)
{
	const int channels[] = {1, 2, 16, 43, 768};
	const struct op_case c = {&op_layer_norm, &attr, .in = {{2, channels[_i], 3, 5}},
				  .param = {{channels[_i], 1, 1, 1}, {channels[_i], 1, 1, 1}}, .gain = 3};
	struct op_run run;
	op_run_init(&run, &c);
	for (int k = 0; k < channels[_i]; k++)
		run.call.in[0].data[k] += 500; /* variance is not the difference of two large sums */
	op_run_forward(&run);
	check_pixel(&run.call, 0, 2e-3); /* 500 has steps of 3e-5 itself */
	for (size_t p = 1; p < 30; p++)
		check_pixel(&run.call, p, 1e-5);
	op_run_release(&run);
}
END_TEST

START_TEST(shape_rule_refuses)
{
	const struct layer_norm_attr zero = {0};
	struct shape out, in = {1, 4, 3, 3}, good[] = {{4, 1, 1, 1}, {4, 1, 1, 1}},
			  bad[] = {{4, 1, 1, 1}, {3, 1, 1, 1}};
	ck_assert_int_eq(op_layer_norm.shape(&attr, &in, 1, good, 2, &out), STATUS_OK);
	ck_assert_int_eq(op_layer_norm.shape(&zero, &in, 1, good, 2, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_layer_norm.shape(&attr, &in, 1, bad, 2, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_layer_norm.shape(&attr, &in, 1, good, 1, &out), STATUS_CONFIG);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("layer_norm");
	TCase *tcase = tcase_create("layer_norm");
	tcase_add_loop_test(tcase, equals_formula, 0, 5);
	tcase_add_test(tcase, shape_rule_refuses);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
