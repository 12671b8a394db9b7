/* Setting up on machines that are not as they should be: a header without its library, no rights, no network, another
 * compiler, two makes at once, spaces in the path of the tree. The machines are played by folders that go before the
 * real ones in PATH and CPATH. SETUP=all adds what takes long: make demo in minimal systems (tests/setup/chroot.sh). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/ports/shell.h"
#include "tests/support/program.h"

static char dir[1024]; /* absolute: commands change folders */

static void make_dir(void)
{
	char here[512];
	ck_assert_ptr_nonnull(getcwd(here, sizeof here));
	const char *tmp = test_tmp_dir("setup");
	snprintf(dir, sizeof dir, "%s%s%s", *tmp == '/' ? "" : here, *tmp == '/' ? "" : "/", tmp);
	shell("mkdir '%s/bin' '%s/include'", dir, dir);
}

static void remove_dir(void)
{
	shell("rm -rf '%s'", dir);
}

/* A program in a folder that goes before the real ones. */
static void fake(const char *name, const char *script)
{
	char path[1200];
	snprintf(path, sizeof path, "%s/bin/%s", dir, name);
	spit(path, script, strlen(script));
	shell("chmod +x '%s'", path);
}

static void fake_header(const char *name, const char *text)
{
	char path[1200];
	snprintf(path, sizeof path, "%s/include/%s", dir, name);
	shell("mkdir -p \"$(dirname '%s')\"", path);
	spit(path, text, strlen(text));
}

/* --- what is there -------------------------------------------------------- */

START_TEST(all_is_there)
{
	/* What the tests run on: nothing that the build needs is missing, and install-deps.sh says nothing. */
	const char *missing = shell("tools/configure.sh missing | grep -v '^option ' || true");
	ck_assert_str_eq(missing, "");
	ck_assert_str_eq(shell("tools/install-deps.sh build"), "");
}
END_TEST

static const struct trap {
	const char *header, *text, *package;
} traps[] = {
	/* cJSON 1.7.10, before cJSON_ParseWithLengthOpts. */
	{"cjson/cJSON.h",
	 "typedef int cJSON_bool; typedef struct cJSON cJSON; cJSON *cJSON_Parse(const char *);"
	 "cJSON *cJSON_CreateNumber(double); void cJSON_AddItemToArray(cJSON *, cJSON *);",
	 "libcjson-dev"},
	/* A header of that name, and no library behind it. */
	{"zlib.h", "typedef unsigned long uLong; typedef uLong uLongf; int tapcut_other_zlib(void);", "zlib1g-dev"},
	/* A libjpeg whose structures have another size: found when it runs. */
	{"jpeglib.h", "#include_next <jpeglib.h>\n#undef JPEG_LIB_VERSION\n#define JPEG_LIB_VERSION 90\n",
	 "libjpeg-dev"},
	{"check.h", "#error \"another check.h\"\n", "check"},
};

START_TEST(a_header_alone_is_no_library)
{
	const struct trap *t = &traps[_i];
	fake_header(t->header, t->text);
	const char *missing = shell("CPATH='%s/include' tools/configure.sh missing | grep -v '^option '", dir);
	ck_assert_msg(strstr(missing, t->package) && strchr(missing, '\n') == missing + strlen(missing) - 1,
		      "not %s alone: %s", t->package, missing);
}
END_TEST

/* --- what can be installed ------------------------------------------------ */

/* A machine that lacks cJSON; apt-get does as the script says. */
static const char *install(int *code, const char *user, const char *apt)
{
	char id[64];
	fake_header(traps[0].header, traps[0].text);
	snprintf(id, sizeof id, "#!/bin/sh\necho %s\n", user);
	fake("id", id);
	fake("apt-get", apt);
	return shell_try(code, "PATH='%s/bin':\"$PATH\" CPATH='%s/include' tools/install-deps.sh build", dir, dir);
}

START_TEST(not_root_and_no_sudo)
{
	int code;
	shell_try(&code, "command -v sudo");
	if (code == 0) {
		test_skip("a machine without sudo: sudo is here");
		return;
	}
	const char *said = install(&code, "1000", "#!/bin/sh\necho it was called\n");
	ck_assert_msg(code == 1 && strstr(said, "You are not root and sudo is not here"), "%d: %s", code, said);
	ck_assert_msg(strstr(said, "apt-get install libcjson-dev\n") && !strstr(said, "it was called"), "%s", said);
}
END_TEST

START_TEST(sudo_that_refuses)
{
	int code;
	fake("sudo", "#!/bin/sh\necho 'sudo: a password is required'; exit 1\n");
	const char *said = install(&code, "1000", "#!/bin/sh\nexit 0\n");
	ck_assert_msg(code == 1 && strstr(said, "apt-get install libcjson-dev\n"), "%d: %s", code, said);
}
END_TEST

START_TEST(no_network)
{
	int code;
	const char *said =
		install(&code, "0", "#!/bin/sh\n[ \"$1\" = update ] || { echo 'E: no network'; exit 100; }\n");
	ck_assert_msg(code == 1, "%d: %s", code, said);
	const char *error = strstr(said, "E: no network");
	ck_assert_msg(error && strstr(error, "apt-get install libcjson-dev\n"), "%s", said);
}
END_TEST

START_TEST(installed_and_still_wrong)
{
	int code;
	const char *said = install(&code, "0", "#!/bin/sh\nexit 0\n");
	ck_assert_msg(code == 1 && strstr(said, "is not what tapcut needs") && strstr(said, "cJSON 1.7.13 or later"),
		      "%d: %s", code, said);
}
END_TEST

START_TEST(the_build_says_what_is_missing)
{
	int code;
	fake_header(traps[0].header, traps[0].text);
	const char *said =
		shell_try(&code, "CPATH='%s/include' make BUILD='%s/build' '%s/build/core/text.o'", dir, dir, dir);
	ck_assert_msg(code == 2 && strstr(said, "cJSON 1.7.13 or later") && strstr(said, "make deps"), "%d: %s", code,
		      said);
}
END_TEST

/* --- how it is built ------------------------------------------------------ */

#define OBJECT "make --no-print-directory BUILD='%s/build' '%s/build/core/text.o' "

START_TEST(a_change_of_flags_compiles_anew)
{
	const char *object = in(dir, "build/core/text.o");
	ck_assert(strstr(shell(OBJECT, dir, dir), "CC"));
	ck_assert(!strstr(shell(OBJECT, dir, dir), "CC"));
	ck_assert(strstr(shell(OBJECT "CFLAGS=-O1", dir, dir), "CC"));
	ck_assert(!strstr(shell(OBJECT "CFLAGS=-O1", dir, dir), "CC"));
	ck_assert(exists(object));
	/* A library that was exchanged: what was compiled with the old one's header does not stay. */
	fake_header("zlib.h", "#include_next <zlib.h>\n");
	ck_assert(strstr(shell("touch -d '2001-01-01' '%s/include/zlib.h'; CPATH='%s/include' " OBJECT "CFLAGS=-O1",
			       dir, dir, dir, dir),
			 "CC"));
	if (shell_has("clang", "another compiler"))
		ck_assert(strstr(shell(OBJECT "CFLAGS=-O1 CC=clang", dir, dir), "CC"));
}
END_TEST

START_TEST(an_undeclared_function_is_an_error)
{
	int code;
	const char *flags = shell("make --no-print-directory -pn BUILD='%s/build' help | sed -n 's/^WARN *= //p'", dir);
	ck_assert_msg(strstr(flags, "-Werror=implicit-function-declaration"), "%s", flags);
	const char *said = shell_try(&code,
				     "echo 'int f(void) { return g(); }' | %s $(make --no-print-directory -pn "
				     "BUILD='%s/build' help | sed -n 's/^WARN *= //p') -xc -fsyntax-only -",
				     shell_compiler(), dir);
	ck_assert_msg(code != 0, "%s", said);
}
END_TEST

START_TEST(clang_where_there_is_no_gcc)
{
	if (!shell_has("clang", "a machine with clang alone"))
		return;
	/* The programs of this machine but for the compilers. */
	shell("cd '%s/bin' && for f in /bin/* /usr/bin/*; do case ${f##*/} in *gcc* | cc | c99* | c89* | *g++* | c++ | "
	      "*-cpp*) ;; *) [ -e \"${f##*/}\" ] || ln -s \"$f\" .; esac; done",
	      dir);
	shell("env -u CC PATH='%s/bin' tools/configure.sh write '%s/config.mk'", dir, dir);
	shell("grep -qx 'CONFIG_CC := clang' '%s/config.mk' && grep -qx 'CONFIG_MISSING := *' '%s/config.mk'", dir,
	      dir);
}
END_TEST

/* The libraries and headers are found by what is beside the Makefile, so a folder above may have any name. */
START_TEST(spaces_in_the_path_of_the_tree)
{
	shell("mkdir -p '%s/odd place' && tar -c --exclude=./build --exclude=./runs --exclude=./demo --exclude=./.git "
	      ". | tar -x -C '%s/odd place'",
	      dir, dir);
	shell("cd '%s/odd place' && make CFLAGS=-O0 build/core/text.o build/core/kernels/table.generic.o "
	      "build/tests/support/test.o check-layers help",
	      dir);
	shell("cd '%s/odd place' && make -n install demo test web 2>&1 | grep -i 'no rule' && exit 1; true", dir);
}
END_TEST

START_TEST(a_build_folder_with_a_space_is_refused)
{
	int code;
	const char *said = shell_try(&code, "make BUILD='%s/odd place'", dir);
	ck_assert_msg(code == 2 && strstr(said, "BUILD: expected a folder whose name has no space"), "%s", said);
}
END_TEST

/* Nothing but the folder that is named is written to. */
START_TEST(a_build_folder_that_cannot_be_made)
{
	int code;
	const char *said = shell_try(&code, "make BUILD=/proc/nowhere /proc/nowhere/core/text.o");
	ck_assert_msg(code == 2 && strstr(said, "/proc/nowhere cannot be written: make BUILD=FOLDER"), "%s", said);
}
END_TEST

/* Both end well, and what they made is whole: a third one finds nothing to do. */
START_TEST(two_makes_at_once)
{
#define LIBRARY "make --no-print-directory -j2 BUILD='%s/build' CFLAGS=-O0 '%s/build/libconvert.a'"
	shell("(" LIBRARY ") >'%s/one' 2>&1 & one=$!; (" LIBRARY ") >'%s/two' 2>&1; two=$?; "
	      "wait $one && [ $two -eq 0 ] || { cat '%s/one' '%s/two'; exit 1; }",
	      dir, dir, dir, dir, dir, dir, dir, dir);
	shell(LIBRARY " && nm '%s/build/libconvert.a' | grep -q ' T safetensors_'", dir, dir, dir);
	ck_assert_str_eq(shell("find '%s/build' -name '*.o.*' -o -name '*.a.*'", dir), "");
	ck_assert(!strstr(shell(LIBRARY, dir, dir), "CC"));
}
END_TEST

/* Two packages for one folder: one npm after the other. */
START_TEST(two_npm_at_once)
{
	if (!shell_has("flock", "one npm at a time"))
		return;
	fake("npm", "#!/bin/sh\necho begin >>\"$NPM_LOG\"; sleep 0.3; echo end >>\"$NPM_LOG\"\n");
	shell("NPM_LOG='%s/log' PATH='%s/bin':\"$PATH\" make -j2 BUILD='%s/build' NPM='%s/npm' npm-onnxruntime npm-web",
	      dir, dir, dir, dir);
	ck_assert_str_eq(shell("cat '%s/log'", dir), "begin\nend\nbegin\nend\n");
}
END_TEST

/* make says what it does, and nothing of itself. */
START_TEST(make_is_quiet)
{
	shell("make BUILD='%s/build' CFLAGS=-O0 test-built T=none-has-this-name -n >'%s/said' 2>&1", dir, dir);
	shell("make BUILD='%s/build' -n asan T=none-has-this-name >>'%s/said' 2>&1", dir, dir);
	ck_assert_str_eq(shell("grep -m3 -e jobserver -e 'No such file' -e 'make.*warning' '%s/said' || true", dir),
			 "");
}
END_TEST

START_TEST(help_names_the_targets)
{
	const char *said = shell("make help");
	ck_assert(strstr(said, "make test") && strstr(said, "make install") && strstr(said, "make web"));
}
END_TEST

/* --- a machine that has nothing yet --------------------------------------- */

START_TEST(minimal_systems)
{
	static const char *const scenarios[] = {"bare", "trap", "guest", "clang"};
	const char *setup = getenv("SETUP");
	if (!setup || strcmp(setup, "all") != 0) {
		test_skip("make demo in a minimal system (%s): SETUP=all runs it, in minutes", scenarios[_i]);
		return;
	}
	if (geteuid() != 0) {
		test_skip("make demo in a minimal system (%s): only as root", scenarios[_i]);
		return;
	}
	if (!shell_has("debootstrap", "make demo in a minimal system"))
		return;
	printf("%s", shell("DEMO_STEPS=\"${DEMO_STEPS:-60}\" tests/setup/chroot.sh %s", scenarios[_i]));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("setup");
	TCase *tcase = tcase_create("setup");
#ifdef __SANITIZE_ADDRESS__
	tcase_add_test(tcase, help_names_the_targets); /* the rest runs nothing that this build has made */
	suite_add_tcase(suite, tcase);
	return suite;
#endif
	tcase_add_checked_fixture(tcase, make_dir, remove_dir);
	tcase_set_timeout(tcase, 240);
	tcase_add_test(tcase, all_is_there);
	tcase_add_loop_test(tcase, a_header_alone_is_no_library, 0, (int)(sizeof traps / sizeof *traps));
	tcase_add_test(tcase, not_root_and_no_sudo);
	tcase_add_test(tcase, sudo_that_refuses);
	tcase_add_test(tcase, no_network);
	tcase_add_test(tcase, installed_and_still_wrong);
	tcase_add_test(tcase, the_build_says_what_is_missing);
	tcase_add_test(tcase, a_change_of_flags_compiles_anew);
	tcase_add_test(tcase, an_undeclared_function_is_an_error);
	tcase_add_test(tcase, clang_where_there_is_no_gcc);
	tcase_add_test(tcase, spaces_in_the_path_of_the_tree);
	tcase_add_test(tcase, a_build_folder_with_a_space_is_refused);
	tcase_add_test(tcase, a_build_folder_that_cannot_be_made);
	tcase_add_test(tcase, two_makes_at_once);
	tcase_add_test(tcase, two_npm_at_once);
	tcase_add_test(tcase, make_is_quiet);
	tcase_add_test(tcase, help_names_the_targets);
	tcase_add_loop_test(tcase, minimal_systems, 0, 4);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
