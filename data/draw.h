/* Drawing objects by weight, with replacement: which object sample n of a training run shows depends on the seed, the
 * weights and n alone, so that there is no state to save and a run can go on at any sample. */
#ifndef DATA_DRAW_H
#define DATA_DRAW_H

#include <stdint.h>

#include "core/status.h"

struct draw; /* opaque */

/* weights[count]: finite and at least 0, one of them above 0; only their proportions count. They are rounded to
 * multiples of 2^-40 of the largest (of a larger step where there are more than 4 million), so that sums are exact
 * integers. Refuses other weights with a message that names no file. Owned by the caller. */
enum status draw_new(const double *weights, int count, struct draw **draw);
void draw_free(struct draw *draw);

/* The object of sample `number`: 0 .. count - 1, never one of weight 0. */
int draw_object(const struct draw *draw, uint64_t seed, uint64_t number);

/* SHA-256 of the rounded weights: a run that goes on must find the same. */
void draw_digest(const struct draw *draw, uint8_t digest[32]);

#endif
