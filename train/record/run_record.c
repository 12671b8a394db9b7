/* See run_record.h. */
#include "train/record/run_record.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"

double run_record_seconds(const struct run_record *record)
{
	return (record->had_before ? record->before.seconds : 0) + clock_seconds() - record->started;
}

enum status run_record_begin(struct run_record *record, const char *dir, bool resume)
{
	struct run_summary *summary = &record->summary;
	*record = (struct run_record){.started = clock_seconds()};
	run_summary_init(summary);
	if (snprintf(record->dir, sizeof record->dir, "%s", dir) >= (int)sizeof record->dir)
		return status_fail(STATUS_LIMIT, "%.60s...: the path is too long", dir);
	record->had_before = resume && run_summary_read(&record->before, dir) == STATUS_OK;
	if (record->had_before) { /* a damaged one is no reason not to train */
		summary->step = record->before.step;
		summary->steps = record->before.steps;
		summary->samples = record->before.samples;
		summary->skipped = record->before.skipped;
	}
	return run_record_update(record);
}

enum status run_record_read_log(struct run_record *record)
{
	char path[1100];
	struct run_history history;
	snprintf(path, sizeof path, "%s/log.jsonl", record->dir);
	TRY(run_history_read(&history, path));
	for (int i = 0; i < history.val_count; i++)
		run_summary_add_validation(&record->summary, &history.vals[i]);
	run_history_release(&history);
	return STATUS_OK;
}

enum status run_record_update(struct run_record *record)
{
	record->summary.state = RUN_RUNNING;
	record->summary.seconds = run_record_seconds(record);
	return run_summary_write(&record->summary, record->dir);
}

enum status run_record_end(struct run_record *record, enum status status, bool refused, enum run_outcome outcome,
			   const char *why)
{
	char message[sizeof record->summary.why];
	struct run_summary *summary = &record->summary;
	snprintf(message, sizeof message, "%s", status ? status_message() : "");
	summary->state = outcome;
	summary->seconds = run_record_seconds(record);
	snprintf(summary->why, sizeof summary->why, "%s", why ? why : message);
	bool keeps = refused && record->had_before;
	enum status written = run_summary_write(keeps ? &record->before : summary, record->dir);
	run_summary_release(summary);
	run_summary_release(&record->before);
	if (status != STATUS_OK)
		return status_fail(status, "%s", message);
	return written;
}
