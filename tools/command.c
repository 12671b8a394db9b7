/* See command.h. */
#include "tools/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/number.h"
#include "tools/options_help.h"
#include "tools/version.h"

enum { WRONG_USAGE = 2 };

const struct command *command_find(const char *name)
{
	for (int i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

int command_failed(const char *name)
{
	fprintf(stderr, "tapcut %s: %s\n", name, status_message());
	return 1;
}

int command_end(const char *name, enum status status)
{
	return status == STATUS_OK ? 0 : command_failed(name);
}

/* The command line is wrong: what is wrong with it, and the way out. */
static int wrong_usage(const struct command *command)
{
	command_failed(command->name);
	fprintf(stderr, "tapcut %s --help shows the options and an example\n", command->name);
	return WRONG_USAGE;
}

int command_run(const struct command *command, int argc, char **argv)
{
	int code = 0;
	void *arguments = calloc(1, command->size + 1);
	if (!arguments) {
		status_fail(STATUS_NO_MEMORY, "no memory for %zu bytes of arguments", command->size);
		return command_failed(command->name);
	}
	switch (options_parse(command, argc, argv, arguments)) {
	case OPTIONS_RUN:
	case OPTIONS_ALONE: code = command->run(arguments); break;
	case OPTIONS_HELP: options_print_help(command, stdout); break;
	case OPTIONS_VERSION: version_print(stdout); break;
	case OPTIONS_WRONG: code = wrong_usage(command); break;
	}
	free(arguments);
	return code;
}
