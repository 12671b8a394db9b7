/* See chart.h. Coordinates are those of the SVG's viewBox: x right, y down, the plot within PLOT_*. */
#include "train/record/chart.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { WIDTH = 640, HEIGHT = 300, PLOT_LEFT = 56, PLOT_RIGHT = 624, PLOT_TOP = 16, PLOT_BOTTOM = 256 };
enum { MAX_POINTS = 560, MAX_TICKS = 12, COLOURS = 4 };

struct axis {
	double min, max;    /* values at the plot's edges */
	double first, step; /* ticks */
	double from, to;    /* coordinates of min and max */
};

static double place(const struct axis *axis, double value)
{
	return axis->from + (value - axis->min) / (axis->max - axis->min) * (axis->to - axis->from);
}

/* --- the range of the values ---------------------------------------------- */

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Widens *low..*high to hold the series. Of a noisy one all but the extreme hundredths count, lest one spike flatten
 * all else. */
static void widen(const struct chart_series *series, double *low, double *high)
{
	double *sorted = malloc((size_t)series->count * sizeof *sorted + 1);
	int count = 0;
	if (!sorted)
		return;
	for (int i = 0; i < series->count; i++)
		if (isfinite(series->y[i]))
			sorted[count++] = series->y[i];
	qsort(sorted, (size_t)count, sizeof *sorted, compare_doubles);
	int cut = series->style == CHART_SMOOTH ? count / 100 : 0;
	if (count) {
		*low = fmin(*low, sorted[cut]);
		*high = fmax(*high, sorted[count - 1 - cut]);
	}
	free(sorted);
}

/* 1, 2 or 5 times a power of ten, so that about `ticks` of them fill the range. */
static double round_step(double range, int ticks)
{
	double raw = range / ticks, power = pow(10, floor(log10(raw))), share = raw / power;
	return power * (share < 1.5 ? 1 : share < 3.5 ? 2 : share < 7.5 ? 5 : 10);
}

static void set_axis(struct axis *axis, double low, double high, int ticks)
{
	if (high - low < 1e-9 * fmax(1e-9, fabs(high))) {
		double half = fmax(fabs(high) * 0.05, 1e-6);
		low -= half;
		high += half;
	}
	axis->min = low;
	axis->max = high;
	axis->step = round_step(high - low, ticks);
	axis->first = ceil(low / axis->step - 1e-9) * axis->step;
}

/* false when there is nothing to draw. */
static bool set_axes(const struct chart *chart, struct axis *x, struct axis *y)
{
	double low = INFINITY, high = -INFINITY, first = INFINITY, last = -INFINITY;
	for (int i = 0; i < chart->count; i++) {
		const struct chart_series *series = &chart->series[i];
		widen(series, &low, &high);
		if (series->count) {
			first = fmin(first, series->x[0]);
			last = fmax(last, series->x[series->count - 1]);
		}
	}
	if (!(low <= high) || !(first <= last))
		return false;
	double margin = (high - low) * 0.06;
	*x = (struct axis){.from = PLOT_LEFT, .to = PLOT_RIGHT};
	*y = (struct axis){.from = PLOT_BOTTOM, .to = PLOT_TOP};
	set_axis(x, fmin(first, 0), last, 6);
	set_axis(y, fmax(low - margin, chart->low), fmin(high + margin, chart->high), 5);
	return true;
}

/* --- drawing -------------------------------------------------------------- */

/* 20000 as 20k. */
static void add_label(struct text *html, double value, double step)
{
	if (fabs(value) < step * 1e-6)
		text_add(html, "0");
	else if (step >= 1000 && fmod(step, 1000) == 0)
		text_add(html, "%.6gk", value / 1000);
	else
		text_add(html, "%.6g", value);
}

static void add_axes(struct text *html, const struct axis *x, const struct axis *y, const char *x_label)
{
	for (int i = 0; i < MAX_TICKS && y->first + i * y->step <= y->max + 1e-9 * y->step; i++) {
		double value = y->first + i * y->step, at = place(y, value);
		text_add(html, "<line class=grid x1=%d x2=%d y1=%.1f y2=%.1f /><text x=%d y=%.1f text-anchor=end>",
			 PLOT_LEFT, PLOT_RIGHT, at, at, PLOT_LEFT - 8, at + 4);
		add_label(html, value, y->step);
		text_add(html, "</text>");
	}
	for (int i = 0; i < MAX_TICKS && x->first + i * x->step <= x->max + 1e-9 * x->step; i++) {
		double value = x->first + i * x->step, at = place(x, value);
		text_add(html, "<line class=axis x1=%.1f x2=%.1f y1=%d y2=%d /><text x=%.1f y=%d text-anchor=middle>",
			 at, at, PLOT_BOTTOM, PLOT_BOTTOM + 5, at, PLOT_BOTTOM + 20);
		add_label(html, value, x->step);
		text_add(html, "</text>");
	}
	text_add(html, "<line class=axis x1=%d x2=%d y1=%d y2=%d />", PLOT_LEFT, PLOT_RIGHT, PLOT_BOTTOM, PLOT_BOTTOM);
	text_add(html, "<text x=%d y=%d text-anchor=end class=label>%s</text>\n", PLOT_RIGHT, HEIGHT - 6, x_label);
}

/* One line through the points; where there are more than the eye can tell apart, through the means of neighbours. */
static void add_line(struct text *html, const struct chart_series *series, const double *y, const struct axis *ax,
		     const struct axis *ay, const char *class, int colour)
{
	int group = series->count / MAX_POINTS + 1;
	text_add(html, "<polyline class=\"%s\" style=\"stroke:var(--s%d)\" points=\"", class, colour);
	for (int i = 0; i < series->count; i += group) {
		double sum_x = 0, sum_y = 0;
		int count = 0;
		for (int j = i; j < i + group && j < series->count; j++)
			if (isfinite(y[j])) {
				sum_x += series->x[j];
				sum_y += y[j];
				count++;
			}
		if (count)
			text_add(html, "%.1f,%.1f ", place(ax, sum_x / count), place(ay, sum_y / count));
	}
	text_add(html, "\"/>\n");
}

/* Exponential moving average without the bias of its start (Kingma & Ba, 2015, section 3), over about a thirtieth of
 * the points. */
static void moving_average(const double *y, int count, double *out)
{
	double decay = 1 - 1 / fmax(1, count / 30.0), sum = 0, weight = 0;
	for (int i = 0; i < count; i++) {
		if (isfinite(y[i])) {
			sum = decay * sum + (1 - decay) * y[i];
			weight = decay * weight + (1 - decay);
		}
		out[i] = weight > 0 ? sum / weight : NAN;
	}
}

static void add_dots(struct text *html, const struct chart_series *series, const struct axis *ax, const struct axis *ay,
		     int colour)
{
	for (int i = 0; i < series->count; i++)
		if (isfinite(series->y[i])) {
			text_add(html, "<circle r=3 cx=%.1f cy=%.1f style=\"fill:var(--s%d)\"><title>",
				 place(ax, series->x[i]), place(ay, series->y[i]), colour);
			text_add_html(html, series->name);
			text_add(html, ", %.0f: %.4g</title></circle>\n", series->x[i], series->y[i]);
		}
}

static void add_series(struct text *html, const struct chart_series *series, const struct axis *ax,
		       const struct axis *ay, int colour)
{
	if (series->style != CHART_SMOOTH)
		add_line(html, series, series->y, ax, ay, "line", colour);
	if (series->style == CHART_DOTS)
		add_dots(html, series, ax, ay, colour);
	if (series->style != CHART_SMOOTH)
		return;
	double *smooth = malloc((size_t)series->count * sizeof *smooth + 1);
	add_line(html, series, series->y, ax, ay, "line raw", colour);
	if (smooth) {
		moving_average(series->y, series->count, smooth);
		add_line(html, series, smooth, ax, ay, "line", colour);
	}
	free(smooth);
}

static void add_legend(struct text *html, const struct chart *chart)
{
	if (chart->count < 2)
		return;
	text_add(html, "<span class=legend>");
	for (int i = 0; i < chart->count; i++) {
		text_add(html, "<span><i style=\"background:var(--s%d)\"></i>", i % COLOURS);
		text_add_html(html, chart->series[i].name);
		text_add(html, "</span>");
	}
	text_add(html, "</span>");
}

void chart_add(struct text *html, const struct chart *chart)
{
	struct axis x, y;
	text_add(html, "<figure><figcaption><b>");
	text_add_html(html, chart->title);
	text_add(html, "</b>");
	if (!set_axes(chart, &x, &y)) {
		text_add(html, "</figcaption><p class=none>nothing recorded</p></figure>\n");
		return;
	}
	add_legend(html, chart);
	/* The inner SVG clips what leaves the plot: spikes that the range leaves out. */
	text_add(html, "</figcaption><svg viewBox=\"0 0 %d %d\" role=img aria-label=\"", WIDTH, HEIGHT);
	text_add_html(html, chart->title);
	text_add(html, "\">\n");
	add_axes(html, &x, &y, chart->x_label);
	text_add(html, "<svg x=%d y=%d width=%d height=%d viewBox=\"%d %d %d %d\">\n", PLOT_LEFT - 4, PLOT_TOP - 4,
		 PLOT_RIGHT - PLOT_LEFT + 8, PLOT_BOTTOM - PLOT_TOP + 4, PLOT_LEFT - 4, PLOT_TOP - 4,
		 PLOT_RIGHT - PLOT_LEFT + 8, PLOT_BOTTOM - PLOT_TOP + 4);
	for (int i = 0; i < chart->count; i++)
		add_series(html, &chart->series[i], &x, &y, i % COLOURS);
	text_add(html, "</svg></svg></figure>\n");
}
