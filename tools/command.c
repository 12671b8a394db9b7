/* See command.h. */
#include "tools/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/atomic_file.h"
#include "core/sha256.h"
#include "tools/options_help.h"
#include "tools/streams.h"
#include "tools/version.h"

enum { WRONG_USAGE = 2 };
static const size_t MOST_BYTES = (size_t)1 << 32; /* of a file that was written */

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

static int run_checked(const struct command *command, void *arguments)
{
	enum status status = streams_open_files(command, arguments);
	if (status == STATUS_OK && command->check)
		status = command->check(arguments);
	if (status == STATUS_CONFIG)
		return wrong_usage(command);
	if (status == STATUS_OK)
		status = streams_redirect(command, arguments);
	return status == STATUS_OK ? command->run(arguments) : command_failed(command->name);
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
	case OPTIONS_RUN: code = run_checked(command, arguments); break;
	case OPTIONS_ALONE: code = command->run(arguments); break;
	case OPTIONS_HELP: options_print_help(command, stdout); break;
	case OPTIONS_VERSION: version_print(stdout); break;
	case OPTIONS_WRONG: code = wrong_usage(command); break;
	}
	free(arguments);
	return code;
}

static enum status add_file(const char *path, struct text *text)
{
	char *bytes, digest[65];
	size_t size;
	uint8_t raw[32];
	struct sha256 sha;
	TRY(file_read(path, MOST_BYTES, &bytes, &size));
	sha256_init(&sha);
	sha256_update(&sha, bytes, size);
	sha256_final(&sha, raw);
	sha256_hex(raw, digest);
	free(bytes);
	text_add(text, "{\"file\": ");
	text_add_json_string(text, path);
	text_add(text, ", \"bytes\": %zu, \"sha256\": \"%s\"}", size, digest);
	return STATUS_OK;
}

enum status command_add_written(const struct command *command, void *arguments, struct text *text)
{
	const char *separator = "";
	text_add(text, "\"written\": {");
	for (const struct option_row *row = command->options; row->type != OPTION_END; row++) {
		if (row->type != OPTION_FILE || !row->writes || !*option_text(row, arguments))
			continue;
		text_add(text, "%s\"%s\": ", separator, row->name);
		TRY(add_file(*option_text(row, arguments), text));
		separator = ", ";
	}
	text_add(text, "}");
	return STATUS_OK;
}

enum status command_json_written(const struct command *command, void *arguments)
{
	struct text text;
	text_init(&text);
	text_add(&text, "{");
	enum status status = command_add_written(command, arguments, &text);
	text_add(&text, "}");
	if (status == STATUS_OK)
		return streams_json(&text);
	text_release(&text);
	return status;
}
