/* See photo_record.h. */
#include "train/record/photo_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "core/sha256.h"
#include "core/text.h"

enum { PATH_SIZE = 1100, MAX_BYTES = 1000 * 1000 * 1000 };
static const char header[] = "photo,sha256,file\n";

enum status photo_record_write(const struct photo_digests *digests, const struct dataset *dataset, const char *dir)
{
	char path[PATH_SIZE], hex[65];
	uint8_t digest[32];
	struct text text;
	text_init(&text);
	text_add(&text, "%s", header);
	for (int i = 0; i < dataset->photo_count; i++) {
		if (!photo_digests_get(digests, i, digest))
			continue;
		sha256_hex(digest, hex);
		text_add(&text, "%d,%s,", i, hex);
		for (const char *c = dataset->photos[i].file_name; *c; c++) /* one line, whatever the name is */
			text_add(&text, "%c", (unsigned char)*c < ' ' ? '?' : *c);
		text_add(&text, "\n");
	}
	snprintf(path, sizeof path, "%s/photos.csv", dir);
	enum status status = text_status(&text);
	if (status == STATUS_OK)
		status = atomic_file_write(path, &(struct file_part){text.data, text.length}, 1);
	text_release(&text);
	return status;
}

static bool read_hex(const char *text, uint8_t digest[32])
{
	for (int i = 0; i < 32; i++) {
		unsigned byte;
		if (strspn(text + 2 * i, "0123456789abcdef") < 2 || sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		digest[i] = (uint8_t)byte;
	}
	return text[64] == ',';
}

/* "12,0123...,name" */
static bool read_line(const char *line, struct photo_digests *digests, const struct dataset *dataset)
{
	char *end;
	uint8_t digest[32];
	long index = strtol(line, &end, 10);
	return end != line && *end == ',' && index >= 0 && index < dataset->photo_count && strlen(end) > 66 &&
	       read_hex(end + 1, digest) && photo_digests_expect(digests, (int)index, digest);
}

enum status photo_record_read(struct photo_digests *digests, const struct dataset *dataset, const char *dir)
{
	char path[PATH_SIZE], *text;
	size_t size;
	snprintf(path, sizeof path, "%s/photos.csv", dir);
	if (access(path, F_OK) != 0)
		return STATUS_OK;
	TRY(file_read(path, MAX_BYTES, &text, &size));
	enum status status = STATUS_OK;
	int number = 1;
	char *line = text, *newline;
	for (; status == STATUS_OK && (newline = memchr(line, '\n', (size_t)(text + size - line))); number++) {
		*newline = '\0';
		bool good = number == 1 ? strncmp(line, header, strlen(line)) == 0 : read_line(line, digests, dataset);
		if (!good)
			status = status_fail(STATUS_FORMAT, "%s: line %d: expected photo,sha256,file", path, number);
		line = newline + 1;
	}
	free(text);
	return status;
}
