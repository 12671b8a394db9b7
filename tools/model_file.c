/* See model_file.h. */
#include "tools/model_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "convert/file_kind.h"
#include "tools/checkpoint_model.h"
#include "tools/command.h"
#include "train/validate.h"

#define SHIPPED_MODEL "infer/models/base.tapcut"

/* As `tapcut export --weights f32` would write it, in memory. */
static enum status load_checkpoint(const char *path, struct tapcut_model **model)
{
	struct checkpoint_model loaded;
	char message[TAPCUT_MESSAGE_SIZE];
	unsigned char *data;
	size_t size;
	TRY(checkpoint_model_load(&loaded, path, true));
	struct export_options options = deploy_options(&loaded.config, EXPORT_F32);
	enum status status =
		export_memory(&loaded.model, &loaded.config.model, loaded.params.values, &options, &data, &size);
	checkpoint_model_release(&loaded);
	if (status != STATUS_OK)
		return status;
	if (tapcut_model_load_memory(data, size, model, message) != TAPCUT_OK)
		status = status_fail(STATUS_FORMAT, "%s: %s", path, message);
	free(data);
	return status;
}

bool model_file_load(const char *command, const char *path, struct tapcut_model **model, char used[MODEL_PATH_SIZE])
{
	char message[TAPCUT_MESSAGE_SIZE];
	if (!path && !project_file_find(SHIPPED_MODEL, used)) {
		fprintf(stderr,
			"tapcut %s: no model: " SHIPPED_MODEL " is not here; name one with --model FILE.tapcut\n",
			command);
		return false;
	}
	if (path)
		snprintf(used, MODEL_PATH_SIZE, "%s", path);
	if (file_kind_of_path(used) == FILE_CHECKPOINT)
		return load_checkpoint(used, model) == STATUS_OK || (command_failed(command), false);
	if (file_kind_expect(used, FILE_WEIGHTS, "a weights file (.tapcut) or a checkpoint") != STATUS_OK) {
		command_failed(command);
		return false;
	}
	if (tapcut_model_load_file(used, model, message) == TAPCUT_OK)
		return true;
	fprintf(stderr, "tapcut %s: %s\n", command, message);
	return false;
}
