/* See engine.h. */
#include "engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "infer/tapcut.h"
#include "infer/tapcut_edit.h"
#include "overlay.h"
#include "png_rows.h"
#include "result.h"

enum { MOST_PIXELS = 100 * 1000 * 1000 }; /* the library's limit; 3 bytes each fit a size_t of 32 bits */

static struct tapcut_model *model;
static struct tapcut_session *session;
static char message[TAPCUT_MESSAGE_SIZE];

static struct picture photo, screen;        /* as they were opened */
static uint8_t *screen_alpha, *screen_rgba; /* of the screen's size */
static uint8_t *screen_work;                /* RGB of the screen's size: an edited copy */
static struct result_settings settings;
static uint8_t *backdrop; /* RGB that an edit of the settings borrows */

static struct {
	struct picture picture; /* an edited copy */
	uint8_t *alpha;
	uint8_t *rows, *filtered;
	size_t row_bytes;
} export;

static int fail(enum tapcut_status status, const char *text)
{
	strncpy(message, text, sizeof message - 1);
	return status;
}

static int of_session(enum tapcut_status status)
{
	return status ? fail(status, tapcut_session_message(session)) : TAPCUT_OK;
}

const char *engine_message(void)
{
	return message;
}

void *engine_alloc(size_t size)
{
	return malloc(size);
}

void engine_free(void *memory)
{
	free(memory);
}

/* --- model and photo ------------------------------------------------------ */

int engine_model(const void *data, size_t size, int arithmetic)
{
	struct tapcut_options options;
	tapcut_options_init(&options);
	options.arithmetic = arithmetic;
	tapcut_session_free(session);
	tapcut_model_free(model);
	session = NULL;
	enum tapcut_status status = tapcut_model_load_memory(data, size, &model, message);
	return status ? status : tapcut_session_new(model, &options, &session, message);
}

int engine_arithmetic(void)
{
	struct tapcut_model_info info;
	tapcut_model_info(model, &info);
	return info.arithmetic;
}

static void close_photo(void)
{
	free(photo.rgb);
	free(screen.rgb);
	free(screen_alpha);
	free(screen_rgba);
	free(screen_work);
	photo = screen = (struct picture){0};
	screen_alpha = screen_rgba = screen_work = NULL;
}

int engine_photo(int w, int h, int screen_w, int screen_h)
{
	size_t pixels = (size_t)w * (size_t)h, screen_pixels = (size_t)screen_w * (size_t)screen_h;
	close_photo();
	if (w < 1 || h < 1 || screen_w < 1 || screen_h < 1 || (double)w * h > MOST_PIXELS ||
	    (double)screen_w * screen_h > MOST_PIXELS)
		return fail(TAPCUT_LIMIT, "this photo has too many pixels for the memory of a page");
	photo = (struct picture){malloc(3 * pixels), w, h};
	screen = (struct picture){malloc(3 * screen_pixels), screen_w, screen_h};
	screen_alpha = calloc(screen_pixels, 1);
	screen_rgba = malloc(4 * screen_pixels);
	screen_work = malloc(3 * screen_pixels);
	if (photo.rgb && screen.rgb && screen_alpha && screen_rgba && screen_work)
		return TAPCUT_OK;
	close_photo();
	return fail(TAPCUT_NO_MEMORY, "no memory for this photo");
}

static void lay_on_white(const uint8_t *rgba, size_t count, uint8_t *rgb)
{
	for (; count > 0; count--, rgba += 4, rgb += 3)
		for (int c = 0; c < 3; c++)
			rgb[c] = (uint8_t)((rgba[c] * rgba[3] + 255 * (255 - rgba[3]) + 127) / 255);
}

void engine_rows(int is_screen, const uint8_t *rgba, int y, int rows)
{
	const struct picture *to = is_screen ? &screen : &photo;
	lay_on_white(rgba, (size_t)to->w * (size_t)rows, to->rgb + 3 * (size_t)y * (size_t)to->w);
}

int engine_ready(void)
{
	return of_session(tapcut_session_set_image(session, photo.rgb, photo.w, photo.h, 3 * (size_t)photo.w));
}

/* --- taps ----------------------------------------------------------------- */

int engine_tap(int x, int y, int positive)
{
	return of_session(tapcut_session_click(session, x, y, positive));
}

int engine_undo(void)
{
	return of_session(tapcut_session_undo(session));
}

void engine_reset(void)
{
	tapcut_session_reset(session);
}

int engine_feather(float pixels)
{
	return of_session(tapcut_session_set_feather(session, pixels));
}

int engine_mask(uint8_t *mask)
{
	return of_session(tapcut_session_mask(session, mask, (size_t)photo.w));
}

int engine_alpha(uint8_t *alpha)
{
	return of_session(tapcut_session_alpha(session, alpha, (size_t)photo.w));
}

uint8_t *engine_screen_alpha(void)
{
	return screen_alpha;
}

int engine_refresh(void)
{
	return of_session(tapcut_session_preview(session, screen_alpha, screen.w, screen.h, (size_t)screen.w));
}

int engine_share(void)
{
	size_t pixels = (size_t)screen.w * (size_t)screen.h, object = 0;
	for (size_t i = 0; i < pixels; i++)
		object += screen_alpha[i] > 127;
	return pixels ? (int)(1000.0 * (double)object / (double)pixels + 0.5) : 0;
}

/* --- edits ---------------------------------------------------------------- */

int engine_filter_count(void)
{
	return tapcut_filter_count();
}

const char *engine_filter_text(int filter, int which)
{
	const struct tapcut_filter *f = tapcut_filter(filter);
	return which == 0 ? f->name : which == 1 ? f->label : f->help;
}

float engine_filter_number(int filter, int which)
{
	const struct tapcut_filter *f = tapcut_filter(filter);
	return which == 0 ? f->min : which == 1 ? f->max : which == 2 ? f->initial : (float)f->where;
}

void engine_edits(int transparent)
{
	free(backdrop);
	backdrop = NULL;
	settings = (struct result_settings){.transparent = transparent};
}

int engine_edit(int filter, float amount, int where)
{
	if (settings.edit_count == RESULT_MOST_EDITS)
		return fail(TAPCUT_LIMIT, "a list has at most 8 edits");
	struct tapcut_edit *edit = &settings.edits[settings.edit_count++];
	tapcut_edit_init(edit, filter);
	edit->amount = amount;
	edit->where = where;
	return TAPCUT_OK;
}

static struct tapcut_edit *last_edit(void)
{
	assert(settings.edit_count > 0);
	return &settings.edits[settings.edit_count - 1];
}

void engine_edit_colour(int which, int red, int green, int blue)
{
	uint8_t *colour = last_edit()->colours[which];
	colour[0] = (uint8_t)red, colour[1] = (uint8_t)green, colour[2] = (uint8_t)blue;
}

void engine_edit_depth(float depth)
{
	last_edit()->depth = depth;
}

int engine_edit_picture(const uint8_t *rgba, int w, int h)
{
	size_t pixels = (size_t)w * (size_t)h;
	struct tapcut_edit *edit = last_edit();
	if (backdrop)
		return fail(TAPCUT_LIMIT, "a list has at most one picture");
	backdrop = malloc(3 * pixels);
	if (!backdrop)
		return fail(TAPCUT_NO_MEMORY, "no memory for the background's picture");
	lay_on_white(rgba, pixels, backdrop);
	edit->picture.rgb = backdrop;
	edit->picture.width = w;
	edit->picture.height = h;
	edit->picture.stride = 3 * (size_t)w;
	return TAPCUT_OK;
}

/* --- the screen ----------------------------------------------------------- */

const uint8_t *engine_overlay(void)
{
	overlay_draw(screen_alpha, screen.w, screen.h, screen_rgba);
	return screen_rgba;
}

/* RGB to opaque RGBA, in place: from the end, because it grows. */
static void add_alpha(uint8_t *pixels, size_t count)
{
	while (count-- > 0) {
		uint8_t *to = pixels + 4 * count;
		const uint8_t *from = pixels + 3 * count;
		uint8_t r = from[0], g = from[1], b = from[2];
		to[0] = r, to[1] = g, to[2] = b, to[3] = 255;
	}
}

const uint8_t *engine_result(void)
{
	size_t pixels = (size_t)screen.w * (size_t)screen.h;
	struct picture edited = {screen_work, screen.w, screen.h};
	memcpy(screen_work, screen.rgb, 3 * pixels);
	if (result_edit(&settings, &edited, screen_alpha, photo.w, message) ||
	    result_rows(&settings, &edited, screen_alpha, 0, screen.h, screen_rgba, message))
		return NULL;
	if (!settings.transparent)
		add_alpha(screen_rgba, pixels);
	return screen_rgba;
}

/* The mean of `reach` x `reach` bytes that are `step` apart. */
static uint8_t mean(const uint8_t *at, size_t pitch, size_t step, int reach)
{
	unsigned sum = 0;
	for (int y = 0; y < reach; y++)
		for (int x = 0; x < reach; x++)
			sum += at[(size_t)y * pitch + (size_t)x * step];
	return (uint8_t)(sum / (unsigned)(reach * reach));
}

const uint8_t *engine_thumbnail(int filter, int size)
{
	int shorter = screen.w < screen.h ? screen.w : screen.h;
	int side = shorter / size * size, left = (screen.w - side) / 2, top = (screen.h - side) / 2,
	    reach = side / size;
	size_t width = (size_t)screen.w, pixels = (size_t)size * (size_t)size;
	uint8_t *alpha = screen_rgba + 3 * pixels; /* what follows the thumbnail, until it grows to RGBA */
	for (size_t i = 0; i < pixels; i++) {
		size_t at = (size_t)(top + (int)i / size * reach) * width + (size_t)(left + (int)i % size * reach);
		for (size_t c = 0; c < 3; c++)
			screen_rgba[3 * i + c] = mean(screen.rgb + 3 * at + c, 3 * width, 3, reach);
		alpha[i] = mean(screen_alpha + at, width, 1, reach);
	}
	struct result_settings one = {.edit_count = filter >= 0};
	tapcut_edit_init(&one.edits[0], filter);
	if (result_edit(&one, &(struct picture){screen_rgba, size, size}, alpha, photo.w, message))
		return NULL;
	add_alpha(screen_rgba, pixels);
	return screen_rgba;
}

/* --- the file ------------------------------------------------------------- */

int engine_export_channels(void)
{
	return result_channels(&settings);
}

void engine_export_end(void)
{
	free(export.picture.rgb);
	free(export.alpha);
	free(export.rows);
	free(export.filtered);
	memset(&export, 0, sizeof export);
}

int engine_export(void)
{
	size_t pixels = (size_t)photo.w * (size_t)photo.h;
	engine_export_end();
	export.picture = (struct picture){malloc(3 * pixels), photo.w, photo.h};
	export.alpha = malloc(pixels);
	export.row_bytes = (size_t)photo.w * (size_t)engine_export_channels();
	if (!export.picture.rgb || !export.alpha)
		return fail(TAPCUT_NO_MEMORY, "no memory for a picture of this size");
	memcpy(export.picture.rgb, photo.rgb, 3 * pixels);
	enum tapcut_status status = of_session(tapcut_session_alpha(session, export.alpha, (size_t)photo.w));
	return status ? status : result_edit(&settings, &export.picture, export.alpha, photo.w, message);
}

/* Room for `count` rows with the one above them, zeros at first, and for what becomes of them. */
static int make_room(int y, int count)
{
	size_t rows = (size_t)count + 1;
	uint8_t *grown = realloc(export.rows, rows * export.row_bytes);
	export.rows = grown ? grown : export.rows;
	uint8_t *filtered = realloc(export.filtered, rows * (export.row_bytes + 1));
	export.filtered = filtered ? filtered : export.filtered;
	if (grown && y == 0)
		memset(grown, 0, export.row_bytes);
	return grown && filtered;
}

const uint8_t *engine_export_rows(int y, int rows)
{
	size_t bytes = export.row_bytes;
	if (!make_room(y, rows)) {
		fail(TAPCUT_NO_MEMORY, "no memory for a picture of this size");
		return NULL;
	}
	if (result_rows(&settings, &export.picture, export.alpha, y, rows, export.rows + bytes, message))
		return NULL;
	for (int i = 0; i < rows; i++) {
		const uint8_t *row = export.rows + (size_t)(i + 1) * bytes;
		png_row(row, row - bytes, bytes, engine_export_channels(), export.filtered + (size_t)i * (bytes + 1));
	}
	memmove(export.rows, export.rows + (size_t)rows * bytes, bytes); /* the next strip begins below its last row */
	return export.filtered;
}

int engine_picture(uint8_t *rgba)
{
	int status = engine_export();
	if (!status)
		status = result_rows(&settings, &export.picture, export.alpha, 0, photo.h, rgba, message);
	if (!status && !settings.transparent)
		add_alpha(rgba, (size_t)photo.w * (size_t)photo.h);
	engine_export_end();
	return status;
}
