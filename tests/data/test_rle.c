/* Run-length masks: known strings, random round trips, unions against pixel loops, and damaged strings. */
#include "data/rle.h"

#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "tests/support/test.h"

static int pick(struct rng *rng, int count)
{
	return (int)(rng_u32(rng) % (uint32_t)count);
}

/* Blobs of a few pixels, so that runs of many lengths occur. */
static void random_mask(struct rng *rng, uint8_t *mask, int w, int h)
{
	int keep = 1 + pick(rng, 20);
	uint8_t value = (uint8_t)pick(rng, 2);
	for (int i = 0; i < w * h; i++) {
		if (pick(rng, keep) == 0)
			value = (uint8_t)pick(rng, 2);
		mask[i] = value;
	}
}

static void check_equal(const struct rle *a, const struct rle *b)
{
	ck_assert_int_eq(a->width, b->width);
	ck_assert_int_eq(a->height, b->height);
	ck_assert_int_eq(a->count, b->count);
	ck_assert(memcmp(a->counts, b->counts, (size_t)a->count * sizeof *a->counts) == 0);
}

START_TEST(mask_is_read_down_the_columns)
{
	/* 3 wide, 2 high */
	const uint8_t mask[6] = {0, 1, 1, 0, 0, 1};
	const uint32_t expected[] = {2, 1, 1, 2};
	struct rle rle;
	ck_assert_int_eq(rle_from_mask(&rle, mask, 3, 2), STATUS_OK);
	ck_assert_int_eq(rle.count, 4);
	ck_assert(memcmp(rle.counts, expected, sizeof expected) == 0);
	ck_assert_uint_eq(rle_area(&rle), 3);
	rle_release(&rle);
}
END_TEST

START_TEST(full_mask_begins_with_an_empty_run)
{
	const uint8_t mask[6] = {1, 1, 1, 1, 1, 1};
	struct rle rle;
	ck_assert_int_eq(rle_from_mask(&rle, mask, 3, 2), STATUS_OK);
	ck_assert_int_eq(rle.count, 2);
	ck_assert_uint_eq(rle.counts[0], 0);
	ck_assert_uint_eq(rle.counts[1], 6);
	char *text = rle_to_string(&rle);
	ck_assert_str_eq(text, "06");
	free(text);
	rle_release(&rle);
}
END_TEST

/* Worked by hand: 16 does not fit the 5 bits of one signed group; the fourth count is the first to be a difference. */
START_TEST(string_is_as_specified)
{
	const uint32_t counts[] = {1, 16, 3, 2, 3, 5};
	const int width = 5, height = 6;
	struct rle rle;
	ck_assert_int_eq(rle_from_counts(&rle, counts, 6, width, height), STATUS_OK);
	char *text = rle_to_string(&rle);
	/* 1; 16 = 10000b: groups 16 (+32), 0; 3; 2-16 = -14: 10010b = 18; 3-3 = 0; 5-2 = 3 */
	ck_assert_str_eq(text, "1`03B03");
	free(text);
	rle_release(&rle);
}
END_TEST

START_TEST(round_trips)
{
	for (int round = 0; round < 500; round++) {
		struct rng rng = rng_stream(7, (uint32_t)round, 0, RNG_TEST);
		int w = 1 + pick(&rng, 40), h = 1 + pick(&rng, 40);
		uint8_t mask[1600], back[1600];
		struct rle rle, read;
		random_mask(&rng, mask, w, h);
		ck_assert_int_eq(rle_from_mask(&rle, mask, w, h), STATUS_OK);
		rle_to_mask(&rle, back);
		ck_assert(memcmp(mask, back, (size_t)(w * h)) == 0);
		char *text = rle_to_string(&rle);
		ck_assert_ptr_nonnull(text);
		ck_assert_int_eq(rle_from_string(&read, text, strlen(text), w, h), STATUS_OK);
		check_equal(&rle, &read);
		free(text);
		rle_release(&rle);
		rle_release(&read);
	}
}
END_TEST

START_TEST(counts_with_empty_runs_are_kept)
{
	const uint32_t counts[] = {0, 0, 3, 0, 1, 2, 0};
	struct rle rle, read;
	ck_assert_int_eq(rle_from_counts(&rle, counts, 7, 2, 3), STATUS_OK);
	char *text = rle_to_string(&rle);
	ck_assert_int_eq(rle_from_string(&read, text, strlen(text), 2, 3), STATUS_OK);
	check_equal(&rle, &read);
	ck_assert_uint_eq(rle_area(&rle), 2);
	free(text);
	rle_release(&rle);
	rle_release(&read);
}
END_TEST

START_TEST(area_and_box_match_the_pixels)
{
	for (int round = 0; round < 300; round++) {
		struct rng rng = rng_stream(8, (uint32_t)round, 0, RNG_TEST);
		int w = 1 + pick(&rng, 12), h = 1 + pick(&rng, 12), box[4], area = 0;
		int x0 = w, y0 = h, x1 = 0, y1 = 0;
		uint8_t mask[144] = {0};
		for (int spots = pick(&rng, 5); spots > 0; spots--)
			mask[pick(&rng, w * h)] = 1;
		for (int y = 0; y < h; y++)
			for (int x = 0; x < w; x++)
				if (mask[y * w + x]) {
					area++;
					x0 = x < x0 ? x : x0, x1 = x + 1 > x1 ? x + 1 : x1;
					y0 = y < y0 ? y : y0, y1 = y + 1 > y1 ? y + 1 : y1;
				}
		struct rle rle;
		ck_assert_int_eq(rle_from_mask(&rle, mask, w, h), STATUS_OK);
		rle_box(&rle, box);
		ck_assert_uint_eq(rle_area(&rle), area);
		ck_assert_int_eq(box[0], area ? x0 : 0);
		ck_assert_int_eq(box[1], area ? y0 : 0);
		ck_assert_int_eq(box[2], x1);
		ck_assert_int_eq(box[3], y1);
		rle_release(&rle);
	}
}
END_TEST

START_TEST(union_is_the_pixels_or)
{
	for (int round = 0; round < 300; round++) {
		struct rng rng = rng_stream(9, (uint32_t)round, 0, RNG_TEST);
		int w = 1 + pick(&rng, 20), h = 1 + pick(&rng, 20), count = 1 + pick(&rng, 5);
		uint8_t mask[400], all[400] = {0};
		struct rle parts[5], expected, united;
		for (int i = 0; i < count; i++) {
			random_mask(&rng, mask, w, h);
			for (int p = 0; p < w * h; p++)
				all[p] |= mask[p];
			ck_assert_int_eq(rle_from_mask(&parts[i], mask, w, h), STATUS_OK);
		}
		ck_assert_int_eq(rle_from_mask(&expected, all, w, h), STATUS_OK);
		ck_assert_int_eq(rle_union(&united, parts, count), STATUS_OK);
		check_equal(&expected, &united);
		for (int i = 0; i < count; i++)
			rle_release(&parts[i]);
		rle_release(&expected);
		rle_release(&united);
	}
}
END_TEST

START_TEST(union_refuses_two_sizes)
{
	const uint32_t six = 6;
	struct rle parts[2], united;
	ck_assert_int_eq(rle_from_counts(&parts[0], &six, 1, 2, 3), STATUS_OK);
	ck_assert_int_eq(rle_from_counts(&parts[1], &six, 1, 3, 2), STATUS_OK);
	ck_assert_int_eq(rle_union(&united, parts, 2), STATUS_FORMAT);
	ck_assert_ptr_null(united.counts);
	rle_release(&parts[0]);
	rle_release(&parts[1]);
}
END_TEST

static void check_refused(const char *text, size_t length, int w, int h, const char *reason)
{
	struct rle rle;
	ck_assert_int_ne(rle_from_string(&rle, text, length, w, h), STATUS_OK);
	ck_assert_msg(strstr(status_message(), reason) != NULL, "\"%s\": %s", text, status_message());
	ck_assert_ptr_null(rle.counts);
	ck_assert_int_eq(rle.count, 0);
}

START_TEST(damaged_strings_are_refused)
{
	check_refused("", 0, 2, 3, "cover 0 pixels, not 6");
	check_refused("5", 1, 2, 3, "cover 5 pixels, not 6");
	check_refused("7", 1, 2, 3, "cover 7 pixels, not 6");
	check_refused("`", 1, 4, 4, "ends within a number");
	check_refused("0P", 2, 4, 4, "ends within a number");
	check_refused("0 6", 3, 2, 3, "no RLE character");
	check_refused("0\xff", 2, 2, 3, "no RLE character");
	check_refused("p", 1, 2, 3, "no RLE character");
	check_refused("/", 1, 2, 3, "no RLE character");
	check_refused("06\0", 3, 2, 3, "no RLE character");
	check_refused("V0", 2, 2, 3, "overlong");    /* 6, but in two groups */
	check_refused("nO", 2, 2, 3, "overlong");    /* -2 in two groups */
	check_refused("N", 1, 2, 3, "length -2");    /* a first run of -2 */
	check_refused("06N", 3, 2, 3, "length -2");  /* third count is no difference */
	check_refused("231I", 4, 2, 3, "length -4"); /* fourth: 3 - 7 */
	check_refused("PPPPPPPP0", 9, 2, 3, "more than 7");
	check_refused("ooooooo0", 8, 2, 3, "more than 7");
	check_refused("oooooo?", 7, 2, 3, "run 0"); /* 2^34 - 1 */
}
END_TEST

START_TEST(sums_do_not_overflow)
{
	uint32_t counts[9];
	struct rle rle;
	for (int i = 0; i < 9; i++)
		counts[i] = 0x80000000u; /* modulo 2^32 and 2^33 some of these sums are small */
	for (int n = 1; n <= 9; n++)
		ck_assert_int_eq(rle_from_counts(&rle, counts, n, 1, 1), STATUS_FORMAT);
	counts[0] = UINT32_MAX, counts[1] = 7;
	ck_assert_int_eq(rle_from_counts(&rle, counts, 2, 2, 3), STATUS_FORMAT);
	ck_assert_int_eq(rle_from_counts(&rle, NULL, 0, 2, 3), STATUS_FORMAT);
}
END_TEST

START_TEST(sizes_are_checked_before_memory_is_asked_for)
{
	static const int bad[][2] = {{0, 5},
				     {5, 0},
				     {-1, 5},
				     {5, -1},
				     {RLE_MAX_SIDE + 1, 1},
				     {1, RLE_MAX_SIDE + 1},
				     {2147483647, 2147483647}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct rle rle;
		uint32_t count = 5;
		uint8_t pixel = 0;
		ck_assert_int_eq(rle_from_counts(&rle, &count, 1, bad[i][0], bad[i][1]), STATUS_LIMIT);
		ck_assert_int_eq(rle_from_string(&rle, "5", 1, bad[i][0], bad[i][1]), STATUS_LIMIT);
		ck_assert_int_eq(rle_from_mask(&rle, &pixel, bad[i][0], bad[i][1]), STATUS_LIMIT);
	}
	struct rle rle;
	uint32_t most = (uint32_t)RLE_MAX_SIDE * RLE_MAX_SIDE;
	ck_assert_int_eq(rle_from_counts(&rle, &most, 1, RLE_MAX_SIDE, RLE_MAX_SIDE), STATUS_OK);
	rle_release(&rle);
}
END_TEST

/* Any bytes: either refused, or a mask whose string is the same bytes again. */
START_TEST(random_strings_are_refused_or_round_trip)
{
	int accepted = 0;
	for (int round = 0; round < 20000; round++) {
		struct rng rng = rng_stream(10, (uint32_t)round, 0, RNG_TEST);
		char text[12];
		size_t length = (size_t)pick(&rng, 8);
		for (size_t i = 0; i < length; i++)
			text[i] = (char)(48 + pick(&rng, 16));
		struct rle rle;
		if (rle_from_string(&rle, text, length, 3, 5) != STATUS_OK)
			continue;
		accepted++;
		char *back = rle_to_string(&rle);
		ck_assert_uint_eq(strlen(back), length);
		ck_assert(memcmp(back, text, length) == 0);
		free(back);
		rle_release(&rle);
	}
	ck_assert_int_gt(accepted, 20);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("rle");
	TCase *good = tcase_create("masks");
	tcase_set_timeout(good, 60); /* a busy machine, a sanitizer */
	tcase_add_test(good, mask_is_read_down_the_columns);
	tcase_add_test(good, full_mask_begins_with_an_empty_run);
	tcase_add_test(good, string_is_as_specified);
	tcase_add_test(good, round_trips);
	tcase_add_test(good, counts_with_empty_runs_are_kept);
	tcase_add_test(good, area_and_box_match_the_pixels);
	tcase_add_test(good, union_is_the_pixels_or);
	suite_add_tcase(suite, good);
	TCase *bad = tcase_create("damage");
	tcase_set_timeout(bad, 60); /* a busy machine, a sanitizer */
	tcase_add_test(bad, union_refuses_two_sizes);
	tcase_add_test(bad, damaged_strings_are_refused);
	tcase_add_test(bad, sums_do_not_overflow);
	tcase_add_test(bad, sizes_are_checked_before_memory_is_asked_for);
	tcase_add_test(bad, random_strings_are_refused_or_round_trip);
	suite_add_tcase(suite, bad);
	return suite;
}

TEST_MAIN(make_suite)
