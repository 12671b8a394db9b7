/* What `tapcut --version` says. */
#ifndef TOOLS_VERSION_H
#define TOOLS_VERSION_H

#include <stdio.h>

/* Version, commit, instruction set of the kernels, OpenBLAS's core: a line each. */
void version_print(FILE *out);

#endif
