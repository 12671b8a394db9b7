/* Runs build/tapcut as a user would and keeps what it said. Used by tests/cli.
 *
 * Whatever a command is given, it must end by itself with exit code 0, 1 or 2, and say why on stderr when that is not
 * 0; a signal or a sanitizer's report fails the test that made it. */
#ifndef TESTS_SUPPORT_PROGRAM_H
#define TESTS_SUPPORT_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What the last run left; valid until the next one. */
struct program_result {
	int code;        /* exit code; 128 + n for an expected signal n */
	const char *out; /* stdout */
	const char *err; /* stderr */
};

/* Runs `tapcut ARGUMENTS`, split at spaces; no shell, no quotes. */
const struct program_result *tapcut(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, and it must end with 0. */
const struct program_result *tapcut_ok(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, and it must end with `code` and say `part` on stderr ("" is in every text). */
void tapcut_fails(int code, const char *part, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Starts it and returns at once; tapcut_wait ends it: waits when signal_number is 0, else sends the signal first. */
pid_t tapcut_start(const char *format, ...) __attribute__((format(printf, 1, 2)));
const struct program_result *tapcut_wait(pid_t pid, int signal_number);
/* False once it has ended by itself (tapcut_wait is still due). */
bool tapcut_runs(pid_t pid);
/* Waits until a training run has logged this step; false if it ended before. `log`: its log.jsonl. */
bool tapcut_reaches(pid_t pid, const char *log, int step);

/* From now on the program is BUILD/mpi/tapcut, started by this launcher ("mpirun -np 2"); NULL: BUILD/tapcut itself
 * again. */
void tapcut_through(const char *launcher);

/* Generated scenes in DIR/train and DIR/val, and arguments that train a network so small on them that a step takes
 * milliseconds: `tapcut train` up to --out, without validation. Static buffer. */
const char *tiny_run(const char *dir);

/* Files. `slurp` returns the content with a NUL after it, caller frees. */
char *slurp(const char *path, size_t *size);
void spit(const char *path, const void *data, size_t size);
bool exists(const char *path);
bool same_bytes(const char *path_a, const char *path_b);
/* dir/name; static buffers, eight in turn. */
const char *in(const char *dir, const char *name);

#endif
