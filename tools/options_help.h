/* What the rows say to a reader: --help, the man pages, and completions for shells. */
#ifndef TOOLS_OPTIONS_HELP_H
#define TOOLS_OPTIONS_HELP_H

#include <stdio.h>

#include "tools/command_form.h"

/* The --help of a command. */
void options_print_help(const struct command *command, FILE *out);
/* "long side, 16 to 4096 pixels (default: the model's)": a row's help with what follows from the row. */
void option_explain(const struct option_row *row, char *text, size_t size);

#endif
