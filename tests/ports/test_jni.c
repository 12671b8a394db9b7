/* The Java part of the Android package on this machine's Java: compiled by javac, the library through its own
 * CMakeLists.txt, run under -Xcheck:jni. tests/ports/java/TapcutTest.java has the tests. What needs Android itself
 * (Bitmaps.kt, setBitmap) is not run here. */
#include "infer/tapcut.h"
#include "tests/ports/photo.h"
#include "tests/ports/shell.h"
#include "tests/support/program.h"

enum { W = 320, H = 240 };

static char dir[1024];

/* A photo and the mask that a tap on it selects. */
static void write_files(void)
{
	static uint8_t photo[15 + 3 * W * H], mask[15 + W * H];
	struct tapcut_model *model;
	struct tapcut_session *session;
	ck_assert_int_eq(snprintf((char *)photo, sizeof photo, "P6\n%d %d\n255\n", W, H), 15);
	ck_assert_int_eq(snprintf((char *)mask, sizeof mask, "P5\n%d %d\n255\n", W, H), 15);
	photo_fill(photo + 15, W, H, 1);
	ck_assert_int_eq(tapcut_model_load_file("infer/models/base.tapcut", &model, NULL), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_new(model, NULL, &session, NULL), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_set_image(session, photo + 15, W, H, 3 * W), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_click(session, 160, 120, 1), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_mask(session, mask + 15, W), TAPCUT_OK);
	spit(in(dir, "photo.ppm"), photo, sizeof photo);
	spit(in(dir, "want.pgm"), mask, sizeof mask);
	tapcut_session_free(session);
	tapcut_model_free(model);
}

START_TEST(java)
{
	int code;
	if (!shell_has("javac", "org.tapcut") || !shell_has("cmake", "org.tapcut"))
		return;
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("jni"));
	write_files();
	shell("export JAVA_HOME=\"$(dirname \"$(dirname \"$(readlink -f \"$(command -v javac)\")\")\")\" && "
	      "cmake -S infer/packaging/android/src/main/cpp -B %s/cmake -DCMAKE_C_COMPILER=%s >%s/cmake.log 2>&1 && "
	      "cmake --build %s/cmake -j 2 >>%s/cmake.log 2>&1 || { tail -30 %s/cmake.log; exit 1; }",
	      dir, shell_compiler(), dir, dir, dir, dir);
	shell("javac -Xlint:all -Werror -d %s/classes infer/packaging/android/src/main/java/org/tapcut/*.java "
	      "tests/ports/java/TapcutTest.java",
	      dir);
	const char *said = shell_try(&code,
				     "java -Xcheck:jni -cp %s/classes -Djava.library.path=%s/cmake TapcutTest "
				     "infer/models/base.tapcut %s/photo.ppm %s/want.pgm",
				     dir, dir, dir, dir);
	ck_assert_msg(code == 0 && strstr(said, "ok same_mask") && !strstr(said, "WARNING"), "%s", said);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("jni");
	TCase *tcase = tcase_create("java");
	tcase_set_timeout(tcase, 600);
	tcase_add_test(tcase, java);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
