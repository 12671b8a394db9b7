/* The commands of the `tapcut` program: one file tools/cmd_NAME.c each, which describes its command in a struct
 * (command_form.h), and one line in the table of tools/commands.c (tools/README.md has the steps).
 *
 * Exit codes: 0 done, 1 the work failed (a message is on stderr), 2 wrong usage (a message says what is wrong and
 * where help is). `tapcut train` that a signal stopped ends with 128 and the signal's number. */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

#include "core/status.h"
#include "core/text.h"
#include "tools/command_form.h"
#include "tools/options.h"

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
extern const struct command command_label;
extern const struct command command_man;
extern const struct command command_quantize;
extern const struct command command_reproduce;
extern const struct command command_runs;
extern const struct command command_scenes;
extern const struct command command_serve;
extern const struct command command_sweep;
extern const struct command command_train;

#endif
