/* Where the network looks: always inside the photo, always with everything that was clicked on the object, always
 * with the photo's proportions, and without jumping about. */
#include <math.h>

#include "infer/session/view.h"
#include "tests/infer/build_network.h"
#include "tests/support/test.h"

enum { W = 640, H = 480 };
static const struct infer_box whole = {0, 0, W, H}, nothing = {W, H, 0, 0};

static void check_box(struct infer_box got, int x0, int y0, int x1, int y1)
{
	ck_assert_msg(got.x0 == x0 && got.y0 == y0 && got.x1 == x1 && got.y1 == y1,
		      "view is %d,%d..%d,%d, expected %d,%d..%d,%d", got.x0, got.y0, got.x1, got.y1, x0, y0, x1, y1);
}

START_TEST(test_mask_box)
{
	uint8_t mask[5 * 7] = {0};
	struct infer_box empty = infer_mask_box(mask, 7, 5);
	ck_assert_int_le(empty.x1, empty.x0);
	mask[1 * 7 + 5] = mask[3 * 7 + 2] = 255;
	check_box(infer_mask_box(mask, 7, 5), 2, 1, 6, 4);
	mask[0] = mask[34] = 255;
	check_box(infer_mask_box(mask, 7, 5), 0, 0, 7, 5);
}
END_TEST

START_TEST(test_enlarged_box)
{
	const struct infer_click click = {320, 240, 1};
	/* 200 x 100 becomes 340 wide, and high in proportion. */
	check_box(infer_next_view(whole, (struct infer_box){220, 190, 420, 290}, &click, 1, W, H), 150, 113, 490, 368);
	/* Pushed in from the corner. */
	const struct infer_click corner = {10, 10, 1};
	check_box(infer_next_view(whole, (struct infer_box){0, 0, 200, 100}, &corner, 1, W, H), 0, 0, 340, 255);
	/* Tiny: a quarter of the photo. */
	check_box(infer_next_view(whole, (struct infer_box){318, 238, 322, 242}, &click, 1, W, H), 240, 180, 400, 300);
	/* Nearly everything: everything. */
	check_box(infer_next_view(whole, (struct infer_box){100, 10, 400, 470}, &click, 1, W, H), 0, 0, W, H);
	check_box(infer_next_view(whole, nothing, &(struct infer_click){5, 5, 0}, 1, W, H), 0, 0, W, H);
}
END_TEST

START_TEST(test_moves_only_when_needed)
{
	const struct infer_box mask = {220, 190, 420, 290}, view = {150, 113, 490, 368};
	struct infer_click clicks[] = {{320, 240, 1}, {200, 200, 0}};
	check_box(infer_next_view(view, mask, clicks, 2, W, H), 150, 113, 490, 368);
	/* A slightly larger mask: stays. */
	check_box(infer_next_view(view, (struct infer_box){210, 190, 430, 290}, clicks, 2, W, H), 150, 113, 490, 368);
	/* A much smaller one: looks closer. */
	struct infer_box closer = infer_next_view(view, (struct infer_box){300, 230, 340, 250}, clicks, 1, W, H);
	ck_assert_int_eq(closer.x1 - closer.x0, 160);
	/* A click outside: goes there, whatever its sign. */
	for (int positive = 0; positive < 2; positive++) {
		clicks[1] = (struct infer_click){600, 20, (uint8_t)positive};
		struct infer_box moved = infer_next_view(view, mask, clicks, 2, W, H);
		ck_assert(moved.x1 > 600 && moved.y0 <= 20 && moved.x0 <= 220 && moved.y1 >= 290);
	}
	/* An old negative click may stay outside. */
	struct infer_click old[] = {{600, 20, 0}, {320, 240, 1}};
	check_box(infer_next_view(view, mask, old, 2, W, H), 150, 113, 490, 368);
}
END_TEST

static int below(uint32_t *state, int limit)
{
	return (int)((builder_number(state) + 1) / 2.0001f * (float)limit);
}

static void check_random_views(uint32_t seed)
{
	uint32_t state = seed;
	int w = 1 + below(&state, 900), h = 1 + below(&state, 900);
	struct infer_box view = {0, 0, w, h};
	struct infer_click clicks[8];
	for (int n = 0; n < 8; n++) {
		clicks[n] = (struct infer_click){(float)below(&state, w), (float)below(&state, h),
						 (uint8_t)below(&state, 2)};
		struct infer_box mask = {below(&state, w), below(&state, h), 0, 0};
		mask.x1 = mask.x0 + below(&state, w - mask.x0 + 1);
		mask.y1 = mask.y0 + below(&state, h - mask.y0 + 1);
		view = infer_next_view(view, mask, clicks, n + 1, w, h);
		ck_assert(view.x0 >= 0 && view.y0 >= 0 && view.x1 <= w && view.y1 <= h && view.x0 < view.x1 &&
			  view.y0 < view.y1);
		for (int i = 0; i <= n; i++)
			if (clicks[i].positive && (clicks[i].x < view.x0 || clicks[i].x >= view.x1 ||
						   clicks[i].y < view.y0 || clicks[i].y >= view.y1))
				ck_abort_msg("click %d is outside the view", i);
		ck_assert(fabs((double)(view.x1 - view.x0) / w - (double)(view.y1 - view.y0) / h) <=
			  1.01 / (w < h ? w : h));
	}
}

START_TEST(test_random_views)
{
	for (uint32_t seed = 1; seed <= 500; seed++)
		check_random_views(seed);
}
END_TEST

static Suite *view_suite(void)
{
	Suite *suite = suite_create("infer/view");
	TCase *tcase = tcase_create("view");
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_mask_box);
	tcase_add_test(tcase, test_enlarged_box);
	tcase_add_test(tcase, test_moves_only_when_needed);
	tcase_add_test(tcase, test_random_views);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(view_suite)
