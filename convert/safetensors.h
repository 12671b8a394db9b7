/* safetensors in and out (PLATFORM.md A4). Every field is checked before it is used. */
#ifndef CONVERT_SAFETENSORS_H
#define CONVERT_SAFETENSORS_H

#include "core/params.h"

struct safetensors_report {
	int loaded;   /* tensors copied */
	int ignored;  /* in the file but not in the model */
	int missing;  /* trunk parameters that the file lacks */
};

/* Copies every tensor of the file whose name is a parameter of `params` (dtype F32 or F16, shape equal after dropping trailing
 * ones); a name that matches with another shape is an error. Fails when nothing matched. */
enum status safetensors_import(const char *path, struct params *params, struct safetensors_report *report);
enum status safetensors_export(const char *path, const struct params *params, const float *values);

#endif
