/* Files that come with the project: the shipped model, scripts. */
#ifndef TOOLS_PROJECT_FILE_H
#define TOOLS_PROJECT_FILE_H

#include <stdbool.h>

enum { PROJECT_PATH_SIZE = 4096 };

/* The file `name` of the current folder, or of the project that this program was built in (PROJECT/build/tapcut), or
 * for an installed program (PREFIX/bin/tapcut) PREFIX/share/tapcut. False if it is in none. */
bool project_file_find(const char *name, char path[PROJECT_PATH_SIZE]);

#endif
