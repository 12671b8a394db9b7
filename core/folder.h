/* Folders of results. */
#ifndef CORE_FOLDER_H
#define CORE_FOLDER_H

#include "core/status.h"

/* Makes the folder and those above it that are missing, as mkdir -p does. A folder that is there is fine; anything
 * else of that name is an error. */
enum status folder_make(const char *dir);

#endif
