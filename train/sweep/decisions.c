/* See decisions.h. */
#include "train/sweep/decisions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "train/record/run_lock.h"

enum { MAX_BYTES = 100 * 1000 * 1000, TRIES = 60 };

static void path_of(const char *dir, char path[SWEEP_PATH])
{
	snprintf(path, SWEEP_PATH, "%.900s/decisions.jsonl", dir);
}

static enum status read_old(const char *dir, char **old, size_t *size)
{
	char path[SWEEP_PATH];
	path_of(dir, path);
	*old = NULL;
	*size = 0;
	return access(path, F_OK) == 0 ? file_read(path, MAX_BYTES, old, size) : STATUS_OK;
}

/* The folder's lock is held for an instant at a time: taking it tries for a second already. */
static enum status lock(struct run_lock *held, const char *dir)
{
	for (int i = 0;; i++) {
		enum status status = run_lock_take(held, dir, RUN_LOCK_BEST);
		if (status != STATUS_CONFIG || i == TRIES)
			return status;
		nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
	}
}

/* Replaced whole rather than lengthened: no kill can leave half a line. */
static enum status record(const char *dir, const char *label, const struct text *lines, bool *added)
{
	char path[SWEEP_PATH], beginning[80], again[240] = "", *old;
	size_t size;
	path_of(dir, path);
	TRY(read_old(dir, &old, &size));
	snprintf(beginning, sizeof beginning, "{\"decision\": \"%s\"", label);
	if (old && strstr(old, lines->data)) {
		free(old);
		return STATUS_OK;
	}
	if (old && strstr(old, beginning))
		snprintf(again, sizeof again,
			 "%s, \"why\": \"made anew: trials that had failed have results now; the lines above no longer "
			 "hold\"}\n",
			 beginning);
	struct file_part parts[] = {{old ? old : "", size}, {again, strlen(again)}, {lines->data, lines->length}};
	enum status status = atomic_file_write(path, parts, 3);
	*added = status == STATUS_OK;
	free(old);
	return status;
}

enum status decisions_record(const char *dir, const char *label, const struct text *lines, bool *added)
{
	struct run_lock held;
	*added = false;
	TRY(text_status(lines));
	if (!lines->length)
		return STATUS_OK;
	TRY(lock(&held, dir));
	enum status status = record(dir, label, lines, added);
	run_lock_release(&held);
	return status;
}

/* Points come in the order of trials; the first one of a trial counts. */
static enum status read_point(struct sweep_plan *plan, const char *line, size_t length)
{
	struct json *root;
	double trial;
	enum status status = json_parse(line, length, "decisions.jsonl", &root);
	if (status != STATUS_OK)
		return status;
	const struct json *values = json_get(root, "values");
	struct space_point point;
	if (values && json_number(json_get(root, "trial"), &trial) == STATUS_OK && trial == plan->known &&
	    plan->known < plan->trials && space_read_point(&plan->space, values, &point))
		plan->points[plan->known++] = point;
	json_free(root);
	return STATUS_OK;
}

enum status decisions_read_points(struct sweep_plan *plan, const char *dir)
{
	char *old;
	size_t size;
	TRY(read_old(dir, &old, &size));
	if (!old)
		return STATUS_OK;
	plan->known = 0; /* the first round is written down too */
	enum status status = STATUS_OK;
	for (char *line = old, *end; !status && (end = memchr(line, '\n', (size_t)(old + size - line))); line = end + 1)
		status = read_point(plan, line, (size_t)(end - line));
	free(old);
	return status;
}
