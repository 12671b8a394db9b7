/* What a program in another language or on other threads meets: the headers in C99, C11 and C++17, every function
 * with the arguments that nobody should pass, and one model that serves four threads. */
#include "infer/tapcut.h"
#include "infer/tapcut_edit.h"
#include "tests/ports/photo.h"
#include "tests/ports/shell.h"

#include <limits.h>
#include <math.h>
#include <pthread.h>

enum { W = 61, H = 40, THREADS = 4 };

static uint8_t photo[3 * W * H], plane[W * H];

/* --- headers -------------------------------------------------------------- */

static const char *const compilers[] = {"gcc -std=c99 -xc",   "gcc -std=c11 -xc",   "g++ -std=c++17 -xc++",
					"clang -std=c99 -xc", "clang -std=c11 -xc", "clang++ -std=c++17 -xc++"};

START_TEST(test_header)
{
	char program[16];
	sscanf(compilers[_i], "%15s", program);
	if (!shell_has(program, compilers[_i]))
		return;
	shell("for h in infer/tapcut*.h; do echo \"#include \\\"$h\\\"\" | "
	      "%s -Wall -Wextra -Wundef -pedantic -Werror -fsyntax-only - || exit 1; done",
	      compilers[_i]);
}
END_TEST

/* --- odd arguments -------------------------------------------------------- */

static struct tapcut_model *load(void)
{
	struct tapcut_model *model;
	char message[TAPCUT_MESSAGE_SIZE] = "";
	ck_assert_msg(tapcut_model_load_file("tests/infer/golden/tiny_8bit.tapcut", &model, message) == TAPCUT_OK, "%s",
		      message);
	return model;
}

/* A C++ program names the structs without "struct", and the functions of older versions still compile. */
START_TEST(test_cpp_names)
{
	static const char *const names[] = {"g++", "clang++"};
	if (!shell_has(names[_i], names[_i]))
		return;
	shell("printf '#include \"infer/tapcut_edit.h\"\nint main() { tapcut_model_info i; tapcut_filter f; "
	      "tapcut_options o = {}; "
	      "tapcut_model_info((const tapcut_model *)0, &i); (void)f; (void)o; return tapcut_filter(0) != 0; }' | "
	      "%s -std=c++11 -Wall -Wextra -Werror -Wno-missing-field-initializers -Wno-uninitialized -fsyntax-only "
	      "-xc++ -I. -",
	      names[_i]);
}
END_TEST

START_TEST(test_odd_models)
{
	static const uint8_t rubbish[40] = {0x89, 'T', 'A', 'P'};
	struct tapcut_model *model = (struct tapcut_model *)plane;
	ck_assert_int_eq(tapcut_model_load_file("/nowhere/x", &model, NULL), TAPCUT_IO);
	ck_assert_ptr_null(model);
	ck_assert_int_eq(tapcut_model_load_file("/", &model, NULL), TAPCUT_IO);
	ck_assert_int_eq(tapcut_model_load_file("/dev/null", &model, NULL), TAPCUT_FORMAT);
	ck_assert_int_eq(tapcut_model_load_memory(NULL, 0, &model, NULL), TAPCUT_FORMAT);
	ck_assert_int_eq(tapcut_model_load_memory(rubbish, sizeof rubbish, &model, NULL), TAPCUT_FORMAT);
	ck_assert_ptr_null(model);
	tapcut_model_free(NULL);
	tapcut_session_free(NULL);
}
END_TEST

static void check_without_photo(struct tapcut_session *s)
{
	ck_assert_int_eq(tapcut_session_click(s, 0, 0, 1), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_undo(s), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_mask(s, plane, W), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_alpha(s, plane, W), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_preview(s, plane, 5, 5, 5), TAPCUT_ARGUMENT);
	ck_assert_ptr_null(tapcut_session_probabilities(s, NULL, NULL));
	ck_assert_int_eq(tapcut_session_click_count(s), 0);
	tapcut_session_reset(s);
}

static void check_photos(struct tapcut_session *s)
{
	ck_assert_int_eq(tapcut_session_set_image(s, NULL, W, H, 3 * W), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_set_image(s, photo, 0, H, 3 * W), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_set_image(s, photo, W, -1, 3 * W), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_set_image(s, photo, INT_MIN, INT_MIN, SIZE_MAX), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_set_image(s, photo, INT_MAX, INT_MAX, SIZE_MAX), TAPCUT_LIMIT);
	ck_assert_int_eq(tapcut_session_set_image(s, photo, 16384, 16384, SIZE_MAX), TAPCUT_LIMIT);
	ck_assert_int_eq(tapcut_session_set_image(s, photo, W, H, 3 * W - 1), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_set_image(s, photo, W, H, 3 * W), TAPCUT_OK);
}

static void check_with_photo(struct tapcut_session *s)
{
	ck_assert_int_eq(tapcut_session_click(s, -1, 0, 1), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_click(s, INT_MAX, INT_MIN, 1), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_click(s, W - 1, H, 1), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_click(s, W - 1, H - 1, INT_MIN), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_mask(s, NULL, W), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_mask(s, plane, W - 1), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_alpha(s, NULL, W), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_alpha(s, plane, 0), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_preview(s, plane, W + 1, H, SIZE_MAX), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_preview(s, plane, 0, H, W), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_preview(s, plane, 5, INT_MIN, W), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_preview(s, NULL, 5, 5, 5), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_preview(s, plane, 5, 5, 4), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_set_feather(s, -1), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_set_feather(s, NAN), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_set_feather(s, INFINITY), TAPCUT_ARGUMENT);
	ck_assert_int_gt((int)strlen(tapcut_session_message(s)), 5);
}

START_TEST(test_odd_sessions)
{
	struct tapcut_model *model = load();
	struct tapcut_session *s;
	ck_assert_int_eq(tapcut_session_new(model, NULL, &s, NULL), TAPCUT_OK);
	check_without_photo(s);
	check_photos(s);
	check_with_photo(s);
	/* Nothing of that has touched the click. */
	ck_assert_int_eq(tapcut_session_click_count(s), 1);
	ck_assert_int_eq(tapcut_session_preview(s, plane, W, H, W), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_preview(s, plane, 1, 1, 1), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_undo(s), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_undo(s), TAPCUT_ARGUMENT);
	tapcut_session_free(s);
	tapcut_model_free(model);
}
END_TEST

static void check_option_refused(const struct tapcut_model *model, const struct tapcut_options *options)
{
	struct tapcut_session *s = (struct tapcut_session *)plane;
	char message[TAPCUT_MESSAGE_SIZE] = "";
	ck_assert_int_eq(tapcut_session_new(model, options, &s, message), TAPCUT_ARGUMENT);
	ck_assert_ptr_null(s);
	ck_assert_msg(strstr(message, "options"), "%s", message);
	ck_assert_int_eq(tapcut_session_new(model, options, &s, NULL), TAPCUT_ARGUMENT);
}

/* What is on the stack as = {0} is what tapcut_options_init makes, and means what no options mean. */
START_TEST(test_zero_is_the_default)
{
	struct tapcut_model *model = load();
	struct tapcut_options zero = {0}, init;
	memset(&zero, 0, sizeof zero);
	memset(&init, 0xff, sizeof init);
	zero = (struct tapcut_options){0};
	tapcut_options_init(&init);
	ck_assert(init.struct_size == 0 && init.size == 0 && init.first_size == 0 && init.no_zoom == 0 &&
		  init.keep_all == 0);
	ck_assert(init.hole_limit == 0 && init.arithmetic == 0 && init.threads == 0 && init.graph_cut == 0);
	ck_assert_int_eq(init.one_look, 0);
	ck_assert(init.threshold == 0 && init.feather == 0);
	tapcut_options_resolve(model, &init);
	ck_assert_int_eq(init.no_zoom, 0);
	ck_assert_int_eq(init.keep_all, 0);
	ck_assert_int_eq(init.hole_limit, 500);
	ck_assert_int_eq(init.threads, 1);
	ck_assert_int_eq(init.graph_cut, 0);
	ck_assert_float_eq(init.threshold, 0.49f);
	uint8_t masks[3][W * H];
	struct tapcut_options with_size = {.struct_size = sizeof with_size};
	const struct tapcut_options *choices[] = {NULL, &zero, &with_size};
	photo_fill(photo, W, H, 3);
	for (int i = 0; i < 3; i++) {
		struct tapcut_session *s;
		ck_assert_int_eq(tapcut_session_new(model, choices[i], &s, NULL), TAPCUT_OK);
		ck_assert_int_eq(tapcut_session_set_image(s, photo, W, H, 3 * W), TAPCUT_OK);
		ck_assert_int_eq(tapcut_session_click(s, W / 2, H / 2, 1), TAPCUT_OK);
		ck_assert_int_eq(tapcut_session_mask(s, masks[i], W), TAPCUT_OK);
		ck_assert_mem_eq(masks[0], masks[i], sizeof masks[0]);
		tapcut_session_free(s);
	}
	tapcut_model_free(model);
}
END_TEST

/* NULL where something is needed. */
START_TEST(test_nothing)
{
	struct tapcut_model *model = NULL;
	struct tapcut_session *s = NULL;
	struct tapcut_photo p = {photo, 3 * W, plane, W, W, H};
	struct tapcut_edit edit;
	char message[TAPCUT_MESSAGE_SIZE] = "";
	ck_assert_int_eq(tapcut_model_load_file(NULL, &model, message), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_model_load_file("x", NULL, message), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_model_load_memory("x", 1, NULL, message), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_model_load_memory(NULL, 1000, &model, message), TAPCUT_FORMAT);
	ck_assert_int_eq(tapcut_session_new(NULL, NULL, &s, message), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_set_image(NULL, photo, W, H, 3 * W), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_click(NULL, 0, 0, 1), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_undo(NULL), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_mask(NULL, plane, W), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_alpha(NULL, plane, W), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_preview(NULL, plane, 5, 5, 5), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_set_feather(NULL, 1), TAPCUT_ARGUMENT);
	ck_assert_ptr_null(tapcut_session_probabilities(NULL, NULL, NULL));
	ck_assert_int_eq(tapcut_session_click_count(NULL), 0);
	ck_assert_uint_eq(tapcut_session_bytes(NULL), 0);
	ck_assert_ptr_nonnull(tapcut_session_message(NULL));
	tapcut_session_reset(NULL);
	tapcut_edit_init(&edit, 0);
	ck_assert_int_eq(tapcut_edit_apply(&edit, -1, &p, NULL, message), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_edit_apply(NULL, 1, &p, NULL, message), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_edit_apply(&edit, 1, NULL, NULL, message), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_edit_apply(NULL, 0, &p, NULL, message), TAPCUT_OK);
	ck_assert_uint_eq(tapcut_edit_workspace(&edit, -1, W, H), 0);
	ck_assert_uint_eq(tapcut_edit_workspace(NULL, 1, W, H), 0);
	ck_assert_int_eq(tapcut_edit_border(NULL, W, H), 0);
	ck_assert_uint_eq(tapcut_edit_rows_workspace(NULL, W, H, 1), 0);
	ck_assert_int_eq(tapcut_filter_find(NULL), -1);
}
END_TEST

START_TEST(test_odd_options)
{
	struct tapcut_model *model = load();
	struct tapcut_options o;
	int *const numbers[] = {&o.size,       &o.first_size, &o.no_zoom,   &o.keep_all, &o.hole_limit,
				&o.arithmetic, &o.threads,    &o.graph_cut, &o.one_look};
	float *const reals[] = {&o.threshold, &o.feather};
	static const int odd_numbers[] = {INT_MIN, -2, INT_MAX, 1000001};
	static const float odd_reals[] = {NAN, -1, INFINITY, -INFINITY, 1e30f};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		for (size_t k = 0; k < sizeof odd_numbers / sizeof *odd_numbers; k++) {
			tapcut_options_init(&o);
			*numbers[i] = odd_numbers[k];
			check_option_refused(model, &o);
		}
	for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
		for (size_t k = 0; k < sizeof odd_reals / sizeof *odd_reals; k++) {
			tapcut_options_init(&o);
			*reals[i] = odd_reals[k];
			check_option_refused(model, &o);
		}
	tapcut_model_free(model);
}
END_TEST

START_TEST(test_odd_edits)
{
	struct tapcut_edit edit;
	struct tapcut_photo p = {photo, 3 * W, plane, W, W, H};
	ck_assert_ptr_null(tapcut_filter(-1));
	ck_assert_ptr_null(tapcut_filter(tapcut_filter_count()));
	ck_assert_int_eq(tapcut_filter_find("no such filter"), -1);
	ck_assert_int_eq(tapcut_edit_apply(NULL, 0, &p, NULL, NULL), TAPCUT_OK);
	static const int odd_filters[] = {INT_MIN, -1, INT_MAX};
	for (size_t i = 0; i < sizeof odd_filters / sizeof *odd_filters; i++) {
		tapcut_edit_init(&edit, odd_filters[i]);
		ck_assert_int_eq(tapcut_edit_apply(&edit, 1, &p, NULL, NULL), TAPCUT_ARGUMENT);
	}
	for (int i = 0; i < tapcut_filter_count(); i++) {
		tapcut_edit_init(&edit, i);
		edit.amount = NAN;
		ck_assert_int_eq(tapcut_edit_apply(&edit, 1, &p, NULL, NULL), TAPCUT_ARGUMENT);
		edit.amount = 1e30f;
		ck_assert_int_eq(tapcut_edit_apply(&edit, 1, &p, NULL, NULL), TAPCUT_ARGUMENT);
	}
	tapcut_edit_init(&edit, 0);
	const struct tapcut_photo odd[] = {
		{NULL, 3 * W, plane, W, W, H},      {photo, 3 * W - 1, plane, W, W, H}, {photo, 3 * W, NULL, W, W, H},
		{photo, 3 * W, plane, W - 1, W, H}, {photo, 3 * W, plane, W, 0, H},     {photo, 3 * W, plane, W, W, -1},
	};
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		ck_assert_int_eq(tapcut_edit_apply(&edit, 1, &odd[i], NULL, NULL),
				 i < 4 ? TAPCUT_ARGUMENT : TAPCUT_LIMIT);
}
END_TEST

/* --- threads -------------------------------------------------------------- */

struct job {
	const struct tapcut_model *model;
	int arithmetic, threads, ok;
	uint8_t masks[3][W * H];
};

static void *tap(void *context)
{
	struct job *job = context;
	struct tapcut_options options;
	struct tapcut_session *s;
	tapcut_options_init(&options);
	options.size = 64;
	options.first_size = 48;
	options.arithmetic = job->arithmetic;
	options.threads = job->threads;
	job->ok = tapcut_session_new(job->model, &options, &s, NULL) == TAPCUT_OK &&
		  tapcut_session_set_image(s, photo, W, H, 3 * W) == TAPCUT_OK;
	for (int i = 0; i < 3 && job->ok; i++)
		job->ok = tapcut_session_click(s, W / 2 + 5 * i, H / 2, i != 1) == TAPCUT_OK &&
			  tapcut_session_alpha(s, job->masks[i], W) == TAPCUT_OK;
	tapcut_session_free(s);
	return NULL;
}

START_TEST(test_threads_share_a_model)
{
	static struct job alone, jobs[THREADS];
	struct tapcut_model *model;
	pthread_t threads[THREADS];
	int arithmetic = _i ? TAPCUT_ARITHMETIC_AUTO : TAPCUT_ARITHMETIC_FLOAT;
	photo_fill(photo, W, H, 3);
	ck_assert_int_eq(tapcut_model_load_file("infer/models/base.tapcut", &model, NULL), TAPCUT_OK);
	for (int i = 0; i < THREADS; i++) {
		jobs[i] = (struct job){.model = model, .arithmetic = arithmetic, .threads = 1 + i % 2};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, tap, &jobs[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	alone = (struct job){.model = model, .arithmetic = arithmetic, .threads = 1};
	tap(&alone);
	ck_assert(alone.ok);
	ck_assert_int_ne(memcmp(alone.masks[0], alone.masks[1], sizeof alone.masks[0]), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_msg(jobs[i].ok && memcmp(jobs[i].masks, alone.masks, sizeof alone.masks) == 0, "thread %d",
			      i);
	tapcut_model_free(model);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("abi");
	TCase *t = tcase_create("abi");
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, test_header, 0, sizeof compilers / sizeof *compilers);
	tcase_add_loop_test(t, test_cpp_names, 0, 2);
	tcase_add_test(t, test_odd_models);
	tcase_add_test(t, test_odd_sessions);
	tcase_add_test(t, test_odd_options);
	tcase_add_test(t, test_zero_is_the_default);
	tcase_add_test(t, test_nothing);
	tcase_add_test(t, test_odd_edits);
	tcase_add_loop_test(t, test_threads_share_a_model, 0, 2);
	suite_add_tcase(s, t);
	return s;
}

TEST_MAIN(suite)
