/* The subcommands of the `tapcut` program: one file tools/cmd_NAME.c each, one line in the table of tools/tapcut.c.
 * argv[0] is "tapcut NAME". They return the exit code: 0 done, 1 the work failed (a message is on stderr), 2 wrong
 * usage (a message says what is wrong; the way to --help is added for them). */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

#include <stdbool.h>

int cmd_bench(int argc, char **argv);
int cmd_coco(int argc, char **argv);
int cmd_cut(int argc, char **argv);
int cmd_data(int argc, char **argv);
int cmd_edit(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_quantize(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_scenes(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_train(int argc, char **argv);

/* Prints "tapcut NAME: " and the stored status message on stderr; returns 1. */
int command_failed(const char *name);
/* A whole number from low to high given to --OPTION of `tapcut NAME`; false after a message on stderr if it is not
 * one. */
bool command_int(const char *name, const char *option, const char *text, int low, int high, int *value);

#endif
