/* The Python package as its users get it: the wheel, unpacked into a folder of its own, gives the mask that the program
 * gives, and says what is wrong. tests/ports/python_test.py has the tests; each line that it prints is looked at. */
#include "data/image_io.h"
#include "tests/ports/photo.h"
#include "tests/ports/shell.h"
#include "tests/support/program.h"

enum { W = 320, H = 240 };

START_TEST(wheel)
{
	char dir[1024], package[1100];
	int code;
	if (!shell_has("python3", "the Python package"))
		return;
	if (!exists(in(shell_plain(), "lib/libtapcut.a"))) {
		test_skip("the Python package: the library is not built (make lib)");
		return;
	}
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("python"));
	snprintf(package, sizeof package, "%s/site", dir);
	struct image photo;
	ck_assert_int_eq(image_alloc(&photo, W, H, 3), STATUS_OK);
	photo_fill(photo.pixels, W, H, 1);
	ck_assert_int_eq(image_write_png(in(dir, "photo.png"), &photo), STATUS_OK);
	image_release(&photo);
	tapcut_ok("cut %s/photo.png --tap 160,120 --mask %s/want.png", dir, dir);
	shell("make --no-print-directory -o all -o lib BUILD=\"%s\" PLAIN=\"%s\" wheel >%s/wheel.log 2>&1 && "
	      "python3 -m zipfile -e \"$(tail -1 %s/wheel.log)\" %s",
	      shell_plain(), shell_plain(), dir, dir, package);
	const char *said = shell_try(&code,
				     "cd %s && PYTHONPATH=site python3 -B \"$OLDPWD/tests/ports/python_test.py\" "
				     "photo.png want.png",
				     dir);
	ck_assert_msg(code == 0 && strstr(said, "ok same_mask_as_the_program"), "%s", said);
	for (const char *line = said; (line = strstr(line, "skip ")); line++)
		test_skip("the Python package: %.*s", (int)strcspn(line + 5, "\n"), line + 5);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("python");
	TCase *tcase = tcase_create("wheel");
	tcase_set_timeout(tcase, 300);
	tcase_add_test(tcase, wheel);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
