/* The feather against its formula: a triangle of weights in each direction, rounded after each, the border extended. */
#include <stdlib.h>

#include "infer/image/feather.h"
#include "tests/support/test.h"

enum { MAX_W = 70, MAX_H = 60, STRIDE = MAX_W + 5 };

static uint8_t at(const uint8_t *image, int x, int y, int w, int h)
{
	x = x < 0 ? 0 : x < w ? x : w - 1;
	y = y < 0 ? 0 : y < h ? y : h - 1;
	return image[y * STRIDE + x];
}

static void naive_pass(const uint8_t *in, uint8_t *out, int w, int h, int box, int dx, int dy)
{
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++) {
			int sum = box * box / 2;
			for (int k = 1 - box; k < box; k++)
				sum += (box - abs(k)) * at(in, x + k * dx, y + k * dy, w, h);
			out[y * STRIDE + x] = (uint8_t)(sum / (box * box));
		}
}

START_TEST(test_same_as_formula)
{
	static const struct {
		int w, h, box;
	} cases[] = {{70, 60, 2}, {33, 60, 5}, {1, 1, 3},    {1, 40, 9},
		     {50, 1, 20}, {9, 7, 100}, {64, 48, 31}, {2, 3, 2}};
	static uint8_t image[STRIDE * MAX_H], half[STRIDE * MAX_H], want[STRIDE * MAX_H];
	int w = cases[_i].w, h = cases[_i].h, box = cases[_i].box;
	void *workspace = malloc(infer_feather_workspace(w));
	uint32_t state = 7;
	for (size_t i = 0; i < sizeof image; i++) {
		state = state * 1664525 + 1013904223;
		image[i] = state >> 31 ? 255 : (uint8_t)(state >> 16);
	}
	naive_pass(image, half, w, h, box, 1, 0);
	naive_pass(half, want, w, h, box, 0, 1);
	infer_feather(image, w, h, STRIDE, (float)(2 * box - 1), workspace);
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++)
			ck_assert_msg(image[y * STRIDE + x] == want[y * STRIDE + x],
				      "%d,%d of %dx%d, box %d: %d, not %d", x, y, w, h, box, image[y * STRIDE + x],
				      want[y * STRIDE + x]);
	free(workspace);
}
END_TEST

/* A wider feather never makes a straight edge steeper, and the edge stays where it was. */
START_TEST(test_wider_is_softer)
{
	static uint8_t image[STRIDE * 3], before[STRIDE * 3], workspace_memory[1 << 20];
	ck_assert_uint_le(infer_feather_workspace(MAX_W), sizeof workspace_memory);
	for (int feather = 0; feather <= 31; feather++) {
		memset(image, 0, sizeof image);
		for (int y = 0; y < 3; y++)
			memset(image + y * STRIDE + MAX_W / 2, 255, MAX_W / 2);
		infer_feather(image, MAX_W, 3, STRIDE, (float)feather, workspace_memory);
		for (int x = 0; x < MAX_W; x++) {
			uint8_t now = image[STRIDE + x];
			ck_assert_int_eq(now >= 128, x >= MAX_W / 2);
			ck_assert(x == 0 || now >= image[STRIDE + x - 1]);
			if (feather > 0)
				ck_assert(x < MAX_W / 2 ? now >= before[STRIDE + x] : now <= before[STRIDE + x]);
		}
		memcpy(before, image, sizeof image);
	}
}
END_TEST

static Suite *feather_suite(void)
{
	Suite *suite = suite_create("infer/feather");
	TCase *tcase = tcase_create("feather");
	tcase_add_loop_test(tcase, test_same_as_formula, 0, 8);
	tcase_add_test(tcase, test_wider_is_softer);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(feather_suite)
