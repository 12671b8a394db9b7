/* A checkpoint file: named sections of bytes, checksummed as a whole, written atomically. What the sections hold
 * is the trainer's business; that they come back exactly or not at all is this file's.
 *
 * Layout (little endian): magic "TAPCKPT1", u32 section count, u32 zero; per section: name (32 bytes, NUL padded),
 * u64 size, the bytes padded with zeros to 8; last: SHA-256 of everything before it. */
#ifndef CORE_CHECKPOINT_H
#define CORE_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

enum { CHECKPOINT_NAME_SIZE = 32, CHECKPOINT_MAX_SECTIONS = 64 };

struct checkpoint_section {
	char name[CHECKPOINT_NAME_SIZE];
	const void *data; /* borrowed when writing; points into `bytes` when read; 8-byte aligned */
	size_t size;
};

struct checkpoint {
	struct checkpoint_section sections[CHECKPOINT_MAX_SECTIONS];
	int count;
	char *bytes; /* owned; NULL when writing */
};

void checkpoint_init(struct checkpoint *checkpoint);
void checkpoint_release(struct checkpoint *checkpoint);
void checkpoint_add(struct checkpoint *checkpoint, const char *name, const void *data, size_t size);
enum status checkpoint_write(const struct checkpoint *checkpoint, const char *path);
/* Verifies the checksum before anything is believed. */
enum status checkpoint_read(struct checkpoint *checkpoint, const char *path);
/* The same of a file in memory, which is taken over (malloc'd, freed by checkpoint_release), whatever the result. */
enum status checkpoint_read_memory(struct checkpoint *checkpoint, char *bytes, size_t size, const char *name);
/* The section of this name, which must have exactly `size` bytes (SIZE_MAX: any); NULL with a message otherwise. */
const struct checkpoint_section *checkpoint_find(const struct checkpoint *checkpoint, const char *name, size_t size);
/* Whether there is one of this name; for sections that not every checkpoint has. */
bool checkpoint_has(const struct checkpoint *checkpoint, const char *name);

#endif
