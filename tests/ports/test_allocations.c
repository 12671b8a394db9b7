/* Every allocation from loading a model to an edit is made to fail, one after the other: the call says so, nothing
 * is leaked, what was there before is still there, and the same call made again goes on as if nothing had been. */
#include "infer/tapcut.h"
#include "infer/tapcut_edit.h"
#include "tests/ports/counted.h"
#include "tests/ports/photo.h"
#include "tests/support/test.h"

#include <string.h>

enum { W = 72, H = 50, OTHER_W = 44, OTHER_H = 60, NEVER = 0 };

struct setup {
	const char *model;
	int arithmetic, threads, graph_cut, zoom;
};

static const struct setup setups[] = {
	{"tests/infer/golden/tiny_f32.tapcut", TAPCUT_ARITHMETIC_FLOAT, 1, 0, 1},
	{"tests/infer/golden/tiny_f16.tapcut", TAPCUT_ARITHMETIC_FLOAT, 2, 1, 1},
	{"tests/infer/golden/tiny_int8.tapcut", TAPCUT_ARITHMETIC_FLOAT, 3, 0, 0},
	{"tests/infer/golden/tiny_codebook.tapcut", TAPCUT_ARITHMETIC_FLOAT, 1, 1, 0},
	{"tests/infer/golden/tiny_8bit.tapcut", TAPCUT_ARITHMETIC_INT8, 1, 0, 1},
	{"tests/infer/golden/tiny_8bit.tapcut", TAPCUT_ARITHMETIC_INT8, 2, 1, 1},
	{"tests/infer/golden/tiny_8bit.tapcut", TAPCUT_ARITHMETIC_FLOAT, 2, 0, 1},
	{"infer/models/base.tapcut", TAPCUT_ARITHMETIC_AUTO, 2, 1, 1},
};

/* What the story leaves, for comparison. */
struct outcome {
	uint8_t mask[W * H], alpha[W * H], preview[W * H / 4], edited[3 * W * H], other_mask[OTHER_W * OTHER_H];
};

static uint8_t photo[3 * W * H], other_photo[3 * OTHER_W * OTHER_H];
static int failures; /* calls that failed in this story */

/* A call whose message is in `message`; one that fails for want of memory is made again. */
static int refused(enum tapcut_status status, const char *message)
{
	if (status == TAPCUT_OK)
		return 0;
	ck_assert_msg(status == TAPCUT_NO_MEMORY || status == TAPCUT_IO, "status %d: %s", status, message);
	ck_assert_msg(strlen(message) > 5, "no message");
	failures++;
	return 1;
}

static struct tapcut_session *open_session(const struct setup *setup, struct tapcut_model **model)
{
	struct tapcut_options options;
	struct tapcut_session *session;
	char message[TAPCUT_MESSAGE_SIZE] = "";
	tapcut_options_init(&options);
	options.arithmetic = setup->arithmetic;
	options.threads = setup->threads;
	options.graph_cut = setup->graph_cut;
	options.no_zoom = !setup->zoom;
	options.size = 48;
	options.first_size = 32;
	options.feather = 2;
	while (refused(COUNTED(tapcut_model_load_file(setup->model, model, message)), message))
		ck_assert_ptr_null(*model);
	while (refused(COUNTED(tapcut_session_new(*model, &options, &session, message)), message))
		ck_assert_ptr_null(session);
	return session;
}

/* Taps and results, which allocate nothing. */
static void tap(struct tapcut_session *s, struct outcome *o)
{
	long calls = counted_calls;
	ck_assert_int_eq(COUNTED(tapcut_session_click(s, W / 2, H / 2, 1)), TAPCUT_OK);
	ck_assert_int_eq(COUNTED(tapcut_session_click(s, 3, 4, 0)), TAPCUT_OK);
	ck_assert_int_eq(COUNTED(tapcut_session_click(s, W - 2, H - 2, 1)), TAPCUT_OK);
	ck_assert_int_eq(COUNTED(tapcut_session_undo(s)), TAPCUT_OK);
	ck_assert_int_eq(COUNTED(tapcut_session_mask(s, o->mask, W)), TAPCUT_OK);
	ck_assert_int_eq(COUNTED(tapcut_session_alpha(s, o->alpha, W)), TAPCUT_OK);
	ck_assert_int_eq(COUNTED(tapcut_session_preview(s, o->preview, W / 2, H / 2, W / 2)), TAPCUT_OK);
	ck_assert_ptr_nonnull(COUNTED(tapcut_session_probabilities(s, NULL, NULL)));
	ck_assert_int_eq(counted_calls, calls);
}

static void edit(struct outcome *o)
{
	struct tapcut_edit edits[2];
	char message[TAPCUT_MESSAGE_SIZE] = "";
	uint8_t before[3 * W * H];
	struct tapcut_photo edited = {o->edited, 3 * W, o->alpha, W, W, H};
	tapcut_edit_init(&edits[0], tapcut_filter_find("focus"));
	tapcut_edit_init(&edits[1], tapcut_filter_find("warmth"));
	memcpy(o->edited, photo, sizeof photo);
	memcpy(before, photo, sizeof photo);
	while (refused(COUNTED(tapcut_edit_apply(edits, 2, &edited, NULL, message)), message))
		ck_assert_mem_eq(o->edited, before, sizeof before);
}

/* After a photo that was refused there is none; the session takes the next one. */
static void set_photo(struct tapcut_session *s, const uint8_t *rgb, int w, int h)
{
	while (refused(COUNTED(tapcut_session_set_image(s, rgb, w, h, 3 * (size_t)w)), tapcut_session_message(s))) {
		ck_assert_int_eq(COUNTED(tapcut_session_click(s, 1, 1, 1)), TAPCUT_ARGUMENT);
		ck_assert_int_eq(tapcut_session_click_count(s), 0);
		ck_assert_ptr_null(COUNTED(tapcut_session_probabilities(s, NULL, NULL)));
	}
}

/* Returns whether the call with number `fail` came. */
static int tell(const struct setup *setup, long fail, struct outcome *o)
{
	struct tapcut_model *model;
	long live = counted_live;
	memset(o, 0, sizeof *o);
	failures = 0;
	counted_calls = 0;
	counted_fail = fail;
	struct tapcut_session *s = open_session(setup, &model);
	set_photo(s, photo, W, H);
	tap(s, o);
	edit(o);
	set_photo(s, other_photo, OTHER_W, OTHER_H);
	ck_assert_int_eq(COUNTED(tapcut_session_click(s, OTHER_W / 2, OTHER_H / 2, 1)), TAPCUT_OK);
	ck_assert_int_eq(COUNTED(tapcut_session_mask(s, o->other_mask, OTHER_W)), TAPCUT_OK);
	COUNTED_DO(tapcut_session_free(s));
	COUNTED_DO(tapcut_model_free(model));
	counted_fail = NEVER;
	ck_assert_int_eq(counted_live, live);
	ck_assert_int_eq(failures, fail > 0 && counted_calls >= fail);
	return failures;
}

/* Left off in the middle: a session that has failed is freed as it is. */
static void give_up_after(const struct setup *setup, long fail)
{
	struct tapcut_options options;
	struct tapcut_model *model;
	struct tapcut_session *s;
	char message[TAPCUT_MESSAGE_SIZE];
	long live = counted_live;
	tapcut_options_init(&options);
	options.arithmetic = setup->arithmetic;
	options.threads = setup->threads;
	options.graph_cut = setup->graph_cut;
	options.size = 48;
	counted_calls = 0;
	counted_fail = fail;
	if (COUNTED(tapcut_model_load_file(setup->model, &model, message)) == TAPCUT_OK) {
		if (COUNTED(tapcut_session_new(model, &options, &s, message)) == TAPCUT_OK) {
			(void)COUNTED(tapcut_session_set_image(s, photo, W, H, 3 * W));
			COUNTED_DO(tapcut_session_free(s));
		}
		COUNTED_DO(tapcut_model_free(model));
	}
	counted_fail = NEVER;
	ck_assert_int_eq(counted_live, live);
}

START_TEST(test_each_allocation_fails)
{
	static struct outcome want, got;
	const struct setup *setup = &setups[_i];
	int tiny = strstr(setup->model, "tiny") != NULL;
	photo_fill(photo, W, H, 1);
	photo_fill(other_photo, OTHER_W, OTHER_H, 2);
	ck_assert_int_eq(tell(setup, NEVER, &want), 0);
	long calls = counted_calls, step = tiny ? 1 : calls / 8 + 1; /* the real model's are many and much alike */
	ck_assert_int_gt(calls, 10);
	for (long fail = 1; fail <= calls; fail += step) {
		ck_assert_msg(tell(setup, fail, &got), "allocation %ld of %ld was not asked for", fail, calls);
		ck_assert_msg(memcmp(&got, &want, sizeof want) == 0, "other results after allocation %ld of %ld failed",
			      fail, calls);
		give_up_after(setup, fail);
	}
	for (long last = calls; tiny && last > calls - 10; last--)
		ck_assert_int_eq(tell(setup, last, &got), 1);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("allocations");
	TCase *t = tcase_create("allocations");
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, test_each_allocation_fails, 0, sizeof setups / sizeof *setups);
	suite_add_tcase(s, t);
	return s;
}

TEST_MAIN(suite)
