/* See build_commit.h. */
#include "core/build_commit.h"

static const char *known = "unknown";

const char *build_commit(void)
{
	return known;
}

void build_commit_set(const char *commit)
{
	if (*commit)
		known = commit;
}
