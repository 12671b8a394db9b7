/* Places blocks that are alive at different times in one arena, so that a network needs the memory of its widest
 * moment instead of the sum of all its values. Knows nothing of networks. */
#ifndef INFER_PLANNER_H
#define INFER_PLANNER_H

#include <stddef.h>

struct infer_block {
	size_t bytes;
	int first, last; /* moments at which the block is alive, both included; last < first: never */
	size_t offset;   /* result */
};

/* Sets every block's offset, a multiple of INFER_ALIGNMENT, such that no two blocks which are alive at one moment
 * overlap. `order` is workspace of `count` ints. Returns the arena's bytes, or SIZE_MAX if that does not fit a size_t.
 * The same blocks give the same result. */
size_t infer_plan(struct infer_block *blocks, int count, int *order);

#endif
