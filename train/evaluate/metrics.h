/* The measures of the interactive protocol (docs/protocol.md, 2 to 4): overlap of masks, and what is read from a curve
 * of overlaps after click 1, 2, 3... Predictions: non-zero = object; truths: TRUTH_* of data/robot.h. */
#ifndef TRAIN_METRICS_H
#define TRAIN_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Intersection over union; ignored pixels leave both terms. 1 when both masks are empty. */
double metrics_iou(const uint8_t *pred, const uint8_t *truth, size_t pixels);

/* IoU of the two masks' inner boundaries (Cheng et al.: "Boundary IoU", CVPR 2021): the pixels that d rounds of 3x3
 * erosion take away, where d = 2 % of the picture's diagonal, at least 1, and the picture's edge erodes too. Ignored
 * pixels are no object in either mask, so what is predicted there changes nothing. `workspace`:
 * metrics_boundary_workspace(w, h) bytes. */
double metrics_boundary_iou(const uint8_t *pred, const uint8_t *truth, int w, int h, void *workspace);
size_t metrics_boundary_workspace(int w, int h);
int metrics_boundary_width(int w, int h);

/* iou[k - 1] is the overlap after click k, for k = 1..count. */

/* NoC: the first k whose overlap is at least `threshold`, `max_clicks` if there is none. */
int metrics_clicks_needed(const double *iou, int count, double threshold, int max_clicks);
bool metrics_reached(const double *iou, int count, double threshold);
/* After click k; where the curve is shorter, its last value. */
double metrics_iou_at(const double *iou, int count, int k);

#endif
