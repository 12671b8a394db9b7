/* A sequential search: trials come in rounds, and where a round looks depends on the results of the rounds before it,
 * complete ones only, so that it does not matter which trial was done first.
 *
 * The first round is drawn at random. Later ones follow tree-structured Parzen estimators (Bergstra, Bardenet, Bengio,
 * Kegl: "Algorithms for hyper-parameter optimization", NIPS 2011), each key by itself: candidates are drawn near the
 * best quarter of the trials so far, and the one is taken for which the density of the good trials over that of the
 * others is largest. Trials of the same round that have no result yet count among the others, so that a round spreads.
 * Every fourth trial of a round is drawn at random. Arithmetic is portable: the same results, the same choice. */
#ifndef TRAIN_SWEEP_SEARCH_H
#define TRAIN_SWEEP_SEARCH_H

#include "train/sweep/state.h"

/* The round of a trial, and the first trial of a round. */
int search_round(const struct sweep_plan *plan, int trial);
/* Chooses the next round if all trials so far are settled, into plan->points behind plan->known (which stays), with the
 * lines that explain it. *count: how many trials; 0: not yet, or there are no more. Candidates whose config is refused
 * are passed over. With no trial known, the lines are about the first round. */
enum status search_choose(struct sweep_state *state, int *count, struct text *lines);
/* The lines about the first round, which the plan has drawn. */
enum status search_explain_first(const struct sweep_plan *plan, struct text *lines);

#endif
