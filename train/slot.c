/* See slot.h. A slot of the task "labels" is one forward and one backward pass.
 *
 * Corrective rounds: Sofiiuk, Petrov & Konushin, "Reviving iterative training with mask guidance for
 * interactive segmentation" (RITM, 2021), section 3.3; here each sample draws its own number of rounds. */
#include "train/slot.h"

#include <stdlib.h>
#include <string.h>

#include "core/kernels.h"
#include "core/portable_math.h"
#include "data/distance.h"
#include "data/robot.h"
#include "data/sampler.h"
#include "infer/image/preprocess.h"
#include "train/evaluate/label_metrics.h"
#include "train/evaluate/metrics.h"

enum { IMAGE_PLANES = 3 };
/* Streams below a sample's dropout stream: nodes have the numbers from 0 on, rounds after the first those from here. */
enum { DROPOUT_ROUNDS = 1 << 20 };

enum status slot_worker_init(struct slot_worker *worker, const struct config *config, const struct model *model,
			     const struct objective *objective)
{
	int size = config->train.size;
	*worker = (struct slot_worker){.config = config, .model = model, .objective = *objective};
	worker->clicks = calloc((size_t)config->train.slot_size, sizeof *worker->clicks);
	worker->rounds = calloc((size_t)config->train.slot_size, sizeof *worker->rounds);
	worker->planes = malloc(IMAGE_PLANES * (size_t)size * (size_t)size * sizeof *worker->planes);
	worker->prediction = malloc((size_t)size * (size_t)size);
	worker->workspace = malloc(sampler_workspace(size, size));
	if (worker->clicks && worker->rounds && worker->planes && worker->prediction && worker->workspace)
		return STATUS_OK;
	slot_worker_release(worker);
	return status_fail(STATUS_NO_MEMORY, "no memory for a training worker");
}

void slot_worker_release(struct slot_worker *worker)
{
	free(worker->clicks);
	free(worker->rounds);
	free(worker->planes);
	free(worker->prediction);
	free(worker->workspace);
	*worker = (struct slot_worker){0};
}

/* The stream of sample `i` of the slot for one purpose. */
static struct rng sample_stream(const struct slot_worker *worker, const struct slot *slot, int i,
				enum rng_purpose purpose)
{
	uint64_t number = slot->first + (uint64_t)i;
	return rng_stream(worker->config->seed, (uint32_t)(number / slot->epoch_size), number % slot->epoch_size,
			  purpose);
}

static size_t plane_floats(const struct slot_worker *worker)
{
	return (size_t)worker->config->train.size * (size_t)worker->config->train.size;
}

/* The click input of sample `i`; channels of a pixel: positive, negative, previous mask. */
static float *click_input(const struct slot_worker *worker, int i)
{
	return executor_data(worker->executor, worker->model->clicks) +
	       (size_t)i * (size_t)worker->config->model.click_planes * plane_floats(worker);
}

/* Planes, as infer's functions write them, to the first `planes` of each pixel's channels, as the network reads
 * them. */
static void interleave(const float *from, int planes, size_t count, float *to, int channels)
{
	for (int p = 0; p < planes; p++)
		for (size_t k = 0; k < count; k++)
			to[k * (size_t)channels + (size_t)p] = from[(size_t)p * count + k];
}

static void load_image(struct slot_worker *worker, const struct slot *slot, int i)
{
	const struct config *config = worker->config;
	int size = config->train.size;
	float *image =
		executor_data(worker->executor, worker->model->image) + (size_t)i * IMAGE_PLANES * plane_floats(worker);
	size_t row = IMAGE_PLANES * (size_t)size;
	for (int y = 0; y < size; y++) { /* row by row, so that the planes between stay in the cache */
		infer_normalize_rgb8(&config->preprocess, slot->samples[i]->rgb + (size_t)y * row, size, 1, row,
				     worker->planes, size, 1);
		interleave(worker->planes, IMAGE_PLANES, (size_t)size, image + (size_t)y * row, IMAGE_PLANES);
	}
}

static void load_target(struct slot_worker *worker, const struct slot *slot, int i)
{
	size_t count = plane_floats(worker);
	float *target = executor_data(worker->executor, worker->objective.target) + (size_t)i * count;
	const uint8_t *truth = slot->samples[i]->truth;
	bool labels = worker->config->task == TASK_LABELS;
	for (size_t k = 0; k < count && labels; k++)
		target[k] = truth[k];
	for (size_t k = 0; k < count && !labels; k++)
		target[k] = truth[k] == TRUTH_IGNORE ? TARGET_IGNORE : (float)(truth[k] == TRUTH_OBJECT);
}

/* Pixels whose nearest pixel of the other side of the mask is within loss.boundary_width; the others take no part.
 * prediction and workspace are free before the first round. */
static void load_band(struct slot_worker *worker, const struct slot *slot, int i)
{
	int size = worker->config->train.size;
	size_t count = plane_floats(worker);
	double width = worker->config->loss.boundary_width;
	const float *target = executor_data(worker->executor, worker->objective.target) + (size_t)i * count;
	float *band = executor_data(worker->executor, worker->objective.band) + (size_t)i * count;
	const uint8_t *truth = slot->samples[i]->truth;
	int32_t *distance = worker->workspace;
	for (size_t k = 0; k < count; k++)
		band[k] = TARGET_IGNORE;
	for (int object = 0; object <= 1; object++) {
		for (size_t k = 0; k < count; k++)
			worker->prediction[k] = (truth[k] == TRUTH_OBJECT) == object;
		distance_squared(worker->prediction, size, size, 0, distance, distance + count);
		for (size_t k = 0; k < count; k++)
			if (worker->prediction[k] && distance[k] <= width * width)
				band[k] = target[k];
	}
}

static void load_clicks(struct slot_worker *worker, int i)
{
	struct infer_click clicks[CLICKS_MAX];
	const struct click_list *list = &worker->clicks[i];
	for (int k = 0; k < list->count; k++)
		clicks[k] =
			(struct infer_click){(float)list->items[k].x, (float)list->items[k].y, list->items[k].positive};
	int size = worker->config->train.size;
	infer_draw_clicks(&worker->config->preprocess, clicks, list->count, worker->planes, size, size);
	interleave(worker->planes, INFER_PLANE_PREVIOUS, plane_floats(worker), click_input(worker, i),
		   worker->config->model.click_planes);
}

static void clear_previous_mask(struct slot_worker *worker, int i)
{
	float *clicks = click_input(worker, i);
	for (size_t k = 0; worker->config->model.click_planes > INFER_PLANE_PREVIOUS && k < plane_floats(worker); k++)
		clicks[k * INFER_CLICK_PLANES + INFER_PLANE_PREVIOUS] = 0;
}

/* The network's own probability becomes the previous-mask channel of the next round. */
static void store_previous_mask(struct slot_worker *worker, int i, const float *logits)
{
	size_t count = plane_floats(worker);
	float *clicks = click_input(worker, i), *probability = worker->planes;
	float scale = worker->config->preprocess.click_scale;
	kernels()->sigmoid(probability, logits, count);
	for (size_t k = 0; k < count; k++)
		clicks[k * INFER_CLICK_PLANES + INFER_PLANE_PREVIOUS] = scale * probability[k];
}

static void threshold_logits(const struct slot_worker *worker, const float *logits, uint8_t *prediction)
{
	double threshold = worker->config->threshold;
	float cut = (float)portable_log(threshold / (1 - threshold));
	size_t count = plane_floats(worker);
	for (size_t k = 0; k < count; k++)
		prediction[k] = logits[k] > cut;
}

/* Image, first clicks and number of rounds of every sample. Returns the largest number of rounds. */
static int start_samples(struct slot_worker *worker, struct slot *slot)
{
	const struct config *config = worker->config;
	int size = config->train.size, most = 0;
	for (int i = 0; i < config->train.slot_size; i++) {
		struct rng rng = sample_stream(worker, slot, i, RNG_CLICKS);
		load_image(worker, slot, i);
		load_target(worker, slot, i);
		if (worker->objective.band >= 0)
			load_band(worker, slot, i);
		if (config->task == TASK_LABELS)
			continue; /* nothing is clicked */
		sampler_first_clicks(&config->sampler, &rng, slot->samples[i]->truth, slot->samples[i]->others, size,
				     size, &worker->clicks[i], worker->workspace);
		load_clicks(worker, i);
		clear_previous_mask(worker, i);
		worker->rounds[i] = (int)rng_below(&rng, (uint32_t)config->max_corrective_rounds + 1);
		most = worker->rounds[i] > most ? worker->rounds[i] : most;
	}
	return most;
}

/* One corrective round, on logits that are there: the samples that still have one get a click where the network is
 * wrong. */
static void correct(struct slot_worker *worker, struct slot *slot, int round)
{
	const struct config *config = worker->config;
	int size = config->train.size;
	for (int i = 0; i < config->train.slot_size; i++) {
		if (round >= worker->rounds[i])
			continue;
		const float *logits =
			executor_data(worker->executor, worker->model->logits) + (size_t)i * plane_floats(worker);
		struct rng stream = sample_stream(worker, slot, i, RNG_CORRECTIVE);
		struct rng rng = rng_substream(&stream, (uint32_t)round);
		threshold_logits(worker, logits, worker->prediction);
		sampler_corrective_click(&config->sampler, &rng, worker->prediction, slot->samples[i]->truth, size,
					 size, &worker->clicks[i], worker->workspace);
		load_clicks(worker, i);
		if (config->model.click_planes > INFER_PLANE_PREVIOUS)
			store_previous_mask(worker, i, logits);
		slot->rounds++;
	}
}

/* Of the object, or the mean over the classes that are there or seen. */
static float sample_iou(struct slot_worker *worker, const struct slot *slot, int i)
{
	int channels = worker->config->task == TASK_LABELS ? worker->config->model.classes : 1;
	size_t count = plane_floats(worker);
	const float *logits =
		executor_data(worker->executor, worker->model->logits) + (size_t)i * (size_t)channels * count;
	if (worker->config->task == TASK_LABELS) {
		struct label_counts counts;
		label_counts_init(&counts, channels);
		labels_of_logits(logits, channels, count, worker->prediction);
		label_counts_add(&counts, worker->prediction, slot->samples[i]->truth, count);
		return (float)label_counts_miou(&counts);
	}
	threshold_logits(worker, logits, worker->prediction);
	return (float)metrics_iou(worker->prediction, slot->samples[i]->truth, count);
}

static float mean_iou(struct slot_worker *worker, const struct slot *slot)
{
	float sum = 0;
	for (int i = 0; i < worker->config->train.slot_size; i++)
		sum += sample_iou(worker, slot, i);
	return sum / (float)worker->config->train.slot_size;
}

/* Forward and backward of what the clicks are now; `share` of the slot's loss and gradient. */
static void learn(struct slot_worker *worker, const struct pass *pass, struct slot *slot, float scale, float share)
{
	executor_forward(worker->executor, pass, worker->objective.loss);
	slot->loss += share * *executor_data(worker->executor, worker->objective.loss);
	slot->iou = mean_iou(worker, slot);
	executor_backward(worker->executor, pass, worker->objective.loss, share * scale);
}

void slot_compute(struct slot_worker *worker, const struct slot_call *call, struct slot *slot)
{
	struct pass training = call->pass;
	bool all = worker->config->train_rounds == TRAIN_ROUNDS_ALL;
	worker->executor = call->executor;
	struct pass looking = call->pass;
	slot->rounds = 0;
	slot->loss = 0;
	int rounds = start_samples(worker, slot);
	float share = all ? 1.0f / (float)(rounds + 1) : 1;
	struct rng dropout = sample_stream(worker, slot, 0, RNG_DROPOUT);
	training.training = true;
	training.param_grads = call->grads;
	training.rng = dropout;
	for (int round = 0; round < rounds; round++) {
		if (all) {
			learn(worker, &training, slot, call->grad_scale, share);
			training.add_grads = true;
			training.rng = rng_substream(&dropout, DROPOUT_ROUNDS + (uint32_t)round);
		} else {
			executor_forward(worker->executor, &looking, worker->model->logits);
		}
		looking.again = true;
		training.again = !training.quantize; /* a training pass measures ranges, of all values */
		correct(worker, slot, round);
	}
	learn(worker, &training, slot, call->grad_scale, share);
}
