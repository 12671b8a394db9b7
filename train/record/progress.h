/* How far a long job is, for the person who waits: on a terminal one line that is redrawn, elsewhere (CI, a log
 * file) a plain line now and then. Goes to stderr, so that figures on stdout stay clean. For tools and the trainer;
 * other libraries report through a callback of theirs. */
#ifndef TRAIN_PROGRESS_H
#define TRAIN_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
	const char *label; /* borrowed: "train", "scenes" */
	FILE *out;         /* NULL where nothing is to be printed */
	bool terminal;
	uint64_t total, begun; /* `begun`: done before this start, by an earlier run that is continued */
	double started, drawn; /* by clock_seconds */
	bool shown;            /* a line stands on the terminal */
	uint64_t last_done;
	char figures[160];
};

/* Starts the clock. `done`: what is done already (a continued run), which does not count for the speed. */
void progress_start(struct progress *progress, const char *label, uint64_t total, uint64_t done, bool quiet);
/* `figures` are shown after the count, e.g. "loss 0.123  IoU 0.71". Cheap: draws at most 5 times per second on a
 * terminal, every 10 seconds elsewhere. */
void progress_update(struct progress *progress, uint64_t done, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Prints a line of its own; the progress line stays below it. */
void progress_message(struct progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Draws the last state and ends the line. */
void progress_end(struct progress *progress);

/* "3:07", "1:02:33"; for figures in seconds. */
void progress_duration(double seconds, char *text, size_t size);

#endif
