/* Every photo of a data set, decoded as training will decode it. */
#ifndef TOOLS_DATA_CHECK_H
#define TOOLS_DATA_CHECK_H

#include <stdio.h>

#include "data/dataset.h"

/* Decodes all photos, on all processors, and prints a line on `out` for each that cannot be used; *bad is how many. */
enum status data_check_photos(const struct dataset *dataset, FILE *out, int *bad);

/* Sizes of objects and photos, objects per photo. */
void data_print_statistics(const struct dataset *dataset, FILE *out);

#endif
