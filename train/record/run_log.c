/* See run_log.h. One table of columns per kind of record drives JSONL, CSV and reading back. */
#include "train/record/run_log.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "train/config/json.h"
#include "core/text.h"

enum { LOG_MAX_BYTES = 1000 * 1000 * 1000, PATH_SIZE = 1100 };

enum column_type { COLUMN_COUNT, COLUMN_EXACT, COLUMN_CLOCK };

struct column {
	const char *name;
	enum column_type type;
	size_t offset;
};

/* The first column is the step: cutting back relies on it. New columns go to the end. */
static const struct column step_columns[] = {
	{"step", COLUMN_COUNT, offsetof(struct run_step, step)},
	{"samples", COLUMN_COUNT, offsetof(struct run_step, samples)},
	{"epoch", COLUMN_EXACT, offsetof(struct run_step, epoch)},
	{"loss", COLUMN_EXACT, offsetof(struct run_step, loss)},
	{"lr", COLUMN_EXACT, offsetof(struct run_step, lr)},
	{"grad_norm", COLUMN_EXACT, offsetof(struct run_step, grad_norm)},
	{"iou", COLUMN_EXACT, offsetof(struct run_step, iou)},
	{"rounds", COLUMN_EXACT, offsetof(struct run_step, rounds)},
	{"samples_per_s", COLUMN_CLOCK, offsetof(struct run_step, samples_per_s)},
	{"loader_wait", COLUMN_CLOCK, offsetof(struct run_step, loader_wait)},
	{"seconds", COLUMN_CLOCK, offsetof(struct run_step, seconds)},
	{NULL, COLUMN_COUNT, 0},
};

static const struct column val_columns[] = {
	{"step", COLUMN_COUNT, offsetof(struct run_val, step)},
	{"instances", COLUMN_COUNT, offsetof(struct run_val, instances)},
	{"noc85", COLUMN_EXACT, offsetof(struct run_val, noc85)},
	{"noc90", COLUMN_EXACT, offsetof(struct run_val, noc90)},
	{"nof90", COLUMN_COUNT, offsetof(struct run_val, nof90)},
	{"miou1", COLUMN_EXACT, offsetof(struct run_val, miou1)},
	{"miou2", COLUMN_EXACT, offsetof(struct run_val, miou2)},
	{"miou3", COLUMN_EXACT, offsetof(struct run_val, miou3)},
	{"miou5", COLUMN_EXACT, offsetof(struct run_val, miou5)},
	{"biou1", COLUMN_EXACT, offsetof(struct run_val, biou1)},
	{"ms_per_click", COLUMN_CLOCK, offsetof(struct run_val, ms_per_click)},
	{NULL, COLUMN_COUNT, 0},
};

/* --- one record as text --------------------------------------------------- */

/* `empty` stands for what is not finite: null in JSON, nothing in CSV. */
static void add_cell(struct text *text, const struct column *column, const void *record, const char *empty)
{
	const char *from = (const char *)record + column->offset;
	if (column->type == COLUMN_COUNT) {
		text_add(text, "%llu", (unsigned long long)*(const uint64_t *)from);
		return;
	}
	double number = *(const double *)from;
	if (!isfinite(number))
		text_add(text, "%s", empty);
	else if (column->type == COLUMN_CLOCK)
		text_add(text, "%.4g", number);
	else
		text_add_number(text, number);
}

static void add_json_line(struct text *text, const char *event, const struct column *columns, const void *record)
{
	text_add(text, "{\"event\":");
	text_add_json_string(text, event);
	for (const struct column *column = columns; column->name; column++) {
		text_add(text, ",\"%s\":", column->name);
		add_cell(text, column, record, "null");
	}
	text_add(text, "}\n");
}

static void add_csv_header(struct text *text, const struct column *columns)
{
	for (const struct column *column = columns; column->name; column++)
		text_add(text, "%s%s", column == columns ? "" : ",", column->name);
	text_add(text, "\n");
}

static void add_csv_line(struct text *text, const struct column *columns, const void *record)
{
	for (const struct column *column = columns; column->name; column++) {
		text_add(text, column == columns ? "" : ",");
		add_cell(text, column, record, "");
	}
	text_add(text, "\n");
}

void run_val_add_json(struct text *text, const struct run_val *val)
{
	for (const struct column *column = val_columns; column->name; column++) {
		text_add(text, "%s\"%s\": ", column == val_columns ? "{" : ", ", column->name);
		add_cell(text, column, val, "null");
	}
	text_add(text, "}");
}

/* --- cutting back --------------------------------------------------------- */

/* The last steps whose lines are kept. They are two where a validation is to be done again. */
struct bounds {
	uint64_t step, val;
};

/* Is this a line to keep: a record of a step up to the last? Fails only when memory is out. */
static enum status keep_json_line(const char *line, size_t length, const struct bounds *last, bool *keep)
{
	struct json *root;
	double number;
	enum status status = json_parse(line, length, "log", &root);
	const char *event = json_string(json_get(root, "event"));
	uint64_t bound = event && strcmp(event, "val") == 0 ? last->val : last->step;
	*keep = status == STATUS_OK && json_number(json_get(root, "step"), &number) == STATUS_OK && number >= 0 &&
		number <= (double)bound;
	json_free(root);
	return status == STATUS_NO_MEMORY ? status : STATUS_OK;
}

static bool keep_csv_line(const char *line, size_t length, uint64_t last)
{
	char *end;
	if (!length || *line < '0' || *line > '9')
		return false;
	uint64_t step = strtoull(line, &end, 10);
	return end < line + length && *end == ',' && step <= last;
}

/* The lines of `old` up to `last`, without a half-written end. A CSV begins with `header`; NULL: JSONL. */
static enum status keep_lines(struct text *kept, const char *old, size_t size, const char *header,
			      const struct bounds *last, const char *path)
{
	const char *line = old, *end = old + size;
	if (header) {
		size_t length = strlen(header);
		if (size >= length && memcmp(old, header, length) != 0)
			return status_fail(STATUS_FORMAT, "%s: its columns are not those of this version (%.60s...)",
					   path, header);
		text_add_bytes(kept, header, length);
		line = size >= length ? old + length : end;
	}
	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		bool keep;
		if (!newline)
			break;
		size_t length = (size_t)(newline - line);
		if (header)
			keep = keep_csv_line(line, length, last->step);
		else
			TRY(keep_json_line(line, length, last, &keep));
		if (keep)
			text_add_bytes(kept, line, length + 1);
		line = newline + 1;
	}
	return text_status(kept);
}

static enum status cut_back(const char *path, const char *header, const struct bounds *last)
{
	char *old;
	size_t size;
	if (access(path, F_OK) != 0)
		return STATUS_OK;
	TRY(file_read(path, LOG_MAX_BYTES, &old, &size));
	struct text kept;
	text_init(&kept);
	enum status status = keep_lines(&kept, old, size, header, last, path);
	if (status == STATUS_OK && kept.length != size) {
		struct file_part part = {kept.length ? kept.data : "", kept.length};
		status = atomic_file_write(path, &part, 1);
	}
	text_release(&kept);
	free(old);
	return status;
}

/* --- life ----------------------------------------------------------------- */

static void log_path(const char *dir, const char *name, char *path)
{
	snprintf(path, PATH_SIZE, "%s/%s", dir, name);
}

static enum status write_line(FILE *file, const struct text *text, const char *dir, const char *name)
{
	TRY(text_status(text));
	if (fwrite(text->data, 1, text->length, file) != text->length || fflush(file) != 0)
		return status_fail(STATUS_IO, "%s/%s cannot be written", dir, name);
	return STATUS_OK;
}

/* Opens one of the files, cut back, with its header (NULL: none) if it is new. */
static enum status open_file(const char *dir, const char *name, const struct column *header_columns,
			     const struct bounds *resume, FILE **file)
{
	char path[PATH_SIZE];
	struct text header;
	text_init(&header);
	log_path(dir, name, path);
	if (header_columns)
		add_csv_header(&header, header_columns);
	enum status status = text_status(&header);
	if (status == STATUS_OK && resume->step)
		status = cut_back(path, header.data, resume);
	if (status == STATUS_OK && !(*file = fopen(path, resume->step ? "ab" : "wb")))
		status = status_fail(STATUS_IO, "%s cannot be opened for writing", path);
	if (status == STATUS_OK && header_columns && (fseek(*file, 0, SEEK_END) != 0 || ftell(*file) == 0))
		status = write_line(*file, &header, dir, name);
	text_release(&header);
	return status;
}

enum status run_log_open(struct run_log *log, const char *dir, uint64_t resume_step, bool validated)
{
	*log = (struct run_log){0};
	if (snprintf(log->dir, sizeof log->dir, "%s", dir) >= (int)sizeof log->dir)
		return status_fail(STATUS_LIMIT, "%.60s...: the path is too long", dir);
	struct bounds all = {resume_step, validated || !resume_step ? resume_step : resume_step - 1};
	struct bounds vals = {all.val, all.val}; /* 0: nothing is kept, the file is begun anew */
	enum status status = open_file(dir, "log.jsonl", NULL, &all, &log->jsonl);
	if (status == STATUS_OK)
		status = open_file(dir, "log.csv", step_columns, &all, &log->csv);
	if (status == STATUS_OK)
		status = open_file(dir, "val.csv", val_columns, &vals, &log->val);
	if (status != STATUS_OK)
		run_log_close(log);
	return status;
}

void run_log_close(struct run_log *log)
{
	FILE *files[] = {log->jsonl, log->csv, log->val};
	for (int i = 0; i < 3; i++)
		if (files[i])
			fclose(files[i]);
	log->jsonl = log->csv = log->val = NULL;
	event_file_close(&log->events);
}

/* --- writing -------------------------------------------------------------- */

static enum status write_record(struct run_log *log, const char *event, const struct column *columns,
				const void *record, FILE *csv, const char *csv_name)
{
	struct text text;
	text_init(&text);
	add_json_line(&text, event, columns, record);
	enum status status = write_line(log->jsonl, &text, log->dir, "log.jsonl");
	text_release(&text);
	add_csv_line(&text, columns, record);
	if (status == STATUS_OK)
		status = write_line(csv, &text, log->dir, csv_name);
	text_release(&text);
	return status;
}

/* A scalar per column. */
static enum status add_events(struct run_log *log, const char *group, const struct column *columns, const void *record)
{
	uint64_t step = *(const uint64_t *)((const char *)record + columns->offset);
	for (const struct column *column = columns + 1; column->name && log->events.file; column++) {
		char tag[48];
		const char *from = (const char *)record + column->offset;
		bool count = column->type == COLUMN_COUNT;
		snprintf(tag, sizeof tag, "%s/%s", group, column->name);
		TRY(event_file_add(&log->events, step, tag,
				   count ? (double)*(const uint64_t *)from : *(const double *)from));
	}
	return event_file_flush(&log->events);
}

enum status run_log_write_events(struct run_log *log)
{
	char path[PATH_SIZE];
	struct run_history history;
	log_path(log->dir, "log.jsonl", path);
	TRY(run_history_read(&history, path));
	enum status status = event_file_open(&log->events, log->dir);
	for (int i = 0; i < history.step_count && !status; i++)
		status = add_events(log, "train", step_columns, &history.steps[i]);
	for (int i = 0; i < history.val_count && !status; i++)
		status = add_events(log, "val", val_columns, &history.vals[i]);
	run_history_release(&history);
	return status;
}

enum status run_log_step(struct run_log *log, const struct run_step *step)
{
	TRY(write_record(log, "step", step_columns, step, log->csv, "log.csv"));
	return add_events(log, "train", step_columns, step);
}

enum status run_log_val(struct run_log *log, const struct run_val *val)
{
	TRY(write_record(log, "val", val_columns, val, log->val, "val.csv"));
	return add_events(log, "val", val_columns, val);
}

enum status run_log_event(struct run_log *log, uint64_t step, const char *event, const char *text)
{
	struct text line;
	text_init(&line);
	text_add(&line, "{\"event\":");
	text_add_json_string(&line, event);
	text_add(&line, ",\"step\":%llu,\"text\":", (unsigned long long)step);
	text_add_json_string(&line, text);
	text_add(&line, "}\n");
	enum status status = write_line(log->jsonl, &line, log->dir, "log.jsonl");
	text_release(&line);
	return status;
}

/* --- reading back --------------------------------------------------------- */

/* A record from its line; a number that is missing or null becomes NaN (a count: 0). */
static void read_record(const struct json *line, const struct column *columns, void *record)
{
	for (const struct column *column = columns; column->name; column++) {
		char *to = (char *)record + column->offset;
		double number = NAN;
		if (json_number(json_get(line, column->name), &number) != STATUS_OK)
			number = NAN;
		if (column->type == COLUMN_COUNT)
			*(uint64_t *)to = number >= 0 && number < 1e18 ? (uint64_t)number : 0;
		else
			*(double *)to = number;
	}
}

void run_val_read_json(const struct json *object, struct run_val *val)
{
	read_record(object, val_columns, val);
}

/* Room for one more record of `size` bytes; doubles, so that reading is linear. */
static void *append(void **records, int *count, size_t size)
{
	if ((*count & (*count - 1)) == 0) {
		void *larger = realloc(*records, (*count ? 2 * (size_t)*count : 1) * size);
		if (!larger)
			return NULL;
		*records = larger;
	}
	return (char *)*records + (size_t)(*count)++ * size;
}

static enum status read_line(struct run_history *history, const char *line, size_t length)
{
	struct json *root;
	enum status status = json_parse(line, length, "log", &root);
	if (status != STATUS_OK)
		return status == STATUS_NO_MEMORY ? status : STATUS_OK;
	const char *event = json_string(json_get(root, "event"));
	void *records = NULL, *record = NULL;
	const struct column *columns = NULL;
	if (event && strcmp(event, "step") == 0) {
		columns = step_columns;
		records = history->steps;
		record = append(&records, &history->step_count, sizeof *history->steps);
		history->steps = records;
	} else if (event && strcmp(event, "val") == 0) {
		columns = val_columns;
		records = history->vals;
		record = append(&records, &history->val_count, sizeof *history->vals);
		history->vals = records;
	}
	if (record)
		read_record(root, columns, record);
	json_free(root);
	return columns && !record ? status_fail(STATUS_NO_MEMORY, "no memory for the log") : STATUS_OK;
}

enum status run_history_read(struct run_history *history, const char *path)
{
	char *text;
	size_t size;
	*history = (struct run_history){0};
	TRY(file_read(path, LOG_MAX_BYTES, &text, &size));
	enum status status = STATUS_OK;
	for (char *line = text, *newline;
	     status == STATUS_OK && (newline = memchr(line, '\n', (size_t)(text + size - line))); line = newline + 1)
		status = read_line(history, line, (size_t)(newline - line));
	free(text);
	if (status != STATUS_OK)
		run_history_release(history);
	return status;
}

void run_history_release(struct run_history *history)
{
	free(history->steps);
	free(history->vals);
	*history = (struct run_history){0};
}
