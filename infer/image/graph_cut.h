/* Object or background by colour models and a minimum cut (Boykov, Jolly, ICCV 2001; Rother, Kolmogorov, Blake,
 * "GrabCut", 2004), from a guess of where the object is: the network's, or one made of taps alone. Costs are
 * integers, so the answer is exact everywhere. */
#ifndef INFER_GRAPH_CUT_H
#define INFER_GRAPH_CUT_H

#include <stddef.h>
#include <stdint.h>

#include "preprocess.h"

struct infer_graph_cut {
	const uint8_t *rgb; /* h rows of 3 w bytes; borrowed */
	int w, h;
	/* of the guess's log-odds, of the colours', and the cost of an edge on even colour: in 1/16 */
	int guess_weight;
	int colour_weight;
	int edge_weight;
	int rounds;                   /* colours are learnt from the guess, then rounds - 1 times from the mask */
	int tap_radius;               /* pixels so near to a tap are what the tap says */
	uint32_t contrast;            /* mean squared colour difference of neighbours */
	uint32_t *counts[2], *smooth; /* colour histograms */
	int32_t *odds;                /* of each colour */
	void *flow_workspace;
};

/* Sides up to 1024. */
size_t infer_graph_cut_workspace(int w, int h);
/* Fills in what follows tap_radius, after all before it. The workspace, aligned as malloc aligns, must live as long
 * as `g` is used. */
void infer_graph_cut_start(struct infer_graph_cut *g, void *workspace);

/* guess: w x h, 0 surely background to 255 surely object -> mask: w x h, 255 or 0. Clicks are in pixels of this
 * grid. */
void infer_graph_cut_run(const struct infer_graph_cut *g, const uint8_t *guess, const struct infer_click *clicks,
			 int count, uint8_t *mask);

/* A guess from taps alone: how much nearer the nearest positive one is than the nearest negative one or the border. */
void infer_graph_cut_guess(const struct infer_click *clicks, int count, int w, int h, uint8_t *guess);

#endif
