/* See network_safetensors.h. The content of a weights file is records, then data: each piece of the data becomes a
 * tensor under a name that says which step uses it, and going back each is found by that name. Records are not
 * believed before infer's reader has seen the whole. */
#include "convert/network_safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/weights_file.h"
#include "core/atomic_file.h"
#include "core/bytes.h"
#include "infer/network/format.h"
#include "infer/tapcut.h"

#define RECORDS "tapcut.records"

enum { NAME_SIZE = 64, HEADER_PER_PIECE = 256, LENGTH_BYTES = 8 };

/* Some of the content that becomes a tensor. */
struct piece {
	char name[NAME_SIZE];
	const char *dtype;
	size_t dims[4];
	int rank, width; /* bytes of a number */
	bool planes;     /* in the content the bytes stand plane by plane */
	size_t at, count;
};

struct pieces {
	struct piece *items;
	int count;
	size_t records, size; /* of the content: all records; all */
};

static uint32_t u32_at(const unsigned char *p)
{
	return (uint32_t)bytes_load(p, 4);
}

static enum status bad_records(const char *what)
{
	return status_fail(STATUS_FORMAT, RECORDS ": %s", what);
}

/* --- what there is -------------------------------------------------------- */

/* Bytes of all records by what the model record says; 0: more than there can be. */
static size_t records_size(const unsigned char *records, size_t size)
{
	if (size < MODEL_RECORD)
		return 0;
	size_t steps = u32_at(records + MODEL_AT_STEP_COUNT), tensors = u32_at(records + MODEL_AT_TENSOR_COUNT);
	if (steps > INFER_MAX_STEPS || tensors > INFER_MAX_TENSORS)
		return 0;
	return infer_format_parts(steps, tensors, records[MODEL_AT_RANGES] ? steps + INFER_FIRST_STEP_VALUE : 0,
				  bytes_load(records + MODEL_AT_CLASSES, 2))
		.data;
}

/* "step12.bias" by the first step that uses the tensor; *vector: it is one of a number per channel. */
static void name_tensor(const unsigned char *records, uint32_t tensor, char name[NAME_SIZE], bool *vector)
{
	uint32_t steps = u32_at(records + MODEL_AT_STEP_COUNT);
	snprintf(name, NAME_SIZE, "tensor%u", (unsigned)tensor);
	*vector = false;
	for (uint32_t i = 0; i < steps; i++) {
		const unsigned char *step = records + MODEL_RECORD + i * STEP_RECORD;
		bool affine = step[STEP_AT_OP] == INFER_OP_CHANNEL_AFFINE;
		const char *const what[] = {affine ? "scale" : "weight", affine ? "shift" : "bias"};
		for (int k = 0; k < 2; k++)
			if (u32_at(step + STEP_AT_TENSORS + 4 * k) == tensor) {
				snprintf(name, NAME_SIZE, "step%u.%s", (unsigned)i, what[k]);
				*vector = k == 1 || affine;
				return;
			}
	}
}

static void add_piece(struct pieces *p, struct piece piece, const char *dtype, int width, size_t count)
{
	piece.dtype = dtype;
	piece.width = width;
	piece.count = count;
	piece.at = p->size;
	p->size += count * (size_t)width;
	p->items[p->count++] = piece;
}

/* A vector of floats beside a tensor. */
static void add_companion(struct pieces *p, const struct piece *of, const char *what, size_t count)
{
	struct piece piece = {.rank = 1, .dims = {count}};
	snprintf(piece.name, sizeof piece.name, "%.48s.%s", of->name, what);
	add_piece(p, piece, "F32", 4, count);
}

static enum status add_tensor(struct pieces *p, const unsigned char *records, uint32_t index)
{
	const unsigned char *r =
		records + infer_format_parts(u32_at(records + MODEL_AT_STEP_COUNT), index, 0, 0).ranges;
	struct piece piece = {.rank = 4, .planes = r[TENSOR_AT_PLANES] == 1};
	size_t count = 1;
	bool vector;
	for (int i = 0; i < 4; i++) {
		piece.dims[i] = u32_at(r + TENSOR_AT_DIMS + 4 * i);
		if (piece.dims[i] < 1 || piece.dims[i] > INFER_MAX_CHANNELS ||
		    count > INFER_MAX_TENSOR_FLOATS / piece.dims[i])
			return bad_records("a tensor is too large");
		count *= piece.dims[i];
	}
	name_tensor(records, index, piece.name, &vector);
	if (vector && count == piece.dims[0])
		piece.rank = 1;
	if (r[TENSOR_AT_TYPE] > INFER_TENSOR_CODEBOOK || r[TENSOR_AT_AXIS] > 1)
		return bad_records("a tensor of an unknown type");
	if (r[TENSOR_AT_TYPE] == INFER_TENSOR_INT8)
		add_companion(p, &piece, "scales", piece.dims[r[TENSOR_AT_AXIS]]);
	if (r[TENSOR_AT_TYPE] == INFER_TENSOR_CODEBOOK)
		add_companion(p, &piece, "table", r[TENSOR_AT_ENTRIES] + (size_t)1);
	static const char *const dtypes[] = {"F32", "F16", "I8", "U8"};
	static const int widths[] = {4, 2, 1, 1};
	add_piece(p, piece, dtypes[r[TENSOR_AT_TYPE]], widths[r[TENSOR_AT_TYPE]], count);
	return STATUS_OK;
}

/* `size` bytes begin with the records. p->items: caller frees, on failure too. */
static enum status list_pieces(const unsigned char *records, size_t size, struct pieces *p)
{
	*p = (struct pieces){.records = records_size(records, size)};
	if (!p->records || p->records > size)
		return bad_records("too short for the counts of steps and tensors");
	uint32_t tensors = u32_at(records + MODEL_AT_TENSOR_COUNT);
	p->size = p->records;
	p->items = calloc(2 * (size_t)tensors + 1, sizeof *p->items);
	if (!p->items)
		return status_fail(STATUS_NO_MEMORY, "no memory for %u tensors", (unsigned)tensors);
	for (uint32_t i = 0; i < tensors; i++)
		TRY(add_tensor(p, records, i));
	return STATUS_OK;
}

/* Number by number to plane by plane (`to_planes`) or back; a plain copy where there are no planes. */
static void copy_numbers(const struct piece *piece, bool to_planes, const unsigned char *from, unsigned char *to)
{
	size_t width = (size_t)piece->width;
	if (!piece->planes) {
		memcpy(to, from, piece->count * width);
		return;
	}
	for (size_t i = 0; i < piece->count; i++)
		for (size_t b = 0; b < width; b++) {
			size_t number = i * width + b, plane = b * piece->count + i;
			to[to_planes ? plane : number] = from[to_planes ? number : plane];
		}
}

/* --- out ------------------------------------------------------------------ */

static size_t print_piece(char *text, size_t room, const struct piece *piece, size_t offset)
{
	size_t used = (size_t)snprintf(text, room, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[", piece->name, piece->dtype);
	for (int i = 0; i < piece->rank; i++)
		used += (size_t)snprintf(text + used, room - used, "%s%zu", i ? "," : "", piece->dims[i]);
	return used + (size_t)snprintf(text + used, room - used, "],\"data_offsets\":[%zu,%zu]}", offset,
				       offset + piece->count * (size_t)piece->width);
}

/* Wide numbers first, so that all are aligned; the records last. */
static size_t print_header(char *text, size_t room, const struct pieces *p, const unsigned char *content,
			   unsigned char *data)
{
	size_t used = (size_t)snprintf(text, room, "{\"__metadata__\":{\"format\":\"tapcut\"}"), offset = 0;
	for (int width = 4; width; width /= 2)
		for (int i = 0; i < p->count; i++) {
			const struct piece *piece = &p->items[i];
			if (piece->width != width)
				continue;
			used += print_piece(text + used, room - used, piece, offset);
			copy_numbers(piece, false, content + piece->at, data + offset);
			offset += piece->count * (size_t)width;
		}
	struct piece records = {.name = RECORDS, .dtype = "U8", .rank = 1, .width = 1, .dims = {p->records}};
	records.count = p->records;
	used += print_piece(text + used, room - used, &records, offset);
	memcpy(data + offset, content, p->records);
	text[used++] = '}';
	while (used % 8)
		text[used++] = ' ';
	return used;
}

static enum status write_pieces(const struct pieces *p, const unsigned char *content, const char *path)
{
	size_t room = ((size_t)p->count + 2) * HEADER_PER_PIECE;
	char *header = malloc(room);
	unsigned char *data = malloc(p->size), length[LENGTH_BYTES];
	enum status status = STATUS_NO_MEMORY;
	if (header && data) {
		size_t size = print_header(header, room, p, content, data);
		bytes_store(length, size, LENGTH_BYTES);
		status = atomic_file_write(path,
					   (const struct file_part[]){{length, sizeof length},
								      {header, size},
								      {data, p->size}},
					   3);
	} else {
		status_fail(STATUS_NO_MEMORY, "no memory for %zu bytes of tensors", p->size);
	}
	free(header);
	free(data);
	return status;
}

enum status network_safetensors_export(const unsigned char *file, size_t size, const char *path)
{
	unsigned char *content;
	size_t content_size;
	struct pieces p;
	TRY(weights_file_unpack(file, size, &content, &content_size));
	enum status status = list_pieces(content, content_size, &p);
	if (status == STATUS_OK)
		status = write_pieces(&p, content, path);
	free(p.items);
	free(content);
	return status;
}

/* --- and back ------------------------------------------------------------- */

static const struct safetensors_tensor *find(const struct safetensors *file, const char *name)
{
	for (int i = 0; i < file->count; i++)
		if (strcmp(file->tensors[i].name, name) == 0)
			return &file->tensors[i];
	return NULL;
}

bool network_safetensors_is(const struct safetensors *file)
{
	return find(file, RECORDS) != NULL;
}

static enum status collect(const struct safetensors *file, const struct pieces *p, unsigned char *content)
{
	for (int i = 0; i < p->count; i++) {
		const struct piece *piece = &p->items[i];
		const struct safetensors_tensor *tensor = find(file, piece->name);
		if (!tensor)
			return status_fail(STATUS_FORMAT, "tensor %s is missing", piece->name);
		if (strcmp(tensor->dtype, piece->dtype) != 0 || tensor->count != piece->count)
			return status_fail(STATUS_FORMAT, "tensor %s: expected %zu numbers as %s, found %zu as %s",
					   piece->name, piece->count, piece->dtype, tensor->count, tensor->dtype);
		copy_numbers(piece, true, tensor->data, content + piece->at);
	}
	return STATUS_OK;
}

static enum status put_together(const struct safetensors *file, const struct safetensors_tensor *records,
				const struct pieces *p, unsigned char **data, size_t *size)
{
	unsigned char *content = malloc(p->size);
	if (!content)
		return status_fail(STATUS_NO_MEMORY, "no memory for %zu bytes of weights", p->size);
	memcpy(content, records->data, p->records);
	enum status status = collect(file, p, content);
	if (status == STATUS_OK)
		status = weights_file_pack(content, p->records, p->size, data, size);
	free(content);
	return status;
}

enum status network_safetensors_import(const struct safetensors *file, unsigned char **data, size_t *size)
{
	const struct safetensors_tensor *records = find(file, RECORDS);
	struct pieces p;
	if (!records || strcmp(records->dtype, "U8") != 0)
		return bad_records("missing, or not U8");
	enum status status = list_pieces(records->data, records->bytes, &p);
	size_t bytes = 0;
	for (int i = 0; i < file->count; i++)
		bytes += file->tensors[i].bytes;
	if (status == STATUS_OK && (p.records != records->bytes || p.size != bytes))
		status = status_fail(STATUS_FORMAT, "the tensors have %zu bytes, those of " RECORDS " %zu", bytes,
				     p.size);
	if (status == STATUS_OK)
		status = put_together(file, records, &p, data, size);
	free(p.items);
	return status;
}
