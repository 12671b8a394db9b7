/* The interactive protocol (FIELD.md section A) on the inference library: a click robot clicks until the mask is good. Used by
 * `tapcut eval` on image/mask pairs and by the trainer's validation on a dataset. */
#ifndef TRAIN_EVALUATE_H
#define TRAIN_EVALUATE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/status.h"
#include "data/dataset.h"
#include "infer/tapcut.h"

enum { EVALUATE_MAX_CLICKS = 20 };

struct evaluate_options {
	struct tapcut_options session; /* size, zoom, threshold; post-processing is part of what is measured */
	int max_clicks;                /* 20 */
	int limit;                     /* instances; 0: all */
	int threads;                   /* instances are independent; the figures do not depend on it (ms per click does) */
	void (*progress)(int done, int count, void *context); /* NULL: silent */
	void *context;
};
void evaluate_options_init(struct evaluate_options *options);

struct evaluate_instance {
	char name[96];
	int clicks_run;
	float iou[EVALUATE_MAX_CLICKS];  /* after click 1.. clicks_run; the curve is completed where the object is done (target 1.01 is never
	                                    reached early: all max_clicks are run) */
	float biou1;                     /* boundary IoU after the first click */
};

struct evaluate_result {
	int instances;
	double noc85, noc90;
	int nof90;        /* objects that never reach 0.90 within max_clicks */
	int nof90_ritm;   /* RITM's ">=20@90": also counts those that reach it exactly at the last click */
	double miou1, miou2, miou3, miou5; /* 0..1 */
	double biou1;
	double ms_per_click;
	struct evaluate_instance *items; /* owned; for reports */
};
void evaluate_result_release(struct evaluate_result *result);

/* PAIRS.json: list of {"image","mask"} relative to its folder; masks: 128 = ignore, >128 = object. */
enum status evaluate_pairs(const struct tapcut_model *model, const char *pairs_path, const struct evaluate_options *options,
			   struct evaluate_result *result);
/* Objects of a dataset (chosen by hash of their id when limited). */
enum status evaluate_dataset(const struct tapcut_model *model, const struct dataset *dataset, const struct evaluate_options *options,
			     struct evaluate_result *result);

/* Settings and figures as a table for people, and as one JSON object with keys noc85, noc90, nof90, miou1, miou2, miou3, miou5, biou1,
 * ms_per_click, instances (plus settings). */
void evaluate_print(const struct evaluate_result *result, const struct evaluate_options *options, FILE *out);
void evaluate_print_json(const struct evaluate_result *result, const struct evaluate_options *options, FILE *out);

#endif
