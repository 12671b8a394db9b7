/* The mechanism of options on a command of its own: every type, every form that getopt_long knows, every error. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/test.h"
#include "tools/command.h"
#include "tools/number.h"
#include "tools/options_help.h"

struct arguments {
	const char *photo, *second, *text, *file, *folder, *choice;
	int whole, count, zoom, kind;
	int64_t wide;
	uint64_t seed;
	float real;
	double share;
	bool flag, list, started;
	int calls;
	char last[32];
};

static enum status take(void *field, const struct option_row *row, const char *value)
{
	struct arguments *a = field;
	(void)row;
	if (strchr(value, '!'))
		return option_expected(value, "no exclamation");
	a->calls++;
	snprintf(a->last, sizeof a->last, "%s", value);
	return STATUS_OK;
}

static const char *const kinds[] = {"f32", "f16", "int8", NULL};

static const struct option_row operand_rows[] = {
	{"PHOTO", OPTION_FILE, OPTION_FIELD(photo), NULL, .help = "a photo", .needed = true},
	{"SECOND", OPTION_TEXT, OPTION_FIELD(second), NULL, .help = "another"},
	{0},
};
static const struct option_row option_rows[] = {
	{"whole", OPTION_WHOLE, OPTION_FIELD(whole), "N", .help = "size", .min = 32, .max = 4096, .unit = "pixels",
	 .standard = "300"},
	{"count", OPTION_WHOLE, OPTION_FIELD(count), "N", .help = "how many", .letter = 'n', .min = -5, .max = 5},
	{"wide", OPTION_WHOLE, OPTION_FIELD(wide), "N", .help = "wide", .min = -9e18, .max = 9e18},
	{"seed", OPTION_WHOLE, OPTION_FIELD(seed), "S", .help = "seed", .max = 18446744073709551615.0,
	 .any_base = true},
	{"real", OPTION_REAL, OPTION_FIELD(real), "X", .help = "real", .max = 200, .standard = "0.5"},
	{"share", OPTION_REAL, OPTION_FIELD(share), "X", .help = "share", .max = 1, .above_min = true,
	 .below_max = true},
	{"text", OPTION_TEXT, OPTION_FIELD(text), "TEXT", .help = "text"},
	{"output", OPTION_FILE, OPTION_FIELD(file), "FILE", .help = "file", .letter = 'o', .writes = true},
	{"folder", OPTION_FOLDER, OPTION_FIELD(folder), "DIR", .help = "folder"},
	{"choice", OPTION_CHOICE, OPTION_FIELD(choice), "KIND", .help = "choice", .names = kinds},
	{"kind", OPTION_ENUM, OPTION_FIELD(kind), "KIND", .help = "kind", .names = kinds, .standard = "f16"},
	{"tap", OPTION_CALL, 0, 0, "X,Y", .help = "tap", .take = take, .many = true},
	{"more", .type = OPTION_HEADING},
	{"flag", OPTION_FLAG, OPTION_FIELD(flag), NULL, .help = "flag"},
	{"zoom", OPTION_FLAG, OPTION_FIELD(zoom), NULL, .help = "zoom"},
	{"no-zoom", OPTION_FLAG, OPTION_FIELD(zoom), NULL, .help = "no zoom", .off = true},
	{"list", OPTION_FLAG, OPTION_FIELD(list), NULL, .help = "list", .alone = true},
	{0},
};

static void init(void *arguments)
{
	((struct arguments *)arguments)->zoom = -1;
}

static const struct command command = {
	.name = "try",
	.summary = "trial",
	.usage = "PHOTO [OPTIONS]",
	.about = "One paragraph.",
	.options = option_rows,
	.operands = operand_rows,
	.examples = "tapcut try a.jpg",
	.size = sizeof(struct arguments),
	.init = init,
};

static struct arguments a;

/* Parses words that are parted by spaces; "~" stands for an empty word. */
static enum options_result parse(const char *line)
{
	static char copy[512], *words[64];
	int count = 1;
	words[0] = "try";
	snprintf(copy, sizeof copy, "%s", line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		words[count++] = strcmp(word, "~") ? word : "";
	words[count] = NULL;
	memset(&a, 0, sizeof a);
	return options_parse(&command, count, words, &a);
}

START_TEST(defaults_are_in_the_rows)
{
	ck_assert_int_eq(parse("a.jpg"), OPTIONS_RUN);
	ck_assert_str_eq(a.photo, "a.jpg");
	ck_assert_int_eq(a.whole, 300);
	ck_assert_int_eq(a.kind, 1);
	ck_assert_int_eq(a.zoom, -1);
	ck_assert_double_eq((double)a.real, 0.5);
	ck_assert(!a.choice && !a.flag && !a.second);
}
END_TEST

START_TEST(every_form)
{
	ck_assert_int_eq(parse("--whole 64 a.jpg --count=-5 --seed 0x10 --real=2 --flag --choice int8 --kind f32"),
			 OPTIONS_RUN);
	ck_assert_int_eq(a.whole, 64);
	ck_assert_int_eq(a.count, -5);
	ck_assert_uint_eq(a.seed, 16);
	ck_assert_str_eq(a.choice, "int8");
	ck_assert(a.flag && a.kind == 0 && (double)a.real == 2);
	ck_assert_int_eq(parse("a.jpg -ox.png -n 3 --no-zoom --wh 4096 --seed 18446744073709551615 --wide -1"),
			 OPTIONS_RUN);
	ck_assert_str_eq(a.file, "x.png");
	ck_assert(a.count == 3 && a.zoom == 0 && a.whole == 4096 && a.seed == UINT64_MAX && a.wide == -1);
	ck_assert_int_eq(parse("--whole 64 --whole 65 -- -dash --flag"), OPTIONS_RUN);
	ck_assert_int_eq(a.whole, 65); /* the last one counts */
	ck_assert_str_eq(a.photo, "-dash");
	ck_assert_str_eq(a.second, "--flag");
	ck_assert_int_eq(parse("a.jpg --tap 1,2 --tap 3,4"), OPTIONS_RUN);
	ck_assert(a.calls == 2 && !strcmp(a.last, "3,4"));
	ck_assert_int_eq(parse("--list"), OPTIONS_ALONE);
	ck_assert(a.list);
	ck_assert_int_eq(parse("--help --nonsense"), OPTIONS_HELP);
	ck_assert_int_eq(parse("-h"), OPTIONS_HELP);
	ck_assert_int_eq(parse("--version"), OPTIONS_VERSION);
}
END_TEST

static const struct {
	const char *line, *message;
} wrong[] = {
	{"a --whole 512px", "--whole: expected a whole number from 32 to 4096, found \"512px\""},
	{"a --whole 31", "--whole: expected a whole number from 32 to 4096, found \"31\""},
	{"a --whole 4097", "from 32 to 4096, found \"4097\""},
	{"a --whole 64.0", "found \"64.0\""},
	{"a --whole ~", "found \"\""},
	{"a --whole 99999999999999999999999", "from 32 to 4096, found \"99999999999999999999999\""},
	{"a --count 4294967297", "from -5 to 5"}, /* 1 in 32 bits */
	{"a --seed 18446744073709551616", "--seed: expected a whole number from 0 up"},
	{"a --seed -1", "--seed: expected a whole number from 0 up"},
	{"a --real nan", "--real: expected a number from 0 to 200, found \"nan\""},
	{"a --real inf", "found \"inf\""},
	{"a --real 1e400", "found \"1e400\""},
	{"a --real 200.1", "found \"200.1\""},
	{"a --share 0", "--share: expected a number between 0 and 1, found \"0\""},
	{"a --share 1", "between 0 and 1"},
	{"a --choice int3", "--choice: expected f32, f16 or int8, found \"int3\""},
	{"a --kind F32", "--kind: expected f32, f16 or int8, found \"F32\""},
	{"a --text ~", "--text: expected TEXT, found \"\""},
	{"a --output ~", "--output: expected a file's name, found \"\""},
	{"a --tap 1!", "--tap: expected no exclamation, found \"1!\""},
	{"a --whole", "--whole: expected a value: --whole N"},
	{"a -o", "--output: expected a value: --output FILE"},
	{"a --flag=1", "--flag: expected no value"},
	{"a --hwole 3", "unknown option --hwole: did you mean --whole?"},
	{"a -whole 3", "unknown option -w: did you mean --whole?"},
	{"a --xyzzy", "unknown option --xyzzy"},
	{"a -x", "unknown option -x"},
	{"a --w 3", "--w: expected --whole or --wide"},
	{"", "PHOTO is missing"},
	{"a b c", "expected one SECOND, found \"c\" as well"},
};

START_TEST(every_error)
{
	enum options_result result = parse(wrong[_i].line);
	ck_assert_msg(result == OPTIONS_WRONG, "\"%s\" was taken", wrong[_i].line);
	ck_assert_msg(strstr(status_message(), wrong[_i].message) != NULL, "\"%s\" gives \"%s\", not \"%s\"",
		      wrong[_i].line, status_message(), wrong[_i].message);
}
END_TEST

/* A value that is refused leaves the field as it was. */
START_TEST(refused_values_change_nothing)
{
	ck_assert_int_eq(parse("a --whole 64 --whole 5000"), OPTIONS_WRONG);
	ck_assert_int_eq(a.whole, 64);
	ck_assert_int_eq(parse("a --real 3 --real 300"), OPTIONS_WRONG);
	ck_assert_double_eq((double)a.real, 3);
}
END_TEST

START_TEST(help_says_what_the_rows_say)
{
	char text[1024];
	option_explain(&option_rows[0], text, sizeof text);
	ck_assert_str_eq(text, "size (32 to 4096 pixels; default: 300)");
	option_explain(&option_rows[10], text, sizeof text);
	ck_assert_str_eq(text, "kind: f32, f16 or int8 (default: f16)");
	option_explain(&option_rows[5], text, sizeof text);
	ck_assert_str_eq(text, "share (between 0 and 1)");
	option_explain(&option_rows[11], text, sizeof text);
	ck_assert_str_eq(text, "tap; may be given several times");
}
END_TEST

START_TEST(whole_numbers)
{
	static const struct {
		const char *text;
		bool any_base, fine, negative;
		uint64_t magnitude;
		size_t read;
	} cases[] = {
		{"0", false, true, false, 0, 1},
		{" +7", false, true, false, 7, 3},
		{"-9x", false, true, true, 9, 2},
		{"0x1F", true, true, false, 31, 4},
		{"017", true, true, false, 15, 3},
		{"017", false, true, false, 17, 3},
		{"0x", true, true, false, 0, 1},
		{"", false, false, false, 0, 0},
		{"-", false, false, false, 0, 0},
		{"x", true, false, false, 0, 0},
		{"-0", false, true, false, 0, 2},
		{"18446744073709551615", false, true, false, UINT64_MAX, 20},
		{"18446744073709551616", false, false, false, 0, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct whole whole = {0};
		const char *at = cases[i].text;
		ck_assert_msg(number_whole(&at, cases[i].any_base, &whole) == cases[i].fine, "%s", cases[i].text);
		ck_assert_uint_eq((size_t)(at - cases[i].text), cases[i].read);
		if (cases[i].fine)
			ck_assert(whole.magnitude == cases[i].magnitude && whole.negative == cases[i].negative);
	}
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("options");
	TCase *tcase = tcase_create("options");
	tcase_add_test(tcase, defaults_are_in_the_rows);
	tcase_add_test(tcase, every_form);
	tcase_add_loop_test(tcase, every_error, 0, sizeof wrong / sizeof wrong[0]);
	tcase_add_test(tcase, refused_values_change_nothing);
	tcase_add_test(tcase, help_says_what_the_rows_say);
	tcase_add_test(tcase, whole_numbers);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
