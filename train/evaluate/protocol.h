/* One object under the interactive protocol: the robot clicks, something predicts, the overlap is noted. What predicts
 * is a callback, so that the rules can be tested with a scripted one. */
#ifndef TRAIN_PROTOCOL_H
#define TRAIN_PROTOCOL_H

#include <signal.h>
#include <stdint.h>

#include "core/rng.h"
#include "core/status.h"
#include "data/click.h"

enum { EVALUATE_MAX_CLICKS = 20, EVALUATE_LEAST_CLICKS = 5 };

/* What one object gave. */
struct evaluate_instance {
	char name[96];
	char category[48]; /* of the object; "" where the source has none */
	char photo[128];   /* its file's name, cut where it is longer; "" likewise */
	int object;        /* dataset index; -1 likewise */
	int width, height; /* of the photo */
	int clicks_run;
	struct click clicks[EVALUATE_MAX_CLICKS]; /* 1..clicks_run, in pixels of the photo */
	double iou[EVALUATE_MAX_CLICKS];          /* after click 1..clicks_run at the photo's size; 0.9f is no 0.9 */
	double biou1;                             /* boundary IoU after the first click */
	double set_image_ms;                      /* wall time in the inference library */
	double clicks_ms;                         /* of all clicks together, masks included */
};

struct protocol_rules {
	double target;    /* an object is good from this overlap on */
	int least_clicks; /* run at least this many (but no more than max_clicks) even if it is good before */
	int max_clicks;   /* 1..EVALUATE_MAX_CLICKS */
	int jitter;       /* see evaluate.h */
	const volatile sig_atomic_t *stop; /* see evaluate.h */
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
