/* The click robot: each rule of docs/protocol.md, 1, on a mask made for it, then all of them against a plain
 * re-implementation that pads, takes square roots and searches every pixel pair. */
#include "data/robot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"

static uint32_t state = 99;

static uint32_t random_below(uint32_t bound)
{
	state = state * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(state >> 8) * bound) >> 24);
}

static struct click next_click(const uint8_t *pred, const uint8_t *truth, int w, int h, const struct click_list *clicks)
{
	void *workspace = malloc(robot_workspace(w, h));
	memset(workspace, 0xAA, robot_workspace(w, h));
	struct click click = robot_next_click(pred, truth, w, h, clicks, workspace);
	free(workspace);
	return click;
}

static void check_click(struct click click, int x, int y, bool positive)
{
	ck_assert_int_eq(click.x, x);
	ck_assert_int_eq(click.y, y);
	ck_assert_int_eq(click.positive, positive);
}

/* Pictures as text: '#' set, 'i' ignored, anything else not. */
static void draw(const char *text, uint8_t *pixels)
{
	for (; *text; text++)
		*pixels++ = *text == '#' ? TRUTH_OBJECT : *text == 'i' ? TRUTH_IGNORE : TRUTH_BACKGROUND;
}

static struct click click_drawn(const char *pred_text, const char *truth_text, int w, int h,
				const struct click_list *clicks)
{
	struct click_list none = {.count = 0};
	uint8_t pred[64], truth[64];
	ck_assert_uint_eq(strlen(pred_text), (size_t)(w * h));
	ck_assert_uint_eq(strlen(truth_text), (size_t)(w * h));
	draw(pred_text, pred);
	draw(truth_text, truth);
	return next_click(pred, truth, w, h, clicks ? clicks : &none);
}

START_TEST(first_click_is_the_middle)
{
	check_click(click_drawn("......."
				"......."
				"......."
				"......."
				".......",
				"......."
				".#####."
				".#####."
				".#####."
				".......",
				7, 5, NULL),
		    2, 2, true);
}
END_TEST

/* Without the padding the object's middle would be at the picture's edge. */
START_TEST(picture_edge_counts_as_boundary)
{
	check_click(click_drawn("......"
				"......"
				"......",
				"#####."
				"#####."
				"#####.",
				6, 3, NULL),
		    1, 1, true);
	check_click(click_drawn(".........", "#########", 3, 3, NULL), 1, 1, true);
}
END_TEST

START_TEST(tie_gives_a_negative_click)
{
	check_click(click_drawn("....#", "#....", 5, 1, NULL), 4, 0, false);
	/* and the larger error wins by one pixel of depth */
	check_click(click_drawn("......#"
				"......."
				".......",
				"###...."
				"###...."
				"###....",
				7, 3, NULL),
		    1, 1, true);
}
END_TEST

START_TEST(deepest_not_largest)
{
	/* nine pixels in a line are shallower than a 3x3 block */
	check_click(click_drawn(".........."
				".........."
				".........."
				".........."
				"..........",
				"##########"
				".........."
				"......###."
				"......###."
				"......###.",
				10, 5, NULL),
		    7, 3, true);
}
END_TEST

START_TEST(first_of_equals_in_row_major_order)
{
	check_click(click_drawn("......"
				"......",
				"...#.."
				".#...#",
				6, 2, NULL),
		    3, 0, true);
}
END_TEST

START_TEST(only_the_clicked_pixel_is_removed)
{
	struct click_list clicks = {.items = {{2, 2, true}}, .count = 1};
	/* its neighbour is as deep: it is next, and its depth is not measured to the click */
	check_click(click_drawn("......."
				"......."
				"......."
				"......."
				".......",
				"......."
				".#####."
				".#####."
				".#####."
				".......",
				7, 5, &clicks),
		    3, 2, true);
}
END_TEST

START_TEST(ignored_pixels_are_no_error_and_end_a_region)
{
	/* the right of the block is ignored: the rest is one pixel deep, its first pixel wins */
	check_click(click_drawn("....."
				"....."
				".....",
				"##iii"
				"##iii"
				"##iii",
				5, 3, NULL),
		    0, 0, true);
	check_click(click_drawn("##...", "ii#..", 5, 1, NULL), 2, 0, true);
	check_click(click_drawn("####.", "ii...", 5, 1, NULL), 2, 0, false);
}
END_TEST

START_TEST(perfect_prediction_clicks_the_corner)
{
	check_click(click_drawn("##...", "##..i", 5, 1, NULL), 0, 0, false);
}
END_TEST

/* --- the plain re-implementation ------------------------------------------ */

static double naive_depth(const uint8_t *error, int w, int h, int x, int y)
{
	if (!error[y * w + x])
		return 0;
	double best = INFINITY;
	for (int v = -1; v <= h; v++)
		for (int u = -1; u <= w; u++) {
			bool set = u >= 0 && v >= 0 && u < w && v < h && error[v * w + u];
			if (!set)
				best = fmin(best, sqrt((double)((u - x) * (u - x) + (v - y) * (v - y))));
		}
	return best;
}

static double naive_peak(const uint8_t *error, int w, int h, const struct click_list *clicks, int *pixel)
{
	double best = -1;
	for (int i = 0; i < w * h; i++) {
		double depth = naive_depth(error, w, h, i % w, i / w);
		for (int k = 0; k < clicks->count; k++)
			if (clicks->items[k].x == i % w && clicks->items[k].y == i / w)
				depth = 0;
		if (depth > best) {
			best = depth;
			*pixel = i;
		}
	}
	return best;
}

static struct click naive_click(const uint8_t *pred, const uint8_t *truth, int w, int h,
				const struct click_list *clicks)
{
	uint8_t missed[1024], wrong[1024];
	for (int i = 0; i < w * h; i++) {
		bool valid = truth[i] != TRUTH_IGNORE, object = truth[i] == TRUTH_OBJECT;
		missed[i] = object && !pred[i] && valid;
		wrong[i] = !object && pred[i] && valid;
	}
	int missed_pixel, wrong_pixel;
	double missed_depth = naive_peak(missed, w, h, clicks, &missed_pixel);
	double wrong_depth = naive_peak(wrong, w, h, clicks, &wrong_pixel);
	bool positive = missed_depth > wrong_depth;
	int pixel = positive ? missed_pixel : wrong_pixel;
	return (struct click){pixel % w, pixel / w, positive};
}

static void draw_blobs(uint8_t *pixels, int w, int h, uint8_t value)
{
	for (uint32_t k = 1 + random_below(3); k > 0; k--) {
		int cx = (int)random_below((uint32_t)w), cy = (int)random_below((uint32_t)h),
		    r = 1 + (int)random_below(9);
		for (int i = 0; i < w * h; i++)
			if ((i % w - cx) * (i % w - cx) + (i / w - cy) * (i / w - cy) < r * r)
				pixels[i] = value;
	}
}

START_TEST(equals_the_plain_version)
{
	for (int round = 0; round < 60; round++) {
		int w = 1 + (int)random_below(24), h = 1 + (int)random_below(24);
		uint8_t pred[1024] = {0}, truth[1024] = {0};
		struct click_list clicks = {.count = 0};
		draw_blobs(truth, w, h, TRUTH_OBJECT);
		if (round % 2)
			draw_blobs(truth, w, h, TRUTH_IGNORE);
		if (round % 5)
			draw_blobs(pred, w, h, 255);
		for (int i = 0; i < w * h && round % 3 == 0; i++)
			pred[i] ^= random_below(12) == 0;
		for (int k = 0; k < 4; k++) {
			struct click expected = naive_click(pred, truth, w, h, &clicks);
			check_click(next_click(pred, truth, w, h, &clicks), expected.x, expected.y, expected.positive);
			clicks.items[clicks.count++] = expected;
		}
	}
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("robot");
	TCase *rules = tcase_create("rules");
	tcase_set_timeout(rules, 60);
	tcase_add_test(rules, first_click_is_the_middle);
	tcase_add_test(rules, picture_edge_counts_as_boundary);
	tcase_add_test(rules, tie_gives_a_negative_click);
	tcase_add_test(rules, deepest_not_largest);
	tcase_add_test(rules, first_of_equals_in_row_major_order);
	tcase_add_test(rules, only_the_clicked_pixel_is_removed);
	tcase_add_test(rules, ignored_pixels_are_no_error_and_end_a_region);
	tcase_add_test(rules, perfect_prediction_clicks_the_corner);
	suite_add_tcase(suite, rules);
	TCase *plain = tcase_create("plain");
	tcase_set_timeout(plain, 60);
	tcase_add_test(plain, equals_the_plain_version);
	suite_add_tcase(suite, plain);
	return suite;
}
TEST_MAIN(make_suite)
