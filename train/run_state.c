/* See run_state.h. */
#include "train/run_state.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "train/config/config_file.h"

/* The section "state" of a checkpoint, as every version has written it: new members of struct run_state become
 * sections of their own. */
struct saved_state {
	uint64_t step, skipped, best_step;
	double best_noc90, best_miou1;
	double smooth_loss, smooth_iou;
	uint8_t data_digest[32];
};

static struct saved_state to_saved(const struct run_state *state)
{
	struct saved_state saved = {
		.step = state->step,
		.skipped = state->skipped,
		.best_step = state->best_step,
		.best_noc90 = state->best_noc90,
		.best_miou1 = state->best_miou1,
		.smooth_loss = state->smooth_loss,
		.smooth_iou = state->smooth_iou,
	};
	memcpy(saved.data_digest, state->data_digest, sizeof saved.data_digest);
	return saved;
}

static struct run_state from_saved(const struct saved_state *saved)
{
	struct run_state state = {
		.step = saved->step,
		.skipped = saved->skipped,
		.best_step = saved->best_step,
		.best_noc90 = saved->best_noc90,
		.best_miou1 = saved->best_miou1,
		.smooth_loss = saved->smooth_loss,
		.smooth_iou = saved->smooth_iou,
	};
	memcpy(state.data_digest, saved->data_digest, sizeof state.data_digest);
	return state;
}

enum status run_state_save(const char *path, const struct config *config, const struct run_state *state,
			   const struct params *params, const struct optim *optim)
{
	char *text = config_to_json(config);
	if (!text)
		return status_fail(STATUS_NO_MEMORY, "no memory for the config of %s", path);
	size_t bytes = params->total * sizeof(float);
	uint64_t optim_steps = optim->step;
	struct saved_state saved = to_saved(state);
	struct checkpoint checkpoint;
	checkpoint_init(&checkpoint);
	checkpoint_add(&checkpoint, "config", text, strlen(text));
	checkpoint_add(&checkpoint, "state", &saved, sizeof saved);
	checkpoint_add(&checkpoint, "optim_step", &optim_steps, sizeof optim_steps);
	checkpoint_add(&checkpoint, "values", params->values, bytes);
	checkpoint_add(&checkpoint, "first", optim->first, bytes);
	if (optim->second)
		checkpoint_add(&checkpoint, "second", optim->second, bytes);
	if (optim->average)
		checkpoint_add(&checkpoint, "average", optim->average, bytes);
	if (state->history)
		checkpoint_add(&checkpoint, "history", state->history, strlen(state->history));
	if (state->validation_due)
		checkpoint_add(&checkpoint, "validation_due", "", 1);
	enum status status = checkpoint_write(&checkpoint, path);
	checkpoint_release(&checkpoint);
	free(text);
	return status;
}

/* The config as it was given: that of the whole run. */
static enum status whole_config(const struct checkpoint *checkpoint, const char *path, struct config *config)
{
	const struct checkpoint_section *section = checkpoint_find(checkpoint, "config", SIZE_MAX);
	if (!section)
		return STATUS_FORMAT;
	char *text = calloc(1, section->size + 1);
	if (!text)
		return status_fail(STATUS_NO_MEMORY, "no memory for the config of %s", path);
	memcpy(text, section->data, section->size);
	enum status status = config_from_json(config, text, path);
	free(text);
	return status;
}

enum status run_state_config(const struct checkpoint *checkpoint, const char *path, struct config *config)
{
	struct saved_state state = {.step = 0}; /* a checkpoint of weights alone has none: stage 0 */
	struct config *whole = malloc(sizeof *whole);
	enum status status = whole ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "no memory for the config of %s", path);
	if (!status && checkpoint_has(checkpoint, "state")) {
		const struct checkpoint_section *saved = checkpoint_find(checkpoint, "state", sizeof state);
		if (saved)
			memcpy(&state, saved->data, sizeof state);
		status = saved ? STATUS_OK : STATUS_FORMAT;
	}
	if (!status)
		status = whole_config(checkpoint, path, whole);
	if (!status)
		status = config_after(whole, state.step, config);
	free(whole);
	return status;
}

static enum status check_config(const char *path, const struct config *now, const struct checkpoint *checkpoint,
				struct config_changes *changes)
{
	struct saved_state state;
	struct config *saved = malloc(sizeof *saved);
	const struct checkpoint_section *section = checkpoint_find(checkpoint, "state", sizeof state);
	enum status status = saved ? whole_config(checkpoint, path, saved)
				   : status_fail(STATUS_NO_MEMORY, "no memory for the config of %s", path);
	if (!status && !section)
		status = STATUS_FORMAT;
	if (section)
		memcpy(&state, section->data, sizeof state);
	if (!status)
		status = config_check_resume(saved, now, state.step, changes);
	free(saved);
	return status;
}

static enum status load_floats(const struct checkpoint *checkpoint, const char *name, float *to, size_t count)
{
	if (!to)
		return STATUS_OK;
	const struct checkpoint_section *section = checkpoint_find(checkpoint, name, count * sizeof *to);
	if (!section)
		return STATUS_FORMAT;
	memcpy(to, section->data, section->size);
	return STATUS_OK;
}

/* The saved history, and after it what is changed now. */
static enum status load_history(const struct checkpoint *checkpoint, const struct config_changes *changes,
				struct run_state *state)
{
	struct text text;
	text_init(&text);
	if (checkpoint_has(checkpoint, "history")) {
		const struct checkpoint_section *old = checkpoint_find(checkpoint, "history", SIZE_MAX);
		text_add_bytes(&text, old->data, old->size);
	}
	for (int i = 0; i < changes->count; i++) {
		const struct config_change *change = &changes->items[i];
		text_add(&text, "%s{\"step\": %llu, \"key\": \"%s\", \"from\": %s, \"to\": %s}",
			 text.length ? ", " : "", (unsigned long long)state->step, change->key, change->from,
			 change->to);
	}
	enum status status = text_status(&text);
	free(state->history);
	state->history = status == STATUS_OK && text.length ? text_take(&text) : NULL;
	text_release(&text);
	return status;
}

void run_state_release(struct run_state *state)
{
	free(state->history);
	state->history = NULL;
}

static enum status load_sections(const struct checkpoint *checkpoint, const char *path, const struct config *config,
				 struct run_state *state, struct params *params, struct optim *optim,
				 struct config_changes *changes)
{
	const struct checkpoint_section *saved = checkpoint_find(checkpoint, "state", sizeof(struct saved_state));
	const struct checkpoint_section *steps = checkpoint_find(checkpoint, "optim_step", sizeof optim->step);
	if (!saved || !steps)
		return STATUS_FORMAT;
	TRY(check_config(path, config, checkpoint, changes));
	struct saved_state found;
	memcpy(&found, saved->data, sizeof found);
	if (memcmp(found.data_digest, state->data_digest, sizeof found.data_digest) != 0)
		return status_fail(STATUS_CONFIG, "training data changed: its digest is not the one in the checkpoint");
	if (config->train.steps < found.step)
		return status_fail(STATUS_CONFIG, "train.steps: expected at least %llu, which are done, found %llu",
				   (unsigned long long)found.step, (unsigned long long)config->train.steps);
	TRY(load_floats(checkpoint, "values", params->values, params->total));
	TRY(load_floats(checkpoint, "first", optim->first, params->total));
	TRY(load_floats(checkpoint, "second", optim->second, params->total));
	TRY(load_floats(checkpoint, "average", optim->average, params->total));
	memcpy(&optim->step, steps->data, sizeof optim->step);
	*state = from_saved(&found);
	state->validation_due = checkpoint_has(checkpoint, "validation_due");
	return load_history(checkpoint, changes, state);
}

enum status run_state_load(const char *path, const struct config *config, struct run_state *state,
			   struct params *params, struct optim *optim, struct config_changes *changes)
{
	struct checkpoint checkpoint;
	TRY(checkpoint_read(&checkpoint, path));
	enum status status = load_sections(&checkpoint, path, config, state, params, optim, changes);
	if (status)
		status_wrap(status, "%s", path);
	checkpoint_release(&checkpoint);
	return status;
}

/* --- another run's -------------------------------------------------------- */

/* Sides of the network that is built to know where its parameters lie; they do not depend on it. */
enum { BUILD_SIZE = 64 };

/* The parameters of the checkpoint's own network, without values. */
static enum status lay_out(const struct config *config, struct params *params)
{
	struct model model;
	params_init(params);
	TRY(model_build(&model, params, &config->model, 1, BUILD_SIZE, BUILD_SIZE));
	model_release(&model);
	return STATUS_OK;
}

static enum status carry_floats(const struct checkpoint *checkpoint, const char *name, const struct params *from,
				const struct params *params, float *to)
{
	if (!to || !checkpoint_has(checkpoint, name))
		return STATUS_OK;
	const struct checkpoint_section *section = checkpoint_find(checkpoint, name, from->total * sizeof *to);
	if (!section)
		return STATUS_FORMAT;
	params_carry(from, section->data, params, to);
	return STATUS_OK;
}

static enum status branch(const struct checkpoint *checkpoint, const struct config *config, const struct params *from,
			  struct run_state *state, struct params *params, struct optim *optim)
{
	const struct checkpoint_section *saved = checkpoint_find(checkpoint, "state", sizeof(struct saved_state));
	const struct checkpoint_section *steps = checkpoint_find(checkpoint, "optim_step", sizeof optim->step);
	if (!saved || !steps)
		return STATUS_FORMAT;
	if (config->optim.kind != optim->config.kind)
		return status_fail(STATUS_CONFIG, "optim.name: expected \"%s\", whose moments it holds, found \"%s\"",
				   optim_names[config->optim.kind], optim_names[optim->config.kind]);
	TRY(carry_floats(checkpoint, "values", from, params, params->values));
	if (optim->average) /* what the checkpoint has none of: the values that it has */
		memcpy(optim->average, params->values, params->total * sizeof *optim->average);
	TRY(carry_floats(checkpoint, "first", from, params, optim->first));
	TRY(carry_floats(checkpoint, "second", from, params, optim->second));
	TRY(carry_floats(checkpoint, "average", from, params, optim->average));
	memcpy(&optim->step, steps->data, sizeof optim->step);
	struct saved_state found;
	memcpy(&found, saved->data, sizeof found);
	state->step = found.step;
	state->smooth_loss = found.smooth_loss;
	state->smooth_iou = found.smooth_iou;
	return STATUS_OK;
}

enum status run_state_branch(const char *path, struct run_state *state, struct params *params, struct optim *optim)
{
	struct checkpoint checkpoint;
	struct params from;
	struct config *config = malloc(sizeof *config);
	params_init(&from);
	if (!config)
		return status_fail(STATUS_NO_MEMORY, "no memory for the config of %s", path);
	enum status status = checkpoint_read(&checkpoint, path);
	if (status) {
		free(config);
		return status;
	}
	status = run_state_config(&checkpoint, path, config);
	if (!status)
		status = lay_out(config, &from);
	if (!status)
		status = branch(&checkpoint, config, &from, state, params, optim);
	if (status)
		status_wrap(status, "init.checkpoint: %s", path);
	params_release(&from);
	checkpoint_release(&checkpoint);
	free(config);
	return status;
}

enum status run_state_find(const struct checkpoint *checkpoint, struct run_state *state)
{
	struct saved_state found;
	const struct checkpoint_section *saved = checkpoint_find(checkpoint, "state", sizeof found);
	if (!saved)
		return STATUS_FORMAT;
	memcpy(&found, saved->data, sizeof found);
	*state = from_saved(&found);
	state->validation_due = checkpoint_has(checkpoint, "validation_due");
	return STATUS_OK;
}

enum status run_state_step(const char *path, uint64_t *step)
{
	struct checkpoint checkpoint;
	struct saved_state state;
	TRY(checkpoint_read(&checkpoint, path));
	const struct checkpoint_section *saved = checkpoint_find(&checkpoint, "state", sizeof state);
	if (saved) {
		memcpy(&state, saved->data, sizeof state);
		*step = state.step;
	}
	checkpoint_release(&checkpoint);
	return saved ? STATUS_OK : status_wrap(STATUS_FORMAT, "%s", path);
}
