/* How little a command needs before it starts: no library beyond those that it uses, no threads, a small address
 * space. OpenBLAS, which only compute.backend "openblas" needs, starts threads with memory of their own while it is
 * loaded, and where the address space is limited it tried again without end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/ports/shell.h"
#include "tests/support/program.h"

#ifdef __SANITIZE_ADDRESS__
static const bool limited = false; /* AddressSanitizer needs terabytes of it */
#else
static const bool limited = true;
#endif

enum { ADDRESS_SPACE = 64 * 1024, PATIENCE = 120 }; /* KiB; seconds, after which it hangs */

START_TEST(starts_in_a_small_address_space)
{
	static const char *const commands[] = {"--help", "train --help", "inspect infer/models/base.tapcut"};
	if (!limited) {
		test_skip("ulimit -v: not under AddressSanitizer");
		return;
	}
	int code;
	const char *said = shell_try(&code, "ulimit -v %d && timeout %d '%s/tapcut' %s", ADDRESS_SPACE, PATIENCE,
				     shell_build(), commands[_i]);
	ck_assert_msg(code == 0, "tapcut %s ended with %d: %s", commands[_i], code, said);
	ck_assert(strlen(said) > 100);
}
END_TEST

/* Also where OpenBLAS is installed: the program does not ask for it. */
START_TEST(needs_no_openblas)
{
	if (!shell_has("readelf", "the program's libraries"))
		return;
	const char *needed = shell("readelf -d '%s/tapcut'", shell_build());
	ck_assert_msg(!strstr(needed, "blas"), "%s", needed);
	ck_assert_msg(strstr(needed, "NEEDED"), "%s", needed);
}
END_TEST

START_TEST(openblas_that_is_not_there_is_a_clear_error)
{
	const char *dir = test_tmp_dir("start");
	setenv("TAPCUT_OPENBLAS", "/nonexistent/libopenblas.so.0", 1);
	const char *run = tiny_run(dir);
	tapcut_fails(1, "compute backend \"openblas\": OpenBLAS could not be loaded: /nonexistent/libopenblas.so.0",
		     "%s --out %s/run --steps 2 --set compute.backend=openblas", run, dir);
	tapcut_ok("%s --out %s/run --steps 2", run, dir);
	if (limited) {
		unsetenv("TAPCUT_OPENBLAS");
		int code;
		const char *said = shell_try(
			&code,
			"ulimit -v 200000 && '%s/tapcut' %s --out '%s/run' --force --set compute.backend=openblas",
			shell_build(), run, dir);
		ck_assert_msg(code == 1 && strstr(said, "the address space is limited to 200000 KiB"), "%d: %s", code,
			      said);
	}
	shell("rm -rf '%s'", dir);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("start");
	TCase *tcase = tcase_create("start");
	tcase_set_timeout(tcase, 4 * PATIENCE);
	tcase_add_loop_test(tcase, starts_in_a_small_address_space, 0, 3);
	tcase_add_test(tcase, needs_no_openblas);
	tcase_add_test(tcase, openblas_that_is_not_there_is_a_clear_error);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
