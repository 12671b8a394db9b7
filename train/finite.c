/* See finite.h. */
#include "train/finite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ADVICE_SIZE = 400 };

/* What helps depends on what is there. Weights that blew up in the step before are in a checkpoint of that step: no
 * lower learning rate makes them whole, because the loss of the next step is computed before the rate is used. */
static void advise(const struct finite_watch *watch, const struct config *config, uint64_t step, char text[ADVICE_SIZE])
{
	unsigned long long at = (unsigned long long)watch->checkpoint_step;
	double lower = config->schedule.lr / 10;
	if (!watch->has_checkpoint) {
		snprintf(text, ADVICE_SIZE,
			 "There is no checkpoint yet: begin anew with a lower learning rate (--force --set "
			 "optim.lr=%g), or "
			 "leave such steps out (--set train.nan_policy=skip)",
			 lower);
	} else if (watch->checkpoint_step + 1 < step) {
		snprintf(text, ADVICE_SIZE,
			 "The last checkpoint is of step %llu: go on from it with a lower learning rate (--resume "
			 "auto --set "
			 "optim.lr=%g), or leave such steps out (--resume auto --set train.nan_policy=skip)",
			 at, lower);
	} else if (watch->best_step && watch->best_step < watch->checkpoint_step) {
		snprintf(text, ADVICE_SIZE,
			 "The last checkpoint, of step %llu, holds the weights that give this, so that going on from "
			 "it ends "
			 "here again: begin a run from best.ckpt, which is of step %llu (--set "
			 "init.weights=best.ckpt), with "
			 "a lower learning rate (--set optim.lr=%g)",
			 at, (unsigned long long)watch->best_step, lower);
	} else {
		snprintf(text, ADVICE_SIZE,
			 "The last checkpoint, of step %llu, holds the weights that give this, so that going on from "
			 "it ends "
			 "here again: begin anew with a lower learning rate (--force --set optim.lr=%g)",
			 at, lower);
	}
}

static enum status end_run(struct finite_watch *watch, const struct config *config, uint64_t step, double loss,
			   double norm)
{
	char advice[ADVICE_SIZE];
	watch->diverged = true;
	advise(watch, config, step, advice);
	return status_fail(STATUS_FORMAT, "step %llu: loss %g, gradient norm %g: not finite. %s",
			   (unsigned long long)step, loss, norm, advice);
}

enum status finite_check(struct finite_watch *watch, const struct config *config, uint64_t step, double loss,
			 double norm, bool *usable)
{
	*usable = isfinite(loss) && isfinite(norm);
	if (*usable) {
		watch->skipped_in_a_row = 0;
		return STATUS_OK;
	}
	if (strcmp(config->train.nan_policy, "skip") != 0)
		return end_run(watch, config, step, fabs(loss), fabs(norm)); /* a NaN has no sign */
	if (++watch->skipped_in_a_row < FINITE_MAX_SKIPPED_IN_A_ROW)
		return STATUS_OK;
	watch->diverged = true;
	return status_fail(
		STATUS_FORMAT,
		"step %llu: the last %d steps were left out because loss or gradient was not finite: the weights "
		"are ruined. Begin anew with a lower learning rate (--force --set optim.lr=%g)",
		(unsigned long long)step, FINITE_MAX_SKIPPED_IN_A_ROW, config->schedule.lr / 10);
}

enum status finite_judge(struct finite_watch *watch, uint64_t skipped, uint64_t steps)
{
	if (skipped <= steps / 2)
		return STATUS_OK;
	watch->diverged = true;
	return status_fail(
		STATUS_FORMAT,
		"%llu of %llu steps were left out because loss or gradient was not finite: these weights have "
		"learnt next to nothing. Begin anew with a lower optim.lr",
		(unsigned long long)skipped, (unsigned long long)steps);
}
