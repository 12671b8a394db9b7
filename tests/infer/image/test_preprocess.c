/* Planes made from pixels and clicks, against values worked out by hand or by a loop over all clicks. */
#include <math.h>
#include <string.h>

#include "infer/image/preprocess.h"
#include "tests/support/test.h"

enum { W = 23, H = 17 };

static struct infer_preprocess disk(void)
{
	return (struct infer_preprocess){.mean = {10, 20, 30},
					 .scale = {1, 0.5f, 0.25f},
					 .encoding = INFER_CLICK_DISK,
					 .radius = 3,
					 .truncate = 8,
					 .click_scale = 2,
					 .previous_mask = 1};
}

START_TEST(test_normalize_orders_and_pads)
{
	struct infer_preprocess pre = disk();
	uint8_t rgb[2][16] = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 99}, {11, 12, 13, 14, 15, 16, 17, 18, 19, 99}};
	float out[3 * 3 * 5];
	for (int bgr = 0; bgr < 2; bgr++) {
		pre.bgr = (uint8_t)bgr;
		memset(out, 0xff, sizeof out);
		infer_normalize_rgb8(&pre, &rgb[0][0], 3, 2, 16, out, 5, 3);
		for (int p = 0; p < 3; p++)
			for (int y = 0; y < 3; y++)
				for (int x = 0; x < 5; x++) {
					float want = 0;
					if (x < 3 && y < 2)
						want = (rgb[y][3 * x + (bgr ? 2 - p : p)] - pre.mean[p]) * pre.scale[p];
					ck_assert_float_eq(out[(p * 3 + y) * 5 + x], want);
				}
	}
}
END_TEST

static const struct infer_click clicks[] = {
	{0, 0, 1}, {10.25f, 8.5f, 1}, {22, 16, 0}, {5, -2, 0}, {-400, 1e30f, 1}, {12, 3, 0}, {NAN, 4, 1},
};
enum { CLICKS = sizeof clicks / sizeof *clicks };

static float nearest(int positive, int x, int y)
{
	float best = INFINITY;
	for (int i = 0; i < CLICKS; i++) {
		float dx = (float)x - clicks[i].x, dy = (float)y - clicks[i].y;
		if (clicks[i].positive == positive && dx * dx + dy * dy < best)
			best = dx * dx + dy * dy;
	}
	return best;
}

START_TEST(test_draw_matches_all_pairs)
{
	struct infer_preprocess pre = disk();
	float planes[2][H][W];
	for (int encoding = 0; encoding < 2; encoding++) {
		pre.encoding = (uint8_t)encoding;
		infer_draw_clicks(&pre, clicks, CLICKS, &planes[0][0][0], W, H);
		for (int p = 0; p < 2; p++)
			for (int y = 0; y < H; y++)
				for (int x = 0; x < W; x++) {
					float d = sqrtf(nearest(!p, x, y));
					float want = encoding == INFER_CLICK_DISK ? (d <= 3 ? 2.0f : 0.0f)
										  : fminf(d, 8) / 8 * 2;
					if (!(fabsf(planes[p][y][x] - want) < 1e-6f))
						ck_abort_msg("%d %d %d %d: %g, want %g", encoding, p, y, x,
							     planes[p][y][x], want);
				}
	}
}
END_TEST

START_TEST(test_no_clicks)
{
	struct infer_preprocess pre = disk();
	float planes[2][H][W];
	for (int encoding = 0; encoding < 2; encoding++) {
		pre.encoding = (uint8_t)encoding;
		infer_draw_clicks(&pre, NULL, 0, &planes[0][0][0], W, H);
		for (int i = 0; i < 2 * H * W; i++)
			ck_assert_float_eq((&planes[0][0][0])[i], encoding == INFER_CLICK_DISK ? 0.0f : 2.0f);
	}
	ck_assert_int_eq(infer_click_planes(&pre), 3);
	pre.previous_mask = 0;
	ck_assert_int_eq(infer_click_planes(&pre), 2);
}
END_TEST

static Suite *preprocess_suite(void)
{
	Suite *suite = suite_create("infer/preprocess");
	TCase *tcase = tcase_create("planes");
	tcase_add_test(tcase, test_normalize_orders_and_pads);
	tcase_add_test(tcase, test_draw_matches_all_pairs);
	tcase_add_test(tcase, test_no_clicks);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(preprocess_suite)
