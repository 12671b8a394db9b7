/* Which commit a program was built from. The build tells main alone, so that a new commit compiles and links nothing
 * but the program; libraries and the records of a run ask here. */
#ifndef CORE_BUILD_COMMIT_H
#define CORE_BUILD_COMMIT_H

/* "1a2b3c4d5e6f", with "-dirty" where files were changed; "unknown" outside a git checkout. Static. */
const char *build_commit(void);

/* Once, before threads start; borrowed for ever. */
void build_commit_set(const char *commit);

#endif
