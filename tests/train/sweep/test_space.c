/* What a sweep varies: parsing, and that values are a function of seed, trial and key alone. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"
#include "train/sweep/space.h"

#define VALUES "optim.lr=0.0003826 optim.name=sgd train.batch_size=32 clicks.corrective_rounds=24"

static struct space space;

static enum status parse(const char *vary)
{
	struct json *root;
	ck_assert_int_eq(json_parse(vary, strlen(vary), "test", &root), STATUS_OK);
	enum status status = space_parse(&space, root, "sweep.json");
	json_free(root);
	return status;
}

static void parse_ok(const char *vary)
{
	ck_assert_msg(parse(vary) == STATUS_OK, "%s", status_message());
}

static void parse_fails(const char *vary, const char *part)
{
	ck_assert(parse(vary) != STATUS_OK);
	ck_assert_msg(strstr(status_message(), part) != NULL, "%s", status_message());
	space_release(&space);
}

#define LR "\"optim.lr\": {\"min\": 1e-4, \"max\": 0.1, \"distribution\": \"log\"}"
#define NAME "\"optim.name\": [\"adam\", \"sgd\", \"adamw\"]"
#define BATCH "\"train.batch_size\": {\"min\": 4, \"max\": 32, \"distribution\": \"integer\", \"multiple\": 4}"
#define ROUNDS "\"clicks.corrective_rounds\": {\"min\": 1, \"max\": 1000, \"distribution\": \"log_integer\"}"

START_TEST(values_do_not_depend_on_other_keys)
{
	struct space_point alone, together;
	parse_ok("{" LR "}");
	space_draw(&space, 7, 3, 0, &alone);
	space_release(&space);
	parse_ok("{" NAME ", " LR ", " BATCH "}");
	space_draw(&space, 7, 3, 0, &together);
	ck_assert(alone.at[0] == together.at[1]);
	space_draw(&space, 7, 4, 0, &alone);
	ck_assert(!space_same(&space, &alone, &together));
	space_draw(&space, 8, 3, 0, &alone);
	ck_assert(!space_same(&space, &alone, &together));
	space_release(&space);
}
END_TEST

/* The values of a sweep that somebody has begun must be those of the next version too. */
START_TEST(values_are_these)
{
	struct text text;
	struct space_point point;
	text_init(&text);
	parse_ok("{" LR ", " NAME ", " BATCH ", " ROUNDS "}");
	space_draw(&space, 1, 0, 0, &point);
	space_add_settings(&text, &space, &point);
	ck_assert_str_eq(text.data, VALUES);
	text_release(&text);
	space_release(&space);
}
END_TEST

START_TEST(draws_fill_the_range)
{
	enum { DRAWS = 4000 };
	int names[3] = {0}, batches[33] = {0}, low = 0, small = 0;
	parse_ok("{" LR ", " NAME ", " BATCH ", " ROUNDS "}");
	for (int t = 0; t < DRAWS; t++) {
		struct space_point p;
		space_draw(&space, 5, t, 0, &p);
		ck_assert(p.at[0] >= 1e-4 && p.at[0] <= 0.1);
		low += p.at[0] < 3.1623e-3; /* half of the logarithm's range */
		names[(int)p.at[1]]++;
		batches[(int)p.at[2]]++;
		ck_assert(p.at[3] >= 1 && p.at[3] <= 1000 && p.at[3] == floor(p.at[3]));
		small += p.at[3] < 32; /* half of the logarithm's */
	}
	ck_assert_int_lt(abs(low - DRAWS / 2), 150);
	ck_assert_int_lt(abs(small - DRAWS / 2), 150);
	for (int i = 0; i < 3; i++)
		ck_assert_int_lt(abs(names[i] - DRAWS / 3), 150);
	for (int b = 0; b < 33; b++)
		ck_assert_msg(b % 4 || !b ? !batches[b] : abs(batches[b] - DRAWS / 8) < 120, "%d: %d", b, batches[b]);
	space_release(&space);
}
END_TEST

START_TEST(units_lead_there_and_back)
{
	parse_ok("{" LR ", " NAME ", " BATCH ", " ROUNDS ", \"augment.contrast\": {\"min\": 0, \"max\": 1}}");
	for (int t = 0; t < 500; t++) {
		struct space_point p;
		space_draw(&space, 2, t, 0, &p);
		for (int k = 0; k < space.count; k++) {
			double unit = space_to_unit(&space.parameters[k], p.at[k]);
			ck_assert(unit >= 0 && unit <= 1);
			double back = space_from_unit(&space.parameters[k], unit);
			ck_assert_msg(fabs(back - p.at[k]) <= 2e-4 * fabs(p.at[k]), "%s: %.17g %.17g",
				      space.parameters[k].key, p.at[k], back);
		}
	}
	space_release(&space);
}
END_TEST

START_TEST(grid_has_every_combination_once)
{
	int size;
	parse_ok("{" NAME
		 ", \"optim.lr\": {\"min\": 0.001, \"max\": 0.1, \"distribution\": \"log\", \"points\": 3}, " BATCH
		 "}");
	ck_assert_int_eq(space_grid_size(&space, 1000, "test", &size), STATUS_OK);
	ck_assert_int_eq(size, 3 * 3 * 8);
	for (int i = 0; i < size; i++) {
		struct space_point a, b;
		space_grid_point(&space, i, &a);
		for (int j = 0; j < i; j++) {
			space_grid_point(&space, j, &b);
			ck_assert(!space_same(&space, &a, &b));
		}
	}
	struct space_point second, ninth;
	space_grid_point(&space, 1, &second); /* the last key first */
	ck_assert(second.at[0] == 0 && second.at[1] == 0.001 && second.at[2] == 8);
	space_grid_point(&space, 8, &ninth);
	ck_assert(ninth.at[0] == 0 && ninth.at[1] == 0.01 && ninth.at[2] == 4);
	ck_assert_int_eq(space_grid_size(&space, 71, "test", &size), STATUS_LIMIT);
	space_release(&space);
}
END_TEST

START_TEST(points_are_read_back)
{
	parse_ok("{" LR ", " NAME ", " BATCH ", \"model.widths\": [[8, 8, 8, 8], [16, 8, 8, 8]]}");
	for (int t = 0; t < 50; t++) {
		struct space_point p, q;
		struct text text;
		struct json *root;
		text_init(&text);
		space_draw(&space, 3, t, 0, &p);
		text_add(&text, "{");
		space_add_point(&text, &space, &p);
		text_add(&text, "}");
		ck_assert_int_eq(json_parse(text.data, text.length, "test", &root), STATUS_OK);
		ck_assert(space_read_point(&space, root, &q) && space_same(&space, &p, &q));
		json_free(root);
		text_release(&text);
	}
	space_release(&space);
}
END_TEST

START_TEST(what_is_wrong_is_named)
{
	parse_fails("{}", "vary: expected an object of config keys");
	parse_fails("[]", "found a list of 0");
	parse_fails("{\"optim.lr\": 3}",
		    "vary.optim.lr: expected a list of values, or an object with min and max, found 3");
	parse_fails("{\"optim.lr\": []}", "a list of 1 to 256 values");
	parse_fails("{\"optim.lr\": [1, 2, 1]}", "1 is there twice");
	parse_fails("{\"optim.lr\": {\"min\": 1}}", "vary.optim.lr.max: expected a number, found nothing");
	parse_fails("{\"optim.lr\": {\"min\": 2, \"max\": 1}}", "max: expected more than min");
	parse_fails("{\"optim.lr\": {\"min\": 0, \"max\": 1, \"distribution\": \"log\"}}", "above 0");
	parse_fails("{\"optim.lr\": {\"min\": 0, \"max\": 1, \"distribution\": \"lgo\"}}", "one of \"linear\"");
	parse_fails("{\"optim.lr\": {\"min\": 0, \"max\": 1, \"distribution\": \"uniform\"}}", "is called linear here");
	parse_fails("{\"optim.lr\": {\"min\": 0, \"mx\": 1}}", "unknown key mx; did you mean max?");
	parse_fails("{\"a\": {\"min\": 1, \"max\": 7, \"distribution\": \"integer\", \"multiple\": 4}}",
		    "multiples of");
	parse_fails("{\"a\": {\"values\": [1], \"min\": 1}}", "either values or a range");
	parse_ok("{\"a\": {\"values\": [1, 2]}}");
	ck_assert_int_eq(space.parameters[0].kind, SPACE_LIST);
	space_release(&space);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("space");
	TCase *tc = tcase_create("space");
	tcase_add_test(tc, values_do_not_depend_on_other_keys);
	tcase_add_test(tc, values_are_these);
	tcase_add_test(tc, draws_fill_the_range);
	tcase_add_test(tc, units_lead_there_and_back);
	tcase_add_test(tc, grid_has_every_combination_once);
	tcase_add_test(tc, points_are_read_back);
	tcase_add_test(tc, what_is_wrong_is_named);
	suite_add_tcase(suite, tc);
	return suite;
}

TEST_MAIN(make_suite)
