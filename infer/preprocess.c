/* Pixels and clicks become the network's input here, for training and for deployment alike: what this file does to a photo
 * the trainer must do to it too, so both call these functions.
 *
 * Disks: RITM (Sofiiuk et al., arXiv 2102.06583) found binary disks better than distance maps. Truncated Euclidean distance
 * maps: Xu et al., Deep Interactive Object Selection, CVPR 2016. */
#include "preprocess.h"

#include <math.h>
#include <string.h>

static void normalize_row(const uint8_t *rgb, int channel, int w, float mean, float scale, float *out)
{
	for (int x = 0; x < w; x++)
		out[x] = ((float)rgb[3 * x + channel] - mean) * scale;
}

void infer_normalize_rgb8(const struct infer_preprocess *pre, const uint8_t *rgb, int w, int h, size_t stride, float *out,
			  int plane_w, int plane_h)
{
	for (int plane = 0; plane < 3; plane++) {
		int channel = pre->bgr ? 2 - plane : plane;
		float *rows = out + (size_t)plane * (size_t)plane_h * (size_t)plane_w;
		for (int y = 0; y < plane_h; y++) {
			float *row = rows + (size_t)y * (size_t)plane_w;
			int filled = y < h ? w : 0;
			if (filled)
				normalize_row(rgb + (size_t)y * stride, channel, w, pre->mean[plane], pre->scale[plane], row);
			memset(row + filled, 0, (size_t)(plane_w - filled) * sizeof *row);
		}
	}
}

/* The integers in [0, size) within `reach` of `centre`: first..last, empty if last < first. Compared as doubles, so that a
 * click far outside the plane (or NaN) cannot overflow an int. */
static void click_range(double centre, double reach, int size, int *first, int *last)
{
	double lo = ceil(centre - reach), hi = floor(centre + reach);
	*first = lo > 0 ? (lo < size ? (int)lo : size) : 0;
	*last = hi < size - 1 ? (hi >= 0 ? (int)hi : -1) : size - 1;
	if (!(lo <= hi))
		*last = *first - 1;
}

static void draw_disk(const struct infer_click *click, float radius, float value, float *plane, int w, int h)
{
	int x0, x1, y0, y1;
	click_range(click->x, radius, w, &x0, &x1);
	click_range(click->y, radius, h, &y0, &y1);
	for (int y = y0; y <= y1; y++) {
		float dy = (float)y - click->y;
		float *row = plane + (size_t)y * (size_t)w;
		for (int x = x0; x <= x1; x++) {
			float dx = (float)x - click->x;
			if (dx * dx + dy * dy <= radius * radius)
				row[x] = value;
		}
	}
}

/* plane[] = min(plane[], squared distance to the click), where that can be under truncate^2. */
static void lower_squared_distance(const struct infer_click *click, float truncate, float *plane, int w, int h)
{
	int x0, x1, y0, y1;
	click_range(click->x, truncate, w, &x0, &x1);
	click_range(click->y, truncate, h, &y0, &y1);
	for (int y = y0; y <= y1; y++) {
		float dy = (float)y - click->y;
		float *row = plane + (size_t)y * (size_t)w;
		for (int x = x0; x <= x1; x++) {
			float dx = (float)x - click->x;
			float d = dx * dx + dy * dy;
			row[x] = d < row[x] ? d : row[x];
		}
	}
}

static void fill(float *plane, size_t count, float value)
{
	for (size_t i = 0; i < count; i++)
		plane[i] = value;
}

static void draw_distance(const struct infer_preprocess *pre, const struct infer_click *clicks, int count, int positive,
			  float *plane, int w, int h)
{
	size_t pixels = (size_t)w * (size_t)h;
	fill(plane, pixels, pre->truncate * pre->truncate);
	for (int i = 0; i < count; i++)
		if (!clicks[i].positive == !positive)
			lower_squared_distance(&clicks[i], pre->truncate, plane, w, h);
	for (size_t i = 0; i < pixels; i++)
		plane[i] = sqrtf(plane[i]) / pre->truncate * pre->click_scale;
}

static void draw_disks(const struct infer_preprocess *pre, const struct infer_click *clicks, int count, int positive,
		       float *plane, int w, int h)
{
	fill(plane, (size_t)w * (size_t)h, 0);
	for (int i = 0; i < count; i++)
		if (!clicks[i].positive == !positive)
			draw_disk(&clicks[i], pre->radius, pre->click_scale, plane, w, h);
}

void infer_draw_clicks(const struct infer_preprocess *pre, const struct infer_click *clicks, int count, float *planes, int w,
		       int h)
{
	float *negative = planes + (size_t)w * (size_t)h;
	if (pre->encoding == INFER_CLICK_DISTANCE) {
		draw_distance(pre, clicks, count, 1, planes, w, h);
		draw_distance(pre, clicks, count, 0, negative, w, h);
	} else {
		draw_disks(pre, clicks, count, 1, planes, w, h);
		draw_disks(pre, clicks, count, 0, negative, w, h);
	}
}
