/* What a sweep found: its trials with mean and spread over the seeds, which are not told apart, which keep within
 * "subject_to", which are on the Pareto front of accuracy, milliseconds and bytes, and the best compromise.
 *
 * Only trials that came as far as any other (the last rung that somebody completed) are compared with each other. The
 * spread is pooled over them: s^2 is the mean of their variances over the seeds. Two trials are told apart where their
 * means differ by more than t(0.975, degrees of freedom) * s * sqrt(2 / seeds), Fisher's least significant difference.
 *
 * The best compromise is the most accurate of the trials within the limits, or the one with the fewest bytes of those
 * that are not told apart from it. */
#ifndef TRAIN_SWEEP_RESULTS_H
#define TRAIN_SWEEP_RESULTS_H

#include "train/sweep/state.h"

struct trial_result {
	int trial;
	enum unit_state state;
	int rung; /* the last complete one, from 0; -1: none */
	uint64_t samples;
	double seconds;                /* of all its seeds together */
	double metrics[SWEEP_METRICS]; /* mean over the seeds; NaN: none */
	double spread;        /* standard deviation of the sweep's metric over the seeds; NaN: fewer than two */
	double bytes, ms;     /* of the weights as they are exported; per click, by the clock */
	bool compared;        /* came as far as any */
	bool feasible, front; /* only of those that are compared */
	bool apart;           /* from the best one; true where the spread is not known */
	int rank;             /* from 1; by rung, then by metric; 0: no result */
};

struct sweep_results {
	const struct sweep_state *state; /* borrowed */
	struct trial_result *trials;     /* by number; owned */
	int count;
	int best, compromise;    /* trials; -1: none */
	int compared, feasible;  /* how many */
	double pooled_spread;    /* NaN: one seed */
	double least_difference; /* that is told apart; NaN: not known */
	char verdict[700];       /* sentences for people */
};

enum status sweep_results_compute(struct sweep_results *results, const struct sweep_state *state);
void sweep_results_release(struct sweep_results *results);

#endif
