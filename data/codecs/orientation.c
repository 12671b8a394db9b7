/* Which way up a photo is, from the two places where cameras and editors write it. Neither block is trusted: every
 * offset is checked against the block's end. */
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

int tiff_orientation(const uint8_t *data, size_t size)
{
	enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, ENTRY = 12 };
	struct tiff tiff = {.data = data, .size = size};
	if (size < 8)
		return 0;
	if (memcmp(tiff.data, "MM", 2) == 0)
		tiff.big_endian = true;
	else if (memcmp(tiff.data, "II", 2) != 0)
		return 0;
	if (tiff_number(&tiff, 2, 2) != 42)
		return 0;
	size_t directory = tiff_number(&tiff, 4, 4);
	uint32_t entries = tiff_number(&tiff, directory, 2);
	for (uint32_t i = 0; i < entries; i++) {
		size_t entry = directory + 2 + (size_t)i * ENTRY;
		if (entry > tiff.size || tiff.size - entry < ENTRY)
			return 0;
		if (tiff_number(&tiff, entry, 2) != TAG_ORIENTATION)
			continue;
		uint32_t value = tiff_number(&tiff, entry + 8, 2);
		bool valid = tiff_number(&tiff, entry + 2, 2) == TYPE_SHORT && value >= 1 && value <= 8;
		return valid ? (int)value : 0;
	}
	return 0;
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
