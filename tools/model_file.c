/* See model_file.h. */
#include "tools/model_file.h"

#include <stdio.h>

#define SHIPPED_MODEL "infer/models/base.tapcut"

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
	if (tapcut_model_load_file(used, model, message) == TAPCUT_OK)
		return true;
	fprintf(stderr, "tapcut %s: %s\n", command, message);
	return false;
}
