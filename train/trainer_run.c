/* A run from beginning to end (trainer.h). The order of one step: load, compute, check, update, log, save, validate. A
 * checkpoint is taken only between steps, so that a resumed run goes on exactly where the saved one stood: parameters,
 * moments and the step number say everything (randomness is a counter, the loader starts at any sample). */
#include "train/trainer.h"

#include <stdlib.h>

#include "core/backend.h"
#include "core/clock.h"
#include "train/trainer_parts.h"

/* Rank 0 has seen the validations; all must end with the same step. */
static enum status share_patience(struct trainer *trainer)
{
	trainer->patience_over = trainer_leads(trainer) && patience_is_over(&trainer->patience);
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
	bool last = done == trainer_end_step(trainer);
	bool validates = config->data.val[0] && (last || trainer_due(done, config->eval.every));
	if (trainer_leads(trainer) && trainer_due(done, config->train.keep_every))
		TRY(trainer_save_step(trainer));
	if (trainer_leads(trainer) && (done == EARLY_STEP || done == LATER_STEP))
		trainer_note_weights(trainer);
	if (!validates && !last && !trainer_due(done, config->train.checkpoint_every))
		return STATUS_OK;
	TRY(trainer_compare_weights(trainer));
	TRY(trainer_share_photos(trainer));
	if (trainer_leads(trainer))
		TRY(validates ? trainer_save_and_validate(trainer) : trainer_save_last(trainer));
	return share_patience(trainer);
}

/* A run that goes on from a checkpoint whose validation was not done, or that is asked to stop just there, begins with
 * that validation. */
static enum status catch_up(struct trainer *trainer)
{
	const struct run_summary *summary = &trainer->record.summary;
	uint64_t done = trainer->state.step;
	bool has = summary->has_metrics && summary->metrics.step == done;
	if (!trainer_leads(trainer) || !done || has || !trainer->val.object_count) {
		trainer->state.validation_due = false;
		return STATUS_OK;
	}
	bool asked = done == trainer->options->until_step && done < trainer->config->train.steps;
	return trainer->state.validation_due || asked ? trainer_save_and_validate(trainer) : STATUS_OK;
}

/* A request to stop that came in the last validation has found no step to end with. */
static enum status agree_on_end(struct trainer *trainer)
{
	bool owed = trainer_leads(trainer) && trainer->state.validation_due;
	return ranks_agree(trainer->ranks, owed ? trainer_asked_to_stop(trainer) : STATUS_OK);
}

static enum status loop(struct trainer *trainer)
{
	trainer->started = trainer->interval_start = clock_seconds();
	TRY(catch_up(trainer));
	TRY(share_patience(trainer));
	while (trainer->state.step < trainer_end_step(trainer) && !trainer->patience_over) {
		enum status status = trainer_step(trainer);
		if (status == STATUS_INTERRUPTED && trainer_leads(trainer))
			TRY(trainer_save_last(trainer));
		TRY(status);
		TRY(between_steps(trainer));
		progress_update(&trainer->progress, trainer->state.step, "loss %.4f  IoU %.3f",
				trainer->state.smooth_loss, trainer->state.smooth_iou);
	}
	return agree_on_end(trainer);
}

/* What a finished run leaves: best.ckpt even without validation, the weights, the report. */
static enum status finish(struct trainer *trainer)
{
	TRY(trainer_check_foreign_photos(trainer));
	if (!trainer->val.object_count)
		TRY(trainer_save(trainer, "best.ckpt"));
	TRY(trainer_export(trainer, "final.tapcut", true));
	return trainer_write_report(trainer);
}

static void tell_start(struct trainer *trainer)
{
	const struct config *config = trainer->now;
	char summary[512];
	dataset_summary_line(&trainer->train, summary, sizeof summary);
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
				 trainer->changes.items[i].from,
				 trainer_length_note(trainer, &trainer->changes.items[i]));
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

static enum status run(struct trainer *trainer)
{
	TRY(trainer_set_up(trainer));
	if (trainer->options->estimate)
		return trainer_estimate(trainer);
	progress_start(&trainer->progress, "train", trainer_end_step(trainer), trainer->state.step,
		       trainer->options->quiet || !trainer_leads(trainer));
	tell_start(trainer);
	enum status status = loop(trainer);
	if (trainer->state.skipped)
		progress_message(&trainer->progress,
				 "%llu of %llu steps were left out: loss or gradient was not finite",
				 (unsigned long long)trainer->state.skipped, (unsigned long long)trainer->state.step);
	progress_end(&trainer->progress);
	if (status || !is_done(trainer))
		return status;
	if (trainer_leads(trainer))
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
		enum status exported = trainer_export(trainer, "last.ckpt", false);
		status = status ? trainer_asked_to_stop(trainer) : exported; /* the message may have been overwritten */
	}
	bool refused = status == STATUS_CONFIG && !trainer->ready;
	if (trainer->ready) {
		char message[512];
		snprintf(message, sizeof message, "%s", status_message());
		trainer_describe_position(trainer);
		enum status written = trainer_write_manifest(trainer);
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
	if (trainer_leads(&trainer) && trainer.record.dir[0])
		status = conclude(&trainer, status);
	run_state_release(&trainer.state);
	trainer_tear_down(&trainer);
	return status;
}
