/* Polygons to masks: the reference vectors, and random polygons against the rule written down literally. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/atomic_file.h"
#include "core/rng.h"
#include "data/rle.h"
#include "tests/support/test.h"
#include "train/config/json.h"

/* The rule as polygon.c states it, point by point: every grid point of every edge, all crossings in a sorted list. */

struct points {
	int x[200000], y[200000], count;
};

static void walk_edge(struct points *p, int ax, int ay, int bx, int by)
{
	int dx = bx - ax, dy = by - ay, steps = abs(dx) > abs(dy) ? abs(dx) : abs(dy);
	bool flat = abs(dx) >= abs(dy), backwards = flat ? dx < 0 : dy < 0;
	int x0 = backwards ? bx : ax, y0 = backwards ? by : ay;
	for (int i = 0; i <= steps && steps > 0; i++) {
		int t = backwards ? steps - i : i;
		double slope =
			flat ? (double)(backwards ? -dy : dy) / abs(dx) : (double)(backwards ? -dx : dx) / abs(dy);
		p->x[p->count] = flat ? x0 + t : (int)(x0 + slope * t + .5);
		p->y[p->count++] = flat ? (int)(y0 + slope * t + .5) : y0 + t;
	}
}

static void literal_polygon(const double *xy, int count, int w, int h, uint8_t *mask)
{
	static struct points p;
	static uint8_t flips[4000];
	p.count = 0;
	memset(flips, 0, sizeof flips);
	for (int i = 0; i < count; i += 2) {
		int j = (i + 2) % count;
		walk_edge(&p, (int)(5 * xy[i] + .5), (int)(5 * xy[i + 1] + .5), (int)(5 * xy[j] + .5),
			  (int)(5 * xy[j + 1] + .5));
	}
	for (int i = 1; i < p.count; i++) {
		if (p.x[i] == p.x[i - 1])
			continue;
		double x = ((p.x[i] < p.x[i - 1] ? p.x[i] : p.x[i] - 1) + .5) / 5 - .5;
		double y = ((p.y[i] < p.y[i - 1] ? p.y[i] : p.y[i - 1]) + .5) / 5 - .5;
		if (floor(x) != x || x < 0 || x > w - 1)
			continue;
		flips[(int)x * h + (int)ceil(y < 0 ? 0 : y > h ? h : y)] ^= 1;
	}
	uint8_t value = 0;
	for (int x = 0; x < w; x++)
		for (int y = 0; y < h; y++) {
			value ^= flips[x * h + y];
			mask[y * w + x] = value;
		}
}

static void check_against_rule(const double *xy, int count, int w, int h)
{
	uint8_t expected[3600], found[3600];
	struct rle rle;
	literal_polygon(xy, count, w, h, expected);
	ck_assert_int_eq(rle_from_polygon(&rle, xy, count, w, h), STATUS_OK);
	rle_to_mask(&rle, found);
	ck_assert(memcmp(expected, found, (size_t)(w * h)) == 0);
	for (int i = 1; i < rle.count; i++)
		ck_assert_uint_gt(rle.counts[i], 0);
	rle_release(&rle);
}

/* Corners inside and around the picture, whole and broken, repeated ones too. */
static double corner(struct rng *rng, int side, int round)
{
	double reach = round % 3 == 0 ? 0 : round % 3 == 1 ? 10 : 300;
	double value = rng_range(rng, (float)-reach, (float)(side + reach));
	switch (rng_below(rng, 4)) {
	case 0: return floor(value);
	case 1: return floor(value * 10) / 10; /* .3 and .5 lie on the edges between grid columns */
	default: return value;
	}
}

START_TEST(random_polygons_follow_the_rule)
{
	for (int round = 0; round < 1500; round++) {
		struct rng rng = rng_stream(3, (uint32_t)round, 0, RNG_TEST);
		int w = 1 + (int)rng_below(&rng, 60), h = 1 + (int)rng_below(&rng, 60),
		    corners = 3 + (int)rng_below(&rng, 8);
		double xy[40];
		int count = 0;
		for (int i = 0; i < corners; i++) {
			bool repeat = i > 0 && rng_below(&rng, 8) == 0;
			xy[count] = repeat ? xy[count - 2] : corner(&rng, w, round);
			xy[count + 1] = repeat ? xy[count - 1] : corner(&rng, h, round);
			count += 2;
		}
		check_against_rule(xy, count, w, h);
	}
}
END_TEST

/* Nearly straight up or across over a long way: the estimate of the crossing has to be corrected. */
START_TEST(long_thin_polygons_follow_the_rule)
{
	for (int round = 0; round < 300; round++) {
		struct rng rng = rng_stream(4, (uint32_t)round, 0, RNG_TEST);
		double xy[6];
		bool upright = round % 2;
		for (int i = 0; i < 6; i++)
			xy[i] = (i % 2 == 0) == upright ? rng_range(&rng, -1, 41) : rng_range(&rng, -3000, 3000);
		check_against_rule(xy, 6, 40, 40);
	}
}
END_TEST

static uint64_t area_of(const double *xy, int count, int w, int h)
{
	struct rle rle;
	ck_assert_int_eq(rle_from_polygon(&rle, xy, count, w, h), STATUS_OK);
	uint64_t area = rle_area(&rle);
	rle_release(&rle);
	return area;
}

START_TEST(degenerate_polygons)
{
	const double line[6] = {1, 1, 5, 5, 9, 9}, point[6] = {3, 3, 3, 3, 3, 3};
	const double half_pixel[8] = {2.2, 2.2, 2.7, 2.2, 2.7, 2.7, 2.2, 2.7};
	const double whole[8] = {0, 0, 0, 10, 10, 10, 10, 0}, beyond[8] = {-50, -50, -50, 70, 70, 70, 70, -50};
	const double left[6] = {-9, 1, -2, 5, -5, 9}, right[6] = {12, 1, 19, 5, 15, 9},
		     above[6] = {1, -9, 5, -2, 9, -5};
	ck_assert_uint_eq(area_of(line, 6, 10, 10), 0);
	ck_assert_uint_eq(area_of(point, 6, 10, 10), 0);
	ck_assert_uint_eq(area_of(half_pixel, 8, 10, 10), 1);
	ck_assert_uint_eq(area_of(whole, 8, 10, 10), 100);
	ck_assert_uint_eq(area_of(beyond, 8, 10, 10), 100);
	ck_assert_uint_eq(area_of(left, 6, 10, 10), 0);
	ck_assert_uint_eq(area_of(right, 6, 10, 10), 0);
	ck_assert_uint_eq(area_of(above, 6, 10, 10), 0);
}
END_TEST

/* A triangle from one end of the permitted coordinates to the other costs no more than a small one. */
START_TEST(far_coordinates_are_quick)
{
	double xy[2000];
	for (int i = 0; i < 2000; i++)
		xy[i] = (i / 2 % 2 ? 1.0 : -1.0) * (RLE_MAX_COORDINATE - i / 2);
	ck_assert_uint_le(area_of(xy, 2000, 100, 100), 10000);
	const double cover[6] = {-1e6, -1e6, 1e6, -1e6, 50, 1e6};
	ck_assert_uint_eq(area_of(cover, 6, 100, 100), 10000);
}
END_TEST

START_TEST(bad_polygons_are_refused)
{
	double xy[8] = {0, 0, 5, 0, 5, 5, 0, 5};
	const double bad[] = {NAN, INFINITY, -INFINITY, 1e6 + 1, -1e6 - 1, 1e300};
	struct rle rle;
	ck_assert_int_eq(rle_from_polygon(&rle, xy, 4, 10, 10), STATUS_FORMAT);
	ck_assert_int_eq(rle_from_polygon(&rle, xy, 7, 10, 10), STATUS_FORMAT);
	ck_assert_int_eq(rle_from_polygon(&rle, xy, 0, 10, 10), STATUS_FORMAT);
	ck_assert_int_eq(rle_from_polygon(&rle, xy, 8, 0, 10), STATUS_LIMIT);
	ck_assert_int_eq(rle_from_polygon(&rle, xy, 8, 10, RLE_MAX_SIDE + 1), STATUS_LIMIT);
	for (int i = 0; i < 8; i++)
		for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
			double kept = xy[i];
			xy[i] = bad[b];
			ck_assert_int_eq(rle_from_polygon(&rle, xy, 8, 10, 10), STATUS_LIMIT);
			ck_assert_ptr_null(rle.counts);
			xy[i] = kept;
		}
}
END_TEST

START_TEST(boxes)
{
	const double box[4] = {2, 3, 4, 5}, flat[4] = {2, 3, 0, 5}, backwards[4] = {6, 8, -4, -5};
	struct rle rle;
	int found[4];
	ck_assert_int_eq(rle_from_bbox(&rle, box, 10, 10), STATUS_OK);
	rle_box(&rle, found);
	ck_assert_uint_eq(rle_area(&rle), 20);
	ck_assert(found[0] == 2 && found[1] == 3 && found[2] == 6 && found[3] == 8);
	rle_release(&rle);
	ck_assert_int_eq(rle_from_bbox(&rle, flat, 10, 10), STATUS_OK);
	ck_assert_uint_eq(rle_area(&rle), 0);
	rle_release(&rle);
	ck_assert_int_eq(rle_from_bbox(&rle, backwards, 10, 10), STATUS_OK);
	ck_assert_uint_eq(rle_area(&rle), 20);
	rle_release(&rle);
}
END_TEST

static int read_numbers(const struct json *list, double *numbers, int limit)
{
	int count = json_array_size(list);
	ck_assert(count >= 0 && count <= limit);
	for (int i = 0; i < count; i++)
		ck_assert_int_eq(json_number(json_array_item(list, i), &numbers[i]), STATUS_OK);
	return count;
}

static struct json *read_vectors(const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "coco_rle/%s", name);
	const char *found = test_shared_data(path);
	struct json *root = NULL;
	if (found)
		ck_assert_msg(json_read_file(found, &root) == STATUS_OK, "%s", status_message());
	return root;
}

/* polygons -> union -> counts and string, all 200. */
START_TEST(reference_vectors)
{
	struct json *polygons = read_vectors("polygons.json"), *expected = read_vectors("expected_rle.json");
	if (!polygons || !expected) {
		json_free(polygons);
		json_free(expected);
		return;
	}
	const struct json *annotations = json_get(polygons, "annotations");
	int count = json_array_size(annotations), equal = 0;
	ck_assert_int_eq(count, 200);
	for (int i = 0; i < count; i++) {
		const struct json *segmentation = json_get(json_array_item(annotations, i), "segmentation");
		const struct json *result = json_array_item(expected, i);
		struct rle parts[8], united;
		double numbers[1000], size[2];
		int part_count = json_array_size(segmentation);
		ck_assert(part_count >= 1 && part_count <= 8);
		read_numbers(json_get(result, "size"), size, 2);
		for (int p = 0; p < part_count; p++) {
			int n = read_numbers(json_array_item(segmentation, p), numbers, 1000);
			ck_assert_int_eq(rle_from_polygon(&parts[p], numbers, n, (int)size[1], (int)size[0]),
					 STATUS_OK);
		}
		ck_assert_int_eq(rle_union(&united, parts, part_count), STATUS_OK);
		char *text = rle_to_string(&united);
		equal += strcmp(text, json_string(json_get(result, "counts"))) == 0;
		free(text);
		for (int p = 0; p < part_count; p++)
			rle_release(&parts[p]);
		rle_release(&united);
	}
	ck_assert_int_eq(equal, 200);
	json_free(polygons);
	json_free(expected);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("polygon");
	TCase *tests = tcase_create("polygon");
	tcase_set_timeout(tests, 60); /* a busy machine, a sanitizer */
	tcase_add_test(tests, random_polygons_follow_the_rule);
	tcase_add_test(tests, long_thin_polygons_follow_the_rule);
	tcase_add_test(tests, degenerate_polygons);
	tcase_add_test(tests, far_coordinates_are_quick);
	tcase_add_test(tests, bad_polygons_are_refused);
	tcase_add_test(tests, boxes);
	tcase_add_test(tests, reference_vectors);
	suite_add_tcase(suite, tests);
	return suite;
}

TEST_MAIN(make_suite)
