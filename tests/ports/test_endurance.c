/* Very many taps without growth: not an allocation, not a page more at the end than at the beginning, and the same
 * mask. The quick run has a network of a few weights and 20,000 taps; make endurance has 100,000, and the real
 * network. */
#include "infer/tapcut.h"
#include "tests/ports/counted.h"
#include "tests/ports/photo.h"
#include "tests/support/test.h"

#include <malloc.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { W = 24, H = 20, TAPS = 100000, TAPS_OF_A_TURN = 20 };

static bool is_long(void)
{
	return getenv("ENDURANCE") != NULL;
}

/* What is this process's own: memory without the pages of files, which come in as code is first run. */
static long resident_bytes(void)
{
	long all = 0, resident = 0, of_files = 0;
	FILE *in = fopen("/proc/self/statm", "r");
	if (in) {
		ck_assert_int_eq(fscanf(in, "%ld %ld %ld", &all, &resident, &of_files), 3);
		fclose(in);
	}
	return (resident - of_files) * sysconf(_SC_PAGESIZE);
}

static struct tapcut_session *open_session(const char *path, int threads, int graph_cut, struct tapcut_model **model)
{
	static uint8_t rgb[3 * W * H];
	struct tapcut_options options;
	struct tapcut_session *s;
	char message[TAPCUT_MESSAGE_SIZE];
	tapcut_options_init(&options);
	options.size = 32;
	options.first_size = 16;
	options.threads = threads;
	options.graph_cut = graph_cut;
	photo_fill(rgb, W, H, 1);
	ck_assert_msg(COUNTED(tapcut_model_load_file(path, model, message)) == TAPCUT_OK, "%s", message);
	ck_assert_msg(COUNTED(tapcut_session_new(*model, &options, &s, message)) == TAPCUT_OK, "%s", message);
	ck_assert_int_eq(COUNTED(tapcut_session_set_image(s, rgb, W, H, 3 * W)), TAPCUT_OK);
	return s;
}

/* Some taps, an undo, results, and back to none. Returns how many taps the network has run for. */
static int turn(struct tapcut_session *s, uint8_t mask[W * H])
{
	static uint8_t alpha[W * H];
	COUNTED_DO(tapcut_session_reset(s));
	for (int i = 0; i < TAPS_OF_A_TURN; i++)
		ck_assert_int_eq(COUNTED(tapcut_session_click(s, (12 + 7 * i) % W, (10 + 5 * i) % H, i % 3 != 2)),
				 TAPCUT_OK);
	ck_assert_int_eq(COUNTED(tapcut_session_mask(s, mask, W)), TAPCUT_OK);
	ck_assert_int_eq(COUNTED(tapcut_session_alpha(s, alpha, W)), TAPCUT_OK);
	return TAPS_OF_A_TURN;
}

static void endure(const char *path, int taps, int threads, int graph_cut)
{
	struct tapcut_model *model;
	static uint8_t first[W * H], mask[W * H];
	struct tapcut_session *s = open_session(path, threads, graph_cut, &model);
	turn(s, first);
	for (int i = 0; i < 10; i++)
		turn(s, mask);
	COUNTED_DO(tapcut_session_reset(s));
	ck_assert_int_eq(COUNTED(tapcut_session_click(s, 3, 3, 1)), TAPCUT_OK);
	ck_assert_int_eq(COUNTED(tapcut_session_undo(s)), TAPCUT_OK);
	long resident = resident_bytes(), calls = counted_calls;
	size_t bytes = tapcut_session_bytes(s);
#if !defined(__SANITIZE_ADDRESS__)
	struct mallinfo2 before = mallinfo2();
#endif
	clock_t start = clock();
	for (int done = 0; done < taps;)
		done += turn(s, mask);
	double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
	ck_assert_int_eq(counted_calls, calls);
	ck_assert_mem_eq(mask, first, sizeof mask);
	ck_assert_uint_eq(tapcut_session_bytes(s), bytes);
#if !defined(__SANITIZE_ADDRESS__)
	struct mallinfo2 after = mallinfo2();
	ck_assert_uint_eq(after.uordblks + after.hblkhd, before.uordblks + before.hblkhd);
	ck_assert_int_le(resident_bytes(), resident);
#endif
	if (is_long())
		printf("%s: %d taps in %.1f s of processor time, no allocation, %ld kB resident before and %ld after\n",
		       path, taps, seconds, resident / 1024, resident_bytes() / 1024);
	COUNTED_DO(tapcut_session_free(s));
	COUNTED_DO(tapcut_model_free(model));
}

START_TEST(test_many_taps)
{
	static const char *const models[] = {"tests/infer/golden/tiny_f32.tapcut",
					     "tests/infer/golden/tiny_8bit.tapcut"};
#if defined(__SANITIZE_ADDRESS__)
	endure(models[_i], TAPS / 20, 1, 0);
#else
	endure(models[_i], is_long() ? TAPS : TAPS / 5, 1, 0);
#endif
	endure(models[_i], 200, 2, 1);
}
END_TEST

START_TEST(test_many_taps_of_the_real_model)
{
	endure("infer/models/base.tapcut", TAPS, 1, 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("endurance");
	TCase *t = tcase_create("endurance");
	tcase_set_timeout(t, is_long() ? 3000 : 120);
	tcase_add_loop_test(t, test_many_taps, 0, 2);
	if (is_long())
		tcase_add_test(t, test_many_taps_of_the_real_model);
	suite_add_tcase(s, t);
	return s;
}

TEST_MAIN(suite)
