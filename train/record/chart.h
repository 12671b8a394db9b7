/* Line charts as inline SVG, for the report: axes with round ticks, a light raw line under a smoothed one. Colours
 * are CSS variables (--s0, --s1, ...) of the page, so that it can be light or dark. */
#ifndef TRAIN_CHART_H
#define TRAIN_CHART_H

#include "core/text.h"

enum chart_style {
	CHART_LINE,
	CHART_DOTS,   /* few points: each is marked */
	CHART_SMOOTH, /* many noisy points: a light line and its moving average */
};

struct chart_series {
	const char *name;
	const double *x, *y; /* borrowed; x rising; a y that is not finite is left out */
	int count;
	enum chart_style style;
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
