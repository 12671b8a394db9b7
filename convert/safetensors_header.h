/* What a safetensors file holds, and how its JSON header is read. Programs include convert/safetensors.h. */
#ifndef CONVERT_SAFETENSORS_HEADER_H
#define CONVERT_SAFETENSORS_HEADER_H

#include <stddef.h>

#include "core/status.h"

enum { SAFETENSORS_MAX_HEADER = 100000000, SAFETENSORS_MAX_TENSORS = 100000, SAFETENSORS_MAX_RANK = 8 };

struct safetensors_tensor {
	char *name;        /* owned; UTF-8, not empty */
	const char *dtype; /* "F32", "BF16", ... */
	int rank;
	size_t dims[SAFETENSORS_MAX_RANK];
	size_t count; /* numbers */
	const unsigned char *data;
	size_t bytes;
};

struct safetensors {
	unsigned char *file;                /* owned */
	struct safetensors_tensor *tensors; /* in the order of their data */
	int count;
};

/* Fills file->tensors from the header text; tensor->data points into `data` (data_size bytes), which the ranges must
 * lie in. Whether they cover it is the caller's question. On failure the caller releases `file`. */
enum status safetensors_header_parse(struct safetensors *file, const char *text, size_t size, const unsigned char *data,
				     size_t data_size, const char *name);

#endif
