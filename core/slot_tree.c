/* See slot_tree.h: why gradients of a batch have the same sum on any number of threads.
 *
 * A pass over whole gradient buffers per level of the tree would fetch every intermediate sum from memory again.
 * The floats are independent of each other, so the whole tree is walked for one block of them while that lies in
 * the cache. */
#include "core/slot_tree.h"

#include <assert.h>

enum { BLOCK = 2048 }; /* 8 KiB of each slot: 16 slots fill 128 KiB */

struct tree {
	float *const *slots;
	int count;
	size_t total;
};

static void add(float *restrict sum, const float *restrict other, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sum[i] += other[i];
}

static void sum_block(void *context, int block, int thread)
{
	(void)thread;
	const struct tree *tree = context;
	size_t begin = (size_t)block * BLOCK;
	size_t count = tree->total - begin < BLOCK ? tree->total - begin : BLOCK;
	for (int step = 1; step < tree->count; step *= 2)
		for (int i = 0; i + step < tree->count; i += 2 * step)
			add(tree->slots[i] + begin, tree->slots[i + step] + begin, count);
}

void slot_tree_sum(struct workers *workers, float *const *slots, int count, size_t total)
{
	assert(count >= 1 && count <= 1 << 20 && total <= (size_t)BLOCK << 30);
	struct tree tree = {.slots = slots, .count = count, .total = total};
	workers_run(workers, (int)((total + BLOCK - 1) / BLOCK), sum_block, &tree);
}
