/* See upsample.h. Bilinear goes row by row: two input rows are blended into a line, which is then widened. The gradient
 * goes the other way: for factor 2 four rows are blended into a line, which is then narrowed, so that each input pixel
 * is written once; clamping positions at the edges is the same as repeating the edge pixel, in both directions. */
#include "core/kernels/upsample.h"

#include <string.h>

#include "core/kernels/kernel.h"

static int clamp(int value, int high)
{
	return value < 0 ? 0 : value > high ? high : value;
}

/* --- bilinear, forward ---------------------------------------------------- */

static void blend(const float *restrict upper, const float *restrict lower, float upper_weight, float lower_weight,
		  size_t count, float *restrict line)
{
	for (size_t i = 0; i < count; i++)
		line[i] = upper_weight * upper[i] + lower_weight * lower[i];
}

/* line has a pixel more on both sides. */
static void widen_by_2(const float *restrict line, int width, int channels, float *restrict out)
{
	if (channels == 1) {
		for (int x = 0; x < width; x++) {
			out[2 * x] = 0.25f * line[x - 1] + 0.75f * line[x];
			out[2 * x + 1] = 0.75f * line[x] + 0.25f * line[x + 1];
		}
		return;
	}
	for (int x = 0; x < width; x++, line += channels, out += 2 * channels) {
		const float *left = line - channels, *right = line + channels;
		float *second = out + channels;
		for (int c = 0; c < channels; c++) {
			out[c] = 0.25f * left[c] + 0.75f * line[c];
			second[c] = 0.75f * line[c] + 0.25f * right[c];
		}
	}
}

static void widen(const struct upsample *u, const float *line, float *out)
{
	if (u->factor == 2) {
		widen_by_2(line, u->w, u->channels, out);
		return;
	}
	for (int x = 0; x < u->w; x++)
		for (int phase = 0; phase < u->factor; phase++, out += u->channels) {
			const float *left = line + (x + u->offset[phase]) * u->channels, *right = left + u->channels;
			for (int c = 0; c < u->channels; c++)
				out[c] = u->left[phase] * left[c] + u->right[phase] * right[c];
		}
}

void KERNEL(upsample_bilinear)(const struct upsample *u, const float *in, float *out, float *line)
{
	size_t row = (size_t)u->w * (size_t)u->channels, pixel = (size_t)u->channels;
	float *inner = line + pixel;
	for (int y = 0; y < u->h * u->factor; y++, out += row * (size_t)u->factor) {
		int phase = y % u->factor, upper = y / u->factor + u->offset[phase];
		blend(in + (size_t)clamp(upper, u->h - 1) * row, in + (size_t)clamp(upper + 1, u->h - 1) * row,
		      u->left[phase], u->right[phase], row, inner);
		memcpy(line, inner, pixel * sizeof *line);
		memcpy(inner + row, inner + row - pixel, pixel * sizeof *line);
		widen(u, inner, out);
	}
}

/* --- bilinear, gradient --------------------------------------------------- */

/* What four neighbours send to the input pixel between them. */
static inline float gather(float a, float b, float c, float d)
{
	return (0.25f * a + 0.75f * b) + (0.75f * c + 0.25f * d);
}

static void blend_4(const float *const rows[4], size_t count, float *restrict line)
{
	const float *restrict a = rows[0], *restrict b = rows[1], *restrict c = rows[2], *restrict d = rows[3];
	for (size_t i = 0; i < count; i++)
		line[i] = gather(a[i], b[i], c[i], d[i]);
}

/* line has a pixel more on both sides. */
static inline void narrow_by_2(const float *restrict line, int width, int channels, float *restrict in_grad, bool add)
{
	for (int x = 0; x < width; x++, line += 2 * channels, in_grad += channels) {
		const float *a = line - channels, *d = line + 2 * channels, *c = line + channels;
		for (int i = 0; i < channels; i++)
			in_grad[i] = (add ? in_grad[i] : 0) + gather(a[i], line[i], c[i], d[i]);
	}
}

static inline void narrow_planes_by_2(const float *restrict line, int width, float *restrict in_grad, bool add)
{
	for (int x = 0; x < width; x++)
		in_grad[x] =
			(add ? in_grad[x] : 0) + gather(line[2 * x - 1], line[2 * x], line[2 * x + 1], line[2 * x + 2]);
}

static void grad_by_2(const struct upsample *u, const float *out_grad, float *in_grad, float *line, bool add)
{
	size_t pixel = (size_t)u->channels, row = 2 * (size_t)u->w * pixel;
	float *inner = line + pixel;
	for (int y = 0; y < u->h; y++, in_grad += (size_t)u->w * pixel) {
		const float *rows[4];
		for (int i = 0; i < 4; i++)
			rows[i] = out_grad + (size_t)clamp(2 * y - 1 + i, 2 * u->h - 1) * row;
		blend_4(rows, row, inner);
		memcpy(line, inner, pixel * sizeof *line);
		memcpy(inner + row, inner + row - pixel, pixel * sizeof *line);
		if (u->channels == 1 && add)
			narrow_planes_by_2(inner, u->w, in_grad, true);
		else if (u->channels == 1)
			narrow_planes_by_2(inner, u->w, in_grad, false);
		else if (add)
			narrow_by_2(inner, u->w, u->channels, in_grad, true);
		else
			narrow_by_2(inner, u->w, u->channels, in_grad, false);
	}
}

static void add_scaled(float *restrict to, const float *restrict from, float weight, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] += weight * from[i];
}

/* The transpose of widen: what a row of the output's gradient sends to each pixel. */
static void narrow(const struct upsample *u, const float *out_grad, float *line)
{
	size_t pixel = (size_t)u->channels, row = (size_t)u->w * pixel;
	float *inner = line + pixel;
	memset(line, 0, (row + 2 * pixel) * sizeof *line);
	for (int x = 0; x < u->w; x++)
		for (int phase = 0; phase < u->factor; phase++, out_grad += pixel) {
			float *left = inner + (x + u->offset[phase]) * u->channels;
			add_scaled(left, out_grad, u->left[phase], pixel);
			add_scaled(left + pixel, out_grad, u->right[phase], pixel);
		}
	add_scaled(inner, line, 1, pixel);
	add_scaled(inner + row - pixel, inner + row, 1, pixel);
}

void KERNEL(upsample_bilinear_grad)(const struct upsample *u, const float *out_grad, float *in_grad, float *line,
				    bool add)
{
	size_t row = (size_t)u->w * (size_t)u->channels;
	if (u->factor == 2) {
		grad_by_2(u, out_grad, in_grad, line, add);
		return;
	}
	if (!add)
		memset(in_grad, 0, (size_t)u->h * row * sizeof *in_grad);
	for (int y = 0; y < u->h * u->factor; y++, out_grad += row * (size_t)u->factor) {
		int phase = y % u->factor, upper = y / u->factor + u->offset[phase];
		narrow(u, out_grad, line);
		add_scaled(in_grad + (size_t)clamp(upper, u->h - 1) * row, line + u->channels, u->left[phase], row);
		add_scaled(in_grad + (size_t)clamp(upper + 1, u->h - 1) * row, line + u->channels, u->right[phase],
			   row);
	}
}

/* --- nearest -------------------------------------------------------------- */

void KERNEL(upsample_nearest)(const struct upsample *u, const float *in, float *out)
{
	size_t pixel = (size_t)u->channels, out_row = (size_t)u->w * (size_t)u->factor * pixel;
	for (int y = 0; y < u->h; y++) {
		float *first = out;
		for (int x = 0; x < u->w; x++, in += pixel)
			for (int i = 0; i < u->factor; i++, out += pixel)
				for (size_t c = 0; c < pixel; c++)
					out[c] = in[c];
		for (int i = 1; i < u->factor; i++, out += out_row)
			memcpy(out, first, out_row * sizeof *out);
	}
}

void KERNEL(upsample_nearest_grad)(const struct upsample *u, const float *out_grad, float *in_grad, bool add)
{
	size_t pixel = (size_t)u->channels, out_row = (size_t)u->w * (size_t)u->factor * pixel;
	for (int y = 0; y < u->h; y++, out_grad += out_row * (size_t)u->factor)
		for (int x = 0; x < u->w; x++, in_grad += pixel) {
			const float *block = out_grad + (size_t)x * (size_t)u->factor * pixel;
			if (!add)
				memset(in_grad, 0, pixel * sizeof *in_grad);
			for (int i = 0; i < u->factor; i++)
				for (int j = 0; j < u->factor; j++)
					for (size_t c = 0; c < pixel; c++)
						in_grad[c] += block[(size_t)i * out_row + (size_t)j * pixel + c];
		}
}
