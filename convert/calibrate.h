/* Ranges for 8-bit arithmetic (infer/FORMAT.md, section 3) from what a float network's values were on some photos
 * and clicks, and how far the bytes then are from the floats.
 *
 *	calibration_new(&network, &calibration);
 *	infer_runner_watch(runner, calibration_observe, calibration);   // a runner in float
 *	... runs ...
 *	calibration_ranges(calibration, ranges);                          // then network.ranges = ranges */
#ifndef CONVERT_CALIBRATE_H
#define CONVERT_CALIBRATE_H

#include "core/status.h"
#include "infer/network/network.h"

struct calibration;

/* `network` is borrowed. STATUS_CONFIG for a network with an operator that has no 8-bit form. */
enum status calibration_new(const struct infer_network *network, struct calibration **calibration);
void calibration_free(struct calibration *calibration);

/* An infer_runner_watcher; context: the calibration. */
void calibration_observe(void *context, int step, const struct infer_map *map);

/* The ranges of all values, INFER_FIRST_STEP_VALUE + step_count: for values that share one, the range that loses
 * least in the mean square over all that was seen. */
enum status calibration_ranges(const struct calibration *calibration, struct infer_range *ranges);

/* --- what is lost --------------------------------------------------------- */

/* Distance of a network's 8-bit values from its float ones. */
struct calibration_loss {
	double error, square; /* sums of (bytes - float)^2 and of float^2 */
	double worst, most;   /* max |bytes - float|, max |float| */
	double cut;           /* share of numbers that the range cuts off, 0..1 */
	double count;
};

/* Compares: the float runner is observed first, then the 8-bit one, on the same inputs; any number of times. */
struct comparison;
/* network with ranges; borrowed */
enum status comparison_new(const struct infer_network *network, struct comparison **comparison);
void comparison_free(struct comparison *comparison);
/* Watchers of runners; context: the comparison. */
void comparison_observe_float(void *context, int step, const struct infer_map *map);
void comparison_observe_bytes(void *context, int step, const struct infer_map *map);
/* Of all values; those that were never made have count 0. NULL if memory for them ran out. */
const struct calibration_loss *comparison_losses(const struct comparison *comparison);

#endif
