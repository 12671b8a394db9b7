/* How the program answers those who do not know it yet: help, and what it says to a wrong command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/kernels.h"
#include "infer/tapcut.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include "tools/command.h"
#include "tools/web_files.h"

/* The table of commands is linked in, so that a new command and a new option are tested by themselves. Of `tapcut
 * serve` the pages are not needed here. */
const struct web_file web_files[] = {{0}};

static int command_count(void)
{
	int count = 0;
	while (commands[count])
		count++;
	return count;
}

/* Runs a shell's command line in which $T is the program; its exit code. */
static int shell(const char *format, const char *a)
{
	char line[1024];
	const char *build = getenv("BUILD");
	int length = snprintf(line, sizeof line, "T=%s/tapcut; ", build ? build : "build");
	snprintf(line + length, sizeof line - (size_t)length, format, a);
	int code = system(line);
	return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

START_TEST(help_names_every_command)
{
	static const char *const forms[] = {"--help", "-h", "help"};
	for (int f = 0; f < 3; f++) {
		const struct program_result *r = tapcut_ok("%s", forms[f]);
		for (int i = 0; commands[i]; i++)
			ck_assert_msg(strstr(r->out, commands[i]->name) != NULL, "%s does not name %s", forms[f],
				      commands[i]->name);
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
	snprintf(usage, sizeof usage, "usage: tapcut %s", commands[_i]->name);
	snprintf(example, sizeof example, "tapcut %s ", commands[_i]->name);
	const struct program_result *r = tapcut_ok("%s --help", commands[_i]->name);
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
	tapcut_fails(2, "no-such-option", "%s --no-such-option", commands[_i]->name);
	expect_way_out(tapcut("%s --no-such-option", commands[_i]->name)->err);
}
END_TEST

START_TEST(command_without_arguments)
{
	const struct command *command = commands[_i];
	bool needs = command->operands && command->operands->needed;
	for (const struct option_row *row = command->options; row->type != OPTION_END; row++)
		needs |= row->needed;
	if (!needs)
		return;
	tapcut_fails(2, " is missing", "%s", command->name);
	expect_way_out(tapcut("%s", command->name)->err);
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

START_TEST(version_is_everywhere)
{
	char expected[64];
	snprintf(expected, sizeof expected, "tapcut %s\ncommit ", TAPCUT_VERSION);
	ck_assert_msg(strncmp(tapcut_ok("%s --version", commands[_i]->name)->out, expected, strlen(expected)) == 0,
		      "%s", tapcut("%s --version", commands[_i]->name)->out);
	const char *out = tapcut_ok("--version")->out;
	ck_assert_msg(strncmp(out, expected, strlen(expected)) == 0 && strstr(out, "\ninstruction set ") &&
			      strstr(out, "\nOpenBLAS "),
		      "%s", out);
}
END_TEST

/* --- every option by its row ---------------------------------------------- */

static void expect_refused(const struct command *command, const struct option_row *row, const char *value)
{
	char part[128];
	snprintf(part, sizeof part, "tapcut %s: --%s: expected ", command->name, row->name);
	const struct program_result *r = tapcut("%s --%s=%s", command->name, row->name, value);
	ck_assert_msg(r->code == 2 && strncmp(r->err, part, strlen(part)) == 0, "--%s=%s: %d, not \"%s\": %s",
		      row->name, value, r->code, part, r->err);
	expect_way_out(r->err);
}

static void try_number(const struct command *command, const struct option_row *row)
{
	char value[64];
	expect_refused(command, row, "512px");
	expect_refused(command, row, "x");
	expect_refused(command, row, "");
	expect_refused(command, row, "99999999999999999999999999");
	snprintf(value, sizeof value, "%.0f", row->min - 1);
	expect_refused(command, row, value);
	if (row->type == OPTION_REAL)
		expect_refused(command, row, "nan");
	else
		expect_refused(command, row, "40.5");
}

static void try_row(const struct command *command, const struct option_row *row)
{
	char part[128];
	if (row->type == OPTION_WHOLE || row->type == OPTION_REAL)
		try_number(command, row);
	else if (row->type == OPTION_FLAG)
		expect_refused(command, row, "1");
	else if (row->names)
		expect_refused(command, row, "no-such-name");
	else if (row->type != OPTION_CALL)
		expect_refused(command, row, "");
	if (row->type == OPTION_FLAG)
		return;
	snprintf(part, sizeof part, "--%s: expected a value: --%s %s", row->name, row->name, row->value);
	tapcut_fails(2, part, "%s --%s", command->name, row->name);
}

START_TEST(every_option_has_its_error)
{
	for (const struct option_row *row = commands[_i]->options; row->type != OPTION_END; row++)
		if (row->type != OPTION_HEADING)
			try_row(commands[_i], row);
}
END_TEST

START_TEST(every_option_is_explained)
{
	char option[64];
	const char *help = tapcut_ok("%s --help", commands[_i]->name)->out;
	for (const struct option_row *row = commands[_i]->options; row->type != OPTION_END; row++) {
		snprintf(option, sizeof option, row->type == OPTION_HEADING ? "\n%s:" : "  --%s", row->name);
		if (row->letter)
			snprintf(option, sizeof option, "  -%c, --%s", row->letter, row->name);
		ck_assert_msg(strstr(help, option) != NULL, "%s --help lacks %s", commands[_i]->name, row->name);
		ck_assert_msg(row->type == OPTION_HEADING || (row->help && *row->help), "--%s has no help", row->name);
		ck_assert_msg(row->type == OPTION_HEADING || (row->type == OPTION_FLAG) == !row->value,
			      "--%s: what stands for the value?", row->name);
	}
}
END_TEST

START_TEST(slips_of_the_finger)
{
	for (const struct option_row *row = commands[_i]->options; row->type != OPTION_END; row++) {
		char slip[64];
		snprintf(slip, sizeof slip, "%s", row->name);
		if (row->type == OPTION_HEADING || strlen(slip) < 4 || slip[0] == slip[1])
			continue;
		slip[0] = row->name[1];
		slip[1] = row->name[0];
		tapcut_fails(2, "did you mean --", "%s --%s", commands[_i]->name, slip);
	}
	tapcut_fails(2, "did you mean 'train'?", "tarin");
}
END_TEST

/* --- pages and completions ------------------------------------------------ */

START_TEST(manual_pages)
{
	if (shell("command -v groff >/dev/null # %s", "") != 0) {
		test_skip("groff is not installed");
		return;
	}
	const char *name = commands[_i]->name;
	ck_assert_msg(shell("test -z \"$($T man %s | groff -man -Tutf8 -ww -z 2>&1)\"", name) == 0, "%s: groff warns",
		      name);
	ck_assert_msg(shell("$T man %s | groff -man -Tascii -P-cbou | grep SYNOPSIS >/dev/null", name) == 0, "%s",
		      name);
	ck_assert_int_eq(shell("test -z \"$($T man | groff -man -Tutf8 -ww -z 2>&1)\" # %s", ""), 0);
	tapcut_fails(2, "COMMAND: expected a command", "man nonsense");
}
END_TEST

/* Words of a command line, and one of what completes the last of them. */
static const char *const completions[][2] = {
	{"insp", "inspect"},
	{"cut --thr", "--threads"},
	{"eval --arithmetic i", "int8"},
	{"eval --arithmetic = i", "int8"},
	{"coco r", "rle"},
	{"train --resume \"\"", "auto"},
	{"cut tools/tools.m", "tools/tools.mk"},
	{"scenes --out confi", "configs"},
	{"completion z", "zsh"},
};

START_TEST(completion_of_bash)
{
	char line[512];
	ck_assert_int_eq(shell("$T completion bash | bash -n # %s", ""), 0);
	for (size_t i = 0; i < sizeof completions / sizeof completions[0]; i++) {
		snprintf(line, sizeof line,
			 "bash -c 'source <(\"$0\" completion bash) && COMP_WORDS=(tapcut %s) && "
			 "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) && _tapcut && [[ \" ${COMPREPLY[*]} \" == *\" %s \"* "
			 "]]' $T # %%s",
			 completions[i][0], completions[i][1]);
		ck_assert_msg(shell(line, "") == 0, "tapcut %s does not complete to %s", completions[i][0],
			      completions[i][1]);
	}
}
END_TEST

START_TEST(completion_of_zsh)
{
	for (int i = 0; commands[i]; i++)
		ck_assert_int_eq(shell("$T completion zsh | grep '^\t%s)$' >/dev/null", commands[i]->name), 0);
	if (shell("command -v zsh >/dev/null # %s", "") != 0) {
		test_skip("zsh is not installed");
		return;
	}
	ck_assert_int_eq(shell("$T completion zsh >$T.zsh && zsh -n $T.zsh; c=$?; rm -f $T.zsh; exit $c # %s", ""), 0);
}
END_TEST

/* --- what is printed must arrive ------------------------------------------ */

START_TEST(full_and_closed_outputs)
{
	static const char *const lines[] = {"--help",
					    "--version",
					    "cut --help",
					    "edit --list",
					    "train --keys",
					    "man",
					    "inspect infer/models/base.tapcut --json"};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		if (access("/dev/full", W_OK) == 0)
			ck_assert_msg(shell("$T %s 2>&1 >/dev/full | grep -q 'standard output: No space left' && "
					    "{ $T --help >/dev/full 2>&1; test $? -eq 1; }",
					    lines[i]) == 0,
				      "%s", lines[i]);
		ck_assert_msg(shell("{ $T %s >&-; } 2>/dev/null; test $? -eq 1", lines[i]) == 0, "closed: %s",
			      lines[i]);
	}
	/* The reader is gone before anything is written. */
	ck_assert_int_eq(shell("sleep 0 | { $T --version >/dev/null; } # %s", ""), 0);
	ck_assert_int_eq(
		shell("bash -c 'exec 3> >(true); sleep 0.3; \"$0\" train --keys >&3; test $? -eq 1' $T 2>/dev/null # "
		      "%s",
		      ""),
		0);
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
	tcase_add_loop_test(tcase, help_of_a_command_has_usage_and_example, 0, command_count());
	tcase_add_loop_test(tcase, unknown_option, 0, command_count());
	tcase_add_loop_test(tcase, command_without_arguments, 0, command_count());
	tcase_add_test(tcase, option_without_value);
	tcase_add_test(tcase, values_out_of_range);
	tcase_add_test(tcase, instruction_set_from_the_environment);
	tcase_add_loop_test(tcase, version_is_everywhere, 0, command_count());
	tcase_add_loop_test(tcase, every_option_has_its_error, 0, command_count());
	tcase_add_loop_test(tcase, every_option_is_explained, 0, command_count());
	tcase_add_loop_test(tcase, slips_of_the_finger, 0, command_count());
	tcase_add_loop_test(tcase, manual_pages, 0, command_count());
	tcase_add_test(tcase, completion_of_bash);
	tcase_add_test(tcase, completion_of_zsh);
	tcase_add_test(tcase, full_and_closed_outputs);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
