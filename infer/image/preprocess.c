/* Pixels and clicks become the network's input here, for training and for deployment alike: what this file does to a
 * photo the trainer must do to it too, so both call these functions.
 *
 * Disks: RITM (Sofiiuk et al., arXiv 2102.06583) found binary disks better than distance maps. Truncated Euclidean
 * distance maps: Xu et al., Deep Interactive Object Selection, CVPR 2016. */
#include "preprocess.h"

#include <stdbool.h>
#include <math.h>
#include <string.h>

static void normalize_row(const uint8_t *rgb, int channel, int w, float mean, float scale, float *out)
{
	for (int x = 0; x < w; x++)
		out[x] = ((float)rgb[3 * x + channel] - mean) * scale;
}

void infer_normalize_rgb8(const struct infer_preprocess *pre, const uint8_t *rgb, int w, int h, size_t stride,
			  float *out, int plane_w, int plane_h)
{
	for (int plane = 0; plane < 3; plane++) {
		int channel = pre->bgr ? 2 - plane : plane;
		float *rows = out + (size_t)plane * (size_t)plane_h * (size_t)plane_w;
		for (int y = 0; y < plane_h; y++) {
			float *row = rows + (size_t)y * (size_t)plane_w;
			int filled = y < h ? w : 0;
			if (filled)
				normalize_row(rgb + (size_t)y * stride, channel, w, pre->mean[plane], pre->scale[plane],
					      row);
			memset(row + filled, 0, (size_t)(plane_w - filled) * sizeof *row);
		}
	}
}

/* The integers in [0, size) within `reach` of `centre`: first..last, empty if last < first. Compared as doubles, so
 * that a click far outside the plane (or NaN) cannot overflow an int. */
static void click_range(double centre, double reach, int size, int *first, int *last)
{
	double lo = ceil(centre - reach), hi = floor(centre + reach);
	*first = lo > 0 ? (lo < size ? (int)lo : size) : 0;
	*last = hi < size - 1 ? (hi >= 0 ? (int)hi : -1) : size - 1;
	if (!(lo <= hi))
		*last = *first - 1;
}

/* row[i] is pixel (first + i, y). */
static void draw_disk(const struct infer_click *click, float radius, int y, int first, int n, float *row)
{
	int x0, x1;
	float dy = (float)y - click->y;
	click_range((double)click->x - first, radius, n, &x0, &x1);
	for (int x = x0; x <= x1; x++) {
		float dx = (float)(first + x) - click->x;
		if (dx * dx + dy * dy <= radius * radius)
			row[x] = 1;
	}
}

/* row[] = min(row[], squared distance to the click), where that can be under truncate^2. */
static void lower_squared_distance(const struct infer_click *click, float truncate, int y, int first, int n, float *row)
{
	int x0, x1;
	float dy = (float)y - click->y;
	click_range((double)click->x - first, truncate, n, &x0, &x1);
	for (int x = x0; x <= x1; x++) {
		float dx = (float)(first + x) - click->x;
		float d = dx * dx + dy * dy;
		row[x] = d < row[x] ? d : row[x];
	}
}

static bool reaches_row(const struct infer_click *click, float reach, int y)
{
	return fabs((double)click->y - y) <= reach;
}

void infer_draw_clicks_row(const struct infer_preprocess *pre, const struct infer_click *clicks, int count,
			   int positive, int y, int first, int n, float *row)
{
	int disk = pre->encoding == INFER_CLICK_DISK;
	float reach = disk ? pre->radius : pre->truncate;
	for (int x = 0; x < n; x++)
		row[x] = disk ? 0 : pre->truncate * pre->truncate;
	for (int i = 0; i < count; i++) {
		if (!clicks[i].positive != !positive || !reaches_row(&clicks[i], reach, y))
			continue;
		if (disk)
			draw_disk(&clicks[i], reach, y, first, n, row);
		else
			lower_squared_distance(&clicks[i], reach, y, first, n, row);
	}
	for (int x = 0; !disk && x < n; x++)
		row[x] = sqrtf(row[x]) / pre->truncate;
}

void infer_draw_clicks(const struct infer_preprocess *pre, const struct infer_click *clicks, int count, float *planes,
		       int w, int h)
{
	for (int plane = 0; plane < 2; plane++)
		for (int y = 0; y < h; y++, planes += w) {
			infer_draw_clicks_row(pre, clicks, count, plane == INFER_PLANE_POSITIVE, y, 0, w, planes);
			for (int x = 0; x < w; x++)
				planes[x] *= pre->click_scale;
		}
}
