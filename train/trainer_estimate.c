/* What a run would take: steps, time, memory, disk. */
#include <sys/resource.h>

#include "core/clock.h"
#include "train/trainer_parts.h"
#include "train/validate.h"

enum { MEASURED_STEPS = 3, MEASURED_OBJECTS = 2 };

/* A step without a record of it. */
static enum status measure_step(struct trainer *trainer)
{
	struct batch_result result;
	TRY(trainer_load(trainer));
	batch_compute(&trainer->batch, trainer->params.values, trainer_quantizes(trainer), &result);
	batch_give_back(&trainer->batch, trainer->loader);
	const float *grads = trainer->batch.sum;
	double norm = optim_grad_norm(trainer->workers, &trainer->params, grads);
	optim_step(&trainer->optim, trainer->workers, &trainer->params, grads, 0, norm);
	trainer->state.step++;
	return STATUS_OK;
}

/* The first step is not counted: memory is touched for the first time, the loader has not begun. */
static enum status measure_steps(struct trainer *trainer, double *seconds)
{
	double start = 0;
	for (int i = 0; i <= MEASURED_STEPS; i++) {
		if (i == 1)
			start = clock_seconds();
		TRY(measure_step(trainer));
	}
	*seconds = (clock_seconds() - start) / MEASURED_STEPS;
	return STATUS_OK;
}

static enum status measure_validation(struct trainer *trainer, struct train_estimate *estimate)
{
	struct evaluate_result result;
	struct label_counts labels;
	int limit = trainer->config->eval.limit;
	int objects = trainer->val.object_count;
	estimate->validation_objects = limit && limit < objects ? limit : objects;
	if (!objects)
		return STATUS_OK;
	*trainer->now = *trainer->config;
	trainer->now->eval.limit = MEASURED_OBJECTS;
	double start = clock_seconds();
	TRY(validate(&trainer->model, trainer->now, trainer->params.values, &trainer->val, trainer->threads,
		     trainer->options->stop, &result, &labels));
	estimate->validation_seconds = (clock_seconds() - start) / result.instances * estimate->validation_objects;
	evaluate_result_release(&result);
	return STATUS_OK;
}

/* Files of the run: two checkpoints and those that are kept, weights, photos, log lines, the report with its
 * pictures. */
static uint64_t estimate_disk(const struct trainer *trainer, const struct train_estimate *estimate)
{
	enum { PHOTO_LINE = 100, LOG_LINES = 500, REPORT = 3000000 };
	const struct config *config = trainer->config;
	uint64_t kept = config->train.keep_every ? estimate->steps / (uint64_t)config->train.keep_every : 0;
	return (2 + kept) * estimate->checkpoint + estimate->weights + (uint64_t)estimate->photos * PHOTO_LINE +
	       estimate->steps / (uint64_t)config->train.log_every * LOG_LINES + REPORT;
}

static void describe_work(struct trainer *trainer, struct train_estimate *estimate)
{
	const struct config *config = trainer->config;
	uint64_t end = trainer_end_step(trainer), begin = trainer->state.step;
	dataset_summary_line(&trainer->train, estimate->data, sizeof estimate->data);
	estimate->objects = trainer->train.object_count;
	estimate->photos = trainer->train.photo_count;
	estimate->parameters = trainer->params.total;
	estimate->multiply_adds = trainer->model.graph.forward_macs / trainer->now->train.slot_size;
	estimate->steps = end > begin ? end - begin : 0;
	estimate->samples = config_samples(config, end) - config_samples(config, begin < end ? begin : end);
	for (uint64_t step = begin + 1; config->data.val[0] && step <= end; step++)
		estimate->validations += step == end || trainer_due(step, config->eval.every);
	size_t arrays = 2 + (trainer->optim.second != NULL) + (trainer->optim.average != NULL);
	estimate->weights = trainer->params.total * sizeof(float);
	estimate->checkpoint = arrays * estimate->weights;
	estimate->disk = estimate_disk(trainer, estimate);
}

enum status trainer_estimate(struct trainer *trainer)
{
	struct train_estimate *estimate = trainer->options->estimate;
	struct rusage usage;
	*estimate = (struct train_estimate){.steps = 0};
	describe_work(trainer, estimate);
	if (estimate->steps > MEASURED_STEPS)
		TRY(measure_steps(trainer, &estimate->step_seconds));
	if (trainer_leads(trainer))
		TRY(measure_validation(trainer, estimate));
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		estimate->memory = (uint64_t)usage.ru_maxrss * 1024;
	return STATUS_OK;
}
