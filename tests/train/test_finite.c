/* What a run does about steps that are not finite. The policy "skip" through the program: tests/cli/test_train.c. */
#include "train/finite.h"

#include <math.h>
#include <string.h>

#include "tests/support/test.h"

static struct config config;

static void with_policy(const char *policy)
{
	config.schedule.lr = 0.5;
	snprintf(config.train.nan_policy, sizeof config.train.nan_policy, "%s", policy);
}

START_TEST(loss_and_norm_must_be_finite)
{
	static const double bad[] = {INFINITY, -INFINITY, NAN};
	struct finite_watch watch = {0};
	bool usable = false;
	with_policy("skip");
	ck_assert_int_eq(finite_check(&watch, &config, 1, 1, 2, &usable), STATUS_OK);
	ck_assert(usable);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(finite_check(&watch, &config, 2, bad[i], 2, &usable), STATUS_OK);
		ck_assert(!usable);
		ck_assert_int_eq(finite_check(&watch, &config, 2, 1, bad[i], &usable), STATUS_OK);
		ck_assert(!usable);
	}
	ck_assert_uint_eq(watch.skipped_in_a_row, 6);
	with_policy("stop");
	ck_assert_int_eq(finite_check(&watch, &config, 3, 1, INFINITY, &usable), STATUS_FORMAT);
	ck_assert_ptr_nonnull(strstr(status_message(), "step 3: loss 1, gradient norm inf: not finite"));
	ck_assert_ptr_nonnull(strstr(status_message(), "--set optim.lr=0.05"));
	ck_assert(watch.diverged);
}
END_TEST

START_TEST(a_hundred_in_a_row_are_too_many)
{
	struct finite_watch watch = {0};
	bool usable;
	with_policy("skip");
	for (int round = 0; round < 2; round++) {
		for (int i = 1; i < FINITE_MAX_SKIPPED_IN_A_ROW; i++)
			ck_assert_int_eq(finite_check(&watch, &config, 1, NAN, 1, &usable), STATUS_OK);
		if (round == 0) /* one good step, and the count begins anew */
			ck_assert_int_eq(finite_check(&watch, &config, 1, 1, 1, &usable), STATUS_OK);
	}
	ck_assert(!watch.diverged);
	ck_assert_int_eq(finite_check(&watch, &config, 1, NAN, 1, &usable), STATUS_FORMAT);
	ck_assert(watch.diverged);
}
END_TEST

START_TEST(half_of_the_run_may_be_left_out)
{
	struct finite_watch watch = {0};
	ck_assert_int_eq(finite_judge(&watch, 5, 10), STATUS_OK);
	ck_assert_int_eq(finite_judge(&watch, 5, 11), STATUS_OK);
	ck_assert(!watch.diverged);
	ck_assert_int_eq(finite_judge(&watch, 6, 11), STATUS_FORMAT);
	ck_assert(watch.diverged);
	ck_assert_ptr_nonnull(strstr(status_message(), "6 of 11 steps were left out"));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("finite");
	TCase *tests = tcase_create("finite");
	tcase_add_test(tests, loss_and_norm_must_be_finite);
	tcase_add_test(tests, a_hundred_in_a_row_are_too_many);
	tcase_add_test(tests, half_of_the_run_may_be_left_out);
	suite_add_tcase(suite, tests);
	return suite;
}

TEST_MAIN(make_suite)
