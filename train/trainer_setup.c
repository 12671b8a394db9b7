/* Opens what a run stands on: data, network, parameters, batches, folder, manifest; and builds it anew when a stage
 * begins. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "core/backend.h"
#include "core/build_commit.h"
#include "core/folder.h"
#include "core/sha256.h"
#include "data/draw.h"
#include "train/trainer_parts.h"
#include "train/training_set.h"

static enum status open_data(struct trainer *trainer)
{
	const struct config *config = trainer->config;
	TRY(training_set_open(&trainer->train, &trainer->draw, config, trainer->state.data_digest));
	TRY(photo_digests_new(trainer->train.photo_count, &trainer->photos));
	trainer->train.photo_digests = trainer->photos;
	if (config->data.val[0] && trainer_leads(trainer))
		TRY(validation_set_open(&trainer->val, config));
	return STATUS_OK;
}

/* The network of the stage, with fresh parameters and moments. */
static enum status build_model(struct trainer *trainer)
{
	const struct config *config = trainer->now;
	int size = config->train.size;
	TRY(model_build(&trainer->model, &trainer->params, &config->model, config->train.slot_size, size, size));
	TRY(objective_add(&trainer->objective, &trainer->model, config));
	TRY(graph_plan(&trainer->model.graph, GRAPH_TRAINING));
	return params_alloc(&trainer->params, config->seed);
}

static bool has_checkpoint(const struct trainer *trainer, char path[1024])
{
	trainer_out_path(trainer, "last.ckpt", path);
	return trainer->options->resume && access(path, F_OK) == 0;
}

/* Where this run stands, or where the run stood that it branches off from: the stage to build. */
static enum status find_stage(struct trainer *trainer)
{
	char path[1024];
	const char *other = trainer->config->init_checkpoint;
	uint64_t step = 0;
	if (has_checkpoint(trainer, path)) {
		TRY(run_state_step(path, &step));
		step -= step > 0; /* a checkpoint at the edge of two stages holds the earlier one's parameters */
	} else if (other[0]) {
		TRY(run_state_step(other, &step));
		if (step >= trainer->config->train.steps)
			return status_fail(
				STATUS_CONFIG,
				"init.checkpoint: %s stands after step %llu: expected more train.steps than that, "
				"found %llu",
				other, (unsigned long long)step, (unsigned long long)trainer->config->train.steps);
	}
	trainer->stage = config_stage_at(trainer->config, step);
	return config_in_stage(trainer->config, trainer->stage, trainer->now);
}

/* What init.* names, each after the other; the last one to have a parameter decides. */
static enum status load_init(struct trainer *trainer)
{
	const struct config *config = trainer->now;
	if (config->init_trunk[0])
		TRY(init_weights_load(config->init_trunk, "init.trunk", config, &trainer->params, &trainer->init));
	if (config->init_weights[0])
		TRY(init_weights_load(config->init_weights, "init.weights", config, &trainer->params, &trainer->init));
	return STATUS_OK;
}

/* The parameters and moments that the first step of this process finds. */
static enum status start_params(struct trainer *trainer)
{
	const char *other = trainer->config->init_checkpoint;
	char path[1024];
	TRY(load_init(trainer));
	TRY(optim_init(&trainer->optim, &trainer->now->optim, &trainer->params));
	if (!has_checkpoint(trainer, path))
		return other[0] ? run_state_branch(other, &trainer->state, &trainer->params, &trainer->optim)
				: STATUS_OK;
	TRY(run_state_load(path, trainer->config, &trainer->state, &trainer->params, &trainer->optim,
			   &trainer->changes));
	trainer->watch.has_checkpoint = true;
	trainer->watch.checkpoint_step = trainer->state.step;
	trainer->watch.best_step = trainer->state.best_step;
	return photo_record_read(trainer->photos, &trainer->train, trainer->options->out_dir);
}

static enum status start_batches(struct trainer *trainer)
{
	const struct config *config = trainer->now;
	int slots = config->train.batch_size / config->train.slot_size, ranks = trainer->ranks->count;
	if (slots < ranks)
		return status_fail(STATUS_CONFIG,
				   "train.batch_size: expected at least one slot per rank, found %d slots "
				   "for %d ranks",
				   slots, ranks);
	if (!trainer->workers)
		TRY(workers_new(trainer->threads, &trainer->workers));
	TRY(batch_init(&trainer->batch, config, &trainer->model, &trainer->objective, trainer->workers, trainer->ranks,
		       (uint32_t)trainer->train.object_count));
	const struct batch *batch = &trainer->batch;
	int own_samples = (batch->core.end_slot - batch->core.first_slot) * config->train.slot_size;
	struct loader_options options = {
		.dataset = &trainer->train,
		.draw = trainer->draw,
		.augment = config->augment,
		.size = config->train.size,
		.seed = config->seed,
		.first = trainer_samples_taken(trainer) +
			 (uint64_t)batch->core.first_slot * (uint64_t)config->train.slot_size,
		.run = (uint64_t)own_samples,
		.stride = (uint64_t)config->train.batch_size,
		.threads = config->train.loader_threads,
		.prefetch = config->train.prefetch + own_samples, /* the step holds so many */
	};
	return loader_new(&options, &trainer->loader);
}

/* The next stage: another network, batch and loader, in which parameters, moments and average go on. The samples that
 * the old loader has prepared beyond its stage are prepared anew. */
static enum status rebuild(struct trainer *trainer, int stage)
{
	loader_free(trainer->loader);
	trainer->loader = NULL;
	trainer->interval_wait = 0;
	batch_release(&trainer->batch);
	model_release(&trainer->model);
	struct params params = trainer->params;
	struct optim optim = trainer->optim;
	params_init(&trainer->params);
	trainer->optim = (struct optim){0};
	trainer->stage = stage;
	enum status status = config_in_stage(trainer->config, stage, trainer->now);
	if (!status)
		status = build_model(trainer);
	if (!status) {
		params_carry(&params, params.values, &trainer->params, trainer->params.values);
		status = optim_init(&trainer->optim, &trainer->now->optim, &trainer->params);
	}
	if (!status)
		optim_carry(&optim, &params, &trainer->optim, &trainer->params);
	params_release(&params);
	optim_release(&optim);
	return status ? status : start_batches(trainer);
}

/* Before a step: has its stage begun? Called by all ranks; all find the same. */
enum status trainer_enter_stage(struct trainer *trainer)
{
	char text[80];
	int stage = config_stage_at(trainer->config, trainer->state.step);
	if (stage == trainer->stage)
		return STATUS_OK;
	TRY(ranks_agree(trainer->ranks, rebuild(trainer, stage)));
	snprintf(text, sizeof text, "stage %d of %d", stage + 1, trainer->config->stage_count);
	progress_message(&trainer->progress, "step %llu: %s", (unsigned long long)trainer->state.step, text);
	return trainer_leads(trainer) ? run_log_event(&trainer->log, trainer->state.step, "stage", text) : STATUS_OK;
}

/* The resolved config in the run's folder. */
static enum status write_config(struct trainer *trainer)
{
	char path[1024];
	char *text = config_to_json(trainer->config);
	if (!text)
		return status_fail(STATUS_NO_MEMORY, "no memory for the config");
	trainer_out_path(trainer, "config.json", path);
	enum status status = atomic_file_write(path, &(struct file_part){text, strlen(text)}, 1);
	free(text);
	return status;
}

static enum status read_patience(struct trainer *trainer)
{
	char path[1024];
	patience_init(&trainer->patience, trainer->config);
	trainer_out_path(trainer, "log.jsonl", path);
	return patience_read_log(&trainer->patience, path);
}

/* What going on with another length means: the schedules are curves over the whole length, the constant one is not. */
const char *trainer_length_note(const struct trainer *trainer, const struct config_change *change)
{
	struct schedule_config before = trainer->config->schedule;
	if (strcmp(change->key, "train.steps") != 0)
		return "";
	before.total_steps = strtoull(change->from, NULL, 10);
	for (uint64_t step = 0; step < trainer->state.step; step++)
		if (schedule_lr(&before, step) != schedule_lr(&trainer->config->schedule, step))
			return ": from here on the learning rate is that of the new length, so that the weights will "
			       "not be "
			       "those of a run that had it from the beginning";
	return ": the same weights as of a run that had this length from the beginning";
}

static enum status log_changes(struct trainer *trainer)
{
	for (int i = 0; i < trainer->changes.count; i++) {
		const struct config_change *change = &trainer->changes.items[i];
		char text[512];
		snprintf(text, sizeof text, "%s is %s from here on, it was %s%s", change->key, change->to, change->from,
			 trainer_length_note(trainer, change));
		TRY(run_log_event(&trainer->log, trainer->state.step, "change", text));
	}
	return STATUS_OK;
}

static enum status begin_record(struct trainer *trainer)
{
	TRY(folder_make(trainer->options->out_dir));
	return run_record_begin(&trainer->record, trainer->options->out_dir, trainer->options->resume);
}

static void describe_machine(const struct trainer *trainer, char *text, size_t size)
{
	snprintf(text, size, "%s, core %s; compiler %s; %d threads, %d ranks; host %s", backend_current()->name,
		 backend_current()->core_name(), __VERSION__, trainer->threads, trainer->ranks->count,
		 trainer->record.summary.host);
}

/* What is known before the first step. Of a run that goes on, the weights up to its checkpoint stay noted. */
static enum status begin_manifest(struct trainer *trainer)
{
	struct run_manifest *manifest = &trainer->manifest, before;
	const struct config *config = trainer->config;
	char path[1024];
	uint8_t digest[32];
	run_manifest_init(manifest);
	trainer_out_path(trainer, "manifest.json", path);
	if (trainer->state.step && run_manifest_read(&before, path, NULL) == STATUS_OK) {
		memcpy(manifest->started, before.started, sizeof manifest->started);
		for (int i = 0; i < before.weights_count && before.weights[i].step <= trainer->state.step; i++)
			manifest->weights[manifest->weights_count++] = before.weights[i];
		run_manifest_release(&before);
	}
	TRY(config_digest(config, digest));
	sha256_hex(digest, manifest->config_sha256);
	manifest->seed = config->seed;
	manifest->objects = trainer->train.object_count;
	sha256_hex(trainer->state.data_digest, manifest->annotations_sha256);
	snprintf(manifest->commit, sizeof manifest->commit, "%s", build_commit());
	describe_machine(trainer, manifest->machine, sizeof manifest->machine);
	if (trainer->init.kind) {
		snprintf(manifest->init_file, sizeof manifest->init_file, "%s",
			 config->init_weights[0] ? config->init_weights : config->init_trunk);
		sha256_hex(trainer->init.digest, manifest->init_sha256);
	}
	if (config->init_checkpoint[0]) {
		snprintf(manifest->init_file, sizeof manifest->init_file, "%s", config->init_checkpoint);
		TRY(sha256_file(config->init_checkpoint, digest));
		sha256_hex(digest, manifest->init_sha256);
	}
	return STATUS_OK;
}

static enum status set_up_here(struct trainer *trainer)
{
	bool writes = trainer_leads(trainer) && !trainer->options->estimate;
	if (writes)
		TRY(begin_record(trainer));
	TRY(backend_select(trainer->config->backend));
	TRY(open_data(trainer));
	TRY(find_stage(trainer));
	TRY(build_model(trainer));
	TRY(start_params(trainer));
	if (writes) {
		TRY(write_config(trainer));
		TRY(run_log_open(&trainer->log, trainer->options->out_dir, trainer->state.step,
				 !trainer->state.validation_due));
		if (trainer->config->train.tensorboard)
			TRY(run_log_write_events(&trainer->log));
		TRY(run_record_read_log(&trainer->record));
		TRY(read_patience(trainer));
		TRY(log_changes(trainer));
		TRY(begin_manifest(trainer));
	}
	return start_batches(trainer);
}

enum status trainer_compare_weights(struct trainer *trainer)
{
	return ranks_compare(trainer->ranks, "weights", trainer->params.values, trainer->params.total * sizeof(float));
}

/* Ranks that began with different files or arguments would end with weights that nobody asked for. */
enum status trainer_set_up(struct trainer *trainer)
{
	TRY(ranks_agree(trainer->ranks, set_up_here(trainer)));
	char *text = config_to_json(trainer->config);
	TRY(ranks_agree(trainer->ranks, text ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "no memory for the config")));
	enum status status = ranks_compare(trainer->ranks, "config", text, strlen(text));
	free(text);
	TRY(status);
	TRY(ranks_compare(trainer->ranks, "data.train", trainer->state.data_digest, sizeof trainer->state.data_digest));
	TRY(ranks_compare(trainer->ranks, "last.ckpt", &trainer->state.step, sizeof trainer->state.step));
	TRY(trainer_compare_weights(trainer));
	char path[1024];
	trainer_out_path(trainer, "last.ckpt", path);
	ranks_watch(trainer->ranks, path);
	trainer->ready = true;
	return STATUS_OK;
}

void trainer_tear_down(struct trainer *trainer)
{
	if (trainer->loader)
		loader_free(trainer->loader);
	batch_release(&trainer->batch);
	if (trainer->workers)
		workers_free(trainer->workers);
	photo_digests_free(trainer->photos);
	run_manifest_release(&trainer->manifest);
	run_log_close(&trainer->log);
	optim_release(&trainer->optim);
	model_release(&trainer->model);
	params_release(&trainer->params);
	free(trainer->now);
	draw_free(trainer->draw);
	dataset_release(&trainer->val);
	dataset_release(&trainer->train);
}
