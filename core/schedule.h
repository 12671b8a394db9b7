/* Learning-rate schedules as pure functions of the step, so that resume needs no state. */
#ifndef CORE_SCHEDULE_H
#define CORE_SCHEDULE_H

#include <stdint.h>

enum schedule_kind { SCHEDULE_CONSTANT, SCHEDULE_STEP, SCHEDULE_COSINE, SCHEDULE_POLY, SCHEDULE_WSD };
extern const char *const schedule_names[]; /* "constant", "step", "cosine", "poly", "wsd", NULL */

enum { SCHEDULE_MAX_MILESTONES = 8 };

struct schedule_config {
	enum schedule_kind kind;
	double lr;
	uint64_t first_step;   /* the schedule begins there; steps below are numbers from it on */
	uint64_t warmup_steps; /* linear from lr/warmup_steps to lr */
	uint64_t total_steps;
	uint64_t cooldown_steps;  /* wsd: so many at the end; 0: cooldown_fraction of total_steps */
	double cooldown_fraction; /* wsd */
	double final_fraction;    /* cosine, poly, wsd: where the curve ends (at step total_steps), as a share of lr */
	double power;             /* poly */
	double factor;            /* step: multiplied at each milestone */
	double milestones[SCHEDULE_MAX_MILESTONES]; /* step: shares of total_steps, rising */
	int milestone_count;
};
void schedule_config_init(struct schedule_config *config);

/* The learning rate of step first_step + 0, 1, ..., total_steps - 1. */
double schedule_lr(const struct schedule_config *config, uint64_t step);

#endif
