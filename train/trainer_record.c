/* What a run writes between its steps and at its end: checkpoints, validations, manifest, report, weights. */
#include <stdlib.h>
#include <string.h>

#include "convert/export.h"
#include "core/atomic_file.h"
#include "core/clock.h"
#include "core/sha256.h"
#include "train/record/run_report.h"
#include "train/trainer_parts.h"
#include "train/validate.h"

enum status trainer_save(const struct trainer *trainer, const char *name)
{
	char path[1024];
	trainer_out_path(trainer, name, path);
	return run_state_save(path, trainer->config, &trainer->state, &trainer->params, &trainer->optim);
}

void trainer_describe_position(struct trainer *trainer)
{
	struct run_summary *summary = &trainer->record.summary;
	summary->step = trainer->state.step;
	summary->steps = trainer->config->train.steps;
	summary->samples = trainer_samples_taken(trainer);
	summary->skipped = trainer->state.skipped;
}

/* The manifest as the run stands, in its file and in the summary. */
enum status trainer_write_manifest(struct trainer *trainer)
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

void trainer_note_weights(struct trainer *trainer)
{
	run_manifest_add_weights(&trainer->manifest, trainer->state.step, trainer->params.values,
				 trainer->params.total);
}

/* last.ckpt, and where it stands in manifest and summary. */
enum status trainer_save_last(struct trainer *trainer)
{
	TRY(write_photos(trainer));
	TRY(trainer_save(trainer, "last.ckpt"));
	trainer->watch.has_checkpoint = true;
	trainer->watch.checkpoint_step = trainer->state.step;
	trainer->watch.best_step = trainer->state.best_step;
	trainer_describe_position(trainer);
	trainer_note_weights(trainer);
	TRY(trainer_write_manifest(trainer));
	return run_record_update(&trainer->record);
}

/* A checkpoint that stays. */
enum status trainer_save_step(const struct trainer *trainer)
{
	char name[40];
	snprintf(name, sizeof name, "step-%llu.ckpt", (unsigned long long)trainer->state.step);
	return trainer_save(trainer, name);
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

enum status trainer_write_report(struct trainer *trainer)
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
	return trainer_save(trainer, "best.ckpt");
}

/* What the classes are like, which the record of the clicks has no place for. */
static enum status note_labels(struct trainer *trainer, const struct label_counts *labels)
{
	char text[80];
	snprintf(text, sizeof text, "pixel accuracy %.1f %%, mIoU %.1f %%", 100 * label_counts_accuracy(labels),
		 100 * label_counts_miou(labels));
	progress_message(&trainer->progress, "step %llu: labels: %s", (unsigned long long)trainer->state.step, text);
	return run_log_event(&trainer->log, trainer->state.step, "labels", text);
}

/* `counts`: it may become best.ckpt. One that is made only because the run stops here must not: the run would not end
 * with the same checkpoints as one that never stopped. */
static enum status validate_now(struct trainer *trainer, bool counts)
{
	struct evaluate_result result;
	struct label_counts labels;
	const float *values = optim_best_values(&trainer->optim, &trainer->params);
	TRY(validate(&trainer->model, trainer->now, values, &trainer->val, trainer->threads, trainer->options->stop,
		     &result, &labels));
	if (labels.classes)
		TRY(note_labels(trainer, &labels));
	struct run_val val = as_record(trainer->state.step, &result);
	evaluate_result_release(&result);
	trainer->state.validation_due = false;
	trainer->interval_start = clock_seconds(); /* samples per second count training alone */
	return take_validation(trainer, &val, counts);
}

/* A checkpoint, the validation that is due, a checkpoint that knows of it. The first one is there because a validation
 * may take minutes: who is asked to stop meanwhile, or killed, loses nothing but the validation. */
enum status trainer_save_and_validate(struct trainer *trainer)
{
	const struct config *config = trainer->config;
	uint64_t done = trainer->state.step;
	bool counts = done == config->train.steps || trainer_due(done, config->eval.every);
	trainer->state.validation_due = true;
	TRY(trainer_save_last(trainer));
	enum status status = validate_now(trainer, counts);
	if (status == STATUS_INTERRUPTED)
		return STATUS_OK; /* the next step finds the request, on all ranks; what it needs is saved */
	TRY(status);
	TRY(trainer_save_last(trainer));
	return trainer_must_stop(trainer) ? STATUS_OK : trainer_write_report(trainer);
}

/* The weights as they are exported, and what the summary says of them. `file`: final.tapcut, which is written, or what
 * they were taken from. */
enum status trainer_export(struct trainer *trainer, const char *file, bool write)
{
	struct export_options options =
		deploy_options(trainer->config, (enum export_weights)trainer->config->export_weights);
	char path[1024];
	unsigned char *data;
	size_t size;
	trainer_out_path(trainer, file, path);
	TRY(export_memory(&trainer->model, &trainer->now->model, optim_best_values(&trainer->optim, &trainer->params),
			  &options, &data, &size));
	enum status status = STATUS_OK;
	if (write)
		status = atomic_file_write(path, &(struct file_part){data, size}, 1);
	run_summary_set_result(&trainer->record.summary, file, data, size);
	free(data);
	return status;
}
