/* See project_file.h. */
#include "tools/project_file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool project_file_find(const char *name, char path[PROJECT_PATH_SIZE])
{
	char program[PROJECT_PATH_SIZE - 64];
	snprintf(path, PROJECT_PATH_SIZE, "%s", name);
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
	snprintf(path, PROJECT_PATH_SIZE, "%s/../%.60s", program, name);
	return access(path, R_OK) == 0;
}
