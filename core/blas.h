/* The only door to the BLAS. Only core/blas.c includes cblas.h.
 *
 * Each call runs on the calling thread: parallelism belongs to the slots of a batch, never to the inside of a product,
 * because a product cut among threads has other bits. */
#ifndef CORE_BLAS_H
#define CORE_BLAS_H

#include <stdbool.h>

#include "core/status.h"

/* Refuses (STATUS_CONFIG) the OpenMP build of OpenBLAS unless OMP_NUM_THREADS=1: there openblas_set_num_threads is a
 * silent no-op (OpenBLAS #5806) and results differ from run to run. Call it once before the first thread starts;
 * idempotent. */
enum status blas_check(void);

/* The kernel family that the library chose for this processor ("Haswell", "SkylakeX"...). Every speed figure and every
 * run log should name it. Static string. */
const char *blas_core_name(void);

/* C (m x n) = A (m x k) B (k x n) + beta C, row-major; A and B are stored transposed where transpose_a, transpose_b say
 * so. lda, ldb, ldc: floats from one stored row to the next. beta 0 does not read C. */
void blas_sgemm(bool transpose_a, bool transpose_b, int m, int n, int k, const float *a, int lda, const float *b,
		int ldb, float beta, float *c, int ldc);

#endif
