/* Standard input and output of a command.
 *
 * A file called "-" is a copy of standard input, or a file whose bytes go to standard output when the command is
 * done; then, and with --json and --quiet, what the command prints goes elsewhere: standard output has the file, the
 * JSON, or nothing. Whatever was printed and could not be written (a full disk, a pipe that is closed) makes the
 * command fail. */
#ifndef TOOLS_STREAMS_H
#define TOOLS_STREAMS_H

#include <limits.h>
#include <stdio.h>

#include "core/text.h"
#include "tools/command_form.h"

/* Before all else in main: descriptors 0 to 2 are open, so that no file of ours becomes one of them, and a pipe that is
 * closed is an error of the write, not the end of the process. */
void streams_start(void);

/* Checks the files that a command line names: endings, two outputs of one name, an output that is an input, more than
 * one "-". Puts other names in the place of "-", and reads standard input. STATUS_CONFIG: the command line is wrong. */
enum status streams_open_files(const struct command *command, void *arguments);

/* What to call a file in messages: its path, or "standard output" and "standard input" for "-". */
const char *streams_name(const char *path);

/* The path from the root, without links and dots; of a file that is not there yet its folder's path and its name. */
void streams_whole_path(const char *path, char whole[PATH_MAX]);

/* From here on --json, --quiet and an output on standard output are obeyed. */
enum status streams_redirect(const struct command *command, void *arguments);

/* Standard output as it was before streams_redirect, for what --json asks for. */
FILE *streams_output(void);
/* Prints one JSON document, the text, and a newline on standard output, whatever was redirected; releases the text. */
enum status streams_json(struct text *text);

/* After the command: hands on what is due to standard output where `code` is 0, removes what was made, and checks all
 * that was printed. Returns `code`, or 1 after a message that begins with `name`. */
int streams_end(const char *name, int code);

#endif
