/* Filters that look at a pixel's neighbours: sharpen and clarity (what differs from a blurred copy is made stronger,
 * the one at pixels, the other at the size of a cheek or a cloud), and pixelate. */
#include <string.h>

#include "edit.h"

/* --- a blurred luma ------------------------------------------------------- */

/* Luma in 16ths on cells of 2^shift x 2^shift pixels, twice through a box of 2 radius + 1 cells. */
struct soft {
	const struct edit_job *job;
	int shift, radius;
	int cells_w, cells_h;
	int first, count; /* rows of cells that the strip's rows lie between */
	uint16_t *cells, *once,
		*twice;    /* rows: count + 4 radius, count + 2 radius, count; those outside the photo are left out */
	uint16_t *between; /* one row of cells */
	uint32_t *sums;
};

static void lay_out(struct soft *s, const struct edit_job *job, int shift, int radius, struct infer_arena *arena)
{
	int part;
	*s = (struct soft){.job = job, .shift = shift, .radius = radius};
	s->cells_w = (job->width + (1 << shift) - 1) >> shift;
	s->cells_h = (job->height + (1 << shift) - 1) >> shift;
	s->first = edit_clamp(edit_cell_before(job->first, shift, &part), 0, s->cells_h - 1);
	s->count = edit_clamp(edit_cell_before(job->first + job->count - 1, shift, &part) + 1, 0, s->cells_h - 1) + 1 -
		   s->first;
	int rows = arena->memory ? s->count : (job->count >> shift) + 3;
	size_t row = sizeof(uint16_t) * (size_t)s->cells_w;
	s->cells = infer_arena_take(arena, row * (size_t)(rows + 4 * radius));
	s->once = infer_arena_take(arena, row * (size_t)(rows + 2 * radius));
	s->twice = infer_arena_take(arena, row * (size_t)rows);
	s->between = infer_arena_take(arena, row);
	s->sums = infer_arena_take(arena, sizeof *s->sums * (size_t)s->cells_w);
}

static int soft_border(int shift, int radius)
{
	return (2 * radius + 2) << shift;
}

/* A range of rows within the photo. */
struct range {
	int first, end;
};

static struct range rows_about(const struct soft *s, int more)
{
	int end = s->first + s->count + more;
	return (struct range){s->first - more > 0 ? s->first - more : 0, end < s->cells_h ? end : s->cells_h};
}

static void fill_cells(struct soft *s)
{
	struct range rows = rows_about(s, 2 * s->radius);
	for (int row = rows.first; row < rows.end; row++) {
		uint16_t *out = s->cells + (size_t)(row - rows.first) * (size_t)s->cells_w;
		int y0 = row << s->shift,
		    y1 = (row + 1) << s->shift < s->job->height ? (row + 1) << s->shift : s->job->height;
		memset(s->sums, 0, sizeof *s->sums * (size_t)s->cells_w);
		for (int y = y0; y < y1; y++) {
			const uint8_t *rgb = edit_rgb(s->job->in, y);
			for (int x = 0; x < s->job->width; x++, rgb += 3)
				s->sums[x >> s->shift] += (uint32_t)edit_luma16(rgb);
		}
		for (int i = 0; i < s->cells_w; i++) {
			int wide =
				(i + 1) << s->shift < s->job->width ? 1 << s->shift : s->job->width - (i << s->shift);
			uint32_t count = (uint32_t)(wide * (y1 - y0));
			out[i] = (uint16_t)((s->sums[i] + count / 2) / count);
		}
	}
}

/* The sum over 2 radius + 1 cells of a row, as far as there are such, over their number and `rows`. */
static void mean_along(const uint32_t *sums, int width, int radius, int rows, uint16_t *out)
{
	uint32_t sum = 0;
	int count = 0;
	for (; count < radius && count < width; count++)
		sum += sums[count];
	float scale = 0;
	for (int x = 0, last = -1; x < width; x++) {
		if (x + radius < width) {
			sum += sums[x + radius];
			count++;
		}
		if (x - radius > 0) {
			sum -= sums[x - radius - 1];
			count--;
		}
		if (count != last)
			scale = 1.0f / (float)(count * rows);
		last = count;
		out[x] = (uint16_t)((float)sum * scale + 0.5f);
	}
}

static void box(const struct soft *s, const uint16_t *in, struct range have, struct range want, uint16_t *out)
{
	int r = s->radius, w = s->cells_w;
	struct range summed = {have.first, have.first};
	memset(s->sums, 0, sizeof *s->sums * (size_t)w);
	for (int y = want.first; y < want.end; y++, out += w) {
		int first = y - r > 0 ? y - r : 0, end = y + r + 1 < s->cells_h ? y + r + 1 : s->cells_h;
		for (; summed.end < end; summed.end++)
			for (int x = 0; x < w; x++)
				s->sums[x] += in[(size_t)(summed.end - have.first) * (size_t)w + (size_t)x];
		for (; summed.first < first; summed.first++)
			for (int x = 0; x < w; x++)
				s->sums[x] -= in[(size_t)(summed.first - have.first) * (size_t)w + (size_t)x];
		mean_along(s->sums, w, r, end - first, out);
	}
}

/* Blurred luma of a row of pixels, interpolated -> out, 16ths. */
static void soft_row(const struct soft *s, int y, uint16_t *out)
{
	int part, whole = 2 << s->shift, before = edit_cell_before(y, s->shift, &part), last = s->cells_h - 1;
	const uint16_t *upper = s->twice + (size_t)(edit_clamp(before, 0, last) - s->first) * (size_t)s->cells_w;
	const uint16_t *lower = s->twice + (size_t)(edit_clamp(before + 1, 0, last) - s->first) * (size_t)s->cells_w;
	for (int i = 0; i < s->cells_w; i++)
		s->between[i] = (uint16_t)((upper[i] * (whole - part) + lower[i] * part) >> (s->shift + 1));
	for (int x = 0; x < s->job->width; x++) {
		before = edit_cell_before(x, s->shift, &part);
		int left = s->between[edit_clamp(before, 0, s->cells_w - 1)],
		    right = s->between[edit_clamp(before + 1, 0, s->cells_w - 1)];
		out[x] = (uint16_t)((left * (whole - part) + right * part) >> (s->shift + 1));
	}
}

/* --- sharpen, clarity ----------------------------------------------------- */

/* What a difference of luma (levels, -255..255) adds, in 16ths: proportional where it is small, and never more than
 * `most` levels, so that strong edges get no bright and dark lines. */
static void fill_boost(int16_t boost[511], float gain, float most)
{
	for (int i = 0; i < 511; i++) {
		float d = gain * (float)(i - 255), size = d < 0 ? -d : d, out = 16 * d / (1 + size / most);
		boost[i] = (int16_t)(out + (out < 0 ? -0.5f : 0.5f));
	}
}

/* Between `boost`'s entries by 16ths. */
static int boosted(const int16_t boost[511], int difference16)
{
	int at = difference16 + 16 * 255, i = at >> 4, part = at & 15;
	return i >= 510 ? boost[510] : (boost[i] * (16 - part) + boost[i + 1] * part) / 16;
}

static void unsharp(const struct edit_job *job, struct infer_arena *arena, int shift, int radius, float gain,
		    float most)
{
	struct soft s;
	lay_out(&s, job, shift, radius, arena);
	uint16_t *blurred = infer_arena_take(arena, sizeof *blurred * (size_t)job->width);
	int16_t *boost = infer_arena_take(arena, sizeof *boost * 511);
	if (!arena->memory)
		return;
	fill_boost(boost, gain, most);
	fill_cells(&s);
	box(&s, s.cells, rows_about(&s, 2 * radius), rows_about(&s, radius), s.once);
	box(&s, s.once, rows_about(&s, radius), rows_about(&s, 0), s.twice);
	for (int y = job->first; y < job->first + job->count; y++) {
		const uint8_t *rgb = edit_rgb(job->in, y), *alpha = edit_alpha(job->in, y);
		uint8_t *out = edit_out(job, y);
		soft_row(&s, y, blurred);
		for (int x = 0; x < job->width; x++, rgb += 3, out += 3) {
			unsigned weight = edit_weight(job->edit->where, alpha[x]);
			int add = boosted(boost, edit_luma16(rgb) - blurred[x]);
			for (int c = 0; c < 3; c++)
				out[c] = edit_mix((unsigned)edit_clamp((16 * rgb[c] + add + 8) >> 4, 0, 255), rgb[c],
						  weight);
		}
	}
}

static int sharpen_radius(int width, int height)
{
	return 1 + infer_max(width, height) / 3000;
}

int edit_border_sharpen(const struct tapcut_edit *edit, int width, int height)
{
	(void)edit;
	return soft_border(0, sharpen_radius(width, height));
}

void edit_rows_sharpen(const struct edit_job *job, struct infer_arena *arena)
{
	unsharp(job, arena, 0, sharpen_radius(job->width, job->height), 1.6f * job->edit->amount, 40);
}

/* Cells such that a radius of a fiftieth of the long side is 2 to 4 of them. */
static int clarity_shift(int width, int height, int *radius)
{
	int pixels = 1 + infer_max(width, height) / 50, shift = 0;
	while (pixels >> shift >= 4)
		shift++;
	*radius = pixels >> shift;
	return shift;
}

int edit_border_clarity(const struct tapcut_edit *edit, int width, int height)
{
	int radius, shift = clarity_shift(width, height, &radius);
	(void)edit;
	return soft_border(shift, radius);
}

void edit_rows_clarity(const struct edit_job *job, struct infer_arena *arena)
{
	int radius, shift = clarity_shift(job->width, job->height, &radius);
	unsharp(job, arena, shift, radius, (job->edit->amount < 0 ? 0.8f : 1.1f) * job->edit->amount,
		job->edit->amount < 0 ? 200 : 48);
}

/* --- pixelate ------------------------------------------------------------- */

static int square_size(const struct tapcut_edit *edit, int width, int height)
{
	int size = (int)(edit->amount * (float)infer_max(width, height) / 8);
	return size < 2 ? 2 : size;
}

int edit_border_pixelate(const struct tapcut_edit *edit, int width, int height)
{
	return square_size(edit, width, height) - 1;
}

/* Means of squares from..from+size-1, of what is to be hidden: pixels outside count next to nothing, so that a square
 * at the edge does not show what is beyond. */
static void mean_squares(const struct edit_job *job, int from, int size, uint64_t *sums)
{
	int end = from + size < job->height ? from + size : job->height, squares = (job->width + size - 1) / size;
	memset(sums, 0, sizeof *sums * 4 * (size_t)squares);
	for (int y = from; y < end; y++) {
		const uint8_t *rgb = edit_rgb(job->in, y), *alpha = edit_alpha(job->in, y);
		for (int x = 0, square = 0; x < job->width; square++)
			for (int stop = x + size < job->width ? x + size : job->width; x < stop; x++, rgb += 3) {
				unsigned weight = 16 * edit_weight(job->edit->where, alpha[x]) + 1;
				for (int c = 0; c < 3; c++)
					sums[4 * square + c] += weight * rgb[c];
				sums[4 * square + 3] += weight;
			}
	}
	for (int i = 0; i < squares; i++)
		for (int c = 0; c < 3; c++)
			sums[4 * i + c] = (sums[4 * i + c] + sums[4 * i + 3] / 2) / sums[4 * i + 3];
}

void edit_rows_pixelate(const struct edit_job *job, struct infer_arena *arena)
{
	int size = square_size(job->edit, job->width, job->height);
	uint64_t *squares = infer_arena_take(arena, sizeof *squares * 4 * (size_t)((job->width + size - 1) / size));
	if (!arena->memory)
		return;
	for (int y = job->first; y < job->first + job->count; y++) {
		const uint8_t *rgb = edit_rgb(job->in, y), *alpha = edit_alpha(job->in, y);
		uint8_t *out = edit_out(job, y);
		if (y == job->first || y % size == 0)
			mean_squares(job, y / size * size, size, squares);
		for (int x = 0; x < job->width; x++)
			for (int c = 0; c < 3; c++)
				out[3 * x + c] = edit_mix((unsigned)squares[4 * (x / size) + c], rgb[3 * x + c],
							  edit_weight(job->edit->where, alpha[x]));
	}
}
