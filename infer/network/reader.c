/* Reads a weights file as FORMAT.md describes it. The file comes from anywhere: nothing in it is believed before it is
 * checked, no memory is asked for on the word of a field that the file's own length cannot bear out, and every refusal
 * says what was expected and what was found. What the steps mean is check.c's business. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../common/arena.h"
#include "../common/bytes.h"
#include "../common/fail.h"
#include "../run/packed.h"
#include "format.h"
#include "ops.h"

enum { MAX_CONTENT = INFER_MAX_TENSOR_FLOATS * 4 + (1 << 20), MAX_DEFLATE_RATIO = 1032 };

/* --- bytes ---------------------------------------------------------------- */

/* What does not fit an int becomes -1, which no field that is read with this allows. */
static int count_at(const uint8_t *p)
{
	uint32_t value = infer_u32_at(p);
	return value > INT32_MAX ? -1 : (int)value;
}

/* IEEE 754 binary16, exactly. A subnormal is its 10 bits times 2^-24. */
static float float_from_half(uint32_t half)
{
	uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 0x3ff;
	if (exponent == 31)
		return infer_float_of_bits(sign | 0x7f800000 | fraction << 13);
	if (exponent != 0)
		return infer_float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
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

static enum tapcut_status check_envelope(const uint8_t *file, size_t size, struct envelope *e, char *message)
{
	if (size < FORMAT_HEAD + FORMAT_TAIL)
		return infer_fail(message, TAPCUT_FORMAT, "not a weights file: %zu bytes, expected at least %d", size,
				  FORMAT_HEAD + FORMAT_TAIL);
	if (memcmp(file, INFER_FORMAT_MAGIC, 8) != 0)
		return infer_fail(message, TAPCUT_FORMAT, "not a weights file: it does not begin with \\x89TAPCUT\\n");
	uint32_t version = infer_u32_at(file + FORMAT_AT_VERSION), flags = infer_u32_at(file + FORMAT_AT_FLAGS),
		 file_size = infer_u32_at(file + FORMAT_AT_FILE_SIZE);
	if (version < INFER_FORMAT_OLDEST || version > INFER_FORMAT_NEWEST)
		return infer_fail(message, TAPCUT_FORMAT,
				  "weights file of version %u, this library knows versions %d to %d", (unsigned)version,
				  INFER_FORMAT_OLDEST, INFER_FORMAT_NEWEST);
	if (flags & ~(uint32_t)FORMAT_FLAG_ZLIB)
		return infer_fail(message, TAPCUT_FORMAT, "unknown flags 0x%x, expected 0 or 1", (unsigned)flags);
	if (file_size != size)
		return infer_fail(message, TAPCUT_FORMAT,
				  "the file says that it has %u bytes, found %zu: cut off or padded",
				  (unsigned)file_size, size);
	uint32_t crc = (uint32_t)crc32_z(crc32_z(0, NULL, 0), file, size - FORMAT_TAIL),
		 stored = infer_u32_at(file + size - FORMAT_TAIL);
	if (crc != stored)
		return infer_fail(message, TAPCUT_FORMAT,
				  "damaged: the file's checksum is %08x, its content gives %08x", (unsigned)stored,
				  (unsigned)crc);
	e->payload = file + FORMAT_HEAD;
	e->payload_size = size - FORMAT_HEAD - FORMAT_TAIL;
	e->content_size = infer_u32_at(file + FORMAT_AT_CONTENT_SIZE);
	e->content_crc = infer_u32_at(file + FORMAT_AT_CONTENT_CRC);
	e->compressed = flags & FORMAT_FLAG_ZLIB;
	e->version = (int)version;
	return TAPCUT_OK;
}

static enum tapcut_status check_content_size(const struct envelope *e, char *message)
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
static enum tapcut_status unpack(const struct envelope *e, uint8_t **content, char *message)
{
	enum tapcut_status status = check_content_size(e, message);
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

static enum tapcut_status read_architecture(const uint8_t *record, char *architecture, char *message)
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

static enum tapcut_status check_class_count(int count, int version, char *message)
{
	if (version < INFER_FORMAT_CLASSES ? count != 0 : count < 2 || count > INFER_MAX_CLASSES)
		return infer_fail(message, TAPCUT_FORMAT, "%d classes, expected 2 to 256 in version 4, else 0", count);
	return TAPCUT_OK;
}

static enum tapcut_status read_model(const uint8_t *r, int version, struct infer_network *network, char *message)
{
	enum tapcut_status status = read_architecture(r + MODEL_AT_ARCHITECTURE, network->architecture, message);
	if (status)
		return status;
	uint32_t weights = infer_u32_at(r + MODEL_AT_WEIGHTS);
	network->weights = (int)(weights & 0xffff);
	network->class_count = (int)(weights >> 16);
	network->default_size = count_at(r + MODEL_AT_DEFAULT_SIZE);
	struct infer_preprocess *p = &network->preprocess;
	p->bgr = r[MODEL_AT_BGR];
	p->encoding = r[MODEL_AT_ENCODING];
	p->previous_mask = r[MODEL_AT_PREVIOUS_MASK];
	for (int i = 0; i < 3; i++) {
		p->mean[i] = infer_f32_at(r + MODEL_AT_MEAN + 4 * i);
		p->scale[i] = infer_f32_at(r + MODEL_AT_SCALE + 4 * i);
	}
	p->radius = infer_f32_at(r + MODEL_AT_RADIUS);
	p->truncate = infer_f32_at(r + MODEL_AT_TRUNCATE);
	p->click_scale = infer_f32_at(r + MODEL_AT_CLICK_SCALE);
	network->step_count = count_at(r + MODEL_AT_STEP_COUNT);
	network->tensor_count = count_at(r + MODEL_AT_TENSOR_COUNT);
	if (network->weights < INFER_TENSOR_F32 ||
	    network->weights > (version >= INFER_FORMAT_RANGES ? INFER_TENSOR_CODEBOOK : INFER_TENSOR_INT8))
		return infer_fail(message, TAPCUT_FORMAT, "weights must be 0 to %d, found %u",
				  version >= INFER_FORMAT_RANGES ? INFER_TENSOR_CODEBOOK : INFER_TENSOR_INT8,
				  (unsigned)infer_u32_at(r + MODEL_AT_WEIGHTS));
	if (r[MODEL_AT_RANGES] > (version >= INFER_FORMAT_RANGES))
		return infer_fail(message, TAPCUT_FORMAT, "model record: byte 75 must be 0%s, found %d",
				  version >= INFER_FORMAT_RANGES ? " or 1" : "", r[MODEL_AT_RANGES]);
	if (network->step_count < 1 || network->step_count > INFER_MAX_STEPS)
		return infer_fail(message, TAPCUT_LIMIT, "%u steps, expected 1 to %d",
				  (unsigned)infer_u32_at(r + MODEL_AT_STEP_COUNT), INFER_MAX_STEPS);
	if (network->tensor_count < 0 || network->tensor_count > INFER_MAX_TENSORS)
		return infer_fail(message, TAPCUT_LIMIT, "%u tensors, expected 0 to %d",
				  (unsigned)infer_u32_at(r + MODEL_AT_TENSOR_COUNT), INFER_MAX_TENSORS);
	return TAPCUT_OK;
}

static enum tapcut_status read_step(const uint8_t *r, int index, int version, struct infer_step *step, char *message)
{
	step->op = r[STEP_AT_OP];
	step->relu = r[STEP_AT_RELU];
	step->input_count = r[STEP_AT_INPUT_COUNT];
	const struct infer_operator *row = infer_operator(step->op);
	if (row && row->version > version)
		return infer_fail(message, TAPCUT_FORMAT, "step %d: %s came with version %d, the file has version %d",
				  index, row->name, row->version, version);
	if (r[STEP_AT_ZERO] != 0)
		return infer_fail(message, TAPCUT_FORMAT, "step %d: byte 3 must be 0, found %d", index,
				  r[STEP_AT_ZERO]);
	for (int i = 0; i < INFER_MAX_INPUTS; i++) {
		step->inputs[i] = infer_i32_at(r + STEP_AT_INPUTS + 4 * i);
		if (i >= step->input_count && step->inputs[i] != -1)
			return infer_fail(message, TAPCUT_FORMAT,
					  "step %d: input %d is unused and must be -1, found %d", index, i,
					  step->inputs[i]);
	}
	for (int i = 0; i < INFER_MAX_ARGS; i++)
		step->args[i] = infer_i32_at(r + STEP_AT_ARGS + 4 * i);
	step->farg = infer_f32_at(r + STEP_AT_NUMBER);
	for (int i = 0; i < 2; i++)
		step->tensor[i] = infer_i32_at(r + STEP_AT_TENSORS + 4 * i);
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

/* The dimensions are checked here and not only in check.c, because memory is asked for by them. */
static enum tapcut_status read_tensor(const uint8_t *r, int index, int weights, struct infer_tensor *tensor,
				      struct stored *s, char *message)
{
	s->type = r[TENSOR_AT_TYPE];
	s->planes = r[TENSOR_AT_PLANES];
	s->axis = r[TENSOR_AT_AXIS];
	int last_entry = r[TENSOR_AT_ENTRIES];
	bool int8 = s->type == INFER_TENSOR_INT8, codebook = s->type == INFER_TENSOR_CODEBOOK;
	if (s->type > weights)
		return infer_fail(message, TAPCUT_FORMAT, "tensor %d: type %d, expected 0 to %d in this file", index,
				  s->type, weights);
	if (s->planes > !(int8 || codebook) || s->axis > int8 || (last_entry != 0 && !codebook))
		return infer_fail(message, TAPCUT_FORMAT,
				  "tensor %d: planes %d, axis %d and entries %d do not go with type %d", index,
				  s->planes, s->axis, last_entry, s->type);
	s->count = 1;
	for (int i = 0; i < 4; i++) {
		int dim = count_at(r + TENSOR_AT_DIMS + 4 * i), limit = i < 2 ? INFER_MAX_CHANNELS : INFER_MAX_KERNEL;
		if (dim < 1 || dim > limit)
			return infer_fail(message, TAPCUT_FORMAT, "tensor %d: dimension %d is %u, expected 1 to %d",
					  index, i, (unsigned)infer_u32_at(r + TENSOR_AT_DIMS + 4 * i), limit);
		if (s->count > (size_t)(INFER_MAX_TENSOR_FLOATS / dim))
			return infer_fail(message, TAPCUT_LIMIT, "tensor %d has more than %d numbers", index,
					  INFER_MAX_TENSOR_FLOATS);
		s->count *= (size_t)dim;
		tensor->dims[i] = dim;
	}
	tensor->type = s->type;
	s->scales = int8 ? (size_t)tensor->dims[s->axis] : 0;
	s->entries = codebook ? last_entry + (size_t)1 : 0;
	if (int8 || codebook)
		s->bytes = 4 * (s->scales + s->entries) + s->count;
	else
		s->bytes = s->count * (s->type == INFER_TENSOR_F16 ? 2 : 4);
	return TAPCUT_OK;
}

static enum tapcut_status read_range(const uint8_t *r, int value, struct infer_range *range, char *message)
{
	range->scale = infer_f32_at(r + RANGE_AT_SCALE);
	range->zero = r[RANGE_AT_ZERO];
	const uint8_t *unused = r + RANGE_AT_UNUSED;
	if (unused[0] || unused[1] || unused[2])
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

static enum tapcut_status decode_floats(const uint8_t *data, const struct stored *s, int index, float *out,
					char *message)
{
	bool half = s->type == INFER_TENSOR_F16;
	for (size_t i = 0; i < s->count; i++) {
		uint32_t bits = bits_of(data, i, s->count, half ? 2 : 4, s->planes);
		out[i] = half ? float_from_half(bits) : infer_float_of_bits(bits);
		if (!isfinite(out[i]))
			return infer_fail(message, TAPCUT_FORMAT, "tensor %d: number %zu is not finite", index, i);
	}
	return TAPCUT_OK;
}

/* limit: the largest magnitude. */
static enum tapcut_status decode_int8(const uint8_t *data, const struct stored *s, const struct infer_tensor *tensor,
				      int index, int limit, char *message)
{
	const int *dims = tensor->dims;
	for (size_t i = 0; i < s->scales; i++) {
		float scale = infer_f32_at(data + 4 * i);
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
static enum tapcut_status decode_codebook(const uint8_t *data, const struct stored *s, int index, float *out,
					  char *message)
{
	const uint8_t *entries = data + 4 * s->entries;
	for (size_t i = 0; i < s->entries; i++)
		if (!isfinite(infer_f32_at(data + 4 * i)))
			return infer_fail(message, TAPCUT_FORMAT, "tensor %d: entry %zu of its table is not finite",
					  index, i);
	for (size_t i = 0; i < s->count; i++) {
		if (entries[i] >= s->entries)
			return infer_fail(message, TAPCUT_FORMAT, "tensor %d: number %zu is entry %d of a table of %zu",
					  index, i, entries[i], s->entries);
		out[i] = infer_f32_at(data + 4 * (size_t)entries[i]);
	}
	return TAPCUT_OK;
}

static float *floats_new(size_t count)
{
	return aligned_alloc(INFER_ALIGNMENT, infer_round_up(count * sizeof(float), INFER_ALIGNMENT));
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
static enum tapcut_status check_tensor_records(const uint8_t *records, size_t data_size, struct infer_network *network,
					       char *message)
{
	uint64_t bytes = 0, numbers = 0;
	for (int i = 0; i < network->tensor_count; i++) {
		struct stored s;
		enum tapcut_status status = read_tensor(records + (size_t)i * TENSOR_RECORD, i, network->weights,
							&network->tensors[i], &s, message);
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

static enum tapcut_status decode_tensors(const uint8_t *records, const uint8_t *data, struct infer_network *network,
					 char *message)
{
	int limit = network->ranges ? INFER_MAX_U8_WEIGHT : INT8_MAX;
	for (int i = 0; i < network->tensor_count; i++) {
		struct infer_tensor *tensor = &network->tensors[i];
		struct stored s;
		enum tapcut_status status =
			read_tensor(records + (size_t)i * TENSOR_RECORD, i, network->weights, tensor, &s, message);
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
	const uint8_t *steps, *tensors, *ranges, *classes, *data;
	size_t value_count; /* that have a range; 0 without ranges */
};

static enum tapcut_status find_parts(const uint8_t *content, size_t size, const struct infer_network *network,
				     struct parts *p, char *message)
{
	size_t steps = (size_t)network->step_count, tensors = (size_t)network->tensor_count;
	p->value_count = content[MODEL_AT_RANGES] ? INFER_FIRST_STEP_VALUE + steps : 0;
	struct infer_format_parts at = infer_format_parts(steps, tensors, p->value_count, (size_t)network->class_count);
	if (at.data > size)
		return infer_fail(
			message, TAPCUT_FORMAT,
			"%zu steps, %zu tensors and %zu ranges need %zu bytes of records, the content has %zu", steps,
			tensors, p->value_count, at.data, size);
	p->classes = content + at.classes;
	p->steps = content + at.steps;
	p->tensors = content + at.tensors;
	p->ranges = content + at.ranges;
	p->data = content + at.data;
	return TAPCUT_OK;
}

static enum tapcut_status allocate(struct infer_network *network, size_t value_count, char *message)
{
	size_t steps = (size_t)network->step_count, tensors = (size_t)network->tensor_count;
	network->steps = calloc(steps, sizeof *network->steps);
	network->tensors = calloc(tensors + 1, sizeof *network->tensors); /* + 1: calloc(0) may give NULL */
	if (value_count)
		network->ranges = calloc(value_count, sizeof *network->ranges);
	network->class_names = malloc((size_t)network->class_count * sizeof *network->class_names + 1);
	if (!network->steps || !network->tensors || (value_count && !network->ranges) || !network->class_names)
		return infer_fail(message, TAPCUT_NO_MEMORY, "no memory for %zu steps and %zu tensors", steps, tensors);
	return TAPCUT_OK;
}

static enum tapcut_status read_classes(const uint8_t *records, struct infer_network *network, char *message)
{
	for (int i = 0; i < network->class_count; i++) {
		char *name = memcpy(network->class_names[i], records + (size_t)i * CLASS_RECORD, CLASS_RECORD);
		if (!name[0] || name[CLASS_RECORD - 1])
			return infer_fail(message, TAPCUT_FORMAT, "class %d: expected a name of 1 to 31 bytes", i);
	}
	return TAPCUT_OK;
}

static enum tapcut_status parse_content(const uint8_t *content, size_t size, int version, struct infer_network *network,
					char *message)
{
	struct parts p = {0};
	enum tapcut_status status = read_model(content, version, network, message);
	if (!status)
		status = check_class_count(network->class_count, version, message);
	if (!status)
		status = find_parts(content, size, network, &p, message);
	if (!status)
		status = allocate(network, p.value_count, message);
	for (int i = 0; !status && i < network->step_count; i++)
		status = read_step(p.steps + (size_t)i * STEP_RECORD, i, version, &network->steps[i], message);
	if (!status)
		status = check_tensor_records(p.tensors, size - (size_t)(p.data - content), network, message);
	for (size_t i = 0; !status && i < p.value_count; i++)
		status = read_range(p.ranges + i * RANGE_RECORD, (int)i, &network->ranges[i], message);
	if (!status)
		status = read_classes(p.classes, network, message);
	if (!status)
		status = infer_network_check(network, message);
	if (!status)
		status = decode_tensors(p.tensors, p.data, network, message);
	return status;
}

enum tapcut_status infer_network_parse(const void *data, size_t size, struct infer_network *network, char *message)
{
	*network = (struct infer_network){.file_bytes = size};
	struct envelope e = {0};
	uint8_t *content = NULL;
	enum tapcut_status status = check_envelope(data, size, &e, message);
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
	free(network->class_names);
	free(network->steps);
	*network = (struct infer_network){0};
}
