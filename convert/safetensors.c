/* Reading and writing safetensors files, and matching them to a model's parameters by name. The header's JSON is
 * safetensors_header.c's business. */
#include "convert/safetensors.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/quantize.h"
#include "convert/safetensors_header.h"
#include "convert/file_kind.h"
#include "core/atomic_file.h"
#include "core/bytes.h"

enum { MAX_FILE = 1 << 30, LENGTH_BYTES = 8 };

/* --- reading -------------------------------------------------------------- */

static int compare_offsets(const void *a, const void *b)
{
	const struct safetensors_tensor *x = a, *y = b;
	if (x->data != y->data)
		return x->data < y->data ? -1 : 1;
	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Sorted by where they lie, each tensor begins where the one before it ends. */
static enum status check_coverage(struct safetensors *file, const unsigned char *data, size_t data_size,
				  const char *name)
{
	if (file->count)
		qsort(file->tensors, (size_t)file->count, sizeof *file->tensors, compare_offsets);
	const unsigned char *end = data;
	for (int i = 0; i < file->count; i++) {
		const struct safetensors_tensor *tensor = &file->tensors[i];
		if (tensor->data != end)
			return status_fail(
				STATUS_FORMAT,
				"%s: tensor %.200s begins at byte %zu of the data, expected %zu: a hole or an overlap",
				name, tensor->name, (size_t)(tensor->data - data), (size_t)(end - data));
		end += tensor->bytes;
	}
	if (end != data + data_size)
		return status_fail(STATUS_FORMAT, "%s: the tensors end at byte %zu of %zu bytes of data", name,
				   (size_t)(end - data), data_size);
	return STATUS_OK;
}

static enum status parse(struct safetensors *file, size_t size, const char *name)
{
	if (size < LENGTH_BYTES + 2)
		return status_fail(STATUS_FORMAT, "%s: %zu bytes are too few for a safetensors file", name, size);
	uint64_t header = bytes_load(file->file, LENGTH_BYTES);
	if (header > SAFETENSORS_MAX_HEADER || header > size - LENGTH_BYTES)
		return status_fail(STATUS_FORMAT,
				   "%s: no safetensors file: a header of %llu bytes, expected at most %zu", name,
				   (unsigned long long)header,
				   size - LENGTH_BYTES < SAFETENSORS_MAX_HEADER ? size - LENGTH_BYTES
										: SAFETENSORS_MAX_HEADER);
	const unsigned char *data = file->file + LENGTH_BYTES + header;
	size_t data_size = size - LENGTH_BYTES - (size_t)header;
	TRY(safetensors_header_parse(file, (const char *)file->file + LENGTH_BYTES, (size_t)header, data, data_size,
				     name));
	return check_coverage(file, data, data_size, name);
}

enum status safetensors_parse(struct safetensors *file, void *bytes, size_t size, const char *name)
{
	*file = (struct safetensors){.file = bytes};
	enum status status = parse(file, size, name);
	const char *kind = status ? file_kind_describe(bytes, size) : NULL;
	if (kind)
		status_fail(status, "%s: expected a safetensors file; this is %s", name, kind);
	if (status != STATUS_OK)
		safetensors_release(file);
	return status;
}

enum status safetensors_read(struct safetensors *file, const char *path)
{
	char *bytes;
	size_t size;
	TRY(file_read(path, MAX_FILE, &bytes, &size));
	return safetensors_parse(file, bytes, size, path);
}

void safetensors_release(struct safetensors *file)
{
	for (int i = 0; i < file->count; i++)
		free(file->tensors[i].name);
	free(file->tensors);
	free(file->file);
	*file = (struct safetensors){0};
}

/* --- numbers -------------------------------------------------------------- */

static float f32_at(const unsigned char *p)
{
	return bytes_load_float(p);
}

static float f16_at(const unsigned char *p)
{
	return float_from_half((uint16_t)bytes_load(p, 2));
}

static float bf16_at(const unsigned char *p)
{
	return float_from_bfloat16((uint16_t)bytes_load(p, 2));
}

static const struct {
	const char *dtype;
	size_t bytes;
	float (*at)(const unsigned char *p);
} readable[] = {{"F32", 4, f32_at}, {"F16", 2, f16_at}, {"BF16", 2, bf16_at}};

enum status safetensors_floats(const struct safetensors_tensor *tensor, float *out)
{
	for (size_t k = 0; k < sizeof readable / sizeof *readable; k++) {
		if (strcmp(readable[k].dtype, tensor->dtype) != 0)
			continue;
		for (size_t i = 0; i < tensor->count; i++) {
			out[i] = readable[k].at(tensor->data + i * readable[k].bytes);
			if (!isfinite(out[i]))
				return status_fail(STATUS_FORMAT, "tensor %s: number %zu is not finite", tensor->name,
						   i);
		}
		return STATUS_OK;
	}
	return status_fail(STATUS_FORMAT, "tensor %s: dtype %s, expected F32, F16 or BF16", tensor->name,
			   tensor->dtype);
}

bool safetensors_shape_matches(const struct safetensors_tensor *tensor, struct shape shape)
{
	const int dims[] = {shape.n, shape.c, shape.h, shape.w};
	if (tensor->rank == 2 && tensor->dims[0] == (size_t)shape.n) /* of a fully connected layer: the same numbers */
		return tensor->dims[1] == (size_t)shape.c * (size_t)shape.h * (size_t)shape.w;
	for (int i = 0; i < 4 || i < tensor->rank; i++)
		if ((i < tensor->rank ? tensor->dims[i] : 1) != (i < 4 ? (size_t)dims[i] : 1))
			return false;
	return true;
}

/* --- a model's parameters ------------------------------------------------- */

/* "(64, 3, 3, 3)" */
static void print_shape(const struct safetensors_tensor *tensor, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "(");
	for (int i = 0; i < tensor->rank && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%zu", i ? ", " : "", tensor->dims[i]);
	if (used < size)
		snprintf(text + used, size - used, ")");
}

static enum status load_tensor(const struct safetensors_tensor *tensor, const struct param *param, float *values)
{
	if (!safetensors_shape_matches(tensor, param->shape)) {
		char shape[128];
		print_shape(tensor, shape, sizeof shape);
		return status_fail(STATUS_FORMAT, "tensor %s: shape %s, the model has (" SHAPE_FORMAT ")", tensor->name,
				   shape, SHAPE_ARGS(param->shape));
	}
	return safetensors_floats(tensor, values + param->offset);
}

enum status safetensors_check(const struct safetensors_tensor *tensor, const struct param *param)
{
	struct param alone = *param;
	float *values = malloc((shape_count(param->shape) + 1) * sizeof *values);
	if (!values)
		return status_fail(STATUS_NO_MEMORY, "no memory for tensor %s", tensor->name);
	alone.offset = 0;
	enum status status = load_tensor(tensor, &alone, values);
	free(values);
	return status;
}

/* The parameter of a tensor: by the model's names, torchvision's, or by those of VGG-16 in Caffe's model zoo. */
static int find_param(const struct params *params, const char *name)
{
	static const char *const caffe[][2] = {
		{"conv1_1.", "features.0."},  {"conv1_2.", "features.2."},  {"conv2_1.", "features.5."},
		{"conv2_2.", "features.7."},  {"conv3_1.", "features.10."}, {"conv3_2.", "features.12."},
		{"conv3_3.", "features.14."}, {"conv4_1.", "features.17."}, {"conv4_2.", "features.19."},
		{"conv4_3.", "features.21."}, {"conv5_1.", "features.24."}, {"conv5_2.", "features.26."},
		{"conv5_3.", "features.28."}, {"fc6.", "classifier.0."},    {"fc7.", "classifier.3."},
	};
	int index = params_find(params, name);
	for (size_t i = 0; i < sizeof caffe / sizeof *caffe && index < 0; i++) {
		char other[64];
		size_t length = strlen(caffe[i][0]);
		if (strncmp(name, caffe[i][0], length) != 0 || strlen(name) > 40)
			continue;
		snprintf(other, sizeof other, "%s%s", caffe[i][1], name + length);
		index = params_find(params, other);
	}
	return index;
}

static enum status load_matching(const struct safetensors *file, const struct params *params, float *values, bool *seen,
				 struct safetensors_report *report)
{
	for (int i = 0; i < file->count; i++) {
		int index = find_param(params, file->tensors[i].name);
		if (index < 0) {
			report->ignored++;
			continue;
		}
		TRY(load_tensor(&file->tensors[i], &params->items[index], values));
		seen[index] = true;
		report->loaded++;
	}
	for (int i = 0; i < params->count; i++)
		report->missing += params->items[i].group == PARAM_TRUNK && !seen[i];
	if (report->loaded == 0)
		return status_fail(STATUS_FORMAT,
				   "none of its %d tensors has the name of one of the model's %d parameters",
				   file->count, params->count);
	return STATUS_OK;
}

/* Into a copy, which replaces the values only when all went well. */
static enum status import_file(const struct safetensors *file, struct params *params, struct safetensors_report *report)
{
	float *values = malloc((params->total + 1) * sizeof *values);
	bool *seen = calloc((size_t)params->count + 1, sizeof *seen);
	enum status status = STATUS_OK;
	if (!values || !seen)
		status = status_fail(STATUS_NO_MEMORY, "no memory for %zu parameters", params->total);
	if (status == STATUS_OK) {
		memcpy(values, params->values, params->total * sizeof *values);
		status = load_matching(file, params, values, seen, report);
	}
	if (status == STATUS_OK)
		memcpy(params->values, values, params->total * sizeof *values);
	free(values);
	free(seen);
	return status;
}

enum status safetensors_import(const char *path, struct params *params, struct safetensors_report *report)
{
	struct safetensors file;
	TRY(safetensors_read(&file, path));
	*report = (struct safetensors_report){0};
	enum status status = import_file(&file, params, report);
	safetensors_release(&file);
	return status == STATUS_OK ? status : status_wrap(status, "%s", path);
}

/* --- writing -------------------------------------------------------------- */

static int compare_params(const void *a, const void *b)
{
	return strcmp((*(const struct param *const *)a)->name, (*(const struct param *const *)b)->name);
}

/* Weights keep their four dimensions, all else is a vector. */
static int print_dims(char *text, size_t size, const struct param *param)
{
	struct shape s = param->shape;
	if (param->kind == PARAM_WEIGHT || s.c != 1 || s.h != 1 || s.w != 1)
		return snprintf(text, size, "[%d,%d,%d,%d]", s.n, s.c, s.h, s.w);
	return snprintf(text, size, "[%d]", s.n);
}

enum { HEADER_START = 64, HEADER_PER_TENSOR = 256 };

/* The header text, padded with spaces so that the data begin at a multiple of 8. Names come from our own model code. */
static size_t print_header(char *text, size_t room, const struct param *const *sorted, int count)
{
	size_t used = (size_t)snprintf(text, room, "{\"__metadata__\":{\"format\":\"pt\"}"), offset = 0;
	for (int i = 0; i < count; i++) {
		char dims[64];
		size_t bytes = shape_count(sorted[i]->shape) * sizeof(float);
		assert(!strpbrk(sorted[i]->name, "\"\\"));
		print_dims(dims, sizeof dims, sorted[i]);
		used += (size_t)snprintf(text + used, room - used,
					 ",\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}",
					 sorted[i]->name, dims, offset, offset + bytes);
		offset += bytes;
	}
	text[used++] = '}';
	while (used % 8)
		text[used++] = ' ';
	return used;
}

static enum status write_sorted(const char *path, const struct param *const *sorted, int count, const float *values,
				char *header, size_t room, unsigned char *data)
{
	size_t header_size = print_header(header, room, sorted, count), at = 0;
	unsigned char length[LENGTH_BYTES];
	bytes_store(length, header_size, LENGTH_BYTES);
	for (int i = 0; i < count; i++)
		for (size_t k = 0; k < shape_count(sorted[i]->shape); k++, at += 4)
			bytes_store_float(data + at, values[sorted[i]->offset + k]);
	const struct file_part parts[] = {{length, sizeof length}, {header, header_size}, {data, at}};
	return atomic_file_write(path, parts, 3);
}

enum status safetensors_export(const char *path, const struct params *params, const float *values)
{
	size_t count = (size_t)params->count, room = HEADER_START + count * HEADER_PER_TENSOR;
	const struct param **sorted = malloc((count + 1) * sizeof *sorted);
	char *header = malloc(room);
	unsigned char *data = malloc(params->total * sizeof(float) + 1);
	enum status status;
	if (!sorted || !header || !data) {
		status = status_fail(STATUS_NO_MEMORY, "%s: no memory for %zu parameters", path, params->total);
	} else {
		for (size_t i = 0; i < count; i++)
			sorted[i] = &params->items[i];
		qsort(sorted, count, sizeof *sorted, compare_params);
		status = write_sorted(path, sorted, params->count, values, header, room, data);
	}
	free(sorted);
	free(header);
	free(data);
	return status;
}
