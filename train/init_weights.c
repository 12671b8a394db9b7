/* See init_weights.h. */
#include "train/init_weights.h"

#include <stdlib.h>
#include <string.h>

#include "convert/file_kind.h"
#include "convert/network_params.h"
#include "convert/network_safetensors.h"
#include "core/atomic_file.h"
#include "core/sha256.h"
#include "infer/tapcut.h"
#include "train/checkpoint_model.h"

enum { MAX_BYTES = 2000 * 1000 * 1000 };

/* --- does the input fit? -------------------------------------------------- */

static bool same_floats(const float *a, const float *b, int count)
{
	return memcmp(a, b, (size_t)count * sizeof *a) == 0;
}

/* The first key of section "input" in which the two differ; NULL: none. */
static const char *input_difference(const struct infer_preprocess *a, const struct infer_preprocess *b)
{
	if (a->bgr != b->bgr)
		return "input.channel_order";
	if (!same_floats(a->mean, b->mean, 3))
		return "input.mean";
	if (!same_floats(a->scale, b->scale, 3))
		return "input.scale";
	if (a->encoding != b->encoding)
		return "input.click_encoding";
	if (a->encoding == INFER_CLICK_DISK && a->radius != b->radius)
		return "input.click_radius";
	if (a->encoding != INFER_CLICK_DISK && a->truncate != b->truncate)
		return "input.click_truncate";
	if (a->click_scale != b->click_scale)
		return "input.click_scale";
	return a->previous_mask != b->previous_mask ? "input.previous_mask" : NULL;
}

static enum status check_input(const struct infer_preprocess *found, const struct config *config)
{
	const char *key = input_difference(found, &config->preprocess);
	if (!key)
		return STATUS_OK;
	return status_fail(
		STATUS_CONFIG,
		"these weights were trained with another %s than this config has; tapcut inspect shows the file's",
		key);
}

/* --- one reader per kind -------------------------------------------------- */

/* By name, into `params`. A parameter of another shape is an error. */
static enum status copy_by_name(const struct params *from, struct params *to, struct init_weights *report)
{
	for (int i = 0; i < from->count; i++) {
		const struct param *source = &from->items[i];
		int index = params_find(to, source->name);
		if (index < 0) {
			report->ignored++;
			continue;
		}
		const struct param *param = &to->items[index];
		if (memcmp(&source->shape, &param->shape, sizeof source->shape) != 0)
			return status_fail(STATUS_CONFIG,
					   "parameter %s: shape (" SHAPE_FORMAT "), section model makes (" SHAPE_FORMAT
					   ")",
					   source->name, SHAPE_ARGS(source->shape), SHAPE_ARGS(param->shape));
		memcpy(to->values + param->offset, from->values + source->offset,
		       shape_count(param->shape) * sizeof *to->values);
		report->loaded++;
	}
	report->missing = to->count - report->loaded;
	if (!report->loaded)
		return status_fail(STATUS_CONFIG, "none of its parameters has the name of one of section model");
	return STATUS_OK;
}

static enum status load_checkpoint(const char *path, const struct config *config, struct params *params,
				   struct init_weights *report)
{
	struct checkpoint_model *saved = malloc(sizeof *saved);
	if (!saved)
		return status_fail(STATUS_NO_MEMORY, "no memory for a checkpoint");
	enum status status = checkpoint_model_load(saved, path, true);
	if (status == STATUS_OK) {
		status = check_input(&saved->config.preprocess, config);
		if (status == STATUS_OK)
			status = copy_by_name(&saved->params, params, report);
		if (status != STATUS_OK)
			status_wrap(status, "%s", path);
		checkpoint_model_release(saved);
	}
	free(saved);
	return status;
}

/* A model of the config without ranges: a weights file's are those of its last training, and are measured anew. */
static enum status load_network(const struct infer_network *network, const struct config *config, struct params *params,
				struct init_weights *report)
{
	struct checkpoint_model *plain = malloc(sizeof *plain);
	struct config *without_ranges = malloc(sizeof *without_ranges);
	enum status status = STATUS_OK;
	if (!plain || !without_ranges)
		status = status_fail(STATUS_NO_MEMORY, "no memory for a model");
	if (status == STATUS_OK) {
		*without_ranges = *config;
		without_ranges->model.quantize = false;
		without_ranges->model.coarse_head = false; /* not deployed */
		status = checkpoint_model_new(plain, without_ranges);
	}
	if (status == STATUS_OK) {
		status = network_params_import(network, &plain->model, &plain->params);
		if (status == STATUS_OK)
			status = copy_by_name(&plain->params, params, report);
		checkpoint_model_release(plain);
	}
	free(without_ranges);
	free(plain);
	return status;
}

static enum status load_weights_file(const void *data, size_t size, const char *path, const struct config *config,
				     struct params *params, struct init_weights *report)
{
	struct infer_network network;
	char message[TAPCUT_MESSAGE_SIZE];
	if (infer_network_parse(data, size, &network, message) != TAPCUT_OK)
		return status_fail(STATUS_FORMAT, "%s: %s", path, message);
	enum status status = check_input(&network.preprocess, config);
	if (status == STATUS_OK)
		status = load_network(&network, config, params, report);
	infer_network_release(&network);
	return status ? status_wrap(status, "%s", path) : STATUS_OK;
}

/* Parameters by name, or a weights file that was written as safetensors. */
static enum status load_safetensors(const char *path, const struct config *config, struct params *params,
				    struct init_weights *report)
{
	struct safetensors file;
	struct safetensors_report found;
	unsigned char *data;
	size_t size;
	TRY(safetensors_read(&file, path));
	if (!network_safetensors_is(&file)) {
		safetensors_release(&file);
		TRY(safetensors_import(path, params, &found));
		report->loaded = found.loaded;
		report->ignored = found.ignored;
		report->missing = found.missing;
		return STATUS_OK;
	}
	enum status status = network_safetensors_import(&file, &data, &size);
	safetensors_release(&file);
	if (status != STATUS_OK)
		return status_wrap(status, "%s", path);
	status = load_weights_file(data, size, path, config, params, report);
	free(data);
	return status;
}

enum status init_weights_load(const char *path, const char *key, const struct config *config, struct params *params,
			      struct init_weights *report)
{
	char *data;
	size_t size;
	struct sha256 sha;
	*report = (struct init_weights){.kind = "safetensors"};
	enum status status = file_read(path, MAX_BYTES, &data, &size);
	if (status != STATUS_OK)
		return status_wrap(status, "%s", key);
	enum file_kind kind = file_kind_of(data, size);
	sha256_init(&sha);
	sha256_update(&sha, data, size);
	sha256_final(&sha, report->digest);
	if (kind == FILE_CHECKPOINT) {
		report->kind = "checkpoint";
		status = load_checkpoint(path, config, params, report);
	} else if (kind == FILE_WEIGHTS) {
		report->kind = "weights file";
		status = load_weights_file(data, size, path, config, params, report);
	} else {
		status = load_safetensors(path, config, params, report);
	}
	free(data);
	return status ? status_wrap(status, "%s", key) : STATUS_OK;
}
