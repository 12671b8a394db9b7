/* A process that answers lines with lines of JSON: another framework, asked for a little work at a time, so that it and
 * tapcut can take turns on the same machine. */
#ifndef TOOLS_BENCH_CHILD_H
#define TOOLS_BENCH_CHILD_H

#include <stdio.h>

#include "core/status.h"
#include "train/config/json.h"

struct bench_child {
	FILE *to, *from;
	int pid;
	const char *name; /* for messages; borrowed */
};

/* Starts arguments[0] (looked for in PATH) with its input and output connected to us; NULL ends the arguments. Returns
 * 0 or an error number. */
int bench_child_start(struct bench_child *child, const char *name, char *const *arguments);
/* Reads its next line; *answer: json_free. */
enum status bench_child_answer(struct bench_child *child, struct json **answer);
/* Ends its input and waits until it has ended; may be called on what was never started (all zero). */
void bench_child_stop(struct bench_child *child);

#endif
