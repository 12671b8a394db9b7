/* linear against the naive matrix product, and what its shape rule refuses. */
#include "core/ops/ops.h"
#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

static const struct op_case cases[] = {
	{&op_linear, .in = {{1, 1, 1, 1}}, .param = {{1, 1, 1, 1}}},
	{&op_linear, .in = {{3, 100, 1, 1}}, .param = {{10, 100, 1, 1}, {10, 1, 1, 1}}},
	{&op_linear, .in = {{2, 37, 3, 5}}, .param = {{17, 37, 1, 1}, {17, 1, 1, 1}}},
};

START_TEST(equals_product)
{
	struct op_run run;
	op_run_init(&run, &cases[_i]);
	op_run_forward(&run);
	const struct op_call *call = &run.call;
	size_t outputs = (size_t)call->out.shape.c, inputs = (size_t)call->in[0].shape.c;
	for (size_t i = 0; i < shape_count(call->out.shape); i++) {
		size_t pixel = i / outputs, o = i % outputs;
		double sum = call->param_count > 1 ? (double)call->param[1].data[o] : 0;
		for (size_t c = 0; c < inputs; c++)
			sum += (double)call->param[0].data[o * inputs + c] *
			       (double)call->in[0].data[pixel * inputs + c];
		ck_assert_double_eq_tol(call->out.data[i], sum, 1e-5);
	}
	op_run_release(&run);
}
END_TEST

START_TEST(shape_rule_refuses)
{
	struct shape out, in = {2, 7, 1, 1}, few = {5, 6, 1, 1}, wide = {5, 7, 3, 3};
	struct shape params[] = {{5, 7, 1, 1}, {6, 1, 1, 1}};
	ck_assert_int_eq(op_linear.shape(NULL, &in, 1, params, 1, &out), STATUS_OK);
	ck_assert(shape_equal(out, (struct shape){2, 5, 1, 1}));
	ck_assert_int_eq(op_linear.shape(NULL, &in, 1, params, 2, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_linear.shape(NULL, &in, 1, &wide, 1, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_linear.shape(NULL, &in, 1, &few, 1, &out), STATUS_CONFIG);
	ck_assert_str_eq(status_message(), "linear: parameter 0: expected shape (5, 7, 1, 1), found (5, 6, 1, 1)");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("linear");
	TCase *tcase = tcase_create("linear");
	tcase_add_loop_test(tcase, equals_product, 0, sizeof cases / sizeof cases[0]);
	tcase_add_test(tcase, shape_rule_refuses);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
