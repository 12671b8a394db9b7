/* Runs in folders, whoever made them: found, read, filtered, sorted, compared. A run is a folder with a config.json
 * and a summary.json or log.jsonl, as `tapcut train` leaves it; those of earlier versions count too. */
#ifndef TRAIN_SWEEP_RUNS_H
#define TRAIN_SWEEP_RUNS_H

#include "train/record/run_summary.h"
#include "train/sweep/plan.h"

enum { RUNS_MAX = 10000 };

struct run_setting {
	char *key, *value; /* "optim.lr", "0.001"; owned */
};

struct run_entry {
	char *path;        /* owned */
	const char *state; /* a name of run_outcome_names, or "killed", or "unknown" where there is no summary */
	struct run_summary summary;
	double metrics[SWEEP_METRICS];
	struct run_setting *settings; /* of config.json, in its order; owned */
	int setting_count;
};

struct runs {
	struct run_entry *entries; /* owned */
	int count;
};

/* Adds the runs in a folder and the folders in it, by name. A folder that cannot be read is passed over. */
enum status runs_find(struct runs *runs, const char *dir);
void runs_release(struct runs *runs);

/* "KEY=VALUE", and <, >, <=, >=, != : keeps the runs for which it holds. KEY is a config key, a metric, state, step,
 * samples, seconds or bytes. A run that has no such value does not hold. */
enum status runs_filter(struct runs *runs, const char *condition);
/* By such a key, the smallest first, those without the last; equal ones by path. */
enum status runs_sort(struct runs *runs, const char *key, bool reverse);

/* Config keys that all have and in which they differ, but for the name; *keys is returned, the caller frees it, not
 * the texts. */
enum status runs_changed_keys(const struct runs *runs, const char ***keys, int *count);
/* The value of a config key as JSON; NULL: the run has no such key. */
const char *run_setting_value(const struct run_entry *run, const char *key);

/* The page with their curves over each other, compared by this metric. */
enum status runs_page_write(const struct runs *runs, int metric, const char *title, const char *path);

#endif
