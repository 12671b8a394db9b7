/* Separable resampling with a triangle filter: training crops and deployed photos go through this one file, so that
 * the network meets the same pixels in both.
 *
 * For a result pixel i of an axis, s = source pixels per result pixel, the centre is c = start + (i + 0.5) s and the
 * weight of source pixel j is max(0, 1 - |j + 0.5 - c| / max(1, s)), normalised (Heckbert, "Filtered image
 * rescaling", Graphics Gems III, 1992; the same weights as Pillow's BILINEAR).
 *
 * Bytes: weights are integers that add up to exactly 2^14. The vertical pass goes first, because it runs along whole
 * rows and vectorises; it leaves one row of 15-bit numbers (bytes times 2^7), which the horizontal pass reads while
 * it is still in the cache. So the workspace is a row, not an image. */
#include "resize.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "../common/arena.h"

enum {
	WEIGHT_BITS = 14,                      /* weights fit int16_t, 1.0 included */
	ROW_BITS = 7,                          /* 255 << 7 fits int16_t */
	COLUMN_SHIFT = WEIGHT_BITS - ROW_BITS, /* after the vertical pass */
	RESULT_SHIFT = WEIGHT_BITS + ROW_BITS, /* after the horizontal pass */
};

/* The source pixels that make result pixel i: first .. first + count, weights from weights[start] on. */
struct taps {
	int32_t first, count, start;
};

/* One axis. Result pixels begin .. end have their centre inside the source; those outside have no taps for bytes,
 * and the edge pixel for floats. */
struct axis {
	struct taps *taps;
	int begin, end;
	union {
		int16_t *fixed;
		float *real;
	} weights;
};

/* At most so many weights for an axis. Enlarging, a pixel has 2 taps. Reducing by s, at most n = min(src / s + 1,
 * dst) pixels have their centre inside, with at most min(2 s + 1, src) taps each: under 4 src + dst. Floats add a
 * tap for each pixel outside, and at most src taps for the one pixel on either side that still reaches in. */
static size_t axis_weights(int src, int dst)
{
	return 6 * (size_t)src + 4 * (size_t)dst + 8;
}

static struct axis axis_place(struct infer_arena *arena, int src, int dst)
{
	struct axis axis = {.taps = infer_arena_take(arena, (size_t)dst * sizeof(struct taps))};
	axis.weights.fixed = infer_arena_take(arena, axis_weights(src, dst) * sizeof(float));
	return axis;
}

/* Rows of sums and of what bytes are made of; floats need less. */
static void rows_place(struct infer_arena *arena, int src_w, int32_t **sum, int16_t **row)
{
	*sum = infer_arena_take(arena, (size_t)src_w * 3 * sizeof **sum);
	*row = infer_arena_take(arena, (size_t)src_w * 3 * sizeof **row);
}

size_t infer_resize_workspace(int src_w, int src_h, int dst_w, int dst_h)
{
	struct infer_arena arena = {0};
	int32_t *sum;
	int16_t *row;
	axis_place(&arena, src_w, dst_w);
	axis_place(&arena, src_h, dst_h);
	rows_place(&arena, src_w, &sum, &row);
	return arena.used;
}

static double clamp(double value, double low, double high)
{
	return value < low ? low : value > high ? high : value;
}

static double triangle(int pixel, double centre, double support)
{
	double weight = 1.0 - fabs(pixel + 0.5 - centre) / support;
	return weight > 0 ? weight : 0;
}

/* Integer weights of one result pixel. Rounding the running sum, not each weight, makes them add up exactly and
 * keeps every partial sum within half a unit, however many taps there are. */
static void fixed_weights(const struct taps *taps, double centre, double support, int16_t *weights)
{
	double sum = 0;
	for (int t = 0; t < taps->count; t++)
		sum += triangle(taps->first + t, centre, support);
	double running = 0;
	int before = 0;
	for (int t = 0; t < taps->count; t++) {
		running += triangle(taps->first + t, centre, support);
		int after = (int)floor(running / sum * (1 << WEIGHT_BITS) + 0.5);
		weights[t] = (int16_t)(after - before);
		before = after;
	}
}

static void real_weights(const struct taps *taps, double centre, double support, float *weights)
{
	double sum = 0;
	for (int t = 0; t < taps->count; t++)
		sum += triangle(taps->first + t, centre, support);
	for (int t = 0; t < taps->count; t++)
		weights[t] = (float)(triangle(taps->first + t, centre, support) / sum);
}

/* Taps of every result pixel whose centre, after clamping for floats, lies in the source. */
static void axis_plan(struct axis *axis, double low, double high, int src, int dst, int real)
{
	double step = (high - low) / dst;
	double support = step > 1 ? step : 1;
	int32_t used = 0;
	axis->begin = dst;
	axis->end = 0;
	for (int i = 0; i < dst; i++) {
		double centre = low + (i + 0.5) * step;
		if (!real && !(centre >= 0 && centre < src))
			continue;
		axis->begin = i < axis->begin ? i : axis->begin;
		axis->end = i + 1;
		struct taps *taps = &axis->taps[i];
		double edge = clamp(centre, 0.5, src - 0.5);
		/* Pixels j with |j + 0.5 - centre| < support; where there are none, the edge pixel. */
		int first = (int)clamp(floor(centre - support - 0.5) + 1, 0, src);
		int last = (int)clamp(ceil(centre + support - 0.5) - 1, -1, src - 1);
		if (first > last) {
			first = last = (int)edge;
			centre = edge;
		}
		*taps = (struct taps){first, last - first + 1, used};
		if (real)
			real_weights(taps, centre, support, axis->weights.real + used);
		else
			fixed_weights(taps, centre, support, axis->weights.fixed + used);
		used += taps->count;
	}
	if (axis->begin > axis->end)
		axis->begin = axis->end = 0;
	assert((size_t)used <= axis_weights(src, dst));
}

/* Weighted sum of `count` rows of bytes, n bytes each -> n 15-bit numbers. Two rows at a time halve the trips of
 * `sum` to memory. */
static void columns_u8(const uint8_t *src, size_t stride, const int16_t *weights, int count, int n,
		       int32_t *restrict sum, int16_t *restrict out)
{
	for (int i = 0; i < n; i++)
		sum[i] = 1 << (COLUMN_SHIFT - 1);
	int t = 0;
	for (; t + 1 < count; t += 2) {
		const uint8_t *restrict a = src + (size_t)t * stride, *restrict b = a + stride;
		int16_t wa = weights[t], wb = weights[t + 1];
		for (int i = 0; i < n; i++)
			sum[i] += (int16_t)a[i] * wa + (int16_t)b[i] * wb;
	}
	if (t < count) {
		const uint8_t *restrict a = src + (size_t)t * stride;
		int16_t wa = weights[t];
		for (int i = 0; i < n; i++)
			sum[i] += (int16_t)a[i] * wa;
	}
	for (int i = 0; i < n; i++)
		out[i] = (int16_t)(sum[i] >> COLUMN_SHIFT);
}

static void across_1(const struct axis *axis, const int16_t *row, int from, uint8_t *dst, int step)
{
	for (int x = axis->begin; x < axis->end; x++, dst += step) {
		const struct taps *taps = &axis->taps[x];
		const int16_t *weights = axis->weights.fixed + taps->start, *p = row + (taps->first - from);
		int32_t sum = 1 << (RESULT_SHIFT - 1);
		for (int t = 0; t < taps->count; t++)
			sum += p[t] * weights[t];
		*dst = (uint8_t)(sum >> RESULT_SHIFT);
	}
}

static void across_3(const struct axis *axis, const int16_t *row, int from, uint8_t *dst, int step)
{
	for (int x = axis->begin; x < axis->end; x++, dst += step) {
		const struct taps *taps = &axis->taps[x];
		const int16_t *weights = axis->weights.fixed + taps->start, *p = row + 3 * (taps->first - from);
		int32_t a = 1 << (RESULT_SHIFT - 1), b = a, c = a;
		for (int t = 0; t < taps->count; t++, p += 3) {
			a += p[0] * weights[t];
			b += p[1] * weights[t];
			c += p[2] * weights[t];
		}
		dst[0] = (uint8_t)(a >> RESULT_SHIFT);
		dst[1] = (uint8_t)(b >> RESULT_SHIFT);
		dst[2] = (uint8_t)(c >> RESULT_SHIFT);
	}
}

static void fill_pixels(uint8_t *dst, size_t pixels, const uint8_t *fill, int channels)
{
	for (size_t i = 0; i < pixels; i++)
		for (int c = 0; c < channels; c++)
			*dst++ = fill[c];
}

void infer_resize_u8(const uint8_t *src, int src_w, int src_h, size_t src_stride, int channels, struct infer_rect rect,
		     uint8_t *dst, int dst_w, int dst_h, const uint8_t *fill, int flip, void *workspace)
{
	assert(channels == 1 || channels == 3);
	assert(src_w > 0 && src_h > 0 && dst_w > 0 && dst_h > 0 && rect.x0 < rect.x1 && rect.y0 < rect.y1);
	struct infer_arena arena = {.memory = workspace};
	struct axis across = axis_place(&arena, src_w, dst_w), down = axis_place(&arena, src_h, dst_h);
	int32_t *sum;
	int16_t *row;
	rows_place(&arena, src_w, &sum, &row);
	axis_plan(&across, rect.x0, rect.x1, src_w, dst_w, 0);
	axis_plan(&down, rect.y0, rect.y1, src_h, dst_h, 0);

	size_t dst_stride = (size_t)dst_w * (size_t)channels;
	if (across.begin == across.end || down.begin == down.end) {
		fill_pixels(dst, (size_t)dst_w * (size_t)dst_h, fill, channels);
		return;
	}
	if (across.begin > 0 || across.end < dst_w || down.begin > 0 || down.end < dst_h)
		fill_pixels(dst, (size_t)dst_w * (size_t)dst_h, fill, channels);
	/* Only the columns that some result pixel needs. */
	int from = across.taps[across.begin].first;
	const struct taps *rightmost = &across.taps[across.end - 1];
	int n = (rightmost->first + rightmost->count - from) * channels;
	int start = (flip ? dst_w - 1 - across.begin : across.begin) * channels, step = flip ? -channels : channels;
	for (int y = down.begin; y < down.end; y++) {
		const struct taps *taps = &down.taps[y];
		columns_u8(src + (size_t)taps->first * src_stride + (size_t)from * (size_t)channels, src_stride,
			   down.weights.fixed + taps->start, taps->count, n, sum, row);
		(channels == 1 ? across_1 : across_3)(&across, row, from, dst + (size_t)y * dst_stride + start, step);
	}
}

static void columns_f32(const float *src, int stride, const float *weights, int count, float *restrict out)
{
	for (int i = 0; i < stride; i++)
		out[i] = src[i] * weights[0];
	for (int t = 1; t < count; t++) {
		const float *restrict a = src + (size_t)t * (size_t)stride;
		for (int i = 0; i < stride; i++)
			out[i] += a[i] * weights[t];
	}
}

void infer_resize_f32(const float *src, int src_w, int src_h, struct infer_rect rect, float *dst, int dst_w, int dst_h,
		      void *workspace)
{
	assert(src_w > 0 && src_h > 0 && dst_w > 0 && dst_h > 0 && rect.x0 < rect.x1 && rect.y0 < rect.y1);
	struct infer_arena arena = {.memory = workspace};
	struct axis across = axis_place(&arena, src_w, dst_w), down = axis_place(&arena, src_h, dst_h);
	float *row = infer_arena_take(&arena, (size_t)src_w * sizeof *row);
	axis_plan(&across, rect.x0, rect.x1, src_w, dst_w, 1);
	axis_plan(&down, rect.y0, rect.y1, src_h, dst_h, 1);
	for (int y = 0; y < dst_h; y++) {
		const struct taps *taps = &down.taps[y];
		columns_f32(src + (size_t)taps->first * (size_t)src_w, src_w, down.weights.real + taps->start,
			    taps->count, row);
		for (int x = 0; x < dst_w; x++) {
			const struct taps *t = &across.taps[x];
			const float *weights = across.weights.real + t->start, *p = row + t->first;
			float value = p[0] * weights[0];
			for (int i = 1; i < t->count; i++)
				value += p[i] * weights[i];
			*dst++ = value;
		}
	}
}
