/* How the program answers those who do not know it yet: help, and what it says to a wrong command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernels.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

static const char *const commands[] = {"train",  "sweep",   "eval", "cut",  "edit",   "export", "quantize",
				       "import", "inspect", "data", "coco", "scenes", "bench",  "serve"};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };
enum { NEED_ARGUMENTS = COMMAND_COUNT - 2 }; /* all but the last two, which have a default for everything */

START_TEST(help_names_every_command)
{
	static const char *const forms[] = {"--help", "-h", "help"};
	for (int f = 0; f < 3; f++) {
		const struct program_result *r = tapcut_ok("%s", forms[f]);
		for (int i = 0; i < COMMAND_COUNT; i++)
			ck_assert_msg(strstr(r->out, commands[i]) != NULL, "%s does not name %s", forms[f],
				      commands[i]);
	}
}
END_TEST

START_TEST(nothing_is_wrong_usage)
{
	tapcut_fails(2, "usage: tapcut", "%s", "");
}
END_TEST

START_TEST(unknown_command)
{
	tapcut_fails(2, "'tarin'", "tarin");
	tapcut_fails(2, "usage: tapcut", "--version-of-what");
}
END_TEST

START_TEST(help_of_a_command_has_usage_and_example)
{
	char usage[64], example[64];
	snprintf(usage, sizeof usage, "usage: tapcut %s", commands[_i]);
	snprintf(example, sizeof example, "tapcut %s ", commands[_i]);
	const struct program_result *r = tapcut_ok("%s --help", commands[_i]);
	ck_assert_msg(strstr(r->out, usage) != NULL, "%s", r->out);
	const char *found = strstr(r->out, "example");
	ck_assert_msg(found && strstr(found, example), "no example:\n%s", r->out);
	ck_assert_msg(r->err[0] == '\0', "help that was asked for belongs on stdout only:\n%s", r->err);
}
END_TEST

/* Wrong usage says what is wrong and shows the way. */
static void expect_way_out(const char *err)
{
	ck_assert_msg(strstr(err, "usage:") || strstr(err, "--help"), "no way out:\n%s", err);
}

START_TEST(unknown_option)
{
	tapcut_fails(2, "no-such-option", "%s --no-such-option", commands[_i]);
	expect_way_out(tapcut("%s --no-such-option", commands[_i])->err);
}
END_TEST

START_TEST(command_without_arguments)
{
	tapcut_fails(2, "", "%s", commands[_i]);
	expect_way_out(tapcut("%s", commands[_i])->err);
}
END_TEST

START_TEST(option_without_value)
{
	static const char *const last[] = {"train x.json --out", "eval --model",        "cut x.jpg --tap",
					   "export x.ckpt -o",   "import x -o",         "coco rle a -o",
					   "scenes --out",       "data x.json --images"};
	for (size_t i = 0; i < sizeof last / sizeof last[0]; i++)
		tapcut_fails(2, "", "%s", last[i]);
}
END_TEST

START_TEST(values_out_of_range)
{
	static const char *const lines[] = {
		"train configs/smoke.json --out build/tmp/never --threads 0",
		"train configs/smoke.json --out build/tmp/never --threads -1",
		"train configs/smoke.json --out build/tmp/never --resume perhaps",
		"eval --model x --pairs y --size 0",
		"eval --model x --pairs y --limit -3",
		"eval --model x --pairs y --threshold 2",
		"cut x.jpg --model x --tap 1 --mask y.png",
		"cut x.jpg --model x --tap 1,b --mask y.png",
		"cut x.jpg --model x --tap 1,2,3 --mask y.png",
		"edit x.jpg --tap 1 --filter sepia",
		"edit x.jpg --tap 1,2 --filter sepia=2",
		"export x.ckpt -o y.tapcut --weights int3",
		"scenes --out x --count -1",
		"scenes --out x --count 1e",
		"data x.json --min-area 7",
		"bench --repeat 0",
	};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		tapcut_fails(2, "", "%s", lines[i]);
}
END_TEST

/* The instruction set is checked before a command starts: a wrong one is no reason to train with another. */
START_TEST(instruction_set_from_the_environment)
{
	ck_assert(strstr(tapcut_ok("--help")->out, "TAPCUT_ISA") != NULL);
	setenv("TAPCUT_ISA", "mmx", 1);
	tapcut_ok("--help");
	tapcut_fails(2, "TAPCUT_ISA: unknown instruction set \"mmx\"", "inspect --help");
	for (int i = 0; kernels_names[i]; i++) {
		setenv("TAPCUT_ISA", kernels_names[i], 1);
		if (kernels_supported(kernels_names[i]))
			tapcut_ok("inspect --help");
		else
			tapcut_fails(2, kernels_names[i], "inspect --help");
	}
	unsetenv("TAPCUT_ISA");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("cli usage");
	TCase *tcase = tcase_create("usage");
	tcase_set_timeout(tcase, 300);
	tcase_add_test(tcase, help_names_every_command);
	tcase_add_test(tcase, nothing_is_wrong_usage);
	tcase_add_test(tcase, unknown_command);
	tcase_add_loop_test(tcase, help_of_a_command_has_usage_and_example, 0, COMMAND_COUNT);
	tcase_add_loop_test(tcase, unknown_option, 0, COMMAND_COUNT);
	tcase_add_loop_test(tcase, command_without_arguments, 0, NEED_ARGUMENTS);
	tcase_add_test(tcase, option_without_value);
	tcase_add_test(tcase, values_out_of_range);
	tcase_add_test(tcase, instruction_set_from_the_environment);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
