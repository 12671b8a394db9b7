/* From the mask at the working resolution to one of the photo's size, or of a page's. */
#include <string.h>

#include "feather.h"
#include "resize.h"
#include "session.h"

enum { HALF = 128 };

/* Probabilities within 1 / (2 GAIN) of the threshold are the edge; the others are object or not. */
static const float GAIN = 2.0f;

/* Where post-processing has had its say, it has the last word: an island that it took away and a hole that it filled leave no trace. */
static uint8_t soft_value(float probability, float threshold, uint8_t mask)
{
	int above = probability > threshold;
	if (above != (mask != 0))
		return mask;
	float t = (probability - threshold) * GAIN + 0.5f;
	t = t < 0 ? 0 : t > 1 ? 1 : t;
	int value = (int)(t * t * (3 - 2 * t) * 255 + 0.5f);
	if (mask)
		return (uint8_t)(value < HALF ? HALF : value);
	return (uint8_t)(value < HALF ? value : HALF - 1);
}

static void make_soft(struct tapcut_session *s)
{
	size_t grid = (size_t)s->grid_w * (size_t)s->grid_h;
	for (size_t i = 0; !s->soft_ready && i < grid; i++)
		s->soft[i] = soft_value(s->probabilities[i], s->options.threshold, s->mask[i]);
	s->soft_ready = 1;
}

/* The soft mask at w x h, some rows at a time. */
static void enlarge_soft(struct tapcut_session *s, uint8_t *out, int w, int h, size_t stride)
{
	static const uint8_t none[1];
	make_soft(s);
	for (int top = 0; top < h; top += INFER_STRIP_ROWS) {
		int rows = h - top < INFER_STRIP_ROWS ? h - top : INFER_STRIP_ROWS;
		struct infer_rect rect = { 0, (double)top / h * s->grid_h, s->grid_w, (double)(top + rows) / h * s->grid_h };
		infer_resize_u8(s->soft, s->grid_w, s->grid_h, (size_t)s->grid_w, 1, rect, s->rows, w, rows, none, 0, s->resize_workspace);
		for (int y = 0; y < rows; y++)
			memcpy(out + (size_t)(top + y) * stride, s->rows + (size_t)y * (size_t)w, (size_t)w);
	}
}

static int check_target(struct tapcut_session *s, const char *call, const uint8_t *out, int w, size_t stride)
{
	if (s->w == 0)
		return infer_fail(s->message, TAPCUT_ARGUMENT, "%s: there is no photo yet", call);
	if (!out || stride < (size_t)w)
		return infer_fail(s->message, TAPCUT_ARGUMENT, "%s: expected memory and a stride of at least %d, found %zu", call, w, stride);
	return TAPCUT_OK;
}

enum tapcut_status tapcut_session_mask(struct tapcut_session *s, uint8_t *mask, size_t stride)
{
	enum tapcut_status status = check_target(s, "mask", mask, s->w, stride);
	if (status)
		return status;
	if (s->grid_w == s->w && s->grid_h == s->h) {
		for (int y = 0; y < s->h; y++)
			memcpy(mask + (size_t)y * stride, s->mask + (size_t)y * (size_t)s->w, (size_t)s->w);
		return TAPCUT_OK;
	}
	enlarge_soft(s, mask, s->w, s->h, stride);
	for (int y = 0; y < s->h; y++)
		for (int x = 0; x < s->w; x++)
			mask[(size_t)y * stride + (size_t)x] = mask[(size_t)y * stride + (size_t)x] < HALF ? 0 : 255;
	return TAPCUT_OK;
}

enum tapcut_status tapcut_session_alpha(struct tapcut_session *s, uint8_t *alpha, size_t stride)
{
	enum tapcut_status status = check_target(s, "alpha", alpha, s->w, stride);
	if (status)
		return status;
	enlarge_soft(s, alpha, s->w, s->h, stride);
	infer_feather(alpha, s->w, s->h, stride, s->options.feather, s->feather_workspace);
	return TAPCUT_OK;
}

enum tapcut_status tapcut_session_preview(struct tapcut_session *s, uint8_t *alpha, int w, int h, size_t stride)
{
	enum tapcut_status status = check_target(s, "preview", alpha, w, stride);
	if (status)
		return status;
	if (w < 1 || h < 1 || w > s->w || h > s->h)
		return infer_fail(s->message, TAPCUT_ARGUMENT, "preview: expected 1x1 to %dx%d, found %dx%d", s->w, s->h, w, h);
	enlarge_soft(s, alpha, w, h, stride);
	infer_feather(alpha, w, h, stride, s->options.feather * (float)w / (float)s->w, s->feather_workspace);
	return TAPCUT_OK;
}

enum tapcut_status tapcut_session_set_feather(struct tapcut_session *s, float pixels)
{
	enum tapcut_status status = infer_check_feather(pixels, s->message);
	if (!status)
		s->options.feather = pixels;
	return status;
}
