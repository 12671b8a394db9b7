/* One object under the interactive protocol: the robot clicks, something predicts, the overlap is noted. What predicts
 * is a callback, so that the rules can be tested with a scripted one. */
#ifndef TRAIN_PROTOCOL_H
#define TRAIN_PROTOCOL_H

#include "core/rng.h"
#include "core/status.h"
#include "data/click.h"
#include "train/evaluate/evaluate.h"

struct protocol_rules {
	double target;    /* an object is good from this overlap on */
	int least_clicks; /* run at least this many (but no more than max_clicks) even if it is good before */
	int max_clicks;   /* 1..EVALUATE_MAX_CLICKS */
	int jitter;       /* see evaluate.h */
};

struct protocol_predictor {
	/* Takes the click and writes the new mask: width x height bytes, non-zero = object. */
	enum status (*click)(void *context, const struct click *click, uint8_t *mask);
	void *context;
};

/* Fills clicks_run, iou and biou1 of `instance`. `truth`: TRUTH_*, w x h. `rng`: for the jitter. */
enum status protocol_run(const struct protocol_rules *rules, const struct protocol_predictor *predictor,
			 const uint8_t *truth, int w, int h, struct rng rng, struct evaluate_instance *instance);

#endif
