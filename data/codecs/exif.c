/* Which way up a photo is, from the two places where cameras and editors write it, and EXIF as it goes into the files
 * that are made of a photo. Neither block is trusted: every offset is checked against the block's end. */
#include <stdlib.h>
#include <string.h>

#include "data/codecs/codecs.h"

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

enum { TIFF_ENTRY = 12, TIFF_SHORT = 3 };
enum {
	TAG_ORIENTATION = 0x0112,
	TAG_THUMBNAIL = 0x0201,
	TAG_THUMBNAIL_BYTES = 0x0202,
	TAG_EXIF = 0x8769,
	TAG_COLOUR_SPACE = 0xa001,
};

/* False where the block is no TIFF. *directory: where its first directory begins. */
static bool tiff_open(struct tiff *tiff, const uint8_t *data, size_t size, size_t *directory)
{
	*tiff = (struct tiff){.data = data, .size = size};
	if (size < 8)
		return false;
	tiff->big_endian = memcmp(data, "MM", 2) == 0;
	if (!tiff->big_endian && memcmp(data, "II", 2) != 0)
		return false;
	*directory = tiff_number(tiff, 4, 4);
	return tiff_number(tiff, 2, 2) == 42;
}

/* Where the entry of that tag begins; 0: the directory has none. */
static size_t tiff_find(const struct tiff *tiff, size_t directory, uint32_t tag)
{
	uint32_t entries = tiff_number(tiff, directory, 2);
	for (uint32_t i = 0; i < entries; i++) {
		size_t entry = directory + 2 + (size_t)i * TIFF_ENTRY;
		if (entry > tiff->size || tiff->size - entry < TIFF_ENTRY)
			return 0;
		if (tiff_number(tiff, entry, 2) == tag)
			return entry;
	}
	return 0;
}

int tiff_orientation(const uint8_t *data, size_t size)
{
	struct tiff tiff;
	size_t directory, entry = 0;
	if (tiff_open(&tiff, data, size, &directory))
		entry = tiff_find(&tiff, directory, TAG_ORIENTATION);
	uint32_t value = entry ? tiff_number(&tiff, entry + 8, 2) : 0;
	bool valid = value >= 1 && value <= 8 && tiff_number(&tiff, entry + 2, 2) == TIFF_SHORT;
	return valid ? (int)value : 0;
}

enum status exif_keep(struct decoded *decoded, const uint8_t *data, size_t size, const char *name)
{
	struct image_metadata *metadata = &decoded->metadata;
	struct tiff tiff;
	size_t directory;
	if (!decoded->wants_metadata || !tiff_open(&tiff, data, size, &directory) || !tiff_number(&tiff, directory, 2))
		return STATUS_OK;
	free(metadata->exif);
	metadata->exif = malloc(size);
	if (!metadata->exif)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for %zu bytes of EXIF", name, size);
	memcpy(metadata->exif, data, size);
	metadata->exif_size = size;
	return STATUS_OK;
}

/* The value of an entry with one SHORT becomes 1. */
static void set_one(struct image_metadata *metadata, const struct tiff *tiff, size_t entry)
{
	if (!entry || tiff_number(tiff, entry + 2, 2) != TIFF_SHORT)
		return;
	metadata->exif[entry + 8] = !tiff->big_endian;
	metadata->exif[entry + 9] = tiff->big_endian;
}

/* The second directory describes the thumbnail: it is left out, and the thumbnail's bytes are wiped. */
static void wipe_thumbnail(struct image_metadata *metadata, const struct tiff *tiff, size_t directory)
{
	size_t next = directory + 2 + (size_t)tiff_number(tiff, directory, 2) * TIFF_ENTRY;
	size_t thumbnail = tiff_number(tiff, next, 4);
	size_t begin = tiff_find(tiff, thumbnail, TAG_THUMBNAIL),
	       bytes = tiff_find(tiff, thumbnail, TAG_THUMBNAIL_BYTES);
	if (thumbnail && begin && bytes) {
		size_t at = tiff_number(tiff, begin + 8, 4), size = tiff_number(tiff, bytes + 8, 4);
		if (at > directory && at <= tiff->size && size <= tiff->size - at)
			memset(metadata->exif + at, 0, size);
	}
	if (next <= tiff->size && tiff->size - next >= 4)
		memset(metadata->exif + next, 0, 4);
}

void exif_make_plain(struct image_metadata *metadata, bool srgb)
{
	struct tiff tiff;
	size_t directory, exif;
	if (!metadata->exif || !tiff_open(&tiff, metadata->exif, metadata->exif_size, &directory))
		return;
	set_one(metadata, &tiff, tiff_find(&tiff, directory, TAG_ORIENTATION));
	exif = tiff_find(&tiff, directory, TAG_EXIF);
	if (exif && srgb)
		set_one(metadata, &tiff, tiff_find(&tiff, tiff_number(&tiff, exif + 8, 4), TAG_COLOUR_SPACE));
	wipe_thumbnail(metadata, &tiff, directory);
}

int xmp_orientation(const void *xmp, size_t size)
{
	static const char key[] = "tiff:Orientation";
	const char *text = xmp, *end = text + size;
	enum { KEY = sizeof key - 1 };
	for (const char *at = text; at && end - at > KEY + 2; at++) {
		at = memchr(at, key[0], (size_t)(end - at) - KEY - 2);
		if (!at)
			return 0;
		if (memcmp(at, key, KEY) != 0)
			continue;
		/* An attribute, tiff:Orientation="6", or an element, <tiff:Orientation>6</tiff:Orientation>. */
		const char *value = at + KEY;
		while (value < end && strchr(" \t\r\n=>\"'", *value) && *value)
			value++;
		if (value < end && *value >= '1' && *value <= '8' && (value + 1 == end || strchr("\"'< ", value[1])))
			return *value - '0';
	}
	return 0;
}
