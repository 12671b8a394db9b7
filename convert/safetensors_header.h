/* The JSON header of a safetensors file. Internal to convert/safetensors*.c. */
#ifndef CONVERT_SAFETENSORS_HEADER_H
#define CONVERT_SAFETENSORS_HEADER_H

#include "convert/safetensors.h"

/* Fills file->tensors from the header text; tensor->data points into `data` (data_size bytes), which the ranges must
 * lie in. Whether they cover it is the caller's question. On failure the caller releases `file`. */
enum status safetensors_header_parse(struct safetensors *file, const char *text, size_t size, const unsigned char *data,
				     size_t data_size, const char *name);

#endif
