/* See plan.h. One row per key of a sweep's file. */
#include "train/sweep/plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/slips.h"
#include "train/config/config_file.h"
#include "train/config/config_keys.h"

enum { MAX_SET = 128, MAX_OVERRIDES = MAX_SET + SPACE_MAX_PARAMETERS + 2 };

const char *const sweep_method_names[] = {"grid", "random", "halving", "search", NULL};
const char *const sweep_metric_names[] = {"noc85", "noc90", "nof90", "miou1",        "miou2",
					  "miou3", "miou5", "biou1", "ms_per_click", NULL};

/* --- values of keys ------------------------------------------------------- */

static enum status refuse(const struct sweep_plan *plan, const char *key, const char *expected,
			  const struct json *found)
{
	char text[80] = "nothing";
	if (found)
		json_describe(found, text, sizeof text);
	return status_fail(STATUS_CONFIG, "%s: %s: expected %s, found %s", plan->path, key, expected, text);
}

static enum status read_number(const struct sweep_plan *plan, const char *key, const struct json *value, double low,
			       double high, bool whole, double *number)
{
	char expected[100];
	snprintf(expected, sizeof expected, "a %snumber from %.16g to %.16g", whole ? "whole " : "", low, high);
	if (json_type(value) != JSON_TYPE_NUMBER || json_number(value, number) != STATUS_OK || *number < low ||
	    *number > high || (whole && *number != floor(*number)))
		return refuse(plan, key, expected, value);
	return STATUS_OK;
}

static enum status read_int(const struct sweep_plan *plan, const char *key, const struct json *value, int low, int high,
			    int *number)
{
	double found = 0;
	TRY(read_number(plan, key, value, low, high, true, &found));
	*number = (int)found;
	return STATUS_OK;
}

static enum status read_text(const struct sweep_plan *plan, const char *key, const struct json *value, char *text,
			     size_t size)
{
	char expected[80];
	const char *found = json_string(value);
	snprintf(expected, sizeof expected, "a text of 1 to %zu bytes", size - 1);
	if (!found || !*found || strlen(found) >= size)
		return refuse(plan, key, expected, value);
	snprintf(text, size, "%s", found);
	return STATUS_OK;
}

static enum status read_name(const struct sweep_plan *plan, const char *key, const struct json *value,
			     const char *const *names, int *index)
{
	char expected[300] = "one of";
	const char *found = json_string(value);
	for (*index = 0; names[*index]; ++*index)
		if (found && strcmp(found, names[*index]) == 0)
			return STATUS_OK;
	for (int i = 0; names[i]; i++)
		snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%s \"%s\"", i ? "," : "",
			 names[i]);
	const char *near = found ? slips_nearest(found, names) : NULL;
	if (near)
		return status_fail(STATUS_CONFIG, "%s: %s: expected %s, found \"%s\"; did you mean %s?", plan->path,
				   key, expected, found, near);
	return refuse(plan, key, expected, value);
}

/* --- keys ----------------------------------------------------------------- */

static enum status read_base(struct sweep_plan *plan, const struct json *value)
{
	char beside[2 * SWEEP_PATH];
	TRY(read_text(plan, "base", value, plan->base, sizeof plan->base));
	const char *slash = strrchr(plan->path, '/');
	if (plan->base[0] == '/' || access(plan->base, F_OK) == 0 || !slash)
		return STATUS_OK;
	int count = snprintf(beside, sizeof beside, "%.*s/%s", (int)(slash - plan->path), plan->path, plan->base);
	if (count < (int)sizeof plan->base && access(beside, F_OK) == 0)
		memcpy(plan->base, beside, (size_t)count + 1);
	return STATUS_OK;
}

static enum status read_set(struct sweep_plan *plan, const struct json *value)
{
	int count = 0;
	if (json_type(value) != JSON_TYPE_OBJECT)
		return refuse(plan, "set", "an object of dotted config keys and their values", value);
	for (const struct json *member = json_first(value); member; member = json_next(member))
		count++;
	if (count > MAX_SET)
		return refuse(plan, "set", "at most 128 keys; a config of its own as base holds more", value);
	if (count && !(plan->set = calloc((size_t)count, sizeof *plan->set)))
		return status_fail(STATUS_NO_MEMORY, "no memory for \"set\"");
	for (const struct json *member = json_first(value); member; member = json_next(member)) {
		struct text text;
		text_init(&text);
		text_add(&text, "%s=", json_key(member));
		space_add_json(&text, member);
		if (!(plan->set[plan->set_count] = text_take(&text)))
			return status_fail(STATUS_NO_MEMORY, "no memory for \"set\"");
		plan->set_count++;
	}
	return STATUS_OK;
}

static enum status read_vary(struct sweep_plan *plan, const struct json *value)
{
	return space_parse(&plan->space, value, plan->path);
}

static enum status read_method(struct sweep_plan *plan, const struct json *value)
{
	int index;
	const char *found = json_string(value);
	if (found && strcmp(found, "bayes") == 0)
		return status_fail(STATUS_CONFIG, "%s: method: \"bayes\" is called \"search\" here", plan->path);
	TRY(read_name(plan, "method", value, sweep_method_names, &index));
	plan->method = (enum sweep_method)index;
	return STATUS_OK;
}

static enum status read_trials(struct sweep_plan *plan, const struct json *value)
{
	return read_int(plan, "trials", value, 1, SWEEP_MAX_TRIALS, &plan->trials);
}

static enum status read_seed(struct sweep_plan *plan, const struct json *value)
{
	double seed = 0;
	TRY(read_number(plan, "seed", value, 0, 9007199254740991.0, true, &seed));
	plan->seed = (uint64_t)seed;
	return STATUS_OK;
}

static enum status read_seeds(struct sweep_plan *plan, const struct json *value)
{
	if (json_type(value) == JSON_TYPE_NUMBER)
		return read_int(plan, "seeds", value, 1, SWEEP_MAX_SEEDS, &plan->seed_count);
	int count = json_array_size(value);
	if (count < 1 || count > SWEEP_MAX_SEEDS)
		return refuse(plan, "seeds", "how many seeds, or a list of 1 to 16 of them", value);
	for (const struct json *item = json_first(value); item; item = json_next(item)) {
		double seed = 0;
		TRY(read_number(plan, "seeds", item, 1, 9007199254740991.0, true, &seed));
		for (int i = 0; i < plan->seed_count; i++)
			if (plan->seeds[i] == (uint64_t)seed)
				return refuse(plan, "seeds", "each seed once", item);
		plan->seeds[plan->seed_count++] = (uint64_t)seed;
	}
	return STATUS_OK;
}

static enum status read_metric(struct sweep_plan *plan, const struct json *value)
{
	return read_name(plan, "metric", value, sweep_metric_names, &plan->metric);
}

static enum status read_goal(struct sweep_plan *plan, const struct json *value)
{
	static const char *const goals[] = {"minimize", "maximize", NULL};
	int index;
	TRY(read_name(plan, "goal", value, goals, &index));
	plan->maximize = index == 1;
	return STATUS_OK;
}

static enum status read_subject_to(struct sweep_plan *plan, const struct json *value)
{
	static const char *const names[] = {"bytes", "ms_per_click", NULL};
	if (json_type(value) != JSON_TYPE_OBJECT)
		return refuse(plan, "subject_to", "an object with bytes, ms_per_click or both", value);
	for (const struct json *member = json_first(value); member; member = json_next(member)) {
		char key[100];
		snprintf(key, sizeof key, "subject_to.%.64s", json_key(member));
		bool bytes = strcmp(json_key(member), "bytes") == 0;
		if (!bytes && strcmp(json_key(member), "ms_per_click") != 0) {
			const char *near = slips_nearest(json_key(member), names);
			return status_fail(STATUS_CONFIG, "%s: unknown key %s; %s%s?", plan->path, key,
					   near ? "did you mean " : "expected bytes or ", near ? near : "ms_per_click");
		}
		TRY(read_number(plan, key, member, 1e-9, 1e15, false, bytes ? &plan->max_bytes : &plan->max_ms));
	}
	return STATUS_OK;
}

static enum status read_rung(struct sweep_plan *plan, const struct json *value)
{
	double samples = 0, least = plan->rung_count ? (double)plan->rungs[plan->rung_count - 1] + 1 : 1;
	if (plan->rung_count == SWEEP_MAX_RUNGS)
		return refuse(plan, "budget", "at most 8 rungs", value);
	TRY(read_number(plan, "budget", value, least, 1e15, true, &samples));
	plan->rungs[plan->rung_count++] = (uint64_t)samples;
	return STATUS_OK;
}

static enum status read_budget(struct sweep_plan *plan, const struct json *value)
{
	if (json_type(value) == JSON_TYPE_NUMBER)
		return read_rung(plan, value);
	if (json_array_size(value) < 1)
		return refuse(plan, "budget", "samples to train on, or a rising list of them, one per rung", value);
	for (const struct json *item = json_first(value); item; item = json_next(item))
		TRY(read_rung(plan, item));
	return STATUS_OK;
}

static enum status read_reduction_factor(struct sweep_plan *plan, const struct json *value)
{
	return read_number(plan, "reduction_factor", value, 1.1, 1000, false, &plan->reduction_factor);
}

static enum status read_round_size(struct sweep_plan *plan, const struct json *value)
{
	return read_int(plan, "round_size", value, 1, SWEEP_MAX_TRIALS, &plan->round_size);
}

static enum status read_keep(struct sweep_plan *plan, const struct json *value)
{
	const char *found = json_string(value);
	char rest;
	if (found && strcmp(found, "all") == 0) {
		plan->keep = -1;
		return STATUS_OK;
	}
	if (found && sscanf(found, "best %d%c", &plan->keep, &rest) == 1 && plan->keep >= 0)
		return STATUS_OK;
	return refuse(plan, "keep", "\"all\" or \"best N\"", value);
}

static enum status read_equal_failures(struct sweep_plan *plan, const struct json *value)
{
	return read_int(plan, "equal_failures", value, 1, 1000, &plan->equal_failures);
}

static enum status read_plan_name(struct sweep_plan *plan, const struct json *value)
{
	return read_text(plan, "name", value, plan->name, sizeof plan->name);
}

/* clang-format off: a row per key */
static const struct sweep_key {
	const char *name;
	enum status (*read)(struct sweep_plan *plan, const struct json *value);
	const char *value, *standard, *meaning;
} sweep_keys[] = {
	{"name", read_plan_name, "text", "the file's name", "Name, for reports."},
	{"base", read_base, "path", "needed", "The config that the trials change."},
	{"set", read_set, "object", "{}", "Config keys that are another for all trials: {\"train.size\": 128}."},
	{"vary", read_vary, "object", "needed",
	 "Config keys that differ between trials: a list of values, or {\"min\": a, \"max\": b, \"distribution\": d} "
	 "with d one of linear, log, integer, log_integer; \"multiple\" of whole numbers; \"points\" for a grid."},
	{"method", read_method, "grid, random, halving, search", "grid", "How trials are chosen, and stopped."},
	{"trials", read_trials, "number", "needed but for grid",
	 "How many. More may be given later: the others stay as they are."},
	{"seed", read_seed, "number", "1", "Seed of the choice of trials."},
	{"seeds", read_seeds, "number or list", "1",
	 "Each trial is trained with so many seeds, from the base's on, or with these."},
	{"metric", read_metric, "noc85, noc90, nof90, miou1, miou2, miou3, miou5, biou1, ms_per_click", "needed",
	 "What trials are compared by: the validation's, at the end of each rung."},
	{"goal", read_goal, "minimize, maximize", "what the metric says", "For those who like to say it."},
	{"subject_to", read_subject_to, "object", "{}",
	 "Limits of the best compromise: {\"bytes\": 500000, \"ms_per_click\": 5}. A trial over \"bytes\" "
	 "does not go on behind a rung."},
	{"budget", read_budget, "number or list", "train.steps",
	 "Samples that a trial is trained on; with halving a rising list, a rung each."},
	{"reduction_factor", read_reduction_factor, "number", "3", "halving: one trial in so many goes on."},
	{"round_size", read_round_size, "number", "8", "search: trials that are chosen together."},
	{"keep", read_keep, "\"all\" or \"best N\"", "all",
	 "Whose checkpoints stay when they are done; weights and curves of the others stay."},
	{"equal_failures", read_equal_failures, "number", "3", "So many equal failures at the start end the sweep."},
};
/* clang-format on */
enum { SWEEP_KEYS = sizeof sweep_keys / sizeof *sweep_keys };

/* What another tool calls it. */
static const char *own_name(const char *name)
{
	static const char *const others[][2] = {{"parameters", "vary"}, {"early_terminate", "method \"halving\""},
						{"run_cap", "trials"},  {"program", "base"},
						{"n_trials", "trials"}, {"num_samples", "trials"},
						{"direction", "goal"},  {"sampler", "method"}};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strcmp(name, others[i][0]) == 0)
			return others[i][1];
	return NULL;
}

static enum status unknown_key(const struct sweep_plan *plan, const char *key)
{
	const char *names[SWEEP_KEYS + 1] = {NULL};
	for (int i = 0; i < SWEEP_KEYS; i++)
		names[i] = sweep_keys[i].name;
	const char *near = own_name(key) ? NULL : slips_nearest(key, names);
	if (own_name(key))
		return status_fail(STATUS_CONFIG, "%s: unknown key %s: it is called %s here", plan->path, key,
				   own_name(key));
	if (near)
		return status_fail(STATUS_CONFIG, "%s: unknown key %.64s; did you mean %s?", plan->path, key, near);
	return status_fail(STATUS_CONFIG, "%s: unknown key %.64s; `tapcut sweep --keys` lists all", plan->path, key);
}

void sweep_plan_print_keys(FILE *out)
{
	fprintf(out, "| key | value | default | meaning |\n|---|---|---|---|\n");
	for (int i = 0; i < SWEEP_KEYS; i++)
		fprintf(out, "| `%s` | %s | %s | %s |\n", sweep_keys[i].name, sweep_keys[i].value,
			sweep_keys[i].standard, sweep_keys[i].meaning);
}

static enum status read_keys(struct sweep_plan *plan, const struct json *root)
{
	if (json_type(root) != JSON_TYPE_OBJECT)
		return refuse(plan, "sweep", "an object of keys", root);
	for (const struct json *member = json_first(root); member; member = json_next(member)) {
		int i = 0;
		while (i < SWEEP_KEYS && strcmp(sweep_keys[i].name, json_key(member)) != 0)
			i++;
		if (i == SWEEP_KEYS)
			return unknown_key(plan, json_key(member));
		TRY(sweep_keys[i].read(plan, member));
	}
	return STATUS_OK;
}

/* --- checks that need more than one key ----------------------------------- */

static bool smaller_is_better(int metric)
{
	const char *name = sweep_metric_names[metric];
	return strncmp(name, "no", 2) == 0 || strncmp(name, "ms", 2) == 0;
}

static enum status check_metric(struct sweep_plan *plan, const struct json *root)
{
	if (!json_get(root, "metric"))
		return refuse(plan, "metric", "what is best, such as \"miou1\" or \"noc90\"", NULL);
	if (!json_get(root, "goal"))
		plan->maximize = !smaller_is_better(plan->metric);
	else if (plan->maximize == smaller_is_better(plan->metric))
		return status_fail(STATUS_CONFIG, "%s: goal: expected \"%s\", because of %s %s is better, found \"%s\"",
				   plan->path, plan->maximize ? "minimize" : "maximize",
				   sweep_metric_names[plan->metric], plan->maximize ? "less" : "more",
				   plan->maximize ? "maximize" : "minimize");
	return STATUS_OK;
}

static enum status check_length(const struct sweep_plan *plan, const struct json *root)
{
	if (plan->method == SWEEP_HALVING && plan->rung_count < 2)
		return refuse(plan, "budget", "a list of at least two rungs, because the method is \"halving\"",
			      json_get(root, "budget"));
	if (plan->method != SWEEP_HALVING && plan->rung_count > 1)
		return refuse(plan, "budget", "one number: only the method \"halving\" stops trials at rungs",
			      json_get(root, "budget"));
	if (plan->method != SWEEP_HALVING && json_get(root, "reduction_factor"))
		return refuse(plan, "reduction_factor", "none: it belongs to the method \"halving\"",
			      json_get(root, "reduction_factor"));
	if (plan->method != SWEEP_SEARCH && json_get(root, "round_size"))
		return refuse(plan, "round_size", "none: it belongs to the method \"search\"",
			      json_get(root, "round_size"));
	return STATUS_OK;
}

static enum status check_trials(struct sweep_plan *plan, const struct json *root)
{
	int grid = 0;
	if (plan->method != SWEEP_GRID && !plan->trials)
		return refuse(plan, "trials", "how many trials", NULL);
	if (plan->method != SWEEP_GRID)
		return STATUS_OK;
	TRY(space_grid_size(&plan->space, SWEEP_MAX_TRIALS, plan->path, &grid));
	if (plan->trials && plan->trials != grid)
		return status_fail(STATUS_CONFIG,
				   "%s: trials: expected none, because the grid has as many as its lists make, %d; "
				   "found %d",
				   plan->path, grid, plan->trials);
	(void)root;
	plan->trials = grid;
	return STATUS_OK;
}

/* A key that the sweep sets by itself, or twice, would not mean what it says. */
static enum status check_key(const struct sweep_plan *plan, const char *where, const char *key)
{
	if (strcmp(key, "seed") == 0)
		return status_fail(STATUS_CONFIG, "%s: %s.seed: expected in \"seeds\", for the spread over seeds",
				   plan->path, where);
	if (strcmp(key, "train.steps") == 0 && plan->rung_count)
		return status_fail(STATUS_CONFIG, "%s: %s.train.steps: expected none, because budget says how long",
				   plan->path, where);
	for (int i = 0; i < plan->set_count && strcmp(where, "vary") == 0; i++)
		if (strncmp(plan->set[i], key, strlen(key)) == 0 && plan->set[i][strlen(key)] == '=')
			return status_fail(STATUS_CONFIG, "%s: vary.%s: it is in \"set\" too", plan->path, key);
	return STATUS_OK;
}

static enum status check_together(struct sweep_plan *plan, const struct json *root)
{
	if (!plan->base[0])
		return refuse(plan, "base", "the config that the trials change", NULL);
	if (!plan->space.count)
		return refuse(plan, "vary", "an object of config keys, each with a list or a range", NULL);
	TRY(check_metric(plan, root));
	TRY(check_length(plan, root));
	for (const struct json *member = json_first(json_get(root, "set")); member; member = json_next(member))
		TRY(check_key(plan, "set", json_key(member)));
	for (int i = 0; i < plan->space.count; i++)
		TRY(check_key(plan, "vary", plan->space.parameters[i].key));
	return check_trials(plan, root);
}

/* --- trials --------------------------------------------------------------- */

static bool is_repeated(const struct sweep_plan *plan, int trial)
{
	for (int i = 0; i < trial; i++)
		if (space_same(&plan->space, &plan->points[i], &plan->points[trial]))
			return true;
	return false;
}

/* A point that an earlier trial has is drawn again; where all are taken, it stays. */
static void draw_points(struct sweep_plan *plan, int count)
{
	enum { ATTEMPTS = 100 };
	for (int t = 0; t < count; t++)
		for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
			space_draw(&plan->space, plan->seed, t, attempt, &plan->points[t]);
			if (!is_repeated(plan, t))
				break;
		}
	plan->known = count;
}

static enum status choose_points(struct sweep_plan *plan)
{
	if (!(plan->points = calloc((size_t)plan->trials, sizeof *plan->points)))
		return status_fail(STATUS_NO_MEMORY, "no memory for %d trials", plan->trials);
	if (plan->method == SWEEP_GRID) {
		for (int t = 0; t < plan->trials; t++)
			space_grid_point(&plan->space, t, &plan->points[t]);
		plan->known = plan->trials;
	} else {
		bool all = plan->method != SWEEP_SEARCH || plan->trials < plan->round_size;
		draw_points(plan, all ? plan->trials : plan->round_size);
	}
	return STATUS_OK;
}

/* "KEY=JSON" of a point's values behind those of "set"; *made is what the texts lie in. */
static enum status add_overrides(const struct sweep_plan *plan, const struct space_point *point, uint64_t seed,
				 struct text *made, const char **overrides, int *count)
{
	size_t starts[SPACE_MAX_PARAMETERS + 1];
	int set = plan->set_count, own = 0;
	for (int i = 0; i < set; i++)
		overrides[i] = plan->set[i];
	for (int i = 0; i < plan->space.count && point; i++) {
		starts[own++] = made->length;
		text_add(made, "%s=", plan->space.parameters[i].key);
		space_add_value(made, &plan->space.parameters[i], point->at[i]);
		text_add_bytes(made, "", 1);
	}
	if (seed) {
		starts[own++] = made->length;
		text_add(made, "seed=%llu", (unsigned long long)seed);
		text_add_bytes(made, "", 1);
	}
	TRY(text_status(made));
	for (int i = 0; i < own; i++)
		overrides[set + i] = made->data + starts[i];
	*count = set + own;
	return STATUS_OK;
}

static enum status load_config(const struct sweep_plan *plan, const struct space_point *point, uint64_t seed,
			       struct config *config)
{
	const char *overrides[MAX_OVERRIDES + 1];
	char steps[64];
	int count = 0;
	struct text made;
	text_init(&made);
	enum status status = add_overrides(plan, point, seed, &made, overrides, &count);
	if (status == STATUS_OK)
		status = config_load(config, plan->base, overrides, count);
	if (status == STATUS_OK && plan->rung_count) {
		uint64_t last = sweep_plan_rung_step(plan, config, plan->rung_count - 1);
		snprintf(steps, sizeof steps, "train.steps=%llu", (unsigned long long)last);
		overrides[count] = steps;
		status = config_load(config, plan->base, overrides, count + 1);
	}
	text_release(&made);
	return status;
}

uint64_t sweep_plan_rung_step(const struct sweep_plan *plan, const struct config *config, int rung)
{
	uint64_t batch = (uint64_t)config->train.batch_size;
	if (!plan->rung_count)
		return config->train.steps;
	uint64_t step = (plan->rungs[rung] + batch - 1) / batch;
	return step ? step : 1;
}

enum status sweep_plan_config(const struct sweep_plan *plan, const struct space_point *point, int seed_index,
			      struct config *config)
{
	return load_config(plan, point, plan->seeds[seed_index], config);
}

/* --- life ----------------------------------------------------------------- */

static void set_defaults(struct sweep_plan *plan, const char *path)
{
	*plan = (struct sweep_plan){.seed = 1,
				    .max_bytes = INFINITY,
				    .max_ms = INFINITY,
				    .reduction_factor = 3,
				    .round_size = 8,
				    .keep = -1,
				    .equal_failures = 3};
	const char *slash = strrchr(path, '/');
	snprintf(plan->path, sizeof plan->path, "%s", path);
	snprintf(plan->name, sizeof plan->name, "%s", slash ? slash + 1 : path);
	char *dot = strrchr(plan->name, '.');
	if (dot && dot != plan->name)
		*dot = '\0';
}

/* "seeds": 3 means the base's seed and the two after it. */
static enum status check_base(struct sweep_plan *plan)
{
	struct config config;
	TRY(load_config(plan, NULL, 0, &config));
	if (!plan->seed_count)
		plan->seed_count = 1;
	for (int i = 0; i < plan->seed_count && !plan->seeds[plan->seed_count - 1]; i++)
		plan->seeds[i] = config.seed + (uint64_t)i;
	if (!config.data.val[0])
		return status_fail(
			STATUS_CONFIG,
			"%s: data.val: expected an instances JSON to validate on, because the sweep's metric "
			"is %s; found none",
			plan->base, sweep_metric_names[plan->metric]);
	return config_check_training(&config);
}

static enum status read_plan(struct sweep_plan *plan, const struct json *root, const char *base)
{
	struct text text;
	TRY(read_keys(plan, root));
	if (base) {
		if (snprintf(plan->base, sizeof plan->base, "%s", base) >= (int)sizeof plan->base)
			return status_fail(STATUS_LIMIT, "%.60s...: the path is too long", base);
		for (int i = 0; i < plan->set_count; i++)
			free(plan->set[i]);
		plan->set_count = 0;
	}
	TRY(check_together(plan, root));
	TRY(check_base(plan));
	text_init(&text);
	space_add_json(&text, root);
	if (!(plan->text = text_take(&text)))
		return status_fail(STATUS_NO_MEMORY, "%s: no memory", plan->path);
	return choose_points(plan);
}

enum status sweep_plan_load(struct sweep_plan *plan, const char *path, const char *base)
{
	struct json *root;
	set_defaults(plan, path);
	TRY(json_read_file(path, &root));
	enum status status = read_plan(plan, root, base);
	json_free(root);
	if (status != STATUS_OK)
		sweep_plan_release(plan);
	return status;
}

void sweep_plan_release(struct sweep_plan *plan)
{
	for (int i = 0; i < plan->set_count; i++)
		free(plan->set[i]);
	free(plan->set);
	free(plan->points);
	free(plan->text);
	space_release(&plan->space);
	*plan = (struct sweep_plan){.trials = 0};
}
