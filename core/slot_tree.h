/* Adding the gradients of a batch's slots along a fixed pairwise tree: ((0+1)+(2+3))+((4+5)+(6+7)); an odd one
 * passes up unchanged. The tree depends on the number of slots alone, so the sum has the same bits on any number
 * of threads. */
#ifndef CORE_SLOT_TREE_H
#define CORE_SLOT_TREE_H

#include <stddef.h>

#include "core/workers.h"

/* slots: `count` arrays of `total` floats; the sum ends in slots[0]; the others may be overwritten. Threads share the
 * floats, not the tree. */
void slot_tree_sum(struct workers *workers, float *const *slots, int count, size_t total);

/* What of that sum can be made of the slots first..end-1 alone: the additions all of whose slots are among these; each
 * branch's sum ends in its first slot. For slots that are shared out to several processes; slots of others may be
 * NULL. */
void slot_tree_sum_part(struct workers *workers, float *const *slots, int count, int first, int end, size_t total);

/* sum[i] += other[i]. */
void slot_tree_add(struct workers *workers, float *sum, const float *other, size_t total);

#endif
