/* distance_squared against the definition, tried on every pixel pair. */
#include "data/distance.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"

static uint32_t state = 12345;

static uint32_t random_below(uint32_t bound)
{
	state = state * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(state >> 8) * bound) >> 24);
}

static int32_t naive(const uint8_t *mask, int w, int h, int border, int x, int y)
{
	int32_t best = INT32_MAX;
	int from = border ? -1 : 0;
	for (int v = from; v < h - from; v++) {
		for (int u = from; u < w - from; u++) {
			bool inside = u >= 0 && u < w && v >= 0 && v < h;
			if (inside && mask[v * w + u])
				continue;
			int32_t d = (u - x) * (u - x) + (v - y) * (v - y);
			best = d < best ? d : best;
		}
	}
	return best;
}

static void check_mask(const uint8_t *mask, int w, int h)
{
	int32_t *out = malloc((size_t)w * (size_t)h * sizeof *out);
	void *workspace = malloc(distance_workspace(w, h));
	for (int border = 0; border < 2; border++) {
		memset(out, 0x55, (size_t)w * (size_t)h * sizeof *out);
		distance_squared(mask, w, h, border, out, workspace);
		for (int i = 0; i < w * h; i++)
			ck_assert_msg(out[i] == naive(mask, w, h, border, i % w, i / w),
				      "%dx%d border %d pixel %d,%d: %d, not %d", w, h, border, i % w, i / w, out[i],
				      naive(mask, w, h, border, i % w, i / w));
	}
	free(workspace);
	free(out);
}

static void check_random(int w, int h, uint32_t zeros_in_1000)
{
	uint8_t *mask = malloc((size_t)w * (size_t)h);
	for (int i = 0; i < w * h; i++)
		mask[i] = random_below(1000) < zeros_in_1000 ? 0 : (uint8_t)(1 + random_below(255));
	check_mask(mask, w, h);
	free(mask);
}

START_TEST(random_masks)
{
	static const uint32_t zeros[] = {0, 2, 10, 50, 300, 500, 900, 1000};
	for (size_t z = 0; z < sizeof zeros / sizeof *zeros; z++)
		for (int round = 0; round < 12; round++)
			check_random(1 + (int)random_below(24), 1 + (int)random_below(24), zeros[z]);
}
END_TEST

START_TEST(lines_and_single_pixels)
{
	for (int n = 1; n < 40; n++)
		for (uint32_t zeros = 0; zeros <= 1000; zeros += 125) {
			check_random(n, 1, zeros);
			check_random(1, n, zeros);
		}
}
END_TEST

START_TEST(one_zero_seen_from_everywhere)
{
	enum { W = 19, H = 13 };
	uint8_t mask[W * H];
	for (int zero = 0; zero < W * H; zero++) {
		memset(mask, 1, sizeof mask);
		mask[zero] = 0;
		check_mask(mask, W, H);
	}
}
END_TEST

/* Shapes as objects have them: unions of disks, where envelopes of many columns meet. */
START_TEST(disks)
{
	enum { SIDE = 48 };
	uint8_t mask[SIDE * SIDE];
	for (int round = 0; round < 6; round++) {
		memset(mask, 0, sizeof mask);
		for (int k = 0; k < 4; k++) {
			int cx = (int)random_below(SIDE), cy = (int)random_below(SIDE), r = 2 + (int)random_below(20);
			for (int i = 0; i < SIDE * SIDE; i++) {
				int dx = i % SIDE - cx, dy = i / SIDE - cy;
				mask[i] |= dx * dx + dy * dy < r * r;
			}
		}
		check_mask(mask, SIDE, SIDE);
	}
}
END_TEST

/* The largest sides: squares must not overflow. */
START_TEST(far_away)
{
	enum { LENGTH = 32767 };
	uint8_t *mask = malloc(LENGTH);
	int32_t *out = malloc(LENGTH * sizeof *out);
	void *workspace = malloc(distance_workspace(LENGTH, 1));
	memset(mask, 1, LENGTH);
	mask[0] = 0;
	distance_squared(mask, LENGTH, 1, 0, out, workspace);
	ck_assert_int_eq(out[LENGTH - 1], (LENGTH - 1) * (LENGTH - 1));
	distance_squared(mask, 1, LENGTH, 0, out, workspace);
	ck_assert_int_eq(out[LENGTH - 1], (LENGTH - 1) * (LENGTH - 1));
	distance_squared(mask, LENGTH, 1, 1, out, workspace);
	ck_assert_int_eq(out[LENGTH / 2], 1);
	free(workspace);
	free(out);
	free(mask);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("distance");
	TCase *tests = tcase_create("distance");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, random_masks);
	tcase_add_test(tests, lines_and_single_pixels);
	tcase_add_test(tests, one_zero_seen_from_everywhere);
	tcase_add_test(tests, disks);
	tcase_add_test(tests, far_away);
	suite_add_tcase(suite, tests);
	return suite;
}
TEST_MAIN(make_suite)
