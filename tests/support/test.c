/* See test.h. */
#include "tests/support/test.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/blas.h"

void test_set_limits(void)
{
	setenv("CK_DEFAULT_TIMEOUT", "60", 0);
	setenv("CK_TIMEOUT_MULTIPLIER", "30", 0);
}

int test_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, getenv("TEST_VERBOSE") ? CK_VERBOSE : CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

void test_skip(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	printf("SKIP: ");
	vprintf(format, args);
	printf("\n");
	fflush(stdout);
	va_end(args);
}

bool test_has_openblas(void)
{
	bool has = blas_info();
	if (!has)
		test_skip("comparison with OpenBLAS: %s", status_message());
	return has;
}

const char *test_shared_data(const char *name)
{
	static char path[1024];
	const char *root = getenv("TAPCUT_SHARED");
	snprintf(path, sizeof path, "%s/%s", root ? root : "../shared/data", name);
	if (access(path, R_OK) == 0)
		return path;
	test_skip("%s is not here", path);
	return NULL;
}

const char *test_tmp_dir(const char *name)
{
	static char path[1024];
	const char *build = getenv("BUILD");
	snprintf(path, sizeof path, "%s/tmp", build ? build : "build");
	mkdir(path, 0777);
	snprintf(path, sizeof path, "%s/tmp/%s.%d", build ? build : "build", name, (int)getpid());
	char command[1100];
	snprintf(command, sizeof command, "rm -rf '%s'", path);
	if (system(command) != 0 || mkdir(path, 0777) != 0)
		perror(path);
	return path;
}
