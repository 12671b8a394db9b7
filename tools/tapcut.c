/* The `tapcut` program: finds the command and hands over. */
#include <stdio.h>
#include <string.h>

#include "core/build_commit.h"
#include "core/kernels.h"
#include "core/slips.h"
#include "tools/command.h"
#include "tools/options_help.h"
#include "tools/streams.h"
#include "tools/version.h"

/* tools/tools.mk names it for this file alone. */
#ifndef TAPCUT_COMMIT
#define TAPCUT_COMMIT ""
#endif

enum { WRONG_USAGE = 2, MAX_COMMANDS = 64 };

static void print_usage(FILE *out)
{
	fprintf(out, "tapcut: select an object in a photo with one tap\n\nusage: tapcut COMMAND [OPTIONS]\n"
		     "       tapcut COMMAND --help     the options of a command, with an example\n"
		     "       tapcut --help | --version\n\n");
	for (int i = 0; commands[i]; i++)
		fprintf(out, "  %-10s  %s\n", commands[i]->name, commands[i]->summary);
	fprintf(out, "\nexample:\n  tapcut cut photo.jpg --tap 320,200\n\nTAPCUT_ISA=");
	for (int i = 0; kernels_names[i]; i++)
		fprintf(out, "%s%s", i ? "|" : "", kernels_names[i]);
	fprintf(out, " in the environment chooses the instructions to train with\n"
		     "(the weights get the same bytes with each); unset, the best that this processor has.\n");
}

static int unknown_command(const char *name)
{
	const char *names[MAX_COMMANDS + 1] = {NULL};
	for (int i = 0; commands[i] && i < MAX_COMMANDS; i++)
		names[i] = commands[i]->name;
	const char *meant = slips_nearest(name, names);
	fprintf(stderr, "tapcut: no command '%s'%s%s%s\n\n", name, meant ? ": did you mean '" : "", meant ? meant : "",
		meant ? "'?" : "");
	print_usage(stderr);
	return WRONG_USAGE;
}

static bool is_one_of(const char *word, const char *a, const char *b, const char *c)
{
	return !strcmp(word, a) || !strcmp(word, b) || !strcmp(word, c);
}

/* argv[0] of the command is its name. */
static int run(int argc, char **argv)
{
	if (argc == 0) {
		print_usage(stderr);
		return WRONG_USAGE;
	}
	bool help = is_one_of(argv[0], "--help", "-h", "help");
	const struct command *command = command_find(argv[help && argc > 1]);
	if (help && command) {
		options_print_help(command, stdout);
		return 0;
	}
	if (help) {
		print_usage(stdout);
		return 0;
	}
	if (kernels_select(NULL)) {
		fprintf(stderr, "tapcut: %s\n", status_message());
		return WRONG_USAGE;
	}
	if (is_one_of(argv[0], "--version", "-V", "version")) {
		version_print(stdout);
		return 0;
	}
	return command ? command_run(command, argc, argv) : unknown_command(argv[0]);
}

int main(int argc, char **argv)
{
	char name[64] = "tapcut";
	build_commit_set(TAPCUT_COMMIT);
	streams_start();
	if (argc > 1 && command_find(argv[1]))
		snprintf(name, sizeof name, "tapcut %.32s", argv[1]);
	return streams_end(name, run(argc - 1, argv + 1));
}
