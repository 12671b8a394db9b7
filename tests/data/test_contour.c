/* Outlines of masks, through the polygon rasteriser and back. */
#include <stdlib.h>
#include <string.h>

#include "data/contour.h"
#include "data/rle.h"
#include "tests/support/test.h"

enum { W = 120, H = 90 };

static uint8_t mask[H][W], *const pixels = &mask[0][0];

static void disc(int cx, int cy, int r, uint8_t value)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			if ((x - cx) * (x - cx) + (y - cy) * (y - cy) <= r * r)
				mask[y][x] = value;
}

/* A ring with an island in it, a disc over the border, a pixel, two squares that touch by a corner. */
static void make_mask(void)
{
	memset(mask, 0, sizeof mask);
	disc(40, 45, 30, 1);
	disc(44, 45, 18, 0);
	disc(25, 45, 4, 0);
	disc(46, 44, 6, 1);
	disc(118, 10, 15, 255);
	mask[80][100] = 1;
	for (int i = 0; i < 10; i++)
		memset(&mask[40 + i][i < 5 ? 90 : 95], 1, 5);
}

/* Intersection over union of the mask and its outlines' rasterisation. */
static double round_trip(double tolerance, int *numbers, int *pieces)
{
	struct contours contours;
	ck_assert_int_eq(contours_trace(&contours, mask[0], W, H, tolerance), STATUS_OK);
	static uint8_t drawn[H * W], piece[H * W];
	memset(drawn, 0, sizeof drawn);
	*numbers = 0;
	*pieces = contours.count;
	for (int i = 0; i < contours.count; i++) {
		struct rle rle;
		*numbers += contours.items[i].count;
		ck_assert_int_eq(rle_from_polygon(&rle, contours.items[i].xy, contours.items[i].count, W, H),
				 STATUS_OK);
		rle_to_mask(&rle, piece);
		rle_release(&rle);
		for (int p = 0; p < W * H; p++)
			drawn[p] |= piece[p];
	}
	contours_release(&contours);
	int both = 0, any = 0;
	for (int p = 0; p < W * H; p++) {
		both += drawn[p] && pixels[p];
		any += drawn[p] || pixels[p];
	}
	return any ? (double)both / any : 1;
}

START_TEST(exact_outlines_are_the_mask)
{
	int numbers, pieces;
	make_mask();
	ck_assert_double_eq(round_trip(0, &numbers, &pieces), 1);
	ck_assert_int_eq(pieces, 6);
}
END_TEST

START_TEST(fewer_points_are_nearly_the_mask)
{
	int exact, few, fewer, pieces;
	make_mask();
	round_trip(0, &exact, &pieces);
	double iou = round_trip(0.7, &few, &pieces);
	ck_assert_msg(iou > 0.97, "IoU %g with %d numbers for %d", iou, few, exact);
	ck_assert_int_lt(few, exact / 2);
	ck_assert_int_eq(pieces, 5); /* without the pixel */
	iou = round_trip(2, &fewer, &pieces);
	ck_assert_msg(iou > 0.85, "IoU %g with %d numbers", iou, fewer);
	ck_assert_int_lt(fewer, few);
	ck_assert_int_eq(pieces, 3); /* nor the squares */
}
END_TEST

START_TEST(whole_empty_and_noise)
{
	int numbers, pieces;
	memset(mask, 1, sizeof mask);
	ck_assert_double_eq(round_trip(0, &numbers, &pieces), 1);
	ck_assert_int_eq(numbers, 8);
	memset(mask, 0, sizeof mask);
	ck_assert_double_eq(round_trip(1, &numbers, &pieces), 1);
	ck_assert_int_eq(pieces, 0);
	unsigned state = 5;
	for (int p = 0; p < W * H; p++) {
		state = state * 1664525u + 1013904223u;
		pixels[p] = state >> 31;
	}
	ck_assert_double_eq(round_trip(0, &numbers, &pieces), 1);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("contour");
	TCase *tcase = tcase_create("contour");
	tcase_add_test(tcase, exact_outlines_are_the_mask);
	tcase_add_test(tcase, fewer_points_are_nearly_the_mask);
	tcase_add_test(tcase, whole_empty_and_noise);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
