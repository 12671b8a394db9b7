/* What a profile makes of counted nanoseconds: medians over steps, sums over threads, the weights' part as a
 * difference, FLOPs from the graph, kinds added up. */
#include <string.h>

#include "core/nn/layers.h"
#include "tests/support/test.h"
#include "tools/bench/profile.h"

enum { IMAGE, CONV, POOL, CONV2, NODES, STEPS = 3, THREADS = 2, SAMPLES = 4 };

static struct params params;
static struct graph graph;

/* image -> 3x3 convolution to 5 channels -> pooling -> 3x3 convolution to 7; two samples. */
static void setup(void)
{
	params_init(&params);
	graph_init(&graph, &params);
	struct nn nn = {.graph = &graph, .group = PARAM_TRUNK};
	int x = graph_input(&graph, "image", (struct shape){2, 3, 8, 8});
	x = nn_conv2d(&nn, "a", x, (struct nn_conv2d){.channels = 5, .kernel = 3, .padding = 1});
	x = nn_max_pool2d(&nn, "p", x, 2, 2, false);
	nn.group = PARAM_DECODER;
	x = nn_conv2d(&nn, "b", x, (struct nn_conv2d){.channels = 7, .kernel = 3, .padding = 1});
	ck_assert_int_eq(x, CONV2);
	graph.nodes[CONV].needs_grad = graph.nodes[POOL].needs_grad = graph.nodes[CONV2].needs_grad = true;
}

static void cleanup(void)
{
	graph_release(&graph);
	params_release(&params);
}

/* Thread t counts ns * (t + 1). */
static void count(struct profile *profile, int node, uint64_t forward, uint64_t backward)
{
	for (int t = 0; t < THREADS; t++) {
		profile_thread(profile, t)->forward[node] += forward * (uint64_t)(t + 1);
		profile_thread(profile, t)->backward[node] += backward * (uint64_t)(t + 1);
	}
}

/* Three steps in which the two threads counted once and twice; the rows are what one sample took. */
static void count_steps(struct profile *profile, struct profile_row rows[NODES])
{
	static const uint64_t noise[STEPS] = {90, 0, 7000};
	ck_assert_int_eq(profile_init(profile, &graph, THREADS, STEPS), STATUS_OK);
	for (int step = 0; step < STEPS; step++) {
		count(profile, CONV, 1000 + noise[step], 3000 + noise[step]);
		count(profile, POOL, 500, 200);
		count(profile, CONV2, 10, 20);
		profile_end_step(profile, true);
		count(profile, CONV, 77777, 1200);
		count(profile, CONV2, 77777, 30); /* noise: more than both */
		profile_end_step(profile, false);
	}
	profile_nodes(profile, SAMPLES, rows);
}

static const double unit = 3e-9 / SAMPLES;

START_TEST(seconds_of_rows)
{
	struct profile profile;
	struct profile_row rows[NODES];
	count_steps(&profile, rows);
	ck_assert_int_eq(rows[IMAGE].nodes, 0);
	ck_assert_str_eq(rows[CONV].name, "a");
	ck_assert_str_eq(rows[CONV].kind, "conv2d 3x3 stride 1, trunk");
	ck_assert_str_eq(rows[CONV2].kind, "conv2d 3x3 stride 1, decoder");
	ck_assert_double_eq_tol(rows[CONV].seconds[PROFILE_FORWARD], 1090 * unit, 1e-15);
	ck_assert_double_eq_tol(rows[CONV].seconds[PROFILE_BACKWARD], 3090 * unit, 1e-15);
	ck_assert_double_eq_tol(rows[CONV].seconds[PROFILE_DATA], 1200 * unit, 1e-15);
	ck_assert_double_eq_tol(rows[CONV].seconds[PROFILE_WEIGHT], 1890 * unit, 1e-15);
	ck_assert_double_eq(rows[POOL].seconds[PROFILE_DATA] + rows[POOL].seconds[PROFILE_WEIGHT], 0);
	ck_assert_double_eq(rows[CONV2].seconds[PROFILE_WEIGHT], 0);
	profile_release(&profile);
}
END_TEST

/* Multiply-adds count twice, per sample. */
static const double conv_flops = 2.0 * 5 * 3 * 9 * 64, conv2_flops = 2.0 * 7 * 5 * 9 * 16;

/* Nobody wants the gradient of the image. */
START_TEST(operations_and_speed)
{
	struct profile profile;
	struct profile_row rows[NODES];
	count_steps(&profile, rows);
	ck_assert_double_eq(rows[CONV].flops[PROFILE_FORWARD], conv_flops);
	ck_assert_double_eq(rows[CONV].flops[PROFILE_DATA], 0);
	ck_assert_double_eq(rows[CONV].flops[PROFILE_BACKWARD], conv_flops);
	ck_assert_double_eq(rows[CONV2].flops[PROFILE_BACKWARD], 2 * conv2_flops);
	ck_assert_double_eq(rows[POOL].flops[PROFILE_FORWARD], 0);
	double speed = 1e-9 * conv_flops / (1090 * unit);
	ck_assert_double_eq_tol(profile_speed(&rows[CONV], PROFILE_FORWARD), speed, 1e-9);
	ck_assert_double_eq(profile_speed(&rows[POOL], PROFILE_FORWARD), 0);
	ck_assert_double_eq(profile_speed(&rows[CONV2], PROFILE_WEIGHT), 0);
	profile_release(&profile);
}
END_TEST

START_TEST(kinds_of_rows)
{
	struct profile profile;
	struct profile_row rows[NODES], kinds[NODES];
	count_steps(&profile, rows);
	rows[CONV2] = rows[CONV];
	ck_assert_int_eq(profile_kinds(rows, NODES, kinds), 2);
	ck_assert_int_eq(kinds[0].nodes, 2);
	ck_assert_str_eq(kinds[0].name, "conv2d 3x3 stride 1, trunk");
	ck_assert_double_eq(kinds[0].flops[PROFILE_FORWARD], 2 * conv_flops);
	ck_assert_str_eq(kinds[1].name, "max_pool2d");
	struct profile_row total = profile_total(kinds, 2);
	ck_assert_int_eq(total.nodes, 3);
	ck_assert_double_eq_tol(total.seconds[PROFILE_FORWARD], (2 * 1090 + 500) * unit, 1e-15);
	profile_release(&profile);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("profile");
	TCase *tests = tcase_create("profile");
	tcase_add_checked_fixture(tests, setup, cleanup);
	tcase_add_test(tests, seconds_of_rows);
	tcase_add_test(tests, operations_and_speed);
	tcase_add_test(tests, kinds_of_rows);
	suite_add_tcase(suite, tests);
	return suite;
}

TEST_MAIN(make_suite)
