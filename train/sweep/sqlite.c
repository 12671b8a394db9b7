/* The sweep as an SQLite database, for queries. The only file that knows SQLite; where it is not installed
 * (HAVE_SQLITE: tools/configure.sh), the program is built without. See report.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "train/sweep/curves.h"
#include "train/sweep/report.h"

#ifndef HAVE_SQLITE

enum status sweep_sqlite_write(const struct sweep_results *results, bool *written)
{
	(void)results;
	*written = false;
	return STATUS_OK;
}

#else

#include <math.h>
#include <sqlite3.h>

static const char schema[] =
	"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;"
	"CREATE TABLE sweep(key TEXT PRIMARY KEY, value);"
	"CREATE TABLE trials(trial INTEGER PRIMARY KEY, rank INTEGER, state TEXT, rung INTEGER, samples INTEGER, "
	"noc85 REAL,"
	" noc90 REAL, nof90 REAL, miou1 REAL, miou2 REAL, miou3 REAL, miou5 REAL, biou1 REAL, ms_per_click REAL,"
	" spread REAL, told_apart INTEGER, bytes REAL, seconds REAL, feasible INTEGER, pareto_front INTEGER, why TEXT);"
	"CREATE TABLE vals(trial INTEGER, key TEXT, value, PRIMARY KEY(trial, key));"
	"CREATE TABLE runs(trial INTEGER, seed INTEGER, state TEXT, rung INTEGER, samples INTEGER, noc85 REAL, noc90 "
	"REAL,"
	" nof90 REAL, miou1 REAL, miou2 REAL, miou3 REAL, miou5 REAL, biou1 REAL, ms_per_click REAL, bytes INTEGER,"
	" sha256 TEXT, seconds REAL, why TEXT, PRIMARY KEY(trial, seed));"
	"CREATE TABLE validations(trial INTEGER, seed INTEGER, samples INTEGER, noc85 REAL, noc90 REAL, nof90 REAL,"
	" miou1 REAL, miou2 REAL, miou3 REAL, miou5 REAL, biou1 REAL, ms_per_click REAL);"
	"CREATE TABLE decisions(line INTEGER PRIMARY KEY, json TEXT);";

struct writer {
	sqlite3 *db;
	sqlite3_stmt *statement;
	int column;
	bool failed;
};

static void prepare(struct writer *w, const char *sql)
{
	w->failed |= sqlite3_prepare_v2(w->db, sql, -1, &w->statement, NULL) != SQLITE_OK;
	w->column = 0;
}

static void add_real(struct writer *w, double number)
{
	w->column++;
	if (!w->failed && isfinite(number))
		w->failed |= sqlite3_bind_double(w->statement, w->column, number) != SQLITE_OK;
}

static void add_whole(struct writer *w, int64_t number)
{
	w->column++;
	if (!w->failed)
		w->failed |= sqlite3_bind_int64(w->statement, w->column, number) != SQLITE_OK;
}

static void add_text(struct writer *w, const char *text)
{
	w->column++;
	if (!w->failed)
		w->failed |= sqlite3_bind_text(w->statement, w->column, text, -1, SQLITE_TRANSIENT) != SQLITE_OK;
}

static void add_metrics(struct writer *w, const double metrics[SWEEP_METRICS])
{
	for (int m = 0; m < SWEEP_METRICS; m++)
		add_real(w, metrics ? metrics[m] : NAN);
}

/* Ends a row; the statement takes the next one. */
static void end_row(struct writer *w)
{
	if (!w->failed)
		w->failed |= sqlite3_step(w->statement) != SQLITE_DONE || sqlite3_reset(w->statement) != SQLITE_OK ||
			     sqlite3_clear_bindings(w->statement) != SQLITE_OK;
	w->column = 0;
}

static void finish(struct writer *w)
{
	sqlite3_finalize(w->statement);
	w->statement = NULL;
}

static void write_sweep(struct writer *w, const struct sweep_results *results)
{
	const struct sweep_plan *plan = results->state->plan;
	const char *rows[][2] = {{"name", plan->name},
				 {"metric", sweep_metric_names[plan->metric]},
				 {"goal", plan->maximize ? "maximize" : "minimize"},
				 {"method", sweep_method_names[plan->method]},
				 {"verdict", results->verdict},
				 {"file", plan->text}};
	prepare(w, "INSERT INTO sweep VALUES(?,?)");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		add_text(w, rows[i][0]);
		add_text(w, rows[i][1]);
		end_row(w);
	}
	add_text(w, "best_compromise");
	if (results->compromise >= 0)
		add_whole(w, results->compromise);
	end_row(w);
	finish(w);
}

static void write_trials(struct writer *w, const struct sweep_results *results)
{
	prepare(w, "INSERT INTO trials VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
	for (int t = 0; t < results->count; t++) {
		const struct trial_result *r = &results->trials[t];
		add_whole(w, t);
		add_real(w, r->rank ? r->rank : NAN);
		add_text(w, unit_state_names[r->state]);
		add_whole(w, r->rung + 1);
		add_whole(w, (int64_t)r->samples);
		add_metrics(w, r->metrics);
		add_real(w, r->spread);
		add_real(w, r->compared ? r->apart : NAN);
		add_real(w, r->bytes);
		add_real(w, r->seconds);
		add_real(w, r->compared ? r->feasible : NAN);
		add_real(w, r->compared ? r->front : NAN);
		add_text(w, sweep_trial_why(results->state, t));
		end_row(w);
	}
	finish(w);
}

/* A number where it is one, for comparisons in queries. */
static void add_value(struct writer *w, const struct space_parameter *p, double at)
{
	struct text text;
	char *end;
	text_init(&text);
	space_add_plain(&text, p, at);
	double number = text.data ? strtod(text.data, &end) : NAN;
	if (text.data && end != text.data && !*end)
		add_real(w, number);
	else
		add_text(w, text.data ? text.data : "");
	w->failed |= text.failed;
	text_release(&text);
}

static void write_values(struct writer *w, const struct sweep_plan *plan, int count)
{
	prepare(w, "INSERT INTO vals VALUES(?,?,?)");
	for (int t = 0; t < count; t++)
		for (int k = 0; k < plan->space.count; k++) {
			const struct space_parameter *p = &plan->space.parameters[k];
			add_whole(w, t);
			add_text(w, p->key);
			add_value(w, p, plan->points[t].at[k]);
			end_row(w);
		}
	finish(w);
}

static void write_runs(struct writer *w, const struct sweep_state *state)
{
	prepare(w, "INSERT INTO runs VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
	for (int i = 0; i < state->unit_count; i++) {
		const struct sweep_unit *unit = &state->units[i];
		const struct rung_result *result = unit->rungs ? &unit->results[unit->rungs - 1] : NULL;
		add_whole(w, unit->trial);
		add_whole(w, (int64_t)state->plan->seeds[unit->seed_index]);
		add_text(w, unit_state_names[unit->state]);
		add_whole(w, unit->rungs);
		add_whole(w, result ? (int64_t)result->samples : 0);
		add_metrics(w, result ? result->metrics : NULL);
		add_whole(w, result ? (int64_t)result->bytes : 0);
		add_text(w, result ? result->sha256 : "");
		add_real(w, result ? result->seconds : unit->seconds);
		add_text(w, unit->why);
		end_row(w);
	}
	finish(w);
}

static enum status write_validations(struct writer *w, const struct sweep_state *state)
{
	enum status status = STATUS_OK;
	prepare(w, "INSERT INTO validations VALUES(?,?,?,?,?,?,?,?,?,?,?,?)");
	for (int i = 0; i < state->unit_count && status == STATUS_OK; i++) {
		struct run_curves curves;
		const struct sweep_unit *unit = &state->units[i];
		if ((status = unit_curves_read(&curves, state, unit)) != STATUS_OK)
			break;
		for (int v = 0; v < curves.val_count; v++) {
			add_whole(w, unit->trial);
			add_whole(w, (int64_t)state->plan->seeds[unit->seed_index]);
			add_real(w, curves.val_samples[v]);
			add_metrics(w, curves.val[v]);
			end_row(w);
		}
		run_curves_release(&curves);
	}
	finish(w);
	return status;
}

static void write_decisions(struct writer *w, const char *dir)
{
	enum { MAX_BYTES = 100 * 1000 * 1000 };
	char path[SWEEP_PATH], *text;
	size_t size;
	snprintf(path, sizeof path, "%.900s/decisions.jsonl", dir);
	if (access(path, F_OK) != 0 || file_read(path, MAX_BYTES, &text, &size) != STATUS_OK)
		return;
	prepare(w, "INSERT INTO decisions(json) VALUES(?)");
	for (char *line = text, *end; (end = memchr(line, '\n', (size_t)(text + size - line))); line = end + 1) {
		*end = '\0';
		add_text(w, line);
		end_row(w);
	}
	finish(w);
	free(text);
}

static enum status write_all(struct writer *w, const struct sweep_results *results)
{
	const struct sweep_state *state = results->state;
	w->failed |= sqlite3_exec(w->db, schema, NULL, NULL, NULL) != SQLITE_OK;
	write_sweep(w, results);
	write_trials(w, results);
	write_values(w, state->plan, results->count);
	write_runs(w, state);
	TRY(write_validations(w, state));
	write_decisions(w, state->dir);
	w->failed |= sqlite3_exec(w->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK;
	return STATUS_OK;
}

/* Beside, then renamed: a database that is being read stays whole. */
enum status sweep_sqlite_write(const struct sweep_results *results, bool *written)
{
	char path[SWEEP_PATH], beside[SWEEP_PATH + 32];
	struct writer w = {0};
	snprintf(path, sizeof path, "%.900s/sweep.sqlite", results->state->dir);
	snprintf(beside, sizeof beside, "%s.%ld", path, (long)getpid());
	unlink(beside);
	w.failed = sqlite3_open(beside, &w.db) != SQLITE_OK;
	enum status status = write_all(&w, results);
	if (status == STATUS_OK && w.failed)
		status = status_fail(STATUS_IO, "%s: %s", path, sqlite3_errmsg(w.db));
	sqlite3_close(w.db);
	if (status == STATUS_OK && rename(beside, path) != 0)
		status = status_fail(STATUS_IO, "%s cannot be written", path);
	if (status != STATUS_OK)
		unlink(beside);
	*written = status == STATUS_OK;
	return status;
}

#endif
