/* See search.h. */
#include "train/sweep/search.h"

#include <math.h>
#include <stdlib.h>

#include "core/portable_math.h"
#include "core/rng.h"

enum { CANDIDATES = 48, EXPLORE_EVERY = 4, DRAWS = 200 };

#define GOOD_SHARE 0.25
#define SMALLEST_BANDWIDTH 0.04
#define PRIOR 1.0 /* weight of the uniform density, in observations */

/* Points with what came of them, the good ones first. */
struct observations {
	const struct space *space;
	struct space_point *points;
	double *units; /* of each point, SPACE_MAX_PARAMETERS each */
	int *trials;
	int good, count;
};

int search_round(const struct sweep_plan *plan, int trial)
{
	return trial / plan->round_size;
}

/* --- what is known -------------------------------------------------------- */

struct scored {
	int trial;
	double metric; /* less is better */
};

static int compare(const void *a, const void *b)
{
	const struct scored *x = a, *y = b;
	if (x->metric != y->metric)
		return x->metric < y->metric ? -1 : 1;
	return x->trial - y->trial;
}

static void add_observation(struct observations *o, int trial, const struct space_point *point)
{
	o->points[o->count] = *point;
	o->trials[o->count] = trial;
	for (int k = 0; k < o->space->count; k++)
		o->units[o->count * SPACE_MAX_PARAMETERS + k] = space_to_unit(&o->space->parameters[k], point->at[k]);
	o->count++;
}

static void release(struct observations *o)
{
	free(o->points);
	free(o->units);
	free(o->trials);
}

/* Trials before `first` with their results; those from there on are of the round that is being chosen. */
static enum status observe(const struct sweep_state *state, int first, struct observations *o)
{
	const struct sweep_plan *plan = state->plan;
	size_t size = (size_t)plan->trials;
	*o = (struct observations){.space = &plan->space,
				   .points = calloc(size, sizeof *o->points),
				   .units = calloc(size * SPACE_MAX_PARAMETERS, sizeof *o->units),
				   .trials = calloc(size, sizeof *o->trials)};
	struct scored *scored = calloc(size, sizeof *scored);
	if (!o->points || !o->units || !o->trials || !scored) {
		release(o);
		free(scored);
		return status_fail(STATUS_NO_MEMORY, "no memory for %d trials", plan->trials);
	}
	int with_result = 0;
	for (int t = 0; t < first; t++) {
		double metric = sweep_trial_metric(state, t, 0, plan->metric);
		bool large = sweep_trial_bytes(state, t, 0) > plan->max_bytes;
		metric = plan->maximize ? -metric : metric;
		scored[t] = (struct scored){t, isnan(metric) || large ? INFINITY : metric};
		with_result += !isinf(scored[t].metric);
	}
	qsort(scored, (size_t)first, sizeof *scored, compare);
	o->good = (int)ceil(GOOD_SHARE * with_result);
	for (int i = 0; i < first; i++)
		add_observation(o, scored[i].trial, &plan->points[scored[i].trial]);
	for (int t = first; t < plan->known; t++)
		add_observation(o, t, &plan->points[t]);
	free(scored);
	return STATUS_OK;
}

/* --- densities ------------------------------------------------------------ */

/* A kernel that is 0 beyond its bandwidth (Epanechnikov): no exponential, the same bits everywhere. */
static double kernel(double x)
{
	return x > -1 && x < 1 ? 0.75 * (1 - x * x) : 0;
}

/* The fewer observations, the wider. */
static double bandwidth(int count)
{
	double wide = 0.6 / portable_pow(count + 1.0, 0.4);
	return wide < SMALLEST_BANDWIDTH ? SMALLEST_BANDWIDTH : wide;
}

/* Of observations first .. last - 1, at a value of parameter k. */
static double density(const struct observations *o, int first, int last, int k, double at, double unit)
{
	const struct space_parameter *p = &o->space->parameters[k];
	double sum = 0, width = bandwidth(last - first);
	for (int i = first; i < last; i++) {
		if (p->kind == SPACE_LIST)
			sum += o->points[i].at[k] == at ? p->value_count : 0;
		else
			sum += kernel((unit - o->units[i * SPACE_MAX_PARAMETERS + k]) / width) / width;
	}
	return (sum + PRIOR) / (last - first + PRIOR);
}

/* How much more like the good ones than like the others. */
static double score(const struct observations *o, const struct space_point *point)
{
	double sum = 0;
	for (int k = 0; k < o->space->count; k++) {
		double unit = space_to_unit(&o->space->parameters[k], point->at[k]);
		sum += portable_log(density(o, 0, o->good, k, point->at[k], unit)) -
		       portable_log(density(o, o->good, o->count, k, point->at[k], unit));
	}
	return sum;
}

/* From the density of the good ones, each key by itself. */
static struct space_point draw_near_good(const struct observations *o, struct rng *rng)
{
	struct space_point point = {{0}};
	double width = bandwidth(o->good);
	for (int k = 0; k < o->space->count; k++) {
		const struct space_parameter *p = &o->space->parameters[k];
		uint32_t pick = rng_below(rng, (uint32_t)o->good + 1); /* the last one is the uniform density */
		double unit = (double)rng_float(rng);
		if (pick < (uint32_t)o->good && p->kind == SPACE_LIST) {
			point.at[k] = o->points[pick].at[k];
			continue;
		}
		if (pick < (uint32_t)o->good) {
			/* The sum of two uniform numbers is near enough to the kernel. */
			double shift = unit + (double)rng_float(rng) - 1;
			unit = o->units[pick * SPACE_MAX_PARAMETERS + (uint32_t)k] + width * shift;
			unit = unit < 0 ? -unit : unit > 1 ? 2 - unit : unit;
		}
		point.at[k] = space_from_unit(p, unit);
	}
	return point;
}

/* --- one trial ------------------------------------------------------------ */

static bool is_new(const struct observations *o, const struct space_point *point)
{
	for (int i = 0; i < o->count; i++)
		if (space_same(o->space, &o->points[i], point))
			return false;
	return true;
}

static bool is_valid(const struct sweep_plan *plan, const struct space_point *point)
{
	struct config config;
	return sweep_plan_config(plan, point, 0, &config) == STATUS_OK &&
	       sweep_plan_check_network(&config, NULL) == STATUS_OK;
}

/* A point that is new and valid; false where none is found. */
static bool draw_at_random(const struct sweep_plan *plan, const struct observations *o, int trial,
			   struct space_point *point)
{
	for (int attempt = 0; attempt < DRAWS; attempt++) {
		space_draw(&plan->space, plan->seed, trial, attempt, point);
		if (is_new(o, point) && is_valid(plan, point))
			return true;
	}
	return is_valid(plan, point); /* all are taken: one is tried again */
}

static bool draw_best(const struct sweep_plan *plan, const struct observations *o, int trial, struct space_point *point,
		      double *best)
{
	struct rng stream = rng_stream(plan->seed, DRAWS, (uint64_t)trial, RNG_SWEEP);
	bool found = false;
	for (int i = 0; i < CANDIDATES; i++) {
		struct rng rng = rng_substream(&stream, (uint32_t)i);
		struct space_point candidate = draw_near_good(o, &rng);
		double value = score(o, &candidate);
		if ((found && value <= *best) || !is_new(o, &candidate) || !is_valid(plan, &candidate))
			continue;
		*point = candidate;
		*best = value;
		found = true;
	}
	return found;
}

static void explain(struct text *lines, const struct sweep_plan *plan, int trial, const struct space_point *point,
		    const char *why)
{
	text_add(lines, "{\"decision\": \"round %d\", \"trial\": %d, \"values\": {", search_round(plan, trial) + 1,
		 trial);
	space_add_point(lines, &plan->space, point);
	text_add(lines, "}, \"why\": ");
	text_add_json_string(lines, why);
	text_add(lines, "}\n");
}

static enum status choose_one(const struct sweep_plan *plan, struct observations *o, int trial, int before,
			      struct space_point *point, struct text *lines)
{
	struct text why;
	double best = 0;
	text_init(&why);
	bool explores = trial % EXPLORE_EVERY == EXPLORE_EVERY - 1 || !o->good;
	if (!explores && draw_best(plan, o, trial, point, &best)) {
		text_add(&why, "near the best %d of %d trials (", o->good, before);
		for (int i = 0; i < o->good && i < 5; i++)
			text_add(&why, "%s%d", i ? ", " : "", o->trials[i]);
		text_add(&why, "%s): %.3g times as dense there as among the others", o->good > 5 ? ", ..." : "",
			 portable_exp(best));
	} else if (draw_at_random(plan, o, trial, point)) {
		text_add(&why, "drawn at random, %s",
			 explores && o->good ? "as one in four is" : "for want of a new point near good ones");
	} else {
		text_release(&why);
		return status_fail(
			STATUS_CONFIG,
			"%s: vary: no combination of values that is allowed was found for trial %d in %d draws",
			plan->path, trial, DRAWS);
	}
	explain(lines, plan, trial, point, why.data ? why.data : "");
	lines->failed |= why.failed;
	text_release(&why);
	return STATUS_OK;
}

/* --- a round -------------------------------------------------------------- */

enum status search_explain_first(const struct sweep_plan *plan, struct text *lines)
{
	for (int t = 0; t < plan->known && t < plan->round_size; t++)
		explain(lines, plan, t, &plan->points[t], "drawn at random, as all of the first round");
	return text_status(lines);
}

enum status search_choose(struct sweep_state *state, int *count, struct text *lines)
{
	struct sweep_plan *plan = state->plan;
	struct observations o;
	int next = plan->known, first = search_round(plan, next) * plan->round_size;
	*count = 0;
	if (next >= plan->trials)
		return STATUS_OK;
	for (int t = 0; t < first; t++)
		if (!sweep_trial_settled(state, t, 0))
			return STATUS_OK;
	TRY(observe(state, first, &o));
	enum status status = STATUS_OK;
	for (int t = next; t < first + plan->round_size && t < plan->trials && status == STATUS_OK; t++) {
		status = choose_one(plan, &o, t, first, &plan->points[t], lines);
		if (status == STATUS_OK) {
			add_observation(&o, t, &plan->points[t]);
			++*count;
		}
	}
	release(&o);
	return status == STATUS_OK ? text_status(lines) : status;
}
