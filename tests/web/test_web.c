/* The web page and its module, by the tests in JavaScript beside this file: in Node alone, and in Chromium. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/program.h"
#include "tests/support/test.h"

static const char *folder(const char *variable, const char *otherwise)
{
	const char *value = getenv(variable);
	return value ? value : otherwise;
}

static bool works(const char *command)
{
	char line[512];
	snprintf(line, sizeof line, "%s >/dev/null 2>&1", command);
	return system(line) == 0;
}

/* Has the page been built, and can it be run? */
static bool ready(void)
{
	if (!exists(in(folder("WEB", "build/web"), "tapcut.wasm"))) {
		test_skip("the web page is not built (make web)");
		return false;
	}
	if (works("node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'"))
		return true;
	test_skip("no Node 20 here");
	return false;
}

static void run(const char *test)
{
	char line[512];
	snprintf(line, sizeof line, "node --test --test-reporter=spec tests/web/%s 2>&1", test);
	fflush(NULL);
	ck_assert_msg(system(line) == 0, "%s", test);
}

START_TEST(in_node)
{
	if (ready())
		run("module.test.mjs");
}
END_TEST

START_TEST(in_chromium)
{
	const char *npm = folder("TAPCUT_NPM", "build/npm"), *chromium = folder("CHROMIUM", "/usr/bin/chromium");
	if (!ready())
		return;
	if (access(chromium, X_OK) != 0)
		test_skip("no Chromium here");
	else if (!exists(in(npm, "node_modules/playwright-core/package.json")))
		test_skip("no playwright-core here (make npm-web)");
	else
		run("page.test.mjs");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("web page");
	TCase *tcase = tcase_create("web");
	tcase_set_timeout(tcase, 600);
	tcase_add_test(tcase, in_node);
	tcase_add_test(tcase, in_chromium);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
