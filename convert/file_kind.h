/* What a file is, by its first bytes: for choosing a reader, and for messages that call a wrong file by its name
 * instead of describing the first field that makes no sense. */
#ifndef CONVERT_FILE_KIND_H
#define CONVERT_FILE_KIND_H

#include <stddef.h>

#include "core/status.h"

enum file_kind {
	FILE_UNKNOWN, /* safetensors files too: they begin with a number */
	FILE_WEIGHTS, /* .tapcut */
	FILE_CHECKPOINT,
	FILE_TORCH, /* .pth, .pt: a zip archive or a pickle */
	FILE_OTHER, /* known, and nothing that holds weights for us */
};

enum file_kind file_kind_of(const void *data, size_t size);
/* "a checkpoint of tapcut: tapcut export FILE ... makes ..." for a sentence that begins "NAME is "; NULL where the kind
 * is not known. */
const char *file_kind_describe(const void *data, size_t size);

/* The kind of a file by its path; FILE_UNKNOWN where it cannot be read. */
enum file_kind file_kind_of_path(const char *path);
/* STATUS_FORMAT, "PATH: expected WHAT; this is ...", where the file is known to be of another kind. */
enum status file_kind_expect(const char *path, enum file_kind kind, const char *what);

#endif
