/* Sessions on a small network of random weights: what users rely on is that the same clicks give the same mask, that
 * undo and reset leave no trace, and that wrong calls are refused with the state untouched. */
#include "infer/network/model.h"
#include "infer/session/session.h"
#include "infer/tapcut.h"
#include "tests/infer/build_network.h"
#include "tests/support/test.h"

enum { W = 90, H = 61, LARGE_W = 300, LARGE_H = 420 };

static struct builder builder;
static struct tapcut_model model;
static uint8_t photo[3 * LARGE_W * LARGE_H];

/* Image and clicks meet in the stem as in the real model; a bright pixel pulls towards object, the previous mask
 * plays along. */
static void setup(void)
{
	builder_init(&builder, 9);
	int stem = build_conv2d(&builder, 0, 8, 3, 2, 1, 1, 0);
	stem = build_binary(&builder, INFER_OP_ADD, stem, build_conv2d(&builder, 1, 8, 3, 2, 1, 1, 0), 1);
	int x = build_fire(&builder, build_max_pool2d(&builder, stem, 3, 2, 0, 1), 4, 8);
	x = build_upsample(&builder, build_conv2d(&builder, x, 8, 3, 1, 2, 2, 0), 2);
	x = build_binary(&builder, INFER_OP_ADD, x, stem, 1);
	build_upsample(&builder, build_conv2d(&builder, x, 1, 3, 1, 1, 1, 0), 2);
	model.network = builder.network;
	uint32_t state = 5;
	for (size_t i = 0; i < sizeof photo; i++)
		photo[i] = (uint8_t)(127 + 127 * builder_number(&state));
}

static void teardown(void)
{
	builder_release(&builder);
}

/* size 0: the default. */
static struct tapcut_session *open_sized_session(int zoom, int size, int w, int h)
{
	struct tapcut_options options;
	struct tapcut_session *s;
	char message[TAPCUT_MESSAGE_SIZE] = "";
	tapcut_options_init(&options);
	options.no_zoom = !zoom;
	options.size = size;
	ck_assert_msg(tapcut_session_new(&model, &options, &s, message) == TAPCUT_OK, "%s", message);
	ck_assert_msg(tapcut_session_set_image(s, photo, w, h, 3 * (size_t)w) == TAPCUT_OK, "%s",
		      tapcut_session_message(s));
	return s;
}

static struct tapcut_session *open_session(int zoom, int w, int h)
{
	return open_sized_session(zoom, 0, w, h);
}

/* Mask and probabilities after each click. */
struct record {
	uint8_t mask[LARGE_W * LARGE_H];
	float probabilities[LARGE_W * LARGE_H];
};

static void take(struct tapcut_session *s, int w, int h, struct record *r)
{
	memset(r, 0, sizeof *r);
	ck_assert_int_eq(tapcut_session_mask(s, r->mask, (size_t)w), TAPCUT_OK);
	memcpy(r->probabilities, tapcut_session_probabilities(s, NULL, NULL), (size_t)w * (size_t)h * sizeof(float));
}

static void check_same(struct tapcut_session *s, int w, int h, const struct record *want)
{
	static struct record now;
	take(s, w, h, &now);
	ck_assert_mem_eq(now.mask, want->mask, (size_t)w * (size_t)h);
	ck_assert_mem_eq(now.probabilities, want->probabilities, (size_t)w * (size_t)h * sizeof(float));
}

static const int clicks[][3] = {{30, 20, 1}, {60, 50, 0}, {35, 24, 1}, {2, 3, 0}, {88, 60, 1}};
enum { CLICKS = sizeof clicks / sizeof *clicks };

static struct record records[CLICKS + 1];

static void record_all(struct tapcut_session *s, int w, int h)
{
	for (int i = 0; i <= CLICKS; i++) {
		take(s, w, h, &records[i]);
		if (i < CLICKS)
			ck_assert_int_eq(tapcut_session_click(s, clicks[i][0], clicks[i][1], clicks[i][2]), TAPCUT_OK);
	}
}

START_TEST(test_undo_is_exact)
{
	int w = _i < 2 ? W : LARGE_W, h = _i < 2 ? H : LARGE_H;
	struct tapcut_session *s = open_session(_i & 1, w, h);
	record_all(s, w, h);
	for (int i = 0; i < CLICKS; i++)
		ck_assert_msg(memcmp(records[i].probabilities, records[i + 1].probabilities,
				     sizeof records[i].probabilities),
			      "click %d", i);
	for (int i = CLICKS; i >= 0; i--) {
		ck_assert_int_eq(tapcut_session_click_count(s), i);
		check_same(s, w, h, &records[i]);
		if (i > 0)
			ck_assert_int_eq(tapcut_session_undo(s), TAPCUT_OK);
	}
	ck_assert_int_eq(tapcut_session_undo(s), TAPCUT_ARGUMENT);
	ck_assert_msg(strstr(tapcut_session_message(s), "undo"), "%s", tapcut_session_message(s));
	tapcut_session_free(s);
}
END_TEST

/* Cancels the session's click after so many tasks. */
struct canceller {
	struct tapcut_session *session;
	int left;
};

static void count_down(void *context, int step, const struct infer_map *map)
{
	struct canceller *c = context;
	(void)step, (void)map;
	if (c->left-- == 0)
		tapcut_session_cancel(c->session);
}

/* A click that is cancelled at any moment leaves no trace: clicks and mask are those before it, and the same click, and
 * the ones after it, give what they give in a session where nothing was ever cancelled. */
START_TEST(test_cancelled_click)
{
	int w = _i < 2 ? W : LARGE_W, h = _i < 2 ? H : LARGE_H, cancelled = 0;
	struct tapcut_session *s = open_session(_i & 1, w, h);
	record_all(s, w, h);
	struct canceller canceller = {s, -1};
	for (int look = 0; look < INFER_LOOKS; look++)
		if (s->looks[look].runner)
			infer_runner_watch(s->looks[look].runner, count_down, &canceller);
	for (int after = 0; after < 40; after += 3) {
		tapcut_session_reset(s);
		for (int i = 0; i < CLICKS; i++) {
			canceller.left = after;
			enum tapcut_status status = tapcut_session_click(s, clicks[i][0], clicks[i][1], clicks[i][2]);
			canceller.left = -1;
			if (status == TAPCUT_CANCELLED) {
				cancelled++;
				ck_assert_int_eq(tapcut_session_click_count(s), i);
				check_same(s, w, h, &records[i]);
				status = tapcut_session_click(s, clicks[i][0], clicks[i][1], clicks[i][2]);
			}
			ck_assert_int_eq(status, TAPCUT_OK);
			check_same(s, w, h, &records[i + 1]);
		}
	}
	ck_assert_int_gt(cancelled, 2 * CLICKS);
	/* Where no click runs there is nothing to cancel, and undo, reset and photos do not end early. */
	tapcut_session_cancel(s);
	ck_assert_int_eq(tapcut_session_undo(s), TAPCUT_OK);
	check_same(s, w, h, &records[CLICKS - 1]);
	tapcut_session_cancel(s);
	ck_assert_int_eq(tapcut_session_click(s, clicks[CLICKS - 1][0], clicks[CLICKS - 1][1], clicks[CLICKS - 1][2]),
			 TAPCUT_OK);
	check_same(s, w, h, &records[CLICKS]);
	tapcut_session_free(s);
	tapcut_session_cancel(NULL);
}
END_TEST

START_TEST(test_reset_and_second_photo)
{
	struct tapcut_session *s = open_session(_i, LARGE_W, LARGE_H);
	record_all(s, LARGE_W, LARGE_H);
	tapcut_session_reset(s);
	ck_assert_int_eq(tapcut_session_click_count(s), 0);
	for (int i = 0; i < CLICKS; i++) {
		check_same(s, LARGE_W, LARGE_H, &records[i]);
		ck_assert_int_eq(tapcut_session_click(s, clicks[i][0], clicks[i][1], clicks[i][2]), TAPCUT_OK);
	}
	/* Another photo, other proportions, and back: from another session as well. */
	ck_assert_int_eq(tapcut_session_set_image(s, photo, W, H, 3 * W), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_click(s, 10, 10, 1), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_set_image(s, photo, LARGE_W, LARGE_H, 3 * LARGE_W), TAPCUT_OK);
	struct tapcut_session *other = open_session(_i, LARGE_W, LARGE_H);
	for (int i = 0; i < CLICKS; i++) {
		ck_assert_int_eq(tapcut_session_click(s, clicks[i][0], clicks[i][1], clicks[i][2]), TAPCUT_OK);
		ck_assert_int_eq(tapcut_session_click(other, clicks[i][0], clicks[i][1], clicks[i][2]), TAPCUT_OK);
		check_same(s, LARGE_W, LARGE_H, &records[i + 1]);
		check_same(other, LARGE_W, LARGE_H, &records[i + 1]);
	}
	tapcut_session_free(other);
	tapcut_session_free(s);
}
END_TEST

START_TEST(test_photo_is_copied_and_stride_respected)
{
	enum { STRIDE = 3 * W + 11 };
	static uint8_t rows[STRIDE * H], mask[(W + 7) * H];
	struct tapcut_session *s = open_session(1, W, H);
	record_all(s, W, H);
	for (int y = 0; y < H; y++)
		memcpy(rows + y * STRIDE, photo + y * 3 * W, 3 * W);
	ck_assert_int_eq(tapcut_session_set_image(s, rows, W, H, STRIDE), TAPCUT_OK);
	memset(rows, 0xee, sizeof rows);
	for (int i = 0; i < CLICKS; i++)
		tapcut_session_click(s, clicks[i][0], clicks[i][1], clicks[i][2]);
	check_same(s, W, H, &records[CLICKS]);
	memset(mask, 7, sizeof mask);
	ck_assert_int_eq(tapcut_session_mask(s, mask, W + 7), TAPCUT_OK);
	for (int y = 0; y < H; y++) {
		ck_assert_mem_eq(mask + y * (W + 7), records[CLICKS].mask + y * W, W);
		ck_assert_int_eq(mask[y * (W + 7) + W], 7);
	}
	tapcut_session_free(s);
}
END_TEST

/* The first click sees the whole photo, and without a mask there is nothing to look closer at. */
/* It sees the whole photo at the default size, later clicks see more. */
static struct tapcut_session *open_quick_session(int one_look)
{
	struct tapcut_options options = {.one_look = one_look};
	struct tapcut_session *s;
	ck_assert_int_eq(tapcut_session_new(&model, &options, &s, NULL), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_set_image(s, photo, LARGE_W, LARGE_H, 3 * (size_t)LARGE_W), TAPCUT_OK);
	return s;
}

START_TEST(test_one_look_does_not_zoom)
{
	struct tapcut_session *a = open_sized_session(0, builder.network.default_size, LARGE_W, LARGE_H),
			      *b = open_quick_session(1);
	static struct record want;
	tapcut_session_click(a, 100, 80, 1);
	tapcut_session_click(b, 100, 80, 1);
	take(a, LARGE_W, LARGE_H, &want);
	check_same(b, LARGE_W, LARGE_H, &want);
	tapcut_session_free(a);
	tapcut_session_free(b);
}
END_TEST

/* A first tap on the object is answered by the closer look; one on what is not the object has nothing to look at. */
START_TEST(test_first_click_looks_twice)
{
	static struct record once, twice;
	for (int positive = 0; positive <= 1; positive++) {
		struct tapcut_session *a = open_quick_session(1), *b = open_quick_session(0);
		tapcut_session_click(a, 100, 80, positive);
		tapcut_session_click(b, 100, 80, positive);
		take(a, LARGE_W, LARGE_H, &once);
		take(b, LARGE_W, LARGE_H, &twice);
		ck_assert_int_eq(memcmp(once.probabilities, twice.probabilities, sizeof once.probabilities) != 0,
				 positive);
		tapcut_session_click(b, 60, 50, 0);
		ck_assert_int_eq(tapcut_session_undo(b), TAPCUT_OK);
		check_same(b, LARGE_W, LARGE_H, &twice);
		tapcut_session_free(a);
		tapcut_session_free(b);
	}
}
END_TEST

/* Kernels of 63 x 63: a photo of 64 pixels is answered, one of 4096 would never be. */
START_TEST(test_a_run_that_would_not_end)
{
	static struct builder heavy;
	static struct tapcut_model heavy_model; /* keeps what the session packed, as `model` does */
	struct tapcut_options options = {.size = 4096};
	struct tapcut_session *s;
	char message[TAPCUT_MESSAGE_SIZE] = "";
	builder_init(&heavy, 0);
	int x = build_conv2d(&heavy, 0, 8, 63, 1, 31, 1, 0);
	build_conv2d(&heavy, x, 1, 63, 1, 31, 1, 0);
	heavy_model.network = heavy.network;
	ck_assert_int_eq(infer_network_check(&heavy_model.network, message), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_new(&heavy_model, &options, &s, message), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_set_image(s, photo, LARGE_W, LARGE_H, 3 * (size_t)LARGE_W), TAPCUT_LIMIT);
	ck_assert_msg(strstr(tapcut_session_message(s), "multiply-adds") != NULL, "%s", tapcut_session_message(s));
	tapcut_session_free(s);
	heavy_model.network.default_size = 4096;
	ck_assert_int_eq(infer_network_check(&heavy_model.network, message), TAPCUT_LIMIT);
	builder_release(&heavy);
}
END_TEST

/* Without post-processing the mask is the thresholded probability but for its edge, which is the photo's; the
 * alpha's half is the mask. */
START_TEST(test_mask_follows_the_probability)
{
	static struct record r;
	static uint8_t alpha[W * H];
	float mean = 0;
	struct tapcut_session *s = open_session(0, W, H);
	ck_assert_int_eq(tapcut_session_click(s, 5, 6, 1), TAPCUT_OK);
	take(s, W, H, &r);
	for (int i = 0; i < W * H; i++)
		mean += r.probabilities[i] / (W * H);
	tapcut_session_free(s);
	struct tapcut_options options = {.threshold = mean};
	ck_assert_int_eq(tapcut_session_new(&model, &options, &s, NULL), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_set_image(s, photo, W, H, 3 * W), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_click(s, 5, 6, 1), TAPCUT_OK);
	take(s, W, H, &r);
	ck_assert_int_eq(tapcut_session_alpha(s, alpha, W), TAPCUT_OK);
	int object = 0, differ = 0;
	for (int i = 0; i < W * H; i++) {
		object += r.mask[i] != 0;
		differ += r.mask[i] != (r.probabilities[i] > mean ? 255 : 0);
		if (r.mask[i] != (alpha[i] < 128 ? 0 : 255))
			ck_abort_msg("pixel %d: mask %d, alpha %d", i, r.mask[i], alpha[i]);
	}
	ck_assert_int_gt(object, W * H / 10);
	ck_assert_int_lt(object, W * H - W * H / 10);
	ck_assert_int_lt(differ, W * H / 3);
	tapcut_session_free(s);
}
END_TEST

static void refused(struct tapcut_session *s, enum tapcut_status got, enum tapcut_status want, const char *word)
{
	ck_assert_int_eq(got, want);
	ck_assert_msg(strstr(tapcut_session_message(s), word) != NULL, "\"%s\" lacks \"%s\"", tapcut_session_message(s),
		      word);
}

START_TEST(test_wrong_calls)
{
	struct tapcut_session *s;
	uint8_t mask[W * H];
	ck_assert_int_eq(tapcut_session_new(&model, NULL, &s, NULL), TAPCUT_OK);
	refused(s, tapcut_session_click(s, 0, 0, 1), TAPCUT_ARGUMENT, "no photo");
	refused(s, tapcut_session_mask(s, mask, W), TAPCUT_ARGUMENT, "no photo");
	refused(s, tapcut_session_undo(s), TAPCUT_ARGUMENT, "undo");
	ck_assert_ptr_null(tapcut_session_probabilities(s, NULL, NULL));
	tapcut_session_reset(s);
	refused(s, tapcut_session_set_image(s, photo, 0, 5, 100), TAPCUT_ARGUMENT, "0x5");
	refused(s, tapcut_session_set_image(s, photo, 10, 5, 29), TAPCUT_ARGUMENT, "stride");
	refused(s, tapcut_session_set_image(s, NULL, 10, 5, 30), TAPCUT_ARGUMENT, "photo");
	refused(s, tapcut_session_set_image(s, photo, 16385, 5, 1 << 20), TAPCUT_LIMIT, "16385x5");
	refused(s, tapcut_session_set_image(s, photo, 16384, 16384, 1 << 20), TAPCUT_LIMIT, "16384x16384");
	ck_assert_int_eq(tapcut_session_set_image(s, photo, W, H, 3 * W), TAPCUT_OK);
	static const int outside[][2] = {{-1, 0}, {0, -1}, {W, 0}, {0, H}};
	for (int i = 0; i < 4; i++)
		refused(s, tapcut_session_click(s, outside[i][0], outside[i][1], 1), TAPCUT_ARGUMENT, "outside");
	refused(s, tapcut_session_mask(s, mask, W - 1), TAPCUT_ARGUMENT, "stride");
	ck_assert_int_eq(tapcut_session_click_count(s), 0);
	for (int i = 0; i < TAPCUT_MAX_CLICKS; i++)
		ck_assert_int_eq(tapcut_session_click(s, i, i % H, i & 1), TAPCUT_OK);
	refused(s, tapcut_session_click(s, 0, 0, 1), TAPCUT_ARGUMENT, "64");
	ck_assert_int_eq(tapcut_session_click_count(s), TAPCUT_MAX_CLICKS);
	/* A refused photo leaves none. */
	refused(s, tapcut_session_set_image(s, photo, 0, 0, 0), TAPCUT_ARGUMENT, "photo");
	refused(s, tapcut_session_click(s, 0, 0, 1), TAPCUT_ARGUMENT, "no photo");
	tapcut_session_free(s);
	tapcut_session_free(NULL);
}
END_TEST

START_TEST(test_wrong_options)
{
	static const struct tapcut_options wrong[] = {
		{.size = -1},
		{.size = 15},
		{.first_size = 15},
		{.first_size = -2},
		{.size = 5000},
		{.threshold = 1},
		{.threshold = -0.1f},
		{.no_zoom = 2},
		{.keep_all = -2},
		{.hole_limit = 1000001},
		{.struct_size = 4},
		{.struct_size = sizeof(struct tapcut_options) + 8},
		{.threshold = NAN},
		{.arithmetic = 3},
		{.arithmetic = -1},
		{.threads = -1},
		{.threads = TAPCUT_MAX_THREADS + 1},
		{.graph_cut = 2},
		{.feather = -1},
		{.feather = TAPCUT_MAX_FEATHER + 1},
		{.feather = NAN},
	};
	char message[TAPCUT_MESSAGE_SIZE];
	struct tapcut_session *s;
	ck_assert_int_eq(tapcut_session_new(&model, &wrong[_i], &s, message), TAPCUT_ARGUMENT);
	ck_assert_ptr_null(s);
	ck_assert_msg(strstr(message, "options") != NULL, "%s", message);
}
END_TEST

/* Extreme proportions, tiny photos, odd sizes: no crash, and the mask has the photo's size. */
START_TEST(test_odd_photos)
{
	static const int sizes[][2] = {{1, 1}, {2, 900}, {900, 1}, {17, 16}, {64, 64}, {33, 400}};
	static const int long_sides[] = {16, 50, 64, 200};
	int w = sizes[_i][0], h = sizes[_i][1];
	static uint8_t mask[LARGE_W * LARGE_H];
	for (int k = 0; k < 4; k++) {
		struct tapcut_options options;
		struct tapcut_session *s;
		tapcut_options_init(&options);
		options.size = long_sides[k];
		ck_assert_int_eq(tapcut_session_new(&model, &options, &s, NULL), TAPCUT_OK);
		ck_assert_int_eq(tapcut_session_set_image(s, photo, w, h, 3 * (size_t)w), TAPCUT_OK);
		for (int i = 0; i < 4; i++)
			ck_assert_int_eq(tapcut_session_click(s, i * 7 % w, i * 11 % h, i != 2), TAPCUT_OK);
		ck_assert_int_eq(tapcut_session_mask(s, mask, (size_t)w), TAPCUT_OK);
		for (int i = 0; i < w * h; i++) {
			float p = tapcut_session_probabilities(s, NULL, NULL)[i];
			if ((mask[i] != 0 && mask[i] != 255) || !(p >= 0 && p <= 1))
				ck_abort_msg("pixel %d: mask %d, probability %g", i, mask[i], p);
		}
		ck_assert_uint_gt(tapcut_session_bytes(s), (size_t)w * (size_t)h * 5);
		tapcut_session_free(s);
	}
}
END_TEST

START_TEST(test_model_files)
{
	struct tapcut_model *loaded = &model;
	struct tapcut_model_info info;
	char message[TAPCUT_MESSAGE_SIZE];
	ck_assert_int_eq(tapcut_model_load_file("build/no/such.tapcut", &loaded, message), TAPCUT_IO);
	ck_assert_ptr_null(loaded);
	ck_assert_msg(strstr(message, "no/such.tapcut") != NULL, "%s", message);
	ck_assert_int_eq(tapcut_model_load_file("Makefile", &loaded, message), TAPCUT_FORMAT);
	ck_assert_msg(strncmp(message, "Makefile: ", 10) == 0, "%s", message);
	ck_assert_int_ne(tapcut_model_load_file("tests", &loaded, message), TAPCUT_OK);
	ck_assert_int_eq(tapcut_model_load_memory("", 0, &loaded, NULL), TAPCUT_FORMAT);
	ck_assert_msg(tapcut_model_load_file("tests/infer/golden/tiny_f32.tapcut", &loaded, message) == TAPCUT_OK, "%s",
		      message);
	tapcut_model_info(loaded, &info);
	ck_assert_str_eq(info.weights, "f32");
	ck_assert_uint_eq(info.steps, (size_t)loaded->network.step_count);
	ck_assert_uint_gt(info.file_bytes, 0);
	tapcut_model_free(loaded);
	tapcut_model_free(NULL);
}
END_TEST

static Suite *session_suite(void)
{
	Suite *suite = suite_create("infer/session");
	TCase *tcase = tcase_create("session");
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_undo_is_exact, 0, 4);
	tcase_add_loop_test(tcase, test_cancelled_click, 0, 4);
	tcase_add_loop_test(tcase, test_reset_and_second_photo, 0, 2);
	tcase_add_test(tcase, test_photo_is_copied_and_stride_respected);
	tcase_add_test(tcase, test_a_run_that_would_not_end);
	tcase_add_test(tcase, test_one_look_does_not_zoom);
	tcase_add_test(tcase, test_first_click_looks_twice);
	tcase_add_test(tcase, test_mask_follows_the_probability);
	tcase_add_test(tcase, test_wrong_calls);
	tcase_add_loop_test(tcase, test_wrong_options, 0, 19);
	tcase_add_loop_test(tcase, test_odd_photos, 0, 6);
	tcase_add_test(tcase, test_model_files);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(session_suite)
