/* The objects that a model does worst at, as a page to look at. */
#ifndef TOOLS_EVAL_GALLERY_H
#define TOOLS_EVAL_GALLERY_H

#include "train/evaluate/evaluate.h"

/* Writes `path`, atomically: the `count` objects of the result that need the most clicks to 0.90, among equals those
 * with the least overlap after the last click; each clicked again, with its clicks, its mask and its errors. */
enum status eval_gallery_write(const char *path, const char *title, const struct tapcut_model *model,
			       const struct dataset *dataset, const struct evaluate_options *options,
			       const struct evaluate_result *result, int count);

#endif
