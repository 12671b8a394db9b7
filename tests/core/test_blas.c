/* The BLAS wrapper: products against loops, transposes, row strides; which library is loaded and which is refused. */
#include "core/blas.h"

#include <glob.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend.h"
#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

enum { M = 5, N = 7, K = 9, ROW = 12, ROWS = 12 };

static float a[ROWS * ROW], b[ROWS * ROW], c[ROWS * ROW], expected[ROWS * ROW];

static void expect_product(bool transpose_a, bool transpose_b, float beta)
{
	for (int i = 0; i < M; i++)
		for (int j = 0; j < N; j++) {
			double sum = beta == 0 ? 0 : (double)beta * (double)c[i * ROW + j];
			for (int k = 0; k < K; k++)
				sum += (double)(transpose_a ? a[k * ROW + i] : a[i * ROW + k]) *
				       (double)(transpose_b ? b[j * ROW + k] : b[k * ROW + j]);
			expected[i * ROW + j] = (float)sum;
		}
}

START_TEST(product_equals_loops)
{
	if (!test_has_openblas())
		return;
	bool transpose_a = _i & 1, transpose_b = _i & 2;
	float beta = _i & 4 ? 1 : 0;
	test_fill(a, ROWS * ROW, FILL_UNIFORM, 1);
	test_fill(b, ROWS * ROW, FILL_UNIFORM, 2);
	test_fill(c, ROWS * ROW, FILL_UNIFORM, 3);
	memcpy(expected, c, sizeof c); /* what lies between rows must stay */
	expect_product(transpose_a, transpose_b, beta);
	for (int i = 0; beta == 0 && i < M; i++)
		for (int j = 0; j < N; j++)
			c[i * ROW + j] = NAN;
	blas_sgemm(transpose_a, transpose_b, M, N, K, a, ROW, b, ROW, beta, c, ROW);
	assert_close(c, expected, ROWS * ROW, 1e-5, "product");
}
END_TEST

START_TEST(check_passes_here_and_names_the_core)
{
	if (!test_has_openblas())
		return;
	ck_assert_msg(blas_check() == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(blas_check(), STATUS_OK);
	ck_assert_str_eq(blas_core_name(), blas_info()->core);
	ck_assert_msg(strlen(blas_core_name()) > 0 && strchr(blas_info()->version, '.') && *blas_info()->library,
		      "%s %s %s", blas_info()->library, blas_info()->version, blas_info()->core);
}
END_TEST

/* --- libraries that cannot be used: each test is a process of its own, in which none is loaded yet --- */

static void expect_refusal(const char *library, const char *part)
{
	setenv("TAPCUT_OPENBLAS", library, 1);
	ck_assert_ptr_null(blas_info());
	ck_assert(strstr(status_message(), library) && strstr(status_message(), part));
	ck_assert_str_eq(blas_core_name(), "none");
	ck_assert_int_eq(backend_select("openblas"), STATUS_CONFIG);
	ck_assert_msg(strstr(status_message(), part), "%s", status_message());
	ck_assert_str_eq(backend_current()->name, "native");
}

START_TEST(without_openblas_it_says_so)
{
	expect_refusal("/nonexistent/libopenblas.so.0", "libopenblas0-pthread");
}
END_TEST

START_TEST(another_library_is_refused)
{
	expect_refusal("libz.so.1", "is another library: expected OpenBLAS");
}
END_TEST

/* The trap of a machine with the reference BLAS: all of cblas, and nothing of OpenBLAS. */
START_TEST(reference_blas_is_refused)
{
	glob_t found;
	if (glob("/usr/lib/*/blas/libblas.so.3", 0, NULL, &found) != 0) {
		test_skip("the reference BLAS is not here (libblas3)");
		return;
	}
	expect_refusal(found.gl_pathv[0], "is another library: expected OpenBLAS");
	globfree(&found);
}
END_TEST

START_TEST(the_environment_stays)
{
	setenv("OPENBLAS_NUM_THREADS", "3", 1);
	if (!test_has_openblas())
		return;
	ck_assert_str_eq(getenv("OPENBLAS_NUM_THREADS"), "3");
}
END_TEST

/* A product large enough that OpenBLAS would cut it among threads if it were allowed to. */
enum { LARGE = 300, THREADS = 4 };
static float large_a[LARGE * LARGE], large_b[LARGE * LARGE], large_c[THREADS][LARGE * LARGE];

static void *multiply(void *to)
{
	blas_sgemm(false, false, LARGE, LARGE, LARGE, large_a, LARGE, large_b, LARGE, 0, to, LARGE);
	return NULL;
}

START_TEST(threads_get_the_same_bits)
{
	if (!test_has_openblas())
		return;
	test_fill(large_a, LARGE * LARGE, FILL_UNIFORM, 1);
	test_fill(large_b, LARGE * LARGE, FILL_UNIFORM, 2);
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, multiply, large_c[i]), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	for (int i = 1; i < THREADS; i++)
		ck_assert(memcmp(large_c[0], large_c[i], sizeof large_c[0]) == 0);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("blas");
	TCase *tcase = tcase_create("blas");
	tcase_add_loop_test(tcase, product_equals_loops, 0, 8);
	tcase_add_test(tcase, check_passes_here_and_names_the_core);
	tcase_add_test(tcase, without_openblas_it_says_so);
	tcase_add_test(tcase, another_library_is_refused);
	tcase_add_test(tcase, reference_blas_is_refused);
	tcase_add_test(tcase, the_environment_stays);
	tcase_add_test(tcase, threads_get_the_same_bits);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
