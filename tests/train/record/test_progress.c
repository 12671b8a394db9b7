/* The progress line where there is no terminal: plain lines, and silence when asked. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/test.h"
#include "train/record/progress.h"

static char text[4096];

/* What `run` writes on stderr. */
static void capture(void (*run)(void))
{
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);
	ck_assert(file && kept >= 0);
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	run();
	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	close(kept);
	rewind(file);
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
}

static void check_duration(double seconds, const char *expected)
{
	char duration[32];
	progress_duration(seconds, duration, sizeof duration);
	ck_assert_str_eq(duration, expected);
}

START_TEST(durations)
{
	check_duration(0, "0:00");
	check_duration(59.6, "1:00");
	check_duration(187, "3:07");
	check_duration(3753, "1:02:33");
	check_duration(-1, "0:00");
	check_duration(1e300, "0:00");
}
END_TEST

static void run_short(void)
{
	struct progress progress;
	progress_start(&progress, "train", 10, 4, false);
	for (unsigned i = 5; i <= 10; i++)
		progress_update(&progress, i, "loss %.1f", 1.0 / i);
	progress_message(&progress, "a message");
	progress_end(&progress);
	progress_end(&progress);
}

START_TEST(a_short_job_says_one_line)
{
	capture(run_short);
	ck_assert_str_eq(text, "a message\ntrain 10/10  loss 0.1  0:00\n");
}
END_TEST

static void run_quiet(void)
{
	struct progress progress;
	progress_start(&progress, "train", 10, 0, true);
	progress_update(&progress, 10, "%s", "");
	progress_message(&progress, "a message");
	progress_end(&progress);
}

START_TEST(quiet)
{
	capture(run_quiet);
	ck_assert_str_eq(text, "");
}
END_TEST

static void run_nothing(void)
{
	struct progress progress;
	progress_start(&progress, "scenes", 0, 0, false);
	progress_end(&progress);
}

START_TEST(nothing_to_do)
{
	capture(run_nothing);
	ck_assert_str_eq(text, "scenes 0/0  0:00\n");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("progress");
	TCase *tcase = tcase_create("progress");
	tcase_add_test(tcase, durations);
	tcase_add_test(tcase, a_short_job_says_one_line);
	tcase_add_test(tcase, quiet);
	tcase_add_test(tcase, nothing_to_do);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
