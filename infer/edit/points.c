/* Filters that look at one pixel at a time. Each is a few lines: `prepare` turns the amount into curves (a byte for a
 * byte, per channel) or a matrix, `row` applies it. All per-pixel arithmetic is in integers, so that every processor
 * gives the same bytes; all curves go through 0..1 without clipping where they can, so that skies and faces keep their
 * tones. */
#include <string.h>

#include "edit.h"

enum { RED, GREEN, BLUE, ONE = 4096 };

static uint8_t to_byte(float value)
{
	return (uint8_t)edit_clamp((int)(255.0f * value + 0.5f), 0, 255);
}

__attribute__((noinline)) /* else there is a copy of it for each curve */
static void
same_curve(struct edit_point *point, float (*curve)(float v, float amount), float amount)
{
	for (int v = 0; v < 256; v++)
		for (int c = 0; c < 3; c++)
			point->curve[c][v] = to_byte(curve((float)v / 255.0f, amount));
}

/* --- curves --------------------------------------------------------------- */

/* Twice as bright at +1 in the shadows and with highlights that roll off instead of clipping (x -> gx / (1 + (g - 1)
 * x), which keeps 0 and 1); at -1 a third. */
static float exposure(float v, float amount)
{
	float gain = 1 + 2 * (amount < 0 ? -amount : amount);
	return amount < 0 ? v / gain : gain * v / (1 + (gain - 1) * v);
}

/* An S about the middle with fixed ends; or flat, down to 30 % of the range. */
static float contrast(float v, float amount)
{
	float x = 2 * v - 1, k = 1.5f * amount, size = x < 0 ? -x : x;
	float y = amount < 0 ? x * (1 + 0.7f * amount) : x * (1 + k) / (1 + k * size);
	return 0.5f + 0.5f * y;
}

/* Bumps over the bright and the dark half, small enough for the curve to rise everywhere. */
static float highlights(float v, float amount)
{
	return v + 0.95f * amount * v * v * (1 - v);
}

static float shadows(float v, float amount)
{
	return v + (amount < 0 ? 0.95f : 1.4f) * amount * v * (1 - v) * (1 - v);
}

/* Old print: blacks lifted, whites dimmed. */
static float fade(float v, float amount)
{
	return v + amount * (0.20f + 0.70f * v - v);
}

static float invert(float v, float amount)
{
	return v + amount * (1 - 2 * v);
}

/* 32 down to 3 steps; 0 is none. */
static float posterize(float v, float amount)
{
	int levels = (int)(2 + 30 * (1 - amount) * (1 - amount));
	return (float)(int)((float)levels * v + 0.5f) / (float)levels;
}

void edit_prepare_exposure(struct edit_point *point, const struct tapcut_edit *edit)
{
	same_curve(point, exposure, edit->amount);
}

void edit_prepare_contrast(struct edit_point *point, const struct tapcut_edit *edit)
{
	same_curve(point, contrast, edit->amount);
}

void edit_prepare_highlights(struct edit_point *point, const struct tapcut_edit *edit)
{
	same_curve(point, highlights, edit->amount);
}

void edit_prepare_shadows(struct edit_point *point, const struct tapcut_edit *edit)
{
	same_curve(point, shadows, edit->amount);
}

void edit_prepare_fade(struct edit_point *point, const struct tapcut_edit *edit)
{
	same_curve(point, fade, edit->amount);
}

void edit_prepare_invert(struct edit_point *point, const struct tapcut_edit *edit)
{
	same_curve(point, invert, edit->amount);
}

void edit_prepare_posterize(struct edit_point *point, const struct tapcut_edit *edit)
{
	same_curve(point, posterize, edit->amount);
}

/* A curve that keeps 0 and 1 and has this slope at 0. */
__attribute__((noinline)) static void bend(uint8_t curve[256], float gain)
{
	for (int v = 0; v < 256; v++) {
		float x = (float)v / 255.0f;
		curve[v] = to_byte(gain * x / (1 + (gain - 1) * x));
	}
}

static float slope(float amount)
{
	return amount < 0 ? 1 / (1 - amount) : 1 + amount;
}

void edit_prepare_warmth(struct edit_point *point, const struct tapcut_edit *edit)
{
	bend(point->curve[RED], slope(0.45f * edit->amount));
	bend(point->curve[GREEN], slope(0.05f * edit->amount));
	bend(point->curve[BLUE], slope(-0.55f * edit->amount));
}

void edit_prepare_tint(struct edit_point *point, const struct tapcut_edit *edit)
{
	bend(point->curve[RED], slope(0.20f * edit->amount));
	bend(point->curve[GREEN], slope(-0.40f * edit->amount));
	bend(point->curve[BLUE], slope(0.20f * edit->amount));
}

void edit_row_curves(const struct edit_point *point, const uint8_t *in, uint8_t *out, int y)
{
	(void)y;
	for (int i = 0; i < 3 * point->width; i += 3) {
		out[i] = point->curve[RED][in[i]];
		out[i + 1] = point->curve[GREEN][in[i + 1]];
		out[i + 2] = point->curve[BLUE][in[i + 2]];
	}
}

/* --- matrices ------------------------------------------------------------- */

/* Rec. 601, adding up to exactly 1. */
static const float luma[3] = {0.299f, 0.587f, 0.114f};

/* (1 - t) I + t M in 4096ths. Rows are made to add up to what they do in reals, so that gray stays gray. */
__attribute__((noinline)) static void set_matrix(struct edit_point *point, float m[3][3], float t)
{
	for (int r = 0; r < 3; r++) {
		float sum = 0;
		int rounded = 0;
		for (int c = 0; c < 3; c++) {
			float value = (1 - t) * (float)(r == c) + t * m[r][c];
			point->matrix[r][c] = (int)((float)ONE * value + (value < 0 ? -0.5f : 0.5f));
			sum += value;
			rounded += point->matrix[r][c];
		}
		point->matrix[r][r] += (int)((float)ONE * sum + 0.5f) - rounded;
	}
}

static void to_gray(struct edit_point *point, float t)
{
	float m[3][3];
	for (int r = 0; r < 3; r++)
		memcpy(m[r], luma, sizeof luma);
	set_matrix(point, m, t);
}

/* 0 at -1, twice the colour at 1. */
void edit_prepare_saturation(struct edit_point *point, const struct tapcut_edit *edit)
{
	to_gray(point, -edit->amount);
}

void edit_prepare_gray(struct edit_point *point, const struct tapcut_edit *edit)
{
	to_gray(point, edit->amount);
}

void edit_prepare_sepia(struct edit_point *point, const struct tapcut_edit *edit)
{
	static const float paper[3] = {1.14f, 0.96f, 0.70f};
	float m[3][3];
	for (int r = 0; r < 3; r++)
		for (int c = 0; c < 3; c++)
			m[r][c] = paper[r] * luma[c];
	set_matrix(point, m, edit->amount);
}

/* Sine of `quarters` quarter turns, -2..2, by its series: what libm gives differs in the last bit from system to
 * system. */
static float sine(float quarters)
{
	if (quarters > 1 || quarters < -1)
		quarters = (quarters > 0 ? 2 : -2) - quarters;
	float x = 1.57079633f * quarters, xx = x * x;
	return x * (1 - xx / 6 * (1 - xx / 20 * (1 - xx / 42 * (1 - xx / 72))));
}

static float cosine(float quarters)
{
	return sine(1 - (quarters < 0 ? -quarters : quarters));
}

/* Turns colours about the gray axis and keeps the luma (the matrix of SVG's feColorMatrix hueRotate); 1 is half a
 * turn. */
void edit_prepare_hue(struct edit_point *point, const struct tapcut_edit *edit)
{
	float c = cosine(2 * edit->amount), s = sine(2 * edit->amount);
	float m[3][3] = {
		{0.213f + 0.787f * c - 0.213f * s, 0.715f - 0.715f * c - 0.715f * s, 0.072f - 0.072f * c + 0.928f * s},
		{0.213f - 0.213f * c + 0.143f * s, 0.715f + 0.285f * c + 0.140f * s, 0.072f - 0.072f * c - 0.283f * s},
		{0.213f - 0.213f * c - 0.787f * s, 0.715f - 0.715f * c + 0.715f * s, 0.072f + 0.928f * c + 0.072f * s},
	};
	set_matrix(point, m, 1);
}

void edit_row_matrix(const struct edit_point *point, const uint8_t *in, uint8_t *out, int y)
{
	const int(*m)[3] = point->matrix;
	(void)y;
	for (int i = 0; i < 3 * point->width; i += 3) {
		int r = in[i], g = in[i + 1], b = in[i + 2];
		for (int c = 0; c < 3; c++)
			out[i + c] =
				(uint8_t)edit_clamp((m[c][RED] * r + m[c][GREEN] * g + m[c][BLUE] * b + ONE / 2) >> 12,
						    0, 255);
	}
}

/* --- others --------------------------------------------------------------- */

void edit_prepare_amount(struct edit_point *point, const struct tapcut_edit *edit)
{
	point->amount = (int)(256 * edit->amount + (edit->amount < 0 ? -0.5f : 0.5f));
}

/* Saturation for pale colours; strong ones, and so skin in the sun, change little. */
void edit_row_vibrance(const struct edit_point *point, const uint8_t *in, uint8_t *out, int y)
{
	(void)y;
	for (int i = 0; i < 3 * point->width; i += 3) {
		int r = in[i], g = in[i + 1], b = in[i + 2];
		int most = r > g ? r : g, least = r < g ? r : g;
		most = most > b ? most : b;
		least = least < b ? least : b;
		int gray = edit_luma16(in + i), gain = point->amount * (255 - (most - least)); /* 16ths; 65280ths */
		for (int c = 0; c < 3; c++) {
			int v = 16 * in[i + c];
			out[i + c] = (uint8_t)edit_clamp((v + (v - gray) * (gain / 16) / 4096 + 8) >> 4, 0, 255);
		}
	}
}

/* From the first colour in the shadows to the second in the light, by luma. */
void edit_prepare_duotone(struct edit_point *point, const struct tapcut_edit *edit)
{
	edit_prepare_amount(point, edit);
	for (int v = 0; v < 256; v++)
		for (int c = 0; c < 3; c++)
			point->curve[c][v] = edit_mix(edit->colours[1][c], edit->colours[0][c], (unsigned)v);
}

void edit_row_duotone(const struct edit_point *point, const uint8_t *in, uint8_t *out, int y)
{
	(void)y;
	for (int i = 0; i < 3 * point->width; i += 3) {
		int v = (edit_luma16(in + i) + 8) >> 4;
		for (int c = 0; c < 3; c++)
			out[i + c] = (uint8_t)((in[i + c] * (256 - point->amount) + point->curve[c][v] * point->amount +
						128) >>
					       8);
	}
}

/* Darker (or, below 0, lighter) with the square of the distance from the middle, beyond a third of the half
 * diagonal. */
void edit_row_vignette(const struct edit_point *point, const uint8_t *in, uint8_t *out, int y)
{
	int w = point->width, h = point->height;
	int64_t diagonal = (int64_t)w * w + (int64_t)h * h, dy = 2 * y + 1 - h;
	uint64_t scale = ((uint64_t)1 << 40) / (uint64_t)diagonal;
	int target = point->amount < 0 ? 255 : 0, amount = point->amount < 0 ? -point->amount : point->amount;
	for (int x = 0; x < w; x++, in += 3, out += 3) {
		int64_t dx = 2 * x + 1 - w;
		int far = (int)(((uint64_t)(dx * dx + dy * dy) * scale) >> 28) -
			  455; /* 4096ths of the half diagonal squared */
		int part = far <= 0 ? 0 : (int)((int64_t)far * amount / 3641);
		for (int c = 0; c < 3; c++)
			out[c] = (uint8_t)((in[c] * 256 + (target - in[c]) * part + 128) >> 8);
	}
}

/* The low bits of a mixed position: the finaliser of MurmurHash3 (Appleby, public domain). */
static uint32_t scatter(uint32_t x)
{
	x = (x ^ x >> 16) * 0x85ebca6bu;
	x = (x ^ x >> 13) * 0xc2b2ae35u;
	return x ^ x >> 16;
}

/* Film grain: the same in all channels, strongest in the mid-tones. The sum of two bytes gives a triangular
 * distribution. */
void edit_row_grain(const struct edit_point *point, const uint8_t *in, uint8_t *out, int y)
{
	for (int x = 0; x < point->width; x++, in += 3, out += 3) {
		uint32_t bits = scatter((uint32_t)y * 65536u + (uint32_t)x);
		int noise = (int)(bits & 255) + (int)(bits >> 8 & 255) - 255, gray = edit_luma16(in) >> 4;
		int change = noise * point->amount / 256 * (64 + gray * (255 - gray) / 128) / 1600;
		for (int c = 0; c < 3; c++)
			out[c] = (uint8_t)edit_clamp(in[c] + change, 0, 255);
	}
}
