/* See calibrate.h. */
#include "train/calibrate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/augment.h"
#include "data/robot.h"
#include "data/sampler.h"
#include "infer/kernels/kernels.h"
#include "infer/kernels/sigmoid.h"
#include "infer/tapcut.h"

enum { MOST_ROUNDS = 3 };

/* One network on one sample. */
struct run {
	struct infer_runner *runner, *other; /* other: in 8 bits, on the same inputs; NULL: none */
	struct sample sample;
	struct click_list clicks;
	float *previous; /* probabilities */
	uint8_t *prediction;
	void *workspace;
	int size;
};

static enum status runner_new(const struct infer_network *network, int size, int arithmetic,
			      infer_runner_watcher *watcher, void *context, struct infer_runner **runner)
{
	const struct infer_run_options options = {.arithmetic = arithmetic,
						  .threads = 1,
						  .isa = -1,
						  .stream_bytes = SIZE_MAX};
	char message[TAPCUT_MESSAGE_SIZE];
	if (infer_runner_new(network, size, size, &options, runner, message) != TAPCUT_OK)
		return status_fail(STATUS_CONFIG, "%s", message);
	infer_runner_watch(*runner, watcher, context);
	return STATUS_OK;
}

static void run_release(struct run *run)
{
	infer_runner_free(run->runner);
	infer_runner_free(run->other);
	sample_release(&run->sample);
	free(run->previous);
	free(run->prediction);
	free(run->workspace);
}

static enum status run_init(struct run *run, int size)
{
	size_t pixels = (size_t)size * (size_t)size;
	*run = (struct run){.size = size};
	TRY(sample_alloc(&run->sample, size));
	run->previous = malloc(pixels * sizeof *run->previous);
	run->prediction = malloc(pixels);
	run->workspace = malloc(sampler_workspace(size, size));
	if (run->previous && run->prediction && run->workspace)
		return STATUS_OK;
	run_release(run);
	return status_fail(STATUS_NO_MEMORY, "no memory for samples of %d pixels", size);
}

static const float *run_clicks(struct run *run, struct infer_runner *runner, int round)
{
	struct infer_click clicks[CLICKS_MAX];
	for (int i = 0; i < run->clicks.count; i++)
		clicks[i] = (struct infer_click){(float)run->clicks.items[i].x, (float)run->clicks.items[i].y,
						 run->clicks.items[i].positive};
	infer_runner_set_clicks(runner, clicks, run->clicks.count, round ? run->previous : NULL, run->size, run->size);
	return infer_runner_run(runner);
}

/* First clicks, then as many corrective rounds as the sample's stream says; each round's mask is the next one's
 * previous. */
static void run_sample(struct run *run, struct rng rng)
{
	struct sampler_config sampler;
	int size = run->size, rounds = (int)rng_below(&rng, MOST_ROUNDS + 1);
	size_t pixels = (size_t)size * (size_t)size;
	sampler_config_init(&sampler);
	sampler.center_probability = 0.5;
	sampler_first_clicks(&sampler, &rng, run->sample.truth, run->sample.others, size, size, &run->clicks,
			     run->workspace);
	infer_runner_set_photo(run->runner, run->sample.rgb, size, size, 3 * (size_t)size);
	if (run->other)
		infer_runner_set_photo(run->other, run->sample.rgb, size, size, 3 * (size_t)size);
	for (int round = 0; round <= rounds; round++) {
		const float *logits = run_clicks(run, run->runner, round);
		if (run->other)
			run_clicks(run, run->other, round);
		infer_sigmoid_array(logits, run->previous, pixels);
		for (size_t i = 0; i < pixels; i++)
			run->prediction[i] = logits[i] > 0;
		sampler_corrective_click(&sampler, &rng, run->prediction, run->sample.truth, size, size, &run->clicks,
					 run->workspace);
	}
}

static enum status run_all(struct run *run, const struct dataset *dataset, const struct calibrate_options *options)
{
	struct augment_config augment;
	int read = 0;
	augment_config_init(&augment);
	for (int i = 0; i < options->samples; i++) {
		int object = (int)rng_permute(options->seed, 0, (uint32_t)dataset->object_count,
					      (uint32_t)i % (uint32_t)dataset->object_count);
		enum status status =
			augment_sample(&augment, dataset, object,
				       rng_stream(options->seed, 0, (uint64_t)i, RNG_AUGMENT), &run->sample);
		if (status == STATUS_NO_MEMORY)
			return status;
		if (status == STATUS_OK) {
			run_sample(run, rng_stream(options->seed, 0, (uint64_t)i, RNG_CLICKS));
			read++;
		}
		if (options->progress)
			options->progress(i + 1, options->samples, options->context);
	}
	return read ? STATUS_OK : status_fail(STATUS_FORMAT, "none of %d photos could be read", options->samples);
}

static enum status observe(const struct infer_network *network, const struct dataset *dataset,
			   const struct calibrate_options *options, struct calibration *calibration)
{
	struct run run;
	TRY(run_init(&run, options->size));
	enum status status =
		runner_new(network, options->size, INFER_ARITHMETIC_F32, calibration_observe, calibration, &run.runner);
	if (status == STATUS_OK)
		status = run_all(&run, dataset, options);
	run_release(&run);
	return status;
}

enum status calibrate_ranges(const struct infer_network *network, const struct dataset *dataset,
			     const struct calibrate_options *options, struct infer_range *ranges)
{
	struct calibration *calibration;
	TRY(calibration_new(network, &calibration));
	enum status status = observe(network, dataset, options, calibration);
	if (status == STATUS_OK)
		status = calibration_ranges(calibration, ranges);
	calibration_free(calibration);
	return status;
}

static enum status compare(const struct infer_network *network, const struct dataset *dataset,
			   const struct calibrate_options *options, struct comparison *comparison)
{
	struct run run;
	TRY(run_init(&run, options->size));
	enum status status = runner_new(network, options->size, INFER_ARITHMETIC_F32, comparison_observe_float,
					comparison, &run.runner);
	if (status == STATUS_OK)
		status = runner_new(network, options->size, INFER_ARITHMETIC_U8, comparison_observe_bytes, comparison,
				    &run.other);
	if (status == STATUS_OK)
		status = run_all(&run, dataset, options);
	run_release(&run);
	return status;
}

enum status calibrate_losses(const struct infer_network *network, const struct dataset *dataset,
			     const struct calibrate_options *options, struct calibration_loss **losses)
{
	struct comparison *comparison;
	size_t bytes = (size_t)(INFER_FIRST_STEP_VALUE + network->step_count) * sizeof **losses;
	TRY(comparison_new(network, &comparison));
	enum status status = compare(network, dataset, options, comparison);
	*losses = malloc(bytes);
	const struct calibration_loss *found = comparison_losses(comparison);
	if (status == STATUS_OK && (!found || !*losses))
		status = status_fail(STATUS_NO_MEMORY, "no memory to compare two networks");
	if (status == STATUS_OK)
		memcpy(*losses, found, bytes);
	else
		free(*losses);
	comparison_free(comparison);
	return status;
}
