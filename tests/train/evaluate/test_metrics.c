/* Overlap measures on masks drawn by hand and against plain definitions; what is read from curves. */
#include "train/evaluate/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "data/robot.h"
#include "tests/support/test.h"

static uint32_t state = 4;

static uint32_t random_below(uint32_t bound)
{
	state = state * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(state >> 8) * bound) >> 24);
}

START_TEST(iou_by_hand)
{
	const uint8_t pred[] = {1, 255, 0, 0, 7};
	const uint8_t truth[] = {1, 0, 1, 0, 1};
	ck_assert_double_eq(metrics_iou(pred, truth, 5), 2.0 / 4);
}
END_TEST

START_TEST(iou_leaves_ignored_pixels_out_of_both_terms)
{
	const uint8_t pred[] = {1, 1, 0, 1, 0};
	const uint8_t truth[] = {1, 2, 2, 0, 1};
	ck_assert_double_eq(metrics_iou(pred, truth, 5), 1.0 / 3);
}
END_TEST

START_TEST(iou_of_nothing_and_nothing_is_one)
{
	const uint8_t pred[] = {0, 9}, truth[] = {0, 2};
	ck_assert_double_eq(metrics_iou(pred, truth, 2), 1);
	ck_assert_double_eq(metrics_iou(pred, truth, 1), 1);
}
END_TEST

START_TEST(nine_tenths_reach_nine_tenths)
{
	uint8_t pred[10], truth[10];
	memset(truth, 1, 10);
	memset(pred, 1, 10);
	pred[3] = 0;
	double iou = metrics_iou(pred, truth, 10);
	ck_assert(metrics_reached(&iou, 1, 0.90));
}
END_TEST

START_TEST(boundary_width_is_two_percent_of_the_diagonal)
{
	ck_assert_int_eq(metrics_boundary_width(10, 10), 1);
	ck_assert_int_eq(metrics_boundary_width(640, 480), 16);
	ck_assert_int_eq(metrics_boundary_width(300, 400), 10);
}
END_TEST

static double boundary_iou(const uint8_t *pred, const uint8_t *truth, int w, int h)
{
	size_t size = metrics_boundary_workspace(w, h);
	void *workspace = malloc(size);
	memset(workspace, 0x77, size);
	double iou = metrics_boundary_iou(pred, truth, w, h, workspace);
	free(workspace);
	return iou;
}

/* One round of erosion by the definition, the outside of the picture being empty. */
static void naive_erode(const uint8_t *in, int w, int h, uint8_t *out)
{
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++) {
			bool stays = true;
			for (int v = y - 1; v <= y + 1; v++)
				for (int u = x - 1; u <= x + 1; u++)
					stays &= u >= 0 && v >= 0 && u < w && v < h && in[v * w + u];
			out[y * w + x] = stays;
		}
}

static void naive_boundary(const uint8_t *mask, int w, int h, uint8_t *boundary)
{
	size_t pixels = (size_t)(w * h);
	uint8_t *a = malloc(pixels), *b = malloc(pixels);
	memcpy(a, mask, pixels);
	for (int round = 0; round < metrics_boundary_width(w, h); round++) {
		naive_erode(a, w, h, b);
		memcpy(a, b, pixels);
	}
	for (size_t i = 0; i < pixels; i++)
		boundary[i] = mask[i] && !a[i];
	free(a);
	free(b);
}

static double naive_boundary_iou(const uint8_t *pred, const uint8_t *truth, int w, int h)
{
	size_t pixels = (size_t)(w * h), intersection = 0, both = 0;
	uint8_t *p = malloc(pixels), *t = malloc(pixels);
	for (size_t i = 0; i < pixels; i++) {
		p[i] = pred[i] && truth[i] != TRUTH_IGNORE;
		t[i] = truth[i] == TRUTH_OBJECT;
	}
	naive_boundary(p, w, h, p);
	naive_boundary(t, w, h, t);
	for (size_t i = 0; i < pixels; i++) {
		intersection += p[i] & t[i];
		both += p[i] | t[i];
	}
	free(p);
	free(t);
	return both ? (double)intersection / (double)both : 1;
}

static void draw_disks(uint8_t *pixels, int w, int h, int count, uint8_t value)
{
	for (int k = 0; k < count; k++) {
		int cx = (int)random_below((uint32_t)w), cy = (int)random_below((uint32_t)h), r = (int)random_below(40);
		for (int i = 0; i < w * h; i++)
			if ((i % w - cx) * (i % w - cx) + (i / w - cy) * (i / w - cy) < r * r)
				pixels[i] = value;
	}
}

START_TEST(boundary_equals_the_definition)
{
	static uint8_t pred[130 * 130], truth[130 * 130];
	for (int round = 0; round < 25; round++) {
		int w = 1 + (int)random_below(130), h = 1 + (int)random_below(130);
		memset(pred, 0, sizeof pred);
		memset(truth, 0, sizeof truth);
		draw_disks(truth, w, h, 3, TRUTH_OBJECT);
		draw_disks(truth, w, h, round % 3, TRUTH_IGNORE);
		draw_disks(pred, w, h, 3, 255);
		ck_assert_double_eq(boundary_iou(pred, truth, w, h), naive_boundary_iou(pred, truth, w, h));
	}
}
END_TEST

START_TEST(boundary_does_not_see_ignored_pixels)
{
	enum { W = 90, H = 70 };
	static uint8_t pred[W * H], truth[W * H];
	draw_disks(truth, W, H, 6, TRUTH_OBJECT);
	draw_disks(truth, W, H, 3, TRUTH_IGNORE);
	for (int i = 0; i < W * H; i++)
		pred[i] = truth[i] == TRUTH_OBJECT || (truth[i] == TRUTH_IGNORE && random_below(2));
	ck_assert_double_eq(boundary_iou(pred, truth, W, H), 1);
}
END_TEST

START_TEST(clicks_are_read_from_the_curve)
{
	const double curve[] = {0.5, 0.86, 0.91, 0.7, 0.95};
	ck_assert_int_eq(metrics_clicks_needed(curve, 5, 0.85, 20), 2);
	ck_assert_int_eq(metrics_clicks_needed(curve, 5, 0.90, 20), 3);
	ck_assert_int_eq(metrics_clicks_needed(curve, 5, 0.96, 20), 20);
	ck_assert_int_eq(metrics_clicks_needed(curve, 0, 0.5, 20), 20);
	ck_assert(metrics_reached(curve, 5, 0.95));
	ck_assert(!metrics_reached(curve, 4, 0.95));
	ck_assert_double_eq(metrics_iou_at(curve, 5, 4), 0.7);
	ck_assert_double_eq(metrics_iou_at(curve, 2, 5), 0.86);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tests = tcase_create("metrics");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, iou_by_hand);
	tcase_add_test(tests, iou_leaves_ignored_pixels_out_of_both_terms);
	tcase_add_test(tests, iou_of_nothing_and_nothing_is_one);
	tcase_add_test(tests, nine_tenths_reach_nine_tenths);
	tcase_add_test(tests, boundary_width_is_two_percent_of_the_diagonal);
	tcase_add_test(tests, boundary_equals_the_definition);
	tcase_add_test(tests, boundary_does_not_see_ignored_pixels);
	tcase_add_test(tests, clicks_are_read_from_the_curve);
	suite_add_tcase(suite, tests);
	return suite;
}
TEST_MAIN(make_suite)
