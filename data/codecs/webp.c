/* WebP in, through libwebp, which is optional: where the machine that builds has none (HAVE_WEBP:
 * tools/configure.sh), a WebP photo is named and refused. The library checks the pictures' data; which way up the
 * photo is, and its colours, stand in chunks beside them (RFC 9649, section 2.7), which are read here. */
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "data/codecs/codecs.h"

#ifdef HAVE_WEBP
#include <webp/decode.h>

/* The content of the first chunk of that name; NULL: there is none. Every length is checked against the file's. */
static const uint8_t *find_chunk(const uint8_t *data, size_t size, const char name[5], size_t *length)
{
	enum { FIRST = 12, HEAD = 8 };
	for (size_t at = FIRST; at <= size && size - at >= HEAD;) {
		size_t bytes = (size_t)bytes_load(data + at + 4, 4);
		if (bytes > size - at - HEAD)
			return NULL;
		if (memcmp(data + at, name, 4) == 0) {
			*length = bytes;
			return data + at + HEAD;
		}
		at += HEAD + bytes + bytes % 2; /* chunks begin at even places */
	}
	return NULL;
}

/* EXIF says it, else XMP. Some writers put JPEG's "Exif\0\0" before the block. */
static enum status find_orientation(const uint8_t *data, size_t size, const char *name, struct decoded *decoded)
{
	size_t length;
	int found = 0;
	const uint8_t *exif = find_chunk(data, size, "EXIF", &length);
	if (exif && length >= 6 && memcmp(exif, "Exif\0", 6) == 0) {
		exif += 6;
		length -= 6;
	}
	if (exif) {
		found = tiff_orientation(exif, length);
		TRY(exif_keep(decoded, exif, length, name));
	}
	const uint8_t *xmp = find_chunk(data, size, "XMP ", &length);
	if (xmp && !found)
		found = xmp_orientation(xmp, length);
	decoded->orientation = found ? found : 1;
	return STATUS_OK;
}

static enum status find_profile(const uint8_t *data, size_t size, const char *name, struct decoded *decoded)
{
	size_t length;
	const uint8_t *profile = find_chunk(data, size, "ICCP", &length);
	if (!profile || !length)
		return STATUS_OK;
	decoded->profile = malloc(length);
	if (!decoded->profile)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for a profile of %zu bytes", name, length);
	memcpy(decoded->profile, profile, length);
	decoded->profile_size = length;
	return STATUS_OK;
}

static enum status read_pixels(const uint8_t *data, size_t size, const char *name, struct decoded *decoded)
{
	size_t stride = (size_t)decoded->width * (size_t)native_channels[decoded->native];
	size_t bytes = stride * (size_t)decoded->height;
	decoded->pixels = malloc(bytes);
	if (!decoded->pixels)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for %d x %d pixels", name, decoded->width,
				   decoded->height);
	uint8_t *done = decoded->native == NATIVE_RGBA
				? WebPDecodeRGBAInto(data, size, decoded->pixels, bytes, (int)stride)
				: WebPDecodeRGBInto(data, size, decoded->pixels, bytes, (int)stride);
	return done ? STATUS_OK
		    : status_fail(STATUS_FORMAT, "%s: WebP: the picture's data are damaged or end early", name);
}

enum status webp_decode(const void *data, size_t size, const char *name, int channels, struct decoded *decoded)
{
	WebPBitstreamFeatures features;
	if (WebPGetFeatures(data, size, &features) != VP8_STATUS_OK)
		return status_fail(STATUS_FORMAT, "%s: WebP: the file ends or is damaged in its header", name);
	if (features.has_animation)
		return status_fail(STATUS_FORMAT, "%s: an animated WebP; expected one picture", name);
	TRY(check_declared_size(name, (uint32_t)features.width, (uint32_t)features.height));
	decoded->width = features.width;
	decoded->height = features.height;
	decoded->facts.alpha = features.has_alpha;
	decoded->native = features.has_alpha || channels == 4 ? NATIVE_RGBA : NATIVE_RGB;
	TRY(find_orientation(data, size, name, decoded));
	TRY(find_profile(data, size, name, decoded));
	return read_pixels(data, size, name, decoded);
}

#else

enum status webp_decode(const void *data, size_t size, const char *name, int channels, struct decoded *decoded)
{
	(void)data, (void)size, (void)channels, (void)decoded;
	return status_fail(STATUS_FORMAT,
			   "%s: this is WebP, and this program was built without libwebp; convert it to PNG or JPEG",
			   name);
}

#endif
