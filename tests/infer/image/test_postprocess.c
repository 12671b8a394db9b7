/* Hand-drawn masks ('#' object, '.' background), and random ones against a slow labelling by repeated sweeps. */
#include <stdlib.h>
#include <string.h>

#include "infer/image/postprocess.h"
#include "tests/infer/build_network.h"
#include "tests/support/test.h"

enum { MOST = 64 * 64 };

static void from_text(const char *text, uint8_t *mask)
{
	for (; *text; text++)
		*mask++ = *text == '#' ? 255 : 0;
}

/* Runs on memory of exactly the size. */
static void run(const struct infer_postprocess *options, const struct infer_click *clicks, int count, uint8_t *mask,
		int w, int h)
{
	size_t pixels = (size_t)w * (size_t)h;
	uint8_t *copy = malloc(pixels);
	void *workspace = malloc(infer_postprocess_workspace(w, h));
	memcpy(copy, mask, pixels);
	infer_postprocess(options, clicks, count, copy, w, h, workspace);
	memcpy(mask, copy, pixels);
	free(copy);
	free(workspace);
}

static void check_text(const struct infer_postprocess *options, const struct infer_click *clicks, int count,
		       const char *before, const char *after, int w)
{
	uint8_t mask[MOST], want[MOST];
	int pixels = (int)strlen(before);
	from_text(before, mask);
	from_text(after, want);
	run(options, clicks, count, mask, w, pixels / w);
	for (int i = 0; i < pixels; i++)
		if (mask[i] != want[i])
			ck_abort_msg("pixel %d,%d is %d", i % w, i / w, mask[i]);
}

static const struct infer_postprocess keep = {.keep_touched = 1};

START_TEST(test_keeps_touched_components)
{
	const char *islands = "##...##."
			      "##..#..." /* touches its neighbours by corners only */
			      "...#...."
			      "#......#";
	const struct infer_click on_left = {0, 1, 1}, on_chain = {3, 2, 1}, beside = {7, 0, 1}, not_left = {0, 0, 0};
	check_text(&keep, &on_left, 1, islands, "##......##......................", 8);
	check_text(&keep, &on_chain, 1, islands, ".....##.....#......#............", 8);
	struct infer_click both[] = {on_left, on_chain, beside};
	check_text(&keep, both, 3, islands, "##...##.##..#......#............", 8);
	/* Nobody touched: all stays. A negative click touches nothing. */
	check_text(&keep, &beside, 1, islands, islands, 8);
	check_text(&keep, &not_left, 1, islands, islands, 8);
	check_text(&keep, NULL, 0, islands, islands, 8);
}
END_TEST

START_TEST(test_fills_small_holes)
{
	const char *holes = "#######.."
			    "#.##..#.."
			    "###.###.." /* the pixel at 3,2 meets 4,1 by a corner: two holes */
			    "#########"
			    "#...#####"
			    "#...#..##"
			    "####.####";
	const struct infer_postprocess up_to_2 = {.fill_pixels = 2}, up_to_9 = {.fill_pixels = 9};
	check_text(&up_to_2, NULL, 0, holes,
		   "#######.."
		   "#######.."
		   "#######.."
		   "#########"
		   "#...#####"
		   "#...#####"
		   "####.####",
		   9);
	const struct infer_click inside = {2, 4, 0}, edge = {8, 0, 0}, positive = {1, 1, 1};
	struct infer_click clicks[] = {inside, edge, positive};
	check_text(&up_to_9, clicks, 3, holes,
		   "#######.."
		   "#######.."
		   "#######.."
		   "#########"
		   "#...#####"
		   "#...#####"
		   "####.####",
		   9);
	check_text(&up_to_9, clicks + 1, 2, holes,
		   "#######.."
		   "#######.."
		   "#######.."
		   "#########"
		   "#########"
		   "#########"
		   "####.####",
		   9);
}
END_TEST

START_TEST(test_fills_nothing)
{
	const char *holes = "####"
			    "#.##"
			    "####";
	const struct infer_postprocess none = {.fill_pixels = 0}, one = {.fill_pixels = 1};
	check_text(&none, NULL, 0, holes, holes, 4);
	check_text(&one, NULL, 0, holes, "############", 4);
}
END_TEST

START_TEST(test_flat_masks)
{
	const struct infer_postprocess all = {.keep_touched = 1, .fill_pixels = 1000};
	const struct infer_click click = {0, 0, 1};
	check_text(&all, &click, 1, "############", "############", 4);
	check_text(&all, &click, 1, "............", "............", 4);
	check_text(&all, &click, 1, "#", "#", 1);
	check_text(&all, &click, 1, "#.#.##", "#.....", 6);
	check_text(&all, &click, 1, "#.#.##", "#.....", 1);
}
END_TEST

/* Labels by sweeping until nothing changes: the smallest index in each component. */
static void label(const uint8_t *mask, int w, int h, int diagonal, int *labels)
{
	for (int i = 0; i < w * h; i++)
		labels[i] = i;
	for (int changed = 1; changed;) {
		changed = 0;
		for (int y = 0; y < h; y++)
			for (int x = 0; x < w; x++)
				for (int k = 0; k < 9; k++) {
					int nx = x + k % 3 - 1, ny = y + k / 3 - 1, a = y * w + x, b = ny * w + nx;
					if (nx < 0 || ny < 0 || nx >= w || ny >= h ||
					    (!diagonal && nx != x && ny != y) || mask[a] != mask[b] ||
					    labels[b] >= labels[a])
						continue;
					labels[a] = labels[b];
					changed = 1;
				}
	}
}

static void slow_keep(uint8_t *mask, int w, int h, const struct infer_click *clicks, int count)
{
	static int labels[MOST];
	static uint8_t kept[MOST];
	int touched = 0;
	memset(kept, 0, sizeof kept);
	label(mask, w, h, 1, labels);
	for (int i = 0; i < count; i++) {
		int at = (int)clicks[i].y * w + (int)clicks[i].x;
		if (clicks[i].positive && mask[at])
			kept[labels[at]] = (uint8_t)(touched = 1);
	}
	for (int i = 0; touched && i < w * h; i++)
		mask[i] = mask[i] && kept[labels[i]] ? 255 : 0;
}

static void slow_drop(uint8_t *mask, int w, int h, size_t limit)
{
	static int labels[MOST];
	static size_t area[MOST];
	memset(area, 0, sizeof area);
	label(mask, w, h, 1, labels);
	for (int i = 0; i < w * h; i++)
		area[labels[i]]++;
	for (int i = 0; i < w * h; i++)
		mask[i] = mask[i] && area[labels[i]] > limit ? 255 : 0;
}

static void slow_fill(uint8_t *mask, int w, int h, size_t limit, const struct infer_click *clicks, int count)
{
	static int labels[MOST];
	static size_t area[MOST];
	memset(area, 0, sizeof area);
	label(mask, w, h, 0, labels);
	for (int i = 0; i < w * h; i++) {
		int edge = i < w || i >= w * (h - 1) || i % w == 0 || i % w == w - 1;
		area[labels[i]] += edge ? MOST : 1;
	}
	for (int i = 0; i < count; i++)
		if (!clicks[i].positive)
			area[labels[(int)clicks[i].y * w + (int)clicks[i].x]] += MOST;
	for (int i = 0; i < w * h; i++)
		mask[i] = mask[i] || area[labels[i]] <= limit ? 255 : 0;
}

static void check_random_mask(uint32_t seed)
{
	uint32_t state = seed * 31 + 7;
	uint8_t mask[MOST], want[MOST];
	int w = 1 + (int)(31 * (builder_number(&state) + 1)), h = 1 + (int)(31 * (builder_number(&state) + 1));
	float share = builder_number(&state) * 0.6f;
	for (int i = 0; i < w * h; i++)
		mask[i] = want[i] = builder_number(&state) < share ? 255 : 0;
	struct infer_click clicks[6];
	for (int i = 0; i < 6; i++)
		clicks[i] = (struct infer_click){(float)(int)((builder_number(&state) + 1) / 2.01f * (float)w),
						 (float)(int)((builder_number(&state) + 1) / 2.01f * (float)h),
						 (uint8_t)(i & 1)};
	struct infer_postprocess options = {.keep_touched = seed % 3 == 1,
					    .drop_pixels = seed % 3 == 2 ? seed % 12 : 0,
					    .fill_pixels = seed % 4 == 0 ? 0 : seed % 40};
	if (options.keep_touched)
		slow_keep(want, w, h, clicks, 6);
	slow_drop(want, w, h, options.drop_pixels);
	if (options.fill_pixels)
		slow_fill(want, w, h, options.fill_pixels, clicks, 6);
	run(&options, clicks, 6, mask, w, h);
	ck_assert_mem_eq(mask, want, (size_t)w * (size_t)h);
}

START_TEST(test_random_masks)
{
	for (uint32_t seed = 0; seed < 150; seed++)
		check_random_mask(seed);
}
END_TEST

static Suite *postprocess_suite(void)
{
	Suite *suite = suite_create("infer/postprocess");
	TCase *tcase = tcase_create("masks");
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_keeps_touched_components);
	tcase_add_test(tcase, test_fills_small_holes);
	tcase_add_test(tcase, test_fills_nothing);
	tcase_add_test(tcase, test_flat_masks);
	tcase_add_test(tcase, test_random_masks);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(postprocess_suite)
