/* Synchronous successive halving (Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter
 * optimization", AISTATS 2016): when all trials of a rung are done, one in reduction_factor of them goes on, those with
 * the best metric. A rung that waits for its last trial gives the same promotions whoever was faster. */
#ifndef TRAIN_SWEEP_HALVING_H
#define TRAIN_SWEEP_HALVING_H

#include "train/sweep/state.h"

/* How many of `count` trials go on: at least one. */
int halving_promoted(int count, double reduction_factor);

/* Whether all trials that may train this rung have ended it, one way or another. */
bool halving_is_complete(const struct sweep_state *state, int rung);
/* Fills in state->allowed from the results of the rungs that are complete, and *complete with how many are. Ties go to
 * the lower number; a trial without a result, or with more bytes than subject_to allows, never goes on. */
enum status halving_decide(struct sweep_state *state, int *complete);
/* The lines about one complete rung (from 0), after halving_decide. */
enum status halving_explain(const struct sweep_state *state, int rung, struct text *lines);

#endif
