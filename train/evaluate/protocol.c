/* See protocol.h; the loop is RITM's evaluate_sample (docs/protocol.md, 2). */
#include "train/evaluate/protocol.h"

#include <assert.h>
#include <stdlib.h>

#include "data/robot.h"
#include "train/evaluate/metrics.h"

struct run {
	const uint8_t *truth;
	uint8_t *pred;
	int w, h;
	void *workspace; /* for the robot and for the boundary, not at the same time */
};

static enum status open_run(struct run *run, const uint8_t *truth, int w, int h)
{
	size_t robot = robot_workspace(w, h), boundary = metrics_boundary_workspace(w, h);
	*run = (struct run){.truth = truth, .w = w, .h = h};
	run->pred = calloc((size_t)w * (size_t)h, 1);
	run->workspace = malloc(robot > boundary ? robot : boundary);
	if (run->pred && run->workspace)
		return STATUS_OK;
	free(run->pred);
	free(run->workspace);
	return status_fail(STATUS_NO_MEMORY, "no memory to evaluate a %dx%d photo", w, h);
}

static bool is_error(const struct run *run, int x, int y, bool missed)
{
	if (x < 0 || y < 0 || x >= run->w || y >= run->h)
		return false;
	size_t i = (size_t)y * run->w + x;
	return missed ? run->truth[i] == TRUTH_OBJECT && !run->pred[i]
		      : run->truth[i] == TRUTH_BACKGROUND && run->pred[i];
}

/* A hand aims at the click but misses it: a uniform pixel of the disk around it that is the same kind of error. Few
 * tries are enough where there is room; else the aim is hit. */
static struct click jitter_click(const struct run *run, struct click aim, int radius, struct rng *rng)
{
	enum { TRIES = 32 };
	for (int i = 0; i < TRIES && radius > 0; i++) {
		int dx = (int)rng_below(rng, 2 * (uint32_t)radius + 1) - radius;
		int dy = (int)rng_below(rng, 2 * (uint32_t)radius + 1) - radius;
		if (dx * dx + dy * dy <= radius * radius && is_error(run, aim.x + dx, aim.y + dy, aim.positive))
			return (struct click){aim.x + dx, aim.y + dy, aim.positive};
	}
	return aim;
}

static enum status run_clicks(const struct protocol_rules *rules, const struct protocol_predictor *predictor,
			      struct run *run, struct rng *rng, struct evaluate_instance *instance)
{
	struct click_list clicks = {.count = 0};
	bool good = false;
	while (clicks.count < rules->max_clicks && !(good && clicks.count >= rules->least_clicks)) {
		if (rules->stop && *rules->stop)
			return status_fail(STATUS_INTERRUPTED, "asked to stop during an evaluation");
		struct click click = robot_next_click(run->pred, run->truth, run->w, run->h, &clicks, run->workspace);
		click = jitter_click(run, click, rules->jitter, rng);
		clicks.items[clicks.count++] = click;
		TRY(predictor->click(predictor->context, &click, run->pred));

		double iou = metrics_iou(run->pred, run->truth, (size_t)run->w * (size_t)run->h);
		instance->clicks[clicks.count - 1] = click;
		instance->iou[clicks.count - 1] = iou;
		instance->clicks_run = clicks.count;
		if (clicks.count == 1)
			instance->biou1 = metrics_boundary_iou(run->pred, run->truth, run->w, run->h, run->workspace);
		good |= iou >= rules->target;
	}
	return STATUS_OK;
}

enum status protocol_run(const struct protocol_rules *rules, const struct protocol_predictor *predictor,
			 const uint8_t *truth, int w, int h, struct rng rng, struct evaluate_instance *instance)
{
	assert(rules->max_clicks >= 1 && rules->max_clicks <= EVALUATE_MAX_CLICKS);
	struct run run;
	TRY(open_run(&run, truth, w, h));
	enum status status = run_clicks(rules, predictor, &run, &rng, instance);
	free(run.workspace);
	free(run.pred);
	return status;
}
