/* See max_flow.h. The algorithm is Boykov and Kolmogorov's (PAMI 2004): a tree of unsaturated edges grows from the
 * source and one from the sink; where they meet, flow goes along the path; nodes cut off from their tree look for
 * another parent. Distances to the root with time stamps keep the trees shallow, as in Kolmogorov's thesis (2003). */
#include "max_flow.h"

#include <stdbool.h>
#include <string.h>

#include "../common/arena.h"

enum { FREE, SOURCE, SINK };
enum { AT_TERMINAL = INFER_FLOW_DIRECTIONS, ORPHAN, NO_PARENT }; /* parents, next to the directions */

static size_t nodes_of(int w, int h)
{
	return ((size_t)w + 2) * ((size_t)h + 2);
}

/* Its pieces of the workspace. Bytes in all. */
static size_t place(struct infer_flow *f, int w, int h, void *workspace)
{
	struct infer_arena arena = {.memory = workspace};
	size_t nodes = nodes_of(w, h);
	f->residual = infer_arena_take(&arena, nodes * INFER_FLOW_DIRECTIONS * sizeof *f->residual);
	f->terminal = infer_arena_take(&arena, nodes * sizeof *f->terminal);
	f->tree = infer_arena_take(&arena, nodes);
	f->parent = infer_arena_take(&arena, nodes);
	uint32_t **lists[] = {&f->stamp, &f->distance, &f->next_active, &f->next_orphan};
	for (int i = 0; i < 4; i++)
		*lists[i] = infer_arena_take(&arena, nodes * sizeof(uint32_t));
	return arena.used;
}

size_t infer_flow_workspace(int w, int h)
{
	struct infer_flow none;
	return place(&none, w, h, NULL);
}

void infer_flow_start(struct infer_flow *f, int w, int h, void *workspace)
{
	int32_t row = w + 2;
	const int32_t offset[INFER_FLOW_DIRECTIONS] = {-row - 1, -row, -row + 1, -1, 1, row - 1, row, row + 1};
	*f = (struct infer_flow){.w = w, .h = h};
	memcpy(f->offset, offset, sizeof offset);
	memset(workspace, 0, place(f, w, h, workspace));
}

static uint32_t node_at(const struct infer_flow *f, int x, int y)
{
	return (uint32_t)(y + 1) * (uint32_t)(f->w + 2) + (uint32_t)x + 1;
}

void infer_flow_terminals(struct infer_flow *f, int x, int y, int32_t source, int32_t sink)
{
	f->terminal[node_at(f, x, y)] = source - sink;
	f->flow += source < sink ? source : sink;
}

static uint32_t neighbour(const struct infer_flow *f, uint32_t node, int direction)
{
	return (uint32_t)((int32_t)node + f->offset[direction]);
}

static int16_t *residual(const struct infer_flow *f, uint32_t node, int direction)
{
	return &f->residual[(size_t)node * INFER_FLOW_DIRECTIONS + (size_t)direction];
}

void infer_flow_edge(struct infer_flow *f, int x, int y, int direction, int32_t capacity)
{
	uint32_t node = node_at(f, x, y);
	*residual(f, node, direction) = (int16_t)capacity;
	*residual(f, neighbour(f, node, direction), 7 - direction) = (int16_t)capacity;
}

/* --- lists ---------------------------------------------------------------- */

static void append(uint32_t *next, uint32_t *first, uint32_t *last, uint32_t node)
{
	if (next[node])
		return;
	if (*last)
		next[*last] = node;
	else
		*first = node;
	*last = node;
	next[node] = node;
}

static uint32_t take_first(uint32_t *next, uint32_t *first, uint32_t *last)
{
	uint32_t node = *first;
	if (!node)
		return 0;
	if (next[node] == node)
		*first = *last = 0;
	else
		*first = next[node];
	next[node] = 0;
	return node;
}

static void make_active(struct infer_flow *f, uint32_t node)
{
	append(f->next_active, &f->first_active, &f->last_active, node);
}

static void make_orphan(struct infer_flow *f, uint32_t node)
{
	f->parent[node] = ORPHAN;
	append(f->next_orphan, &f->first_orphan, &f->last_orphan, node);
}

/* --- flow along a path ---------------------------------------------------- */

/* The residual of the edge between a node and its parent, in the direction of the flow. */
static int16_t *to_parent(const struct infer_flow *f, uint32_t node, int from_source)
{
	int direction = f->parent[node];
	return from_source ? residual(f, neighbour(f, node, direction), 7 - direction) : residual(f, node, direction);
}

static int32_t bottleneck(const struct infer_flow *f, uint32_t node, int from_source, int32_t least)
{
	for (; f->parent[node] != AT_TERMINAL; node = neighbour(f, node, f->parent[node])) {
		int32_t capacity = *to_parent(f, node, from_source);
		least = capacity < least ? capacity : least;
	}
	int32_t root = from_source ? f->terminal[node] : -f->terminal[node];
	return root < least ? root : least;
}

/* Nodes whose edge to the parent is full become orphans. */
static void push(struct infer_flow *f, uint32_t node, int from_source, int32_t amount)
{
	while (f->parent[node] != AT_TERMINAL) {
		int direction = f->parent[node];
		uint32_t up = neighbour(f, node, direction);
		int16_t *forward = to_parent(f, node, from_source);
		int16_t *back = from_source ? residual(f, node, direction) : residual(f, up, 7 - direction);
		*forward = (int16_t)(*forward - amount);
		*back = (int16_t)(*back + amount);
		if (*forward == 0)
			make_orphan(f, node);
		node = up;
	}
	f->terminal[node] += from_source ? -amount : amount;
	if (f->terminal[node] == 0)
		make_orphan(f, node);
}

/* `node` is in the source's tree, its neighbour in the sink's. */
static void augment(struct infer_flow *f, uint32_t node, int direction)
{
	uint32_t other = neighbour(f, node, direction);
	int16_t *middle = residual(f, node, direction), *back = residual(f, other, 7 - direction);
	int32_t amount = bottleneck(f, node, 1, *middle);
	amount = bottleneck(f, other, 0, amount);
	*middle = (int16_t)(*middle - amount);
	*back = (int16_t)(*back + amount);
	push(f, node, 1, amount);
	push(f, other, 0, amount);
	f->flow += amount;
}

/* --- trees ---------------------------------------------------------------- */

/* What may flow between a node of a tree and its neighbour, away from the tree's root. */
static int32_t outward(const struct infer_flow *f, uint32_t node, int direction, int tree)
{
	return tree == SOURCE ? *residual(f, node, direction)
			      : *residual(f, neighbour(f, node, direction), 7 - direction);
}

/* Steps from a node to its root; 0: it has none. What was learnt on the way is stamped. */
static uint32_t distance_to_root(struct infer_flow *f, uint32_t start)
{
	uint32_t steps = 0, node = start;
	while (f->stamp[node] != f->time) {
		steps++;
		if (f->parent[node] == AT_TERMINAL) {
			f->stamp[node] = f->time;
			f->distance[node] = 1;
			steps--;
			break;
		}
		if (f->parent[node] >= ORPHAN)
			return 0;
		node = neighbour(f, node, f->parent[node]);
	}
	steps += f->distance[node];
	uint32_t distance = steps;
	for (node = start; f->stamp[node] != f->time; node = neighbour(f, node, f->parent[node])) {
		f->stamp[node] = f->time;
		f->distance[node] = distance--;
	}
	return steps;
}

/* A node without a new parent leaves its tree; its children are orphans, and neighbours may reach it again. */
static void release(struct infer_flow *f, uint32_t node)
{
	int tree = f->tree[node];
	for (int d = 0; d < INFER_FLOW_DIRECTIONS; d++) {
		uint32_t other = neighbour(f, node, d);
		if (f->tree[other] != tree)
			continue;
		if (outward(f, other, 7 - d, tree) > 0)
			make_active(f, other);
		if (f->parent[other] == 7 - d)
			make_orphan(f, other);
	}
	f->tree[node] = FREE;
	f->parent[node] = NO_PARENT;
}

/* The parent nearest to the root, if there is one. */
static void adopt(struct infer_flow *f, uint32_t node)
{
	int tree = f->tree[node], best = NO_PARENT;
	uint32_t least = UINT32_MAX;
	for (int d = 0; d < INFER_FLOW_DIRECTIONS; d++) {
		uint32_t other = neighbour(f, node, d);
		if (f->tree[other] != tree || outward(f, other, 7 - d, tree) == 0)
			continue;
		uint32_t distance = distance_to_root(f, other);
		if (distance && distance < least) {
			least = distance;
			best = d;
		}
	}
	if (best == NO_PARENT) {
		release(f, node);
		return;
	}
	f->parent[node] = (uint8_t)best;
	f->stamp[node] = f->time;
	f->distance[node] = least + 1;
}

static void take_in(struct infer_flow *f, uint32_t node, uint32_t parent, int direction_to_parent)
{
	f->tree[node] = f->tree[parent];
	f->parent[node] = (uint8_t)direction_to_parent;
	f->stamp[node] = f->stamp[parent];
	f->distance[node] = f->distance[parent] + 1;
}

/* Looks at all neighbours of an active node. */
static void grow(struct infer_flow *f, uint32_t node)
{
	for (int d = 0; d < INFER_FLOW_DIRECTIONS && f->tree[node] != FREE; d++) {
		uint32_t other = neighbour(f, node, d);
		int tree = f->tree[node];
		while (outward(f, node, d, tree) > 0 && f->tree[node] == tree) {
			if (f->tree[other] == FREE) {
				take_in(f, other, node, 7 - d);
				make_active(f, other);
				break;
			}
			if (f->tree[other] == tree) {
				if (f->stamp[other] <= f->stamp[node] && f->distance[other] > f->distance[node] + 1)
					take_in(f, other, node, 7 - d);
				break;
			}
			f->time++;
			if (tree == SOURCE)
				augment(f, node, d);
			else
				augment(f, other, 7 - d);
			for (uint32_t orphan;
			     (orphan = take_first(f->next_orphan, &f->first_orphan, &f->last_orphan)) != 0;)
				adopt(f, orphan);
		}
	}
}

int64_t infer_flow_run(struct infer_flow *f)
{
	memset(f->parent, NO_PARENT, nodes_of(f->w, f->h));
	for (int y = 0; y < f->h; y++)
		for (int x = 0; x < f->w; x++) {
			uint32_t node = node_at(f, x, y);
			if (f->terminal[node] == 0)
				continue;
			f->tree[node] = f->terminal[node] > 0 ? SOURCE : SINK;
			f->parent[node] = AT_TERMINAL;
			f->distance[node] = 1;
			make_active(f, node);
		}
	for (uint32_t node; (node = take_first(f->next_active, &f->first_active, &f->last_active)) != 0;)
		grow(f, node);
	return f->flow;
}

bool infer_flow_is_source(const struct infer_flow *f, int x, int y)
{
	return f->tree[node_at(f, x, y)] == SOURCE;
}
