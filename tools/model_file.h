/* The weights file that a command runs: the one that is named, or the one that comes with tapcut. */
#ifndef TOOLS_MODEL_FILE_H
#define TOOLS_MODEL_FILE_H

#include <stdbool.h>

#include "infer/tapcut.h"
#include "tools/project_file.h"

enum { MODEL_PATH_SIZE = PROJECT_PATH_SIZE };

/* Loads `path`, a weights file or a checkpoint, or where it is NULL the shipped model: infer/models of the current
 * folder, or of the project that this program was built in (PROJECT/build/tapcut). `used` gets the path. False after
 * a message on stderr that begins with "tapcut COMMAND: ". */
bool model_file_load(const char *command, const char *path, struct tapcut_model **model, char used[MODEL_PATH_SIZE]);

#endif
