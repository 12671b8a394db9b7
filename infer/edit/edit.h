/* Inside the edits: what a filter is, and what its parts share. */
#ifndef INFER_EDIT_EDIT_H
#define INFER_EDIT_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../common/arena.h"
#include "../common/bytes.h"
#include "../tapcut_edit.h"

/* Rows first..first+count-1 of a photo, from `in` to `out`. */
struct edit_job {
	const struct tapcut_edit *edit;
	int width, height;
	const struct tapcut_rows *in;
	int first, count;
	uint8_t *out;
	size_t out_stride;
};

static inline const uint8_t *edit_rgb(const struct tapcut_rows *rows, int y)
{
	return rows->rgb + (size_t)(y - rows->first) * rows->rgb_stride;
}

static inline const uint8_t *edit_alpha(const struct tapcut_rows *rows, int y)
{
	return rows->alpha + (size_t)(y - rows->first) * rows->alpha_stride;
}

static inline uint8_t *edit_out(const struct edit_job *job, int y)
{
	return job->out + (size_t)(y - job->first) * job->out_stride;
}

static inline int edit_clamp(int value, int low, int high)
{
	return value < low ? low : value > high ? high : value;
}

/* Pixels on cells of 2^shift: the cell whose middle is at or before a pixel's (-1: none is), and how far beyond it that
 * is, in 2^(shift + 1)ths of a cell. */
static inline int edit_cell_before(int at, int shift, int *part)
{
	int cell = 1 << shift, twice = 2 * at + 1 - cell; /* half pixels from the first cell's middle */
	*part = twice & (2 * cell - 1);
	return ((twice + 2 * cell) >> (shift + 1)) - 1;
}

/* value / 255, rounded; exact for 0..65535 (Blinn, "Three Wrongs Make a Right", 1995). */
static inline unsigned edit_div255(unsigned value)
{
	value += 128;
	return (value + (value >> 8)) >> 8;
}

/* (alpha a + (255 - alpha) b) / 255, rounded. */
static inline uint8_t edit_mix(unsigned a, unsigned b, unsigned alpha)
{
	return (uint8_t)edit_div255(alpha * a + (255 - alpha) * b);
}

/* Rec. 601 luma of 8 bits, in 16ths of a level; gray stays exactly itself. */
static inline int edit_luma16(const uint8_t *rgb)
{
	return (306 * rgb[0] + 601 * rgb[1] + 117 * rgb[2] + 32) >> 6;
}

/* How much of the edit a pixel gets. */
static inline unsigned edit_weight(enum tapcut_where where, uint8_t alpha)
{
	return where == TAPCUT_INSIDE ? alpha : where == TAPCUT_OUTSIDE ? 255u - alpha : 255u;
}

/* --- filters of single pixels (points.c) ---------------------------------- */

/* What `prepare` makes of the amount, once, for `row` to use. */
struct edit_point {
	uint8_t curve[3][256];
	int matrix[3][3]; /* in 4096ths; row: out channel */
	int offset[3];
	int amount; /* in 256ths */
	int width, height;
};

typedef void edit_prepare(struct edit_point *point, const struct tapcut_edit *edit);
/* One row of `width` pixels; in and out may be the same. */
typedef void edit_row(const struct edit_point *point, const uint8_t *in, uint8_t *out, int y);

/* --- all filters ---------------------------------------------------------- */

/* The work on a strip. With an arena without memory: takes its memory and returns. */
typedef void edit_rows(const struct edit_job *job, struct infer_arena *arena);

struct edit_filter {
	struct tapcut_filter shown;
	edit_prepare *prepare; /* points: these two; the rest is NULL */
	edit_row *row;
	int (*border)(const struct tapcut_edit *edit, int width, int height);
	edit_rows *rows;
};
extern const struct edit_filter edit_filters[];
extern const int edit_filter_count;

edit_prepare edit_prepare_exposure, edit_prepare_contrast, edit_prepare_highlights, edit_prepare_shadows,
	edit_prepare_saturation, edit_prepare_warmth, edit_prepare_tint, edit_prepare_hue, edit_prepare_gray,
	edit_prepare_sepia, edit_prepare_duotone, edit_prepare_fade, edit_prepare_invert, edit_prepare_posterize,
	edit_prepare_amount;
edit_row edit_row_curves, edit_row_matrix, edit_row_vibrance, edit_row_duotone, edit_row_vignette, edit_row_grain;

edit_rows edit_rows_sharpen, edit_rows_clarity, edit_rows_pixelate, edit_rows_focus, edit_rows_background;
int edit_border_sharpen(const struct tapcut_edit *edit, int width, int height);
int edit_border_clarity(const struct tapcut_edit *edit, int width, int height);
int edit_border_pixelate(const struct tapcut_edit *edit, int width, int height);
int edit_border_focus(const struct tapcut_edit *edit, int width, int height);
int edit_border_background(const struct tapcut_edit *edit, int width, int height);

/* Rows of RGBA (background.c). */
void edit_cutout(const struct edit_job *job, bool premultiplied, struct infer_arena *arena);

/* --- the object's own colour at a soft edge (matte.c) --------------------- */

struct edit_matte {
	const struct tapcut_rows *in;
	int width, height, radius;
	bool inverted;      /* what alpha calls the background is the object */
	int row;            /* the sums are those around this row; -1: of none */
	uint8_t votes[256]; /* weight of an alpha */
	uint32_t *sums;     /* 8 a column */
};
int edit_matte_border(int width, int height);
void edit_matte_init(struct edit_matte *matte, const struct tapcut_rows *in, int width, int height, bool inverted,
		     struct infer_arena *arena);
/* The row's colours, and where 0 < alpha < 255 the object's alone -> colours (width RGB pixels). Fastest for rows in
 * order. */
void edit_matte_row(struct edit_matte *matte, int y, uint8_t *colours);

#endif
