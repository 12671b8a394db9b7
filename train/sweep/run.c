/* See run.h. */
#include "train/sweep/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/workers.h"
#include "train/sweep/decisions.h"
#include "train/sweep/halving.h"
#include "train/sweep/jobs.h"
#include "train/sweep/keep.h"
#include "train/sweep/search.h"
#include "train/sweep/view.h"

enum { WHY = 400, MAX_STALLS = 3 };

#define POLL_SECONDS 0.02
#define SCAN_SECONDS 1.0

struct runner {
	struct sweep_plan *plan;
	const struct sweep_run_options *options;
	struct sweep_state state;
	struct sweep_view view;
	struct sweep_job *jobs; /* options->workers of them */
	int running;
	unsigned char *tried;  /* of each unit: a failed one was tried again */
	unsigned char *stalls; /* how often it was killed without getting further */
	int decided;           /* rungs, or rounds, that were complete at the last look */
	double scanned;
	bool changed;    /* something ended: look again at once */
	bool asked;      /* the jobs were asked to stop */
	enum status end; /* why the sweep cannot go on */
	char why[600];
};

/* --- decisions ------------------------------------------------------------ */

static void tell_rung(struct runner *r, int rung)
{
	int on = 0, out = 0;
	for (int t = 0; t < r->plan->known; t++) {
		on += r->state.allowed[t] > rung;
		out += r->state.allowed[t] == rung;
	}
	if (rung + 1 == r->plan->rung_count)
		return;
	sweep_view_say(&r->view, "rung %d is complete: %d go on to %llu samples, %d stop (decisions.jsonl says why)",
		       rung + 1, on, (unsigned long long)r->plan->rungs[rung + 1], out);
}

static enum status decide_halving(struct runner *r)
{
	int complete;
	TRY(halving_decide(&r->state, &complete));
	for (int rung = 0; rung < complete; rung++) {
		struct text lines;
		char label[32];
		bool added = false;
		text_init(&lines);
		snprintf(label, sizeof label, "rung %d", rung + 1);
		enum status status = halving_explain(&r->state, rung, &lines);
		if (status == STATUS_OK)
			status = decisions_record(r->options->dir, label, &lines, &added);
		text_release(&lines);
		TRY(status);
		if (added || rung >= r->decided)
			tell_rung(r, rung);
	}
	r->decided = complete;
	return STATUS_OK;
}

/* Another worker may have been faster: what is written down counts. */
static enum status record_round(struct runner *r, int round, const struct text *lines)
{
	char label[32];
	bool added;
	snprintf(label, sizeof label, "round %d", round + 1);
	TRY(decisions_record(r->options->dir, label, lines, &added));
	TRY(decisions_read_points(r->plan, r->options->dir));
	r->state.unit_count = r->plan->known * r->plan->seed_count;
	r->changed = true;
	return STATUS_OK;
}

static enum status decide_search(struct runner *r)
{
	int count;
	struct text lines;
	text_init(&lines);
	int next = r->plan->known;
	enum status status = search_choose(&r->state, &count, &lines);
	if (status == STATUS_OK && count) {
		status = record_round(r, search_round(r->plan, next), &lines);
		if (status == STATUS_OK)
			sweep_view_say(&r->view, "round %d: trials %d to %d are chosen (decisions.jsonl says why)",
				       search_round(r->plan, next) + 1, next, r->plan->known - 1);
	}
	text_release(&lines);
	return status;
}

static enum status decide_first_round(struct runner *r)
{
	struct text lines;
	if (r->plan->method != SWEEP_SEARCH)
		return STATUS_OK;
	text_init(&lines);
	enum status status = search_explain_first(r->plan, &lines);
	if (status == STATUS_OK)
		status = record_round(r, 0, &lines);
	text_release(&lines);
	return status;
}

/* --- giving up ------------------------------------------------------------ */

static bool is_alike(const char *a, const char *b)
{
	/* Paths of the trials' own folders differ: digits count as one. */
	while (*a && *b) {
		bool digits = *a >= '0' && *a <= '9' && *b >= '0' && *b <= '9';
		if (!digits && *a != *b)
			return false;
		for (; digits && *a >= '0' && *a <= '9'; a++) {}
		for (; digits && *b >= '0' && *b <= '9'; b++) {}
		a += !digits;
		b += !digits;
	}
	return *a == *b;
}

static bool may_retry(const struct runner *r, const struct sweep_unit *unit)
{
	return r->options->retry_failed && unit->state == UNIT_FAILED && !r->tried[unit - r->state.units];
}

/* Failures that are all the same, before anything succeeded, are no matter of single trials. */
static enum status check_failures(const struct runner *r)
{
	const struct sweep_state *s = &r->state;
	for (int i = 0; i < s->unit_count; i++)
		if (s->units[i].rungs)
			return STATUS_OK;
	for (int i = 0; i < s->unit_count; i++) {
		int alike = 0;
		for (int j = i; j < s->unit_count && s->units[i].state == UNIT_FAILED; j++)
			alike += s->units[j].state == UNIT_FAILED && !may_retry(r, &s->units[j]) &&
				 is_alike(s->units[i].why, s->units[j].why);
		if (alike >= r->plan->equal_failures)
			return status_fail(STATUS_CONFIG,
					   "the first %d trials failed alike, so the others were not begun: %s. "
					   "--retry-failed tries again when that is mended",
					   alike, s->units[i].why);
	}
	return STATUS_OK;
}

/* --- jobs ----------------------------------------------------------------- */

static bool has_work(const struct runner *r, const struct sweep_unit *unit)
{
	if (r->options->only_trial >= 0 && unit->trial != r->options->only_trial)
		return false;
	return unit->state == UNIT_WAITING || may_retry(r, unit);
}

/* Lower rungs first, then by number: a rung is complete sooner. */
static struct sweep_unit *next_unit(struct runner *r)
{
	struct sweep_unit *best = NULL;
	for (int i = 0; i < r->state.unit_count; i++) {
		struct sweep_unit *unit = &r->state.units[i];
		if (has_work(r, unit) && (!best || unit->rungs < best->rungs))
			best = unit;
	}
	return best;
}

static void tell_start(struct runner *r, const struct sweep_job *job)
{
	char name[64];
	struct text values;
	text_init(&values);
	sweep_unit_name(&r->state, job->unit, name, sizeof name);
	space_add_settings(&values, &r->plan->space, &r->plan->points[job->unit->trial]);
	sweep_view_say(&r->view, "%s: %s to %llu samples  %.200s", name, job->start ? "goes on" : "begins",
		       (unsigned long long)job->target * (unsigned long long)job->batch_size,
		       values.data && !job->start ? values.data : "");
	text_release(&values);
}

static void tell_done(struct runner *r, const struct sweep_unit *unit, int rung)
{
	char name[64];
	const struct rung_result *result = &unit->results[rung];
	sweep_unit_name(&r->state, unit, name, sizeof name);
	sweep_view_say(&r->view, "%s: %llu samples, %s %.4g", name, (unsigned long long)result->samples,
		       sweep_metric_names[r->plan->metric], result->metrics[r->plan->metric]);
}

static enum status start_one(struct runner *r, struct sweep_job *job, int threads)
{
	struct sweep_unit *unit = next_unit(r);
	bool started;
	if (!unit)
		return STATUS_OK;
	r->tried[unit - r->state.units] |= unit->state == UNIT_FAILED;
	int rungs = unit->rungs;
	TRY(sweep_job_start(job, &r->state, unit, r->options->program, threads, &started));
	unit->state = UNIT_BUSY; /* until the next look */
	if (started) {
		r->running++;
		tell_start(r, job);
	} else {
		r->changed |= unit->rungs > rungs;
	}
	return STATUS_OK;
}

static enum status start_jobs(struct runner *r)
{
	int threads = r->options->threads;
	if (!threads)
		threads = workers_processors() / r->options->workers;
	for (int i = 0; i < r->options->workers; i++)
		for (struct sweep_unit *before = NULL; !r->jobs[i].pid;) {
			struct sweep_unit *next = next_unit(r);
			if (!next || next == before)
				break;
			before = next;
			TRY(start_one(r, &r->jobs[i], threads < 1 ? 1 : threads));
		}
	return STATUS_OK;
}

/* A unit that is killed again and again without getting further would be started for ever. */
static enum status count_stall(struct runner *r, const struct sweep_job *job, const char *why)
{
	char text[WHY];
	struct sweep_job now = *job;
	sweep_job_look(&now, &r->state);
	unsigned char *stalls = &r->stalls[job->unit - r->state.units];
	*stalls = now.step > job->start ? 0 : (unsigned char)(*stalls + 1);
	if (r->asked || *stalls < MAX_STALLS)
		return STATUS_OK;
	snprintf(text, sizeof text, "%.200s %d times without getting further; was the memory enough?", why, MAX_STALLS);
	return sweep_job_give_up(&r->state, job->unit, text);
}

static enum status end_job(struct runner *r, struct sweep_job *job, enum sweep_job_end end, const char *why)
{
	char name[64];
	sweep_unit_name(&r->state, job->unit, name, sizeof name);
	r->running--;
	r->changed = true;
	switch (end) {
	case JOB_DONE: tell_done(r, job->unit, job->rung); break;
	case JOB_STOPPED:
		sweep_view_say(&r->view, "%s: %s; it goes on later", name, why);
		return count_stall(r, job, why);
	case JOB_DIVERGED: sweep_view_say(&r->view, "%s: diverged: %s", name, why); break;
	case JOB_FAILED: sweep_view_say(&r->view, "%s: failed: %s", name, why); break;
	case JOB_TAKEN:
	case JOB_RUNS: break;
	}
	return STATUS_OK;
}

static enum status poll_jobs(struct runner *r)
{
	for (int i = 0; i < r->options->workers; i++) {
		struct sweep_job *job = &r->jobs[i];
		enum sweep_job_end end;
		char why[WHY];
		if (!job->pid)
			continue;
		enum status status = sweep_job_poll(job, &r->state, &end, why, sizeof why);
		if (end != JOB_RUNS && status != STATUS_OK)
			r->running--;
		TRY(status);
		if (end != JOB_RUNS)
			TRY(end_job(r, job, end, why));
	}
	return STATUS_OK;
}

/* Once: a second request would end a trainer without a checkpoint. */
static void ask_to_stop(struct runner *r)
{
	if (r->asked)
		return;
	r->asked = true;
	if (r->running)
		sweep_view_say(&r->view, "stopping: %d running trial%s saved", r->running,
			       r->running == 1 ? " is" : "s are");
	for (int i = 0; i < r->options->workers; i++)
		if (r->jobs[i].pid)
			kill(r->jobs[i].pid, SIGTERM);
}

/* --- the loop ------------------------------------------------------------- */

static enum status look(struct runner *r)
{
	double now = clock_seconds();
	if (!r->changed && now - r->scanned < SCAN_SECONDS)
		return STATUS_OK;
	r->changed = false;
	r->scanned = now;
	TRY(sweep_state_scan(&r->state));
	if (r->plan->method == SWEEP_HALVING) {
		TRY(decide_halving(r));
		TRY(sweep_state_scan(&r->state)); /* with what was decided */
	} else if (r->plan->method == SWEEP_SEARCH) {
		TRY(decide_search(r));
	}
	TRY(check_failures(r));
	return sweep_keep(&r->state, r->options->program);
}

static enum status turn(struct runner *r)
{
	TRY(poll_jobs(r));
	if (r->end || (r->options->stop && *r->options->stop)) {
		ask_to_stop(r);
		return STATUS_OK;
	}
	TRY(look(r));
	return start_jobs(r);
}

/* Whether others are at what is left, here or elsewhere. */
static bool is_over(const struct runner *r)
{
	if (r->running)
		return false;
	if (r->asked)
		return true;
	if (r->changed)
		return false;
	for (int i = 0; i < r->state.unit_count; i++) {
		const struct sweep_unit *unit = &r->state.units[i];
		bool mine = r->options->only_trial < 0 || unit->trial == r->options->only_trial;
		if (mine && (unit->state == UNIT_BUSY || has_work(r, unit)))
			return false;
	}
	return true;
}

static void wait_a_moment(const struct runner *r)
{
	double seconds = r->changed ? 0 : r->running ? POLL_SECONDS : 5 * POLL_SECONDS;
	nanosleep(&(struct timespec){.tv_nsec = (long)(seconds * 1e9)}, NULL);
}

static enum status loop(struct runner *r)
{
	r->changed = true;
	do {
		enum status status = turn(r);
		if (status != STATUS_OK && !r->end) {
			r->end = status;
			snprintf(r->why, sizeof r->why, "%s", status_message());
		}
		sweep_view_draw(&r->view, &r->state, r->jobs, r->options->workers, false);
		wait_a_moment(r);
	} while (!is_over(r));
	sweep_view_end(&r->view);
	if (r->end)
		return status_fail(r->end, "%s", r->why);
	if (r->asked)
		return status_fail(STATUS_INTERRUPTED, "stopped; the same command goes on");
	return STATUS_OK;
}

static enum status prepare(struct runner *r)
{
	size_t units = (size_t)r->plan->trials * (size_t)r->plan->seed_count;
	r->jobs = calloc((size_t)r->options->workers, sizeof *r->jobs);
	r->tried = calloc(units, 1);
	r->stalls = calloc(units, 1);
	if (!r->jobs || !r->tried || !r->stalls)
		return status_fail(STATUS_NO_MEMORY, "no memory for %zu trainings", units);
	TRY(sweep_state_init(&r->state, r->plan, r->options->dir));
	return decide_first_round(r);
}

enum status sweep_run(struct sweep_plan *plan, const struct sweep_run_options *options)
{
	struct runner runner = {.plan = plan, .options = options};
	sweep_view_init(&runner.view, options->quiet);
	enum status status = prepare(&runner);
	if (status == STATUS_OK)
		status = loop(&runner);
	sweep_state_release(&runner.state);
	free(runner.jobs);
	free(runner.tried);
	free(runner.stalls);
	return status;
}
