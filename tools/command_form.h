/* What a command of the `tapcut` program says of itself: the texts that help shows, the rows of its options, and its
 * work. */
#ifndef TOOLS_COMMAND_FORM_H
#define TOOLS_COMMAND_FORM_H

#include <stddef.h>

#include "core/status.h"

struct option_row; /* tools/options.h */

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

#endif
