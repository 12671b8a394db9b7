/* From a file to an image and back; the codecs are in data/codecs, a file for each library. Outside these files an
 * image is whole or there is a message. Decoders leave rows of "native" channels, never fewer than asked for;
 * narrow_pixels() brings them down in place. */
#include "data/image_io.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/atomic_file.h"
#include "data/codecs/codecs.h"

const char *const exif_policy_names[] = {"match", "apply", "ignore", NULL};

const int native_channels[] = {1, 2, 3, 4, 4, 4};

enum status check_declared_size(const char *name, uint32_t width, uint32_t height)
{
	if (width == 0 || height == 0)
		return status_fail(STATUS_FORMAT, "%s: the image is %u x %u pixels", name, width, height);
	if (width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE || (uint64_t)width * height > IMAGE_MAX_PIXELS)
		return status_fail(STATUS_LIMIT,
				   "%s: the image declares %u x %u pixels; at most %d a side and %d in all are read",
				   name, width, height, IMAGE_MAX_SIDE, IMAGE_MAX_PIXELS);
	return STATUS_OK;
}

void image_metadata_release(struct image_metadata *metadata)
{
	free(metadata->exif);
	*metadata = (struct image_metadata){0};
}

void decoded_release(struct decoded *decoded)
{
	free(decoded->pixels);
	free(decoded->profile);
	decoded->pixels = decoded->profile = NULL;
	image_metadata_release(&decoded->metadata);
}

void facts_warn(struct image_facts *facts, const char *text)
{
	if (facts->warnings++ == 0)
		snprintf(facts->warning, sizeof facts->warning, "%s", text);
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

/* The decoded pixels become an image of `channels`. Gives back the memory that narrowing saved. */
static void take_pixels(struct decoded *d, int channels, struct image *image)
{
	size_t count = (size_t)d->width * (size_t)d->height;
	narrow_pixels(d->pixels, count, d->native, channels);
	uint8_t *smaller = native_channels[d->native] > channels ? realloc(d->pixels, count * (size_t)channels) : NULL;
	*image = (struct image){.width = d->width, .height = d->height, .channels = channels};
	image->pixels = smaller ? smaller : d->pixels;
	d->pixels = NULL;
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
static int choose_orientation(const struct image_read_options *options, int width, int height, int found,
			      struct image_facts *facts)
{
	bool stored = width == options->width && height == options->height;
	if (options->exif == EXIF_MATCH) {
		facts->ambiguous = found > 1 && stored && (found <= 4 || width == height);
		return stored ? 1 : found;
	}
	return options->exif == EXIF_APPLY ? found : 1;
}

static enum status check_size(const char *name, const struct image_read_options *options, int width, int height,
			      int found, int chosen)
{
	bool wanted = options->exif == EXIF_MATCH || options->width > 0;
	int turned_width = chosen >= 5 ? height : width, turned_height = chosen >= 5 ? width : height;
	if (!wanted || (turned_width == options->width && turned_height == options->height))
		return STATUS_OK;
	return status_fail(STATUS_FORMAT, "%s: the image is %d x %d pixels (EXIF orientation %d), expected %d x %d",
			   name, width, height, found, options->width, options->height);
}

/* --- reading -------------------------------------------------------------- */

/* What a file is that is neither JPEG nor PNG, by its first bytes; NULL: nothing that is known here. */
static const char *other_kind(const uint8_t *data, size_t size)
{
	static const struct {
		size_t at, length;
		const char *bytes, *kind;
	} kinds[] = {
		{4, 8, "ftypavif", "AVIF"},
		{4, 7, "ftyphei", "HEIC"},
		{4, 8, "ftypmif1", "HEIF"},
		{4, 8, "ftypmsf1", "HEIF"},
		{4, 4, "ftyp", "a video or a raw photo (ISO media file)"},
		{0, 4, "GIF8", "GIF"},
		{0, 2, "BM", "BMP"},
		{0, 4, "II*\0", "TIFF (or a camera's raw file)"},
		{0, 4, "MM\0*", "TIFF (or a camera's raw file)"},
		{0, 4, "8BPS", "a Photoshop document"},
		{0, 2, "\xff\x0a", "JPEG XL"},
		{4, 4, "JXL ", "JPEG XL"},
		{4, 4, "jP  ", "JPEG 2000"},
		{0, 4, "%PDF", "PDF"},
		{0, 23, "version https://git-lfs", "a Git LFS pointer (git lfs pull fetches the photo itself)"},
		{0, 4, "<svg", "an SVG drawing"},
		{0, 1, "<", "HTML or XML text (an SVG drawing, or a failed download?)"},
		{0, 1, "{", "JSON text"},
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (size >= kinds[i].at + kinds[i].length &&
		    memcmp(data + kinds[i].at, kinds[i].bytes, kinds[i].length) == 0)
			return kinds[i].kind;
	return NULL;
}

static enum status decode(const uint8_t *data, size_t size, const char *name, int channels, struct decoded *decoded)
{
	static const uint8_t png_magic[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
	static const uint8_t jpeg_magic[3] = {0xff, 0xd8, 0xff};
	if (size == 0)
		return status_fail(STATUS_FORMAT, "%s: the file is empty", name);
	if (size >= sizeof png_magic && memcmp(data, png_magic, sizeof png_magic) == 0)
		return png_decode(data, size, name, channels, decoded);
	if (size >= sizeof jpeg_magic && memcmp(data, jpeg_magic, sizeof jpeg_magic) == 0)
		return jpeg_decode(data, size, name, channels, decoded);
	if (size >= 12 && memcmp(data, "RIFF", 4) == 0 && memcmp(data + 8, "WEBP", 4) == 0)
		return webp_decode(data, size, name, channels, decoded);
	const char *kind = other_kind(data, size);
	if (kind)
		return status_fail(STATUS_FORMAT, "%s: this is %s; convert it to PNG or JPEG", name, kind);
	return status_fail(STATUS_FORMAT, "%s: neither a JPEG nor a PNG file", name);
}

/* EXIF and resolution of the picture as it is now. */
static void give_metadata(struct decoded *d, int orientation, struct image_metadata *metadata)
{
	exif_make_plain(&d->metadata, d->facts.profile_applied);
	*metadata = d->metadata;
	if (orientation >= 5) {
		metadata->per_metre_x = d->metadata.per_metre_y;
		metadata->per_metre_y = d->metadata.per_metre_x;
	}
	d->metadata = (struct image_metadata){0};
}

/* The decoded file as the image that was asked for. */
static enum status finish(struct decoded *d, const char *name, const struct image_read_options *options,
			  struct image *image)
{
	if (options->channels >= 3)
		TRY(profile_to_srgb(d, name));
	take_pixels(d, options->channels, image);
	int orientation = choose_orientation(options, image->width, image->height, d->orientation, &d->facts);
	TRY(check_size(name, options, image->width, image->height, d->orientation, orientation));
	d->facts.orientation = d->orientation;
	d->facts.turned = orientation > 1;
	if (options->metadata)
		give_metadata(d, orientation, options->metadata);
	return turn(image, orientation);
}

enum status image_read_memory(const void *data, size_t size, const char *name, const struct image_read_options *options,
			      struct image *image)
{
	struct decoded decoded = {.orientation = 1, .wants_metadata = options->metadata != NULL};
	*image = (struct image){0};
	if (options->metadata)
		*options->metadata = (struct image_metadata){0};
	enum status status = decode(data, size, name, options->channels, &decoded);
	if (status == STATUS_OK)
		status = finish(&decoded, name, options, image);
	if (options->facts)
		*options->facts = decoded.facts;
	decoded_release(&decoded);
	if (status != STATUS_OK)
		image_release(image);
	return status;
}

enum status image_read(const char *path, const struct image_read_options *options, struct image *image)
{
	char *data;
	size_t size;
	*image = (struct image){0};
	if (options->metadata)
		*options->metadata = (struct image_metadata){0};
	TRY(file_read(path, IMAGE_MAX_FILE, &data, &size));
	enum status status = image_read_memory(data, size, path, options, image);
	free(data);
	return status;
}

enum status image_read_mask(const char *path, struct image *mask)
{
	struct image_facts facts;
	struct image_read_options options = {.channels = 1, .exif = EXIF_IGNORE, .facts = &facts};
	TRY(image_read(path, &options, mask));
	if (!facts.alpha)
		return STATUS_OK;
	image_release(mask);
	options.channels = 4;
	TRY(image_read(path, &options, mask));
	size_t count = (size_t)mask->width * (size_t)mask->height;
	for (size_t i = 0; i < count; i++)
		mask->pixels[i] = mask->pixels[4 * i + 3];
	mask->channels = 1;
	return STATUS_OK;
}

/* --- writing -------------------------------------------------------------- */

bool bytes_reserve(struct bytes *bytes, size_t more)
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

static struct picture whole_picture(const struct image *image)
{
	return (struct picture){.width = image->width,
				.height = image->height,
				.channels = image->channels,
				.pixels = image->pixels,
				.room = image->height};
}

static enum status encode_whole(const struct image *image, const struct image_metadata *metadata, const char *name,
				struct bytes *bytes)
{
	struct picture picture = whole_picture(image);
	picture.metadata = metadata;
	return png_encode(&picture, name, bytes);
}

static enum status write_bytes(const char *path, struct bytes *bytes, enum status status)
{
	struct file_part part = {bytes->data, bytes->size};
	if (status == STATUS_OK)
		status = atomic_file_write(path, &part, 1);
	free(bytes->data);
	return status;
}

enum status image_write_png_with(const char *path, const struct image *image, const struct image_metadata *metadata)
{
	struct bytes bytes = {0};
	return write_bytes(path, &bytes, encode_whole(image, metadata, path, &bytes));
}

enum status image_write_png(const char *path, const struct image *image)
{
	return image_write_png_with(path, image, NULL);
}

enum status image_write_png_palette(const char *path, const struct image *image, const struct image_palette *palette)
{
	struct bytes bytes = {0};
	struct picture picture = whole_picture(image);
	if (image->channels != 1)
		return status_fail(STATUS_FORMAT, "%s: PNG with a palette: %d channels, expected 1", path,
				   image->channels);
	picture.palette = palette;
	return write_bytes(path, &bytes, png_encode(&picture, path, &bytes));
}

enum status image_write_png_rows(const char *path, int width, int height, int channels, image_make_rows *make,
				 void *context, const struct image_metadata *metadata)
{
	enum { ROWS = 256 };
	struct picture picture = {.width = width,
				  .height = height,
				  .channels = channels,
				  .room = ROWS,
				  .make = make,
				  .context = context,
				  .metadata = metadata};
	struct bytes bytes = {0};
	struct image rows;
	TRY(image_alloc(&rows, width, height < ROWS ? height : ROWS, channels));
	picture.pixels = rows.pixels;
	enum status status = write_bytes(path, &bytes, png_encode(&picture, path, &bytes));
	image_release(&rows);
	return status;
}

enum status image_write_jpeg(const char *path, const struct image *image, int quality,
			     const struct image_metadata *metadata)
{
	struct bytes bytes = {0};
	return write_bytes(path, &bytes, jpeg_encode(image, quality, metadata, path, &bytes));
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
	return give_bytes(&bytes, encode_whole(image, NULL, "image", &bytes), data, size);
}

enum status image_encode_jpeg(const struct image *image, int quality, unsigned char **data, size_t *size)
{
	struct bytes bytes = {0};
	return give_bytes(&bytes, jpeg_encode(image, quality, NULL, "image", &bytes), data, size);
}
