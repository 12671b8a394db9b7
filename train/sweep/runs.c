/* See runs.h. */
#include "train/sweep/runs.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/slips.h"
#include "train/record/run_lock.h"
#include "train/sweep/state.h"

enum { MAX_DEPTH = 6 };

/* --- one run -------------------------------------------------------------- */

static bool has(const char *dir, const char *name)
{
	char path[SWEEP_PATH];
	return snprintf(path, sizeof path, "%s/%s", dir, name) < (int)sizeof path && access(path, F_OK) == 0;
}

static enum status add_setting(struct run_entry *run, const char *key, const struct json *value)
{
	if ((run->setting_count & (run->setting_count - 1)) == 0) {
		size_t count = run->setting_count ? 2 * (size_t)run->setting_count : 1;
		struct run_setting *larger = realloc(run->settings, count * sizeof *larger);
		if (!larger)
			return status_fail(STATUS_NO_MEMORY, "no memory for a config");
		run->settings = larger;
	}
	struct text name, text;
	text_init(&name);
	text_init(&text);
	text_add(&name, "%s", key);
	space_add_json(&text, value);
	struct run_setting *setting = &run->settings[run->setting_count++];
	*setting = (struct run_setting){text_take(&name), text_take(&text)};
	return setting->key && setting->value ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "no memory for a config");
}

/* Sections are one deep. */
static enum status read_settings(struct run_entry *run)
{
	char path[SWEEP_PATH], key[200];
	struct json *root;
	snprintf(path, sizeof path, "%.1000s/config.json", run->path);
	if (json_read_file(path, &root) != STATUS_OK)
		return STATUS_OK; /* a damaged one: the run is shown without */
	enum status status = STATUS_OK;
	for (const struct json *m = json_first(root); m && !status; m = json_next(m)) {
		if (json_type(m) != JSON_TYPE_OBJECT) {
			status = add_setting(run, json_key(m), m);
			continue;
		}
		for (const struct json *v = json_first(m); v && !status; v = json_next(v)) {
			snprintf(key, sizeof key, "%.90s.%.90s", json_key(m), json_key(v));
			status = add_setting(run, key, v);
		}
	}
	json_free(root);
	return status;
}

static enum status read_run(struct run_entry *run)
{
	bool held = false;
	char path[SWEEP_PATH];
	struct rung_result result;
	for (int i = 0; i < SWEEP_METRICS; i++)
		run->metrics[i] = NAN;
	run->state = "unknown";
	if (run_summary_read(&run->summary, run->path) == STATUS_OK) {
		TRY(run_lock_probe(run->path, &held, NULL));
		bool killed = run->summary.state == RUN_RUNNING && !held;
		run->state = killed ? "killed" : run_outcome_names[run->summary.state];
		snprintf(path, sizeof path, "%.1000s/summary.json", run->path);
		if (sweep_result_read(path, &result) == STATUS_OK)
			memcpy(run->metrics, result.metrics, sizeof result.metrics);
	}
	return read_settings(run);
}

static void release_run(struct run_entry *run)
{
	for (int i = 0; i < run->setting_count; i++) {
		free(run->settings[i].key);
		free(run->settings[i].value);
	}
	free(run->settings);
	free(run->path);
	run_summary_release(&run->summary);
}

/* --- finding -------------------------------------------------------------- */

static enum status add_run(struct runs *runs, const char *dir)
{
	if (runs->count == RUNS_MAX)
		return status_fail(STATUS_LIMIT, "%s: more than %d runs", dir, RUNS_MAX);
	if ((runs->count & (runs->count - 1)) == 0) {
		size_t count = runs->count ? 2 * (size_t)runs->count : 1;
		struct run_entry *larger = realloc(runs->entries, count * sizeof *larger);
		if (!larger)
			return status_fail(STATUS_NO_MEMORY, "no memory for %zu runs", count);
		runs->entries = larger;
	}
	struct run_entry *run = &runs->entries[runs->count++];
	*run = (struct run_entry){.path = strdup(dir)};
	return run->path ? read_run(run) : status_fail(STATUS_NO_MEMORY, "no memory for a run");
}

static enum status find_in(struct runs *runs, const char *dir, int depth);

static enum status visit(struct runs *runs, const char *dir, struct dirent **entries, int count, int depth)
{
	enum status status = STATUS_OK;
	for (int i = 0; i < count && !status; i++) {
		char path[SWEEP_PATH];
		if (entries[i]->d_name[0] == '.' ||
		    snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name) >= (int)sizeof path)
			continue;
		status = find_in(runs, path, depth + 1);
	}
	return status;
}

static enum status find_in(struct runs *runs, const char *dir, int depth)
{
	struct dirent **entries;
	if (has(dir, "config.json") && (has(dir, "summary.json") || has(dir, "log.jsonl")))
		return add_run(runs, dir);
	int count = depth < MAX_DEPTH ? scandir(dir, &entries, NULL, alphasort) : 0;
	if (count <= 0) /* no folder, or one that is not for us */
		return STATUS_OK;
	enum status status = visit(runs, dir, entries, count, depth);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return status;
}

enum status runs_find(struct runs *runs, const char *dir)
{
	if (access(dir, R_OK) != 0)
		return status_fail(STATUS_IO, "%s: there is no such folder", dir);
	return find_in(runs, dir, 0);
}

void runs_release(struct runs *runs)
{
	for (int i = 0; i < runs->count; i++)
		release_run(&runs->entries[i]);
	free(runs->entries);
	*runs = (struct runs){.count = 0};
}

/* --- values --------------------------------------------------------------- */

const char *run_setting_value(const struct run_entry *run, const char *key)
{
	for (int i = 0; i < run->setting_count; i++)
		if (strcmp(run->settings[i].key, key) == 0)
			return run->settings[i].value;
	return NULL;
}

/* A value to compare: a number, or a text where it is none. */
struct value {
	bool there;
	double number;
	char text[160];
};

static struct value number_value(double number)
{
	return (struct value){.there = !isnan(number), .number = number};
}

static struct value text_value(const char *text)
{
	struct value value = {.there = text != NULL, .number = NAN};
	char *end;
	if (!text)
		return value;
	double number = strtod(text, &end);
	if (end != text && !*end)
		value.number = number;
	size_t length = strlen(text);
	if (*text == '"' && length >= 2)
		snprintf(value.text, sizeof value.text, "%.*s", (int)length - 2, text + 1);
	else
		snprintf(value.text, sizeof value.text, "%s", text);
	return value;
}

static struct value value_of(const struct run_entry *run, const char *key)
{
	const struct run_summary *s = &run->summary;
	for (int i = 0; i < SWEEP_METRICS; i++)
		if (strcmp(key, sweep_metric_names[i]) == 0)
			return number_value(run->metrics[i]);
	if (strcmp(key, "state") == 0)
		return text_value(run->state);
	if (strcmp(key, "path") == 0)
		return text_value(run->path);
	if (strcmp(key, "step") == 0)
		return number_value((double)s->step);
	if (strcmp(key, "samples") == 0)
		return number_value((double)s->samples);
	if (strcmp(key, "seconds") == 0)
		return number_value(s->seconds);
	if (strcmp(key, "bytes") == 0)
		return number_value(s->result.bytes ? (double)s->result.bytes : NAN);
	return text_value(run_setting_value(run, key));
}

/* A key that no run has is a slip. */
static enum status check_key(const struct runs *runs, const char *key)
{
	static const char *const own[] = {"state", "path", "step", "samples", "seconds", "bytes"};
	enum { OWN = sizeof own / sizeof *own, MOST = 300 };
	const char *names[MOST + 1] = {NULL};
	int count = 0;
	for (int i = 0; i < OWN; i++)
		names[count++] = own[i];
	for (int i = 0; i < SWEEP_METRICS; i++)
		names[count++] = sweep_metric_names[i];
	for (int i = 0; i < runs->count; i++) {
		const struct run_entry *run = &runs->entries[i];
		for (int k = 0; k < run->setting_count && i == 0 && count < MOST; k++)
			names[count++] = run->settings[k].key;
		if (run_setting_value(run, key))
			return STATUS_OK;
	}
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], key) == 0)
			return STATUS_OK;
	const char *near = slips_nearest(key, names);
	return status_fail(STATUS_CONFIG, "no run has the key %.64s%s%s%s", key, near ? "; did you mean " : "",
			   near ? near : "", near ? "?" : "");
}

/* --- filter and order ----------------------------------------------------- */

static const char *const relations[] = {"<=", ">=", "!=", "=", "<", ">"};
enum { RELATIONS = 6 };

static int compare_values(const struct value *a, const struct value *b)
{
	if (!isnan(a->number) && !isnan(b->number))
		return a->number < b->number ? -1 : a->number > b->number;
	return strcmp(a->text, b->text);
}

static bool holds(const struct value *value, const char *relation, const struct value *wanted)
{
	if (!value->there)
		return false;
	int order = compare_values(value, wanted);
	switch (relation[0]) {
	case '<': return relation[1] ? order <= 0 : order < 0;
	case '>': return relation[1] ? order >= 0 : order > 0;
	case '!': return order != 0;
	default: return order == 0;
	}
}

enum status runs_filter(struct runs *runs, const char *condition)
{
	char key[100];
	size_t length = strcspn(condition, "<>=!");
	int r = 0;
	while (r < RELATIONS && strncmp(condition + length, relations[r], strlen(relations[r])) != 0)
		r++;
	if (!length || length >= sizeof key || r == RELATIONS)
		return status_fail(STATUS_CONFIG,
				   "expected KEY=VALUE, or <, >, <=, >=, != between them, found \"%.64s\"", condition);
	snprintf(key, sizeof key, "%.*s", (int)length, condition);
	TRY(check_key(runs, key));
	struct value wanted = text_value(condition + length + strlen(relations[r]));
	int kept = 0;
	for (int i = 0; i < runs->count; i++) {
		struct value value = value_of(&runs->entries[i], key);
		if (holds(&value, relations[r], &wanted))
			runs->entries[kept++] = runs->entries[i];
		else
			release_run(&runs->entries[i]);
	}
	runs->count = kept;
	return STATUS_OK;
}

static const char *sort_key; /* qsort has no context; set by runs_sort alone */
static int sort_sign;

static int compare_runs(const void *a, const void *b)
{
	const struct run_entry *x = a, *y = b;
	struct value p = value_of(x, sort_key), q = value_of(y, sort_key);
	if (p.there != q.there)
		return p.there ? -1 : 1;
	int order = p.there ? sort_sign * compare_values(&p, &q) : 0;
	return order ? order : strcmp(x->path, y->path);
}

enum status runs_sort(struct runs *runs, const char *key, bool reverse)
{
	TRY(check_key(runs, key));
	sort_key = key;
	sort_sign = reverse ? -1 : 1;
	if (runs->count)
		qsort(runs->entries, (size_t)runs->count, sizeof *runs->entries, compare_runs);
	return STATUS_OK;
}

enum status runs_changed_keys(const struct runs *runs, const char ***keys, int *count)
{
	const struct run_entry *first = runs->entries;
	*count = 0;
	*keys = calloc((runs->count ? (size_t)first->setting_count : 0) + 1, sizeof **keys);
	if (!*keys)
		return status_fail(STATUS_NO_MEMORY, "no memory for the keys");
	for (int k = 0; runs->count && k < first->setting_count; k++) {
		bool differs = false;
		for (int i = 1; i < runs->count && !differs; i++) {
			const char *value = run_setting_value(&runs->entries[i], first->settings[k].key);
			differs =
				value && strcmp(value, first->settings[k].value) != 0; /* an older version has fewer */
		}
		if (differs && strcmp(first->settings[k].key, "name") != 0)
			(*keys)[(*count)++] = first->settings[k].key;
	}
	return STATUS_OK;
}
