/* Which values of a network should be bytes in 8-bit arithmetic, and which of them have one range: decided once, from
 * the steps alone, for all who choose ranges (calibrate.c, steps.c). What may be is infer's: infer/network/ranges.c,
 * rows of infer/network/ops.c; infer/FORMAT.md, section 3, has the reasons. */
#ifndef CONVERT_VALUE_STORAGE_H
#define CONVERT_VALUE_STORAGE_H

#include "infer/network/network.h"

struct value_storage {
	enum infer_value_kind kind;
	/* The least value that has the same range: itself, or what it keeps the range of. Inputs of a concat have the
	 * concat's; but those made of clicks alone keep theirs, and the concat brings them to its own. */
	int range_of;
};

/* storages: of every value, INFER_FIRST_STEP_VALUE + step_count. The network has been checked; shapes: of its steps at
 * the default size. */
void value_storages(const struct infer_network *network, const struct infer_shape *shapes,
		    struct value_storage *storages);

/* The range of the clicks, for planes from 0 to click_scale, and of what keeps it, to ranges[]. */
void value_ranges_of_clicks(const struct infer_network *network, float click_scale, struct infer_range *ranges);

#endif
