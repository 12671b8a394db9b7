/* See degrade.h. JPEG: Wallace, "The JPEG still picture compression standard", IEEE Trans. Consumer Electronics, 1992;
 * quality to tables as in libjpeg (jcparam.c). */
#include "data/degrade.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

#include "core/portable_math.h"

static uint8_t clip(int value)
{
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

void degrade_grey(uint8_t *rgb, size_t pixels)
{
	for (uint8_t *end = rgb + 3 * pixels; rgb < end; rgb += 3)
		rgb[0] = rgb[1] = rgb[2] = (uint8_t)((77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2] + 128) >> 8);
}

/* --- blur ----------------------------------------------------------------- */

enum { BLUR_ONE = 1 << 16, BLUR_RADIUS = 3 * DEGRADE_MAX_SIGMA };

/* weights[0] is the centre's; both sides together they sum to BLUR_ONE. Returns the radius. */
static int blur_weights(double sigma, int weights[BLUR_RADIUS + 1])
{
	double values[BLUR_RADIUS + 1], sum = 0;
	int radius = (int)ceil(3 * sigma), rest = BLUR_ONE;
	assert(sigma > 0 && radius <= BLUR_RADIUS);
	for (int i = 0; i <= radius; i++) {
		values[i] = portable_exp(-0.5 * i * i / (sigma * sigma));
		sum += i ? 2 * values[i] : values[i];
	}
	for (int i = radius; i > 0; i--) {
		weights[i] = (int)floor(values[i] / sum * BLUR_ONE + 0.5);
		rest -= 2 * weights[i];
	}
	weights[0] = rest;
	return radius;
}

static int within(int at, int count)
{
	return at < 0 ? 0 : at >= count ? count - 1 : at;
}

/* Along rows (step 3, count w) or columns (step 3 w, count h) of `from`; `line` is the distance between lines. */
static void blur_lines(const uint8_t *from, uint8_t *to, int lines, size_t line, int count, size_t step, int radius,
		       const int *weights)
{
	for (int l = 0; l < lines; l++, from += line, to += line)
		for (int i = 0; i < count; i++)
			for (size_t c = 0; c < 3; c++) {
				int sum = BLUR_ONE / 2 + weights[0] * from[(size_t)i * step + c];
				for (int r = 1; r <= radius; r++)
					sum += weights[r] * (from[(size_t)within(i - r, count) * step + c] +
							     from[(size_t)within(i + r, count) * step + c]);
				to[(size_t)i * step + c] = (uint8_t)(sum / BLUR_ONE);
			}
}

void degrade_blur(uint8_t *rgb, int w, int h, double sigma, uint8_t *scratch)
{
	int weights[BLUR_RADIUS + 1], radius = blur_weights(sigma, weights);
	size_t row = 3 * (size_t)w;
	blur_lines(rgb, scratch, h, row, w, 3, radius, weights);
	blur_lines(scratch, rgb, w, 3, h, row, radius, weights);
}

/* --- noise ---------------------------------------------------------------- */

void degrade_noise(uint8_t *rgb, size_t pixels, double deviation, struct rng *rng)
{
	/* The sum of four uniform bytes has mean 510 and variance 4 (256^2 - 1) / 12. */
	int factor = (int)floor(deviation / sqrt(65535.0 / 3) * 65536 + 0.5);
	for (size_t i = 0; i < 3 * pixels; i++) {
		uint32_t u = rng_u32(rng);
		int sum = (int)((u & 255) + (u >> 8 & 255) + (u >> 16 & 255) + (u >> 24)) - 510;
		int64_t scaled = (int64_t)sum * factor + 32768 + (1 << 30); /* not negative, so that >> is defined */
		rgb[i] = clip(rgb[i] + (int)(scaled >> 16) - (1 << 14));
	}
}

/* --- JPEG ----------------------------------------------------------------- */

enum { BLOCK = 8, BLOCK_SIZE = 64 };

static const uint8_t luma_table[BLOCK_SIZE] = {
	16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55, /**/
	14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62, /**/
	18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92, /**/
	49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
};
static const uint8_t chroma_table[BLOCK_SIZE] = {
	17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, /**/
	24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99, /**/
	99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, /**/
	99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
};

static void scale_table(const uint8_t *table, int quality, float steps[BLOCK_SIZE])
{
	int scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
	for (int i = 0; i < BLOCK_SIZE; i++) {
		int step = (table[i] * scale + 50) / 100;
		steps[i] = (float)(step < 1 ? 1 : step > 255 ? 255 : step);
	}
}

/* matrix[k][n] = c(k) / 2 cos((2 n + 1) k pi / 16): orthonormal. */
static void make_matrix(float matrix[BLOCK][BLOCK])
{
	for (int k = 0; k < BLOCK; k++)
		for (int n = 0; n < BLOCK; n++)
			matrix[k][n] = (float)((k ? 0.5 : sqrt(0.125)) * portable_cos_turns((2 * n + 1) * k / 32.0));
}

/* out = A in A^T, A the matrix or, for the way back, its transpose. */
static void transform(float matrix[BLOCK][BLOCK], bool back, const float *in, float *out)
{
	float half[BLOCK_SIZE];
	for (int y = 0; y < BLOCK; y++)
		for (int k = 0; k < BLOCK; k++) {
			float sum = 0;
			for (int n = 0; n < BLOCK; n++)
				sum += in[y * BLOCK + n] * (back ? matrix[n][k] : matrix[k][n]);
			half[y * BLOCK + k] = sum;
		}
	for (int k = 0; k < BLOCK; k++)
		for (int x = 0; x < BLOCK; x++) {
			float sum = 0;
			for (int n = 0; n < BLOCK; n++)
				sum += half[n * BLOCK + x] * (back ? matrix[n][k] : matrix[k][n]);
			out[k * BLOCK + x] = sum;
		}
}

/* One plane of values around 0; blocks at the edge repeat the last row and column. */
static void quantise_plane(float *plane, int w, int h, float matrix[BLOCK][BLOCK], const float *steps)
{
	float block[BLOCK_SIZE], frequencies[BLOCK_SIZE];
	for (int y0 = 0; y0 < h; y0 += BLOCK)
		for (int x0 = 0; x0 < w; x0 += BLOCK) {
			for (int i = 0; i < BLOCK_SIZE; i++)
				block[i] = plane[(size_t)within(y0 + i / BLOCK, h) * (size_t)w +
						 (size_t)within(x0 + i % BLOCK, w)];
			transform(matrix, false, block, frequencies);
			for (int i = 0; i < BLOCK_SIZE; i++)
				frequencies[i] = floorf(frequencies[i] / steps[i] + 0.5f) * steps[i];
			transform(matrix, true, frequencies, block);
			for (int i = 0; i < BLOCK_SIZE; i++)
				if (y0 + i / BLOCK < h && x0 + i % BLOCK < w)
					plane[(size_t)(y0 + i / BLOCK) * (size_t)w + (size_t)(x0 + i % BLOCK)] =
						block[i];
		}
}

size_t degrade_jpeg_floats(int w, int h)
{
	size_t half = (size_t)((w + 1) / 2) * (size_t)((h + 1) / 2);
	return (size_t)w * (size_t)h + 2 * half;
}

/* The mean colour difference of the up to four pixels that one pixel of the halved planes stands for. */
static void halve_colour(const uint8_t *rgb, int w, int h, float *blue, float *red)
{
	int half_w = (w + 1) / 2, half_h = (h + 1) / 2;
	for (int y = 0; y < half_h; y++)
		for (int x = 0; x < half_w; x++) {
			float r = 0, g = 0, b = 0;
			for (int i = 0; i < 4; i++) {
				const uint8_t *p = rgb + 3 * ((size_t)within(2 * y + i / 2, h) * (size_t)w +
							      (size_t)within(2 * x + i % 2, w));
				r += p[0];
				g += p[1];
				b += p[2];
			}
			blue[y * half_w + x] = (-0.168736f * r - 0.331264f * g + 0.5f * b) / 4;
			red[y * half_w + x] = (0.5f * r - 0.418688f * g - 0.081312f * b) / 4;
		}
}

/* A halved plane at pixel (x, y) of the whole one: three quarters of the nearest value and one of the next on each
 * axis, as libjpeg's upsampling has it. */
static float widen(const float *plane, int half_w, int half_h, int x, int y)
{
	const float *row = plane + (size_t)(y / 2) * (size_t)half_w;
	const float *next_row = plane + (size_t)within(y / 2 + (y % 2 ? 1 : -1), half_h) * (size_t)half_w;
	int next = within(x / 2 + (x % 2 ? 1 : -1), half_w);
	float near = 0.75f * row[x / 2] + 0.25f * row[next], far = 0.75f * next_row[x / 2] + 0.25f * next_row[next];
	return 0.75f * near + 0.25f * far;
}

void degrade_jpeg(uint8_t *rgb, int w, int h, int quality, float *scratch)
{
	int half_w = (w + 1) / 2, half_h = (h + 1) / 2;
	size_t pixels = (size_t)w * (size_t)h, half = (size_t)half_w * (size_t)half_h;
	float *luma = scratch, *blue = luma + pixels, *red = blue + half;
	float matrix[BLOCK][BLOCK], steps[BLOCK_SIZE];
	assert(quality >= 1 && quality <= 100);
	make_matrix(matrix);
	for (size_t i = 0; i < pixels; i++)
		luma[i] = 0.299f * rgb[3 * i] + 0.587f * rgb[3 * i + 1] + 0.114f * rgb[3 * i + 2] - 128;
	halve_colour(rgb, w, h, blue, red);
	scale_table(luma_table, quality, steps);
	quantise_plane(luma, w, h, matrix, steps);
	scale_table(chroma_table, quality, steps);
	quantise_plane(blue, half_w, half_h, matrix, steps);
	quantise_plane(red, half_w, half_h, matrix, steps);
	for (size_t i = 0; i < pixels; i++) {
		int px = (int)(i % (size_t)w), py = (int)(i / (size_t)w);
		float y = luma[i] + 128.5f;
		float cb = widen(blue, half_w, half_h, px, py), cr = widen(red, half_w, half_h, px, py);
		rgb[3 * i] = clip((int)floorf(y + 1.402f * cr));
		rgb[3 * i + 1] = clip((int)floorf(y - 0.344136f * cb - 0.714136f * cr));
		rgb[3 * i + 2] = clip((int)floorf(y + 1.772f * cb));
	}
}
