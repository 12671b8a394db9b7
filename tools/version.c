/* See version.h. */
#include "tools/version.h"

#include "core/blas.h"
#include "core/build_commit.h"
#include "core/kernels.h"
#include "infer/tapcut.h"

void version_print(FILE *out)
{
	const struct blas_info *blas = blas_info();
	fprintf(out, "tapcut %s\n", tapcut_version());
	fprintf(out, "commit %s\n", build_commit());
	fprintf(out, "instruction set %s\n", kernels()->isa);
	if (blas)
		fprintf(out, "OpenBLAS %s, core %s (%s)\n", blas->version, blas->core, blas->library);
	else
		fprintf(out, "OpenBLAS none: %s\n", status_message());
}
