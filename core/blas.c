/* See blas.h. OpenBLAS is known to this file only: no header of it is included, the five functions that are used are
 * declared here, and a product whose value is known shows that the library is what the declarations say. */
#include "core/blas.h"

#include <assert.h>
#include <dlfcn.h>
#include <glob.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Values of cblas.h, the same in every implementation, and what openblas_get_parallel() returns. */
enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111, TRANSPOSE = 112 };
enum { PARALLEL_OPENMP = 2 };

struct openblas {
	void (*sgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a,
		      int lda, const float *b, int ldb, float beta, float *c, int ldc);
	void (*set_num_threads)(int threads);
	int (*get_parallel)(void);
	char *(*get_config)(void); /* "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH Haswell MAX_THREADS=64" */
	char *(*get_corename)(void);
};

/* Written once, by load(). */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct openblas blas;
static struct blas_info info; /* library NULL: there is none */
static char library[512], version[32], reason[1024];

/* --- one library ---------------------------------------------------------- */

/* One thread from the start: OpenBLAS would start one per processor, each with its own memory, while it is loaded, and
 * tries without end where the address space is limited (ulimit -v). The variable is given back to the user's programs
 * as it was. */
static void *open_with_one_thread(const char *name)
{
	static const char variable[] = "OPENBLAS_NUM_THREADS";
	const char *value = getenv(variable);
	char *before = value ? strdup(value) : NULL;
	setenv(variable, "1", 1);
	void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (before)
		setenv(variable, before, 1);
	else
		unsetenv(variable);
	free(before);
	return handle;
}

static bool find(void *handle, const char *name, void *function)
{
	void *symbol = dlsym(handle, name);
	memcpy(function, &symbol, sizeof symbol); /* POSIX: a function's address fits; C has no cast for it */
	return symbol;
}

/* (1 2; 3 4) (5 6; 7 8)^T, with rows further apart than they are long: wrong where integers have another size or the
 * order of arguments is another one. */
static bool product_is_right(const struct openblas *b)
{
	static const float left[] = {1, 2, 0, 3, 4, 0}, right[] = {5, 6, 7, 8}, want[] = {17, 23, 39, 53};
	float got[4] = {0};
	b->sgemm(ROW_MAJOR, NO_TRANSPOSE, TRANSPOSE, 2, 2, 2, 1, left, 3, right, 2, 0, got, 2);
	return memcmp(got, want, sizeof want) == 0;
}

/* False: `reason` says why this library cannot be used. */
static bool open_library(const char *name, struct openblas *b)
{
	void *handle = open_with_one_thread(name);
	if (!handle) {
		snprintf(reason, sizeof reason, "%s", dlerror());
		return false;
	}
	if (!find(handle, "openblas_get_config", &b->get_config) || !find(handle, "cblas_sgemm", &b->sgemm) ||
	    !find(handle, "openblas_set_num_threads", &b->set_num_threads) ||
	    !find(handle, "openblas_get_parallel", &b->get_parallel) ||
	    !find(handle, "openblas_get_corename", &b->get_corename)) {
		snprintf(reason, sizeof reason, "%s is another library: expected OpenBLAS with its cblas functions",
			 name);
		dlclose(handle);
		return false;
	}
	if (strstr(b->get_config(), "USE64BITINT") || !product_is_right(b)) {
		snprintf(reason, sizeof reason, "%s (%s) gives a wrong product: expected OpenBLAS with 32-bit integers",
			 name, b->get_config());
		return false;
	}
	return true;
}

/* --- which library -------------------------------------------------------- */

static void use(const char *name, const struct openblas *b)
{
	blas = *b;
	blas.set_num_threads(1);
	snprintf(library, sizeof library, "%s", name);
	if (sscanf(blas.get_config(), "%*s %31s", version) != 1)
		strcpy(version, "of unknown version");
	info = (struct blas_info){library, version, blas.get_corename()};
}

/* Takes the library unless it is the OpenMP variant, which is kept only where nothing else is found. True: done. */
static bool consider(const char *name)
{
	struct openblas b;
	if (!open_library(name, &b))
		return false;
	if (b.get_parallel() != PARALLEL_OPENMP) {
		use(name, &b);
		return true;
	}
	if (!info.library)
		use(name, &b);
	return false;
}

/* Debian installs the variants side by side and lets one of them have the common name. */
static bool consider_files(const char *pattern)
{
	glob_t found;
	bool done = false;
	if (glob(pattern, 0, NULL, &found) != 0)
		return false;
	for (size_t i = 0; i < found.gl_pathc && !done; i++)
		done = consider(found.gl_pathv[i]);
	globfree(&found);
	return done;
}

/* OpenBLAS asks for the memory of each calling thread without end until it is given. So a process whose address space
 * is limited to less than it could want does not load it. */
static bool memory_is_limited(void)
{
	rlim_t processors = (rlim_t)sysconf(_SC_NPROCESSORS_ONLN);
	rlim_t need = ((rlim_t)1 << 30) + processors * ((rlim_t)256 << 20); /* measured: 0.6 GB for 2 threads */
	struct rlimit limit;
	if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= need)
		return false;
	snprintf(reason, sizeof reason,
		 "the address space is limited to %llu KiB (ulimit -v), and with less than it wants OpenBLAS waits for "
		 "ever: expected no limit, or at least %llu KiB on %llu processors",
		 (unsigned long long)limit.rlim_cur >> 10, (unsigned long long)need >> 10,
		 (unsigned long long)processors);
	return true;
}

static void load(void)
{
	if (memory_is_limited())
		return;
	const char *name = getenv("TAPCUT_OPENBLAS");
	if (name && *name) {
		consider(name);
		return;
	}
	if (consider("libopenblas.so.0") || consider("libopenblasp.so.0") || consider("libopenblas.so") ||
	    consider_files("/usr/lib/*/openblas-pthread/libopenblas.so.0"))
		return;
	consider_files("/usr/lib/*/openblas-serial/libopenblas.so.0");
}

/* --- for the others ------------------------------------------------------- */

const struct blas_info *blas_info(void)
{
	pthread_once(&once, load);
	if (info.library)
		return &info;
	status_fail(STATUS_CONFIG,
		    "OpenBLAS could not be loaded: %s; expected an OpenBLAS in the library path (Debian: "
		    "libopenblas0-pthread) or its file in the environment variable TAPCUT_OPENBLAS",
		    reason);
	return NULL;
}

enum status blas_check(void)
{
	if (!blas_info())
		return STATUS_CONFIG;
	const char *threads = getenv("OMP_NUM_THREADS");
	if (blas.get_parallel() == PARALLEL_OPENMP && (!threads || strcmp(threads, "1") != 0))
		return status_fail(STATUS_CONFIG,
				   "this OpenBLAS (%s) is the OpenMP build, whose results change from run to run: "
				   "expected the pthread or serial build (libopenblas0-pthread) or OMP_NUM_THREADS=1, "
				   "found OMP_NUM_THREADS=%s",
				   info.library, threads ? threads : "(unset)");
	return STATUS_OK;
}

const char *blas_core_name(void)
{
	return blas_info() ? info.core : "none";
}

void blas_sgemm(bool transpose_a, bool transpose_b, int m, int n, int k, const float *a, int lda, const float *b,
		int ldb, float beta, float *c, int ldc)
{
	assert(blas.sgemm);
	blas.sgemm(ROW_MAJOR, transpose_a ? TRANSPOSE : NO_TRANSPOSE, transpose_b ? TRANSPOSE : NO_TRANSPOSE, m, n, k,
		   1, a, lda, b, ldb, beta, c, ldc);
}
