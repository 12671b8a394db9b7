/* Checkpoints of trials that will hardly be asked for again take most of a sweep's room. With "keep": "best N" those of
 * all but the N best trials are removed as soon as it is known that they are done; weights, curves and summaries stay.
 * A trial that goes on after all (--retry-failed, more trials) begins anew, to the same bytes. */
#ifndef TRAIN_SWEEP_KEEP_H
#define TRAIN_SWEEP_KEEP_H

#include "train/sweep/state.h"

/* `program`: the tapcut program, which writes weights.tapcut where a trial that was stopped has no final.tapcut. */
enum status sweep_keep(struct sweep_state *state, const char *program);

#endif
