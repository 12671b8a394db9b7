/* See slot_tree.h: why gradients of a batch have the same sum on any number of threads.
 *
 * A pass over whole gradient buffers per level of the tree would fetch every intermediate sum from memory again.
 * The floats are independent of each other, so the whole tree is walked for one block of them while that lies in
 * the cache; branches of eight slots are added in one go. */
#include "core/slot_tree.h"

#include <assert.h>

#include "core/kernels.h"

enum { BLOCK = 2048 }; /* 8 KiB of each slot */

struct tree {
	float *const *slots;
	int count, first, end;
	size_t total;
};

/* Floats of every slot. */
struct block {
	size_t begin, count;
};

/* The branch over slots from..from+count-1, as far as they are among first..end-1; its sum ends in slot `from`. The
 * left half is the largest whole power of two. */
static void sum_branch(const struct tree *tree, int from, int count, struct block block)
{
	bool whole = from >= tree->first && from + count <= tree->end;
	float *const *slots = tree->slots + from;
	if (count == 1 || from >= tree->end || from + count <= tree->first)
		return;
	if (whole && count == 8) {
		kernels()->slot_sum_8(slots, block.begin, block.count);
	} else if (whole && count == 4) {
		kernels()->slot_sum_4(slots, block.begin, block.count);
	} else {
		int left = 1;
		while (2 * left < count)
			left *= 2;
		sum_branch(tree, from, left, block);
		sum_branch(tree, from + left, count - left, block);
		if (whole)
			kernels()->slot_sum_2((float *[]){slots[0], slots[left]}, block.begin, block.count);
	}
}

static void sum_block(void *context, int index, int thread)
{
	(void)thread;
	const struct tree *tree = context;
	struct block block = {.begin = (size_t)index * BLOCK};
	block.count = tree->total - block.begin < BLOCK ? tree->total - block.begin : BLOCK;
	sum_branch(tree, 0, tree->count, block);
}

void slot_tree_sum_part(struct workers *workers, float *const *slots, int count, int first, int end, size_t total)
{
	assert(count >= 1 && count <= 1 << 20 && total <= (size_t)BLOCK << 30);
	struct tree tree = {.slots = slots, .count = count, .first = first, .end = end, .total = total};
	workers_run(workers, (int)((total + BLOCK - 1) / BLOCK), sum_block, &tree);
}

void slot_tree_sum(struct workers *workers, float *const *slots, int count, size_t total)
{
	slot_tree_sum_part(workers, slots, count, 0, count, total);
}

void slot_tree_add(struct workers *workers, float *sum, const float *other, size_t total)
{
	slot_tree_sum(workers, (float *[]){sum, (float *)other}, 2, total);
}
