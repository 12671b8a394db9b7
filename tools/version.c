/* See version.h. */
#include "tools/version.h"

#include "core/blas.h"
#include "core/kernels.h"
#include "infer/tapcut.h"

/* The build names the commit for this file alone (tools/tools.mk), so that a new one compiles nothing else. */
#ifndef TAPCUT_COMMIT
#define TAPCUT_COMMIT "unknown"
#endif

void version_print(FILE *out)
{
	const struct blas_info *blas = blas_info();
	fprintf(out, "tapcut %s\n", tapcut_version());
	fprintf(out, "commit %s\n", TAPCUT_COMMIT);
	fprintf(out, "instruction set %s\n", kernels()->isa);
	if (blas)
		fprintf(out, "OpenBLAS %s, core %s (%s)\n", blas->version, blas->core, blas->library);
	else
		fprintf(out, "OpenBLAS none: %s\n", status_message());
}
