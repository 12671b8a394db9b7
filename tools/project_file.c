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
	const char *base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
	ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
	if (length <= 0)
		return false;
	program[length] = '\0';
	char *slash = strrchr(program, '/');
	if (!slash)
		return false;
	*slash = '\0';
	snprintf(path, PROJECT_PATH_SIZE, "%s/../%.60s", program, name);
	if (access(path, R_OK) == 0)
		return true;
	snprintf(path, PROJECT_PATH_SIZE, "%s/../share/tapcut/%.40s", program, base);
	return access(path, R_OK) == 0;
}
