/* Line charts as inline SVG, for the report: axes with round ticks, a light raw line under a smoothed one. Colours are CSS
 * variables (--s0, --s1, ...) of the page, so that it can be light or dark. */
#ifndef TRAIN_CHART_H
#define TRAIN_CHART_H

#include <stdbool.h>

#include "train/text.h"

struct chart_series {
	const char *name;
	const double *x, *y; /* borrowed; x rising; a y that is not finite is left out */
	int count;
	bool smooth; /* many noisy points: a light line and its moving average; else a line with dots */
};

struct chart {
	const char *title;
	const char *x_label;
	const struct chart_series *series; /* borrowed */
	int count;
	double low, high; /* the y axis never reaches beyond these; low < high */
};

/* A <figure>; one that says so where no series has a point. */
void chart_add(struct text *html, const struct chart *chart);

#endif
