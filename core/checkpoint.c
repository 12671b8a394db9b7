/* See checkpoint.h. A reader first proves that the bytes are those that were written (the digest), and still
 * distrusts them: a file may have been made by another version, or on purpose. */
#include "core/checkpoint.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/atomic_file.h"
#include "core/bytes.h"
#include "core/sha256.h"

enum { MAGIC_SIZE = 8, HEADER_SIZE = 16, HEAD_SIZE = CHECKPOINT_NAME_SIZE + 8, ALIGNMENT = 8, DIGEST_SIZE = 32 };

static const char MAGIC[MAGIC_SIZE] = "TAPCKPT1";

/* Far above any checkpoint of ours; keeps a wrong file name from filling the memory. */
static const size_t MAX_BYTES = (size_t)1 << 33;

static size_t padding(uint64_t size)
{
	return (ALIGNMENT - size % ALIGNMENT) % ALIGNMENT;
}

void checkpoint_init(struct checkpoint *checkpoint)
{
	*checkpoint = (struct checkpoint){.count = 0};
}

void checkpoint_release(struct checkpoint *checkpoint)
{
	free(checkpoint->bytes);
	checkpoint_init(checkpoint);
}

static const struct checkpoint_section *find(const struct checkpoint *checkpoint, const char *name)
{
	for (int i = 0; i < checkpoint->count; i++)
		if (strcmp(checkpoint->sections[i].name, name) == 0)
			return &checkpoint->sections[i];
	return NULL;
}

void checkpoint_add(struct checkpoint *checkpoint, const char *name, const void *data, size_t size)
{
	assert(checkpoint->count < CHECKPOINT_MAX_SECTIONS && !checkpoint->bytes);
	assert(*name && strlen(name) < CHECKPOINT_NAME_SIZE && !find(checkpoint, name));
	struct checkpoint_section *section = &checkpoint->sections[checkpoint->count++];
	*section = (struct checkpoint_section){.data = data, .size = size};
	strcpy(section->name, name);
}

/* A file in the making: its parts, and the small ones' memory. */
struct layout {
	struct file_part parts[2 + 3 * CHECKPOINT_MAX_SECTIONS];
	int count;
	unsigned char header[HEADER_SIZE];
	unsigned char heads[CHECKPOINT_MAX_SECTIONS][HEAD_SIZE];
	uint8_t digest[DIGEST_SIZE];
};

static void add_part(struct layout *layout, const void *data, size_t size)
{
	layout->parts[layout->count++] = (struct file_part){data, size};
}

static void lay_out_section(struct layout *layout, int index, const struct checkpoint_section *section)
{
	static const char zeros[ALIGNMENT];
	unsigned char *head = layout->heads[index];
	memset(head, 0, HEAD_SIZE);
	memcpy(head, section->name, strlen(section->name));
	bytes_store(head + CHECKPOINT_NAME_SIZE, section->size, 8);
	add_part(layout, head, HEAD_SIZE);
	add_part(layout, section->data, section->size);
	add_part(layout, zeros, padding(section->size));
}

static void add_digest(struct layout *layout)
{
	struct sha256 sha;
	sha256_init(&sha);
	for (int i = 0; i < layout->count; i++)
		sha256_update(&sha, layout->parts[i].data, layout->parts[i].size);
	sha256_final(&sha, layout->digest);
	add_part(layout, layout->digest, DIGEST_SIZE);
}

enum status checkpoint_write(const struct checkpoint *checkpoint, const char *path)
{
	struct layout layout = {.count = 0};
	memcpy(layout.header, MAGIC, MAGIC_SIZE);
	bytes_store(layout.header + MAGIC_SIZE, (uint64_t)checkpoint->count, 4);
	add_part(&layout, layout.header, HEADER_SIZE);
	for (int i = 0; i < checkpoint->count; i++)
		lay_out_section(&layout, i, &checkpoint->sections[i]);
	add_digest(&layout);
	return atomic_file_write(path, layout.parts, layout.count);
}

static enum status verify(const char *path, const char *bytes, size_t size)
{
	if (size < MAGIC_SIZE || memcmp(bytes, MAGIC, MAGIC_SIZE) != 0)
		return status_fail(STATUS_FORMAT, "%s: not a tapcut checkpoint (no \"%.8s\" at the beginning)", path,
				   MAGIC);
	if (size < HEADER_SIZE + DIGEST_SIZE)
		return status_fail(STATUS_FORMAT, "%s: damaged checkpoint: %zu bytes, at least %d expected", path, size,
				   HEADER_SIZE + DIGEST_SIZE);
	struct sha256 sha;
	uint8_t digest[DIGEST_SIZE];
	sha256_init(&sha);
	sha256_update(&sha, bytes, size - DIGEST_SIZE);
	sha256_final(&sha, digest);
	if (memcmp(bytes + size - DIGEST_SIZE, digest, DIGEST_SIZE) != 0)
		return status_fail(STATUS_FORMAT, "%s: damaged checkpoint: the checksum does not match its %zu bytes",
				   path, size);
	return STATUS_OK;
}

static bool all_zero(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

/* Reads one section from *at; `left` bytes are there. */
static enum status parse_section(struct checkpoint *checkpoint, const char *path, const char **at, size_t *left)
{
	int index = checkpoint->count;
	if (*left < HEAD_SIZE)
		return status_fail(STATUS_FORMAT, "%s: section %d: %zu bytes left, %d expected", path, index, *left,
				   HEAD_SIZE);
	const char *name = *at, *end = memchr(name, '\0', CHECKPOINT_NAME_SIZE);
	if (!end || end == name || !all_zero(end, (size_t)(name + CHECKPOINT_NAME_SIZE - end)))
		return status_fail(STATUS_FORMAT, "%s: section %d has no proper name", path, index);
	if (find(checkpoint, name))
		return status_fail(STATUS_FORMAT, "%s: two sections \"%s\"", path, name);
	uint64_t size = bytes_load(name + CHECKPOINT_NAME_SIZE, 8);
	*at += HEAD_SIZE;
	*left -= HEAD_SIZE;
	if (size > *left || padding(size) > *left - size)
		return status_fail(STATUS_FORMAT, "%s: section \"%s\": %zu bytes left, %llu expected", path, name,
				   *left, (unsigned long long)size);
	if (!all_zero(*at + size, padding(size)))
		return status_fail(STATUS_FORMAT, "%s: section \"%s\": padding is not zero", path, name);
	struct checkpoint_section *section = &checkpoint->sections[checkpoint->count++];
	*section = (struct checkpoint_section){.data = *at, .size = (size_t)size};
	memcpy(section->name, name, CHECKPOINT_NAME_SIZE);
	*at += size + padding(size);
	*left -= size + padding(size);
	return STATUS_OK;
}

static enum status parse(struct checkpoint *checkpoint, const char *path, size_t size)
{
	TRY(verify(path, checkpoint->bytes, size));
	uint64_t count = bytes_load(checkpoint->bytes + MAGIC_SIZE, 4);
	if (count > CHECKPOINT_MAX_SECTIONS || !all_zero(checkpoint->bytes + MAGIC_SIZE + 4, 4))
		return status_fail(STATUS_FORMAT, "%s: %u sections, at most %d expected", path, (unsigned)count,
				   CHECKPOINT_MAX_SECTIONS);
	const char *at = checkpoint->bytes + HEADER_SIZE;
	size_t left = size - HEADER_SIZE - DIGEST_SIZE;
	for (uint64_t i = 0; i < count; i++)
		TRY(parse_section(checkpoint, path, &at, &left));
	if (left > 0)
		return status_fail(STATUS_FORMAT, "%s: %zu bytes after the last section", path, left);
	return STATUS_OK;
}

enum status checkpoint_read_memory(struct checkpoint *checkpoint, char *bytes, size_t size, const char *name)
{
	checkpoint_init(checkpoint);
	checkpoint->bytes = bytes;
	enum status status = parse(checkpoint, name, size);
	if (status != STATUS_OK)
		checkpoint_release(checkpoint);
	return status;
}

enum status checkpoint_read(struct checkpoint *checkpoint, const char *path)
{
	char *bytes;
	size_t size;
	checkpoint_init(checkpoint);
	TRY(file_read(path, MAX_BYTES, &bytes, &size));
	return checkpoint_read_memory(checkpoint, bytes, size, path);
}

const struct checkpoint_section *checkpoint_find(const struct checkpoint *checkpoint, const char *name, size_t size)
{
	const struct checkpoint_section *section = find(checkpoint, name);
	if (!section) {
		status_fail(STATUS_FORMAT, "the checkpoint has no section \"%s\"", name);
		return NULL;
	}
	if (size != SIZE_MAX && section->size != size) {
		status_fail(STATUS_FORMAT, "section \"%s\" of the checkpoint: %zu bytes expected, %zu found", name,
			    size, section->size);
		return NULL;
	}
	return section;
}

bool checkpoint_has(const struct checkpoint *checkpoint, const char *name)
{
	return find(checkpoint, name) != NULL;
}
