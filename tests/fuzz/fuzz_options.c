/* Fuzz target: command lines. The first byte chooses the command, the rest are its arguments, one a line. Whatever they
 * are, the answer is one of the five, and a wrong line comes with a message. */
#include <string.h>

#include "tests/fuzz/target.h"
#include "tools/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_ARGUMENTS = 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	int count = 0, argc = 1;
	char name[] = "tapcut", *argv[MOST_ARGUMENTS + 2] = {name};
	while (commands[count])
		count++;
	const struct command *command = commands[fuzz_byte(&input) % count];
	char *text = malloc(input.left + 1);
	void *arguments = calloc(1, command->size + 1);
	fuzz_require(text && arguments);
	memcpy(text, input.at, input.left);
	text[input.left] = '\0';
	for (char *line = text; line && argc <= MOST_ARGUMENTS; argc++) {
		char *end = strchr(line, '\n');
		argv[argc] = line;
		if (end)
			*end = '\0';
		line = end ? end + 1 : NULL;
	}
	switch (options_parse(command, argc, argv, arguments)) {
	case OPTIONS_WRONG: fuzz_require(status_message()[0] != '\0'); break;
	case OPTIONS_RUN:
	case OPTIONS_ALONE:
	case OPTIONS_HELP:
	case OPTIONS_VERSION: break;
	default: abort();
	}
	free(arguments);
	free(text);
	return 0;
}
