/* Promotions, the search and the results as functions of what trials measured, without a trial. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/test.h"
#include "train/sweep/halving.h"
#include "train/sweep/results.h"
#include "train/sweep/search.h"

static struct sweep_plan plan;
static struct sweep_state state;
static const char *dir;

enum { MIOU1 = 3, MS = SWEEP_METRICS - 1 };

/* A sweep on configs/smoke.json, whose data are two generated scenes. */
static void open_sweep(const char *more)
{
	char path[1200], text[2048];
	snprintf(path, sizeof path, "%s/sweep.json", dir);
	snprintf(text, sizeof text,
		 "{\"base\": \"configs/smoke.json\", \"set\": {\"data.train\": \"%s/data.json\", "
		 "\"data.val\": \"%s/data.json\"},"
		 "\"vary\": {\"optim.lr\": {\"min\": 0.0001, \"max\": 0.1, \"distribution\": \"log\"}}, "
		 "\"metric\": \"miou1\", %s}",
		 dir, dir, more);
	FILE *file = fopen(path, "w");
	ck_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
	ck_assert_msg(sweep_plan_load(&plan, path, NULL) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(sweep_state_init(&state, &plan, dir), STATUS_OK);
	state.unit_count = plan.trials * plan.seed_count;
}

static void close_sweep(void)
{
	sweep_state_release(&state);
	sweep_plan_release(&plan);
}

static void measure(int trial, int seed, int rung, double miou1, double bytes, double ms)
{
	struct sweep_unit *unit = &state.units[trial * plan.seed_count + seed];
	unit->results[rung] = (struct rung_result){.samples = plan.rungs[rung], .bytes = (uint64_t)bytes};
	unit->results[rung].metrics[MIOU1] = miou1;
	unit->results[rung].metrics[MS] = ms;
	unit->rungs = rung + 1;
	unit->state = UNIT_RESTING;
}

static void prepare(void)
{
	static char path[1024];
	char name[1200];
	snprintf(path, sizeof path, "%s", test_tmp_dir("sweep_decide"));
	dir = path;
	snprintf(name, sizeof name, "%s/data.json", dir);
	FILE *file = fopen(name, "w");
	ck_assert(file && fputs("{}", file) >= 0 && fclose(file) == 0);
}

START_TEST(one_in_three_goes_on_when_all_are_there)
{
	static const double ious[] = {0.5, 0.7, 0.6, 0.7, 0.1, 0.2, 0.3};
	int complete;
	open_sweep("\"method\": \"halving\", \"trials\": 7, \"budget\": [4, 8, 16]");
	for (int t = 0; t < 6; t++)
		measure(t, 0, 0, ious[t], 100, 1);
	ck_assert_int_eq(halving_decide(&state, &complete), STATUS_OK);
	ck_assert_int_eq(complete, 0); /* the last one is not there */
	ck_assert_int_eq(state.allowed[1], 0);
	measure(6, 0, 0, ious[6], 100, 1);
	ck_assert_int_eq(halving_decide(&state, &complete), STATUS_OK);
	ck_assert_int_eq(complete, 1);
	for (int t = 0; t < 7; t++)
		ck_assert_int_eq(state.allowed[t], t == 1 || t == 3);
	measure(1, 0, 1, 0.8, 100, 1);
	measure(3, 0, 1, 0.8, 100, 1);
	ck_assert_int_eq(halving_decide(&state, &complete), STATUS_OK);
	ck_assert_int_eq(state.allowed[1], 2); /* of equal ones the lower number */
	ck_assert_int_eq(state.allowed[3], 1);
	close_sweep();
}
END_TEST

START_TEST(failed_and_large_trials_do_not_go_on)
{
	int complete;
	struct text lines;
	open_sweep("\"method\": \"halving\", \"trials\": 4, \"budget\": [4, 8], \"reduction_factor\": 2, "
		   "\"subject_to\": {\"bytes\": 1000}");
	measure(0, 0, 0, 0.9, 2000, 1);
	measure(1, 0, 0, 0.3, 900, 1);
	state.units[2].state = UNIT_DIVERGED;
	state.units[3].state = UNIT_FAILED;
	ck_assert_int_eq(halving_decide(&state, &complete), STATUS_OK);
	ck_assert_int_eq(complete, 1);
	static const int expected[] = {0, 1, 0, 0};
	for (int t = 0; t < 4; t++)
		ck_assert_int_eq(state.allowed[t], expected[t]);
	text_init(&lines);
	ck_assert_int_eq(halving_explain(&state, 0, &lines), STATUS_OK);
	ck_assert_msg(strstr(lines.data, "its weights have 2000 bytes, subject_to allows 1000") != NULL, "%s",
		      lines.data);
	text_release(&lines);
	close_sweep();
}
END_TEST

/* The nearer the rate to 0.003, the better: later rounds look there, and the same results give the same choice. */
START_TEST(the_search_finds_the_place)
{
	double sums[2] = {0};
	open_sweep("\"method\": \"search\", \"trials\": 40, \"round_size\": 8, \"budget\": 4");
	ck_assert_int_eq(plan.known, 8);
	for (int round = 0; round < 5; round++) {
		int count;
		struct text lines;
		text_init(&lines);
		for (int t = 0; t < plan.known; t++) {
			double miss = log10(plan.points[t].at[0]) - log10(0.003);
			if (t >= 8 * round)
				sums[round == 4] += round == 0 || round == 4 ? fabs(miss) : 0;
			if (t == plan.known - 1) { /* nothing is chosen as long as one is missing */
				ck_assert_int_eq(search_choose(&state, &count, &lines), STATUS_OK);
				ck_assert_int_eq(count, 0);
			}
			measure(t, 0, 0, 1 - 0.2 * miss * miss, 100, 1);
		}
		struct space_point first = {{0}};
		for (int again = 0; again < 2 && round < 4; again++) {
			ck_assert_int_eq(search_choose(&state, &count, &lines), STATUS_OK);
			ck_assert_int_eq(count, 8);
			ck_assert(!again || space_same(&plan.space, &first, &plan.points[plan.known]));
			first = plan.points[plan.known];
		}
		plan.known += round < 4 ? count : 0;
		text_release(&lines);
	}
	ck_assert_msg(sums[1] < 0.7 * sums[0], "%g %g", sums[0], sums[1]);
	close_sweep();
}
END_TEST

START_TEST(the_spread_says_what_is_told_apart)
{
	struct sweep_results results;
	open_sweep(
		"\"method\": \"random\", \"trials\": 3, \"seeds\": 3, \"budget\": 4, \"subject_to\": {\"bytes\": 150}");
	static const double means[] = {0.80, 0.79, 0.60}, sizes[] = {140, 100, 10};
	for (int t = 0; t < 3; t++)
		for (int s = 0; s < 3; s++)
			measure(t, s, 0, means[t] + 0.01 * (s - 1), sizes[t], 5 - t);
	ck_assert_int_eq(sweep_results_compute(&results, &state), STATUS_OK);
	ck_assert(fabs(results.pooled_spread - 0.01) < 1e-12);
	/* t(0.975, 6 degrees) * 0.01 * sqrt(2 / 3) */
	ck_assert(fabs(results.least_difference - 2.447 * 0.01 * sqrt(2.0 / 3)) < 1e-12);
	ck_assert_int_eq(results.best, 0);
	ck_assert(!results.trials[1].apart && results.trials[2].apart);
	ck_assert_int_eq(results.compromise, 1); /* fewer bytes, and not told apart */
	ck_assert(results.trials[0].front && results.trials[1].front && results.trials[2].front);
	sweep_results_release(&results);
	plan.max_bytes = 5;
	ck_assert_int_eq(sweep_results_compute(&results, &state), STATUS_OK);
	ck_assert_int_eq(results.compromise, -1);
	ck_assert_msg(strstr(results.verdict, "None feasible") != NULL, "%s", results.verdict);
	sweep_results_release(&results);
	close_sweep();
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("decide");
	TCase *tc = tcase_create("decide");
	tcase_add_unchecked_fixture(tc, prepare, NULL);
	tcase_add_test(tc, one_in_three_goes_on_when_all_are_there);
	tcase_add_test(tc, failed_and_large_trials_do_not_go_on);
	tcase_add_test(tc, the_search_finds_the_place);
	tcase_add_test(tc, the_spread_says_what_is_told_apart);
	suite_add_tcase(suite, tc);
	return suite;
}

TEST_MAIN(make_suite)
