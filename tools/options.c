/* See options.h. getopt_long does what is general (the forms of an option, beginnings of names, the order of words);
 * the rows say what there is, and every message is made here. */
#include "tools/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/slips.h"
#include "tools/command_form.h"
#include "tools/number.h"

enum { MAX_ROWS = 64, FIRST_LONG = 256, TEXT_SIZE = 256 };

const struct option_row options_common[] = {
	{"help", OPTION_FLAG, 0, 0, NULL, .help = "this text", .letter = 'h', .alone = true},
	{"version", OPTION_FLAG, 0, 0, NULL, .help = "version, commit, instruction set and OpenBLAS", .alone = true},
	{0},
};

/* --- rows ----------------------------------------------------------------- */

void *option_field(const struct option_row *row, void *arguments)
{
	return (char *)arguments + row->offset;
}

const char **option_text(const struct option_row *row, void *arguments)
{
	return option_field(row, arguments);
}

const struct option_row *options_find(const struct option_row *rows, const char *name)
{
	for (; rows && rows->type != OPTION_END; rows++)
		if (rows->type != OPTION_HEADING && strcmp(rows->name, name) == 0)
			return rows;
	return NULL;
}

bool options_flag(const struct command *command, void *arguments, const char *name)
{
	const struct option_row *row = options_find(command->options, name);
	return row && *(bool *)option_field(row, arguments);
}

/* --- what a value must be ------------------------------------------------- */

static bool is_number(const struct option_row *row)
{
	return row->type == OPTION_WHOLE || row->type == OPTION_REAL;
}

/* Ends as far away as a type reaches are none that a person would want to read. */
static bool has_max(const struct option_row *row)
{
	return row->max < 1e9;
}

void option_range(const struct option_row *row, char *text, size_t size)
{
	const char *unit = row->unit ? row->unit : "", *space = row->unit ? " " : "";
	text[0] = '\0';
	if (is_number(row) && !has_max(row) && row->min == 0 && !row->above_min)
		return;
	if (is_number(row) && !has_max(row))
		snprintf(text, size, "%s%.15g%s%s%s", row->above_min ? "over " : "", row->min, space, unit,
			 row->above_min ? "" : " or more");
	else if (is_number(row) && row->above_min && !row->below_max)
		snprintf(text, size, "over %.15g, at most %.15g%s%s", row->min, row->max, space, unit);
	else if (is_number(row))
		snprintf(text, size, "%s%.15g %s %.15g%s%s", row->below_max ? "between " : "", row->min,
			 row->below_max ? "and" : "to", row->max, space, unit);
}

static void describe_number(const struct option_row *row, char *text, size_t size)
{
	const char *kind = row->type == OPTION_WHOLE ? "a whole number" : "a number";
	char range[TEXT_SIZE];
	if (has_max(row) && !row->above_min && !row->below_max) {
		snprintf(text, size, "%s from %.15g to %.15g", kind, row->min, row->max);
		return;
	}
	if (!has_max(row) && !row->above_min) {
		snprintf(text, size, "%s from %.15g up", kind, row->min);
		return;
	}
	option_range(&(struct option_row){.type = row->type,
					  .min = row->min,
					  .max = row->max,
					  .above_min = row->above_min,
					  .below_max = row->below_max},
		     range, sizeof range);
	snprintf(text, size, "%s %s", kind, range);
}

/* "a, b or c" */
static void describe_names(const char *const *names, char *text, size_t size)
{
	size_t used = 0;
	text[0] = '\0';
	for (int i = 0; names[i] && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s",
					 !i             ? ""
					 : names[i + 1] ? ", "
							: " or ",
					 names[i]);
}

void option_describe(const struct option_row *row, char *text, size_t size)
{
	switch (row->type) {
	case OPTION_WHOLE:
	case OPTION_REAL: describe_number(row, text, size); return;
	case OPTION_CHOICE:
	case OPTION_ENUM: describe_names(row->names, text, size); return;
	case OPTION_FILE: snprintf(text, size, "a file's name"); return;
	case OPTION_FOLDER: snprintf(text, size, "a folder's name"); return;
	default:
		if (row->names)
			describe_names(row->names, text, size);
		else
			snprintf(text, size, "%s", row->value ? row->value : "nothing");
	}
}

enum status option_expected(const char *value, const char *format, ...)
{
	char expected[TEXT_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(expected, sizeof expected, format, args);
	va_end(args);
	return status_fail(STATUS_CONFIG, "expected %s, found \"%.200s\"", expected, value);
}

enum status option_wrong(const char *name, const char *value, const char *expected)
{
	return status_wrap(option_expected(value, "%s", expected), "--%s", name);
}

/* --- one value ------------------------------------------------------------ */

static bool set_whole(const struct option_row *row, const char *value, void *field)
{
	struct whole whole;
	if (!number_whole(&value, row->any_base, &whole) || *value)
		return false;
	double number = whole.negative ? -(double)whole.magnitude : (double)whole.magnitude;
	if (!(number >= row->min && number <= row->max))
		return false;
	int64_t wide = whole.negative ? -(int64_t)whole.magnitude : (int64_t)whole.magnitude;
	int narrow = (int)wide;
	memcpy(field, row->size == sizeof wide ? (void *)&wide : (void *)&narrow, row->size);
	return true;
}

static bool set_real(const struct option_row *row, const char *value, void *field)
{
	double wide;
	if (!number_real(&value, &wide) || *value)
		return false;
	bool low = row->above_min ? wide > row->min : wide >= row->min;
	bool high = row->below_max ? wide < row->max : wide <= row->max;
	float narrow = (float)wide;
	if (low && high)
		memcpy(field, row->size == sizeof wide ? (void *)&wide : (void *)&narrow, row->size);
	return low && high;
}

static bool set_name(const struct option_row *row, const char *value, void *field)
{
	int index = 0;
	while (row->names[index] && strcmp(row->names[index], value) != 0)
		index++;
	if (!row->names[index])
		return false;
	if (row->type == OPTION_ENUM)
		memcpy(field, &index, sizeof index);
	else
		memcpy(field, &value, sizeof value);
	return true;
}

static bool set_text(const char *value, void *field)
{
	if (*value)
		memcpy(field, &value, sizeof value);
	return *value != '\0';
}

static void set_flag(const struct option_row *row, void *field)
{
	if (row->size == sizeof(bool))
		*(bool *)field = !row->off;
	else
		*(int *)field = row->sets ? row->sets : !row->off;
}

bool option_read(const struct option_row *row, const char *value, void *field)
{
	switch (row->type) {
	case OPTION_FLAG: set_flag(row, field); return true;
	case OPTION_WHOLE: return set_whole(row, value, field);
	case OPTION_REAL: return set_real(row, value, field);
	case OPTION_CHOICE:
	case OPTION_ENUM: return set_name(row, value, field);
	default: return set_text(value, field);
	}
}

enum status options_set(const struct option_row *row, bool operand, const char *value, void *arguments)
{
	const char *dashes = operand ? "" : "--";
	void *field = option_field(row, arguments);
	char expected[TEXT_SIZE];
	if (row->type == OPTION_CALL) {
		enum status status = row->take(field, row, value);
		return status ? status_wrap(status, "%s%s", dashes, row->name) : STATUS_OK;
	}
	if (option_read(row, value, field))
		return STATUS_OK;
	option_describe(row, expected, sizeof expected);
	return status_wrap(option_expected(value, "%s", expected), "%s%s", dashes, row->name);
}

/* --- a command line ------------------------------------------------------- */

struct parser {
	const struct command *command;
	const struct option_row *rows[MAX_ROWS]; /* the command's and the common ones, without headings */
	struct option longs[MAX_ROWS + 1];       /* the same for getopt_long */
	char letters[2 * MAX_ROWS + 2];
	bool given[MAX_ROWS];
	int count;
};

static void add_rows(struct parser *p, const struct option_row *rows)
{
	size_t letters = strlen(p->letters);
	for (; rows->type != OPTION_END && p->count < MAX_ROWS; rows++) {
		if (rows->type == OPTION_HEADING)
			continue;
		int value = rows->type == OPTION_FLAG ? no_argument : required_argument;
		p->longs[p->count] = (struct option){rows->name, value, NULL, FIRST_LONG + p->count};
		p->rows[p->count++] = rows;
		if (rows->letter)
			letters += (size_t)sprintf(p->letters + letters, "%c%s", rows->letter, value ? ":" : "");
	}
}

/* The index of the row that getopt_long's `value`, a letter or one of ours, means; -1: none. */
static int row_of(const struct parser *p, int value)
{
	if (value >= FIRST_LONG)
		return value - FIRST_LONG;
	for (int i = 0; i < p->count; i++)
		if (value && p->rows[i]->letter == value)
			return i;
	return -1;
}

/* The names that begin like `word`, as "--set, --seed or --steps"; how many. */
static int names_with(const struct parser *p, const char *word, char *text, size_t size)
{
	char names[MAX_ROWS][TEXT_SIZE / 4];
	const char *list[MAX_ROWS + 1];
	int count = 0;
	for (int i = 0; i < p->count; i++)
		if (strncmp(p->rows[i]->name, word, strlen(word)) == 0) {
			snprintf(names[count], sizeof names[0], "--%s", p->rows[i]->name);
			list[count] = names[count];
			count++;
		}
	list[count] = NULL;
	describe_names(list, text, size);
	return count;
}

/* `word` is an argument that getopt_long could make nothing of. */
static enum status unknown_option(const struct parser *p, const char *word, int letter)
{
	const char *names[MAX_ROWS + 1];
	char name[TEXT_SIZE], several[TEXT_SIZE];
	const char *after = word + strspn(word, "-");
	snprintf(name, sizeof name, "%.*s", (int)strcspn(after, "="), after);
	if (!letter && *name && names_with(p, name, several, sizeof several) > 1)
		return status_fail(STATUS_CONFIG, "--%s: expected %s", name, several);
	for (int i = 0; i < p->count; i++)
		names[i] = p->rows[i]->name;
	names[p->count] = NULL;
	const char *meant = strlen(name) > 1 ? slips_nearest(name, names) : NULL;
	if (letter)
		snprintf(name, sizeof name, "-%c", letter);
	return status_fail(STATUS_CONFIG, "unknown option %s%s%s%s%s", letter ? "" : "--", name,
			   meant ? ": did you mean --" : "", meant ? meant : "", meant ? "?" : "");
}

/* What getopt_long refused. */
static enum status refused(const struct parser *p, int result, const char *word)
{
	int index = row_of(p, optopt);
	if (index < 0)
		return unknown_option(p, word, optopt < FIRST_LONG ? optopt : 0);
	const struct option_row *row = p->rows[index];
	if (result == ':')
		return status_fail(STATUS_CONFIG, "--%s: expected a value: --%s %s", row->name, row->name, row->value);
	return status_fail(STATUS_CONFIG, "--%s: expected no value, found \"%.200s\"", row->name, word);
}

static enum status set_defaults(const struct option_row *rows, bool operands, void *arguments)
{
	for (; rows && rows->type != OPTION_END; rows++)
		if (rows->standard)
			TRY(options_set(rows, operands, rows->standard, arguments));
	return STATUS_OK;
}

/* The argument that getopt_long refused. It has moved on, but for a letter of several behind one dash. */
static const char *refused_word(int argc, char **argv)
{
	bool inside = optopt && optopt < FIRST_LONG && optind < argc && argv[optind][0] == '-' &&
		      strchr(argv[optind], optopt);
	return argv[inside ? optind : optind - 1];
}

static enum options_result read_options(struct parser *p, int argc, char **argv, void *arguments)
{
	enum options_result result = OPTIONS_RUN;
	opterr = 0;
	optind = 0; /* begin anew: glibc's and musl's way */
	for (int option; (option = getopt_long(argc, argv, p->letters, p->longs, NULL)) != -1;) {
		if (option == '?' || option == ':')
			return (void)refused(p, option, refused_word(argc, argv)), OPTIONS_WRONG;
		int index = row_of(p, option);
		const struct option_row *row = p->rows[index];
		if (row == &options_common[0])
			return OPTIONS_HELP;
		if (row == &options_common[1])
			return OPTIONS_VERSION;
		if (options_set(row, false, optarg, arguments))
			return OPTIONS_WRONG;
		p->given[index] = true;
		result = row->alone ? OPTIONS_ALONE : result;
	}
	return result;
}

static enum status missing(const struct option_row *row, bool operand)
{
	if (operand)
		return status_fail(STATUS_CONFIG, "%s is missing", row->name);
	return status_fail(STATUS_CONFIG, "--%s %s is missing", row->name, row->value);
}

/* An operand that an option can give as well (`train --config`) is there already. */
static bool is_taken(const struct option_row *row, void *arguments)
{
	bool text = row->type == OPTION_FILE || row->type == OPTION_FOLDER || row->type == OPTION_TEXT;
	return text && *option_text(row, arguments) != NULL;
}

static enum status read_operands(const struct command *command, int argc, char **argv, void *arguments)
{
	const struct option_row *row = command->operands;
	for (int i = optind; i < argc; i++) {
		if (!row || row->type == OPTION_END || is_taken(row, arguments))
			return status_fail(STATUS_CONFIG, "expected %s%s, found \"%.200s\" as well",
					   command->operands ? "one " : "options only",
					   command->operands ? row > command->operands ? row[-1].name : row->name : "",
					   argv[i]);
		TRY(options_set(row, true, argv[i], arguments));
		row += !row->many;
	}
	return STATUS_OK;
}

static enum status find_missing(const struct parser *p, int operand_count)
{
	const struct option_row *row = p->command->operands;
	for (int i = 0; row && row[i].type != OPTION_END; i++)
		if (row[i].needed && i >= operand_count)
			return missing(&row[i], true);
	for (int i = 0; i < p->count; i++)
		if (p->rows[i]->needed && !p->given[i])
			return missing(p->rows[i], false);
	return STATUS_OK;
}

enum options_result options_parse(const struct command *command, int argc, char **argv, void *arguments)
{
	struct parser p = {.command = command, .letters = ":"};
	if (command->options)
		add_rows(&p, command->options);
	add_rows(&p, options_common);
	if (command->init)
		command->init(arguments);
	if (set_defaults(command->options, false, arguments) || set_defaults(command->operands, true, arguments))
		return OPTIONS_WRONG;
	enum options_result result = read_options(&p, argc, argv, arguments);
	if (result != OPTIONS_RUN && result != OPTIONS_ALONE)
		return result;
	if (read_operands(command, argc, argv, arguments))
		return OPTIONS_WRONG;
	return result == OPTIONS_RUN && find_missing(&p, argc - optind) ? OPTIONS_WRONG : result;
}
