/* What make install puts in place, in folders whose names have spaces: the library as an app gets it, found by
 * pkg-config, CMake and ctypes, and giving there the mask that it gives here; the library to train with, whose headers
 * compile from where they lie; the program. And make uninstall, which takes away these files and nothing else. */
#include "infer/tapcut.h"
#include "tests/ports/photo.h"
#include "tests/ports/shell.h"
#include "tests/support/program.h"

enum { W = 320, H = 240, STATIC_LIBRARY_BYTES = 200 * 1000 };
#define TAPS "160,120 180,130 -20,20"

static char root[1024], prefix[1100]; /* DESTDIR, and PREFIX inside it */

static void write_photo(void)
{
	static uint8_t bytes[15 + 3 * W * H];
	ck_assert_int_eq(snprintf((char *)bytes, sizeof bytes, "P6\n%d %d\n255\n", W, H), 15);
	photo_fill(bytes + 15, W, H, 1);
	spit(in(root, "photo.ppm"), bytes, sizeof bytes);
}

static void write_want(void)
{
	static uint8_t bytes[15 + W * H], rgb[3 * W * H];
	struct tapcut_model *model;
	struct tapcut_session *session;
	photo_fill(rgb, W, H, 1);
	ck_assert_int_eq(tapcut_model_load_file("infer/models/base.tapcut", &model, NULL), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_new(model, NULL, &session, NULL), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_set_image(session, rgb, W, H, 3 * W), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_click(session, 160, 120, 1), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_click(session, 180, 130, 1), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_click(session, 20, 20, 0), TAPCUT_OK);
	ck_assert_int_eq(snprintf((char *)bytes, sizeof bytes, "P5\n%d %d\n255\n", W, H), 15);
	ck_assert_int_eq(tapcut_session_mask(session, bytes + 15, W), TAPCUT_OK);
	ck_assert_ptr_nonnull(memchr(bytes + 15, 255, W * H));
	ck_assert_ptr_nonnull(memchr(bytes + 15, 0, W * H));
	spit(in(root, "want.pgm"), bytes, sizeof bytes);
	tapcut_session_free(session);
	tapcut_model_free(model);
}

/* What has been built is installed as it is: -o keeps make from building anything. */
#define MAKE "make --no-print-directory -o all -o lib BUILD=\"${PLAIN:-build}\""

/* The program and libtapcut-core come from the build without sanitizers, which need not be there. */
static bool has_program(void)
{
	return exists(in(shell_plain(), "tapcut")) && exists(in(shell_plain(), "libcore.a"));
}

static bool needs_program(void)
{
	bool has = has_program();
	if (!has)
		test_skip("program and libtapcut-core are not built without sanitizers: make");
	return has;
}

/* Once for all tests; they leave it as it is. */
static void install(void)
{
	snprintf(root, sizeof root, "%s", test_tmp_dir("install"));
	snprintf(prefix, sizeof prefix, "%s/opt/tap cut", root);
	write_photo();
	write_want();
	shell(MAKE " %s PREFIX=\"$PWD/%s\"", has_program() ? "install" : "install-lib", prefix);
}

static void remove_all(void)
{
	shell("rm -rf '%s'", root);
}

/* Runs an example program on the photo and compares. `run` is "ENVIRONMENT PROGRAM". */
static void check_example(const char *run)
{
	shell("%s '%s/share/tapcut/base.tapcut' '%s/photo.ppm' '%s/got.pgm' " TAPS, run, prefix, root, root);
	ck_assert_msg(same_bytes(in(root, "got.pgm"), in(root, "want.pgm")), "%s gives another mask", run);
	int code;
	const char *said =
		shell_try(&code, "%s '%s/photo.ppm' '%s/photo.ppm' '%s/got.pgm' " TAPS, run, root, root, root);
	ck_assert_int_eq(code, 1);
	ck_assert_msg(strstr(said, "not a weights file"), "%s", said);
}

/* eval: pkg-config quotes a space in a folder for a shell. */
#define PKG_CONFIG "PKG_CONFIG_PATH='%s/lib/pkgconfig' pkg-config"

START_TEST(test_pkg_config_shared)
{
	char run[3000];
	shell("eval \"%s -std=c99 -Wall -Wextra -Werror infer/packaging/examples/mask.c -o '%s/shared' $(" PKG_CONFIG
	      " --cflags --libs tapcut)\"",
	      shell_compiler(), root, prefix);
	ck_assert_msg(strstr(shell("readelf -d '%s/shared'", root), "libtapcut.so.0.5"),
		      "not linked with the shared library");
	snprintf(run, sizeof run, "LD_LIBRARY_PATH='%s/lib' '%s/shared'", prefix, root);
	check_example(run);
}
END_TEST

START_TEST(test_pkg_config_static)
{
	char run[3000];
	shell("mkdir -p '%s/alone/lib/pkgconfig' && cp '%s/lib/libtapcut.a' '%s/alone' && "
	      "sed \"s|^libdir=.*|libdir=$PWD/%s/alone|\" '%s/lib/pkgconfig/tapcut.pc' "
	      ">'%s/alone/lib/pkgconfig/tapcut.pc'",
	      root, prefix, root, root, prefix, root);
	shell("eval \"%s -std=c99 -Wall -Wextra -Werror infer/packaging/examples/mask.c -o '%s/static' "
	      "$(" PKG_CONFIG " --cflags --libs --static tapcut)\"",
	      shell_compiler(), root, in(root, "alone"));
	snprintf(run, sizeof run, "'%s/static'", root);
	check_example(run);
}
END_TEST

START_TEST(test_pkg_config_variables)
{
	const char *version = shell(PKG_CONFIG " --modversion tapcut", prefix);
	ck_assert_int_eq(strncmp(version, TAPCUT_VERSION, strlen(TAPCUT_VERSION)), 0);
	ck_assert_str_eq(tapcut_version(), TAPCUT_VERSION);
	shell("eval \"cmp infer/models/base.tapcut '$(" PKG_CONFIG " --variable=model tapcut)'\"", prefix);
}
END_TEST

START_TEST(test_cmake)
{
	char run[3000];
	if (!shell_has("cmake", "CMake package"))
		return;
	/* A folder that was moved after the installation: paths are relative. */
	shell("cp -r '%s' '%s/moved'", prefix, root);
	shell("cmake -S infer/packaging/examples -B '%s/cmake' -DCMAKE_C_COMPILER='%s' "
	      "-DCMAKE_PREFIX_PATH=\"$PWD/%s/moved\"",
	      root, shell_compiler(), root);
	shell("cmake --build '%s/cmake'", root);
	snprintf(run, sizeof run, "'%s/cmake/mask'", root);
	check_example(run);
	snprintf(run, sizeof run, "'%s/cmake/mask_static'", root);
	check_example(run);
}
END_TEST

START_TEST(test_python)
{
	char run[3000];
	if (!shell_has("python3", "ctypes example"))
		return;
	snprintf(run, sizeof run, "LD_LIBRARY_PATH='%s/lib' python3 infer/packaging/examples/mask.py", prefix);
	check_example(run);
}
END_TEST

/* What the headers declare, and nothing else. */
START_TEST(test_symbols)
{
	shell("nm -D --defined-only '%s/lib/libtapcut.so' | sed 's/.* //' | sort >'%s/shown'", prefix, root);
	shell("cat '%s'/include/*.h | grep -v -e '^ \\*' -e '^#define' | grep -oE '\\btapcut_[a-z0-9_]+\\(' | "
	      "tr -d '(' | sort -u >'%s/declared'",
	      prefix, root);
	shell("test -s '%s/declared' && diff '%s/declared' '%s/shown'", root, root, root);
	shell("nm -g --defined-only '%s/lib/libtapcut.a' | sed -n 's/.* T //p' | sort | diff '%s/declared' -", prefix,
	      root);
	ck_assert_msg(strstr(shell("readelf -d '%s/lib/libtapcut.so'", prefix), "soname: [libtapcut.so.0.5]"),
		      "SONAME");
}
END_TEST

START_TEST(test_sizes)
{
	int bytes, code;
	const char *sizes = shell(MAKE " size");
	ck_assert_msg(sscanf(sizes, "%d libtapcut.a", &bytes) == 1, "%s", sizes);
	shell_try(&code, "objdump -f '%s/lib/libtapcut.a' | grep -q elf64-x86-64", prefix);
	if (code == 0)
		ck_assert_int_le(bytes, STATIC_LIBRARY_BYTES);
}
END_TEST

/* --- the library to train with, and the program --------------------------- */

START_TEST(test_core_headers_compile_alone)
{
	if (!needs_program())
		return;
	/* The lists are for macros of those who include them. */
	shell("cd '%s/include' && test $(find tapcut/core -name '*.h' | wc -l) -gt 20 && "
	      "for h in $(find tapcut/core -name '*.h' ! -name '*_list.h'); do "
	      "echo \"#include <$h>\" | %s -std=c11 -Wall -Wextra -Werror -I. -fsyntax-only -xc - || exit 1; "
	      "head -1 $h | grep -q 'SPDX-License-Identifier: MIT' || exit 1; done",
	      prefix, shell_compiler());
}
END_TEST

/* A program that knows nothing but the installed files. */
static const char trains[] = "#include <tapcut/core/checkpoint.h>\n"
			     "#include <tapcut/core/executor.h>\n"
			     "#include <tapcut/core/graph.h>\n"
			     "#include <tapcut/core/optim.h>\n"
			     "#include <stdio.h>\n"
			     "int main(void)\n"
			     "{\n"
			     "	struct params params;\n"
			     "	params_init(&params);\n"
			     "	puts(status_message());\n"
			     "	return params.count;\n"
			     "}\n";

START_TEST(test_core_library)
{
	if (!needs_program())
		return;
	spit(in(root, "trains.c"), trains, sizeof trains - 1);
	shell("eval \"%s -std=c11 -Wall -Wextra -Werror '%s/trains.c' -o '%s/trains' $(" PKG_CONFIG
	      " --cflags --libs tapcut-core)\"",
	      shell_compiler(), root, root, prefix);
	shell("'%s/trains'", root);
}
END_TEST

/* The whole task of core/examples, by a program that knows the installed files alone: it learns, and the same on any
 * number of threads. */
START_TEST(test_core_example)
{
	if (!needs_program())
		return;
	shell("eval \"%s -std=c11 -O2 -Wall -Wextra -Werror core/examples/digits.c -o '%s/digits' $(" PKG_CONFIG
	      " --cflags --libs tapcut-core)\"",
	      shell_compiler(), root, prefix);
	shell("'%s/digits' 1 >'%s/one.txt' && '%s/digits' 3 >'%s/three.txt' && cmp '%s/one.txt' '%s/three.txt'", root,
	      root, root, root, root, root);
	shell("awk '/held-out/ { right = $1 } END { print; exit !(right >= 97) }' '%s/one.txt'", root);
}
END_TEST

/* Far from the project it finds the model that was installed with it. */
START_TEST(test_program)
{
	if (!needs_program())
		return;
	shell("top=\"$PWD\" && cd / && \"$top/%s/bin/tapcut\" cut \"$top/tools/web/examples/1.jpg\" --tap 160,120 "
	      "--mask \"$top/%s/mask.png\"",
	      prefix, root);
}
END_TEST

/* --- folders -------------------------------------------------------------- */

/* A relative folder counts from here, and the files that name it name it whole. */
START_TEST(test_relative_prefix)
{
	shell(MAKE " install-lib PREFIX='%s/odd pre'", root);
	shell("test -f '%s/odd pre/lib/libtapcut.a'", root);
	shell("grep -Fqx \"prefix=$PWD/%s/odd pre\" '%s/odd pre/lib/pkgconfig/tapcut.pc'", root, root);
	shell(MAKE " uninstall PREFIX='%s/odd pre' && rm -r '%s/odd pre'", root, root);
}
END_TEST

START_TEST(test_folder_that_cannot_be_named)
{
	int code;
	const char *said = shell_try(&code, MAKE " install-lib PREFIX='/opt/a;b' DESTDIR=\"$PWD/%s/refused\"", root);
	ck_assert_msg(code != 0 && strstr(said, "PREFIX: expected a folder") && strstr(said, "/opt/a;b"), "%s", said);
	shell("test ! -e '%s/refused'", root);
}
END_TEST

/* For a package: files go below DESTDIR and name where they will be. */
START_TEST(test_destdir)
{
	shell(MAKE " install-lib DESTDIR=\"$PWD/%s/for a package\" PREFIX=/usr", root);
	shell("grep -qx prefix=/usr '%s/for a package/usr/lib/pkgconfig/tapcut.pc'", root);
	shell(MAKE " uninstall DESTDIR=\"$PWD/%s/for a package\" PREFIX=/usr", root);
	ck_assert_str_eq(shell("find '%s/for a package' -type f -o -type l", root), "");
}
END_TEST

START_TEST(test_uninstall)
{
	shell("cp -r '%s' '%s/gone'", prefix, root);
	shell(MAKE " uninstall DESTDIR=\"$PWD/%s\" PREFIX=/gone", root);
	ck_assert_str_eq(shell("find '%s/gone' -type f -o -type l", root), "");
	shell("test -d '%s/gone' && test ! -e '%s/gone/share/tapcut' && test ! -e '%s/gone/include/tapcut'", root, root,
	      root);
}
END_TEST

/* Of a folder that is shared with others, and of one whose name begins like another one's, only our files go. */
START_TEST(test_uninstall_takes_nothing_else)
{
	shell("mkdir -p '%s/un/odd' '%s/un/odd pre/tapcut' && touch '%s/un/odd/photo.txt' '%s/un/odd "
	      "pre/tapcut/own.txt'",
	      root, root, root, root);
	shell(MAKE " install-lib PREFIX='%s/un/p' DATADIR='%s/un/odd pre/tapcut'", root, root);
	shell("test -f '%s/un/odd pre/tapcut/base.tapcut'", root);
	shell(MAKE " uninstall PREFIX='%s/un/p' DATADIR='%s/un/odd pre/tapcut'", root, root);
	ck_assert_str_eq(shell("cd '%s/un' && find . -type f -o -type l | sort", root),
			 "./odd pre/tapcut/own.txt\n./odd/photo.txt\n");
	shell("rm -r '%s/un'", root);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("install");
	TCase *t = tcase_create("install");
	tcase_add_unchecked_fixture(t, install, remove_all);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_pkg_config_shared);
	tcase_add_test(t, test_pkg_config_static);
	tcase_add_test(t, test_pkg_config_variables);
	tcase_add_test(t, test_cmake);
	tcase_add_test(t, test_python);
	tcase_add_test(t, test_symbols);
	tcase_add_test(t, test_sizes);
	tcase_add_test(t, test_core_headers_compile_alone);
	tcase_add_test(t, test_core_library);
	tcase_add_test(t, test_core_example);
	tcase_add_test(t, test_program);
	tcase_add_test(t, test_relative_prefix);
	tcase_add_test(t, test_folder_that_cannot_be_named);
	tcase_add_test(t, test_destdir);
	tcase_add_test(t, test_uninstall);
	tcase_add_test(t, test_uninstall_takes_nothing_else);
	suite_add_tcase(s, t);
	return s;
}

TEST_MAIN(suite)
