/* The only door to the BLAS. OpenBLAS is needed by the backend "openblas" alone, so it is no part of the build: it is
 * loaded (dlopen) when it is first asked for, and every other command starts without its threads and its memory.
 *
 * Which library: the one that the environment variable TAPCUT_OPENBLAS names, else the system's libopenblas, but rather
 * its pthread or serial variant than the OpenMP one, whose results change from run to run.
 *
 * Each call runs on the calling thread: parallelism belongs to the slots of a batch, never to the inside of a product,
 * because a product cut among threads has other bits. */
#ifndef CORE_BLAS_H
#define CORE_BLAS_H

#include <stdbool.h>

#include "core/status.h"

/* What was loaded. All strings are static. */
struct blas_info {
	const char *library; /* the name or path that was opened: "libopenblas.so.0" */
	const char *version; /* "0.3.21" */
	const char *core;    /* the kernel family that it chose for this processor: "Haswell", "SkylakeX"... */
};

/* Loads OpenBLAS where it is not loaded yet, and says what it is. NULL where there is none that can be used;
 * status_message() then says what was looked for and found. Any thread, any number of times. */
const struct blas_info *blas_info(void);

/* The start-up check of the backend: STATUS_CONFIG where no usable OpenBLAS is installed, and for its OpenMP build
 * unless OMP_NUM_THREADS=1: there openblas_set_num_threads is a silent no-op (OpenBLAS #5806) and results differ from
 * run to run. Call it before blas_sgemm and before the first thread starts; idempotent. */
enum status blas_check(void);

/* blas_info()->core, or "none". Every speed figure and every run log should name it. */
const char *blas_core_name(void);

/* C (m x n) = A (m x k) B (k x n) + beta C, row-major; A and B are stored transposed where transpose_a, transpose_b say
 * so. lda, ldb, ldc: floats from one stored row to the next. beta 0 does not read C. Only after blas_info() has found a
 * library. */
void blas_sgemm(bool transpose_a, bool transpose_b, int m, int n, int k, const float *a, int lda, const float *b,
		int ldb, float beta, float *c, int ldc);

#endif
