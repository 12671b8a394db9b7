/* The runner against the plain interpreter, which gives every value memory of its own: fusion, concats in place and reuse of dead
 * values must not change what comes out. Networks are drawn at random, so that values die and live on in odd orders. */
#include "infer/kernels/kernels.h"
#include "infer/tapcut.h"
#include "tests/infer/build_network.h"
#include "tests/infer/naive_network.h"
#include "tests/support/test.h"

static int number(struct builder *b, int below)
{
	return (int)((builder_number(&b->state) + 1) / 2 * (float)below) % below;
}

/* Values at hand, by how many times smaller than the input they are. */
struct pool {
	int value[64], level[64];
	int count;
};

static int keep(struct pool *pool, int value, int level)
{
	pool->value[pool->count] = value;
	pool->level[pool->count++] = level;
	return value;
}

/* Another value of this level and as many channels as `value`; itself if there is none. */
static int partner(struct builder *b, const struct pool *pool, int value, int level)
{
	int start = number(b, pool->count);
	for (int i = 0; i < pool->count; i++) {
		int k = (start + i) % pool->count;
		if (pool->level[k] == level && b->channels[pool->value[k]] == b->channels[value] && pool->value[k] != value)
			return pool->value[k];
	}
	return value;
}

static void random_step(struct builder *b, struct pool *pool)
{
	int k = number(b, pool->count), x = pool->value[k], level = pool->level[k], dilation = 1 + number(b, 2);
	switch (number(b, 11)) {
	case 0:
	case 1:
		keep(pool, build_conv2d(b, x, 1 + number(b, 12), 3, 1, dilation, dilation, number(b, 2)), level);
		break;
	case 2:
		keep(pool, build_conv2d(b, build_scale(b, x, 0.5f), 1 + number(b, 5), 1, 1, 0, 1, 0), level);
		break;
	case 3:
		if (level < 3)
			keep(pool, build_max_pool2d(b, x, 3, 2, 0, 1), level + 1);
		break;
	case 4:
		if (level < 3)
			keep(pool, build_conv2d(b, x, 4, 3, 2, 1, 1, 1), level + 1);
		break;
	case 5:
		if (level > 0)
			keep(pool, build_upsample(b, x, 2), level - 1);
		break;
	case 6:
		keep(pool, build_binary(b, INFER_OP_ADD, x, partner(b, pool, x, level), number(b, 2)), level);
		break;
	case 7:
		x = build_conv2d(b, x, b->channels[x], 3, 1, 1, 1, 0);
		keep(pool, build_binary(b, INFER_OP_ADD, partner(b, pool, x, level), x, number(b, 2)), level);
		break;
	case 8:
	case 9:
		if (b->channels[x] < 20)
			keep(pool, build_binary(b, INFER_OP_CONCAT, x, partner(b, pool, x, level), 0), level);
		break;
	case 10:
		keep(pool, build_scale(b, x, 2), level);
		break;
	}
}

/* Everything that nobody read yet goes into the logits, so that the whole network matters. */
static void finish(struct builder *b, struct pool *pool)
{
	int sum = -1;
	for (int i = 0; i < pool->count; i++) {
		int x = pool->value[i];
		if (i >= 2 && number(b, 3))
			continue;
		if (pool->level[i])
			x = build_upsample(b, x, 1 << pool->level[i]);
		x = build_conv2d(b, x, 1, 1, 1, 0, 1, 0);
		sum = sum < 0 ? x : build_binary(b, INFER_OP_ADD, sum, x, 0);
	}
}

static void random_network(struct builder *b, uint32_t seed)
{
	struct pool pool = { { 0 }, { 0 }, 0 };
	builder_init(b, seed);
	keep(&pool, 0, 0);
	keep(&pool, 1, 0);
	int steps = 3 + number(b, 20);
	for (int i = 0; i < steps; i++)
		random_step(b, &pool);
	finish(b, &pool);
}

static void fill(struct builder *b, float *data, size_t count)
{
	for (size_t i = 0; i < count; i++)
		data[i] = builder_number(&b->state);
}

static void check_run(const struct builder *b, struct infer_runner *runner, int h, int w, int unchanged)
{
	float *want = naive_run(&b->network, h, w, infer_runner_image(runner), infer_runner_clicks(runner));
	const float *got = infer_runner_run(runner, unchanged);
	for (int i = 0; i < h * w; i++)
		if (!(fabsf(got[i] - want[i]) <= 1e-4f * fmaxf(1, fabsf(want[i]))))
			ck_abort_msg("logit %d is %.9g, expected %.9g", i, got[i], want[i]);
	free(want);
}

static void check_random_network(uint32_t seed)
{
	enum { H = 16, W = 32 };
	struct builder b;
	struct infer_runner *runner;
	char message[TAPCUT_MESSAGE_SIZE] = "";
	random_network(&b, seed);
	ck_assert_msg(infer_runner_new(&b.network, H, W, &runner, message) == TAPCUT_OK, "%s", message);
	for (int run = 0; run < 3; run++) {
		int unchanged = run == 1;
		if (!unchanged)
			fill(&b, infer_runner_image(runner), 3 * H * W);
		fill(&b, infer_runner_clicks(runner), 3 * H * W);
		check_run(&b, runner, H, W, unchanged);
	}
	infer_runner_free(runner);
	builder_release(&b);
}

START_TEST(test_random_networks)
{
	for (uint32_t seed = 1; seed <= 40; seed++)
		check_random_network(seed);
}
END_TEST

/* Processors with FMA agree to the last bit, whatever their vector width. */
START_TEST(test_same_bits_on_every_fma_processor)
{
	enum { H = 48, W = 32 };
	struct builder b;
	struct infer_runner *runner;
	builder_init(&b, 3);
	build_default(&b);
	ck_assert_int_eq(infer_network_check(&b.network, NULL), TAPCUT_OK);
	ck_assert_int_eq(infer_runner_new(&b.network, H, W, &runner, NULL), TAPCUT_OK);
	fill(&b, infer_runner_image(runner), 3 * H * W);
	fill(&b, infer_runner_clicks(runner), 3 * H * W);
	float avx2[H * W];
	if (infer_isa_available(INFER_ISA_AVX2) && infer_isa_available(INFER_ISA_AVX512)) {
		infer_runner_set_isa(runner, INFER_ISA_AVX2);
		memcpy(avx2, infer_runner_run(runner, 0), sizeof avx2);
		infer_runner_set_isa(runner, INFER_ISA_AVX512);
		ck_assert_mem_eq(infer_runner_run(runner, 0), avx2, sizeof avx2);
	} else {
		test_skip("this processor has no AVX-512 to compare with AVX2");
	}
	infer_runner_free(runner);
	builder_release(&b);
}
END_TEST

START_TEST(test_memory_is_reused)
{
	struct builder b;
	struct infer_runner *runner;
	builder_init(&b, 1);
	build_default(&b);
	ck_assert_int_eq(infer_runner_new(&b.network, 512, 512, &runner, NULL), TAPCUT_OK);
	ck_assert_uint_lt(infer_runner_bytes(runner), 64u << 20);
	infer_runner_free(runner);
	builder_release(&b);
}
END_TEST

START_TEST(test_refusals)
{
	struct builder b;
	struct infer_runner *runner = (struct infer_runner *)&b;
	char message[TAPCUT_MESSAGE_SIZE];
	builder_init(&b, 1);
	int x = build_conv2d(&b, 0, 1000, 1, 1, 0, 1, 0);
	build_conv2d(&b, build_binary(&b, INFER_OP_ADD, x, x, 0), 1, 1, 1, 0, 1, 0);
	ck_assert_int_eq(infer_runner_new(&b.network, 17, 16, &runner, message), TAPCUT_FORMAT);
	ck_assert_ptr_null(runner);
	ck_assert_int_eq(infer_runner_new(&b.network, 512, 512, &runner, message), TAPCUT_LIMIT);
	ck_assert_msg(strstr(message, "512x512") && strstr(message, "MiB"), "%s", message);
	infer_runner_free(NULL);
	builder_release(&b);
}
END_TEST

static Suite *network_run_suite(void)
{
	Suite *suite = suite_create("infer/network_run");
	TCase *tcase = tcase_create("runner");
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_random_networks);
	tcase_add_test(tcase, test_same_bits_on_every_fma_processor);
	tcase_add_test(tcase, test_memory_is_reused);
	tcase_add_test(tcase, test_refusals);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(network_run_suite)
