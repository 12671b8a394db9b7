/* --help from the rows. See options_help.h. */
#include "tools/options_help.h"

#include <stdbool.h>
#include <string.h>

#include "tools/options.h"

enum { WIDTH = 100, LEAST_COLUMN = 14, MOST_COLUMN = 26, TEXT_SIZE = 1024 };

/* --- text of a width ------------------------------------------------------ */

/* Prints words up to WIDTH columns and begins each further line with `indent` spaces; `column` is where it begins. */
static void print_wrapped(FILE *out, const char *text, int column, int indent)
{
	bool first = true;
	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		int length = (int)strcspn(text, " ");
		if (!first && column + 1 + length > WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
			first = true;
		}
		fprintf(out, "%s%.*s", first ? "" : " ", length, text);
		column += length + !first;
		first = false;
		text += length;
	}
	fprintf(out, "\n");
}

/* Paragraphs: each line of `text` is one, empty ones part them. */
static void print_paragraphs(FILE *out, const char *text)
{
	while (*text) {
		char line[TEXT_SIZE];
		int length = (int)strcspn(text, "\n");
		snprintf(line, sizeof line, "%.*s", length, text);
		print_wrapped(out, line, 0, 0);
		text += length + (text[length] == '\n');
	}
}

static void print_lines(FILE *out, const char *first, const char *further, const char *command, const char *lines)
{
	for (const char *begin = first; *lines; begin = further) {
		int length = (int)strcspn(lines, "\n");
		fprintf(out, "%s%s%s%.*s\n", begin, command, *command && length ? " " : "", length, lines);
		lines += length + (lines[length] == '\n');
	}
}

/* --- rows ----------------------------------------------------------------- */

static size_t add(char *text, size_t size, size_t used, const char *before, const char *middle, const char *after)
{
	if (used < size)
		used += (size_t)snprintf(text + used, size - used, "%s%s%s", before, middle, after);
	return used;
}

void option_explain(const struct option_row *row, char *text, size_t size)
{
	char words[256];
	const char *standard = row->standard ? row->standard : row->otherwise;
	size_t used = add(text, size, 0, row->help, "", "");
	if (row->names && row->names[0] && row->names[1]) {
		option_describe(row, words, sizeof words);
		used = add(text, size, used, ": ", words, "");
	}
	option_range(row, words, sizeof words);
	if (words[0] || standard)
		used = add(text, size, used, " (", words, words[0] && standard ? "; " : standard ? "" : ")");
	if (standard)
		used = add(text, size, used, "default: ", standard, ")");
	if (row->many)
		add(text, size, used, "; may be given several times", "", "");
}

/* "-o, --output FILE" */
static int name_row(const struct option_row *row, char *text, size_t size)
{
	char letter[8] = "";
	if (row->letter)
		snprintf(letter, sizeof letter, "-%c, ", row->letter);
	return snprintf(text, size, "%s--%s%s%s", letter, row->name, row->value ? " " : "",
			row->value ? row->value : "");
}

static int column_of(const struct option_row *rows)
{
	char name[TEXT_SIZE];
	int column = LEAST_COLUMN;
	for (; rows && rows->type != OPTION_END; rows++) {
		int length = rows->type == OPTION_HEADING ? 0 : name_row(rows, name, sizeof name) + 4;
		if (length > column && length <= MOST_COLUMN)
			column = length;
	}
	return column;
}

static void print_rows(FILE *out, const struct option_row *rows, int column)
{
	for (; rows && rows->type != OPTION_END; rows++) {
		char name[TEXT_SIZE], text[TEXT_SIZE];
		if (rows->type == OPTION_HEADING) {
			fprintf(out, "\n%s:\n", rows->name);
			continue;
		}
		int used = 2 + name_row(rows, name, sizeof name);
		option_explain(rows, text, sizeof text);
		fprintf(out, "  %s", name);
		if (used + 2 > column)
			fprintf(out, "\n%*s", column, "");
		else
			fprintf(out, "%*s", column - used, "");
		print_wrapped(out, text, column, column);
	}
}

void options_print_help(const struct command *command, FILE *out)
{
	char name[64];
	int column = column_of(command->options);
	snprintf(name, sizeof name, "tapcut %s", command->name);
	print_lines(out, "usage: ", "       ", name, command->usage);
	fprintf(out, "\n");
	print_paragraphs(out, command->about);
	if (!command->options || command->options->type != OPTION_HEADING)
		fprintf(out, "\n");
	print_rows(out, command->options, column);
	print_rows(out, options_common, column);
	if (command->notes) {
		fprintf(out, "\n");
		print_paragraphs(out, command->notes);
	}
	fprintf(out, "\nexample%s:\n", strchr(command->examples, '\n') ? "s" : "");
	print_lines(out, "  ", "  ", "", command->examples);
}
