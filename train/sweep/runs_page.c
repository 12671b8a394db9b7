/* Runs on the page of sweeps: each is a trial, and the keys in which they differ are what was varied. See runs.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer/tapcut.h"
#include "train/sweep/page.h"
#include "train/sweep/runs.h"

enum { MS = SWEEP_METRICS - 1 };

static bool is_number(const char *text)
{
	char *end;
	strtod(text, &end);
	return end != text && !*end;
}

/* What the page needs to know of a key: are all its values numbers, and how wide apart? */
static void describe(const struct runs *runs, const char *key, bool *numeric, bool *logarithmic)
{
	double low = INFINITY, high = 0;
	*numeric = true;
	for (int i = 0; i < runs->count; i++) {
		const char *value = run_setting_value(&runs->entries[i], key);
		*numeric &= value && is_number(value);
		double x = value ? strtod(value, NULL) : 0;
		low = x < low ? x : low;
		high = x > high ? x : high;
	}
	*logarithmic = *numeric && low > 0 && high / low >= 30;
}

static void add_value(struct text *json, const char *value, bool numeric)
{
	if (!value)
		text_add(json, "\"-\"");
	else if (numeric || *value == '"')
		text_add(json, "%s", value);
	else
		text_add_json_string(json, value);
}

/* Each value once, in the order of the runs. */
static void add_values(struct text *json, const struct runs *runs, const char *key, bool numeric)
{
	for (int i = 0, shown = 0; i < runs->count; i++) {
		const char *value = run_setting_value(&runs->entries[i], key);
		bool again = !value;
		for (int j = 0; j < i && !again; j++) {
			const char *other = run_setting_value(&runs->entries[j], key);
			again = other && strcmp(other, value) == 0;
		}
		if (again)
			continue;
		text_add(json, shown++ ? "," : "");
		add_value(json, value, numeric);
	}
}

static void add_keys(struct text *json, const struct runs *runs, const char **keys, int count)
{
	text_add(json, "\"keys\":[");
	for (int k = 0; k < count; k++) {
		bool numeric, logarithmic;
		describe(runs, keys[k], &numeric, &logarithmic);
		text_add(json, "%s{\"key\":\"%s\",\"type\":\"%s\",\"log\":%s,\"values\":[", k ? "," : "", keys[k],
			 numeric ? "number" : "choice", logarithmic ? "true" : "false");
		add_values(json, runs, keys[k], numeric);
		text_add(json, "]}");
	}
	text_add(json, "]");
}

static void add_number(struct text *json, const char *name, double number)
{
	text_add(json, ",\"%s\":", name);
	text_add_number(json, number);
}

static enum status add_run_curves(struct text *json, const struct run_entry *run, int metric)
{
	struct run_curves curves;
	const char *batch = run_setting_value(run, "train.batch_size");
	TRY(run_curves_read(&curves, run->path, batch ? atoi(batch) : 1));
	text_add(json, ",\"c\":[");
	page_add_validations(json, &curves, metric);
	text_add(json, "],\"t\":[");
	page_add_training(json, &curves);
	text_add(json, "]");
	run_curves_release(&curves);
	return STATUS_OK;
}

static enum status add_run(struct text *json, const struct runs *runs, int index, const char **keys, int count,
			   int metric)
{
	const struct run_entry *run = &runs->entries[index];
	text_add(json, "%s{\"id\":%d,\"label\":", index ? ",\n" : "", index);
	text_add_json_string(json, run->path);
	text_add(json, ",\"state\":\"%s\",\"v\":[", run->state);
	for (int k = 0; k < count; k++) {
		bool numeric, logarithmic;
		describe(runs, keys[k], &numeric, &logarithmic);
		text_add(json, k ? "," : "");
		add_value(json, run_setting_value(run, keys[k]), numeric);
	}
	text_add(json, "],\"r\":[");
	if (isfinite(run->metrics[metric]))
		text_add_number(json, run->metrics[metric]);
	text_add(json, "],\"m\":[");
	for (int m = 0; m < SWEEP_METRICS; m++) {
		text_add(json, m ? "," : "");
		text_add_number(json, run->metrics[m]);
	}
	text_add(json, "],\"sd\":null");
	add_number(json, "bytes", run->summary.result.bytes ? (double)run->summary.result.bytes : NAN);
	add_number(json, "ms", run->metrics[MS]);
	text_add(json, ",\"samples\":%llu,\"seconds\":%.1f,\"rank\":%d,\"compared\":1,\"ok\":1,\"front\":0,\"apart\":1",
		 (unsigned long long)run->summary.samples, run->summary.seconds, index + 1);
	text_add(json, ",\"why\":");
	text_add_json_string(json, run->summary.why);
	TRY(add_run_curves(json, run, metric));
	text_add(json, "}");
	return STATUS_OK;
}

static bool is_better(const struct run_entry *a, const struct run_entry *b, int metric, bool maximize)
{
	double x = a->metrics[metric], y = b->metrics[metric];
	return isfinite(x) && (!isfinite(y) || (maximize ? x > y : x < y));
}

static enum status add_all(struct text *json, const struct runs *runs, int metric, const char *title, const char **keys,
			   int count)
{
	bool maximize = strchr("mb", sweep_metric_names[metric][0]) && metric != MS;
	int best = 0;
	for (int i = 1; i < runs->count; i++)
		if (is_better(&runs->entries[i], &runs->entries[best], metric, maximize))
			best = i;
	text_add(json, "{\"kind\":\"runs\",\"version\":\"%s\",\"name\":", TAPCUT_VERSION);
	text_add_json_string(json, title);
	text_add(json, ",\"about\":\"%d runs, by %s\",\"verdict\":\"\",\"metric\":\"%s\",\"maximize\":%s,", runs->count,
		 sweep_metric_names[metric], sweep_metric_names[metric], maximize ? "true" : "false");
	page_add_metric_names(json);
	text_add(json,
		 ",\"limits\":{\"bytes\":null,\"ms\":null},\"best\":%d,\"compromise\":null,\"least\":null,"
		 "\"rungs\":[],\"decisions\":[],",
		 best);
	add_keys(json, runs, keys, count);
	text_add(json, ",\n\"trials\":[");
	for (int i = 0; i < runs->count; i++)
		TRY(add_run(json, runs, i, keys, count, metric));
	text_add(json, "]}");
	return text_status(json);
}

enum status runs_page_write(const struct runs *runs, int metric, const char *title, const char *path)
{
	const char **keys;
	int count;
	struct text json;
	TRY(runs_changed_keys(runs, &keys, &count));
	text_init(&json);
	enum status status = add_all(&json, runs, metric, title, keys, count);
	if (status == STATUS_OK)
		status = page_write(path, &json);
	text_release(&json);
	free(keys);
	return status;
}
