/* tapcut completion: what a shell needs to complete command lines of tapcut, from the rows of all commands. */
#include <stdio.h>
#include <string.h>

#include "tools/command.h"

struct arguments {
	const char *shell;
};

static const char *const shells[] = {"bash", "zsh", NULL};

static const struct option_row operand_rows[] = {
	{"SHELL", OPTION_CHOICE, OPTION_FIELD(shell), NULL, .help = "whose completion", .names = shells,
	 .needed = true},
	{0},
};

static const struct option_row option_rows[] = {{0}};

static bool has_options(const struct option_row *row)
{
	return row->type != OPTION_END;
}

/* --- bash ----------------------------------------------------------------- */

/* The case of an option that takes a value: what the next word may be. */
static void print_bash_values(const struct command *command, const struct option_row *row)
{
	if (row->type == OPTION_HEADING || row->type == OPTION_FLAG)
		return;
	printf("\t\"%s --%s\"", command->name, row->name);
	if (row->letter)
		printf(" | \"%s -%c\"", command->name, row->letter);
	if (row->names) {
		printf(") kind=words words=\"");
		for (int i = 0; row->names[i]; i++)
			printf("%s%s", i ? " " : "", row->names[i]);
		printf("\" ;;\n");
	} else {
		printf(") kind=%s ;;\n", row->type == OPTION_FILE     ? "files"
					 : row->type == OPTION_FOLDER ? "folders"
								      : "nothing");
	}
}

static void print_bash_names(const struct option_row *row)
{
	for (; has_options(row); row++)
		if (row->type != OPTION_HEADING)
			printf(" --%s", row->name);
}

static void print_bash_command(const struct command *command)
{
	const struct option_row *row = command->operands;
	printf("\t%s)\n\t\toptions=\"", command->name);
	print_bash_names(command->options);
	print_bash_names(options_common);
	printf("\"\n");
	if (row && row->names) {
		printf("\t\t[ $at -eq 2 ] && kind=words words=\"");
		for (int i = 0; row->names[i]; i++)
			printf("%s%s", i ? " " : "", row->names[i]);
		printf("\"\n");
	}
	printf("\t\t;;\n");
}

static void print_bash(void)
{
	printf("# bash completion of tapcut, made by `tapcut completion bash`.\n"
	       "_tapcut()\n{\n"
	       "\tlocal at=$COMP_CWORD word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}\n"
	       "\tlocal before=${COMP_WORDS[COMP_CWORD-1]} kind=files words='' options=''\n"
	       "\tif [ \"$word\" = = ]; then # --option=value comes as three words\n"
	       "\t\tword=''\n"
	       "\telif [ \"$before\" = = ] && [ $at -gt 2 ]; then\n"
	       "\t\tbefore=${COMP_WORDS[COMP_CWORD-2]}\n"
	       "\tfi\n"
	       "\tcase $command in\n");
	for (int i = 0; commands[i]; i++)
		print_bash_command(commands[i]);
	printf("\tesac\n\tcase \"$command $before\" in\n");
	for (int i = 0; commands[i]; i++)
		for (const struct option_row *row = commands[i]->options; has_options(row); row++)
			print_bash_values(commands[i], row);
	printf("\t*)\n"
	       "\t\tcase $word in\n"
	       "\t\t-*) kind=words words=$options ;;\n"
	       "\t\tesac\n"
	       "\t\t;;\n"
	       "\tesac\n"
	       "\tif [ $at -eq 1 ]; then\n"
	       "\t\tkind=words words='--help --version");
	for (int i = 0; commands[i]; i++)
		printf(" %s", commands[i]->name);
	printf("'\n"
	       "\tfi\n"
	       "\tCOMPREPLY=()\n"
	       "\tcase $kind in\n"
	       "\twords) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\") ;;\n"
	       "\tfiles) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$word\") ;;\n"
	       "\tfolders) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- \"$word\") ;;\n"
	       "\tesac\n"
	       "}\n"
	       "complete -F _tapcut tapcut\n");
}

/* --- zsh ------------------------------------------------------------------ */

/* Text inside '...[...]' of a specification of _arguments. */
static void print_zsh_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			printf("'\\''");
		else if (strchr("[]:\\", *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

/* ":N: ", ":FILE:_files" */
static void print_zsh_value(const struct option_row *row, const char *name)
{
	printf(":");
	print_zsh_text(name);
	if (row->names) {
		printf(":(");
		for (int i = 0; row->names[i]; i++)
			printf("%s%s", i ? " " : "", row->names[i]);
		printf(")");
	} else {
		printf(":%s", row->type == OPTION_FILE ? "_files" : row->type == OPTION_FOLDER ? "_files -/" : " ");
	}
}

static void print_zsh_rows(const struct option_row *row)
{
	for (; has_options(row); row++) {
		const char *equals = row->type == OPTION_FLAG ? "" : "=";
		if (row->type == OPTION_HEADING)
			continue;
		printf(" \\\n\t\t\t");
		if (row->letter)
			printf("'(-%c --%s)'{-%c,--%s%s}'[", row->letter, row->name, row->letter, row->name, equals);
		else
			printf("'%s--%s%s[", row->many ? "*" : "", row->name, equals);
		print_zsh_text(row->help);
		printf("]");
		if (row->type != OPTION_FLAG)
			print_zsh_value(row, row->value);
		printf("'");
	}
}

static void print_zsh_command(const struct command *command)
{
	const struct option_row *row = command->operands;
	printf("\t%s)\n\t\t_arguments", command->name);
	print_zsh_rows(command->options);
	print_zsh_rows(options_common);
	for (int i = 0; row && has_options(&row[i]); i++) {
		printf(" \\\n\t\t\t'%s", row[i].many ? "*" : "");
		if (!row[i].many)
			printf("%d%s", i + 1, row[i].needed ? "" : ":");
		print_zsh_value(&row[i], row[i].name);
		printf("'");
	}
	printf("\n\t\t;;\n");
}

static void print_zsh(void)
{
	printf("#compdef tapcut\n"
	       "# zsh completion of tapcut, made by `tapcut completion zsh`.\n"
	       "_tapcut()\n{\n"
	       "\tlocal -a commands=(");
	for (int i = 0; commands[i]; i++) {
		printf("\n\t\t'%s:", commands[i]->name);
		print_zsh_text(commands[i]->summary);
		printf("'");
	}
	printf("\n\t)\n"
	       "\tif (( CURRENT == 2 )); then\n"
	       "\t\t_describe command commands\n"
	       "\t\treturn\n"
	       "\tfi\n"
	       "\tlocal command=$words[2]\n"
	       "\tshift words\n"
	       "\t(( CURRENT-- ))\n"
	       "\tcase $command in\n");
	for (int i = 0; commands[i]; i++)
		print_zsh_command(commands[i]);
	printf("\tesac\n}\n"
	       "if [ \"$funcstack[1]\" = _tapcut ]; then\n\t_tapcut \"$@\"\nelse\n\tcompdef _tapcut tapcut\nfi\n");
}

static int run(void *arguments)
{
	const struct arguments *a = arguments;
	if (strcmp(a->shell, "bash") == 0)
		print_bash();
	else
		print_zsh();
	return 0;
}

const struct command command_completion = {
	.name = "completion",
	.summary = "completion of command lines, for bash or zsh",
	.usage = "bash|zsh",
	.about = "Prints a script from which the shell knows every command, its options and their values. make install "
		 "puts it "
		 "in place for both shells.",
	.options = option_rows,
	.operands = operand_rows,
	.examples = "source <(tapcut completion bash)",
	.size = sizeof(struct arguments),
	.run = run,
};
