/* Regions of labelled pictures: pictures drawn as text, and all of them against a flood fill. */
#include "data/regions.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"

static struct image picture(const char *text, int w, int h)
{
	struct image image;
	ck_assert_int_eq(image_alloc(&image, w, h, 1), STATUS_OK);
	for (int i = 0; i < w * h; i++)
		image.pixels[i] = (uint8_t)(text[i] == '.' ? 0 : text[i] - '0');
	return image;
}

START_TEST(regions_hang_together_at_corners)
{
	struct image labels = picture("11.2"
				      "..1."
				      "2..1"
				      ".2..",
				      4, 4);
	struct regions regions;
	ck_assert_int_eq(regions_find(&regions, &labels, 0), STATUS_OK);
	ck_assert_int_eq(regions.count, 4);
	/* The background is one region, through corners; then the four 1s, the two 2s below, and the 2 alone. */
	ck_assert_int_eq(regions.items[0].label, 0);
	ck_assert_uint_eq(regions.items[0].area, 9);
	ck_assert_int_eq(regions.items[1].label, 1);
	ck_assert_uint_eq(regions.items[1].area, 4);
	ck_assert_uint_eq(regions.items[1].first, 0);
	struct image_box box = regions.items[1].box;
	ck_assert(box.x0 == 0 && box.y0 == 0 && box.x1 == 4 && box.y1 == 3);
	ck_assert_int_eq(regions.items[2].label, 2);
	ck_assert_uint_eq(regions.items[2].first, 8);
	ck_assert_uint_eq(regions.items[3].area, 1);
	ck_assert_int_eq(regions.map[3], 3);
	ck_assert_int_eq(regions.map[11], 1);
	regions_release(&regions);
	/* Two pixels at least: the 2 alone is left out. */
	ck_assert_int_eq(regions_find(&regions, &labels, 2), STATUS_OK);
	ck_assert_int_eq(regions.count, 3);
	ck_assert_int_eq(regions.map[3], -1);
	regions_release(&regions);
	image_release(&labels);
}
END_TEST

static size_t flood(const struct image *labels, int x, int y, int32_t number, int32_t *map)
{
	int w = labels->width;
	map[y * w + x] = number;
	size_t area = 1;
	for (int v = y - 1; v <= y + 1; v++)
		for (int u = x - 1; u <= x + 1; u++)
			if (u >= 0 && v >= 0 && u < w && v < labels->height && map[v * w + u] < 0 &&
			    labels->pixels[v * w + u] == labels->pixels[y * w + x])
				area += flood(labels, u, v, number, map);
	return area;
}

START_TEST(as_a_flood_fill_finds_them)
{
	enum { W = 37, H = 23 };
	uint32_t state = 5;
	for (int round = 0; round < 50; round++) {
		struct image labels;
		int32_t map[W * H];
		ck_assert_int_eq(image_alloc(&labels, W, H, 1), STATUS_OK);
		for (int i = 0; i < W * H; i++) {
			state = state * 1664525u + 1013904223u;
			labels.pixels[i] = (uint8_t)((state >> 24) % (unsigned)(2 + round % 4));
			map[i] = -1;
		}
		struct regions regions;
		ck_assert_int_eq(regions_find(&regions, &labels, 0), STATUS_OK);
		int count = 0;
		for (int i = 0; i < W * H; i++)
			if (map[i] < 0) {
				size_t area = flood(&labels, i % W, i / W, count++, map);
				const struct region *region = &regions.items[regions.map[i]];
				ck_assert_uint_eq(region->area, area);
				ck_assert_uint_eq(region->first, (size_t)i);
				ck_assert_int_eq(region->label, labels.pixels[i]);
			}
		ck_assert_int_eq(regions.count, count);
		for (int i = 1; i < W * H; i++)
			ck_assert_int_eq(map[i] == map[i - 1], regions.map[i] == regions.map[i - 1]);
		for (int i = 1; i < count; i++)
			ck_assert_uint_ge(regions.items[i - 1].area, regions.items[i].area);
		regions_release(&regions);
		image_release(&labels);
	}
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("regions");
	TCase *tests = tcase_create("regions");
	tcase_add_test(tests, regions_hang_together_at_corners);
	tcase_add_test(tests, as_a_flood_fill_finds_them);
	suite_add_tcase(suite, tests);
	return suite;
}

TEST_MAIN(make_suite)
