/* The weights file as numbers: sizes of its envelope and records, and where in them each field is (../FORMAT.md has the
 * tables). For the reader, and for convert, which writes the file and takes it apart. */
#ifndef INFER_FORMAT_H
#define INFER_FORMAT_H

#include <stddef.h>

#define INFER_FORMAT_MAGIC "\x89TAPCUT\n" /* 8 bytes, the NUL not included */

/* Versions that the reader knows; a writer takes the oldest that has what the file needs. */
enum { INFER_FORMAT_OLDEST = 1, INFER_FORMAT_RANGES = 2, INFER_FORMAT_CLASSES = 4, INFER_FORMAT_NEWEST = 4 };

/* The envelope: offsets in the file; the last checksum is in the last FORMAT_TAIL bytes. */
enum {
	FORMAT_AT_VERSION = 8,
	FORMAT_AT_FLAGS = 12,
	FORMAT_AT_FILE_SIZE = 16,
	FORMAT_AT_CONTENT_SIZE = 20,
	FORMAT_AT_CONTENT_CRC = 24,
	FORMAT_HEAD = 28,
	FORMAT_TAIL = 4,
};
enum { FORMAT_FLAG_ZLIB = 1 };

/* The model record, with which the content begins. */
enum {
	MODEL_AT_ARCHITECTURE = 0,
	MODEL_ARCHITECTURE_BYTES = 64,
	MODEL_AT_WEIGHTS = 64,
	MODEL_AT_CLASSES = 66,
	MODEL_AT_DEFAULT_SIZE = 68,
	MODEL_AT_BGR = 72,
	MODEL_AT_ENCODING = 73,
	MODEL_AT_PREVIOUS_MASK = 74,
	MODEL_AT_RANGES = 75,
	MODEL_AT_MEAN = 76,
	MODEL_AT_SCALE = 88,
	MODEL_AT_RADIUS = 100,
	MODEL_AT_TRUNCATE = 104,
	MODEL_AT_CLICK_SCALE = 108,
	MODEL_AT_STEP_COUNT = 112,
	MODEL_AT_TENSOR_COUNT = 116,
	MODEL_RECORD = 120,
};

enum {
	STEP_AT_OP = 0,
	STEP_AT_RELU = 1,
	STEP_AT_INPUT_COUNT = 2,
	STEP_AT_ZERO = 3,
	STEP_AT_INPUTS = 4,
	STEP_AT_ARGS = 20,
	STEP_AT_NUMBER = 44,
	STEP_AT_TENSORS = 48,
	STEP_RECORD = 56,
};

enum {
	TENSOR_AT_TYPE = 0,
	TENSOR_AT_PLANES = 1,
	TENSOR_AT_AXIS = 2,
	TENSOR_AT_ENTRIES = 3,
	TENSOR_AT_DIMS = 4,
	TENSOR_RECORD = 20,
};

enum {
	RANGE_AT_SCALE = 0,
	RANGE_AT_ZERO = 4,
	RANGE_AT_UNUSED = 5,
	RANGE_RECORD = 8,
};

enum { CLASS_RECORD = 32 };

/* Where the content's parts begin. */
struct infer_format_parts {
	size_t steps, tensors, ranges, classes, data;
};

/* For counts within the reader's limits. ranges, classes: how many such records there are; 0: none. */
static inline struct infer_format_parts infer_format_parts(size_t steps, size_t tensors, size_t ranges, size_t classes)
{
	struct infer_format_parts p = {.steps = MODEL_RECORD};
	p.tensors = p.steps + steps * STEP_RECORD;
	p.ranges = p.tensors + tensors * TENSOR_RECORD;
	p.classes = p.ranges + ranges * RANGE_RECORD;
	p.data = p.classes + classes * CLASS_RECORD;
	return p;
}

#endif
