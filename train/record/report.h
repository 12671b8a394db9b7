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

/* The parts of a page, for other pages that look like it: everything up to and with a heading and a line below it; a
 * picture, and a sample with its three; the end. `title` and `line` are plain text. */
void report_add_head(struct text *html, const char *title, const char *line);
enum status report_add_picture(struct text *html, const struct report_sample *sample, enum report_picture_kind kind,
			       const char *caption);
enum status report_add_sample(struct text *html, const struct report_sample *sample);
void report_add_end(struct text *html);

/* Written atomically. Pointers are borrowed for the call. */
enum status report_write(const struct report *report, const char *path);

#endif
