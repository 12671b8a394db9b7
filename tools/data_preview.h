/* What training will see of a data set, as a page to look at. */
#ifndef TOOLS_DATA_PREVIEW_H
#define TOOLS_DATA_PREVIEW_H

#include "data/dataset.h"
#include "train/config/config.h"

/* Writes `path`, atomically: objects spread over the set, `count` of them, each with its mask on the photo and a
 * training sample made of it as the config says: crop, simulated first clicks, mask. */
enum status data_preview_write(const char *path, const char *title, const struct dataset *dataset,
			       const struct config *config, int count);

#endif
