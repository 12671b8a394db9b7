/* See report_picture.h. */
#include "train/record/report_picture.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/image_io.h"
#include "data/robot.h"

enum { MAX_SIDE = 320, RGB = 3 };

/* A sample reduced by a whole factor: pixels are means, masks take the middle pixel. */
struct canvas {
	struct image image;
	uint8_t *pred, *truth;
	int factor;
};

static const uint8_t positive_colour[RGB] = {22, 163, 74}, negative_colour[RGB] = {220, 38, 38},
		     white[RGB] = {255, 255, 255};
static const uint8_t object_colour[RGB] = {37, 99, 235}, missed_colour[RGB] = {239, 68, 68},
		     false_colour[RGB] = {59, 130, 246};

static void canvas_release(struct canvas *canvas)
{
	image_release(&canvas->image);
	free(canvas->pred);
	free(canvas->truth);
}

static void reduce_pixel(const struct image *photo, int factor, int x, int y, uint8_t *out)
{
	for (int c = 0; c < RGB; c++) {
		int sum = 0;
		for (int j = 0; j < factor; j++)
			for (int i = 0; i < factor; i++)
				sum += photo->pixels[((size_t)(y * factor + j) * (size_t)photo->width +
						      (size_t)(x * factor + i)) *
							     RGB +
						     (size_t)c];
		out[c] = (uint8_t)((sum + factor * factor / 2) / (factor * factor));
	}
}

static enum status canvas_init(struct canvas *canvas, const struct report_sample *sample)
{
	const struct image *photo = &sample->photo;
	assert(photo->channels == RGB && photo->width > 0 && photo->height > 0);
	int longer = photo->width > photo->height ? photo->width : photo->height;
	*canvas = (struct canvas){.factor = (longer + MAX_SIDE - 1) / MAX_SIDE};
	int f = canvas->factor, w = photo->width / f, h = photo->height / f;
	w += w == 0; /* a strip thinner than the factor: its first pixels */
	h += h == 0;
	TRY(image_alloc(&canvas->image, w, h, RGB));
	canvas->pred = malloc((size_t)w * (size_t)h);
	canvas->truth = malloc((size_t)w * (size_t)h);
	if (!canvas->pred || !canvas->truth) {
		canvas_release(canvas);
		return status_fail(STATUS_NO_MEMORY, "no memory for a picture of %d x %d", w, h);
	}
	int thin = f > photo->width || f > photo->height;
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++) {
			size_t to = (size_t)y * (size_t)w + (size_t)x;
			int sx = x * f + f / 2, sy = y * f + f / 2;
			sx = sx < photo->width ? sx : photo->width - 1;
			sy = sy < photo->height ? sy : photo->height - 1;
			size_t from = (size_t)sy * (size_t)photo->width + (size_t)sx;
			if (thin)
				memcpy(canvas->image.pixels + RGB * to, photo->pixels + RGB * from, RGB);
			else
				reduce_pixel(photo, f, x, y, canvas->image.pixels + RGB * to);
			canvas->pred[to] = sample->pred[from];
			canvas->truth[to] = sample->truth[from];
		}
	return STATUS_OK;
}

/* --- drawing -------------------------------------------------------------- */

static void mix(uint8_t *pixel, const uint8_t *colour, double share)
{
	for (int c = 0; c < RGB; c++)
		pixel[c] = (uint8_t)(pixel[c] * (1 - share) + colour[c] * share + 0.5);
}

static double clamp01(double x)
{
	return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* A filled circle with a soft edge. */
static void draw_disk(struct image *image, double cx, double cy, double radius, const uint8_t *colour)
{
	int reach = (int)radius + 2;
	for (int y = (int)cy - reach; y <= (int)cy + reach; y++)
		for (int x = (int)cx - reach; x <= (int)cx + reach; x++)
			if (x >= 0 && y >= 0 && x < image->width && y < image->height)
				mix(image->pixels + RGB * ((size_t)y * (size_t)image->width + (size_t)x), colour,
				    clamp01(radius + 0.5 - hypot(x - cx, y - cy)));
}

static void draw_clicks(struct canvas *canvas, const struct click_list *clicks)
{
	int shorter = canvas->image.width < canvas->image.height ? canvas->image.width : canvas->image.height;
	double radius = fmax(2, shorter / 48.0);
	for (int i = 0; i < clicks->count; i++) {
		double x = (clicks->items[i].x + 0.5) / canvas->factor - 0.5,
		       y = (clicks->items[i].y + 0.5) / canvas->factor - 0.5;
		draw_disk(&canvas->image, x, y, radius * 1.5, white);
		draw_disk(&canvas->image, x, y, radius, clicks->items[i].positive ? positive_colour : negative_colour);
	}
}

/* An object pixel beside one that is none. */
static bool on_outline(const struct canvas *canvas, int x, int y)
{
	int w = canvas->image.width, h = canvas->image.height;
	const uint8_t *p = canvas->pred + (size_t)y * (size_t)w + (size_t)x;
	if (!*p)
		return false;
	return (x > 0 && !p[-1]) || (x + 1 < w && !p[1]) || (y > 0 && !p[-w]) || (y + 1 < h && !p[w]);
}

static void draw_prediction(struct canvas *canvas)
{
	static const uint8_t black[RGB] = {0, 0, 0};
	for (int y = 0; y < canvas->image.height; y++)
		for (int x = 0; x < canvas->image.width; x++) {
			size_t at = (size_t)y * (size_t)canvas->image.width + (size_t)x;
			uint8_t *pixel = canvas->image.pixels + RGB * at;
			if (on_outline(canvas, x, y))
				mix(pixel, white, 0.9);
			else if (canvas->pred[at])
				mix(pixel, object_colour, 0.45);
			else
				mix(pixel, black, 0.35);
		}
}

/* Over the photo in faint gray, so that the errors are seen where they are. */
static void draw_errors(struct canvas *canvas)
{
	size_t count = (size_t)canvas->image.width * (size_t)canvas->image.height;
	for (size_t i = 0; i < count; i++) {
		uint8_t *pixel = canvas->image.pixels + RGB * i;
		uint8_t gray = (uint8_t)((pixel[0] + 2 * pixel[1] + pixel[2]) / 8);
		uint8_t base = canvas->truth[i] == TRUTH_IGNORE
				       ? 128
				       : (uint8_t)(gray + (canvas->truth[i] == TRUTH_OBJECT ? 70 : 20));
		memset(pixel, base, RGB);
		if (canvas->truth[i] == TRUTH_OBJECT && !canvas->pred[i])
			mix(pixel, missed_colour, 0.85);
		else if (canvas->truth[i] == TRUTH_BACKGROUND && canvas->pred[i])
			mix(pixel, false_colour, 0.85);
	}
}

/* --- as text -------------------------------------------------------------- */

/* RFC 4648, section 4. */
static void add_base64(struct text *text, const unsigned char *data, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < size; i += 3) {
		unsigned bits = (unsigned)data[i] << 16 | (i + 1 < size ? (unsigned)data[i + 1] << 8 : 0) |
				(i + 2 < size ? data[i + 2] : 0);
		char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
				i + 1 < size ? digits[bits >> 6 & 63] : '=', i + 2 < size ? digits[bits & 63] : '='};
		text_add_bytes(text, four, 4);
	}
}

enum status report_picture_add(struct text *html, const struct report_sample *sample, enum report_picture_kind kind)
{
	struct canvas canvas;
	unsigned char *png;
	size_t size;
	TRY(canvas_init(&canvas, sample));
	if (kind == PICTURE_CLICKS)
		draw_clicks(&canvas, &sample->clicks);
	else if (kind == PICTURE_PREDICTION)
		draw_prediction(&canvas);
	else
		draw_errors(&canvas);
	enum status status = image_encode_png(&canvas.image, &png, &size);
	canvas_release(&canvas);
	TRY(status);
	text_add(html, "data:image/png;base64,");
	add_base64(html, png, size);
	free(png);
	return text_status(html);
}
