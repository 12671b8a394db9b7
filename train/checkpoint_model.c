/* See checkpoint_model.h. */
#include "train/checkpoint_model.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "convert/file_kind.h"
#include "convert/safetensors.h"
#include "core/checkpoint.h"
#include "train/run_state.h"

/* Sides of the graph that is built; the weights do not depend on it. */
enum { BUILD_SIZE = 64 };

enum status checkpoint_model_new(struct checkpoint_model *loaded, const struct config *config)
{
	loaded->config = *config;
	loaded->averaged = false;
	params_init(&loaded->params);
	enum status status = model_build(&loaded->model, &loaded->params, &config->model, 1, BUILD_SIZE, BUILD_SIZE);
	if (status != STATUS_OK) {
		params_release(&loaded->params);
		return status;
	}
	status = params_alloc(&loaded->params, config->seed);
	if (status != STATUS_OK)
		checkpoint_model_release(loaded);
	return status;
}

enum status checkpoint_model_import(struct checkpoint_model *loaded, const struct config *config, const char *path)
{
	struct safetensors_report report;
	TRY(checkpoint_model_new(loaded, config));
	enum status status = safetensors_import(path, &loaded->params, &report);
	if (status != STATUS_OK)
		checkpoint_model_release(loaded);
	return status;
}

void checkpoint_model_release(struct checkpoint_model *loaded)
{
	model_release(&loaded->model);
	params_release(&loaded->params);
}

static enum status load_values(const struct checkpoint *checkpoint, bool average, struct checkpoint_model *loaded)
{
	size_t bytes = loaded->params.total * sizeof(float);
	const struct checkpoint_section *section = average ? checkpoint_find(checkpoint, "average", SIZE_MAX) : NULL;
	loaded->averaged = section != NULL;
	section = checkpoint_find(checkpoint, section ? "average" : "values", bytes);
	if (!section)
		return STATUS_FORMAT;
	memcpy(loaded->params.values, section->data, bytes);
	return STATUS_OK;
}

static enum status load_sections(const struct checkpoint *checkpoint, const char *path, bool average,
				 struct checkpoint_model *loaded)
{
	struct config config;
	TRY(run_state_config(checkpoint, path, &config));
	TRY(checkpoint_model_new(loaded, &config));
	enum status status = load_values(checkpoint, average, loaded);
	if (status != STATUS_OK)
		checkpoint_model_release(loaded);
	return status;
}

enum status checkpoint_model_load(struct checkpoint_model *loaded, const char *path, bool average)
{
	struct checkpoint checkpoint;
	TRY(file_kind_expect(path, FILE_CHECKPOINT, "a checkpoint"));
	TRY(checkpoint_read(&checkpoint, path));
	enum status status = load_sections(&checkpoint, path, average, loaded);
	if (status != STATUS_OK)
		status_wrap(status, "%s", path);
	checkpoint_release(&checkpoint);
	return status;
}

enum status checkpoint_model_mean(struct checkpoint_model *loaded, const char *path)
{
	struct safetensors_report report;
	float *values = loaded->params.values, *own = malloc(loaded->params.total * sizeof *own);
	if (!own)
		return status_fail(STATUS_NO_MEMORY, "no memory for %zu parameters", loaded->params.total);
	memcpy(own, values, loaded->params.total * sizeof *own);
	enum status status = safetensors_import(path, &loaded->params, &report);
	for (size_t i = 0; !status && i < loaded->params.total; i++)
		values[i] = 0.5f * (values[i] + own[i]);
	free(own);
	return status;
}
