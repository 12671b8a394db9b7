/* See trainer.h. The order of one step: load, compute, check, update, log, save, validate. A checkpoint is taken
 * only between steps, so that a resumed run goes on exactly where the saved one stood: parameters, moments and the
 * step number say everything (randomness is a counter, the loader starts at any sample). */
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "convert/export.h"
#include "core/atomic_file.h"
#include "core/backend.h"
#include "core/build_commit.h"
#include "core/clock.h"
#include "core/folder.h"
#include "core/sha256.h"
#include "data/draw.h"
#include "train/batch.h"
#include "train/config/config_file.h"
#include "train/finite.h"
#include "train/init_weights.h"
#include "train/objective.h"
#include "train/patience.h"
#include "train/record/photo_record.h"
#include "train/record/progress.h"
#include "train/record/run_log.h"
#include "train/record/run_manifest.h"
#include "train/record/run_record.h"
#include "train/record/run_report.h"
#include "train/run_state.h"
#include "train/training_set.h"
#include "train/validate.h"

struct trainer {
	const struct config *config; /* the whole run's */
	struct config *now;          /* as it holds in the stage that the model and the batch are built for */
	int stage;
	const struct train_options *options;
	struct ranks *ranks;
	int threads;
	struct dataset train, val; /* val.object_count == 0: no validation */
	struct draw *draw;         /* NULL: every object once per epoch */
	struct params params;
	struct model model;
	struct init_weights init;      /* what init.weights gave */
	struct config_changes changes; /* what is otherwise than in the checkpoint that the run goes on from */
	struct finite_watch watch;
	struct patience patience; /* rank 0's; all know whether it is over */
	bool patience_over;
	struct objective objective;
	struct optim optim;
	struct workers *workers;
	struct batch batch;
	struct loader *loader;
	struct run_log log;
	struct run_record record;
	struct run_manifest manifest;
	struct photo_digests *photos; /* of the training set */
	int photos_written;           /* how many are in photos.csv */
	bool ready;                   /* all is set up: the state is that of the run */
	struct progress progress;
	struct run_state state;
	double started;
	/* Since the last log line. */
	double interval_start, interval_loss, interval_iou, interval_wait;
	int interval_steps, interval_samples, interval_rounds;
};

/* Rank 0 alone writes files, validates and speaks. */
static bool leads(const struct trainer *trainer)
{
	return trainer->ranks->rank == 0;
}

static void out_path(const struct trainer *trainer, const char *name, char path[1024])
{
	snprintf(path, 1024, "%s/%s", trainer->options->out_dir, name);
}

/* --- set-up --------------------------------------------------------------- */

static enum status open_data(struct trainer *trainer)
{
	const struct config *config = trainer->config;
	TRY(training_set_open(&trainer->train, &trainer->draw, config, trainer->state.data_digest));
	TRY(photo_digests_new(trainer->train.photo_count, &trainer->photos));
	trainer->train.photo_digests = trainer->photos;
	if (config->data.val[0] && leads(trainer))
		TRY(validation_set_open(&trainer->val, config));
	return STATUS_OK;
}

/* The samples that this run has taken: the number of the next one. */
static uint64_t samples_taken(const struct trainer *trainer)
{
	return config_samples(trainer->config, trainer->state.step);
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
	out_path(trainer, "last.ckpt", path);
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
		.first = samples_taken(trainer) + (uint64_t)batch->core.first_slot * (uint64_t)config->train.slot_size,
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
static enum status enter_stage(struct trainer *trainer)
{
	char text[80];
	int stage = config_stage_at(trainer->config, trainer->state.step);
	if (stage == trainer->stage)
		return STATUS_OK;
	TRY(ranks_agree(trainer->ranks, rebuild(trainer, stage)));
	snprintf(text, sizeof text, "stage %d of %d", stage + 1, trainer->config->stage_count);
	progress_message(&trainer->progress, "step %llu: %s", (unsigned long long)trainer->state.step, text);
	return leads(trainer) ? run_log_event(&trainer->log, trainer->state.step, "stage", text) : STATUS_OK;
}

/* The resolved config in the run's folder. */
static enum status write_config(struct trainer *trainer)
{
	char path[1024];
	char *text = config_to_json(trainer->config);
	if (!text)
		return status_fail(STATUS_NO_MEMORY, "no memory for the config");
	out_path(trainer, "config.json", path);
	enum status status = atomic_file_write(path, &(struct file_part){text, strlen(text)}, 1);
	free(text);
	return status;
}

static enum status read_patience(struct trainer *trainer)
{
	char path[1024];
	patience_init(&trainer->patience, trainer->config);
	out_path(trainer, "log.jsonl", path);
	return patience_read_log(&trainer->patience, path);
}

/* What going on with another length means: the schedules are curves over the whole length, the constant one is not. */
static const char *length_note(const struct trainer *trainer, const struct config_change *change)
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
			 length_note(trainer, change));
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
	out_path(trainer, "manifest.json", path);
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
	bool writes = leads(trainer) && !trainer->options->estimate;
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

static enum status compare_weights(struct trainer *trainer)
{
	return ranks_compare(trainer->ranks, "weights", trainer->params.values, trainer->params.total * sizeof(float));
}

/* Ranks that began with different files or arguments would end with weights that nobody asked for. */
static enum status set_up(struct trainer *trainer)
{
	TRY(ranks_agree(trainer->ranks, set_up_here(trainer)));
	char *text = config_to_json(trainer->config);
	TRY(ranks_agree(trainer->ranks, text ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "no memory for the config")));
	enum status status = ranks_compare(trainer->ranks, "config", text, strlen(text));
	free(text);
	TRY(status);
	TRY(ranks_compare(trainer->ranks, "data.train", trainer->state.data_digest, sizeof trainer->state.data_digest));
	TRY(ranks_compare(trainer->ranks, "last.ckpt", &trainer->state.step, sizeof trainer->state.step));
	TRY(compare_weights(trainer));
	char path[1024];
	out_path(trainer, "last.ckpt", path);
	ranks_watch(trainer->ranks, path);
	trainer->ready = true;
	return STATUS_OK;
}

static void tear_down(struct trainer *trainer)
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

/* --- one step ------------------------------------------------------------- */

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
	return leads(trainer) ? run_log_event(&trainer->log, number, "skip", "loss or gradient is not finite")
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
	uint64_t samples = samples_taken(trainer);
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

static bool must_stop(const struct trainer *trainer)
{
	return trainer->options->stop && *trainer->options->stop;
}

static enum status asked_to_stop(const struct trainer *trainer)
{
	return status_fail(STATUS_INTERRUPTED, "asked to stop after step %llu of %llu; --resume auto goes on",
			   (unsigned long long)trainer->state.step, (unsigned long long)trainer->config->train.steps);
}

/* The samples of the next step. STATUS_INTERRUPTED on all ranks when one of them has been asked to stop. */
static enum status load(struct trainer *trainer)
{
	enum status status;
	if (must_stop(trainer))
		status = asked_to_stop(trainer);
	else
		status = batch_load(&trainer->batch, trainer->loader, samples_taken(trainer));
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
static bool quantizes(const struct trainer *trainer)
{
	return trainer->now->model.quantize && trainer->state.step >= trainer->now->quantize_from;
}

static enum status step(struct trainer *trainer)
{
	const struct config *config = trainer->config;
	struct batch_result result;
	bool usable;
	TRY(enter_stage(trainer));
	TRY(load(trainer));
	note_photos(trainer);
	batch_compute(&trainer->batch, trainer->params.values, quantizes(trainer), &result);
	batch_give_back(&trainer->batch, trainer->loader);
	const float *grads = trainer->batch.sum;
	double norm = optim_grad_norm(trainer->workers, &trainer->params, grads);
	double lr = schedule_lr(&trainer->now->schedule, trainer->state.step);
	TRY(check_finite(trainer, result.loss, norm, &usable));
	if (usable)
		optim_step(&trainer->optim, trainer->workers, &trainer->params, grads, lr, norm);
	count_step(trainer, &result, usable);
	if (!leads(trainer))
		return STATUS_OK;
	if (trainer->state.step % (uint64_t)config->train.log_every == 0 || trainer->state.step == config->train.steps)
		TRY(log_interval(trainer, lr, norm));
	return STATUS_OK;
}

/* --- between steps -------------------------------------------------------- */

static enum status save(const struct trainer *trainer, const char *name)
{
	char path[1024];
	out_path(trainer, name, path);
	return run_state_save(path, trainer->config, &trainer->state, &trainer->params, &trainer->optim);
}

static void describe_position(struct trainer *trainer)
{
	struct run_summary *summary = &trainer->record.summary;
	summary->step = trainer->state.step;
	summary->steps = trainer->config->train.steps;
	summary->samples = samples_taken(trainer);
	summary->skipped = trainer->state.skipped;
}

/* The manifest as the run stands, in its file and in the summary. */
static enum status write_manifest(struct trainer *trainer)
{
	struct run_manifest *manifest = &trainer->manifest;
	struct run_summary *summary = &trainer->record.summary;
	struct text text;
	uint8_t digest[32];
	free(manifest->history);
	manifest->history = trainer->state.history ? strdup(trainer->state.history) : NULL;
	manifest->step = trainer->state.step;
	manifest->samples = summary->samples;
	manifest->photos = photo_digests_all(trainer->photos, digest);
	sha256_hex(digest, manifest->photos_sha256);
	manifest->seconds = run_record_seconds(&trainer->record);
	memcpy(manifest->result_file, summary->result.file, sizeof manifest->result_file);
	memcpy(manifest->result_sha256, summary->result.sha256, sizeof manifest->result_sha256);
	manifest->result_bytes = summary->result.bytes;
	run_manifest_stamp(manifest);
	text_init(&text);
	run_manifest_add_short(&text, manifest);
	TRY(text_status(&text));
	free(summary->manifest);
	summary->manifest = text_take(&text);
	return run_manifest_write(manifest, trainer->config, trainer->options->out_dir);
}

/* Before the checkpoint, so that each photo that is in its weights is noted. */
static enum status write_photos(struct trainer *trainer)
{
	uint8_t digest[32];
	int used = photo_digests_all(trainer->photos, digest);
	if (used == trainer->photos_written)
		return STATUS_OK;
	TRY(photo_record_write(trainer->photos, &trainer->train, trainer->options->out_dir));
	trainer->photos_written = used;
	return STATUS_OK;
}

static void note_weights(struct trainer *trainer)
{
	run_manifest_add_weights(&trainer->manifest, trainer->state.step, trainer->params.values,
				 trainer->params.total);
}

/* last.ckpt, and where it stands in manifest and summary. */
static enum status save_last(struct trainer *trainer)
{
	TRY(write_photos(trainer));
	TRY(save(trainer, "last.ckpt"));
	trainer->watch.has_checkpoint = true;
	trainer->watch.checkpoint_step = trainer->state.step;
	trainer->watch.best_step = trainer->state.best_step;
	describe_position(trainer);
	note_weights(trainer);
	TRY(write_manifest(trainer));
	return run_record_update(&trainer->record);
}

/* A checkpoint that stays. */
static enum status save_step(const struct trainer *trainer)
{
	char name[40];
	snprintf(name, sizeof name, "step-%llu.ckpt", (unsigned long long)trainer->state.step);
	return save(trainer, name);
}

/* What the report says of the run beside its curves. */
static int list_facts(const struct trainer *trainer, struct report_fact facts[4])
{
	const struct run_manifest *manifest = &trainer->manifest;
	const struct run_summary *summary = &trainer->record.summary;
	int count = 0;
	facts[count].label = "made by";
	snprintf(facts[count++].value, sizeof facts->value, "commit %.20s, numerics %d, %.120s", manifest->commit,
		 manifest->numerics, manifest->machine);
	facts[count].label = "data";
	snprintf(facts[count++].value, sizeof facts->value, "%d objects, annotations %.16s, %d photos %.16s",
		 manifest->objects, manifest->annotations_sha256, manifest->photos, manifest->photos_sha256);
	if (trainer->state.skipped) {
		facts[count].label = "left out";
		snprintf(facts[count++].value, sizeof facts->value,
			 "%llu of %llu steps: loss or gradient was not finite",
			 (unsigned long long)trainer->state.skipped, (unsigned long long)trainer->state.step);
	}
	if (summary->result.file[0]) {
		facts[count].label = "result";
		snprintf(facts[count++].value, sizeof facts->value, "%s, %llu bytes, SHA-256 %s", summary->result.file,
			 (unsigned long long)summary->result.bytes, summary->result.sha256);
	}
	return count;
}

static enum status write_report(struct trainer *trainer)
{
	struct report_fact facts[4];
	int count = list_facts(trainer, facts);
	return run_report_write(trainer->options->out_dir, trainer->now, &trainer->model,
				optim_best_values(&trainer->optim, &trainer->params),
				trainer->val.object_count ? &trainer->val : &trainer->train, facts, count);
}

static struct run_val as_record(uint64_t step, const struct evaluate_result *result)
{
	return (struct run_val){
		.step = step,
		.instances = (uint64_t)result->instances,
		.noc85 = result->noc85,
		.noc90 = result->noc90,
		.nof90 = (uint64_t)result->nof90,
		.miou1 = result->miou1,
		.miou2 = result->miou2,
		.miou3 = result->miou3,
		.miou5 = result->miou5,
		.biou1 = result->biou1,
		.ms_per_click = result->ms_per_click,
	};
}

static bool is_best(const struct run_state *state, const struct run_val *val)
{
	struct run_val best = {.noc90 = state->best_noc90, .miou1 = state->best_miou1};
	return state->best_step == 0 || run_val_is_better(val, &best);
}

static enum status take_validation(struct trainer *trainer, const struct run_val *val, bool counts)
{
	TRY(run_log_val(&trainer->log, val));
	run_summary_add_validation(&trainer->record.summary, val);
	patience_add(&trainer->patience, val);
	progress_message(&trainer->progress, "step %llu: NoC@85 %.2f  NoC@90 %.2f  mIoU@1 %.1f  (%llu objects)",
			 (unsigned long long)val->step, val->noc85, val->noc90, 100 * val->miou1,
			 (unsigned long long)val->instances);
	if (!counts || !is_best(&trainer->state, val))
		return STATUS_OK;
	trainer->state.best_step = val->step;
	trainer->state.best_noc90 = val->noc90;
	trainer->state.best_miou1 = val->miou1;
	return save(trainer, "best.ckpt");
}

/* `counts`: it may become best.ckpt. One that is made only because the run stops here must not: the run would not end
 * with the same checkpoints as one that never stopped. */
static enum status validate_now(struct trainer *trainer, bool counts)
{
	struct evaluate_result result;
	const float *values = optim_best_values(&trainer->optim, &trainer->params);
	TRY(validate(&trainer->model, trainer->now, values, &trainer->val, trainer->threads, trainer->options->stop,
		     &result));
	struct run_val val = as_record(trainer->state.step, &result);
	evaluate_result_release(&result);
	trainer->state.validation_due = false;
	trainer->interval_start = clock_seconds(); /* samples per second count training alone */
	return take_validation(trainer, &val, counts);
}

static bool due(uint64_t number, int every)
{
	return every > 0 && number % (uint64_t)every == 0;
}

/* The step after which this process ends. */
static uint64_t end_step(const struct trainer *trainer)
{
	uint64_t steps = trainer->config->train.steps, until = trainer->options->until_step;
	return until && until < steps ? until : steps;
}

/* A checkpoint, the validation that is due, a checkpoint that knows of it. The first one is there because a validation
 * may take minutes: who is asked to stop meanwhile, or killed, loses nothing but the validation. */
static enum status save_and_validate(struct trainer *trainer)
{
	const struct config *config = trainer->config;
	uint64_t done = trainer->state.step;
	bool counts = done == config->train.steps || due(done, config->eval.every);
	trainer->state.validation_due = true;
	TRY(save_last(trainer));
	enum status status = validate_now(trainer, counts);
	if (status == STATUS_INTERRUPTED)
		return STATUS_OK; /* the next step finds the request, on all ranks; what it needs is saved */
	TRY(status);
	TRY(save_last(trainer));
	return must_stop(trainer) ? STATUS_OK : write_report(trainer);
}

/* What a rank tells rank 0 of a photo. */
struct seen_photo {
	uint8_t used, digest[32];
};

static enum status receive_photos(struct trainer *trainer, struct seen_photo *seen)
{
	size_t bytes = (size_t)trainer->train.photo_count * sizeof *seen;
	enum status status = STATUS_OK;
	for (int rank = 1; rank < trainer->ranks->count; rank++) {
		trainer->ranks->receive(trainer->ranks, rank, seen, bytes);
		for (int i = 0; i < trainer->train.photo_count && status == STATUS_OK; i++)
			if (seen[i].used && !photo_digests_expect(trainer->photos, i, seen[i].digest))
				status = status_fail(STATUS_FORMAT,
						     "photo %s is another file on rank %d than on a rank before it",
						     trainer->train.photos[i].file_name, rank);
	}
	return status;
}

/* Each rank has read the photos of its own slots. Rank 0 notes them all, and finds one that is not the same for all. */
static enum status share_photos(struct trainer *trainer)
{
	int count = trainer->train.photo_count;
	if (trainer->ranks->count == 1)
		return STATUS_OK;
	struct seen_photo *seen = calloc((size_t)count + 1, sizeof *seen);
	TRY(ranks_agree(trainer->ranks, seen ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "no memory for photos")));
	enum status status = STATUS_OK;
	for (int i = 0; i < count && !leads(trainer); i++)
		seen[i].used = photo_digests_get(trainer->photos, i, seen[i].digest);
	if (leads(trainer))
		status = receive_photos(trainer, seen);
	else
		trainer->ranks->send(trainer->ranks, 0, seen, (size_t)count * sizeof *seen);
	free(seen);
	return ranks_agree(trainer->ranks, status);
}

/* Rank 0 has all photos' digests but has not read those of other ranks: are they the files that it would read? */
static enum status check_foreign_photos(struct trainer *trainer)
{
	uint8_t digest[32];
	for (int i = 0; i < trainer->train.photo_count && trainer->ranks->count > 1; i++)
		if (photo_digests_get(trainer->photos, i, digest) && !photo_digests_was_read(trainer->photos, i))
			TRY(dataset_check_photo(&trainer->train, i));
	return STATUS_OK;
}

/* Rank 0 has seen the validations; all must end with the same step. */
static enum status share_patience(struct trainer *trainer)
{
	trainer->patience_over = leads(trainer) && patience_is_over(&trainer->patience);
	if (trainer->config->train.patience)
		ranks_tell(trainer->ranks, &trainer->patience_over, sizeof trainer->patience_over);
	return STATUS_OK;
}

/* Steps whose weights are noted beside those of checkpoints, so that a short repetition has something to compare
 * with. */
enum { EARLY_STEP = 20, LATER_STEP = 200 };

static enum status between_steps(struct trainer *trainer)
{
	const struct config *config = trainer->config;
	uint64_t done = trainer->state.step;
	bool last = done == end_step(trainer);
	bool validates = config->data.val[0] && (last || due(done, config->eval.every));
	if (leads(trainer) && due(done, config->train.keep_every))
		TRY(save_step(trainer));
	if (leads(trainer) && (done == EARLY_STEP || done == LATER_STEP))
		note_weights(trainer);
	if (!validates && !last && !due(done, config->train.checkpoint_every))
		return STATUS_OK;
	TRY(compare_weights(trainer));
	TRY(share_photos(trainer));
	if (leads(trainer))
		TRY(validates ? save_and_validate(trainer) : save_last(trainer));
	return share_patience(trainer);
}

/* A run that goes on from a checkpoint whose validation was not done, or that is asked to stop just there, begins with
 * that validation. */
static enum status catch_up(struct trainer *trainer)
{
	const struct run_summary *summary = &trainer->record.summary;
	uint64_t done = trainer->state.step;
	bool has = summary->has_metrics && summary->metrics.step == done;
	if (!leads(trainer) || !done || has || !trainer->val.object_count) {
		trainer->state.validation_due = false;
		return STATUS_OK;
	}
	bool asked = done == trainer->options->until_step && done < trainer->config->train.steps;
	return trainer->state.validation_due || asked ? save_and_validate(trainer) : STATUS_OK;
}

/* A request to stop that came in the last validation has found no step to end with. */
static enum status agree_on_end(struct trainer *trainer)
{
	bool owed = leads(trainer) && trainer->state.validation_due;
	return ranks_agree(trainer->ranks, owed ? asked_to_stop(trainer) : STATUS_OK);
}

static enum status loop(struct trainer *trainer)
{
	trainer->started = trainer->interval_start = clock_seconds();
	TRY(catch_up(trainer));
	TRY(share_patience(trainer));
	while (trainer->state.step < end_step(trainer) && !trainer->patience_over) {
		enum status status = step(trainer);
		if (status == STATUS_INTERRUPTED && leads(trainer))
			TRY(save_last(trainer));
		TRY(status);
		TRY(between_steps(trainer));
		progress_update(&trainer->progress, trainer->state.step, "loss %.4f  IoU %.3f",
				trainer->state.smooth_loss, trainer->state.smooth_iou);
	}
	return agree_on_end(trainer);
}

/* The weights as they are exported, and what the summary says of them. `file`: final.tapcut, which is written, or what
 * they were taken from. */
static enum status export_result(struct trainer *trainer, const char *file, bool write)
{
	struct export_options options = {
		.weights = EXPORT_F32,
		.preprocess = trainer->config->preprocess,
		.default_size = trainer->config->eval.size,
	};
	char path[1024];
	unsigned char *data;
	size_t size;
	out_path(trainer, file, path);
	TRY(export_memory(&trainer->model, &trainer->now->model, optim_best_values(&trainer->optim, &trainer->params),
			  &options, &data, &size));
	enum status status = STATUS_OK;
	if (write)
		status = atomic_file_write(path, &(struct file_part){data, size}, 1);
	run_summary_set_result(&trainer->record.summary, file, data, size);
	free(data);
	return status;
}

/* What a finished run leaves: best.ckpt even without validation, the weights, the report. */
static enum status finish(struct trainer *trainer)
{
	TRY(check_foreign_photos(trainer));
	if (!trainer->val.object_count)
		TRY(save(trainer, "best.ckpt"));
	TRY(export_result(trainer, "final.tapcut", true));
	return write_report(trainer);
}

static void tell_start(struct trainer *trainer)
{
	const struct config *config = trainer->now;
	char summary[512] = "";
	FILE *text = fmemopen(summary, sizeof summary - 1, "w");
	if (text) {
		dataset_print_summary(&trainer->train, text);
		fclose(text);
		summary[strcspn(summary, "\n")] = '\0';
	}
	progress_message(&trainer->progress, "%s", summary);
	progress_message(
		&trainer->progress,
		"%s: %zu parameters, %.0f M multiply-adds forward at %dx%d; %.0f MiB for %d threads; %s, core %s",
		config->name, trainer->params.total, trainer->model.graph.forward_macs / config->train.slot_size * 1e-6,
		config->train.size, config->train.size, (double)batch_bytes(&trainer->batch) / (1 << 20),
		trainer->threads, backend_current()->name, backend_current()->core_name());
	if (trainer->init.loaded)
		progress_message(&trainer->progress, "%s: a %s; %d tensors loaded, %d ignored, %d parameters not in it",
				 config->init_weights[0] ? config->init_weights : config->init_trunk,
				 trainer->init.kind, trainer->init.loaded, trainer->init.ignored,
				 trainer->init.missing);
	for (int i = 0; i < trainer->changes.count; i++)
		progress_message(&trainer->progress, "%s is %s from here on, it was %s%s",
				 trainer->changes.items[i].key, trainer->changes.items[i].to,
				 trainer->changes.items[i].from, length_note(trainer, &trainer->changes.items[i]));
	if (trainer->ranks->count > 1)
		progress_message(&trainer->progress, "%d ranks, %d of them on this machine", trainer->ranks->count,
				 trainer->ranks->machine_ranks);
	if (trainer->threads > workers_processors())
		progress_message(&trainer->progress,
				 "%d threads on %d processors: for mpirun's --bind-to see "
				 "train/README.md",
				 trainer->threads, workers_processors());
	if (config->stage_count)
		progress_message(&trainer->progress, "stage %d of %d", trainer->stage + 1, config->stage_count);
	if (trainer->state.step)
		progress_message(&trainer->progress, "resuming after step %llu of %llu",
				 (unsigned long long)trainer->state.step, (unsigned long long)config->train.steps);
}

/* All that was to be done is done: it has all its steps, or is at the end of its patience. */
static bool is_done(const struct trainer *trainer)
{
	return trainer->state.step == trainer->config->train.steps || trainer->patience_over;
}

/* --- an estimate ---------------------------------------------------------- */

enum { MEASURED_STEPS = 3, MEASURED_OBJECTS = 2 };

/* A step without a record of it. */
static enum status measure_step(struct trainer *trainer)
{
	struct batch_result result;
	TRY(load(trainer));
	batch_compute(&trainer->batch, trainer->params.values, quantizes(trainer), &result);
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
	int limit = trainer->config->eval.limit;
	int objects = trainer->val.object_count;
	estimate->validation_objects = limit && limit < objects ? limit : objects;
	if (!objects)
		return STATUS_OK;
	*trainer->now = *trainer->config;
	trainer->now->eval.limit = MEASURED_OBJECTS;
	double start = clock_seconds();
	TRY(validate(&trainer->model, trainer->now, trainer->params.values, &trainer->val, trainer->threads,
		     trainer->options->stop, &result));
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
	uint64_t end = end_step(trainer), begin = trainer->state.step;
	FILE *text = fmemopen(estimate->data, sizeof estimate->data - 1, "w");
	if (text) {
		dataset_print_summary(&trainer->train, text);
		fclose(text);
		estimate->data[strcspn(estimate->data, "\n")] = '\0';
	}
	estimate->objects = trainer->train.object_count;
	estimate->photos = trainer->train.photo_count;
	estimate->parameters = trainer->params.total;
	estimate->multiply_adds = trainer->model.graph.forward_macs / trainer->now->train.slot_size;
	estimate->steps = end > begin ? end - begin : 0;
	estimate->samples = config_samples(config, end) - config_samples(config, begin < end ? begin : end);
	for (uint64_t step = begin + 1; config->data.val[0] && step <= end; step++)
		estimate->validations += step == end || due(step, config->eval.every);
	size_t arrays = 2 + (trainer->optim.second != NULL) + (trainer->optim.average != NULL);
	estimate->weights = trainer->params.total * sizeof(float);
	estimate->checkpoint = arrays * estimate->weights;
	estimate->disk = estimate_disk(trainer, estimate);
}

static enum status make_estimate(struct trainer *trainer)
{
	struct train_estimate *estimate = trainer->options->estimate;
	struct rusage usage;
	*estimate = (struct train_estimate){.steps = 0};
	describe_work(trainer, estimate);
	if (estimate->steps > MEASURED_STEPS)
		TRY(measure_steps(trainer, &estimate->step_seconds));
	if (leads(trainer))
		TRY(measure_validation(trainer, estimate));
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		estimate->memory = (uint64_t)usage.ru_maxrss * 1024;
	return STATUS_OK;
}

/* --- all of it ------------------------------------------------------------ */

static enum status run(struct trainer *trainer)
{
	TRY(set_up(trainer));
	if (trainer->options->estimate)
		return make_estimate(trainer);
	progress_start(&trainer->progress, "train", end_step(trainer), trainer->state.step,
		       trainer->options->quiet || !leads(trainer));
	tell_start(trainer);
	enum status status = loop(trainer);
	if (trainer->state.skipped)
		progress_message(&trainer->progress,
				 "%llu of %llu steps were left out: loss or gradient was not finite",
				 (unsigned long long)trainer->state.skipped, (unsigned long long)trainer->state.step);
	progress_end(&trainer->progress);
	if (status || !is_done(trainer))
		return status;
	if (leads(trainer))
		TRY(finish(trainer));
	return ranks_agree(trainer->ranks, finite_judge(&trainer->watch, trainer->state.skipped, trainer->state.step));
}

static enum run_outcome outcome_of(const struct trainer *trainer, enum status status)
{
	if (trainer->watch.diverged)
		return RUN_DIVERGED;
	if (status == STATUS_INTERRUPTED)
		return RUN_STOPPED;
	if (status != STATUS_OK)
		return RUN_FAILED;
	return is_done(trainer) ? RUN_FINISHED : RUN_STOPPED;
}

static void say_why(const struct trainer *trainer, char *text, size_t size)
{
	unsigned long long steps = (unsigned long long)trainer->config->train.steps;
	if (trainer->patience_over)
		patience_describe(&trainer->patience, text, size);
	else if (is_done(trainer))
		snprintf(text, size, "all %llu steps are done", steps);
	else
		snprintf(text, size, "reached --until-step %llu", (unsigned long long)trainer->options->until_step);
}

/* The summary of how it ended. Where the run stopped it tells what the weights would be if they were exported now. */
static enum status conclude(struct trainer *trainer, enum status status)
{
	char why[160];
	enum run_outcome outcome = outcome_of(trainer, status);
	say_why(trainer, why, sizeof why);
	if (outcome == RUN_STOPPED) {
		enum status exported = export_result(trainer, "last.ckpt", false);
		status = status ? asked_to_stop(trainer) : exported; /* the message may have been overwritten */
	}
	bool refused = status == STATUS_CONFIG && !trainer->ready;
	if (trainer->ready) {
		char message[512];
		snprintf(message, sizeof message, "%s", status_message());
		describe_position(trainer);
		enum status written = write_manifest(trainer);
		status = status ? status_fail(status, "%s", message) : written;
	}
	return run_record_end(&trainer->record, status, refused, outcome, status ? NULL : why);
}

enum status train_run(const struct config *config, const struct train_options *options)
{
	struct ranks alone = {.count = 1, .machine_ranks = 1};
	struct ranks *ranks = options->ranks ? options->ranks : &alone;
	int share = workers_processors() / ranks->machine_ranks;
	struct trainer trainer = {
		.config = config,
		.options = options,
		.ranks = ranks,
		.threads = options->threads ? options->threads
			   : share > 0      ? share
					    : 1,
	};
	params_init(&trainer.params);
	trainer.now = malloc(sizeof *trainer.now);
	enum status status = trainer.now ? run(&trainer) : status_fail(STATUS_NO_MEMORY, "no memory for a config");
	if (leads(&trainer) && trainer.record.dir[0])
		status = conclude(&trainer, status);
	run_state_release(&trainer.state);
	tear_down(&trainer);
	return status;
}
