/* PNG in and out through libpng, which reports errors by longjmp and wants sizes checked by the caller. All state is in
 * a struct, because locals that change between setjmp and longjmp are lost. Damage to pixels is an error; damage to
 * what stands beside them (text, a profile) is a warning, as in every viewer. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "data/codecs/codecs.h"
#include "data/image_io.h"

enum {
	/* deflate's best is 1032 bytes out of one. */
	DEFLATE_MAX_RATIO = 1032,
	/* What text and profiles may take. */
	PNG_MAX_CHUNKS = 1000,
	PNG_MAX_CHUNK_BYTES = 8 * 1024 * 1024,
	/* Pictures of so many pixels and more are compressed for speed. */
	PNG_LARGE = 1000 * 1000,
};

/* --- in ------------------------------------------------------------------- */

struct png_state {
	png_structp png;
	png_infop info;
	const char *name;
	enum status status;
	/* reading */
	const uint8_t *data;
	size_t size, at;
	int channels;
	png_bytep *rows;
	struct decoded *decoded;
};

static void png_fail(png_structp png, png_const_charp text)
{
	struct png_state *state = png_get_error_ptr(png);
	if (state->status == STATUS_OK)
		state->status = status_fail(STATUS_FORMAT, "%s: PNG: %s", state->name, text);
	png_longjmp(png, 1);
}

static void png_count_warning(png_structp png, png_const_charp text)
{
	struct png_state *state = png_get_error_ptr(png);
	if (state->decoded)
		facts_warn(&state->decoded->facts, text);
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
	uint32_t width = png_get_uint_32(state->data + WIDTH_AT), height = png_get_uint_32(state->data + HEIGHT_AT);
	TRY(check_declared_size(state->name, width, height));
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
	state->decoded->facts.alpha = alpha;
	state->decoded->facts.sixteen_bits = png_get_bit_depth(png, state->info) == 16;
	alpha = alpha || state->channels == 4;
	state->decoded->native = color ? (alpha ? NATIVE_RGBA : NATIVE_RGB) : (alpha ? NATIVE_GRAY_ALPHA : NATIVE_GRAY);
	png_set_interlace_handling(png);
	png_read_update_info(png, state->info);
}

static enum status png_alloc_rows(struct png_state *state, size_t stride, size_t height)
{
	state->decoded->pixels = malloc(stride * height);
	state->rows = malloc(height * sizeof *state->rows);
	if (!state->decoded->pixels || !state->rows)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for %zu bytes of pixels", state->name,
				   stride * height);
	for (size_t y = 0; y < height; y++)
		state->rows[y] = state->decoded->pixels + y * stride;
	return STATUS_OK;
}

/* The eXIf chunk says it, else the XMP packet; both may stand before the pixels or behind them. */
static enum status find_orientation(const struct png_state *state)
{
	png_bytep exif = NULL;
	png_uint_32 exif_size = 0;
	png_textp text = NULL;
	int text_count = 0, found = 0;
	if (png_get_eXIf_1(state->png, state->info, &exif_size, &exif)) {
		found = tiff_orientation(exif, exif_size);
		TRY(exif_keep(state->decoded, exif, exif_size, state->name));
	}
	png_get_text(state->png, state->info, &text, &text_count);
	for (int i = 0; i < text_count && !found; i++)
		if (text[i].text && strcmp(text[i].key, "XML:com.adobe.xmp") == 0)
			found = xmp_orientation(text[i].text, strlen(text[i].text));
	state->decoded->orientation = found ? found : 1;
	return STATUS_OK;
}

static void find_resolution(const struct png_state *state)
{
	struct image_metadata *metadata = &state->decoded->metadata;
	metadata->per_metre_x = png_get_x_pixels_per_meter(state->png, state->info);
	metadata->per_metre_y = png_get_y_pixels_per_meter(state->png, state->info);
}

/* iCCP only: a picture with an sRGB chunk is sRGB, and so is, in practice, one with neither. */
static void find_profile(struct png_state *state)
{
	png_charp name;
	png_bytep data;
	png_uint_32 size;
	int compression;
	if (!png_get_iCCP(state->png, state->info, &name, &compression, &data, &size) || size == 0)
		return;
	state->decoded->profile = malloc(size);
	if (!state->decoded->profile) {
		state->status = status_fail(STATUS_NO_MEMORY, "%s: no memory for a profile of %u bytes", state->name,
					    (unsigned)size);
		png_longjmp(state->png, 1);
	}
	memcpy(state->decoded->profile, data, size);
	state->decoded->profile_size = size;
}

static enum status png_read_pixels(struct png_state *state)
{
	if (setjmp(png_jmpbuf(state->png)))
		return state->status;
	png_structp png = state->png;
	png_set_read_fn(png, state, png_read_bytes);
	png_set_user_limits(png, IMAGE_MAX_SIDE, IMAGE_MAX_SIDE);
	/* A wrong checksum is an error in a chunk that pixels need, else the chunk is left out with a warning. */
	png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
	png_set_benign_errors(png, 1);
	png_set_chunk_cache_max(png, PNG_MAX_CHUNKS);
	png_set_chunk_malloc_max(png, PNG_MAX_CHUNK_BYTES);
	png_read_info(png, state->info);
	find_profile(state);
	png_choose_output(state);
	size_t stride = png_get_rowbytes(png, state->info);
	size_t expected =
		(size_t)png_get_image_width(png, state->info) * (size_t)native_channels[state->decoded->native];
	if (stride != expected)
		return status_fail(STATUS_FORMAT, "%s: PNG: rows of %zu bytes, expected %zu", state->name, stride,
				   expected);
	TRY(png_alloc_rows(state, stride, png_get_image_height(png, state->info)));
	png_read_image(png, state->rows);
	png_read_end(png, state->info);
	find_resolution(state);
	return find_orientation(state);
}

enum status png_decode(const void *data, size_t size, const char *name, int channels, struct decoded *decoded)
{
	struct png_state state = {.name = name, .data = data, .size = size, .channels = channels, .decoded = decoded};
	TRY(png_check_header(&state));
	state.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, png_fail, png_count_warning);
	state.info = state.png ? png_create_info_struct(state.png) : NULL;
	enum status status =
		state.info ? png_read_pixels(&state) : status_fail(STATUS_NO_MEMORY, "%s: no memory", name);
	if (status == STATUS_OK) {
		decoded->width = (int)png_get_image_width(state.png, state.info);
		decoded->height = (int)png_get_image_height(state.png, state.info);
	}
	if (state.png)
		png_destroy_read_struct(&state.png, &state.info, NULL);
	free(state.rows);
	return status;
}

/* --- out ------------------------------------------------------------------ */

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

static enum status png_write_some(struct png_state *state, const struct picture *picture, int first)
{
	size_t stride = (size_t)picture->width * (size_t)picture->channels;
	int count = picture->height - first < picture->room ? picture->height - first : picture->room;
	if (picture->make)
		TRY(picture->make(picture->context, first, count, picture->pixels));
	for (int y = 0; y < count; y++)
		png_write_row(state->png, picture->pixels + (size_t)y * stride);
	return STATUS_OK;
}

static void png_set_metadata(struct png_state *state, const struct image_metadata *metadata)
{
	if (metadata->per_metre_x && metadata->per_metre_y)
		png_set_pHYs(state->png, state->info, metadata->per_metre_x, metadata->per_metre_y,
			     PNG_RESOLUTION_METER);
	if (metadata->exif)
		png_set_eXIf_1(state->png, state->info, (png_uint_32)metadata->exif_size, metadata->exif);
}

static void png_set_colours(struct png_state *state, const struct image_palette *palette)
{
	png_color colours[256];
	for (int i = 0; i < palette->count; i++)
		colours[i] = (png_color){palette->colours[i][0], palette->colours[i][1], palette->colours[i][2]};
	png_set_PLTE(state->png, state->info, colours, palette->count);
}

static enum status png_write_pixels(struct png_state *state, const struct picture *picture, struct bytes *bytes)
{
	static const int types[] = {0, PNG_COLOR_TYPE_GRAY, 0, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGBA};
	if (setjmp(png_jmpbuf(state->png)))
		return state->status;
	png_set_write_fn(state->png, bytes, png_write_bytes, png_flush_nothing);
	png_set_IHDR(state->png, state->info, (png_uint_32)picture->width, (png_uint_32)picture->height, 8,
		     picture->palette ? PNG_COLOR_TYPE_PALETTE : types[picture->channels], PNG_INTERLACE_NONE,
		     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	if (picture->palette)
		png_set_colours(state, picture->palette);
	if ((int64_t)picture->width * picture->height >=
	    PNG_LARGE) /* a third of the time for a file larger by a tenth */
		png_set_compression_level(state->png, 4);
	if (picture->metadata)
		png_set_metadata(state, picture->metadata);
	png_write_info(state->png, state->info);
	for (int y = 0; y < picture->height; y += picture->room)
		TRY(png_write_some(state, picture, y));
	png_write_end(state->png, NULL);
	return STATUS_OK;
}

enum status png_encode(const struct picture *picture, const char *name, struct bytes *bytes)
{
	if (picture->channels != 1 && picture->channels != 3 && picture->channels != 4)
		return status_fail(STATUS_FORMAT, "%s: PNG: %d channels, expected 1, 3 or 4", name, picture->channels);
	struct png_state state = {.name = name};
	state.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &state, png_fail, png_count_warning);
	state.info = state.png ? png_create_info_struct(state.png) : NULL;
	enum status status = state.info ? png_write_pixels(&state, picture, bytes)
					: status_fail(STATUS_NO_MEMORY, "%s: no memory", name);
	if (state.png)
		png_destroy_write_struct(&state.png, &state.info);
	return status;
}
