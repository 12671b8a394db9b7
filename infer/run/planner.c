/* Greedy by size: the largest block first, each at the lowest offset where it meets no block that was placed before
 * and lives at the same time (Pisarchyk & Lee, "Efficient memory management for deep neural net inference", arXiv
 * 2001.03288, found this close to optimal). There are some hundred blocks, so nothing cleverer than loops is needed. */
#include "planner.h"

#include <stdbool.h>
#include <stdint.h>

#include "../common/arena.h"
#include "../common/bytes.h"

static bool comes_before(const struct infer_block *blocks, int a, int b)
{
	if (blocks[a].bytes != blocks[b].bytes)
		return blocks[a].bytes > blocks[b].bytes;
	return a < b;
}

static void sort_by_size(const struct infer_block *blocks, int *order, int count)
{
	for (int i = 0; i < count; i++) {
		int k = i;
		for (; k > 0 && comes_before(blocks, i, order[k - 1]); k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
}

static bool alive_together(const struct infer_block *a, const struct infer_block *b)
{
	return a->first <= b->last && b->first <= a->last;
}

/* The lowest offset for `block` among those placed already (order[0..placed)). Each of them that is in the way
 * pushes the offset behind it; then all are looked at again. */
static size_t lowest_offset(const struct infer_block *blocks, const int *order, int placed,
			    const struct infer_block *block)
{
	size_t offset = 0;
	for (int i = 0; i < placed; i++) {
		const struct infer_block *other = &blocks[order[i]];
		if (!alive_together(block, other) || offset >= other->offset + other->bytes ||
		    other->offset >= offset + block->bytes)
			continue;
		offset = other->offset + other->bytes;
		offset = infer_round_up(offset, INFER_ALIGNMENT);
		i = -1;
	}
	return offset;
}

size_t infer_plan(struct infer_block *blocks, int count, int *order)
{
	size_t arena = 0, sum = 0;
	for (int i = 0; i < count; i++) {
		if (blocks[i].bytes > SIZE_MAX / 2 - INFER_ALIGNMENT - sum)
			return SIZE_MAX;
		sum += blocks[i].bytes + INFER_ALIGNMENT;
	}
	sort_by_size(blocks, order, count);
	for (int i = 0; i < count; i++) {
		struct infer_block *block = &blocks[order[i]];
		block->offset = 0;
		if (block->last < block->first)
			continue;
		block->offset = lowest_offset(blocks, order, i, block);
		if (block->offset + block->bytes > arena)
			arena = block->offset + block->bytes;
	}
	return arena;
}
