/* What every test program starts from: one Check suite, one main. Each tests/.../test_NAME.c is a program of its
 * own, so that a crash in one does not hide the others. */
#ifndef TESTS_SUPPORT_TEST_H
#define TESTS_SUPPORT_TEST_H

#include <check.h>
#include <stdbool.h>

/* Check writes to a file at every assertion that holds, so that it can name the last one before a crash: two system
 * calls each, and half a minute in a loop over the million parameters of a network. Here an assertion that holds costs
 * a comparison; after a crash, AddressSanitizer (make asan) or a debugger tells where. */
#if CHECK_MAJOR_VERSION == 0 && CHECK_MINOR_VERSION >= 15
#undef ck_assert_msg
#define ck_assert_msg(expr, ...) \
	((expr) ? (void)0 : _ck_assert_failed(__FILE__, __LINE__, "Assertion '" #expr "' failed", __VA_ARGS__))
#endif

/* Runs the suite and prints Check's summary line; the value for main to return. */
int test_run(Suite *suite);

/* For what needs data or a tool that may be absent: prints "SKIP: reason" (counted by tests/run.sh); then return. */
void test_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether OpenBLAS can be loaded (core/blas.h); else says that what is compared with it is skipped. */
bool test_has_openblas(void);

/* "../shared/data/NAME" (or $TAPCUT_SHARED/NAME) if it exists, else NULL after test_skip. Static buffer. */
const char *test_shared_data(const char *name);

/* A fresh empty directory under the build folder's tmp; static buffer. */
const char *test_tmp_dir(const char *name);

/* Called before the suite is made: no test may fail because the machine is busy, so a test has half an hour where Check
 * gives it 4 seconds, and thirty times what its tcase_set_timeout says. CK_DEFAULT_TIMEOUT and CK_TIMEOUT_MULTIPLIER in
 * the environment go before. */
void test_set_limits(void);

#define TEST_MAIN(make_suite)                  \
	int main(void)                         \
	{                                      \
		test_set_limits();             \
		return test_run(make_suite()); \
	}

/* Whether this is a build for AddressSanitizer, where a trainer takes ten times as long. */
#if defined(__SANITIZE_ADDRESS__)
enum { TEST_SANITIZED = 1 };
#else
enum { TEST_SANITIZED = 0 };
#endif

#endif
