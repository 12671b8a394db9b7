/* The library as an app gets it: installed into a folder, found by pkg-config, CMake and ctypes, and giving there
 * the mask that it gives here. */
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

/* Once for all tests; they leave it as it is. */
static void install(void)
{
	snprintf(root, sizeof root, "%s", test_tmp_dir("install"));
	snprintf(prefix, sizeof prefix, "%s/opt/tapcut", root);
	write_photo();
	write_want();
	shell("make --no-print-directory install LIB='%s' DESTDIR=\"$PWD/%s\" PREFIX=/opt/tapcut", shell_lib(), root);
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

/* $PWD: pkg-config's flags must hold from any folder. */
#define PKG_CONFIG "PKG_CONFIG_PATH='%s/lib/pkgconfig' pkg-config --define-variable=prefix=\"$PWD/%s\""

START_TEST(test_pkg_config_shared)
{
	char run[3000];
	shell("%s -std=c99 -Wall -Wextra -Werror infer/packaging/examples/mask.c -o '%s/shared' $(" PKG_CONFIG
	      " --cflags --libs tapcut)",
	      shell_compiler(), root, prefix, prefix);
	ck_assert_msg(strstr(shell("readelf -d '%s/shared'", root), "libtapcut.so.0"),
		      "not linked with the shared library");
	snprintf(run, sizeof run, "LD_LIBRARY_PATH='%s/lib' '%s/shared'", prefix, root);
	check_example(run);
}
END_TEST

START_TEST(test_pkg_config_static)
{
	char run[3000];
	shell("mkdir '%s/alone' && cp '%s/lib/libtapcut.a' '%s/alone'", root, prefix, root);
	shell("%s -std=c99 -Wall -Wextra -Werror infer/packaging/examples/mask.c -o '%s/static' "
	      "$(" PKG_CONFIG " --define-variable=libdir='%s/alone' --cflags --libs --static tapcut)",
	      shell_compiler(), root, prefix, prefix, root);
	snprintf(run, sizeof run, "'%s/static'", root);
	check_example(run);
}
END_TEST

START_TEST(test_pkg_config_variables)
{
	const char *version = shell(PKG_CONFIG " --modversion tapcut", prefix, prefix);
	ck_assert_int_eq(strncmp(version, TAPCUT_VERSION, strlen(TAPCUT_VERSION)), 0);
	ck_assert_str_eq(tapcut_version(), TAPCUT_VERSION);
	shell("cmp infer/models/base.tapcut $(" PKG_CONFIG " --variable=model tapcut)", prefix, prefix);
}
END_TEST

START_TEST(test_cmake)
{
	char run[3000];
	if (!shell_has("cmake", "CMake package"))
		return;
	/* A folder that was moved after the installation: paths are relative. */
	shell("cp -r '%s' '%s/moved'", prefix, root);
	shell("cmake -S infer/packaging/examples -B '%s/cmake' -DCMAKE_C_COMPILER='%s' -DCMAKE_PREFIX_PATH=\"$PWD/%s/moved\"",
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
	shell("cat '%s'/include/*.h | grep -v '^ \\*' | grep -oE '\\btapcut_[a-z0-9_]+\\(' | tr -d '(' | sort -u >'%s/declared'",
	      prefix, root);
	shell("test -s '%s/declared' && diff '%s/declared' '%s/shown'", root, root, root);
	shell("nm -g --defined-only '%s/lib/libtapcut.a' | sed -n 's/.* T //p' | sort | diff '%s/declared' -", prefix,
	      root);
	ck_assert_msg(strstr(shell("readelf -d '%s/lib/libtapcut.so'", prefix), "soname: [libtapcut.so.0]"), "SONAME");
}
END_TEST

START_TEST(test_sizes)
{
	int bytes, code;
	const char *sizes = shell("make --no-print-directory size LIB='%s'", shell_lib());
	ck_assert_msg(sscanf(sizes, "%d libtapcut.a", &bytes) == 1, "%s", sizes);
	shell_try(&code, "objdump -f '%s/lib/libtapcut.a' | grep -q elf64-x86-64", prefix);
	if (code == 0)
		ck_assert_int_le(bytes, STATIC_LIBRARY_BYTES);
}
END_TEST

START_TEST(test_uninstall)
{
	shell("cp -r '%s' '%s/gone'", prefix, root);
	shell("make --no-print-directory uninstall DESTDIR=\"$PWD/%s\" PREFIX=/gone", root);
	ck_assert_str_eq(shell("find '%s/gone' -type f -o -type l", root), "");
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
	tcase_add_test(t, test_uninstall);
	suite_add_tcase(s, t);
	return s;
}

TEST_MAIN(suite)
