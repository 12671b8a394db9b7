/* Maximum flow on a grid in which each pixel has an edge to its 8 neighbours, to a source and to a sink; the minimum
 * cut tells object from background. Capacities are integers, so the answer is exact on every processor. */
#ifndef INFER_MAX_FLOW_H
#define INFER_MAX_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INFER_FLOW_MAX_CAPACITY = 16383, INFER_FLOW_MAX_TERMINAL = 1 << 20 };

/* Directions 0..7 are up left, up, up right, left, right, down left, down, down right; 7 - d is the opposite of d. */
enum { INFER_FLOW_DIRECTIONS = 8 };

/* Nodes have a border of one around the grid, which nothing flows to. Lists end in a node that is its own successor;
 * 0, a node of the border, means "in no list". */
struct infer_flow {
	int w, h;
	int32_t offset[INFER_FLOW_DIRECTIONS]; /* from a node to its neighbour */
	int16_t *residual;                     /* 8 for each node: what may still flow to that neighbour */
	int32_t *terminal; /* what may still come from the source (positive) or go to the sink (negative) */
	uint8_t *tree, *parent;
	uint32_t *stamp, *distance;
	uint32_t *next_active, *next_orphan;
	uint32_t first_active, last_active, first_orphan, last_orphan;
	uint32_t time;
	int64_t flow;
};

size_t infer_flow_workspace(int w, int h);
/* A grid without edges. The workspace (aligned as malloc aligns) must live as long as the flow is used. */
void infer_flow_start(struct infer_flow *f, int w, int h, void *workspace);
/* Capacities from the source and to the sink, 0 to INFER_FLOW_MAX_TERMINAL. A later call for the same pixel replaces
 * an earlier one if that gave 0 for one of the two. */
void infer_flow_terminals(struct infer_flow *f, int x, int y, int32_t source, int32_t sink);
/* Capacity in both directions between a pixel and its neighbour inside the grid, 0 to INFER_FLOW_MAX_CAPACITY; once
 * for each pair. */
void infer_flow_edge(struct infer_flow *f, int x, int y, int direction, int32_t capacity);
/* The maximum flow. */
int64_t infer_flow_run(struct infer_flow *f);
/* Is the pixel on the source's side of the minimum cut (the one with the fewest pixels there)? After infer_flow_run. */
bool infer_flow_is_source(const struct infer_flow *f, int x, int y);

#endif
