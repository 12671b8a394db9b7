/* Writes infer/FORMAT.md. The sizes are known before the first byte is written, so there is one buffer of the exact
 * size and a cursor; the result is read back by infer's own reader, so that a file that leaves the exporter can be
 * loaded. */
#include "convert/weights_file.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "convert/quantize.h"
#include "core/bytes.h"
#include "infer/network/format.h"
#include "infer/network/ops.h"
#include "infer/tapcut.h"

const char *const export_weights_names[] = {"f32",        "f16",        "int8",        "codebook16",
					    "codebook32", "codebook64", "codebook256", NULL};

enum { ZLIB_LEVEL = 9 };

/* --- bytes, little endian ------------------------------------------------- */

static void put_u8(unsigned char **at, int value)
{
	*(*at)++ = (unsigned char)value;
}

static void put_u32(unsigned char **at, uint32_t value)
{
	bytes_store(*at, value, 4);
	*at += 4;
}

static void put_i32(unsigned char **at, int value)
{
	put_u32(at, (uint32_t)value);
}

static void put_f32(unsigned char **at, float value)
{
	bytes_store_float(*at, value);
	*at += 4;
}

/* --- how a tensor is stored ----------------------------------------------- */

struct encoding {
	enum infer_tensor_type type;
	int axis;
	size_t count, scales, bytes;
	/* Codebook; owned. */
	float table[QUANTIZE_MAX_ENTRIES];
	int entries;
	uint8_t *indices;
};

static size_t tensor_count(const struct infer_tensor *t)
{
	return (size_t)t->dims[0] * (size_t)t->dims[1] * (size_t)t->dims[2] * (size_t)t->dims[3];
}

static int is_vector(const struct infer_tensor *t)
{
	return t->dims[1] == 1 && t->dims[2] == 1 && t->dims[3] == 1;
}

/* The axis of the output channels: second in a transposed convolution's weight, else first. */
static int channel_axis(const struct infer_network *network, int tensor)
{
	for (int i = 0; i < network->step_count; i++)
		if (network->steps[i].op == INFER_OP_CONV_TRANSPOSE2D && network->steps[i].tensor[0] == tensor)
			return 1;
	return 0;
}

static int codebook_entries(enum export_weights weights)
{
	static const int entries[] = {[EXPORT_CODEBOOK16] = 16,
				      [EXPORT_CODEBOOK32] = 32,
				      [EXPORT_CODEBOOK64] = 64,
				      [EXPORT_CODEBOOK256] = 256};
	return entries[weights];
}

static enum status encode_codebook(const struct infer_tensor *t, int entries, struct encoding *encoding)
{
	encoding->type = INFER_TENSOR_CODEBOOK;
	encoding->indices = malloc(encoding->count);
	encoding->entries = encoding->indices ? quantize_codebook(t->data, encoding->count, entries, encoding->table,
								  encoding->indices)
					      : 0;
	encoding->bytes = 4 * (size_t)encoding->entries + encoding->count;
	return encoding->entries ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "no memory for a table of weights");
}

static enum status choose_encoding(const struct infer_network *network, int index, enum export_weights weights,
				   struct encoding *encoding)
{
	const struct infer_tensor *t = &network->tensors[index];
	*encoding = (struct encoding){.type = INFER_TENSOR_F32, .count = tensor_count(t)};
	float largest = 0;
	for (size_t i = 0; i < encoding->count; i++) {
		if (!isfinite(t->data[i]))
			return status_fail(STATUS_FORMAT, "tensor %d: number %zu is %g, expected finite weights", index,
					   i, (double)t->data[i]);
		largest = fmaxf(largest, fabsf(t->data[i]));
	}
	if (weights == EXPORT_INT8 && !is_vector(t))
		encoding->type = INFER_TENSOR_INT8;
	else if (weights != EXPORT_F32 && largest <= 65504)
		encoding->type = INFER_TENSOR_F16;
	encoding->bytes = encoding->count * (encoding->type == INFER_TENSOR_F16 ? 2 : 4);
	if (!is_vector(t) && codebook_entries(weights))
		return encode_codebook(t, codebook_entries(weights), encoding);
	if (encoding->type == INFER_TENSOR_INT8) {
		encoding->axis = t->integers ? t->axis : channel_axis(network, index);
		encoding->scales = (size_t)t->dims[encoding->axis];
		encoding->bytes = 4 * encoding->scales + encoding->count;
	}
	return STATUS_OK;
}

/* --- the content ---------------------------------------------------------- */

static void put_model(unsigned char **at, const struct infer_network *network, enum export_weights weights)
{
	const struct infer_preprocess *p = &network->preprocess;
	char architecture[64] = {0};
	memcpy(architecture, network->architecture, strnlen(network->architecture, sizeof architecture - 1));
	memcpy(*at, architecture, sizeof architecture);
	*at += sizeof architecture;
	int type = codebook_entries(weights) ? INFER_TENSOR_CODEBOOK : (int)weights;
	put_i32(at, type | network->class_count << 16);
	put_i32(at, network->default_size);
	put_u8(at, p->bgr);
	put_u8(at, p->encoding);
	put_u8(at, p->previous_mask);
	put_u8(at, network->ranges != NULL);
	for (int i = 0; i < 3; i++)
		put_f32(at, p->mean[i]);
	for (int i = 0; i < 3; i++)
		put_f32(at, p->scale[i]);
	put_f32(at, p->radius);
	put_f32(at, p->truncate);
	put_f32(at, p->click_scale);
	put_i32(at, network->step_count);
	put_i32(at, network->tensor_count);
}

static void put_step(unsigned char **at, const struct infer_step *step)
{
	put_u8(at, step->op);
	put_u8(at, step->relu);
	put_u8(at, step->input_count);
	put_u8(at, 0);
	for (int i = 0; i < INFER_MAX_INPUTS; i++)
		put_i32(at, i < step->input_count ? step->inputs[i] : -1);
	for (int i = 0; i < INFER_MAX_ARGS; i++)
		put_i32(at, step->args[i]);
	put_f32(at, step->farg);
	put_i32(at, step->tensor[0]);
	put_i32(at, step->tensor[1]);
}

static void put_tensor_record(unsigned char **at, const struct infer_tensor *t, const struct encoding *encoding)
{
	put_u8(at, (int)encoding->type);
	put_u8(at, encoding->type < INFER_TENSOR_INT8);
	put_u8(at, encoding->axis);
	put_u8(at, encoding->entries ? encoding->entries - 1 : 0);
	for (int i = 0; i < 4; i++)
		put_i32(at, t->dims[i]);
}

static void put_range(unsigned char **at, const struct infer_range *range)
{
	put_f32(at, range->scale);
	put_u32(at, (uint32_t)range->zero);
}

/* Byte plane by byte plane: the lowest byte of all numbers first. */
static void put_planes(unsigned char **at, const struct infer_tensor *t, const struct encoding *encoding)
{
	int width = encoding->type == INFER_TENSOR_F16 ? 2 : 4;
	for (size_t i = 0; i < encoding->count; i++) {
		uint32_t bits;
		memcpy(&bits, &t->data[i], sizeof bits);
		if (width == 2)
			bits = half_from_float(t->data[i]);
		for (int b = 0; b < width; b++)
			(*at)[(size_t)b * encoding->count + i] = (unsigned char)(bits >> (8 * b));
	}
	*at += encoding->bytes;
}

static void put_codebook(unsigned char **at, const struct encoding *encoding)
{
	for (int i = 0; i < encoding->entries; i++)
		put_f32(at, encoding->table[i]);
	memcpy(*at, encoding->indices, encoding->count);
	*at += encoding->count;
}

/* As it is where it has integers already, else rounded to at most `largest`. */
static enum status put_int8(unsigned char **at, const struct infer_tensor *t, const struct encoding *encoding,
			    int largest)
{
	int8_t *integers = (int8_t *)*at + 4 * encoding->scales;
	float *scales = malloc(encoding->scales * sizeof *scales);
	if (!scales)
		return status_fail(STATUS_NO_MEMORY, "no memory for %zu scales", encoding->scales);
	size_t outer = encoding->axis ? (size_t)t->dims[0] : 1;
	if (t->integers) {
		memcpy(scales, t->scales, encoding->scales * sizeof *scales);
		memcpy(integers, t->integers, encoding->count);
	} else {
		quantize_int8(t->data, outer, encoding->scales, encoding->count / encoding->scales / outer, largest,
			      scales, integers);
	}
	for (size_t i = 0; i < encoding->scales; i++)
		put_f32(at, scales[i]);
	*at += encoding->count;
	free(scales);
	return STATUS_OK;
}

static enum status put_content(unsigned char *at, const struct infer_network *network, enum export_weights weights,
			       const struct encoding *encodings)
{
	put_model(&at, network, weights);
	for (int i = 0; i < network->step_count; i++)
		put_step(&at, &network->steps[i]);
	for (int i = 0; i < network->tensor_count; i++)
		put_tensor_record(&at, &network->tensors[i], &encodings[i]);
	for (int v = 0; network->ranges && v < INFER_FIRST_STEP_VALUE + network->step_count; v++)
		put_range(&at, &network->ranges[v]);
	size_t classes = (size_t)network->class_count * CLASS_RECORD;
	if (classes)
		memcpy(at, network->class_names, classes);
	at += classes;
	int largest = network->ranges ? INFER_MAX_U8_WEIGHT : INT8_MAX;
	for (int i = 0; i < network->tensor_count; i++) {
		if (encodings[i].type == INFER_TENSOR_INT8)
			TRY(put_int8(&at, &network->tensors[i], &encodings[i], largest));
		else if (encodings[i].type == INFER_TENSOR_CODEBOOK)
			put_codebook(&at, &encodings[i]);
		else
			put_planes(&at, &network->tensors[i], &encodings[i]);
	}
	return STATUS_OK;
}

/* --- the envelope --------------------------------------------------------- */

/* Feeds one part of the content; the output has room for everything. */
static int deflate_part(z_stream *stream, const unsigned char *part, size_t size, int flush)
{
	stream->next_in = (unsigned char *)part;
	stream->avail_in = (uInt)size;
	return deflate(stream, flush);
}

/* Records repeat themselves and take deflate's search for matches; weights do not, and are best and fastest coded by
 * the frequency of their bytes alone (measured on the ImageNet trunk: Z_RLE is 0.1 to 1 % smaller than the default
 * strategy, 5 to 20 times as fast). On success *packed is what was used of `room`. */
static enum status pack(unsigned char *out, size_t room, const unsigned char *content, size_t records, size_t size,
			size_t *packed)
{
	z_stream stream = {.next_out = out, .avail_out = (uInt)room};
	if (deflateInit2(&stream, ZLIB_LEVEL, Z_DEFLATED, MAX_WBITS, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return status_fail(STATUS_NO_MEMORY, "no memory for packing %zu bytes", size);
	bool done = deflate_part(&stream, content, records, Z_NO_FLUSH) == Z_OK &&
		    deflateParams(&stream, ZLIB_LEVEL, Z_RLE) == Z_OK &&
		    deflate_part(&stream, content + records, size - records, Z_FINISH) == Z_STREAM_END;
	*packed = room - stream.avail_out;
	deflateEnd(&stream);
	return done ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "zlib could not pack %zu bytes", size);
}

static void put_envelope(unsigned char *file, size_t size, int version, int flags, const unsigned char *content,
			 size_t content_size)
{
	unsigned char *at = file;
	memcpy(at, INFER_FORMAT_MAGIC, FORMAT_AT_VERSION);
	at += FORMAT_AT_VERSION;
	put_i32(&at, version);
	put_i32(&at, flags);
	put_u32(&at, (uint32_t)size);
	put_u32(&at, (uint32_t)content_size);
	put_u32(&at, (uint32_t)crc32_z(0, content, content_size));
	at = file + size - FORMAT_TAIL;
	put_u32(&at, (uint32_t)crc32_z(0, file, size - FORMAT_TAIL));
}

/* The file; its first `records` bytes are records, the rest numbers. */
static enum status put_file(int version, const unsigned char *content, size_t records, size_t content_size,
			    unsigned char **data, size_t *size)
{
	size_t room = compressBound((uLong)content_size) + 64, packed = 0; /* 64: the change of strategy */
	unsigned char *file = malloc(FORMAT_HEAD + room + FORMAT_TAIL);
	if (!file)
		return status_fail(STATUS_NO_MEMORY, "no memory for a weights file of %zu bytes", content_size);
	enum status status = pack(file + FORMAT_HEAD, room, content, records, content_size, &packed);
	if (status != STATUS_OK) {
		free(file);
		return status;
	}
	bool smaller = packed < content_size;
	if (!smaller) {
		memcpy(file + FORMAT_HEAD, content, content_size);
		packed = content_size;
	}
	*size = FORMAT_HEAD + packed + FORMAT_TAIL;
	put_envelope(file, *size, version, smaller ? FORMAT_FLAG_ZLIB : 0, content, content_size);
	*data = file;
	return STATUS_OK;
}

/* Whoever wrote it must be able to read it. */
static enum status read_back(const unsigned char *data, size_t size)
{
	struct infer_network network;
	char message[TAPCUT_MESSAGE_SIZE];
	if (infer_network_parse(data, size, &network, message) != TAPCUT_OK)
		return status_fail(STATUS_FORMAT, "the network does not load: %s", message);
	infer_network_release(&network);
	return STATUS_OK;
}

/* The oldest version that has all that the content has. */
static int version_of(const unsigned char *content)
{
	bool ranges = content[MODEL_AT_RANGES] || content[MODEL_AT_WEIGHTS] == INFER_TENSOR_CODEBOOK;
	int version = ranges ? INFER_FORMAT_RANGES : INFER_FORMAT_OLDEST;
	uint64_t steps = bytes_load(content + MODEL_AT_STEP_COUNT, 4);
	for (uint64_t i = 0; i < steps; i++) {
		const struct infer_operator *row =
			infer_operator(content[infer_format_parts(i, 0, 0, 0).tensors + STEP_AT_OP]);
		if (row && row->version > version)
			version = row->version;
	}
	return bytes_load(content + MODEL_AT_CLASSES, 2) ? INFER_FORMAT_CLASSES : version;
}

enum status weights_file_pack(const unsigned char *content, size_t records, size_t content_size, unsigned char **data,
			      size_t *size)
{
	TRY(put_file(version_of(content), content, records, content_size, data, size));
	enum status status = read_back(*data, *size);
	if (status != STATUS_OK) {
		free(*data);
		*data = NULL;
	}
	return status;
}

enum status weights_file_unpack(const unsigned char *file, size_t size, unsigned char **content, size_t *content_size)
{
	TRY(read_back(file, size)); /* all fields are sound */
	uLongf made = bytes_load(file + FORMAT_AT_CONTENT_SIZE, 4);
	uLong used = (uLong)(size - FORMAT_HEAD - FORMAT_TAIL);
	*content = malloc(made);
	if (!*content)
		return status_fail(STATUS_NO_MEMORY, "no memory for %zu bytes of content", (size_t)made);
	if (!(file[FORMAT_AT_FLAGS] & FORMAT_FLAG_ZLIB)) {
		memcpy(*content, file + FORMAT_HEAD, made);
	} else if (uncompress2(*content, &made, file + FORMAT_HEAD, &used) != Z_OK) {
		free(*content);
		return status_fail(STATUS_NO_MEMORY, "no memory for unpacking");
	}
	*content_size = (size_t)made;
	return STATUS_OK;
}

static enum status write_planned(const struct infer_network *network, enum export_weights weights,
				 const struct encoding *encodings, size_t records, size_t content_size,
				 unsigned char **data, size_t *size)
{
	unsigned char *content = malloc(content_size);
	if (!content)
		return status_fail(STATUS_NO_MEMORY, "no memory for %zu bytes of weights", content_size);
	enum status status = put_content(content, network, weights, encodings);
	if (status == STATUS_OK)
		status = weights_file_pack(content, records, content_size, data, size);
	free(content);
	return status;
}

enum status weights_file_write(const struct infer_network *network, enum export_weights weights, unsigned char **data,
			       size_t *size)
{
	/* Before sizes are computed from what is in it. */
	char message[TAPCUT_MESSAGE_SIZE];
	if (infer_network_check(network, message) != TAPCUT_OK)
		return status_fail(STATUS_FORMAT, "the network cannot be exported: %s", message);
	struct encoding *encodings = calloc((size_t)network->tensor_count + 1, sizeof *encodings);
	if (!encodings)
		return status_fail(STATUS_NO_MEMORY, "no memory for %d tensors", network->tensor_count);
	size_t ranges = network->ranges ? INFER_FIRST_STEP_VALUE + (size_t)network->step_count : 0;
	size_t records = infer_format_parts((size_t)network->step_count, (size_t)network->tensor_count, ranges,
					    (size_t)network->class_count)
				 .data;
	size_t content_size = records;
	enum status status = STATUS_OK;
	for (int i = 0; i < network->tensor_count && status == STATUS_OK; i++) {
		status = choose_encoding(network, i, weights, &encodings[i]);
		content_size += encodings[i].bytes;
	}
	if (status == STATUS_OK)
		status = write_planned(network, weights, encodings, records, content_size, data, size);
	for (int i = 0; i < network->tensor_count; i++)
		free(encodings[i].indices);
	free(encodings);
	return status;
}
