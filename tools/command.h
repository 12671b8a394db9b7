/* The commands of the `tapcut` program: one file tools/cmd_NAME.c each, which describes its command in a struct, and
 * one line in the table of tools/commands.c (tools/README.md has the steps).
 *
 * Exit codes: 0 done, 1 the work failed (a message is on stderr), 2 wrong usage (a message says what is wrong and
 * where help is). `tapcut train` that a signal stopped ends with 128 and the signal's number. */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

#include <stdbool.h>

#include "core/status.h"
#include "core/text.h"
#include "tools/options.h"

struct command {
	const char *name;
	const char *summary;               /* a few words, for lists */
	const char *usage;                 /* what may follow "tapcut NAME", a form a line */
	const char *about;                 /* what it does: paragraphs, an empty line between them */
	const struct option_row *options;  /* end with {0} */
	const struct option_row *operands; /* the same: in their order, the needed ones first; NULL: none */
	const char *notes;                 /* what stands below the options, as `about`; NULL: nothing */
	const char *examples;              /* a command line a line */
	size_t size;                       /* of the struct arguments that the rows fill, zeroed before */
	void (*init)(void *arguments);     /* defaults that no row sets, before the rows' own; NULL: zero */
	/* What no row can check alone; STATUS_CONFIG with a message. NULL: nothing. */
	enum status (*check)(void *arguments);
	/* The work; returns the exit code. */
	int (*run)(void *arguments);
};

/* Ends with NULL. */
extern const struct command *const commands[];
/* NULL: there is no such command. */
const struct command *command_find(const char *name);

/* argv[0] is the command's name. Returns the exit code. */
int command_run(const struct command *command, int argc, char **argv);

/* 0; or 1, after "tapcut NAME: " and the stored status message on stderr. */
int command_end(const char *name, enum status status);
/* The second of these. */
int command_failed(const char *name);
/* For the document of --json: "written": {"mask": {"file": "m.png", "bytes": 817, "sha256": "..."}}, a member for
 * every file of the command line that was written. */
enum status command_add_written(const struct command *command, void *arguments, struct text *text);
/* A document of that alone, for commands that write a file and have no more to say. */
enum status command_json_written(const struct command *command, void *arguments);

extern const struct command command_bench;
extern const struct command command_coco;
extern const struct command command_completion;
extern const struct command command_cut;
extern const struct command command_data;
extern const struct command command_edit;
extern const struct command command_eval;
extern const struct command command_export;
extern const struct command command_import;
extern const struct command command_inspect;
extern const struct command command_man;
extern const struct command command_quantize;
extern const struct command command_reproduce;
extern const struct command command_runs;
extern const struct command command_scenes;
extern const struct command command_serve;
extern const struct command command_sweep;
extern const struct command command_train;

#endif
