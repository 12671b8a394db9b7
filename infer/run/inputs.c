/* A photo and taps become the first two values of a runner, in its own layout and kind of numbers (preprocess.h says
 * what they mean). */
#include <stdbool.h>
#include <math.h>
#include <string.h>

#include "runner.h"

static uint8_t nearest_byte(float x)
{
	return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x + 0.5f);
}

static void photo_row_f32(const struct infer_preprocess *pre, const uint8_t *rgb, int w, float *out,
			  const struct infer_map *map)
{
	for (int x = 0; x < w; x++, out += map->pitch, rgb += 3)
		for (int c = 0; c < 3; c++)
			out[c] = ((float)rgb[pre->bgr ? 2 - c : c] - pre->mean[c]) * pre->scale[c];
	for (int x = w; x < map->w; x++, out += map->pitch)
		out[0] = out[1] = out[2] = 0;
}

static void photo_row_u8(const struct infer_preprocess *pre, const uint8_t *rgb, int w, uint8_t *out,
			 const struct infer_map *map)
{
	for (int x = 0; x < w; x++, out += map->pitch, rgb += 3)
		for (int c = 0; c < 3; c++)
			out[c] = rgb[pre->bgr ? 2 - c : c];
	for (int x = w; x < map->w; x++, out += map->pitch)
		for (int c = 0; c < 3; c++)
			out[c] = nearest_byte(pre->mean[c]);
}

void infer_runner_set_photo(struct infer_runner *r, const uint8_t *rgb, int w, int h, size_t stride)
{
	const struct infer_map *map = &r->values[VALUE_IMAGE].map;
	const struct infer_preprocess *pre = &r->network->preprocess;
	size_t row = (size_t)map->w * map->pitch;
	for (int y = 0; y < map->h; y++) {
		const uint8_t *pixels = rgb + (size_t)(y < h ? y : 0) * stride;
		if (map->element == INFER_ELEMENT_F32)
			photo_row_f32(pre, pixels, y < h ? w : 0, (float *)map->data + (size_t)y * row, map);
		else
			photo_row_u8(pre, pixels, y < h ? w : 0, (uint8_t *)map->data + (size_t)y * row, map);
	}
	r->photo_is_new = true;
}

enum { PIECE = 256 }; /* pixels of a row that are drawn together */

/* Numbers 0..1 of a plane become channel `out` of n pixels. */
static void store_floats(const float *plane, float scale, float *out, size_t pitch, int n)
{
	for (int x = 0; x < n; x++)
		out[(size_t)x * pitch] = plane[x] * scale;
}

static void store_bytes(const float *plane, uint8_t *out, size_t pitch, int n)
{
	for (int x = 0; x < n; x++)
		out[(size_t)x * pitch] = nearest_byte(plane[x] * 255);
}

static void store_clicks(const struct infer_map *map, float scale, size_t at, int n, float (*planes)[PIECE])
{
	for (int c = 0; c < map->c; c++) {
		if (map->element == INFER_ELEMENT_F32)
			store_floats(planes[c], scale, (float *)map->data + at + c, map->pitch, n);
		else
			store_bytes(planes[c], (uint8_t *)map->data + at + c, map->pitch, n);
	}
}

/* Whether a disk may reach row y. */
static bool any_reaches(const struct infer_preprocess *pre, const struct infer_click *clicks, int count, int y)
{
	int any = pre->encoding != INFER_CLICK_DISK;
	for (int i = 0; i < count; i++)
		any |= fabs((double)clicks[i].y - y) <= pre->radius;
	return any;
}

void infer_runner_set_clicks(struct infer_runner *r, const struct infer_click *clicks, int count, const float *previous,
			     int w, int h)
{
	const struct infer_map *map = &r->values[VALUE_CLICKS].map;
	const struct infer_preprocess *pre = &r->network->preprocess;
	float planes[INFER_CLICK_PLANES][PIECE];
	size_t row = infer_map_row_bytes(map);
	for (int y = 0; y < map->h; y++) {
		int empty = (!previous || y >= h) && !any_reaches(pre, clicks, count, y);
		if (empty) /* 0 is a zero byte in both kinds of numbers */
			memset((unsigned char *)map->data + (size_t)y * row, 0, row);
		for (int x = 0; !empty && x < map->w; x += PIECE) {
			int n = map->w - x < PIECE ? map->w - x : PIECE;
			int seen = previous && y < h && x < w ? (w - x < n ? w - x : n) : 0;
			infer_draw_clicks_row(pre, clicks, count, 1, y, x, n, planes[INFER_PLANE_POSITIVE]);
			infer_draw_clicks_row(pre, clicks, count, 0, y, x, n, planes[INFER_PLANE_NEGATIVE]);
			if (seen)
				memcpy(planes[INFER_PLANE_PREVIOUS], previous + (size_t)y * (size_t)w + x,
				       (size_t)seen * sizeof *previous);
			memset(planes[INFER_PLANE_PREVIOUS] + seen, 0, (size_t)(n - seen) * sizeof *previous);
			store_clicks(map, pre->click_scale, ((size_t)y * (size_t)map->w + (size_t)x) * map->pitch, n,
				     planes);
		}
	}
}
