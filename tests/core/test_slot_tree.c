/* The slots' sum equals, bit for bit, the tree written out by recursion, for any number of slots and threads. */
#include "core/slot_tree.h"

#include <stdlib.h>
#include <string.h>

#include "core/kernels.h"
#include "core/rng.h"
#include "tests/support/test.h"

enum { MOST_SLOTS = 17, MOST_FLOATS = 5000 };

/* Another way to the same tree: split at the largest power of two below count. */
static float naive_tree(float *const *slots, int first, int count, size_t i)
{
	if (count == 1)
		return slots[first][i];
	int half = 1;
	while (half * 2 < count)
		half *= 2;
	return naive_tree(slots, first, half, i) + naive_tree(slots, first + half, count - half, i);
}

static void fill(float *const *slots, int count, size_t total)
{
	struct rng rng = rng_stream(1, (uint32_t)count, total, RNG_TEST);
	for (int s = 0; s < count; s++)
		for (size_t i = 0; i < total; i++)
			slots[s][i] = rng_normal(&rng) * (float)(1 << rng_below(&rng, 20));
}

static void check(struct workers *workers, float *const *slots, int count, size_t total)
{
	static float expected[MOST_FLOATS];
	fill(slots, count, total);
	for (size_t i = 0; i < total; i++)
		expected[i] = naive_tree(slots, 0, count, i);
	slot_tree_sum(workers, slots, count, total);
	ck_assert_mem_eq(slots[0], expected, total * sizeof *expected);
}

START_TEST(equals_the_naive_tree)
{
	const char *isa = kernels_names[_i];
	if (!isa || !kernels_supported(isa))
		return;
	float *slots[MOST_SLOTS];
	for (int s = 0; s < MOST_SLOTS; s++)
		slots[s] = malloc(MOST_FLOATS * sizeof **slots);
	static const size_t totals[] = {1, 15, 2048, MOST_FLOATS};
	for (int threads = 1; threads <= 4; threads++) {
		struct workers *workers;
		ck_assert_int_eq(workers_new(threads, &workers), STATUS_OK);
		ck_assert_int_eq(kernels_select(isa), STATUS_OK);
		for (int count = 1; count <= MOST_SLOTS; count++)
			for (int t = threads == 1 ? 0 : 3; t < 4; t++)
				check(workers, slots, count, totals[t]);
		slot_tree_sum(workers, slots, 3, 0);
		workers_free(workers);
	}
	for (int s = 0; s < MOST_SLOTS; s++)
		free(slots[s]);
}
END_TEST

/* The test above could not fail if the data were such that every order gave the same sum. */
START_TEST(the_order_shows)
{
	float data[8][64], *slots[8];
	for (int s = 0; s < 8; s++)
		slots[s] = data[s];
	fill(slots, 8, 64);
	int different = 0;
	for (size_t i = 0; i < 64; i++) {
		float sum = 0;
		for (int s = 0; s < 8; s++)
			sum += slots[s][i];
		different += sum != naive_tree(slots, 0, 8, i);
	}
	ck_assert_int_gt(different, 16);
}
END_TEST

/* Slots shared out to several owners: each sums what it can with the others' slots out of reach, then the rest of
 * the tree is added across. */
START_TEST(parts_make_the_whole)
{
	enum { FLOATS = 70 };
	static float data[MOST_SLOTS][FLOATS], expected[FLOATS];
	struct workers *workers;
	ck_assert_int_eq(workers_new(1, &workers), STATUS_OK);
	for (int count = 1; count <= MOST_SLOTS; count++)
		for (int share = 1; share <= count; share++) {
			float *slots[MOST_SLOTS], *own[MOST_SLOTS];
			for (int s = 0; s < count; s++)
				slots[s] = data[s];
			fill(slots, count, FLOATS);
			for (size_t i = 0; i < FLOATS; i++)
				expected[i] = naive_tree(slots, 0, count, i);
			for (int first = 0; first < count; first += share) {
				int end = first + share < count ? first + share : count;
				for (int s = 0; s < count; s++)
					own[s] = s >= first && s < end ? slots[s] : NULL;
				slot_tree_sum_part(workers, own, count, first, end, FLOATS);
			}
			for (int step = 1; step < count; step *= 2)
				for (int i = 0; i + step < count; i += 2 * step) {
					int last = i + 2 * step < count ? i + 2 * step - 1 : count - 1;
					if (i / share != last / share)
						slot_tree_add(workers, slots[i], slots[i + step], FLOATS);
				}
			ck_assert_mem_eq(slots[0], expected, sizeof expected);
		}
	workers_free(workers);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("slot_tree");
	TCase *tcase = tcase_create("all");
	tcase_add_loop_test(tcase, equals_the_naive_tree, 0, 3); /* instruction sets */
	tcase_add_test(tcase, parts_make_the_whole);
	tcase_add_test(tcase, the_order_shows);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
