/* See model_file.h. */
#include "tools/model_file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SHIPPED_MODEL "infer/models/base.tapcut"

/* The shipped model of the current folder's project, else of the program's own. */
static bool find_shipped(char path[MODEL_PATH_SIZE])
{
	char program[MODEL_PATH_SIZE - 64];
	snprintf(path, MODEL_PATH_SIZE, "%s", SHIPPED_MODEL);
	if (access(path, R_OK) == 0)
		return true;
	ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
	if (length <= 0)
		return false;
	program[length] = '\0';
	char *slash = strrchr(program, '/');
	if (!slash)
		return false;
	*slash = '\0';
	snprintf(path, MODEL_PATH_SIZE, "%s/../%s", program, SHIPPED_MODEL);
	return access(path, R_OK) == 0;
}

bool model_file_load(const char *command, const char *path, struct tapcut_model **model, char used[MODEL_PATH_SIZE])
{
	char message[TAPCUT_MESSAGE_SIZE];
	if (!path && !find_shipped(used)) {
		fprintf(stderr, "tapcut %s: no model: " SHIPPED_MODEL " is not here; name one with --model FILE.tapcut\n", command);
		return false;
	}
	if (path)
		snprintf(used, MODEL_PATH_SIZE, "%s", path);
	if (tapcut_model_load_file(used, model, message) == TAPCUT_OK)
		return true;
	fprintf(stderr, "tapcut %s: %s\n", command, message);
	return false;
}
