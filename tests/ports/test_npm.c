/* The npm package as its users get it: packed, installed into an empty folder without a network, and there it gives the
 * C library's bytes, in Node and in Chromium, and says what is wrong. tests/ports/npm has the tests in JavaScript; each
 * line that they print is looked at. */
#include <unistd.h>

#include "data/image_io.h"
#include "tests/ports/photo.h"
#include "tests/ports/shell.h"
#include "tests/ports/stored_model.h"
#include "tests/support/program.h"

enum { W = 320, H = 240 };
#define WHAT "the npm package"

static char dir[1024];
static bool installed;

static const char *folder(const char *variable, const char *otherwise)
{
	const char *value = getenv(variable);
	return value ? value : otherwise;
}

static const char *ports(void)
{
	return folder("PORTS", "build/ports");
}

static const char *npm_folder(void)
{
	return folder("TAPCUT_NPM", "build/npm");
}

static bool can_be_made(void)
{
	int code;
	if (!shell_has("node", WHAT) || !shell_has("npm", WHAT))
		return false;
	shell_try(&code, "node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)'");
	if (code != 0)
		test_skip(WHAT ": it needs Node 18 or later");
	else if (!exists(in(folder("WEB", "build/web"), "tapcut.wasm")))
		test_skip(WHAT ": the engine is not built for the web (make wasm)");
	else
		return true;
	return false;
}

/* The first photo of mask_program as a PNG file, and what that program, `tapcut cut` and `tapcut edit` make of it. */
static void write_wanted(void)
{
	struct image photo;
	ck_assert_int_eq(image_alloc(&photo, W, H, 3), STATUS_OK);
	photo_fill(photo.pixels, W, H, 1);
	ck_assert_int_eq(image_write_png(in(dir, "photo.png"), &photo), STATUS_OK);
	image_release(&photo);
	stored_model_write("infer/models/base.tapcut", in(dir, "model"));
	shell("'%s/native/mask_program' best int8 1 0 <'%s/model' >'%s/records'", ports(), dir, dir);
	tapcut_ok("cut %s/photo.png --tap 160,120 --feather 2 --cutout %s/cutout.png", dir, dir);
	tapcut_ok("edit %s/photo.png --tap 160,120 --feather 3 --focus blur=6,depth=0.4 --filter warmth=0.3 --where "
		  "inside --filter duotone --colours #102030,#ffe0c0 -o %s/edited.png",
		  dir, dir);
	tapcut_ok("edit %s/photo.png --tap 160,120 --feather 0 --background %s/cutout.png -o %s/backdrop.png", dir, dir,
		  dir);
}

/* Packed by the project's own make, installed as an app does it. */
static void install(void)
{
	const char *plain = shell_plain();
	shell("make --no-print-directory -o '%s/web/tapcut.wasm' BUILD='%s' PLAIN='%s' npm-package "
	      ">'%s/pack.log' 2>&1 || { cat '%s/pack.log'; exit 1; }",
	      plain, plain, plain, dir, dir);
	shell("cp tests/ports/npm/* tests/web/png.mjs '%s' && cp \"$(tail -1 '%s/pack.log')\" '%s/tapcut.tgz' && "
	      "cd '%s' && echo '{ \"private\": true }' >package.json && "
	      "npm install --offline --ignore-scripts --no-audit --no-fund --cache '%s/cache' ./tapcut.tgz",
	      dir, dir, dir, dir, dir);
}

static void set_up(void)
{
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("npm"));
	installed = can_be_made();
	if (!installed)
		return;
	write_wanted();
	install();
}

static void tear_down(void)
{
	if (installed)
		shell("rm -rf '%s'", dir);
}

/* Runs a test program of tests/ports/npm, which is to say this. */
static void run(const char *command, const char *last)
{
	int code;
	const char *said =
		shell_try(&code, "export NPM=\"$(realpath '%s')\" && cd '%s' && %s", npm_folder(), dir, command);
	ck_assert_msg(code == 0 && strstr(said, last), "%s: ended with %d: %.3000s", command, code, said);
}

START_TEST(in_node)
{
	if (!installed)
		return;
	run("node --expose-gc node.mjs", "ok every_test");
	run("WORKER=1 node --expose-gc node.mjs", "ok every_test");
}
END_TEST

/* Not one byte of the package depends on when or where it was packed. */
START_TEST(the_same_package_again)
{
	if (!installed)
		return;
	shell("mkdir '%s/again' && node infer/packaging/npm/build_package.mjs '%s/tapcut.wasm' "
	      "infer/models/base.tapcut \"$(node -p 'JSON.parse(fs.readFileSync(process.argv[1])).version' "
	      "'%s/node_modules/tapcut/package.json')\" LICENSE '%s/again' && cmp '%s/again/'*.tgz '%s/tapcut.tgz'",
	      dir, folder("WEB", "build/web"), dir, dir, dir, dir);
}
END_TEST

START_TEST(in_chromium)
{
	const char *chromium = folder("CHROMIUM", "/usr/bin/chromium");
	if (!installed)
		return;
	if (access(chromium, X_OK) != 0)
		test_skip(WHAT " in a page: no Chromium here");
	else if (!exists(in(npm_folder(), "node_modules/playwright-core/package.json")))
		test_skip(WHAT " in a page: no playwright-core here (make npm-web)");
	else
		run("node page.mjs", "ok every_test");
}
END_TEST

/* A program that uses everything, and wrong ones that must be refused (@ts-expect-error), with a browser's types and
 * without them. */
START_TEST(types)
{
	if (!installed)
		return;
	if (!exists(in(npm_folder(), "node_modules/typescript/bin/tsc"))) {
		test_skip(WHAT "'s types: no TypeScript here (make npm-web)");
		return;
	}
	run("node \"$NPM/node_modules/typescript/bin/tsc\" && echo checked", "checked");
	run("node \"$NPM/node_modules/typescript/bin/tsc\" -p browser.json && echo checked", "checked");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("npm");
	TCase *tcase = tcase_create("package");
	tcase_set_timeout(tcase, 300);
	tcase_add_unchecked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, in_node);
	tcase_add_test(tcase, the_same_package_again);
	tcase_add_test(tcase, in_chromium);
	tcase_add_test(tcase, types);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
