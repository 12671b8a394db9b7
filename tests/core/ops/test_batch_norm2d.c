/* batch_norm2d against its formula in double: batch statistics and running ones, and what is handed to the buffers. */
#include "core/ops/ops.h"

#include <math.h>
#include <string.h>

#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

#define VECTOR(C)          \
	{                  \
		C, 1, 1, 1 \
	}
#define PARAMS(C)                                          \
	{                                                  \
		VECTOR(C), VECTOR(C), VECTOR(C), VECTOR(C) \
	}

static const struct batch_norm2d_attr attr = {1e-5f};
static const struct shape shapes[] = {{2, 3, 3, 5}, {1, 5, 7, 9}, {1, 1, 1, 1}, {3, 2, 1, 1}};

static double value(const struct op_call *call, int n, int c, size_t i)
{
	struct shape s = call->in[0].shape;
	return call->in[0].data[shape_offset(s, n, c, 0, 0) + i * (size_t)s.c];
}

static void statistics(const struct op_call *call, int c, double *mean, double *squares)
{
	struct shape s = call->in[0].shape;
	size_t plane = (size_t)s.h * (size_t)s.w;
	*mean = *squares = 0;
	for (int n = 0; n < s.n; n++)
		for (size_t i = 0; i < plane; i++)
			*mean += value(call, n, c, i) / ((double)plane * s.n);
	for (int n = 0; n < s.n; n++)
		for (size_t i = 0; i < plane; i++)
			*squares += pow(value(call, n, c, i) - *mean, 2);
}

static void compare(const struct op_call *call, int c, double mean, double var)
{
	struct shape s = call->in[0].shape;
	size_t plane = (size_t)s.h * (size_t)s.w;
	for (int n = 0; n < s.n; n++)
		for (size_t i = 0; i < plane; i++) {
			double expected = (value(call, n, c, i) - mean) / sqrt(var + (double)attr.epsilon) *
						  (double)call->param[0].data[c] +
					  (double)call->param[1].data[c];
			double found = call->out.data[shape_offset(s, n, c, 0, 0) + i * (size_t)s.c];
			ck_assert_msg(fabs(expected - found) <= 1e-5 * (1 + fabs(expected)), "expected %g, found %g",
				      expected, found);
		}
}

START_TEST(equals_formula)
{
	struct shape s = shapes[_i];
	const struct op_case c = {&op_batch_norm2d, &attr, .in = {s}, .param = PARAMS(s.c),
				  .param_fill = {[3] = FILL_POSITIVE}};
	struct op_run run;
	op_run_init(&run, &c);
	for (size_t i = 0; i < shape_count(s); i++)
		run.call.in[0].data[i] += 5; /* far from 0: a one-pass variance would lose digits */
	double count = (double)s.n * s.h * s.w;
	op_run_forward(&run);
	for (int k = 0; k < s.c; k++) {
		double mean, squares;
		statistics(&run.call, k, &mean, &squares);
		compare(&run.call, k, mean, squares / count);
		ck_assert_double_eq_tol(run.call.param_grad[2][k], mean, 1e-6);
		ck_assert_double_eq_tol(run.call.param_grad[3][k], squares / (count > 1 ? count - 1 : 1), 1e-6);
	}
	run.call.training = false;
	run.call.param_grad[2] = memset(run.call.param_grad[2], 0, (size_t)s.c * sizeof(float));
	op_run_forward(&run);
	for (int k = 0; k < s.c; k++) {
		compare(&run.call, k, run.call.param[2].data[k], run.call.param[3].data[k]);
		ck_assert(run.call.param_grad[2][k] == 0);
	}
	op_run_release(&run);
}
END_TEST

START_TEST(works_without_gradient_buffers)
{
	const struct op_case c = {&op_batch_norm2d, &attr, .in = {shapes[0]}, .param = PARAMS(3),
				  .param_fill = {[3] = FILL_POSITIVE}};
	struct op_run run;
	op_run_init(&run, &c);
	float *grads[OP_MAX_PARAMS];
	memcpy(grads, run.call.param_grad, sizeof grads);
	memset(run.call.param_grad, 0, sizeof grads);
	op_run_forward(&run);
	memcpy(run.call.param_grad, grads, sizeof grads);
	op_run_release(&run);
}
END_TEST

START_TEST(shape_rule_refuses)
{
	struct shape in = {1, 3, 2, 2}, good[] = PARAMS(3), out;
	struct shape bad[] = {VECTOR(3), VECTOR(3), VECTOR(4), VECTOR(3)};
	ck_assert_int_eq(op_batch_norm2d.shape(&attr, &in, 1, good, 4, &out), STATUS_OK);
	ck_assert_int_eq(op_batch_norm2d.shape(&attr, &in, 1, good, 2, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_batch_norm2d.shape(&attr, &in, 1, bad, 4, &out), STATUS_CONFIG);
	ck_assert(strstr(status_message(), "batch_norm2d: parameter 2"));
	ck_assert_int_eq(op_batch_norm2d.shape(&(struct batch_norm2d_attr){0}, &in, 1, good, 4, &out), STATUS_CONFIG);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("batch_norm2d");
	TCase *tcase = tcase_create("batch_norm2d");
	tcase_add_loop_test(tcase, equals_formula, 0, sizeof shapes / sizeof shapes[0]);
	tcase_add_test(tcase, works_without_gradient_buffers);
	tcase_add_test(tcase, shape_rule_refuses);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
