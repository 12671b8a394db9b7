/* What each pixel of a photo is, by its objects' labels (dataset_label); 0 where there is none. Where objects cover
 * each other it is the smaller one: the cup that stands on a table, not the table. */
#ifndef DATA_LABEL_MAP_H
#define DATA_LABEL_MAP_H

#include <stdint.h>

#include "data/dataset.h"

/* labels: width x height bytes of the photo. STATUS_NO_MEMORY, or STATUS_FORMAT where a mask has another size. */
enum status label_map_fill(const struct dataset *dataset, int photo, uint8_t *labels);

/* For those who paint it themselves: the objects from the largest to the smallest. The one after object `than`, or with
 * -1 the first; -1: there is none. */
int label_map_next(const struct dataset *dataset, const struct dataset_photo *photo, int than);

#endif
