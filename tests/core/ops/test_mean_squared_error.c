/* mean_squared_error against its formula, with targets of any sign; what its shape rule refuses. */
#include "core/ops/ops.h"
#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

START_TEST(equals_formula)
{
	const struct op_case c = {&op_mean_squared_error, .in = {{2, 3, 17, 19}, {2, 3, 17, 19}}, .gain = 100};
	struct op_run run;
	op_run_init(&run, &c);
	op_run_forward(&run);
	double sum = 0, count = (double)shape_count(c.in[0]);
	for (size_t i = 0; i < shape_count(c.in[0]); i++) {
		double difference = (double)run.call.in[0].data[i] - (double)run.call.in[1].data[i];
		sum += difference * difference / count;
	}
	ck_assert_double_eq_tol(run.call.out.data[0] / sum, 1, 1e-6);
	op_run_release(&run);
}
END_TEST

START_TEST(shape_rule_refuses)
{
	struct shape out, good[] = {{2, 3, 4, 5}, {2, 3, 4, 5}}, bad[] = {{2, 3, 4, 5}, {2, 1, 4, 5}};
	ck_assert_int_eq(op_mean_squared_error.shape(NULL, good, 2, NULL, 0, &out), STATUS_OK);
	ck_assert_int_eq(op_mean_squared_error.shape(NULL, bad, 2, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_mean_squared_error.shape(NULL, good, 1, NULL, 0, &out), STATUS_CONFIG);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("mean_squared_error");
	TCase *tcase = tcase_create("mean_squared_error");
	tcase_add_test(tcase, equals_formula);
	tcase_add_test(tcase, shape_rule_refuses);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
