/* See run_summary.h. */
#include "train/record/run_summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "core/sha256.h"
#include "core/text.h"
#include "train/config/json.h"

enum { PATH_SIZE = 1100, MAX_BYTES = 10 * 1000 * 1000 };

const char *const run_outcome_names[] = {"running", "finished", "stopped", "diverged", "failed", NULL};

void run_summary_init(struct run_summary *summary)
{
	*summary = (struct run_summary){.pid = (long)getpid()};
	if (gethostname(summary->host, sizeof summary->host) != 0)
		snprintf(summary->host, sizeof summary->host, "unknown");
	summary->host[sizeof summary->host - 1] = '\0';
}

void run_summary_release(struct run_summary *summary)
{
	free(summary->manifest);
	summary->manifest = NULL;
}

bool run_val_is_better(const struct run_val *a, const struct run_val *b)
{
	return a->noc90 != b->noc90 ? a->noc90 < b->noc90 : a->miou1 > b->miou1;
}

void run_summary_add_validation(struct run_summary *summary, const struct run_val *val)
{
	if (!summary->has_metrics || run_val_is_better(val, &summary->best))
		summary->best = *val;
	summary->metrics = *val;
	summary->has_metrics = true;
}

void run_summary_set_result(struct run_summary *summary, const char *file, const void *data, size_t size)
{
	struct sha256 sha;
	uint8_t digest[32];
	sha256_init(&sha);
	sha256_update(&sha, data, size);
	sha256_final(&sha, digest);
	sha256_hex(digest, summary->result.sha256);
	summary->result.bytes = size;
	snprintf(summary->result.file, sizeof summary->result.file, "%s", file);
}

/* --- out ------------------------------------------------------------------ */

static void add_result(struct text *text, const struct run_summary *summary)
{
	text_add(text, ",\n\t\"result\": {\"file\": ");
	text_add_json_string(text, summary->result.file);
	text_add(text, ", \"bytes\": %llu, \"sha256\": \"%s\"}", (unsigned long long)summary->result.bytes,
		 summary->result.sha256);
}

static void add_all(struct text *text, const struct run_summary *summary)
{
	text_add(text, "{\n\t\"state\": \"%s\",\n\t\"why\": ", run_outcome_names[summary->state]);
	text_add_json_string(text, summary->why);
	text_add(text, ",\n\t\"pid\": %ld,\n\t\"host\": ", summary->pid);
	text_add_json_string(text, summary->host);
	text_add(text, ",\n\t\"step\": %llu,\n\t\"steps\": %llu,\n\t\"samples\": %llu,\n\t\"skipped\": %llu",
		 (unsigned long long)summary->step, (unsigned long long)summary->steps,
		 (unsigned long long)summary->samples, (unsigned long long)summary->skipped);
	text_add(text, ",\n\t\"seconds\": %.1f", summary->seconds);
	if (summary->has_metrics) {
		text_add(text, ",\n\t\"metrics\": ");
		run_val_add_json(text, &summary->metrics);
		text_add(text, ",\n\t\"best\": ");
		run_val_add_json(text, &summary->best);
	}
	if (summary->result.file[0])
		add_result(text, summary);
	if (summary->manifest)
		text_add(text, ",\n\t\"manifest\": %s", summary->manifest);
	text_add(text, "\n}\n");
}

enum status run_summary_write(const struct run_summary *summary, const char *dir)
{
	char path[PATH_SIZE];
	struct text text;
	text_init(&text);
	add_all(&text, summary);
	snprintf(path, sizeof path, "%s/summary.json", dir);
	enum status status = text_status(&text);
	if (status == STATUS_OK)
		status = atomic_file_write(path, &(struct file_part){text.data, text.length}, 1);
	text_release(&text);
	return status;
}

/* --- in ------------------------------------------------------------------- */

static double read_number(const struct json *object, const char *key)
{
	double number = 0;
	return json_number(json_get(object, key), &number) == STATUS_OK ? number : 0;
}

static uint64_t read_count(const struct json *object, const char *key)
{
	double number = read_number(object, key);
	return number > 0 && number < 1e18 ? (uint64_t)number : 0;
}

static void read_text(const struct json *object, const char *key, char *to, size_t size)
{
	const char *text = json_string(json_get(object, key));
	snprintf(to, size, "%s", text ? text : "");
}

static enum status read_state(const struct json *root, const char *path, enum run_outcome *state)
{
	const char *name = json_string(json_get(root, "state"));
	for (int i = 0; name && run_outcome_names[i]; i++)
		if (strcmp(name, run_outcome_names[i]) == 0) {
			*state = (enum run_outcome)i;
			return STATUS_OK;
		}
	return status_fail(STATUS_FORMAT,
			   "%s: state: expected running, finished, stopped, diverged or failed, found %s", path,
			   name ? name : "none");
}

static enum status read_all(struct run_summary *summary, const struct json *root, const char *path)
{
	TRY(read_state(root, path, &summary->state));
	read_text(root, "why", summary->why, sizeof summary->why);
	read_text(root, "host", summary->host, sizeof summary->host);
	summary->pid = (long)read_count(root, "pid");
	summary->step = read_count(root, "step");
	summary->steps = read_count(root, "steps");
	summary->samples = read_count(root, "samples");
	summary->skipped = read_count(root, "skipped");
	summary->seconds = read_number(root, "seconds");
	summary->has_metrics = json_get(root, "metrics") != NULL;
	run_val_read_json(json_get(root, "metrics"), &summary->metrics);
	run_val_read_json(json_get(root, "best"), &summary->best);
	const struct json *result = json_get(root, "result"), *manifest = json_get(root, "manifest");
	read_text(result, "file", summary->result.file, sizeof summary->result.file);
	read_text(result, "sha256", summary->result.sha256, sizeof summary->result.sha256);
	summary->result.bytes = read_count(result, "bytes");
	if (manifest && !(summary->manifest = json_print(manifest)))
		return status_fail(STATUS_NO_MEMORY, "%s: no memory to read it", path);
	return STATUS_OK;
}

enum status run_summary_read(struct run_summary *summary, const char *dir)
{
	char path[PATH_SIZE];
	struct json *root;
	*summary = (struct run_summary){.pid = 0};
	snprintf(path, sizeof path, "%s/summary.json", dir);
	if (access(path, F_OK) != 0)
		return status_fail(STATUS_IO, "%s: there is no such file", path);
	TRY(json_read_file(path, &root));
	enum status status = read_all(summary, root, path);
	json_free(root);
	if (status != STATUS_OK)
		run_summary_release(summary);
	return status;
}
