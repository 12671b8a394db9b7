/* A vague guess becomes the region of one colour; taps are never overruled; the guess from taps lies between them. */
#include <stdlib.h>
#include <string.h>

#include "infer/image/graph_cut.h"
#include "tests/support/test.h"

enum { W = 60, H = 44 };

static uint8_t rgb[3 * W * H], guess[W * H], mask[W * H];

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static int in_object(int x, int y)
{
	return (x - 25) * (x - 25) + (y - 22) * (y - 22) < 13 * 13;
}

/* A disk of one colour on another, both with noise. */
static void draw_photo(void)
{
	uint32_t state = 11;
	for (int i = 0; i < W * H; i++)
		for (int c = 0; c < 3; c++)
			rgb[3 * i + c] = (uint8_t)((in_object(i % W, i / W) ? 150 - 30 * c : 90 + 20 * c) +
						   (int)(next_random(&state) % 21));
}

static void run_cut(int rounds, const struct infer_click *clicks, int count)
{
	struct infer_graph_cut g = {.rgb = rgb,
				    .w = W,
				    .h = H,
				    .guess_weight = 16,
				    .colour_weight = 8,
				    .edge_weight = 96,
				    .rounds = rounds,
				    .tap_radius = 2};
	void *workspace = malloc(infer_graph_cut_workspace(W, H));
	infer_graph_cut_start(&g, workspace);
	infer_graph_cut_run(&g, guess, clicks, count, mask);
	free(workspace);
}

static int count_wrong(void)
{
	int wrong = 0;
	for (int i = 0; i < W * H; i++)
		wrong += (mask[i] != 0) != in_object(i % W, i / W);
	return wrong;
}

START_TEST(test_guess_becomes_the_object)
{
	draw_photo();
	/* A network that is off by four pixels and unsure. */
	for (int i = 0; i < W * H; i++)
		guess[i] = in_object(i % W - 4, i / W) ? 170 : 80;
	run_cut(1, NULL, 0);
	ck_assert_int_le(count_wrong(), 8);
	for (int i = 0; i < W * H; i++)
		ck_assert(mask[i] == 0 || mask[i] == 255);
}
END_TEST

START_TEST(test_taps_alone)
{
	struct infer_click clicks[] = {{25, 22, 1}, {50, 10, 0}, {5, 40, 0}};
	draw_photo();
	infer_graph_cut_guess(clicks, 3, W, H, guess);
	ck_assert_int_eq(guess[22 * W + 25], 255);
	ck_assert_int_eq(guess[10 * W + 50], 0);
	ck_assert_int_lt(guess[0], 10);
	run_cut(3, clicks, 3);
	ck_assert_int_le(count_wrong(), 8);
}
END_TEST

/* Whatever the guess and the colours say. */
START_TEST(test_taps_are_kept)
{
	struct infer_click clicks[] = {{55, 5, 1}, {25, 22, 0}, {0, 43, 1}, {20, 18, 1}};
	draw_photo();
	memset(guess, _i == 0 ? 0 : _i == 1 ? 255 : 128, sizeof guess);
	run_cut(2, clicks, 4);
	for (int k = 0; k < 4; k++)
		ck_assert_int_eq(mask[(int)clicks[k].y * W + (int)clicks[k].x], clicks[k].positive ? 255 : 0);
}
END_TEST

static Suite *graph_cut_suite(void)
{
	Suite *suite = suite_create("infer/graph_cut");
	TCase *tcase = tcase_create("cut");
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_guess_becomes_the_object);
	tcase_add_test(tcase, test_taps_alone);
	tcase_add_loop_test(tcase, test_taps_are_kept, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(graph_cut_suite)
