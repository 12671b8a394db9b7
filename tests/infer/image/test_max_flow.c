/* Maximum flow against every cut of tiny grids, and against its own cut on larger ones: the flow's value must be the
 * cut's. */
#include <stdlib.h>

#include "infer/image/max_flow.h"
#include "tests/support/test.h"

enum { MAX_PIXELS = 64 * 48 };

static const int steps[INFER_FLOW_DIRECTIONS][2] = {{-1, -1}, {0, -1}, {1, -1}, {-1, 0},
						    {1, 0},   {-1, 1}, {0, 1},  {1, 1}};

struct grid {
	int w, h;
	int32_t source[MAX_PIXELS], sink[MAX_PIXELS];
	int32_t edge[MAX_PIXELS][INFER_FLOW_DIRECTIONS]; /* directions 4..7 */
};

static struct grid grid;

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static int inside(int x, int y)
{
	return x >= 0 && y >= 0 && x < grid.w && y < grid.h;
}

/* kind: 0 small capacities, many of them 0; 1 large ones; 2 terminals in a few pixels only, so that paths are long. */
static void fill(int w, int h, int kind, uint32_t *state)
{
	grid.w = w;
	grid.h = h;
	for (int i = 0; i < w * h; i++) {
		int rare = kind == 2 && next_random(state) % 10;
		uint32_t range = kind == 1 ? INFER_FLOW_MAX_TERMINAL + 1 : 8;
		grid.source[i] = rare ? 0 : (int32_t)(next_random(state) % range);
		grid.sink[i] = rare ? 0 : (int32_t)(next_random(state) % range);
		for (int d = 4; d < INFER_FLOW_DIRECTIONS; d++)
			grid.edge[i][d] = (int32_t)(next_random(state) % (kind == 1 ? INFER_FLOW_MAX_CAPACITY + 1 : 5));
	}
}

static int64_t run(struct infer_flow *f, void *workspace)
{
	infer_flow_start(f, grid.w, grid.h, workspace);
	for (int y = 0; y < grid.h; y++)
		for (int x = 0; x < grid.w; x++) {
			int i = y * grid.w + x;
			infer_flow_terminals(f, x, y, grid.source[i], grid.sink[i]);
			for (int d = 4; d < INFER_FLOW_DIRECTIONS; d++)
				if (inside(x + steps[d][0], y + steps[d][1]))
					infer_flow_edge(f, x, y, d, grid.edge[i][d]);
		}
	return infer_flow_run(f);
}

/* What the labels cost: side[i] != 0 is the source's. */
static int64_t cut_value(const uint8_t *side)
{
	int64_t value = 0;
	for (int y = 0; y < grid.h; y++)
		for (int x = 0; x < grid.w; x++) {
			int i = y * grid.w + x;
			value += side[i] ? grid.sink[i] : grid.source[i];
			for (int d = 4; d < INFER_FLOW_DIRECTIONS; d++) {
				int nx = x + steps[d][0], ny = y + steps[d][1];
				if (inside(nx, ny) && side[i] != side[ny * grid.w + nx])
					value += grid.edge[i][d];
			}
		}
	return value;
}

static void read_sides(const struct infer_flow *f, uint8_t *side)
{
	for (int i = 0; i < grid.w * grid.h; i++)
		side[i] = (uint8_t)infer_flow_is_source(f, i % grid.w, i / grid.w);
}

START_TEST(test_every_cut_of_tiny_grids)
{
	static const int sizes[][2] = {{1, 1}, {4, 1}, {1, 5}, {3, 3}, {4, 3}, {2, 6}};
	uint32_t state = 77;
	for (int round = 0; round < 120; round++) {
		int w = sizes[round % 6][0], h = sizes[round % 6][1];
		struct infer_flow f;
		uint8_t side[12];
		void *workspace = malloc(infer_flow_workspace(w, h));
		fill(w, h, round / 6 % 3, &state);
		int64_t least = INT64_MAX, flow = run(&f, workspace);
		for (unsigned cut = 0; cut < 1u << (w * h); cut++) {
			for (int i = 0; i < w * h; i++)
				side[i] = cut >> i & 1;
			int64_t value = cut_value(side);
			least = value < least ? value : least;
		}
		ck_assert_int_eq(flow, least);
		read_sides(&f, side);
		ck_assert_int_eq(cut_value(side), least);
		free(workspace);
	}
}
END_TEST

START_TEST(test_flow_is_the_cut)
{
	uint32_t state = 5 + (uint32_t)_i;
	static uint8_t side[MAX_PIXELS];
	struct infer_flow f;
	for (int round = 0; round < 6; round++) {
		int w = 10 + (int)(next_random(&state) % 55), h = 10 + (int)(next_random(&state) % 39);
		void *workspace = malloc(infer_flow_workspace(w, h));
		fill(w, h, _i, &state);
		int64_t flow = run(&f, workspace);
		read_sides(&f, side);
		ck_assert_int_eq(flow, cut_value(side));
		free(workspace);
	}
}
END_TEST

static Suite *max_flow_suite(void)
{
	Suite *suite = suite_create("infer/max_flow");
	TCase *tcase = tcase_create("flow");
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_every_cut_of_tiny_grids);
	tcase_add_loop_test(tcase, test_flow_is_the_cut, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(max_flow_suite)
