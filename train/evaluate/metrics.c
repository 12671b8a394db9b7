/* See metrics.h. */
#include "train/evaluate/metrics.h"

#include <math.h>
#include <string.h>

#include "data/robot.h"

/* Two empty sets are equal. */
static double ratio(size_t intersection, size_t both)
{
	return both ? (double)intersection / (double)both : 1.0;
}

double metrics_iou(const uint8_t *pred, const uint8_t *truth, size_t pixels)
{
	size_t intersection = 0, both = 0;
	for (size_t i = 0; i < pixels; i++) {
		bool p = pred[i] != 0, object = truth[i] == TRUTH_OBJECT, valid = truth[i] != TRUTH_IGNORE;
		intersection += p & object;
		both += (p | object) & valid;
	}
	return ratio(intersection, both);
}

/* --- boundary IoU --------------------------------------------------------- */

int metrics_boundary_width(int w, int h)
{
	long width = lround(0.02 * sqrt((double)h * h + (double)w * w));
	return width > 1 ? (int)width : 1;
}

size_t metrics_boundary_workspace(int w, int h)
{
	return (size_t)w * sizeof(int) + 3 * (size_t)w * (size_t)h;
}

/* out = pixels in the middle of 2d + 1 set pixels of their row. */
static void erode_rows(const uint8_t *mask, int w, int h, int d, uint8_t *out)
{
	memset(out, 0, (size_t)w * (size_t)h);
	for (int y = 0; y < h; y++) {
		const uint8_t *row = mask + (size_t)y * w;
		for (int x = 0, run = 0; x < w; x++) {
			run = row[x] ? run + 1 : 0;
			if (run >= 2 * d + 1)
				out[(size_t)y * w + x - d] = 1;
		}
	}
}

/* The same down the columns, for all columns at once; pixels that stay are taken out of `mask`, which leaves the
 * boundary. */
static void remove_eroded_columns(const uint8_t *rows, int w, int h, int d, int *runs, uint8_t *mask)
{
	memset(runs, 0, (size_t)w * sizeof *runs);
	for (int y = 0; y < h; y++) {
		const uint8_t *row = rows + (size_t)y * w;
		for (int x = 0; x < w; x++) {
			runs[x] = row[x] ? runs[x] + 1 : 0;
			if (runs[x] >= 2 * d + 1)
				mask[(size_t)(y - d) * w + x] = 0;
		}
	}
}

/* d rounds of a 3x3 square are one square of side 2d + 1, and a square is eroded along rows, then columns. */
static void keep_boundary(uint8_t *mask, int w, int h, int *runs, uint8_t *scratch)
{
	int d = metrics_boundary_width(w, h);
	erode_rows(mask, w, h, d, scratch);
	remove_eroded_columns(scratch, w, h, d, runs, mask);
}

double metrics_boundary_iou(const uint8_t *pred, const uint8_t *truth, int w, int h, void *workspace)
{
	size_t pixels = (size_t)w * (size_t)h;
	int *runs = workspace;
	uint8_t *a = (uint8_t *)(runs + w), *b = a + pixels, *scratch = b + pixels;
	for (size_t i = 0; i < pixels; i++) {
		a[i] = pred[i] && truth[i] != TRUTH_IGNORE;
		b[i] = truth[i] == TRUTH_OBJECT;
	}
	keep_boundary(a, w, h, runs, scratch);
	keep_boundary(b, w, h, runs, scratch);
	size_t intersection = 0, both = 0;
	for (size_t i = 0; i < pixels; i++) {
		intersection += a[i] & b[i];
		both += a[i] | b[i];
	}
	return ratio(intersection, both);
}

/* --- curves --------------------------------------------------------------- */

int metrics_clicks_needed(const double *iou, int count, double threshold, int max_clicks)
{
	for (int k = 1; k <= count; k++)
		if (iou[k - 1] >= threshold)
			return k;
	return max_clicks;
}

bool metrics_reached(const double *iou, int count, double threshold)
{
	for (int k = 1; k <= count; k++)
		if (iou[k - 1] >= threshold)
			return true;
	return false;
}

double metrics_iou_at(const double *iou, int count, int k)
{
	if (count == 0)
		return 0;
	return iou[(k < count ? k : count) - 1];
}
