/* What a sweep decided, and why: DIR/decisions.jsonl, a line per trial and decision, for people to read.
 *
 * With "halving" a line says whether a trial goes on behind a rung. The decision is a function of the results, made
 * when the rung is complete, so that the lines are a record and nothing depends on them. With "search" a line says
 * which values a trial got; they stay as they were written, whatever becomes of the trials they were chosen from. */
#ifndef TRAIN_SWEEP_DECISIONS_H
#define TRAIN_SWEEP_DECISIONS_H

#include "core/text.h"
#include "train/sweep/plan.h"

/* Adds the lines of one decision, unless they are there already. Lines of the same decision that say something else
 * stay, and a line that it was made anew follows them. *added: how many lines were written. `label` names the decision
 * ("rung 1"), and each line begins with {"decision": "LABEL". Safe with several workers. */
enum status decisions_record(const char *dir, const char *label, const struct text *lines, bool *added);

/* SWEEP_SEARCH: takes over the points of the rounds that are written down (plan->points, plan->known). */
enum status decisions_read_points(struct sweep_plan *plan, const char *dir);

#endif
