/* tapcut runs: what trainings there are, how they ended, and how they differ. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "tools/command.h"
#include "tools/streams.h"
#include "train/record/progress.h"
#include "train/sweep/runs.h"

enum { MAX_DIRS = 64, SHOWN_COLUMNS = 6 };

/* --- command line --------------------------------------------------------- */

struct texts {
	const char *items[MAX_DIRS];
	int count;
};

struct arguments {
	struct texts dirs, conditions;
	const char *sort, *html;
	int metric, limit;
	bool reverse, compare, json, csv;
};

static enum status take_text(void *field, const struct option_row *row, const char *value)
{
	struct texts *texts = field;
	(void)row;
	if (texts->count == MAX_DIRS)
		return option_expected(value, "at most %d of them", MAX_DIRS);
	texts->items[texts->count++] = value;
	return STATUS_OK;
}

static const struct option_row operands[] = {
	{"DIR", OPTION_CALL, OPTION_FIELD(dirs), NULL,
	 .help = "folders of runs, or of folders of runs; without one: runs", .take = take_text, .many = true},
	{0},
};

static const struct option_row options[] = {
	{"where", OPTION_CALL, OPTION_FIELD(conditions), "KEY=VALUE",
	 .help = "only runs for which this holds; also with <, >, <=, >=, != ; KEY is a config key, a metric, "
		 "state, step, samples, seconds or bytes",
	 .take = take_text, .many = true},
	{"sort", OPTION_TEXT, OPTION_FIELD(sort), "KEY", .help = "by such a key, the smallest first",
	 .standard = "path"},
	{"reverse", OPTION_FLAG, OPTION_FIELD(reverse), NULL, .help = "the largest first"},
	{"limit", OPTION_WHOLE, OPTION_FIELD(limit), "N", .help = "no more than the first N", .min = 1, .max = RUNS_MAX,
	 .otherwise = "all"},
	{"compare", OPTION_FLAG, OPTION_FIELD(compare), NULL,
	 .help = "a line per key in which their configs differ, a column per run"},
	{"html", OPTION_FILE, OPTION_FIELD(html), "FILE.html",
	 .help = "a page with their curves over each other and the keys in which they differ", .writes = true,
	 .no_stream = true},
	{"metric", OPTION_ENUM, OPTION_FIELD(metric), "NAME", .help = "what the page compares by",
	 .names = sweep_metric_names, .standard = "miou1"},
	{"csv", OPTION_FLAG, OPTION_FIELD(csv), NULL, .help = "a table with all metrics and the keys that differ"},
	OPTION_ROW_JSON,
	{0},
};

static enum status check(void *arguments)
{
	struct arguments *a = arguments;
	if (!a->dirs.count)
		a->dirs.items[a->dirs.count++] = "runs";
	if (a->json + a->csv + a->compare > 1)
		return status_fail(STATUS_CONFIG, "--json, --csv and --compare: give one of them");
	return STATUS_OK;
}

/* --- out ------------------------------------------------------------------ */

static void print_figure(double number, const char *format, const char *none)
{
	if (isfinite(number))
		printf(format, number);
	else
		fputs(none, stdout);
}

static double metric_of(const struct run_entry *run, const char *name)
{
	for (int i = 0; i < SWEEP_METRICS; i++)
		if (strcmp(sweep_metric_names[i], name) == 0)
			return run->metrics[i];
	return NAN;
}

static void print_list(const struct runs *runs)
{
	printf("%-9s %9s %7s %7s %7s %9s  %s\n", "state", "step", "miou1", "noc85", "noc90", "time", "run");
	for (int i = 0; i < runs->count; i++) {
		const struct run_entry *run = &runs->entries[i];
		char time[32] = "-";
		if (run->summary.seconds > 0)
			progress_duration(run->summary.seconds, time, sizeof time);
		printf("%-9s %9llu ", run->state, (unsigned long long)run->summary.step);
		print_figure(100 * metric_of(run, "miou1"), "%7.1f ", "      - ");
		print_figure(metric_of(run, "noc85"), "%7.2f ", "      - ");
		print_figure(metric_of(run, "noc90"), "%7.2f ", "      - ");
		printf("%9s  %s\n", time, run->path);
	}
	printf("%d run%s\n", runs->count, runs->count == 1 ? "" : "s");
}

static const char *value_or_dash(const struct run_entry *run, const char *key)
{
	const char *value = run_setting_value(run, key);
	return value ? value : "-";
}

static void print_compared(const struct runs *runs, const char **keys, int count)
{
	for (int first = 0; first < runs->count; first += SHOWN_COLUMNS) {
		int end = first + SHOWN_COLUMNS < runs->count ? first + SHOWN_COLUMNS : runs->count;
		for (int i = first; i < end; i++)
			printf("[%d] %s, %s\n", i + 1, runs->entries[i].path, runs->entries[i].state);
		printf("\n%-28s", "");
		for (int i = first; i < end; i++)
			printf(" %15d", i + 1);
		for (int k = 0; k < count; k++) {
			printf("\n%-28s", keys[k]);
			for (int i = first; i < end; i++)
				printf(" %15s", value_or_dash(&runs->entries[i], keys[k]));
		}
		for (int m = 0; m < SWEEP_METRICS; m++) {
			printf("\n%-28s", sweep_metric_names[m]);
			for (int i = first; i < end; i++)
				print_figure(runs->entries[i].metrics[m], " %15.4g", "               -");
		}
		printf("\n%s", end < runs->count ? "\n" : "");
	}
	if (!count)
		printf("their configs do not differ\n");
}

/* A field of RFC 4180. */
static void print_field(const char *text)
{
	if (!strpbrk(text, ",\"\n\r")) {
		fputs(text, stdout);
		return;
	}
	putchar('"');
	for (; *text; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	putchar('"');
}

static void print_csv(const struct runs *runs, const char **keys, int count)
{
	printf("run,state,step,samples,seconds,bytes,sha256");
	for (int m = 0; m < SWEEP_METRICS; m++)
		printf(",%s", sweep_metric_names[m]);
	for (int k = 0; k < count; k++)
		printf(",%s", keys[k]);
	printf("\n");
	for (int i = 0; i < runs->count; i++) {
		const struct run_entry *run = &runs->entries[i];
		print_field(run->path);
		printf(",%s,%llu,%llu,%.1f,%llu,%s", run->state, (unsigned long long)run->summary.step,
		       (unsigned long long)run->summary.samples, run->summary.seconds,
		       (unsigned long long)run->summary.result.bytes, run->summary.result.sha256);
		for (int m = 0; m < SWEEP_METRICS; m++) {
			putchar(',');
			print_figure(run->metrics[m], "%.17g", "");
		}
		for (int k = 0; k < count; k++) {
			putchar(',');
			print_field(run_setting_value(run, keys[k]) ? run_setting_value(run, keys[k]) : "");
		}
		printf("\n");
	}
}

static void add_json_run(struct text *text, const struct run_entry *run)
{
	text_add(text, "{\"run\": ");
	text_add_json_string(text, run->path);
	text_add(text, ", \"state\": \"%s\", \"why\": ", run->state);
	text_add_json_string(text, run->summary.why);
	text_add(text, ", \"step\": %llu, \"steps\": %llu, \"samples\": %llu, \"seconds\": %.1f, \"metrics\": {",
		 (unsigned long long)run->summary.step, (unsigned long long)run->summary.steps,
		 (unsigned long long)run->summary.samples, run->summary.seconds);
	for (int m = 0; m < SWEEP_METRICS; m++) {
		text_add(text, "%s\"%s\": ", m ? ", " : "", sweep_metric_names[m]);
		text_add_number(text, run->metrics[m]);
	}
	text_add(text, "}, \"bytes\": %llu, \"sha256\": \"%s\", \"config\": {",
		 (unsigned long long)run->summary.result.bytes, run->summary.result.sha256);
	for (int k = 0; k < run->setting_count; k++) {
		text_add(text, k ? ", " : "");
		text_add_json_string(text, run->settings[k].key);
		text_add(text, ": %s", run->settings[k].value);
	}
	text_add(text, "}}");
}

static enum status print_json(const struct runs *runs)
{
	struct text text;
	text_init(&text);
	text_add(&text, "{\"runs\": [");
	for (int i = 0; i < runs->count; i++) {
		text_add(&text, i ? ",\n" : "\n");
		add_json_run(&text, &runs->entries[i]);
	}
	text_add(&text, "\n]}");
	return streams_json(&text);
}

/* --- main ----------------------------------------------------------------- */

static enum status collect(struct runs *runs, const struct arguments *a)
{
	for (int i = 0; i < a->dirs.count; i++)
		TRY(runs_find(runs, a->dirs.items[i]));
	if (!runs->count)
		return status_fail(STATUS_CONFIG,
				   "%s: there is no run in it (a folder with config.json and summary.json)",
				   a->dirs.items[0]);
	for (int i = 0; i < a->conditions.count; i++)
		TRY(runs_filter(runs, a->conditions.items[i]));
	return runs_sort(runs, a->sort, a->reverse);
}

static enum status show(struct runs *runs, const struct arguments *a)
{
	const char **keys;
	int count, all = runs->count;
	enum status status = STATUS_OK;
	TRY(runs_changed_keys(runs, &keys, &count));
	runs->count = a->limit && a->limit < all ? a->limit : all; /* the rest is released all the same */
	if (a->html)
		status = runs_page_write(runs, a->metric, a->dirs.items[0], a->html);
	if (a->json && status == STATUS_OK)
		status = print_json(runs);
	else if (a->csv)
		print_csv(runs, keys, count);
	else if (a->compare)
		print_compared(runs, keys, count);
	else if (!a->html)
		print_list(runs);
	runs->count = all;
	free(keys);
	return status;
}

static int run(void *arguments)
{
	const struct arguments *a = arguments;
	struct runs runs = {.count = 0};
	enum status status = collect(&runs, a);
	if (status == STATUS_OK)
		status = show(&runs, a);
	runs_release(&runs);
	return command_end("runs", status);
}

const struct command command_runs = {
	.name = "runs",
	.summary = "list, sort, filter and compare trainings",
	.usage = "[DIR ...] [OPTIONS]",
	.about = "Finds the runs in folders, as `tapcut train` and `tapcut sweep` leave them, and says how each ended. "
		 "A run that was killed is told from one that is running by its lock.",
	.options = options,
	.operands = operands,
	.examples = "tapcut runs\n"
		    "tapcut runs runs --where state=finished --where \"optim.lr<0.002\" --sort noc90\n"
		    "tapcut runs runs/a runs/b --compare\n"
		    "tapcut runs runs/a runs/b runs/c --html compare.html --metric noc90",
	.size = sizeof(struct arguments),
	.check = check,
	.run = run,
};
