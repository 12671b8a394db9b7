/* What commands do with standard input and output: "-", --json, --quiet, and the names of files that get in each
 * other's way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data/image_io.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include "train/config/json.h"

static const char *dir;

static void make_folder(void)
{
	static uint8_t pixels[64 * 48 * 3];
	struct image photo = {.width = 64, .height = 48, .channels = 3, .pixels = pixels};
	dir = test_tmp_dir("streams");
	for (int i = 0; i < 64 * 48; i++) {
		int x = i % 64 - 32, y = i / 64 - 24;
		memset(pixels + 3 * i, x * x + y * y < 200 ? 220 : 40, 3);
	}
	ck_assert_int_eq(image_write_png(in(dir, "photo.png"), &photo), STATUS_OK);
}

/* Runs a shell's command line in the folder, where $T is the program and $M the shipped model; its exit code. */
static int shell(const char *line)
{
	char whole[2048], here[1024];
	const char *build = getenv("BUILD");
	if (!build)
		build = "build";
	ck_assert(getcwd(here, sizeof here) != NULL);
	snprintf(whole, sizeof whole,
		 "H='%s'; cd '%s' && T=%s%s%s/tapcut M=\"$H/infer/models/base.tapcut\" && "
		 "export TMPDIR=\"$PWD\" && { %s; }",
		 here, dir, *build == '/' ? "" : "$H", *build == '/' ? "" : "/", build, line);
	int code = system(whole);
	return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

/* --- "-" ------------------------------------------------------------------ */

static const char *const dashes[] = {
	/* the same bytes as through files, and words on stderr only */
	"$T cut photo.png --tap 32,24 --model $M --cutout a.png --mask m.png >/dev/null && "
	"$T cut photo.png --tap 32,24 --model $M --cutout - >b.png 2>words && cmp a.png b.png && grep '^wrote' words "
	">/dev/null",
	"$T cut - --tap 32,24 --model $M --cutout c.png <photo.png >/dev/null && cmp a.png c.png",
	"cat photo.png | $T cut - --tap 32,24 --model $M --mask - 2>/dev/null | cmp - m.png",
	"$T cut photo.png --tap 32,24 --model $M --mask - 2>/dev/null | "
	"$T edit photo.png --mask-in - --filter invert -o d.png >/dev/null",
	"$T edit photo.png --mask-in m.png --filter invert -o - 2>/dev/null | cmp - d.png",
	"$T edit photo.png --mask-in m.png --rle - 2>/dev/null | grep counts >/dev/null",
	"test -z \"$($T cut photo.png --tap 32,24 --model $M --cutout - --quiet 2>&1 >e.png)\" && cmp a.png e.png",
	"test \"$($T inspect - <$M | tail -1)\" = \"$($T inspect $M | tail -1)\"",
	/* a command that fails gives nothing */
	"test -z \"$($T cut photo.png --tap 999,24 --model $M --cutout - 2>/dev/null)\"",
	"test ! -e ./- && test -z \"$(ls -d tapcut-?????? 2>/dev/null)\"",
};

START_TEST(dash_is_a_stream)
{
	for (size_t i = 0; i < sizeof dashes / sizeof dashes[0]; i++)
		ck_assert_msg(shell(dashes[i]) == 0, "%s", dashes[i]);
}
END_TEST

START_TEST(full_disk_behind_a_dash)
{
	if (access("/dev/full", W_OK) != 0) {
		test_skip("there is no /dev/full");
		return;
	}
	ck_assert_int_eq(shell("$T cut photo.png --tap 32,24 --model $M --mask - >/dev/full 2>err; test $? -eq 1 && "
			       "grep '^tapcut cut: standard output: No space left' err >/dev/null"),
			 0);
	ck_assert_int_eq(shell("$T inspect $M --json >/dev/full 2>err; test $? -eq 1 && "
			       "grep '^tapcut inspect: standard output: No space left' err >/dev/null"),
			 0);
}
END_TEST

/* --- names that get in each other's way ----------------------------------- */

static const char *const refused[][2] = {
	{"cut photo.png --tap 1,1 --mask - --cutout -", "--cutout: --mask is standard output already"},
	{"cut photo.png --tap 1,1 --mask a.png --cutout ./a.png", "--cutout: \"./a.png\" is --mask too"},
	{"cut photo.png --tap 1,1 --mask photo.png", "--mask: \"photo.png\" is PHOTO too"},
	{"cut photo.png --tap 1,1 --overlay link.png", "--overlay: \"link.png\" is PHOTO too"},
	{"edit - --mask-in - --filter invert", "--mask-in: PHOTO is standard input already"},
	{"edit photo.png --tap 1,1 --rle x.json --polygon x.json", "is --rle too"},
	{"cut photo.png --tap 1,1 --mask q.jpg", "--mask: expected a name that ends with .png, found \"q.jpg\""},
	{"cut photo.png --tap 1,1 --cutout q.webp", "--cutout: expected a name that ends with .png"},
	{"edit photo.png --tap 1,1 --alpha q.bmp", "--alpha: expected a name that ends with .png"},
	{"cut photo.png --tap 1,1 --mask - --json", "--mask: standard output has the JSON"},
	{"data -", "INSTANCES.json: cannot be standard input"},
	{"export photo.png -o photo.png", "--output: \"photo.png\" is CHECKPOINT|FILE too"},
};

START_TEST(clashes_are_wrong_usage)
{
	char line[1024];
	ck_assert_int_eq(shell("ln -sf photo.png link.png"), 0);
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		snprintf(
			line, sizeof line,
			"$T %s </dev/null >out 2>err; test $? -eq 2 && test ! -s out && grep -F -- '%s' err >/dev/null",
			refused[i][0], refused[i][1]);
		ck_assert_msg(shell(line) == 0, "%s: not \"%s\"", refused[i][0], refused[i][1]);
	}
	ck_assert_int_eq(shell("$T cut photo.png --tap 32,24 --model $M --mask plain >/dev/null && cmp plain m.png"),
			 0);
}
END_TEST

/* --- --json and --quiet --------------------------------------------------- */

static const char *const with_json[] = {
	"scenes --out sc --count 4 --width 96 --height 64",
	"cut photo.png --tap 32,24 --model $M --mask j.png --overlay jo.png",
	"cut photo.png --tap 32,24 --not 2,2 --model $M --mask k.png",
	"edit photo.png --tap 32,24 --model $M --filter exposure=0.2 --focus blur=3 -o k.png --rle k.json",
	"data sc/instances.json",
	"data sc/instances.json --list --index sc.tapindex",
	"coco rle sc/instances.json -o rle.json",
	"eval --model $M --coco sc/instances.json --limit 1 --max-clicks 1 --size 64 --each",
	"inspect $M",
	"inspect $M --steps",
	"train $H/configs/smoke.json --set data.train=sc/instances.json --set data.val= --set train.size=32 --steps 1 "
	"--out r",
	"eval --model r/last.ckpt --coco sc/instances.json --min-area 0.01 --limit 1 --max-clicks 1 --size 64",
	"inspect r/last.ckpt",
	"export r/last.ckpt -o r.safetensors",
	"export r/last.ckpt -o r.tapcut --verbose",
	"inspect r.safetensors",
	"import r.safetensors --config $H/configs/smoke.json",
	"import r.safetensors --config $H/configs/smoke.json -o i.tapcut",
	"quantize r.tapcut --coco sc/instances.json -o q.tapcut --samples 4 --size 32",
};

START_TEST(json_and_nothing_else)
{
	char line[1024];
	struct json *root;
	for (size_t i = 0; i < sizeof with_json / sizeof with_json[0]; i++) {
		snprintf(line, sizeof line, "$T %s --json >json 2>err", with_json[i]);
		int code = shell(line);
		char *err = slurp(in(dir, "err"), NULL);
		ck_assert_msg(code == 0, "%s: %d\n%s", with_json[i], code, err);
		ck_assert_msg(json_read_file(in(dir, "json"), &root) == STATUS_OK, "%s: %s", with_json[i],
			      status_message());
		ck_assert_msg(json_get(root, "no") == NULL && json_first(root) != NULL, "%s", with_json[i]);
		json_free(root);
		free(err);
	}
	ck_assert_int_eq(shell("$T cut photo.png --tap 32,24 --model $M --mask j.png --json | grep '\"empty\": false' "
			       ">/dev/null"),
			 0);
	ck_assert_int_eq(shell("$T cut photo.png --not 32,24 --model $M --mask j.png --json | grep '\"empty\": true' "
			       ">/dev/null"),
			 0);
	ck_assert_int_eq(shell("test \"$($T inspect j.png --json 2>/dev/null)\" = ''"), 0);
}
END_TEST

/* Each of them again: no word on either stream. The lists of --each stay on stderr, where they were asked for. */
START_TEST(quiet_is_quiet)
{
	char line[1024];
	for (size_t i = 0; i < sizeof with_json / sizeof with_json[0]; i++) {
		if (strstr(with_json[i], "train "))
			continue;
		snprintf(line, sizeof line, "$T %s --quiet >out 2>&1; test $? -eq 0 && test ! -s out", with_json[i]);
		ck_assert_msg(shell(line) == 0, "%s --quiet speaks:\n%s", with_json[i], slurp(in(dir, "out"), NULL));
	}
	ck_assert_int_eq(shell("$T cut none.png --tap 1,1 --quiet 2>err; test $? -eq 1 && test -s err"), 0);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("streams");
	TCase *tcase = tcase_create("streams");
	tcase_set_timeout(tcase, 300);
	tcase_add_unchecked_fixture(tcase, make_folder, NULL);
	tcase_add_test(tcase, dash_is_a_stream);
	tcase_add_test(tcase, full_disk_behind_a_dash);
	tcase_add_test(tcase, clashes_are_wrong_usage);
	tcase_add_test(tcase, json_and_nothing_else);
	tcase_add_test(tcase, quiet_is_quiet);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
