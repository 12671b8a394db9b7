/* What can be done without a network: an object from taps alone, by colour models and a minimum cut
 * (infer/image/graph_cut.h). To compare with. */
#ifndef TRAIN_BASELINE_H
#define TRAIN_BASELINE_H

#include "core/status.h"
#include "data/click.h"
#include "data/image.h"

struct baseline;

/* photo: 3 channels, sides of at most 1024; borrowed as long as the baseline lives. */
enum status baseline_new(const struct image *photo, struct baseline **baseline);
void baseline_free(struct baseline *baseline); /* NULL is allowed */
/* Adds a tap; mask: width x height of the photo, 255 object, 0 not. */
enum status baseline_click(struct baseline *baseline, const struct click *click, uint8_t *mask);

#endif
