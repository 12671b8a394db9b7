/* See view.h. */
#include "train/sweep/view.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/clock.h"
#include "train/record/progress.h"
#include "train/sweep/halving.h"

enum { BAR = 20, NAME = 64, LINE = 400 };

#define TERMINAL_SECONDS 0.25
#define PLAIN_SECONDS 30

void sweep_view_init(struct sweep_view *view, bool quiet)
{
	*view = (struct sweep_view){.out = quiet ? NULL : stderr, .began = clock_seconds(), .done_at_first = -1};
	view->terminal = view->out && isatty(fileno(view->out));
	view->drawn = view->began;
}

void sweep_view_end(struct sweep_view *view)
{
	if (view->lines)
		fprintf(view->out, "\033[%dA\r\033[J", view->lines);
	view->lines = 0;
	if (view->out)
		fflush(view->out);
}

void sweep_view_say(struct sweep_view *view, const char *format, ...)
{
	va_list args;
	if (!view->out)
		return;
	sweep_view_end(view);
	va_start(args, format);
	vfprintf(view->out, format, args);
	va_end(args);
	fputc('\n', view->out);
	fflush(view->out);
	view->drawn = view->terminal ? 0 : view->drawn;
}

/* --- figures -------------------------------------------------------------- */

int sweep_best_trial(const struct sweep_state *state, int *rung)
{
	const struct sweep_plan *plan = state->plan;
	int best = -1;
	double best_metric = NAN;
	*rung = -1;
	for (int t = 0; t < plan->known; t++) {
		int reached = sweep_trial_rung(state, t);
		double metric = reached < 0 ? NAN : sweep_trial_metric(state, t, reached, plan->metric);
		if (isnan(metric) || reached < *rung)
			continue;
		bool better = plan->maximize ? metric > best_metric : metric < best_metric;
		if (reached > *rung || better) {
			best = t;
			best_metric = metric;
			*rung = reached;
		}
	}
	return best;
}

/* Samples of one rung; 1 where trials are as long as their configs say. */
static double rung_weight(const struct sweep_plan *plan, int rung)
{
	if (!plan->rung_count)
		return 1;
	return (double)plan->rungs[rung] - (rung ? (double)plan->rungs[rung - 1] : 0);
}

/* All work of the sweep, with as many promotions as there will be. */
static double total_work(const struct sweep_plan *plan)
{
	double sum = 0;
	int trials = plan->trials;
	for (int r = 0; r < (plan->rung_count ? plan->rung_count : 1); r++) {
		sum += trials * plan->seed_count * rung_weight(plan, r);
		trials = halving_promoted(trials, plan->reduction_factor);
	}
	return sum;
}

static double work_done(const struct sweep_state *state, const struct sweep_job *jobs, int count)
{
	double sum = 0;
	for (int i = 0; i < state->unit_count; i++) {
		const struct sweep_unit *unit = &state->units[i];
		for (int r = 0; r < unit->rungs; r++)
			sum += rung_weight(state->plan, r);
		if (unit->state == UNIT_DIVERGED || unit->state == UNIT_FAILED)
			sum += rung_weight(state->plan, unit->rungs);
	}
	for (int i = 0; i < count; i++) {
		const struct sweep_job *job = &jobs[i];
		uint64_t before = job->rung ? job->unit->results[job->rung - 1].step : 0;
		if (job->pid && job->target > before && job->step > before)
			sum += rung_weight(state->plan, job->rung) * (double)(job->step - before) /
			       (double)(job->target - before);
	}
	return sum;
}

static void add_left(char *text, size_t size, double share_done, double seconds)
{
	char left[32];
	if (share_done < 1e-6 || seconds < 2)
		return;
	progress_duration(seconds * (1 - share_done) / share_done, left, sizeof left);
	snprintf(text + strlen(text), size - strlen(text), ", about %s left", left);
}

/* "12 of 24 trials done, 2 running; best: trial 7, miou1 0.712; about 3:10 left" */
static void summarise(struct sweep_view *view, const struct sweep_state *state, struct sweep_job *jobs, int count,
		      char line[LINE])
{
	const struct sweep_plan *plan = state->plan;
	int busy = 0, ended = 0, failed = 0, rung;
	for (int i = 0; i < state->unit_count; i++) {
		enum unit_state s = state->units[i].state;
		busy += s == UNIT_BUSY;
		ended += s == UNIT_RESTING || s == UNIT_FINISHED;
		failed += s == UNIT_DIVERGED || s == UNIT_FAILED;
	}
	snprintf(line, LINE, "%s: %d of %d at rest, %d running", plan->name, ended, plan->trials * plan->seed_count,
		 busy);
	if (failed)
		snprintf(line + strlen(line), LINE - strlen(line), ", %d without a result", failed);
	int best = sweep_best_trial(state, &rung);
	if (best >= 0)
		snprintf(line + strlen(line), LINE - strlen(line), "; best: trial %d, %s %.4g", best,
			 sweep_metric_names[plan->metric], sweep_trial_metric(state, best, rung, plan->metric));
	double done = work_done(state, jobs, count), total = total_work(plan);
	if (view->done_at_first < 0)
		view->done_at_first = done;
	add_left(line, LINE, (done - view->done_at_first) / (total - view->done_at_first),
		 clock_seconds() - view->began);
}

/* --- drawing -------------------------------------------------------------- */

static void describe_job(const struct sweep_state *state, const struct sweep_job *job, char line[LINE])
{
	char name[NAME], bar[BAR + 1];
	uint64_t before = job->rung ? job->unit->results[job->rung - 1].step : 0;
	double share = job->target > before && job->step > before
			       ? (double)(job->step - before) / (double)(job->target - before)
			       : 0;
	share = share > 1 ? 1 : share;
	sweep_unit_name(state, job->unit, name, sizeof name);
	memset(bar, '.', BAR);
	memset(bar, '#', (size_t)(share * BAR));
	bar[BAR] = '\0';
	snprintf(line, LINE, "  %-18s [%s] %llu of %llu samples", name, bar,
		 (unsigned long long)job->step * (unsigned long long)job->batch_size,
		 (unsigned long long)job->target * (unsigned long long)job->batch_size);
	if (isfinite(job->iou))
		snprintf(line + strlen(line), LINE - strlen(line), ", IoU %.3f", job->iou);
	if (job->step > job->start && job->target > job->start)
		add_left(line, LINE, (double)(job->step - job->start) / (double)(job->target - job->start),
			 clock_seconds() - job->started);
}

static int terminal_width(FILE *out)
{
	struct winsize size;
	return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

void sweep_view_draw(struct sweep_view *view, const struct sweep_state *state, struct sweep_job *jobs, int count,
		     bool force)
{
	double now = clock_seconds();
	char line[LINE];
	if (!view->out || (!force && now - view->drawn < (view->terminal ? TERMINAL_SECONDS : PLAIN_SECONDS)))
		return;
	for (int i = 0; i < count; i++)
		if (jobs[i].pid)
			sweep_job_look(&jobs[i], state);
	int width = view->terminal ? terminal_width(view->out) : LINE;
	sweep_view_end(view);
	view->drawn = now;
	summarise(view, state, jobs, count, line);
	fprintf(view->out, "%.*s\n", width - 1, line);
	view->lines = view->terminal;
	for (int i = 0; i < count; i++) {
		if (!jobs[i].pid)
			continue;
		describe_job(state, &jobs[i], line);
		fprintf(view->out, "%.*s\n", width - 1, line);
		view->lines += view->terminal;
	}
	fflush(view->out);
}
