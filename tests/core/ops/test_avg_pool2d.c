/* avg_pool2d against a loop over windows, with and without the padding counted; what its shape rule refuses. */
#include "core/ops/ops.h"
#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

static const struct avg_pool2d_attr attrs[] = {
	{2, 2, 0, 0}, {3, 2, 1, 0}, {3, 2, 1, 1}, {5, 1, 2, 0}, {5, 1, 2, 1}, {2, 3, 1, 0}, {1, 1, 0, 1},
};

static double window_mean(const struct op_call *call, const struct avg_pool2d_attr *a, int n, int c, int i, int j)
{
	struct shape x = call->in[0].shape;
	double sum = 0, count = 0;
	for (int y = i * a->stride - a->padding; y < i * a->stride - a->padding + a->kernel; y++)
		for (int k = j * a->stride - a->padding; k < j * a->stride - a->padding + a->kernel; k++) {
			bool inside = y >= 0 && y < x.h && k >= 0 && k < x.w;
			sum += inside ? (double)call->in[0].data[shape_offset(x, n, c, y, k)] : 0;
			count += inside || a->count_padding;
		}
	return sum / count;
}

START_TEST(equals_loop)
{
	const struct op_case c = {&op_avg_pool2d, &attrs[_i], .in = {{2, 19, 9, 8}}};
	struct op_run run;
	op_run_init(&run, &c);
	op_run_forward(&run);
	struct shape y = run.call.out.shape;
	ck_assert_int_eq(y.h, (9 + 2 * attrs[_i].padding - attrs[_i].kernel) / attrs[_i].stride + 1);
	for (int n = 0; n < y.n; n++)
		for (int k = 0; k < y.c; k++)
			for (int i = 0; i < y.h * y.w; i++)
				ck_assert_double_eq_tol(run.call.out.data[shape_offset(y, n, k, i / y.w, i % y.w)],
							window_mean(&run.call, &attrs[_i], n, k, i / y.w, i % y.w),
							1e-6);
	op_run_release(&run);
}
END_TEST

START_TEST(shape_rule_refuses)
{
	const struct avg_pool2d_attr bad[] = {{0, 1, 0, 0}, {2, 0, 0, 0}, {3, 1, 2, 0}, {3, 1, 0, 2}, {9, 1, 0, 0}};
	struct shape out, in = {1, 2, 7, 7};
	ck_assert_int_eq(op_avg_pool2d.shape(&bad[_i], &in, 1, NULL, 0, &out), STATUS_CONFIG);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("avg_pool2d");
	TCase *tcase = tcase_create("avg_pool2d");
	tcase_add_loop_test(tcase, equals_loop, 0, sizeof attrs / sizeof attrs[0]);
	tcase_add_loop_test(tcase, shape_rule_refuses, 0, 5);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
