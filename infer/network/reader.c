/* Reads a weights file as FORMAT.md describes it. The file comes from anywhere: nothing in it is believed before it is
 * checked, no memory is asked for on the word of a field that the file's own length cannot bear out, and every refusal
 * says what was expected and what was found. What the steps mean is network_check.c's business. */
#include "network.h"
#include "../run/packed.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../tapcut.h"

static const uint8_t magic[8] = {0x89, 'T', 'A', 'P', 'C', 'U', 'T', '\n'};

enum { OLDEST_VERSION = 1, VERSION = 2, FLAG_ZLIB = 1 };
enum {
	ENVELOPE_HEAD = 28,
	ENVELOPE_TAIL = 4,
	MODEL_RECORD = 120,
	STEP_RECORD = 56,
	TENSOR_RECORD = 20,
	RANGE_RECORD = 8
};
enum { MAX_CONTENT = INFER_MAX_TENSOR_FLOATS * 4 + (1 << 20), MAX_DEFLATE_RATIO = 1032 };

/* --- bytes ---------------------------------------------------------------- */

static uint32_t u32_at(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* What does not fit an int becomes -1, which no field that is read with this allows. */
static int count_at(const uint8_t *p)
{
	uint32_t value = u32_at(p);
	return value > INT32_MAX ? -1 : (int)value;
}

static int i32_at(const uint8_t *p)
{
	uint32_t bits = u32_at(p);
	int32_t value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static float float_from_bits(uint32_t bits)
{
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static float f32_at(const uint8_t *p)
{
	return float_from_bits(u32_at(p));
}

/* IEEE 754 binary16, exactly. A subnormal is its 10 bits times 2^-24. */
static float float_from_half(uint32_t half)
{
	uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 0x3ff;
	if (exponent == 31)
		return float_from_bits(sign | 0x7f800000 | fraction << 13);
	if (exponent != 0)
		return float_from_bits(sign | (exponent + 112) << 23 | fraction << 13);
	float value = (float)fraction * 0x1p-24f;
	return sign ? -value : value;
}

/* --- the envelope --------------------------------------------------------- */

struct envelope {
	const uint8_t *payload;
	size_t payload_size, content_size;
	uint32_t content_crc;
	bool compressed;
	int version;
};

static int check_envelope(const uint8_t *file, size_t size, struct envelope *e, char *message)
{
	if (size < ENVELOPE_HEAD + ENVELOPE_TAIL)
		return infer_fail(message, TAPCUT_FORMAT, "not a weights file: %zu bytes, expected at least %d", size,
				  ENVELOPE_HEAD + ENVELOPE_TAIL);
	if (memcmp(file, magic, sizeof magic) != 0)
		return infer_fail(message, TAPCUT_FORMAT, "not a weights file: it does not begin with \\x89TAPCUT\\n");
	uint32_t version = u32_at(file + 8), flags = u32_at(file + 12), file_size = u32_at(file + 16);
	if (version < OLDEST_VERSION || version > VERSION)
		return infer_fail(message, TAPCUT_FORMAT,
				  "weights file of version %u, this library knows versions %d to %d", (unsigned)version,
				  OLDEST_VERSION, VERSION);
	if (flags & ~(uint32_t)FLAG_ZLIB)
		return infer_fail(message, TAPCUT_FORMAT, "unknown flags 0x%x, expected 0 or 1", (unsigned)flags);
	if (file_size != size)
		return infer_fail(message, TAPCUT_FORMAT,
				  "the file says that it has %u bytes, found %zu: cut off or padded",
				  (unsigned)file_size, size);
	uint32_t crc = (uint32_t)crc32_z(crc32_z(0, NULL, 0), file, size - ENVELOPE_TAIL),
		 stored = u32_at(file + size - ENVELOPE_TAIL);
	if (crc != stored)
		return infer_fail(message, TAPCUT_FORMAT,
				  "damaged: the file's checksum is %08x, its content gives %08x", (unsigned)stored,
				  (unsigned)crc);
	e->payload = file + ENVELOPE_HEAD;
	e->payload_size = size - ENVELOPE_HEAD - ENVELOPE_TAIL;
	e->content_size = u32_at(file + 20);
	e->content_crc = u32_at(file + 24);
	e->compressed = flags & FLAG_ZLIB;
	e->version = (int)version;
	return TAPCUT_OK;
}

static int check_content_size(const struct envelope *e, char *message)
{
	if (e->content_size > MAX_CONTENT)
		return infer_fail(message, TAPCUT_LIMIT, "content of %zu bytes, at most %d", e->content_size,
				  MAX_CONTENT);
	if (e->content_size < MODEL_RECORD + STEP_RECORD)
		return infer_fail(message, TAPCUT_FORMAT, "content of %zu bytes, expected at least %d", e->content_size,
				  MODEL_RECORD + STEP_RECORD);
	if (!e->compressed && e->content_size != e->payload_size)
		return infer_fail(message, TAPCUT_FORMAT, "stored payload of %zu bytes, expected the content's %zu",
				  e->payload_size, e->content_size);
	if (e->compressed && e->content_size / MAX_DEFLATE_RATIO > e->payload_size)
		return infer_fail(message, TAPCUT_FORMAT, "%zu bytes of payload cannot unpack to %zu", e->payload_size,
				  e->content_size);
	return TAPCUT_OK;
}

/* The content, in memory of its own; caller frees. */
static int unpack(const struct envelope *e, uint8_t **content, char *message)
{
	int status = check_content_size(e, message);
	if (status)
		return status;
	uint8_t *bytes = malloc(e->content_size);
	if (!bytes)
		return infer_fail(message, TAPCUT_NO_MEMORY, "no memory for %zu bytes of content", e->content_size);
	uLong used = (uLong)e->payload_size;
	uLongf made = (uLongf)e->content_size;
	int code = Z_OK;
	if (e->compressed)
		code = uncompress2(bytes, &made, e->payload, &used);
	else
		memcpy(bytes, e->payload, e->payload_size);
	if (code == Z_MEM_ERROR)
		status = infer_fail(message, TAPCUT_NO_MEMORY, "no memory for unpacking");
	else if (code != Z_OK || made != e->content_size || used != e->payload_size)
		status =
			infer_fail(message, TAPCUT_FORMAT, "damaged: %zu bytes of payload do not unpack to exactly %zu",
				   e->payload_size, e->content_size);
	else if (crc32_z(crc32_z(0, NULL, 0), bytes, made) != e->content_crc)
		status = infer_fail(message, TAPCUT_FORMAT, "damaged: the content does not match its checksum");
	if (status)
		free(bytes);
	else
		*content = bytes;
	return status;
}

/* --- the records ---------------------------------------------------------- */

static int read_architecture(const uint8_t *record, char *architecture, char *message)
{
	size_t length = 0;
	while (length < 64 && record[length] >= 32 && record[length] < 127)
		length++;
	if (length < 1 || length > 63)
		return infer_fail(message, TAPCUT_FORMAT, "architecture must be 1 to 63 printable characters");
	for (size_t i = length; i < 64; i++)
		if (record[i] != 0)
			return infer_fail(message, TAPCUT_FORMAT, "architecture: byte %zu is 0x%02x, expected NUL", i,
					  record[i]);
	memcpy(architecture, record, 64);
	return TAPCUT_OK;
}

static int read_model(const uint8_t *r, int version, struct infer_network *network, char *message)
{
	int status = read_architecture(r, network->architecture, message);
	if (status)
		return status;
	network->weights = count_at(r + 64);
	network->default_size = count_at(r + 68);
	struct infer_preprocess *p = &network->preprocess;
	p->bgr = r[72];
	p->encoding = r[73];
	p->previous_mask = r[74];
	for (int i = 0; i < 3; i++) {
		p->mean[i] = f32_at(r + 76 + 4 * i);
		p->scale[i] = f32_at(r + 88 + 4 * i);
	}
	p->radius = f32_at(r + 100);
	p->truncate = f32_at(r + 104);
	p->click_scale = f32_at(r + 108);
	network->step_count = count_at(r + 112);
	network->tensor_count = count_at(r + 116);
	if (network->weights < INFER_TENSOR_F32 ||
	    network->weights > (version >= 2 ? INFER_TENSOR_CODEBOOK : INFER_TENSOR_INT8))
		return infer_fail(message, TAPCUT_FORMAT, "weights must be 0 to %d, found %u",
				  version >= 2 ? INFER_TENSOR_CODEBOOK : INFER_TENSOR_INT8, (unsigned)u32_at(r + 64));
	if (r[75] > (version >= 2))
		return infer_fail(message, TAPCUT_FORMAT, "model record: byte 75 must be 0%s, found %d",
				  version >= 2 ? " or 1" : "", r[75]);
	if (network->step_count < 1 || network->step_count > INFER_MAX_STEPS)
		return infer_fail(message, TAPCUT_LIMIT, "%u steps, expected 1 to %d", (unsigned)u32_at(r + 112),
				  INFER_MAX_STEPS);
	if (network->tensor_count < 0 || network->tensor_count > INFER_MAX_TENSORS)
		return infer_fail(message, TAPCUT_LIMIT, "%u tensors, expected 0 to %d", (unsigned)u32_at(r + 116),
				  INFER_MAX_TENSORS);
	return TAPCUT_OK;
}

static int read_step(const uint8_t *r, int index, struct infer_step *step, char *message)
{
	step->op = r[0];
	step->relu = r[1];
	step->input_count = r[2];
	if (r[3] != 0)
		return infer_fail(message, TAPCUT_FORMAT, "step %d: byte 3 must be 0, found %d", index, r[3]);
	for (int i = 0; i < INFER_MAX_INPUTS; i++) {
		step->inputs[i] = i32_at(r + 4 + 4 * i);
		if (i >= step->input_count && step->inputs[i] != -1)
			return infer_fail(message, TAPCUT_FORMAT,
					  "step %d: input %d is unused and must be -1, found %d", index, i,
					  step->inputs[i]);
	}
	for (int i = 0; i < INFER_MAX_ARGS; i++)
		step->args[i] = i32_at(r + 20 + 4 * i);
	step->farg = f32_at(r + 44);
	for (int i = 0; i < 2; i++)
		step->tensor[i] = i32_at(r + 48 + 4 * i);
	return TAPCUT_OK;
}

/* A tensor as the file has it. */
struct stored {
	int type, planes, axis;
	size_t count;   /* numbers */
	size_t scales;  /* int8: how many */
	size_t entries; /* codebook: of the table */
	size_t bytes;
};

/* The dimensions are checked here and not only in network_check.c, because memory is asked for by them. */
static int read_tensor(const uint8_t *r, int index, int weights, struct infer_tensor *tensor, struct stored *s,
		       char *message)
{
	s->type = r[0];
	s->planes = r[1];
	s->axis = r[2];
	bool int8 = s->type == INFER_TENSOR_INT8, codebook = s->type == INFER_TENSOR_CODEBOOK;
	if (s->type > weights)
		return infer_fail(message, TAPCUT_FORMAT, "tensor %d: type %d, expected 0 to %d in this file", index,
				  s->type, weights);
	if (s->planes > !(int8 || codebook) || s->axis > int8 || (r[3] != 0 && !codebook))
		return infer_fail(message, TAPCUT_FORMAT,
				  "tensor %d: planes %d, axis %d and entries %d do not go with type %d", index,
				  s->planes, s->axis, r[3], s->type);
	s->count = 1;
	for (int i = 0; i < 4; i++) {
		int dim = count_at(r + 4 + 4 * i), limit = i < 2 ? INFER_MAX_CHANNELS : INFER_MAX_KERNEL;
		if (dim < 1 || dim > limit)
			return infer_fail(message, TAPCUT_FORMAT, "tensor %d: dimension %d is %u, expected 1 to %d",
					  index, i, (unsigned)u32_at(r + 4 + 4 * i), limit);
		if (s->count > (size_t)(INFER_MAX_TENSOR_FLOATS / dim))
			return infer_fail(message, TAPCUT_LIMIT, "tensor %d has more than %d numbers", index,
					  INFER_MAX_TENSOR_FLOATS);
		s->count *= (size_t)dim;
		tensor->dims[i] = dim;
	}
	tensor->type = s->type;
	s->scales = int8 ? (size_t)tensor->dims[s->axis] : 0;
	s->entries = codebook ? r[3] + (size_t)1 : 0;
	if (int8 || codebook)
		s->bytes = 4 * (s->scales + s->entries) + s->count;
	else
		s->bytes = s->count * (s->type == INFER_TENSOR_F16 ? 2 : 4);
	return TAPCUT_OK;
}

static int read_range(const uint8_t *r, int value, struct infer_range *range, char *message)
{
	range->scale = f32_at(r);
	range->zero = r[4];
	if (r[5] != 0 || r[6] != 0 || r[7] != 0)
		return infer_fail(message, TAPCUT_FORMAT, "value %d: bytes 5 to 7 of its range must be 0", value);
	return TAPCUT_OK;
}

/* --- the numbers ---------------------------------------------------------- */

/* Number i of n that have `width` bytes each, in planes or not. */
static uint32_t bits_of(const uint8_t *data, size_t i, size_t n, int width, bool planes)
{
	uint32_t bits = 0;
	for (int b = 0; b < width; b++)
		bits |= (uint32_t)(planes ? data[(size_t)b * n + i] : data[i * (size_t)width + (size_t)b]) << (8 * b);
	return bits;
}

static int decode_floats(const uint8_t *data, const struct stored *s, int index, float *out, char *message)
{
	bool half = s->type == INFER_TENSOR_F16;
	for (size_t i = 0; i < s->count; i++) {
		uint32_t bits = bits_of(data, i, s->count, half ? 2 : 4, s->planes);
		out[i] = half ? float_from_half(bits) : float_from_bits(bits);
		if (!isfinite(out[i]))
			return infer_fail(message, TAPCUT_FORMAT, "tensor %d: number %zu is not finite", index, i);
	}
	return TAPCUT_OK;
}

/* limit: the largest magnitude. */
static int decode_int8(const uint8_t *data, const struct stored *s, const struct infer_tensor *tensor, int index,
		       int limit, char *message)
{
	const int *dims = tensor->dims;
	for (size_t i = 0; i < s->scales; i++) {
		float scale = f32_at(data + 4 * i);
		if (!(scale >= 0) || !isfinite(127 * scale))
			return infer_fail(message, TAPCUT_FORMAT,
					  "tensor %d: scale %zu is %g, expected a finite number not below 0", index, i,
					  (double)scale);
		tensor->scales[i] = scale;
	}
	const uint8_t *bytes = data + 4 * s->scales;
	size_t inner = s->count / (size_t)dims[0] / (s->axis ? (size_t)dims[1] : 1);
	for (size_t i = 0; i < s->count; i++) {
		int value = bytes[i] < 128 ? bytes[i] : bytes[i] - 256;
		if (value < -limit || value > limit)
			return infer_fail(message, TAPCUT_FORMAT, "tensor %d: number %zu is %d, expected %d to %d",
					  index, i, value, -limit, limit);
		tensor->integers[i] = (int8_t)value;
		tensor->data[i] = tensor->scales[i / inner % s->scales] * (float)value;
	}
	return TAPCUT_OK;
}

/* A table of numbers, and for each number of the tensor where in the table it is. */
static int decode_codebook(const uint8_t *data, const struct stored *s, int index, float *out, char *message)
{
	const uint8_t *entries = data + 4 * s->entries;
	for (size_t i = 0; i < s->entries; i++)
		if (!isfinite(f32_at(data + 4 * i)))
			return infer_fail(message, TAPCUT_FORMAT, "tensor %d: entry %zu of its table is not finite",
					  index, i);
	for (size_t i = 0; i < s->count; i++) {
		if (entries[i] >= s->entries)
			return infer_fail(message, TAPCUT_FORMAT, "tensor %d: number %zu is entry %d of a table of %zu",
					  index, i, entries[i], s->entries);
		out[i] = f32_at(data + 4 * (size_t)entries[i]);
	}
	return TAPCUT_OK;
}

static float *floats_new(size_t count)
{
	return aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
}

static bool tensor_alloc(struct infer_tensor *tensor, const struct stored *s)
{
	tensor->data = floats_new(s->count);
	if (s->type != INFER_TENSOR_INT8)
		return tensor->data != NULL;
	tensor->axis = s->axis;
	tensor->integers = malloc(s->count);
	tensor->scales = malloc(s->scales * sizeof *tensor->scales);
	return tensor->data && tensor->integers && tensor->scales;
}

/* The records are read twice, so that nothing need be remembered between: once to see that the data fill the rest of
 * the content exactly, before any memory is asked for, and once to decode. */
static int check_tensor_records(const uint8_t *records, size_t data_size, struct infer_network *network, char *message)
{
	uint64_t bytes = 0, numbers = 0;
	for (int i = 0; i < network->tensor_count; i++) {
		struct stored s;
		int status = read_tensor(records + (size_t)i * TENSOR_RECORD, i, network->weights, &network->tensors[i],
					 &s, message);
		if (status)
			return status;
		bytes += s.bytes;
		numbers += s.count;
	}
	if (bytes != data_size)
		return infer_fail(message, TAPCUT_FORMAT, "the tensors need %llu bytes of data, found %zu",
				  (unsigned long long)bytes, data_size);
	if (numbers > INFER_MAX_TENSOR_FLOATS)
		return infer_fail(message, TAPCUT_LIMIT, "the tensors have %llu numbers, at most %d",
				  (unsigned long long)numbers, INFER_MAX_TENSOR_FLOATS);
	network->parameters = (size_t)numbers;
	return TAPCUT_OK;
}

static int decode_tensors(const uint8_t *records, const uint8_t *data, struct infer_network *network, char *message)
{
	int limit = network->ranges ? INFER_MAX_U8_WEIGHT : INT8_MAX;
	for (int i = 0; i < network->tensor_count; i++) {
		struct infer_tensor *tensor = &network->tensors[i];
		struct stored s;
		int status = read_tensor(records + (size_t)i * TENSOR_RECORD, i, network->weights, tensor, &s, message);
		if (status)
			return status;
		if (!tensor_alloc(tensor, &s))
			return infer_fail(message, TAPCUT_NO_MEMORY, "no memory for tensor %d, %zu numbers", i,
					  s.count);
		if (s.type == INFER_TENSOR_INT8)
			status = decode_int8(data, &s, tensor, i, limit, message);
		else if (s.type == INFER_TENSOR_CODEBOOK)
			status = decode_codebook(data, &s, i, tensor->data, message);
		else
			status = decode_floats(data, &s, i, tensor->data, message);
		if (status)
			return status;
		data += s.bytes;
	}
	return TAPCUT_OK;
}

/* Where the content's parts begin. */
struct parts {
	const uint8_t *steps, *tensors, *ranges, *data;
	size_t value_count; /* that have a range; 0 without ranges */
};

static int find_parts(const uint8_t *content, size_t size, const struct infer_network *network, struct parts *p,
		      char *message)
{
	size_t steps = (size_t)network->step_count, tensors = (size_t)network->tensor_count;
	p->value_count = content[75] ? INFER_FIRST_STEP_VALUE + steps : 0;
	size_t records = MODEL_RECORD + steps * STEP_RECORD + tensors * TENSOR_RECORD + p->value_count * RANGE_RECORD;
	if (records > size)
		return infer_fail(
			message, TAPCUT_FORMAT,
			"%zu steps, %zu tensors and %zu ranges need %zu bytes of records, the content has %zu", steps,
			tensors, p->value_count, records, size);
	p->steps = content + MODEL_RECORD;
	p->tensors = p->steps + steps * STEP_RECORD;
	p->ranges = p->tensors + tensors * TENSOR_RECORD;
	p->data = content + records;
	return TAPCUT_OK;
}

static int allocate(struct infer_network *network, size_t value_count, char *message)
{
	size_t steps = (size_t)network->step_count, tensors = (size_t)network->tensor_count;
	network->steps = calloc(steps, sizeof *network->steps);
	network->tensors = calloc(tensors + 1, sizeof *network->tensors); /* + 1: calloc(0) may give NULL */
	if (value_count)
		network->ranges = calloc(value_count, sizeof *network->ranges);
	if (!network->steps || !network->tensors || (value_count && !network->ranges))
		return infer_fail(message, TAPCUT_NO_MEMORY, "no memory for %zu steps and %zu tensors", steps, tensors);
	return TAPCUT_OK;
}

static int parse_content(const uint8_t *content, size_t size, int version, struct infer_network *network, char *message)
{
	struct parts p = {0};
	int status = read_model(content, version, network, message);
	if (!status)
		status = find_parts(content, size, network, &p, message);
	if (!status)
		status = allocate(network, p.value_count, message);
	for (int i = 0; !status && i < network->step_count; i++)
		status = read_step(p.steps + (size_t)i * STEP_RECORD, i, &network->steps[i], message);
	if (!status)
		status = check_tensor_records(p.tensors, size - (size_t)(p.data - content), network, message);
	for (size_t i = 0; !status && i < p.value_count; i++)
		status = read_range(p.ranges + i * RANGE_RECORD, (int)i, &network->ranges[i], message);
	if (!status)
		status = infer_network_check(network, message);
	if (!status)
		status = decode_tensors(p.tensors, p.data, network, message);
	return status;
}

int infer_network_parse(const void *data, size_t size, struct infer_network *network, char *message)
{
	*network = (struct infer_network){.file_bytes = size};
	struct envelope e = {0};
	uint8_t *content = NULL;
	int status = check_envelope(data, size, &e, message);
	if (!status)
		status = unpack(&e, &content, message);
	if (!status)
		status = parse_content(content, e.content_size, e.version, network, message);
	free(content);
	if (status)
		infer_network_release(network);
	return status;
}

void infer_network_release(struct infer_network *network)
{
	for (int i = 0; network->tensors && i < network->tensor_count; i++) {
		free(network->tensors[i].data);
		free(network->tensors[i].integers);
		free(network->tensors[i].scales);
	}
	infer_network_unpack(network);
	free(network->tensors);
	free(network->ranges);
	free(network->steps);
	*network = (struct infer_network){0};
}
