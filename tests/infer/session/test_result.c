/* Masks of photos that are larger than the working resolution, on a small network: the three results agree, undo
 * leaves no trace, the feather only softens, and no call after set_image allocates. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "infer/network/model.h"
#include "infer/session/session.h"
#include "infer/tapcut.h"
#include "tests/infer/build_network.h"
#include "tests/support/test.h"

enum { W = 1200, H = 905, SMALL_W = 240, SMALL_H = 181, RADIUS = 240, CX = 560, CY = 400 };

static struct builder builder;
static struct tapcut_model model;
static uint8_t photo[3 * W * H], mask[W * H], alpha[W * H], other[W * H], preview[SMALL_W * SMALL_H];

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
/* The C library's own functions under their other names; ours count. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
static size_t allocations;

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocations++;
	return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	allocations++;
	return __libc_realloc(memory, size);
}
#endif

static void fill_tensor(int index, int count, float value)
{
	for (int i = 0; i < count; i++)
		builder.network.tensors[index].data[i] = value;
}

/* A network that answers with a blurred brightness, so that the bright disk of the photo is the object; clicks shift
 * it a little. */
static void setup(void)
{
	builder_init(&builder, 4);
	builder.network.default_size = 256;
	int x = build_conv2d(&builder, 0, 1, 3, 2, 1, 1, 0);
	fill_tensor(0, 27, 0.1f);
	x = build_binary(&builder, INFER_OP_ADD, x, build_conv2d(&builder, 1, 1, 3, 2, 1, 1, 0), 0);
	x = build_conv2d(&builder, x, 1, 3, 1, 1, 1, 0);
	fill_tensor(4, 9, 0.1f);
	build_upsample(&builder, x, 2);
	model.network = builder.network;
	uint32_t state = 3;
	for (int y = 0; y < H; y++)
		for (int x1 = 0; x1 < W; x1++) {
			int dx = x1 - CX, dy = y - CY, inside = dx * dx + dy * dy < RADIUS * RADIUS;
			state = state * 1664525 + 1013904223;
			for (int c = 0; c < 3; c++)
				photo[3 * (y * W + x1) + c] =
					(uint8_t)((inside ? 200 : 50) + (int)(state >> (8 + 5 * c) & 31));
		}
}

static void teardown(void)
{
	builder_release(&builder);
}

/* Its threshold is in the middle between the brightest and the darkest. */
static struct tapcut_session *open_session(int graph_cut)
{
	struct tapcut_options options;
	struct tapcut_session *s;
	tapcut_options_init(&options);
	options.graph_cut = graph_cut;
	options.keep_all = 1;
	ck_assert_int_eq(tapcut_session_new(&model, &options, &s, NULL), TAPCUT_OK);
	ck_assert_msg(tapcut_session_set_image(s, photo, W, H, 3 * W) == TAPCUT_OK, "%s", tapcut_session_message(s));
	ck_assert_int_eq(tapcut_session_click(s, CX, CY, 1), TAPCUT_OK);
	int w, h;
	float low = 1, high = 0;
	const float *p = tapcut_session_probabilities(s, &w, &h);
	ck_assert_int_eq(w, 1024);
	ck_assert_int_eq(h, 772);
	for (int i = 0; i < w * h; i++) {
		low = p[i] < low ? p[i] : low;
		high = p[i] > high ? p[i] : high;
	}
	tapcut_session_free(s);
	options.threshold = (low + high) / 2;
	ck_assert_int_eq(tapcut_session_new(&model, &options, &s, NULL), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_set_image(s, photo, W, H, 3 * W), TAPCUT_OK);
	return s;
}

static int count_differences(const uint8_t *a, const uint8_t *b, int count, int tolerance)
{
	int differ = 0;
	for (int i = 0; i < count; i++)
		differ += abs(a[i] - b[i]) > tolerance;
	return differ;
}

START_TEST(test_results_agree)
{
	struct tapcut_session *s = open_session(0);
	ck_assert_int_eq(tapcut_session_mask(s, mask, W), TAPCUT_OK);
	memset(other, 0, sizeof other);
	ck_assert_mem_eq(mask, other, sizeof mask);
	ck_assert_int_eq(tapcut_session_click(s, CX, CY, 1), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_mask(s, mask, W), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_alpha(s, alpha, W), TAPCUT_OK);
	int object = 0;
	for (int i = 0; i < W * H; i++) {
		if (mask[i] != (alpha[i] < 128 ? 0 : 255))
			ck_abort_msg("pixel %d: mask %d, alpha %d", i, mask[i], alpha[i]);
		object += mask[i] != 0;
	}
	ck_assert_int_gt(object, W * H / 20);
	ck_assert_int_lt(object, W * H - W * H / 20);
	/* The preview is the alpha, smaller. */
	ck_assert_int_eq(tapcut_session_preview(s, preview, SMALL_W, SMALL_H, SMALL_W), TAPCUT_OK);
	for (int y = 0; y < SMALL_H; y++)
		for (int x = 0; x < SMALL_W; x++)
			other[y * SMALL_W + x] = alpha[(5 * y + 2) * W + 5 * x + 2];
	ck_assert_int_lt(count_differences(preview, other, SMALL_W * SMALL_H, 100), SMALL_W * SMALL_H / 50);
	/* At the photo's size too. */
	ck_assert_int_eq(tapcut_session_preview(s, other, W, H, W), TAPCUT_OK);
	ck_assert_int_lt(count_differences(alpha, other, W * H, 100), W * H / 50);
	/* Asked for again, after others: the same. */
	ck_assert_int_eq(tapcut_session_alpha(s, other, W), TAPCUT_OK);
	ck_assert_mem_eq(alpha, other, sizeof alpha);
	tapcut_session_free(s);
}
END_TEST

/* The object's edge, here a disk's, is found to two pixels though the network sees a fifth of the pixels in each
 * direction. */
START_TEST(test_edge_is_the_photos)
{
	struct tapcut_session *s = open_session(0);
	ck_assert_int_eq(tapcut_session_click(s, CX, CY, 1), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_mask(s, mask, W), TAPCUT_OK);
	int off = 0;
	for (int y = CY - RADIUS - 50; y < CY + RADIUS + 50; y++)
		for (int x = CX - RADIUS - 50; x < CX + RADIUS + 50; x++) {
			double d = sqrt((double)(x - CX) * (x - CX) + (double)(y - CY) * (y - CY)) - RADIUS;
			off += fabs(d) > 2 && (mask[y * W + x] != 0) != (d < 0);
		}
	ck_assert_int_lt(off, 1500 / 20); /* of the circle's length */
	tapcut_session_free(s);
}
END_TEST

static const int clicks[][3] = {{CX, CY, 1}, {100, 800, 0}, {640, 480, 1}, {1150, 20, 0}};
enum { CLICKS = sizeof clicks / sizeof *clicks };

START_TEST(test_undo_is_exact)
{
	static uint8_t records[CLICKS + 1][W * H];
	struct tapcut_session *s = open_session(_i);
	for (int i = 0; i <= CLICKS; i++) {
		ck_assert_int_eq(tapcut_session_alpha(s, records[i], W), TAPCUT_OK);
		if (i < CLICKS)
			ck_assert_int_eq(tapcut_session_click(s, clicks[i][0], clicks[i][1], clicks[i][2]), TAPCUT_OK);
	}
	ck_assert_mem_ne(records[0], records[1], sizeof records[0]);
	for (int i = CLICKS; i > 0; i--) {
		ck_assert_int_eq(tapcut_session_undo(s), TAPCUT_OK);
		ck_assert_int_eq(tapcut_session_alpha(s, alpha, W), TAPCUT_OK);
		ck_assert_mem_eq(alpha, records[i - 1], sizeof alpha);
	}
	tapcut_session_free(s);
}
END_TEST

START_TEST(test_feather_softens)
{
	struct tapcut_session *s = open_session(0);
	int soft_before = -1;
	ck_assert_int_eq(tapcut_session_click(s, CX, CY, 1), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_mask(s, mask, W), TAPCUT_OK);
	for (int feather = 0; feather <= 160; feather = feather ? 2 * feather : 10) {
		ck_assert_int_eq(tapcut_session_set_feather(s, (float)feather), TAPCUT_OK);
		ck_assert_int_eq(tapcut_session_alpha(s, alpha, W), TAPCUT_OK);
		int soft = 0;
		for (int i = 0; i < W * H; i++)
			soft += alpha[i] > 5 && alpha[i] < 250;
		ck_assert_int_gt(soft, soft_before);
		soft_before = soft;
		ck_assert_int_eq(tapcut_session_mask(s, other, W), TAPCUT_OK);
		ck_assert_mem_eq(mask, other, sizeof mask);
	}
	ck_assert_int_eq(tapcut_session_set_feather(s, -1), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_set_feather(s, NAN), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_set_feather(s, TAPCUT_MAX_FEATHER + 1), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_preview(s, preview, 0, 5, 10), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_preview(s, preview, W + 1, 5, W + 1), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_preview(s, preview, 10, 5, 9), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_alpha(s, alpha, W - 1), TAPCUT_ARGUMENT);
	tapcut_session_free(s);
}
END_TEST

START_TEST(test_nothing_is_allocated_after_set_image)
{
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
	struct tapcut_session *s = open_session(_i);
	size_t before = allocations;
	for (int i = 0; i < CLICKS; i++) {
		tapcut_session_click(s, clicks[i][0], clicks[i][1], clicks[i][2]);
		tapcut_session_mask(s, mask, W);
		tapcut_session_alpha(s, alpha, W);
		tapcut_session_preview(s, preview, SMALL_W, SMALL_H, SMALL_W);
	}
	tapcut_session_set_feather(s, 30);
	tapcut_session_alpha(s, alpha, W);
	tapcut_session_undo(s);
	tapcut_session_reset(s);
	size_t after = allocations;
	tapcut_session_free(s);
	ck_assert_uint_gt(before, 0);
	ck_assert_uint_eq(before, after);
#else
	test_skip("allocations are counted with glibc's own malloc only");
#endif
}
END_TEST

static Suite *result_suite(void)
{
	Suite *suite = suite_create("infer/result");
	TCase *tcase = tcase_create("result");
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_results_agree);
	tcase_add_test(tcase, test_edge_is_the_photos);
	tcase_add_loop_test(tcase, test_undo_is_exact, 0, 2);
	tcase_add_test(tcase, test_feather_softens);
	tcase_add_loop_test(tcase, test_nothing_is_allocated_after_set_image, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(result_suite)
