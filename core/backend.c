/* See backend.h: which backend is the current one. */
#include "core/backend.h"

#include <string.h>

extern const struct backend backend_native; /* backend_native.c */
extern const struct backend backend_blas;   /* backend_blas.c */

const struct backend *const backend_list[] = {&backend_native, &backend_blas, NULL};

/* Written at start only (backend_select), read by all threads afterwards. */
static const struct backend *current = &backend_native;

enum status backend_select(const char *name)
{
	for (int i = 0; backend_list[i]; i++) {
		if (strcmp(backend_list[i]->name, name) != 0)
			continue;
		enum status status = backend_list[i]->check();
		if (status != STATUS_OK)
			return status_wrap(status, "compute backend \"%s\"", name);
		current = backend_list[i];
		return STATUS_OK;
	}
	return status_fail(STATUS_CONFIG, "unknown compute backend \"%s\": expected \"native\" or \"openblas\"", name);
}

const struct backend *backend_current(void)
{
	return current;
}
