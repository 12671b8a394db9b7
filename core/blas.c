/* See blas.h. OpenBLAS is known to this file only. */
#include "core/blas.h"

#include <cblas.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What openblas_get_parallel() returns. */
enum { PARALLEL_OPENMP = 2 };

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void force_one_thread(void)
{
	openblas_set_num_threads(1);
}

enum status blas_check(void)
{
	pthread_once(&once, force_one_thread);
	const char *threads = getenv("OMP_NUM_THREADS");
	if (openblas_get_parallel() == PARALLEL_OPENMP && (!threads || strcmp(threads, "1") != 0))
		return status_fail(STATUS_CONFIG,
				   "this OpenBLAS is the OpenMP build, whose results change from run to run: expected "
				   "the pthread or serial build (libopenblas0-pthread) or OMP_NUM_THREADS=1, found "
				   "OMP_NUM_THREADS=%s",
				   threads ? threads : "(unset)");
	return STATUS_OK;
}

const char *blas_core_name(void)
{
	return openblas_get_corename();
}

void blas_sgemm(bool transpose_a, bool transpose_b, int m, int n, int k, const float *a, int lda, const float *b,
		int ldb, float beta, float *c, int ldc)
{
	pthread_once(&once, force_one_thread); /* for those who never call blas_check: one load when done */
	cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, m,
		    n, k, 1, a, lda, b, ldb, beta, c, ldc);
}
