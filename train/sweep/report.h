/* What a sweep leaves to look at and to compute with, in its folder: report.html, trials.csv, runs.csv and
 * sweep.sqlite.
 *
 * In both CSV files the columns from "seconds" on depend on the clock; all before them are the same however often the
 * sweep was killed and with however many workers it ran. */
#ifndef TRAIN_SWEEP_REPORT_H
#define TRAIN_SWEEP_REPORT_H

#include "train/sweep/results.h"

/* DIR/trials.csv, a line per trial, and DIR/runs.csv, a line per trial and seed. */
enum status sweep_table_write(const struct sweep_results *results);
/* The same, the curves and the decisions as tables: DIR/sweep.sqlite, made anew. Where this program was built without
 * SQLite, *written is false and nothing happens. */
enum status sweep_sqlite_write(const struct sweep_results *results, bool *written);
/* DIR/report.html: one file, which needs nothing else. */
enum status sweep_page_write(const struct sweep_results *results);

/* All of it from the sweep's folder. *sqlite as above; the verdict goes to `verdict`. */
enum status sweep_report_write(const char *dir, bool *sqlite, char *verdict, size_t size);

#endif
