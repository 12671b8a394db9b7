/* At a soft edge a pixel shows both: C = a F + (1 - a) B. Put as it is on another background, the old one shines
 * through as a rim. This estimates F, the object's own colour, as in Forte, "Approximate Fast Foreground Colour
 * Estimation" (ICIP 2021): F^ and B^ are means over a window, weighted by how much a pixel belongs to either, and F
 * is F^ corrected by what they leave unexplained: F = F^ + a (C - a F^ - (1 - a) B^). Our weights are eighth powers
 * of a and 1 - a: mixed pixels have next to nothing to say where there are pure ones. Sums are integers and slide, so
 * that a pixel costs the same whatever the window, and it does not matter where a strip begins. */
#include <string.h>

#include "edit.h"

enum { COLUMN = 8 }; /* sums of a column: F weight times colour, F weight, the same for B */

static int matte_radius(int width, int height)
{
	return edit_clamp(infer_max(width, height) / 160, 4, 40);
}

int edit_matte_border(int width, int height)
{
	return matte_radius(width, height);
}

/* The eighth power, 0 only for 0. */
static uint32_t vote(uint32_t a)
{
	for (int i = 0; i < 3; i++)
		a = (a * a >> 8) + (a > 0);
	return a;
}

void edit_matte_init(struct edit_matte *matte, const struct tapcut_rows *in, int width, int height, bool inverted,
		     struct infer_arena *arena)
{
	*matte = (struct edit_matte){.in = in, .width = width, .height = height, .inverted = inverted, .row = -1};
	matte->radius = matte_radius(width, height);
	for (int a = 0; a < 256; a++)
		matte->votes[a] = (uint8_t)vote((uint32_t)a);
	matte->sums = infer_arena_take(arena, sizeof(uint32_t) * COLUMN * (size_t)width);
}

static void add_colour(uint32_t sums[4], const uint8_t *rgb, uint32_t weight)
{
	for (int c = 0; c < 3; c++)
		sums[c] += weight * rgb[c];
	sums[3] += weight;
}

/* Adds a row to the sums of its columns, or (sign: all ones, as -1 modulo 2^32) takes it away. */
static void add_row(struct edit_matte *matte, int y, uint32_t sign)
{
	const uint8_t *rgb = edit_rgb(matte->in, y), *alpha = edit_alpha(matte->in, y);
	uint32_t *sums = matte->sums, flip = matte->inverted ? 255 : 0;
	for (int x = 0; x < matte->width; x++, sums += COLUMN, rgb += 3) {
		uint32_t a = alpha[x] ^ flip;
		if (a > 0)
			add_colour(sums, rgb, sign * matte->votes[a]);
		if (a < 255)
			add_colour(sums + 4, rgb, sign * matte->votes[255 - a]);
	}
}

static void move_to(struct edit_matte *matte, int y)
{
	int r = matte->radius, h = matte->height;
	if (matte->row < 0 || y < matte->row || y > matte->row + 2 * r) {
		memset(matte->sums, 0, sizeof(uint32_t) * COLUMN * (size_t)matte->width);
		for (int i = y - r > 0 ? y - r : 0; i <= y + r && i < h; i++)
			add_row(matte, i, 1);
		matte->row = y;
	}
	while (matte->row < y) {
		if (matte->row - r >= 0)
			add_row(matte, matte->row - r, UINT32_MAX);
		if (++matte->row + r < h)
			add_row(matte, matte->row + r, 1);
	}
}

static void add_column(uint32_t window[COLUMN], const uint32_t *column, uint32_t sign)
{
	for (int i = 0; i < COLUMN; i++)
		window[i] += sign * column[i];
}

static uint8_t object_colour(const uint32_t window[COLUMN], int c, int colour, int a)
{
	int f = (int)((window[c] + window[3] / 2) / window[3]), b = (int)((window[4 + c] + window[7] / 2) / window[7]);
	int rest = 255 * colour - a * f - (255 - a) * b; /* 255ths */
	return (uint8_t)edit_clamp(f + a * rest / (255 * 255), 0, 255);
}

static bool is_soft(uint8_t alpha)
{
	return alpha > 0 && alpha < 255;
}

void edit_matte_row(struct edit_matte *matte, int y, uint8_t *colours)
{
	const uint8_t *rgb = edit_rgb(matte->in, y), *alpha = edit_alpha(matte->in, y);
	int w = matte->width, r = matte->radius, flip = matte->inverted ? 255 : 0;
	memcpy(colours, rgb, 3 * (size_t)w);
	uint32_t window[COLUMN];
	int at = -1; /* the window is that around this pixel */
	for (int x = 0; x < w; x++) {
		if (!is_soft(alpha[x]))
			continue;
		move_to(matte, y);
		if (at < 0 || x > at + 2 * r) {
			memset(window, 0, sizeof window);
			for (int i = x - r > 0 ? x - r : 0; i <= x + r && i < w; i++)
				add_column(window, matte->sums + COLUMN * (size_t)i, 1);
			at = x;
		}
		while (at < x) {
			if (at - r >= 0)
				add_column(window, matte->sums + COLUMN * (size_t)(at - r), UINT32_MAX);
			if (++at + r < w)
				add_column(window, matte->sums + COLUMN * (size_t)(at + r), 1);
		}
		for (int c = 0; c < 3; c++)
			colours[3 * x + c] = object_colour(window, c, rgb[3 * x + c], alpha[x] ^ flip);
	}
}
