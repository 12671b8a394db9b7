/* The report of a run: one HTML file that needs nothing else, with the config, the figures, curves and sample masks. */
#ifndef TRAIN_REPORT_H
#define TRAIN_REPORT_H

#include <stdint.h>

#include "core/status.h"
#include "train/config/config.h"
#include "train/record/report_picture.h"

/* What else shall stand there, e.g. {"weights file", "final.tapcut, 4.4 MB, SHA-256 ..."}. */
struct report_fact {
	const char *label;
	char value[192];
};

struct report {
	const struct config *config;
	const char *log_path;            /* log.jsonl */
	const struct report_fact *facts; /* may be NULL */
	int fact_count;
	const struct report_sample *samples; /* may be NULL */
	int sample_count;
};

/* Written atomically. Pointers are borrowed for the call. */
enum status report_write(const struct report *report, const char *path);

#endif
