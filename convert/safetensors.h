/* safetensors in and out: the format of huggingface/safetensors, the common ground between frameworks. A u64
 * header size, a JSON header that names dtype, shape and byte range of each tensor, the bytes. It carries no checksum,
 * so every field is checked before it is used and every number that is imported must be finite. */
#ifndef CONVERT_SAFETENSORS_H
#define CONVERT_SAFETENSORS_H

#include <stddef.h>

#include "convert/safetensors_header.h"
#include "core/params.h"

/* --- what is in a file ---------------------------------------------------- */

/* `bytes` (from malloc) is taken, on failure too; `name` is for messages. Checked: header size and syntax, dtypes,
 * shapes against byte ranges, no duplicates, no holes, no overlap, nothing behind the last tensor. */
enum status safetensors_parse(struct safetensors *file, void *bytes, size_t size, const char *name);
enum status safetensors_read(struct safetensors *file, const char *path);
void safetensors_release(struct safetensors *file);

/* All numbers as float32; F32, F16 and BF16 can. out: tensor->count floats. A number that is not finite is an error. */
enum status safetensors_floats(const struct safetensors_tensor *tensor, float *out);

/* The shapes are equal up to trailing ones: (64) matches 64,1,1,1. */
bool safetensors_shape_matches(const struct safetensors_tensor *tensor, struct shape shape);

/* --- a model's parameters ------------------------------------------------- */

struct safetensors_report {
	int loaded;  /* tensors copied */
	int ignored; /* in the file but not in the model */
	int missing; /* trunk parameters that the file lacks */
};

/* Whether a tensor can become this parameter: its shape, its dtype, and that all its numbers are finite. The message
 * names the tensor. */
enum status safetensors_check(const struct safetensors_tensor *tensor, const struct param *param);

/* Copies every tensor of the file whose name is a parameter of `params` (dtype F32, F16 or BF16, shape equal after
 * dropping trailing ones); a name that matches with another shape is an error. Fails when nothing matched; on failure
 * `params` is as it was. */
enum status safetensors_import(const char *path, struct params *params, struct safetensors_report *report);
/* All parameters as F32, sorted by name; vectors have rank 1. Atomic; the same values give the same bytes. */
enum status safetensors_export(const char *path, const struct params *params, const float *values);

#endif
