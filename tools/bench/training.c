/* The trainer's step (train/trainer_step.c) on samples that lie ready. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend.h"
#include "core/clock.h"
#include "data/robot.h"
#include "tools/bench/bench.h"

static const struct ranks alone = {.count = 1, .machine_ranks = 1};

/* A photo of noise with an elliptic object, so that there is something to click. */
static void draw_sample(struct sample *sample, int size, struct rng rng)
{
	float x0 = rng_range(&rng, 0.3f, 0.7f), y0 = rng_range(&rng, 0.3f, 0.7f);
	float a = rng_range(&rng, 0.1f, 0.3f), b = rng_range(&rng, 0.1f, 0.3f);
	for (int i = 0; i < size * size; i++) {
		float x = ((float)(i % size) / (float)size - x0) / a, y = ((float)(i / size) / (float)size - y0) / b;
		bool object = x * x + y * y < 1;
		uint32_t noise = rng_u32(&rng);
		for (int c = 0; c < 3; c++)
			sample->rgb[3 * i + c] = (uint8_t)((object ? 100 : 40) + (int)(noise >> 8 * c & 127));
		sample->truth[i] = object ? TRUTH_OBJECT : TRUTH_BACKGROUND;
		sample->others[i] = 0;
	}
}

static enum status make_samples(struct bench_training *training)
{
	const struct config *config = training->config;
	training->samples = calloc((size_t)config->train.batch_size, sizeof *training->samples);
	if (!training->samples)
		return status_fail(STATUS_NO_MEMORY, "no memory for %d samples", config->train.batch_size);
	for (int i = 0; i < config->train.batch_size; i++) {
		TRY(sample_alloc(&training->samples[i], config->train.size));
		draw_sample(&training->samples[i], config->train.size,
			    rng_stream(config->seed, 0, (uint64_t)i, RNG_SCENES));
		struct slot *slot = &training->batch.slots[i / config->train.slot_size];
		slot->samples[i % config->train.slot_size] = &training->samples[i];
	}
	return STATUS_OK;
}

static enum status set_up(struct bench_training *training)
{
	const struct config *config = training->config;
	int size = config->train.size;
	TRY(model_build(&training->model, &training->params, &config->model, config->train.slot_size, size, size));
	TRY(objective_add(&training->objective, &training->model, config));
	TRY(graph_plan(&training->model.graph, GRAPH_TRAINING));
	TRY(params_alloc(&training->params, config->seed));
	TRY(optim_init(&training->optim, &config->optim, &training->params));
	TRY(batch_init(&training->batch, config, &training->model, &training->objective, training->workers, &alone,
		       (uint32_t)config->train.batch_size));
	return make_samples(training);
}

enum status bench_training_init(struct bench_training *training, const struct config *config, struct workers *workers)
{
	*training = (struct bench_training){.config = config, .workers = workers};
	params_init(&training->params);
	enum status status = set_up(training);
	if (status)
		bench_training_release(training);
	return status;
}

void bench_training_release(struct bench_training *training)
{
	for (int i = 0; training->samples && i < training->config->train.batch_size; i++)
		sample_release(&training->samples[i]);
	free(training->samples);
	batch_release(&training->batch);
	optim_release(&training->optim);
	model_release(&training->model);
	params_release(&training->params);
	*training = (struct bench_training){0};
}

static void compute(struct bench_training *training, struct batch_result *result)
{
	const struct config *config = training->config;
	uint64_t first = training->steps * (uint64_t)config->train.batch_size;
	for (int i = 0; i < training->batch.core.slot_count; i++)
		training->batch.slots[i].first = first + (uint64_t)i * (uint64_t)config->train.slot_size;
	batch_compute(&training->batch, training->params.values, training->config->model.quantize, result);
}

static enum status update(struct bench_training *training, double loss)
{
	const struct config *config = training->config;
	const float *grads = training->batch.sum;
	double norm = optim_grad_norm(training->workers, &training->params, grads);
	if (!isfinite(loss) || !isfinite(norm))
		return status_fail(STATUS_LIMIT, "step %llu: the loss is %g, the gradient's norm %g",
				   (unsigned long long)training->steps + 1, loss, norm);
	double lr = schedule_lr(&config->schedule, training->steps);
	optim_step(&training->optim, training->workers, &training->params, grads, lr, norm);
	training->steps++;
	return STATUS_OK;
}

enum status bench_training_run(struct bench_training *training, struct bench_limit limit, struct bench_steps *result)
{
	*result = (struct bench_steps){0};
	double begin = clock_seconds(), cpu = clock_process_seconds();
	for (int i = 0; i < limit.steps && result->wall < limit.seconds; i++) {
		struct batch_result step;
		double before = result->wall;
		compute(training, &step);
		double start = clock_process_seconds();
		TRY(update(training, step.loss));
		result->optimiser_cpu += clock_process_seconds() - start;
		result->wall = clock_seconds() - begin;
		result->best = i == 0 || result->wall - before < result->best ? result->wall - before : result->best;
		result->samples += training->config->train.batch_size;
	}
	result->cpu = clock_process_seconds() - cpu;
	return STATUS_OK;
}

void bench_training_parts(struct bench_training *training, struct bench_parts *parts)
{
	struct slot_batch *batch = &training->batch.core;
	double start = clock_process_seconds();
	for (int i = 0; i < batch->graph->node_count; i++)
		graph_prepare(batch->graph, training->params.values, i, batch->prepared);
	parts->prepare = clock_process_seconds() - start;
	start = clock_process_seconds();
	ranks_sum(&alone, training->workers, batch->grads, batch->slot_count, NULL, training->params.total);
	parts->sum = clock_process_seconds() - start;
}

static void set_profile(struct bench_training *training, struct profile *profile)
{
	for (int i = 0; i < training->batch.threads; i++)
		training->batch.core.executors[i].profile = profile ? profile_thread(profile, i) : NULL;
}

/* Without buffers for the parameters' gradients, backward leaves them out. */
static void set_gradients(struct bench_training *training, bool wanted)
{
	training->batch.core.skip_param_grads = !wanted;
}

enum status bench_training_profile(struct bench_training *training, int steps, struct profile *profile)
{
	struct batch_result result;
	TRY(profile_init(profile, &training->model.graph, training->batch.threads, steps));
	set_profile(training, profile);
	for (int i = 0; i < 2 * steps; i++) {
		bool whole = i % 2 == 0;
		set_gradients(training, whole);
		compute(training, &result);
		profile_end_step(profile, whole);
	}
	set_gradients(training, true);
	set_profile(training, NULL);
	return STATUS_OK;
}
