/* The one room where libjpeg-turbo and libpng live. Both report errors by longjmp, want sizes checked by the caller
 * and decode damaged files with a shrug; outside this file an image is whole or there is a message.
 *
 * Each decoder keeps all its state in a struct, because locals that change between setjmp and longjmp are lost.
 * Decoders leave rows of "native" channels, never fewer than asked for, and narrow_pixels() brings them down in
 * place. */
#include "data/image_io.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>
#include <png.h>

#include "core/atomic_file.h"

enum {
	FILE_MAX = 512 * 1024 * 1024,
	/* A progressive JPEG of 500 empty scans costs minutes (vendor's advice: cap them). Encoders write about 10. */
	JPEG_MAX_SCANS = 120,
	/* A Huffman-coded block of 64 pixels takes at least one bit: fewer bytes than pixels / 512 cannot be the
	 * whole picture. */
	JPEG_MAX_PIXELS_PER_BYTE = 512,
	/* deflate's best is 1032 bytes out of one. */
	DEFLATE_MAX_RATIO = 1032,
	/* Pictures of so many pixels and more are compressed for speed. */
	PNG_LARGE = 1000 * 1000,
};

/* What the decoders leave behind, before it is narrowed. */
enum native { NATIVE_GRAY, NATIVE_GRAY_ALPHA, NATIVE_RGB, NATIVE_RGBA, NATIVE_CMYK, NATIVE_CMYK_INVERTED };

static const int native_channels[] = {1, 2, 3, 4, 4, 4};

static enum status check_size(const char *name, uint32_t width, uint32_t height)
{
	if (width == 0 || height == 0)
		return status_fail(STATUS_FORMAT, "%s: the image is %u x %u pixels", name, width, height);
	if (width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE || (uint64_t)width * height > IMAGE_MAX_PIXELS)
		return status_fail(STATUS_LIMIT,
				   "%s: the image declares %u x %u pixels; at most %d a side and %d in all are read",
				   name, width, height, IMAGE_MAX_SIDE, IMAGE_MAX_PIXELS);
	return STATUS_OK;
}

/* --- pixels --------------------------------------------------------------- */

/* a * b / 255, rounded, exact for bytes. */
static uint8_t times(unsigned a, unsigned b)
{
	unsigned t = a * b + 128;
	return (uint8_t)((t + (t >> 8)) >> 8);
}

static uint8_t over_white(uint8_t value, uint8_t alpha)
{
	return (uint8_t)(255 - times(255u - value, alpha));
}

/* Rec. 601 luma; gray stays exactly itself. */
static uint8_t luma(const uint8_t rgb[3])
{
	return (uint8_t)((299u * rgb[0] + 587u * rgb[1] + 114u * rgb[2] + 500u) / 1000u);
}

/* One native pixel -> RGBA. */
static void pixel_to_rgba(enum native native, const uint8_t *p, uint8_t rgba[4])
{
	switch (native) {
	case NATIVE_GRAY:
	case NATIVE_GRAY_ALPHA:
		rgba[0] = rgba[1] = rgba[2] = p[0];
		rgba[3] = native == NATIVE_GRAY ? 255 : p[1];
		break;
	case NATIVE_RGB:
	case NATIVE_RGBA:
		memcpy(rgba, p, 3);
		rgba[3] = native == NATIVE_RGB ? 255 : p[3];
		break;
	case NATIVE_CMYK:
	case NATIVE_CMYK_INVERTED:
		/* Adobe stores 255 - ink. No colour profile: paper white times what each ink lets through. */
		for (int c = 0; c < 3; c++)
			rgba[c] = native == NATIVE_CMYK ? times(255u - p[c], 255u - p[3]) : times(p[c], p[3]);
		rgba[3] = 255;
		break;
	}
}

/* count native pixels -> `channels` each, in place: never more channels than before, so writing stays behind
 * reading. */
static void narrow_pixels(uint8_t *pixels, size_t count, enum native native, int channels)
{
	int step = native_channels[native];
	if ((native == NATIVE_GRAY && channels == 1) || (native == NATIVE_RGB && channels == 3) ||
	    (native == NATIVE_RGBA && channels == 4))
		return;
	uint8_t *out = pixels;
	for (const uint8_t *p = pixels; count--; p += step, out += channels) {
		uint8_t rgba[4];
		pixel_to_rgba(native, p, rgba);
		if (channels < 4)
			for (int c = 0; c < 3; c++)
				rgba[c] = over_white(rgba[c], rgba[3]);
		if (channels == 1)
			rgba[0] = luma(rgba);
		memcpy(out, rgba, (size_t)channels);
	}
}

/* The buffer becomes an image of `channels`. Gives back the memory that narrowing saved. */
static void take_pixels(struct image *image, uint8_t **pixels, int width, int height, enum native native, int channels)
{
	size_t count = (size_t)width * (size_t)height;
	narrow_pixels(*pixels, count, native, channels);
	uint8_t *smaller = native_channels[native] > channels ? realloc(*pixels, count * (size_t)channels) : NULL;
	*image = (struct image){.width = width,
				.height = height,
				.channels = channels,
				.pixels = smaller ? smaller : *pixels};
	*pixels = NULL;
}

/* --- EXIF orientation ----------------------------------------------------- */

struct tiff {
	const uint8_t *data;
	size_t size;
	bool big_endian;
};

/* An unsigned number of 2 or 4 bytes at `at`; 0 where the data ends. */
static uint32_t tiff_number(const struct tiff *tiff, size_t at, size_t bytes)
{
	if (at > tiff->size || tiff->size - at < bytes)
		return 0;
	uint32_t value = 0;
	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | tiff->data[at + (tiff->big_endian ? i : bytes - 1 - i)];
	return value;
}

/* Tag 0x0112 of the first directory (TIFF 6.0, section 2; EXIF 2.3, 4.6.4): 1..8. Anything odd counts as 1, as
 * displayed. */
static int exif_orientation(const uint8_t *data, size_t size)
{
	enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, HEADER = 6, ENTRY = 12 };
	if (size < HEADER + 8 || memcmp(data, "Exif\0\0", HEADER) != 0)
		return 1;
	struct tiff tiff = {.data = data + HEADER, .size = size - HEADER};
	if (memcmp(tiff.data, "MM", 2) == 0)
		tiff.big_endian = true;
	else if (memcmp(tiff.data, "II", 2) != 0)
		return 1;
	if (tiff_number(&tiff, 2, 2) != 42)
		return 1;
	size_t directory = tiff_number(&tiff, 4, 4);
	uint32_t entries = tiff_number(&tiff, directory, 2);
	for (uint32_t i = 0; i < entries; i++) {
		size_t entry = directory + 2 + (size_t)i * ENTRY;
		if (entry > tiff.size || tiff.size - entry < ENTRY)
			return 1;
		if (tiff_number(&tiff, entry, 2) != TAG_ORIENTATION)
			continue;
		uint32_t value = tiff_number(&tiff, entry + 8, 2);
		bool valid = tiff_number(&tiff, entry + 2, 2) == TYPE_SHORT && value >= 1 && value <= 8;
		return valid ? (int)value : 1;
	}
	return 1;
}

/* Turns a stored picture the way it is displayed. In words, what the camera did: 2 mirrored, 3 upside down, 4 both;
 * 5..8 the same four with rows and columns exchanged. */
static enum status turn(struct image *image, int orientation)
{
	if (orientation <= 1)
		return STATUS_OK;
	int w = image->width, h = image->height, channels = image->channels;
	bool swap = orientation >= 5;
	struct image out;
	TRY(image_alloc(&out, swap ? h : w, swap ? w : h, channels));
	bool mirror_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
	bool mirror_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
	uint8_t *to = out.pixels;
	for (int y = 0; y < out.height; y++) {
		for (int x = 0; x < out.width; x++, to += channels) {
			int sx = swap ? y : x, sy = swap ? x : y;
			sx = mirror_x ? w - 1 - sx : sx;
			sy = mirror_y ? h - 1 - sy : sy;
			memcpy(to, image->pixels + ((size_t)sy * (size_t)w + (size_t)sx) * (size_t)channels,
			       (size_t)channels);
		}
	}
	image_release(image);
	*image = out;
	return STATUS_OK;
}

/* The policy of image_io.h: which orientation to undo, given what the file says. */
static enum status choose_orientation(const char *name, const struct image_read_options *options, int width, int height,
				      int found, int *orientation)
{
	*orientation = options->exif == EXIF_APPLY ? found : 1;
	if (options->exif != EXIF_MATCH || (width == options->width && height == options->height))
		return STATUS_OK;
	*orientation = found;
	if (found >= 5 && width == options->height && height == options->width)
		return STATUS_OK;
	return status_fail(STATUS_FORMAT, "%s: the image is %d x %d pixels (EXIF orientation %d), expected %d x %d",
			   name, width, height, found, options->width, options->height);
}

/* --- JPEG in -------------------------------------------------------------- */

struct jpeg_errors {
	struct jpeg_error_mgr manager; /* first: the library's pointer is ours */
	jmp_buf escape;
	const char *name;
	enum status status;
};

static void jpeg_fail(j_common_ptr info)
{
	struct jpeg_errors *errors = (struct jpeg_errors *)info->err;
	char text[JMSG_LENGTH_MAX];
	errors->manager.format_message(info, text);
	enum status code = errors->manager.msg_code == JERR_OUT_OF_MEMORY ? STATUS_NO_MEMORY : STATUS_FORMAT;
	errors->status = status_fail(code, "%s: JPEG: %s", errors->name, text);
	longjmp(errors->escape, 1);
}

/* Warnings (level -1) mean damaged data: the library would go on with gray. Traces (level >= 0) are dropped. */
static void jpeg_message(j_common_ptr info, int level)
{
	if (level < 0)
		jpeg_fail(info);
}

static void jpeg_errors_init(struct jpeg_errors *errors, const char *name)
{
	jpeg_std_error(&errors->manager);
	errors->manager.error_exit = jpeg_fail;
	errors->manager.emit_message = jpeg_message;
	errors->name = name;
	errors->status = STATUS_OK;
}

struct jpeg_reader {
	struct jpeg_decompress_struct info;
	struct jpeg_errors errors;
	struct jpeg_progress_mgr progress;
	size_t size;
	int channels;
	enum native native;
	uint8_t *pixels;
	int orientation;
};

static void jpeg_count_scans(j_common_ptr info)
{
	if (((j_decompress_ptr)info)->input_scan_number <= JPEG_MAX_SCANS)
		return;
	struct jpeg_errors *errors = (struct jpeg_errors *)info->err;
	errors->status = status_fail(STATUS_LIMIT, "%s: JPEG: more than %d scans", errors->name, JPEG_MAX_SCANS);
	longjmp(errors->escape, 1);
}

static int jpeg_find_orientation(const struct jpeg_decompress_struct *info)
{
	for (const struct jpeg_marker_struct *marker = info->marker_list; marker; marker = marker->next)
		if (marker->data_length >= 6 && memcmp(marker->data, "Exif\0\0", 6) == 0)
			return exif_orientation(marker->data, marker->data_length);
	return 1;
}

/* Asks the library for the channels wanted; CMYK and YCCK it can only give as CMYK. */
static void jpeg_choose_output(struct jpeg_reader *reader)
{
	struct jpeg_decompress_struct *info = &reader->info;
	info->dct_method = JDCT_ISLOW; /* the only one that is the same on every machine */
	if (info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK) {
		info->out_color_space = JCS_CMYK;
		reader->native = info->saw_Adobe_marker ? NATIVE_CMYK_INVERTED : NATIVE_CMYK;
	} else if (reader->channels == 1) {
		info->out_color_space = JCS_GRAYSCALE;
		reader->native = NATIVE_GRAY;
	} else {
		info->out_color_space = reader->channels == 4 ? JCS_EXT_RGBA : JCS_RGB;
		reader->native = reader->channels == 4 ? NATIVE_RGBA : NATIVE_RGB;
	}
}

static enum status jpeg_check_header(const struct jpeg_reader *reader)
{
	const struct jpeg_decompress_struct *info = &reader->info;
	TRY(check_size(reader->errors.name, info->image_width, info->image_height));
	uint64_t pixels = (uint64_t)info->image_width * info->image_height;
	if (!info->arith_code && pixels / JPEG_MAX_PIXELS_PER_BYTE > reader->size)
		return status_fail(STATUS_FORMAT, "%s: JPEG: %zu bytes cannot hold %u x %u pixels", reader->errors.name,
				   reader->size, info->image_width, info->image_height);
	return STATUS_OK;
}

static enum status jpeg_read_pixels(struct jpeg_reader *reader, const void *data)
{
	struct jpeg_decompress_struct *info = &reader->info;
	if (setjmp(reader->errors.escape))
		return reader->errors.status;
	jpeg_create_decompress(info);
	info->progress = &reader->progress;
	jpeg_mem_src(info, data, reader->size);
	jpeg_save_markers(info, JPEG_APP0 + 1, 0xffff);
	jpeg_read_header(info, TRUE);
	TRY(jpeg_check_header(reader));
	reader->orientation = jpeg_find_orientation(info);
	jpeg_choose_output(reader);
	jpeg_start_decompress(info);
	size_t stride = (size_t)info->output_width * (size_t)native_channels[reader->native];
	reader->pixels = malloc(stride * info->output_height);
	if (!reader->pixels)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for %u x %u pixels", reader->errors.name,
				   info->output_width, info->output_height);
	while (info->output_scanline < info->output_height) {
		JSAMPROW row = reader->pixels + stride * info->output_scanline;
		jpeg_read_scanlines(info, &row, 1);
	}
	jpeg_finish_decompress(info); /* reads up to the end marker: truncation shows here at the latest */
	return STATUS_OK;
}

static enum status jpeg_read(const void *data, size_t size, const char *name, const struct image_read_options *options,
			     struct image *image, int *orientation)
{
	struct jpeg_reader reader = {.size = size, .channels = options->channels, .orientation = 1};
	jpeg_errors_init(&reader.errors, name);
	reader.info.err = &reader.errors.manager;
	reader.progress.progress_monitor = jpeg_count_scans;
	enum status status = jpeg_read_pixels(&reader, data);
	if (status == STATUS_OK)
		take_pixels(image, &reader.pixels, (int)reader.info.image_width, (int)reader.info.image_height,
			    reader.native, options->channels);
	*orientation = reader.orientation;
	jpeg_destroy_decompress(&reader.info);
	free(reader.pixels);
	return status;
}

/* --- PNG in --------------------------------------------------------------- */

struct png_state {
	png_structp png;
	png_infop info;
	const char *name;
	enum status status;
	/* reading */
	const uint8_t *data;
	size_t size, at;
	int channels;
	enum native native;
	uint8_t *pixels;
	png_bytep *rows;
};

static void png_fail(png_structp png, png_const_charp text)
{
	struct png_state *state = png_get_error_ptr(png);
	if (state->status == STATUS_OK)
		state->status = status_fail(STATUS_FORMAT, "%s: PNG: %s", state->name, text);
	png_longjmp(png, 1);
}

static void png_ignore_warning(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

static void png_read_bytes(png_structp png, png_bytep out, size_t size)
{
	struct png_state *state = png_get_io_ptr(png);
	if (state->size - state->at < size)
		png_error(png, "the file ends early");
	memcpy(out, state->data + state->at, size);
	state->at += size;
}

/* IHDR is always first and at a fixed place, so the size is judged before libpng has allocated anything. */
static enum status png_check_header(const struct png_state *state)
{
	enum { WIDTH_AT = 16, HEIGHT_AT = 20 };
	if (state->size < HEIGHT_AT + 4 || memcmp(state->data + 12, "IHDR", 4) != 0)
		return status_fail(STATUS_FORMAT, "%s: PNG: the file ends or is damaged in its header", state->name);
	struct tiff header = {.data = state->data, .size = state->size, .big_endian = true};
	uint32_t width = tiff_number(&header, WIDTH_AT, 4), height = tiff_number(&header, HEIGHT_AT, 4);
	TRY(check_size(state->name, width, height));
	if ((uint64_t)width * height / 8 / DEFLATE_MAX_RATIO > state->size)
		return status_fail(STATUS_FORMAT, "%s: PNG: %zu bytes cannot hold %u x %u pixels", state->name,
				   state->size, width, height);
	return STATUS_OK;
}

/* Transformations up to 8 bits and at least the channels wanted. */
static void png_choose_output(struct png_state *state)
{
	png_structp png = state->png;
	int type = png_get_color_type(png, state->info);
	bool alpha = (type & PNG_COLOR_MASK_ALPHA) || png_get_valid(png, state->info, PNG_INFO_tRNS);
	bool color = (type & PNG_COLOR_MASK_COLOR) || state->channels >= 3;
	png_set_expand(png);
	png_set_scale_16(png);
	if (color && !(type & PNG_COLOR_MASK_COLOR))
		png_set_gray_to_rgb(png);
	if (state->channels == 4 && !alpha)
		png_set_add_alpha(png, 255, PNG_FILLER_AFTER);
	alpha = alpha || state->channels == 4;
	state->native = color ? (alpha ? NATIVE_RGBA : NATIVE_RGB) : (alpha ? NATIVE_GRAY_ALPHA : NATIVE_GRAY);
	png_set_interlace_handling(png);
	png_read_update_info(png, state->info);
}

static enum status png_alloc_rows(struct png_state *state, size_t stride, size_t height)
{
	state->pixels = malloc(stride * height);
	state->rows = malloc(height * sizeof *state->rows);
	if (!state->pixels || !state->rows)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for %zu bytes of pixels", state->name,
				   stride * height);
	for (size_t y = 0; y < height; y++)
		state->rows[y] = state->pixels + y * stride;
	return STATUS_OK;
}

static enum status png_read_pixels(struct png_state *state)
{
	if (setjmp(png_jmpbuf(state->png)))
		return state->status;
	png_structp png = state->png;
	png_set_read_fn(png, state, png_read_bytes);
	png_set_user_limits(png, IMAGE_MAX_SIDE, IMAGE_MAX_SIDE);
	/* Damage is an error anywhere; text, profiles and the like are checked and thrown away. */
	png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
	png_set_benign_errors(png, 0);
	png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
	png_read_info(png, state->info);
	png_choose_output(state);
	size_t stride = png_get_rowbytes(png, state->info);
	size_t expected = (size_t)png_get_image_width(png, state->info) * (size_t)native_channels[state->native];
	if (stride != expected)
		return status_fail(STATUS_FORMAT, "%s: PNG: rows of %zu bytes, expected %zu", state->name, stride,
				   expected);
	TRY(png_alloc_rows(state, stride, png_get_image_height(png, state->info)));
	png_read_image(png, state->rows);
	png_read_end(png, NULL);
	return STATUS_OK;
}

static enum status png_read(const void *data, size_t size, const char *name, const struct image_read_options *options,
			    struct image *image)
{
	struct png_state state = {.name = name, .data = data, .size = size, .channels = options->channels};
	TRY(png_check_header(&state));
	state.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, png_fail, png_ignore_warning);
	state.info = state.png ? png_create_info_struct(state.png) : NULL;
	enum status status =
		state.info ? png_read_pixels(&state) : status_fail(STATUS_NO_MEMORY, "%s: no memory", name);
	if (status == STATUS_OK)
		take_pixels(image, &state.pixels, (int)png_get_image_width(state.png, state.info),
			    (int)png_get_image_height(state.png, state.info), state.native, options->channels);
	if (state.png)
		png_destroy_read_struct(&state.png, &state.info, NULL);
	free(state.pixels);
	free(state.rows);
	return status;
}

/* --- reading -------------------------------------------------------------- */

enum status image_read_memory(const void *data, size_t size, const char *name, const struct image_read_options *options,
			      struct image *image)
{
	static const uint8_t png_magic[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
	static const uint8_t jpeg_magic[3] = {0xff, 0xd8, 0xff};
	*image = (struct image){0};
	int found = 1, orientation;
	if (size == 0)
		return status_fail(STATUS_FORMAT, "%s: the file is empty", name);
	if (size >= sizeof png_magic && memcmp(data, png_magic, sizeof png_magic) == 0)
		TRY(png_read(data, size, name, options, image));
	else if (size >= sizeof jpeg_magic && memcmp(data, jpeg_magic, sizeof jpeg_magic) == 0)
		TRY(jpeg_read(data, size, name, options, image, &found));
	else
		return status_fail(STATUS_FORMAT, "%s: neither a JPEG nor a PNG file", name);
	enum status status = choose_orientation(name, options, image->width, image->height, found, &orientation);
	if (status == STATUS_OK)
		status = turn(image, orientation);
	if (status != STATUS_OK)
		image_release(image);
	return status;
}

enum status image_read(const char *path, const struct image_read_options *options, struct image *image)
{
	char *data;
	size_t size;
	*image = (struct image){0};
	TRY(file_read(path, FILE_MAX, &data, &size));
	enum status status = image_read_memory(data, size, path, options, image);
	free(data);
	return status;
}

/* --- writing -------------------------------------------------------------- */

/* Bytes that an encoder appends. */
struct bytes {
	uint8_t *data;
	size_t size, capacity;
};

static bool bytes_reserve(struct bytes *bytes, size_t more)
{
	if (bytes->capacity - bytes->size >= more)
		return true;
	size_t capacity = (bytes->capacity + more) * 2;
	uint8_t *data = realloc(bytes->data, capacity);
	if (!data)
		return false;
	bytes->data = data;
	bytes->capacity = capacity;
	return true;
}

static void png_write_bytes(png_structp png, png_bytep data, size_t size)
{
	struct bytes *bytes = png_get_io_ptr(png);
	if (!bytes_reserve(bytes, size)) {
		struct png_state *state = png_get_error_ptr(png);
		state->status = status_fail(STATUS_NO_MEMORY, "%s: no memory for the PNG file", state->name);
		png_error(png, "");
	}
	memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
}

static void png_flush_nothing(png_structp png)
{
	(void)png;
}

/* A picture that is written: its rows come from memory, or from `make`, some at a time. */
struct png_picture {
	int width, height, channels;
	uint8_t *pixels; /* of all rows, or of `room` rows for `make` */
	int room;
	image_make_rows *make;
	void *context;
};

static enum status png_write_some(struct png_state *state, const struct png_picture *picture, int first)
{
	size_t stride = (size_t)picture->width * (size_t)picture->channels;
	int count = picture->height - first < picture->room ? picture->height - first : picture->room;
	if (picture->make)
		TRY(picture->make(picture->context, first, count, picture->pixels));
	for (int y = 0; y < count; y++)
		png_write_row(state->png, picture->pixels + (size_t)y * stride);
	return STATUS_OK;
}

static enum status png_write_pixels(struct png_state *state, const struct png_picture *picture, struct bytes *bytes)
{
	static const int types[] = {0, PNG_COLOR_TYPE_GRAY, 0, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGBA};
	if (setjmp(png_jmpbuf(state->png)))
		return state->status;
	png_set_write_fn(state->png, bytes, png_write_bytes, png_flush_nothing);
	png_set_IHDR(state->png, state->info, (png_uint_32)picture->width, (png_uint_32)picture->height, 8,
		     types[picture->channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		     PNG_FILTER_TYPE_DEFAULT);
	if ((int64_t)picture->width * picture->height >=
	    PNG_LARGE) /* a third of the time for a file larger by a tenth */
		png_set_compression_level(state->png, 4);
	png_write_info(state->png, state->info);
	for (int y = 0; y < picture->height; y += picture->room)
		TRY(png_write_some(state, picture, y));
	png_write_end(state->png, NULL);
	return STATUS_OK;
}

static enum status png_encode_picture(const struct png_picture *picture, const char *name, struct bytes *bytes)
{
	if (picture->channels != 1 && picture->channels != 3 && picture->channels != 4)
		return status_fail(STATUS_FORMAT, "%s: PNG: %d channels, expected 1, 3 or 4", name, picture->channels);
	struct png_state state = {.name = name};
	state.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &state, png_fail, png_ignore_warning);
	state.info = state.png ? png_create_info_struct(state.png) : NULL;
	enum status status = state.info ? png_write_pixels(&state, picture, bytes)
					: status_fail(STATUS_NO_MEMORY, "%s: no memory", name);
	if (state.png)
		png_destroy_write_struct(&state.png, &state.info);
	return status;
}

static enum status png_encode(const struct image *image, const char *name, struct bytes *bytes)
{
	struct png_picture picture = {.width = image->width,
				      .height = image->height,
				      .channels = image->channels,
				      .pixels = image->pixels,
				      .room = image->height};
	return png_encode_picture(&picture, name, bytes);
}

struct jpeg_writer {
	struct jpeg_compress_struct info;
	struct jpeg_errors errors;
	struct jpeg_destination_mgr destination;
	struct bytes *bytes;
};

enum { JPEG_CHUNK = 16384 };

/* Our own destination, because jpeg_mem_dest loses its buffer when an allocation fails. The library fills a chunk at
 * the end of `bytes`; `info.client_data` leads back to the writer. */
static void jpeg_open_chunk(j_compress_ptr info)
{
	struct jpeg_writer *writer = info->client_data;
	if (!bytes_reserve(writer->bytes, JPEG_CHUNK))
		ERREXIT1(info, JERR_OUT_OF_MEMORY, 0);
	info->dest->next_output_byte = writer->bytes->data + writer->bytes->size;
	info->dest->free_in_buffer = JPEG_CHUNK;
}

static boolean jpeg_next_chunk(j_compress_ptr info)
{
	((struct jpeg_writer *)info->client_data)->bytes->size += JPEG_CHUNK;
	jpeg_open_chunk(info);
	return TRUE;
}

static void jpeg_close_chunk(j_compress_ptr info)
{
	((struct jpeg_writer *)info->client_data)->bytes->size += JPEG_CHUNK - info->dest->free_in_buffer;
}

static enum status jpeg_write_pixels(struct jpeg_writer *writer, const struct image *image, int quality)
{
	struct jpeg_compress_struct *info = &writer->info;
	if (setjmp(writer->errors.escape))
		return writer->errors.status;
	jpeg_create_compress(info);
	info->client_data = writer;
	info->dest = &writer->destination;
	info->image_width = (JDIMENSION)image->width;
	info->image_height = (JDIMENSION)image->height;
	info->input_components = image->channels;
	info->in_color_space = image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
	jpeg_set_defaults(info);
	jpeg_set_quality(info, quality, TRUE);
	info->dct_method = JDCT_ISLOW;
	jpeg_start_compress(info, TRUE);
	size_t stride = (size_t)image->width * (size_t)image->channels;
	while (info->next_scanline < info->image_height) {
		JSAMPROW row = image->pixels + stride * info->next_scanline;
		jpeg_write_scanlines(info, &row, 1);
	}
	jpeg_finish_compress(info);
	return STATUS_OK;
}

static enum status jpeg_encode(const struct image *image, int quality, const char *name, struct bytes *bytes)
{
	if (image->channels != 1 && image->channels != 3)
		return status_fail(STATUS_FORMAT, "%s: JPEG: %d channels, expected 1 or 3", name, image->channels);
	struct jpeg_writer writer = {.bytes = bytes};
	jpeg_errors_init(&writer.errors, name);
	writer.info.err = &writer.errors.manager;
	writer.destination.init_destination = jpeg_open_chunk;
	writer.destination.empty_output_buffer = jpeg_next_chunk;
	writer.destination.term_destination = jpeg_close_chunk;
	enum status status = jpeg_write_pixels(&writer, image, quality);
	jpeg_destroy_compress(&writer.info);
	return status;
}

static enum status write_bytes(const char *path, struct bytes *bytes, enum status status)
{
	struct file_part part = {bytes->data, bytes->size};
	if (status == STATUS_OK)
		status = atomic_file_write(path, &part, 1);
	free(bytes->data);
	return status;
}

enum status image_write_png(const char *path, const struct image *image)
{
	struct bytes bytes = {0};
	return write_bytes(path, &bytes, png_encode(image, path, &bytes));
}

enum status image_write_png_rows(const char *path, int width, int height, int channels, image_make_rows *make,
				 void *context)
{
	enum { ROWS = 256 };
	struct png_picture picture = {.width = width,
				      .height = height,
				      .channels = channels,
				      .room = ROWS,
				      .make = make,
				      .context = context};
	struct bytes bytes = {0};
	struct image rows;
	TRY(image_alloc(&rows, width, height < ROWS ? height : ROWS, channels));
	picture.pixels = rows.pixels;
	enum status status = write_bytes(path, &bytes, png_encode_picture(&picture, path, &bytes));
	image_release(&rows);
	return status;
}

enum status image_write_jpeg(const char *path, const struct image *image, int quality)
{
	struct bytes bytes = {0};
	return write_bytes(path, &bytes, jpeg_encode(image, quality, path, &bytes));
}

static enum status give_bytes(struct bytes *bytes, enum status status, unsigned char **data, size_t *size)
{
	if (status != STATUS_OK) {
		free(bytes->data);
		*bytes = (struct bytes){0};
	}
	*data = bytes->data;
	*size = bytes->size;
	return status;
}

enum status image_encode_png(const struct image *image, unsigned char **data, size_t *size)
{
	struct bytes bytes = {0};
	return give_bytes(&bytes, png_encode(image, "image", &bytes), data, size);
}

enum status image_encode_jpeg(const struct image *image, int quality, unsigned char **data, size_t *size)
{
	struct bytes bytes = {0};
	return give_bytes(&bytes, jpeg_encode(image, quality, "image", &bytes), data, size);
}
