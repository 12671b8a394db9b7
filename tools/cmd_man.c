/* tapcut man: the manual pages, in the language of man(7), from the rows of the commands. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/kernels.h"
#include "infer/tapcut.h"
#include "tools/command.h"
#include "tools/options_help.h"

struct arguments {
	const char *command;
};

static const struct option_row operand_rows[] = {
	{"COMMAND", OPTION_TEXT, OPTION_FIELD(command), NULL, .help = "whose page",
	 .otherwise = "that of tapcut itself"},
	{0},
};

static const struct option_row option_rows[] = {{0}};

/* Without what troff would take for a command, and with hyphens that can be copied. */
static void print_text(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool begins = i == 0 || text[i - 1] == '\n';
		if (begins && (text[i] == '.' || text[i] == '\''))
			printf("\\&");
		if (text[i] == '\\')
			printf("\\e");
		else if (text[i] == '-')
			printf("\\-");
		else
			putchar(text[i]);
	}
}

static void print_word(const char *text)
{
	print_text(text, strlen(text));
}

/* Each line of `lines` between `before` and `after`. */
static void print_each(const char *lines, const char *before, const char *after)
{
	while (*lines) {
		size_t length = strcspn(lines, "\n");
		printf("%s", before);
		print_text(lines, length);
		printf("%s\n", after);
		lines += length + (lines[length] == '\n');
	}
}

static void print_title(const char *name, const char *summary)
{
	printf(".TH \"TAPCUT");
	if (*name)
		printf("\\-");
	for (const char *c = name; *c; c++)
		putchar(toupper((unsigned char)*c));
	printf("\" 1 \"\" \"tapcut %s\" \"tapcut\"\n.SH NAME\ntapcut%s%s \\- ", tapcut_version(), *name ? "\\-" : "",
	       name);
	print_word(summary);
	printf("\n");
}

static void print_rows(const struct option_row *row)
{
	for (; row->type != OPTION_END; row++) {
		char text[1024];
		if (row->type == OPTION_HEADING) {
			printf(".SS ");
			print_word(row->name);
			printf("\n");
			continue;
		}
		option_explain(row, text, sizeof text);
		printf(".TP\n");
		if (row->letter)
			printf("\\fB\\-%c\\fR, ", row->letter);
		printf("\\fB\\-\\-");
		print_word(row->name);
		printf("\\fR");
		if (row->value) {
			printf(" \\fI");
			print_word(row->value);
			printf("\\fR");
		}
		printf("\n");
		print_word(text);
		printf("\n");
	}
}

static void print_exit_status(void)
{
	printf(".SH EXIT STATUS\n.TP\n0\nDone.\n.TP\n1\nThe work failed; the reason is on standard error.\n"
	       ".TP\n2\nThe command line is wrong; what is wrong with it is on standard error.\n");
}

static void print_command(const struct command *command)
{
	print_title(command->name, command->summary);
	printf(".SH SYNOPSIS\n.nf\n");
	for (const char *line = command->usage; *line;) {
		size_t length = strcspn(line, "\n");
		printf("\\fBtapcut %s\\fR ", command->name);
		print_text(line, length);
		printf("\n");
		line += length + (line[length] == '\n');
	}
	printf(".fi\n.SH DESCRIPTION\n");
	print_each(command->about, ".PP\n", "");
	printf(".SH OPTIONS\n");
	print_rows(command->options);
	print_rows(options_common);
	if (command->notes) {
		printf(".SH NOTES\n");
		print_each(command->notes, ".PP\n", "");
	}
	print_exit_status();
	printf(".SH EXAMPLES\n.nf\n");
	print_each(command->examples, "", "");
	printf(".fi\n.SH SEE ALSO\n.BR tapcut (1)\n");
}

static void print_program(void)
{
	print_title("", "select an object in a photo with one tap");
	printf(".SH SYNOPSIS\n\\fBtapcut\\fR \\fICOMMAND\\fR [OPTIONS]\n.SH DESCRIPTION\n"
	       "tapcut trains networks that cut an object out of a photo at one tap, measures them, makes them small, "
	       "and runs "
	       "them.\nEach command has a page of its own.\n.SH COMMANDS\n");
	for (int i = 0; commands[i]; i++) {
		printf(".TP\n\\fBtapcut\\-%s\\fR(1)\n", commands[i]->name);
		print_word(commands[i]->summary);
		printf("\n");
	}
	print_exit_status();
	printf(".SH ENVIRONMENT\n.TP\n.B TAPCUT_ISA\n");
	for (int i = 0; kernels_names[i]; i++)
		printf("%s%s", i ? " or " : "", kernels_names[i]);
	printf(": the instructions to train with; the weights get the same bytes with each.\n"
	       "Where it is not set, the best that the processor has.\n"
	       ".SH EXAMPLES\n.nf\ntapcut cut photo.jpg \\-\\-tap 320,200\n.fi\n");
}

static enum status check(void *arguments)
{
	const struct arguments *a = arguments;
	if (a->command && !command_find(a->command))
		return status_wrap(option_expected(a->command, "a command of tapcut"), "COMMAND");
	return STATUS_OK;
}

static int run(void *arguments)
{
	const struct arguments *a = arguments;
	if (a->command)
		print_command(command_find(a->command));
	else
		print_program();
	return 0;
}

const struct command command_man = {
	.name = "man",
	.summary = "the manual page of a command",
	.usage = "[COMMAND]",
	.about = "Prints a manual page for man and groff: that of a command, or of tapcut itself. make install puts "
		 "all of them in "
		 "place.",
	.options = option_rows,
	.operands = operand_rows,
	.examples = "tapcut man cut | man -l -",
	.size = sizeof(struct arguments),
	.check = check,
	.run = run,
};
