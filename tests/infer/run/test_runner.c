/* The runner against the plain interpreter, which gives every value memory of its own: fusion, concats in place and
 * reuse of dead values must not change what comes out. Networks are drawn at random, so that values die and live on
 * in odd orders. */
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
		if (pool->level[k] == level && b->channels[pool->value[k]] == b->channels[value] &&
		    pool->value[k] != value)
			return pool->value[k];
	}
	return value;
}

static void random_step(struct builder *b, struct pool *pool)
{
	int k = number(b, pool->count), x = pool->value[k], level = pool->level[k], dilation = 1 + number(b, 2);
	switch (number(b, 11)) {
	case 0:
	case 1: keep(pool, build_conv2d(b, x, 1 + number(b, 20), 3, 1, dilation, dilation, number(b, 2)), level); break;
	case 2: keep(pool, build_conv2d(b, build_scale(b, x, 0.5f), 1 + number(b, 5), 1, 1, 0, 1, 0), level); break;
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
	case 6: keep(pool, build_binary(b, INFER_OP_ADD, x, partner(b, pool, x, level), number(b, 2)), level); break;
	case 7:
		x = build_conv2d(b, x, b->channels[x], 3, 1, 1, 1, 0);
		keep(pool, build_binary(b, INFER_OP_ADD, partner(b, pool, x, level), x, number(b, 2)), level);
		break;
	case 8:
	case 9:
		if (b->channels[x] < 20)
			keep(pool, build_binary(b, INFER_OP_CONCAT, x, partner(b, pool, x, level), 0), level);
		break;
	case 10: keep(pool, build_scale(b, x, 2), level); break;
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
	struct pool pool = {{0}, {0}, 0};
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

/* Random planes, in the runner too. */
static void fill_input(struct builder *b, struct infer_runner *runner, int which, float *planes, int h, int w)
{
	fill(b, planes, (size_t)(3 * h * w));
	naive_to_map(planes, infer_runner_input(runner, which));
}

static void check_run(const struct builder *b, struct infer_runner *runner, int h, int w, float *image, float *clicks)
{
	float *want = naive_run(&b->network, h, w, image, clicks);
	const float *got = infer_runner_run(runner);
	for (int i = 0; i < h * w; i++)
		if (!(fabsf(got[i] - want[i]) <= 1e-4f * fmaxf(1, fabsf(want[i]))))
			ck_abort_msg("logit %d of network %d is %.9g, expected %.9g", i, (int)b->network.step_count,
				     got[i], want[i]);
	free(want);
}

static void check_random_network(uint32_t seed, int threads, size_t stream_bytes)
{
	enum { H = 16, W = 32 };
	static float image[3 * H * W], clicks[3 * H * W];
	struct infer_run_options options = {.threads = threads, .isa = -1, .stream_bytes = stream_bytes};
	struct builder b;
	struct infer_runner *runner;
	char message[TAPCUT_MESSAGE_SIZE] = "";
	random_network(&b, seed);
	ck_assert_msg(infer_runner_new(&b.network, H, W, &options, &runner, message) == TAPCUT_OK, "%s", message);
	for (int run = 0; run < 3; run++) {
		if (run != 1)
			fill_input(&b, runner, 0, image, H, W);
		fill_input(&b, runner, 1, clicks, H, W);
		check_run(&b, runner, H, W, image, clicks);
	}
	infer_runner_free(runner);
	builder_release(&b);
}

START_TEST(test_random_networks)
{
	for (uint32_t seed = 1; seed <= 32; seed++) /* every third as a whole, the others streamed */
		check_random_network(seed, 1 + (int)(seed % 2), seed % 3 != 0);
}
END_TEST

/* Every instruction set and any number of threads give the same bits; where there is no fused instruction, generic
 * is slow. */
START_TEST(test_same_bits_everywhere)
{
	enum { H = 48, W = 32 };
	static float image[3 * H * W], clicks[3 * H * W], first[H * W];
	struct builder b;
	builder_init(&b, 3);
	build_default(&b);
	ck_assert_int_eq(infer_network_check(&b.network, NULL), TAPCUT_OK);
	fill(&b, image, 3 * H * W);
	fill(&b, clicks, 3 * H * W);
	for (int isa = 0; isa < INFER_ISA_COUNT; isa++)
		for (int threads = 1; threads <= 3; threads++) {
			struct infer_run_options options = {.threads = threads,
							    .isa = isa,
							    .stream_bytes = threads > 1 ? 4096 : 0};
			struct infer_runner *runner;
			if (!infer_isa_available((enum infer_isa)isa))
				continue;
			ck_assert_int_eq(infer_runner_new(&b.network, H, W, &options, &runner, NULL), TAPCUT_OK);
			naive_to_map(image, infer_runner_input(runner, 0));
			naive_to_map(clicks, infer_runner_input(runner, 1));
			const float *got = infer_runner_run(runner);
			if (isa == 0 && threads == 1)
				memcpy(first, got, sizeof first);
			ck_assert_msg(memcmp(got, first, sizeof first) == 0, "%s, %d threads",
				      infer_isa_name((enum infer_isa)isa), threads);
			infer_runner_free(runner);
		}
	builder_release(&b);
}
END_TEST

/* Photo and clicks arrive as preprocess.h says, beside a previous mask that covers a part of the planes. */
START_TEST(test_inputs)
{
	enum { H = 16, W = 32, PHOTO_W = 29, PHOTO_H = 11 };
	static float planes[3 * H * W], found[3 * H * W], previous[PHOTO_W * PHOTO_H];
	static uint8_t rgb[PHOTO_H][3 * PHOTO_W + 5];
	struct infer_click clicks[] = {{4, 5, 1}, {20.5f, 3, 0}, {31, 15, 1}};
	for (int encoding = 0; encoding < 2; encoding++) {
		struct builder b;
		struct infer_runner *runner;
		builder_init(&b, 5);
		b.network.preprocess.encoding = (uint8_t)encoding;
		b.network.preprocess.bgr = (uint8_t)encoding;
		b.network.preprocess.click_scale = 3;
		build_conv2d(&b, build_binary(&b, INFER_OP_ADD, 0, 1, 0), 1, 1, 1, 0, 1, 0);
		ck_assert_int_eq(infer_runner_new(&b.network, H, W, NULL, &runner, NULL), TAPCUT_OK);
		for (int i = 0; i < PHOTO_W * PHOTO_H; i++)
			previous[i] = builder_number(&b.state);
		for (size_t i = 0; i < sizeof rgb; i++)
			rgb[i / sizeof rgb[0]][i % sizeof rgb[0]] = (uint8_t)(i * 37);
		infer_runner_set_photo(runner, rgb[0], PHOTO_W, PHOTO_H, sizeof rgb[0]);
		infer_normalize_rgb8(&b.network.preprocess, rgb[0], PHOTO_W, PHOTO_H, sizeof rgb[0], planes, W, H);
		naive_from_map(infer_runner_input(runner, 0), found);
		ck_assert_mem_eq(found, planes, sizeof planes);
		infer_runner_set_clicks(runner, clicks, 3, previous, PHOTO_W, PHOTO_H);
		infer_draw_clicks(&b.network.preprocess, clicks, 3, planes, W, H);
		for (int i = 0; i < H * W; i++)
			planes[2 * H * W + i] =
				i % W < PHOTO_W && i / W < PHOTO_H ? 3 * previous[i / W * PHOTO_W + i % W] : 0;
		naive_from_map(infer_runner_input(runner, 1), found);
		ck_assert_mem_eq(found, planes, sizeof planes);
		infer_runner_free(runner);
		builder_release(&b);
	}
}
END_TEST

START_TEST(test_memory_is_reused)
{
	struct builder b;
	struct infer_runner *runner;
	builder_init(&b, 1);
	build_default(&b);
	ck_assert_int_eq(infer_runner_new(&b.network, 512, 512, NULL, &runner, NULL), TAPCUT_OK);
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
	ck_assert_int_eq(infer_runner_new(&b.network, 17, 16, NULL, &runner, message), TAPCUT_FORMAT);
	ck_assert_ptr_null(runner);
	struct infer_run_options whole = {.isa = -1, .stream_bytes = SIZE_MAX};
	ck_assert_int_eq(infer_runner_new(&b.network, 512, 512, &whole, &runner, message), TAPCUT_LIMIT);
	ck_assert_msg(strstr(message, "512x512") && strstr(message, "MiB"), "%s", message);
	struct infer_run_options bytes = {.arithmetic = INFER_ARITHMETIC_U8, .isa = -1};
	ck_assert_int_eq(infer_runner_new(&b.network, 16, 16, &bytes, &runner, message), TAPCUT_ARGUMENT);
	ck_assert_msg(strstr(message, "8-bit"), "%s", message);
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
	tcase_add_test(tcase, test_same_bits_everywhere);
	tcase_add_test(tcase, test_inputs);
	tcase_add_test(tcase, test_memory_is_reused);
	tcase_add_test(tcase, test_refusals);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(network_run_suite)
