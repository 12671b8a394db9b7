/* The rules of the protocol with predictors that follow a script. */
#include "train/evaluate/protocol.h"

#include <string.h>

#include "data/robot.h"
#include "tests/support/test.h"

enum { W = 20, H = 10, PIXELS = W * H };

/* Predicts the first `right[k]` of the object's 100 pixels (the upper half of the picture) after click k + 1. */
struct script {
	const int *right;
	int clicks;
	struct click seen[EVALUATE_MAX_CLICKS];
	int fail_at;
};

static enum status scripted_click(void *context, const struct click *click, uint8_t *mask)
{
	struct script *script = context;
	if (script->clicks == script->fail_at)
		return status_fail(STATUS_LIMIT, "click %d fails", script->clicks);
	memset(mask, 0, PIXELS);
	memset(mask, 255, (size_t)script->right[script->clicks]);
	script->seen[script->clicks++] = *click;
	return STATUS_OK;
}

static const struct protocol_rules rules = {.target = 0.90, .least_clicks = 5, .max_clicks = 20};

static void upper_half(uint8_t *truth)
{
	memset(truth, TRUTH_BACKGROUND, PIXELS);
	memset(truth, TRUTH_OBJECT, 100);
}

static enum status run_script(struct script *script, const int *right, const struct protocol_rules *with,
			      struct evaluate_instance *instance)
{
	uint8_t truth[PIXELS];
	upper_half(truth);
	int fail_at = script->fail_at;
	*script = (struct script){.right = right, .fail_at = fail_at};
	memset(instance, 0, sizeof *instance);
	struct protocol_predictor predictor = {scripted_click, script};
	return protocol_run(with, &predictor, truth, W, H, rng_stream(0, 0, 0, RNG_TEST), instance);
}

START_TEST(never_good_runs_all_clicks)
{
	const int right[20] = {10, 20, 30, 40, 50, 60, 70, 80, 89, 89, 89, 89, 89, 89, 89, 89, 89, 89, 89, 89};
	struct script script = {.fail_at = -1};
	struct evaluate_instance instance;
	ck_assert_int_eq(run_script(&script, right, &rules, &instance), STATUS_OK);
	ck_assert_int_eq(instance.clicks_run, 20);
	for (int k = 0; k < 20; k++)
		ck_assert_double_eq(instance.iou[k], right[k] / 100.0);
}
END_TEST

START_TEST(good_at_once_still_runs_five)
{
	const int right[20] = {95, 60, 96, 97, 91, 99};
	struct script script = {.fail_at = -1};
	struct evaluate_instance instance;
	ck_assert_int_eq(run_script(&script, right, &rules, &instance), STATUS_OK);
	ck_assert_int_eq(instance.clicks_run, 5);
	ck_assert_double_eq(instance.iou[1], 0.60);
	ck_assert_double_eq(instance.iou[4], 0.91);
}
END_TEST

START_TEST(good_once_is_enough)
{
	/* 0.90 exactly counts, and it does not matter that the fifth mask is worse */
	const int right[20] = {10, 10, 90, 10, 10, 99};
	struct script script = {.fail_at = -1};
	struct evaluate_instance instance;
	ck_assert_int_eq(run_script(&script, right, &rules, &instance), STATUS_OK);
	ck_assert_int_eq(instance.clicks_run, 5);
}
END_TEST

START_TEST(after_the_fifth_it_stops_at_the_first_good_mask)
{
	const int right[20] = {10, 10, 10, 10, 10, 10, 92, 99};
	struct script script = {.fail_at = -1};
	struct evaluate_instance instance;
	ck_assert_int_eq(run_script(&script, right, &rules, &instance), STATUS_OK);
	ck_assert_int_eq(instance.clicks_run, 7);
}
END_TEST

START_TEST(fewer_clicks_than_five_can_be_asked_for)
{
	const int right[20] = {95, 95, 95, 95};
	struct script script = {.fail_at = -1};
	struct evaluate_instance instance;
	struct protocol_rules three = rules;
	three.max_clicks = 3;
	ck_assert_int_eq(run_script(&script, right, &three, &instance), STATUS_OK);
	ck_assert_int_eq(instance.clicks_run, 3);
}
END_TEST

START_TEST(clicks_follow_the_masks)
{
	const int right[20] = {60, 140, 100, 100, 100};
	struct script script = {.fail_at = -1};
	struct evaluate_instance instance;
	ck_assert_int_eq(run_script(&script, right, &rules, &instance), STATUS_OK);
	/* object rows 0..4; after 60 right: rows 3, 4 missing; after 140: rows 5, 6 wrong; then nothing is wrong */
	const struct click expected[] = {{2, 2, true}, {0, 3, true}, {0, 5, false}, {0, 0, false}, {0, 0, false}};
	for (int k = 0; k < 5; k++) {
		ck_assert_int_eq(script.seen[k].x, expected[k].x);
		ck_assert_int_eq(script.seen[k].y, expected[k].y);
		ck_assert_int_eq(script.seen[k].positive, expected[k].positive);
	}
}
END_TEST

START_TEST(failure_is_passed_on)
{
	const int right[20] = {0};
	struct script script = {.fail_at = 3};
	struct evaluate_instance instance;
	ck_assert_int_eq(run_script(&script, right, &rules, &instance), STATUS_LIMIT);
	ck_assert_str_eq(status_message(), "click 3 fails");
}
END_TEST

START_TEST(jitter_misses_but_stays_in_the_error)
{
	const int right[20] = {0};
	struct protocol_rules shaky = rules;
	shaky.jitter = 4;
	struct script script = {.fail_at = -1};
	struct evaluate_instance instance;
	ck_assert_int_eq(run_script(&script, right, &shaky, &instance), STATUS_OK);
	int moved = 0;
	for (int k = 0; k < 20; k++) {
		ck_assert(script.seen[k].positive);
		ck_assert(script.seen[k].x >= 0 && script.seen[k].x < W && script.seen[k].y >= 0 &&
			  script.seen[k].y < 5);
		moved += script.seen[k].y != 2;
	}
	ck_assert_int_gt(moved, 5);
}
END_TEST

/* Within the disk around the aim, which is the middle of the error, and up to its edge. */
START_TEST(jitter_is_a_disk)
{
	const int right[20] = {0};
	uint8_t truth[PIXELS];
	struct protocol_rules once = {.target = 0.90, .least_clicks = 1, .max_clicks = 1, .jitter = 4};
	int farthest = 0;
	upper_half(truth);
	for (int i = 0; i < 300; i++) {
		struct script script = {.right = right, .fail_at = -1};
		struct evaluate_instance instance = {0};
		struct protocol_predictor predictor = {scripted_click, &script};
		ck_assert_int_eq(protocol_run(&once, &predictor, truth, W, H, rng_stream(0, 0, (uint64_t)i, RNG_TEST),
					      &instance),
				 STATUS_OK);
		int dx = script.seen[0].x - 2, dy = script.seen[0].y - 2;
		ck_assert_int_le(dx * dx + dy * dy, 16);
		farthest = dx * dx + dy * dy > farthest ? dx * dx + dy * dy : farthest;
	}
	ck_assert_int_eq(farthest, 16);
}
END_TEST

START_TEST(the_boundary_is_that_of_the_first_mask)
{
	const int right[20] = {60, 95, 60, 60, 60};
	struct protocol_rules once = rules;
	once.max_clicks = once.least_clicks = 1;
	struct script script = {.fail_at = -1};
	struct evaluate_instance five, one;
	ck_assert_int_eq(run_script(&script, right, &rules, &five), STATUS_OK);
	script = (struct script){.fail_at = -1};
	ck_assert_int_eq(run_script(&script, right, &once, &one), STATUS_OK);
	ck_assert_double_eq(five.biou1, one.biou1);
	ck_assert_double_lt(one.biou1, 0.95);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("protocol");
	TCase *tests = tcase_create("protocol");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, never_good_runs_all_clicks);
	tcase_add_test(tests, good_at_once_still_runs_five);
	tcase_add_test(tests, good_once_is_enough);
	tcase_add_test(tests, after_the_fifth_it_stops_at_the_first_good_mask);
	tcase_add_test(tests, fewer_clicks_than_five_can_be_asked_for);
	tcase_add_test(tests, clicks_follow_the_masks);
	tcase_add_test(tests, failure_is_passed_on);
	tcase_add_test(tests, jitter_misses_but_stays_in_the_error);
	tcase_add_test(tests, jitter_is_a_disk);
	tcase_add_test(tests, the_boundary_is_that_of_the_first_mask);
	suite_add_tcase(suite, tests);
	return suite;
}
TEST_MAIN(make_suite)
