/* The interactive protocol (docs/protocol.md) on the inference library: a click robot clicks until the mask is good.
 * Used by `tapcut eval` on image/mask pairs and by the trainer's validation on a dataset.
 *
 * Every object is clicked at least five times, so that mIoU@k is the true overlap after click k also where the object
 * was good before; after that it is left as soon as some click reached 0.90. NoC and NoF read the same curve, and mean
 * the same as if each object had been left at its first good mask. */
#ifndef TRAIN_EVALUATE_H
#define TRAIN_EVALUATE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/status.h"
#include "data/dataset.h"
#include "infer/tapcut.h"
#include "train/evaluate/protocol.h"

struct evaluate_options {
	struct tapcut_options session; /* size, zoom, threshold; post-processing is part of what is measured */
	bool baseline;                 /* not the model, but taps alone (train/evaluate/baseline.h) */
	int max_clicks;                /* 20 */
	int limit;                     /* so many instances; 0 means all */
	int threads; /* instances are independent; the figures do not depend on it (ms per click does) */
	/* 0 is the protocol. Otherwise clicks miss the robot's aim by up to this many photo pixels, but stay on the
	 * same kind of error (the idea of RClicks, NeurIPS 2024). */
	int jitter;
	/* NULL where nobody is to be told; calls do not overlap. */
	void (*progress)(int done, int count, void *context);
	void *context;
	const volatile sig_atomic_t
		*stop; /* once it is not 0, STATUS_INTERRUPTED after the click under way; NULL: never */
};
void evaluate_options_init(struct evaluate_options *options);

struct evaluate_result {
	int instances;
	int skipped;          /* objects of a dataset whose photo could not be read; they are in no figure */
	char first_skip[512]; /* why */
	double noc85, noc90;
	int nof90;      /* objects that never reach 0.90 within max_clicks */
	int nof90_ritm; /* RITM's ">=20@90": also counts those that reach it exactly at the last click */
	double miou1, miou2, miou3, miou5; /* 0..1 */
	double biou1;
	double ms_per_click; /* (set_image + clicks + masks) / clicks: what a user waits for, spread over the clicks */
	double ms_set_image; /* per instance; contained in ms_per_click */
	double clicks;       /* clicks run per instance, those after a good mask included */
	struct tapcut_options session;   /* what was measured with: the defaults resolved */
	struct evaluate_instance *items; /* owned; for reports */
};
void evaluate_result_release(struct evaluate_result *result);

/* PAIRS.json: list of {"image","mask"} relative to its folder; masks: 128 = ignore, >128 = object. Limited: the first
 * ones. */
enum status evaluate_pairs(const struct tapcut_model *model, const char *pairs_path,
			   const struct evaluate_options *options, struct evaluate_result *result);
/* Objects of a dataset. Limited: chosen by hash of their id, so that they spread over the set and stay the same. A
 * damaged photo is left out, because it should not end a long training; all damaged is a failure. */
enum status evaluate_dataset(const struct tapcut_model *model, const struct dataset *dataset,
			     const struct evaluate_options *options, struct evaluate_result *result);

/* The figures from result->items[0..instances-1]; called by both of the above. */
void evaluate_summarise(struct evaluate_result *result, int max_clicks);

/* The objects of one category. */
struct evaluate_group {
	const char *category; /* borrowed from the items */
	int count;
	double noc85, noc90, miou1, miou3, biou1;
	int nof90;
};
/* One group per category, the largest first; *groups is returned, caller frees. No item has a category: *count is 0. */
enum status evaluate_group_items(const struct evaluate_result *result, int max_clicks, struct evaluate_group **groups,
				 int *count);

/* All objects, a line each: CSV, or a JSON list if `path` ends in .json. Written atomically. */
enum status evaluate_write_items(const struct evaluate_result *result, int max_clicks, const char *path);

/* Settings and figures as a table for people, and as one JSON object with keys noc85, noc90, nof90, miou1, miou2,
 * miou3, miou5, biou1, ms_per_click, instances (plus settings). */
void evaluate_print(const struct evaluate_result *result, const struct evaluate_options *options, FILE *out);
void evaluate_print_json(const struct evaluate_result *result, const struct evaluate_options *options, FILE *out);

#endif
