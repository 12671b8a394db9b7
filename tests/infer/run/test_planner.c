/* No two blocks that are alive at one moment may share memory, whatever the lifetimes; and reuse must happen. */
#include <stdint.h>
#include <stdlib.h>

#include "infer/common/arena.h"
#include "infer/run/planner.h"
#include "tests/infer/build_network.h"
#include "tests/support/test.h"

static int number(uint32_t *state, int below)
{
	return (int)((builder_number(state) + 1) / 2 * (float)below) % below;
}

static int in_conflict(const struct infer_block *a, const struct infer_block *b)
{
	int together = a->first <= b->last && b->first <= a->last;
	return together && a->bytes && b->bytes && a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
}

static void check_plan(const struct infer_block *blocks, int count, size_t arena)
{
	for (int i = 0; i < count; i++) {
		if (blocks[i].last < blocks[i].first)
			continue;
		ck_assert_uint_eq(blocks[i].offset % INFER_ALIGNMENT, 0);
		ck_assert_uint_le(blocks[i].offset + blocks[i].bytes, arena);
		for (int k = 0; k < i; k++)
			if (blocks[k].last >= blocks[k].first && in_conflict(&blocks[i], &blocks[k]))
				ck_abort_msg("blocks %d and %d overlap", k, i);
	}
}

static void check_random_lifetimes(uint32_t seed)
{
	enum { MOST = 80 };
	struct infer_block blocks[MOST], again[MOST];
	int order[MOST];
	uint32_t state = seed * 77 + 5;
	int count = 1 + number(&state, MOST);
	for (int i = 0; i < count; i++) {
		blocks[i] = (struct infer_block){.bytes = (size_t)number(&state, 1 + number(&state, 3000)),
						 .first = number(&state, 40)};
		blocks[i].last =
			blocks[i].first + number(&state, 1 + number(&state, 30)) - (number(&state, 10) == 0 ? 40 : 0);
		again[i] = blocks[i];
	}
	size_t arena = infer_plan(blocks, count, order);
	check_plan(blocks, count, arena);
	ck_assert_uint_eq(infer_plan(again, count, order), arena);
	for (int i = 0; i < count; i++)
		ck_assert_uint_eq(again[i].offset, blocks[i].offset);
}

START_TEST(test_random_lifetimes)
{
	for (uint32_t seed = 0; seed < 300; seed++)
		check_random_lifetimes(seed);
}
END_TEST

START_TEST(test_chain_needs_two_places)
{
	struct infer_block blocks[50];
	int order[50];
	for (int i = 0; i < 50; i++)
		blocks[i] = (struct infer_block){.bytes = 640, .first = i, .last = i + 1};
	ck_assert_uint_eq(infer_plan(blocks, 50, order), 1280);
	check_plan(blocks, 50, 1280);
}
END_TEST

START_TEST(test_too_much)
{
	struct infer_block blocks[3] = {{SIZE_MAX / 3, 0, 1, 0}, {SIZE_MAX / 3, 0, 1, 0}, {SIZE_MAX / 3, 0, 1, 0}};
	int order[3];
	ck_assert_uint_eq(infer_plan(blocks, 3, order), SIZE_MAX);
	ck_assert_uint_eq(infer_plan(blocks, 0, order), 0);
}
END_TEST

static Suite *planner_suite(void)
{
	Suite *suite = suite_create("infer/planner");
	TCase *tcase = tcase_create("blocks");
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_random_lifetimes);
	tcase_add_test(tcase, test_chain_needs_two_places);
	tcase_add_test(tcase, test_too_much);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(planner_suite)
