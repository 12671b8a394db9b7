/* One step of a run: load, compute, check, update, log. */
#include "core/clock.h"
#include "train/trainer_parts.h"

/* Applies the policy for a step whose loss or gradient is not finite. All ranks find the same; one shall say it. */
static enum status check_finite(struct trainer *trainer, double loss, double norm, bool *usable)
{
	uint64_t number = trainer->state.step + 1;
	enum status status = finite_check(&trainer->watch, trainer->config, number, loss, norm, usable);
	if (status != STATUS_OK)
		return ranks_agree(trainer->ranks, status);
	if (*usable)
		return STATUS_OK;
	trainer->state.skipped++;
	return trainer_leads(trainer) ? run_log_event(&trainer->log, number, "skip", "loss or gradient is not finite")
				      : STATUS_OK;
}

static void smooth(double *average, double value)
{
	*average += (value - *average) * (*average == 0 ? 1 : 0.02);
}

static enum status log_interval(struct trainer *trainer, double lr, double norm)
{
	double now = clock_seconds(), waited, worked;
	loader_times(trainer->loader, &waited, &worked);
	int steps = trainer->interval_steps;
	double seconds = now - trainer->interval_start;
	uint64_t samples = trainer_samples_taken(trainer);
	struct run_step row = {
		.step = trainer->state.step,
		.samples = samples,
		.epoch = (double)samples / trainer->train.object_count,
		.loss = trainer->interval_loss / steps,
		.iou = trainer->interval_iou / steps,
		.lr = lr,
		.grad_norm = norm,
		.rounds = (double)trainer->interval_rounds / trainer->interval_samples,
		.samples_per_s = trainer->interval_samples / seconds,
		.loader_wait = (waited - trainer->interval_wait) / seconds,
		.seconds = now - trainer->started,
	};
	trainer->interval_start = now;
	trainer->interval_wait = waited;
	trainer->interval_loss = trainer->interval_iou = 0;
	trainer->interval_steps = trainer->interval_samples = trainer->interval_rounds = 0;
	return run_log_step(&trainer->log, &row);
}

static void count_step(struct trainer *trainer, const struct batch_result *result, bool usable)
{
	trainer->state.step++;
	trainer->interval_steps++;
	trainer->interval_samples += trainer->now->train.batch_size;
	trainer->interval_loss += result->loss;
	trainer->interval_iou += result->iou;
	trainer->interval_rounds += result->rounds;
	if (!usable)
		return; /* a NaN would stay in the averages for ever */
	smooth(&trainer->state.smooth_loss, result->loss);
	smooth(&trainer->state.smooth_iou, result->iou);
}

bool trainer_must_stop(const struct trainer *trainer)
{
	return trainer->options->stop && *trainer->options->stop;
}

enum status trainer_asked_to_stop(const struct trainer *trainer)
{
	return status_fail(STATUS_INTERRUPTED, "asked to stop after step %llu of %llu; --resume auto goes on",
			   (unsigned long long)trainer->state.step, (unsigned long long)trainer->config->train.steps);
}

/* The samples of the next step. STATUS_INTERRUPTED on all ranks when one of them has been asked to stop. */
enum status trainer_load(struct trainer *trainer)
{
	enum status status;
	if (trainer_must_stop(trainer))
		status = trainer_asked_to_stop(trainer);
	else
		status = batch_load(&trainer->batch, trainer->loader, trainer_samples_taken(trainer));
	return ranks_agree(trainer->ranks, status);
}

/* The photos of this step go into the weights. */
static void note_photos(const struct trainer *trainer)
{
	const struct batch *batch = &trainer->batch;
	for (int i = batch->core.first_slot; i < batch->core.end_slot; i++)
		for (int k = 0; k < trainer->now->train.slot_size; k++) {
			int object = batch->slots[i].samples[k]->object;
			photo_digests_use(trainer->photos, trainer->train.objects[object].photo);
		}
}

/* The first steps only measure the ranges of values. */
bool trainer_quantizes(const struct trainer *trainer)
{
	return trainer->now->model.quantize && trainer->state.step >= trainer->now->quantize_from;
}

enum status trainer_step(struct trainer *trainer)
{
	const struct config *config = trainer->config;
	struct batch_result result;
	bool usable;
	TRY(trainer_enter_stage(trainer));
	TRY(trainer_load(trainer));
	note_photos(trainer);
	batch_compute(&trainer->batch, trainer->params.values, trainer_quantizes(trainer), &result);
	batch_give_back(&trainer->batch, trainer->loader);
	const float *grads = trainer->batch.sum;
	double norm = optim_grad_norm(trainer->workers, &trainer->params, grads);
	double lr = schedule_lr(&trainer->now->schedule, trainer->state.step);
	TRY(check_finite(trainer, result.loss, norm, &usable));
	if (usable)
		optim_step(&trainer->optim, trainer->workers, &trainer->params, grads, lr, norm);
	count_step(trainer, &result, usable);
	if (!trainer_leads(trainer))
		return STATUS_OK;
	if (trainer->state.step % (uint64_t)config->train.log_every == 0 || trainer->state.step == config->train.steps)
		TRY(log_interval(trainer, lr, norm));
	return STATUS_OK;
}
