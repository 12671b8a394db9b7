/* Lens blur of what is not the object.
 *
 * A lens draws a point that is out of focus as a disc, so the kernel is a disc. Its sum over a row is a difference of
 * two running sums, so a pixel costs two additions per row of the disc, whatever its width. Large discs are summed on
 * cells of 2^n x 2^n pixels, at which the radius is 8 to 16 cells: their rim is then a little soft, as that of a good
 * lens, and a pixel costs the same whatever the radius.
 *
 * The object must not bleed into the background. Colours are weighted by how much a pixel is background, and the sum is
 * divided by the sum of the weights; a mask is never right to the pixel, so that a margin about the object has no
 * weight either. The object's soft edge is composited on the result with its own colour (matte.c).
 *
 * Sums are of light, not of gamma-coded bytes: lamps and glints become bright discs instead of gray smears. What a byte
 * means as light is a curve close to gamma 2 with more weight on the brightest, whose true brightness the photo has
 * clipped. */
#include <math.h>
#include <string.h>

#include "edit.h"

enum {
	CELL_RADIUS = 16, /* discs are under this many cells */
	GAMMA_SHIFT = 4,  /* the way back from light has a table of 65536 >> this */
	MOST = 64,        /* the weight of what is all background */
	PURE = 32,        /* a pixel that is the object by less than this (of 255) has a weight that counts */
	MIXED = 128,      /* and one by less than this a trace, for edges so soft that nothing else is in reach */
};

/* The processor's 16-byte registers, in a way that gcc and clang know for all of them. */
typedef uint32_t cell_sums __attribute__((vector_size(16))); /* red, green, blue, weight */
typedef uint8_t bytes16 __attribute__((vector_size(16)));

struct focus {
	const struct edit_job *job;
	int shift, cell; /* a cell is 2^shift pixels a side */
	int cells_w, cells_h;
	float radius;                 /* cells */
	int reach;                    /* radius in whole cells */
	int margin;                   /* pixels */
	int first_cells, count_cells; /* rows of cells that the strip's rows lie between */

	uint16_t *light; /* of a byte */
	uint16_t *gamma; /* 256ths of a byte of light >> GAMMA_SHIFT */
	uint8_t *padded; /* a row of alpha with the margin on either side */
	uint8_t *spread; /* a ring of rows of alpha, largest within the margin along the row */
	int spread_end;
	uint8_t *kept;     /* one row: the largest alpha within the margin */
	cell_sums *ring;   /* 2 reach + 1 rows of running sums of cells */
	cell_sums *sums;   /* one row of cells */
	uint16_t *blurred; /* count_cells rows of cells, RGB in 256ths */
	uint16_t *between; /* one row of cells */
	uint8_t *own;      /* one row of pixels */
	struct edit_matte matte;
};

/* --- sizes ---------------------------------------------------------------- */

static int shift_of(float radius)
{
	int shift = 0;
	while (radius >= (float)(CELL_RADIUS << shift))
		shift++;
	return shift;
}

static int margin_of(float radius, int width, int height)
{
	int margin = 1 + infer_max(width, height) / 400, most = (int)(radius / 2);
	return edit_clamp(margin, 0, most < 16 ? most : 16);
}

int edit_border_focus(const struct tapcut_edit *edit, int width, int height)
{
	int shift = shift_of(edit->amount), reach = (int)(edit->amount / (float)(1 << shift));
	int blur = ((reach + 2) << shift) + margin_of(edit->amount, width, height),
	    matte = edit_matte_border(width, height);
	return blur > matte ? blur : matte;
}

static void lay_out(struct focus *f, const struct edit_job *job, struct infer_arena *arena)
{
	int w = job->width, h = job->height, part;
	*f = (struct focus){.job = job, .shift = shift_of(job->edit->amount)};
	f->cell = 1 << f->shift;
	f->cells_w = (w + f->cell - 1) >> f->shift;
	f->cells_h = (h + f->cell - 1) >> f->shift;
	f->radius = job->edit->amount / (float)f->cell;
	f->reach = (int)f->radius;
	f->margin = job->edit->where == TAPCUT_EVERYWHERE ? 0 : margin_of(job->edit->amount, w, h);
	f->first_cells = edit_clamp(edit_cell_before(job->first, f->shift, &part), 0, f->cells_h - 1);
	int last = edit_cell_before(job->first + job->count - 1, f->shift, &part) + 1;
	f->count_cells = edit_clamp(last, 0, f->cells_h - 1) + 1 - f->first_cells;
	/* Strips of one height lie differently on the cells. */
	int most_cells = arena->memory ? f->count_cells : (job->count >> f->shift) + 3;
	f->light = infer_arena_take(arena, 256 * sizeof *f->light);
	f->gamma = infer_arena_take(arena, (65536 >> GAMMA_SHIFT) * sizeof *f->gamma);
	f->spread = infer_arena_take(arena, (size_t)w * (size_t)(2 * f->margin + 1));
	f->kept = infer_arena_take(arena, (size_t)w);
	f->padded = infer_arena_take(arena, (size_t)(w + 2 * f->margin));
	f->ring = infer_arena_take(arena, sizeof *f->ring * (size_t)(f->cells_w + 2 * f->reach + 1) *
						  (size_t)(2 * f->reach + 1));
	f->sums = infer_arena_take(arena, sizeof *f->sums * (size_t)f->cells_w);
	f->blurred = infer_arena_take(arena, sizeof *f->blurred * 3 * (size_t)f->cells_w * (size_t)most_cells);
	f->between = infer_arena_take(arena, sizeof *f->between * 3 * (size_t)f->cells_w);
	f->own = infer_arena_take(arena, 3 * (size_t)w);
	edit_matte_init(&f->matte, job->in, w, h, job->edit->where == TAPCUT_INSIDE, arena);
}

/* --- light ---------------------------------------------------------------- */

/* At least 20 of 65535 for a step of a byte, so that bytes come back from the shorter table as they went. */
static void fill_tables(struct focus *f)
{
	for (int v = 0; v < 256; v++) {
		double t = v / 255.0, tt = t * t;
		f->light[v] = (uint16_t)(65535 * (0.08 * t + 0.57 * tt + 0.35 * tt * tt * tt) + 0.5);
	}
	int v = 0;
	for (int i = 0; i < 65536 >> GAMMA_SHIFT; i++) {
		int light = (i << GAMMA_SHIFT) + (1 << GAMMA_SHIFT) / 2;
		while (v < 254 && f->light[v + 1] <= light)
			v++;
		f->gamma[i] = (uint16_t)(256 * v + 256 * (light - f->light[v]) / (f->light[v + 1] - f->light[v]));
	}
}

/* --- cells ---------------------------------------------------------------- */

/* How much of a pixel is the object, 255: all of it. */
static uint8_t object_part(enum tapcut_where where, uint8_t alpha)
{
	return where == TAPCUT_OUTSIDE ? alpha : where == TAPCUT_INSIDE ? 255 - alpha : 0;
}

/* The larger of each pair of bytes -> to. `from` may be ahead of `to` in the same row. */
static void take_larger(uint8_t *to, const uint8_t *from, int count)
{
	int i = 0;
	for (; i + 16 <= count; i += 16) {
		bytes16 a, b;
		memcpy(&a, to + i, 16);
		memcpy(&b, from + i, 16);
		bytes16 is_less = (bytes16)(a < b);
		a = (a & ~is_less) | (b & is_less);
		memcpy(to + i, &a, 16);
	}
	for (; i < count; i++)
		to[i] = to[i] < from[i] ? from[i] : to[i];
}

static uint8_t *spread_row(const struct focus *f, int y)
{
	return f->spread + (size_t)f->job->width * (size_t)(y % (2 * f->margin + 1));
}

/* The largest of windows of 1, 2, 4 ... bytes, until two of them cover the margin on both sides. */
static void fill_spread(struct focus *f, int y)
{
	const uint8_t *alpha = edit_alpha(f->job->in, y);
	int w = f->job->width, all = w + 2 * f->margin, window = 1;
	memset(f->padded, 0, (size_t)all);
	for (int x = 0; x < w; x++)
		f->padded[f->margin + x] = object_part(f->job->edit->where, alpha[x]);
	for (; 2 * window <= 2 * f->margin + 1; window *= 2)
		take_larger(f->padded, f->padded + window, all - window);
	memcpy(spread_row(f, y), f->padded, (size_t)w);
	take_larger(spread_row(f, y), f->padded + 2 * f->margin + 1 - window, w);
}

/* The largest alpha in the square about each pixel of a row -> kept. Rows must come in order. */
static void fill_kept(struct focus *f, int y)
{
	int w = f->job->width, low = y - f->margin > 0 ? y - f->margin : 0;
	int end = y + f->margin + 1 < f->job->height ? y + f->margin + 1 : f->job->height;
	for (f->spread_end = f->spread_end > low ? f->spread_end : low; f->spread_end < end; f->spread_end++)
		fill_spread(f, f->spread_end);
	memcpy(f->kept, spread_row(f, low), (size_t)w);
	for (int i = low + 1; i < end; i++)
		take_larger(f->kept, spread_row(f, i), w);
}

/* Adds a row of pixels, light times weight and weight, to a row of cells. */
static void add_pixels(const struct focus *f, int y, cell_sums *cells)
{
	const uint8_t *rgb = edit_rgb(f->job->in, y);
	for (int x = 0; x < f->job->width; x++, rgb += 3) {
		uint32_t part = f->kept[x], weight = part < PURE ? MOST - part * (MOST / PURE) : part < MIXED;
		if (weight > 0)
			cells[x >> f->shift] += (cell_sums){f->light[rgb[0]] * weight, f->light[rgb[1]] * weight,
							    f->light[rgb[2]] * weight, weight};
	}
}

/* A cell's sums -> its mean light times its mean weight, both whole numbers, so that an even background stays even. */
static cell_sums settle(const struct focus *f, cell_sums cell)
{
	uint32_t all = cell[3], weight = (all + ((1u << (2 * f->shift)) >> 1)) >> (2 * f->shift);
	if (f->shift == 0 || all == 0)
		return cell;
	return (cell_sums){(cell[0] + all / 2) / all * weight, (cell[1] + all / 2) / all * weight,
			   (cell[2] + all / 2) / all * weight, weight};
}

static cell_sums *ring_row(const struct focus *f, int row)
{
	return f->ring + (size_t)(f->cells_w + 2 * f->reach + 1) * (size_t)(row % (2 * f->reach + 1));
}

/* A row of cells -> its running sums, with `reach` empty cells on either side: entry i is the sum of the i cells
 * before. */
static void fill_ring(struct focus *f, int row)
{
	cell_sums *out = ring_row(f, row), *cells = f->sums, sum = {0};
	memset(cells, 0, sizeof *cells * (size_t)f->cells_w);
	for (int y = row << f->shift; y < (row + 1) << f->shift && y < f->job->height; y++) {
		fill_kept(f, y);
		add_pixels(f, y, cells);
	}
	for (int i = 0; i <= f->reach; i++)
		*out++ = sum;
	for (int x = 0; x < f->cells_w; x++)
		*out++ = sum += settle(f, cells[x]);
	for (int i = 0; i < f->reach; i++)
		*out++ = sum;
}

/* --- discs ---------------------------------------------------------------- */

/* The part of the radius at a height of the photo: with depth, less near the ground that the object stands on, which is
 * as far away as itself; full from half of its height above its feet (behind it), and as far below (before it). */
static float radius_part(const struct tapcut_edit *edit, float y)
{
	if (edit->depth <= 0 || edit->top >= edit->ground)
		return 1;
	float far = y - (float)edit->ground, full = 0.5f * (float)(edit->ground - edit->top);
	far = (far < 0 ? -far : far) / full;
	far = far > 1 ? 1 : far * far * (3 - 2 * far);
	return 1 - edit->depth * (1 - far);
}

static void add_span(const struct focus *f, const cell_sums *running, int span, cell_sums *sums)
{
	const cell_sums *upper = running + f->reach + span + 1, *lower = running + f->reach - span;
	for (int x = 0; x < f->cells_w; x++)
		sums[x] += upper[x] - lower[x];
}

/* The disc about each cell of a row -> sums. */
static void sum_discs(struct focus *f, int row)
{
	float radius = f->radius * radius_part(f->job->edit, ((float)row + 0.5f) * (float)f->cell);
	memset(f->sums, 0, sizeof *f->sums * (size_t)f->cells_w);
	for (int d = -f->reach; d <= f->reach; d++) {
		float rest = radius * radius - (float)(d * d);
		if (rest >= 0 && row + d >= 0 && row + d < f->cells_h)
			add_span(f, ring_row(f, row + d), (int)sqrtf(rest), f->sums);
	}
}

/* The cells' own colours: for a row that has no background in reach. */
static void own_colours(const struct focus *f, int row, uint16_t *out)
{
	int y0 = row << f->shift, y1 = y0 + f->cell < f->job->height ? y0 + f->cell : f->job->height;
	for (int x = 0; x < f->cells_w; x++) {
		int x0 = x << f->shift, x1 = x0 + f->cell < f->job->width ? x0 + f->cell : f->job->width;
		for (int c = 0; c < 3; c++) {
			uint32_t sum = 0;
			for (int y = y0; y < y1; y++)
				for (int i = x0; i < x1; i++)
					sum += edit_rgb(f->job->in, y)[3 * i + c];
			out[3 * x + c] = (uint16_t)(256 * sum / (uint32_t)((x1 - x0) * (y1 - y0)));
		}
	}
}

/* Gives cells without background in reach the colour of the nearest on either side that has some. Only where the
 * object's edge is softer than the blur is anything seen of them. */
static void fill_gaps(const struct focus *f, int row, uint16_t *out)
{
	int w = f->cells_w, left = -1, right = 0;
	for (int x = 0; x < w; x++) {
		if (f->sums[x][3] > 0) {
			left = x;
			continue;
		}
		while (right < w && (right <= x || f->sums[right][3] == 0))
			right++;
		if (left < 0 && right == w) {
			own_colours(f, row, out);
			return;
		}
		int from = left < 0 || (right < w && right - x < x - left) ? right : left;
		memcpy(out + 3 * x, out + 3 * from, 3 * sizeof *out);
	}
}

/* The disc's sums -> colours. */
static void divide(const struct focus *f, int row, uint16_t *out)
{
	bool gaps = false;
	for (int x = 0; x < f->cells_w; x++) {
		cell_sums sums = f->sums[x];
		float scale = sums[3] > 0 ? 1.0f / (float)sums[3] : 0;
		gaps = gaps || sums[3] == 0;
		for (int c = 0; c < 3; c++) {
			int light = (int)((float)sums[c] * scale + 0.5f);
			out[3 * x + c] = f->gamma[edit_clamp(light, 0, 65535) >> GAMMA_SHIFT];
		}
	}
	if (gaps)
		fill_gaps(f, row, out);
}

static void blur_cells(struct focus *f)
{
	int first = f->first_cells - f->reach > 0 ? f->first_cells - f->reach : 0, ready = first;
	f->spread_end = 0;
	for (int i = 0; i < f->count_cells; i++) {
		int row = f->first_cells + i, end = row + f->reach + 1 < f->cells_h ? row + f->reach + 1 : f->cells_h;
		for (; ready < end; ready++)
			fill_ring(f, ready);
		sum_discs(f, row);
		divide(f, row, f->blurred + 3 * (size_t)f->cells_w * (size_t)i);
	}
}

/* --- back to pixels ------------------------------------------------------- */

/* Bilinear between rows of cells. */
static void fill_between(struct focus *f, int y)
{
	int part, whole = 2 * f->cell, before = edit_cell_before(y, f->shift, &part), last = f->cells_h - 1;
	size_t row = 3 * (size_t)f->cells_w;
	const uint16_t *upper = f->blurred + row * (size_t)(edit_clamp(before, 0, last) - f->first_cells);
	const uint16_t *lower = f->blurred + row * (size_t)(edit_clamp(before + 1, 0, last) - f->first_cells);
	for (size_t i = 0; i < row; i++)
		f->between[i] =
			(uint16_t)((upper[i] * (uint32_t)(whole - part) + lower[i] * (uint32_t)part) >> (f->shift + 1));
}

static void blurred_pixel(const struct focus *f, int x, uint8_t out[3])
{
	int part, whole = 2 * f->cell, before = edit_cell_before(x, f->shift, &part), last = f->cells_w - 1;
	const uint16_t *left = f->between + 3 * edit_clamp(before, 0, last),
		       *right = f->between + 3 * edit_clamp(before + 1, 0, last);
	for (int c = 0; c < 3; c++) {
		uint32_t both = left[c] * (uint32_t)(whole - part) + right[c] * (uint32_t)part;
		out[c] = (uint8_t)(((both >> (f->shift + 1)) + 128) >> 8);
	}
}

/* Where the radius is under a cell the photo itself takes over: `sharp` is its part. */
static void write_row(struct focus *f, int y)
{
	const uint8_t *rgb = edit_rgb(f->job->in, y), *alpha = edit_alpha(f->job->in, y);
	uint8_t *out = edit_out(f->job, y), blurred[3];
	float radius = f->radius * radius_part(f->job->edit, (float)y + 0.5f);
	unsigned sharp = radius < 1 ? 255 - (unsigned)(255 * radius + 0.5f) : 0;
	edit_matte_row(&f->matte, y, f->own);
	fill_between(f, y);
	for (int x = 0; x < f->job->width; x++) {
		unsigned part = object_part(f->job->edit->where, alpha[x]);
		if (part == 255) {
			memcpy(out + 3 * x, rgb + 3 * x, 3);
			continue;
		}
		blurred_pixel(f, x, blurred);
		for (int c = 0; c < 3; c++)
			out[3 * x + c] = edit_mix(rgb[3 * x + c], edit_mix(f->own[3 * x + c], blurred[c], part), sharp);
	}
}

void edit_rows_focus(const struct edit_job *job, struct infer_arena *arena)
{
	struct focus f;
	lay_out(&f, job, arena);
	if (!arena->memory)
		return;
	fill_tables(&f);
	blur_cells(&f);
	for (int y = job->first; y < job->first + job->count; y++)
		write_row(&f, y);
}

void tapcut_edit_measure(struct tapcut_edit *edit, const uint8_t *alpha, size_t stride, int width, int height)
{
	if (!edit)
		return;
	edit->top = edit->ground = 0;
	for (int y = 0; alpha && y < height; y++) {
		const uint8_t *row = alpha + (size_t)y * stride;
		int x = 0;
		while (x < width && row[x] < 128)
			x++;
		if (x == width)
			continue;
		if (edit->ground == 0)
			edit->top = y;
		edit->ground = y + 1;
	}
	if (edit->ground > height - height / 50) /* its feet are not in the photo */
		edit->top = edit->ground = 0;
}
