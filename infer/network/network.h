/* The network as infer sees it: a list of steps over values, and tensors. The weights-file reader (reader.c) makes
 * it, the planner and the kernels run it. Internal to infer; convert borrows the enums for writing.
 *
 * Values: 0 = image planes (3,H,W), 1 = click planes (P,H,W), 2 + i = output of step i. The last step's output is
 * the logits: (1,H,W), or (C,H,W) of a network that labels scenes. One picture at a time (N = 1). */
#ifndef INFER_NETWORK_H
#define INFER_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../image/preprocess.h"
#include "../tapcut.h"

/* The operators that code somewhere does something of its own for; what each one is, and all others, ops.c says.
 * Numbers are part of the file format: never renumber. */
enum infer_op {
	/* tensors: weight (O,I,KH,KW), bias (O) or none; args: kernel_h, kernel_w, stride, padding, dilation */
	INFER_OP_CONV2D = 1,
	INFER_OP_CONV_TRANSPOSE2D = 2, /* tensors: weight (I,O,K,K), bias (O) or none; args: kernel, stride, padding */
	INFER_OP_RELU = 3,
	INFER_OP_LEAKY_RELU = 4, /* farg: slope */
	INFER_OP_SIGMOID = 5,
	INFER_OP_MAX_POOL2D = 6, /* args: kernel, stride, padding, ceil_mode */
	INFER_OP_GLOBAL_AVG_POOL2D = 7,
	INFER_OP_UPSAMPLE_NEAREST = 8,  /* args: factor */
	INFER_OP_UPSAMPLE_BILINEAR = 9, /* args: factor; half-pixel centres */
	INFER_OP_CONCAT = 10,
	INFER_OP_ADD = 11,            /* second input may be (C,1,1) */
	INFER_OP_MUL = 12,            /* second input may be (C,1,1) or (1,H,W) */
	INFER_OP_SCALE = 13,          /* farg: factor */
	INFER_OP_CHANNEL_AFFINE = 14, /* tensors: scale (C), shift (C); a folded batch_norm2d */
	INFER_NAMED_OPS               /* numbers from here on are known by their row in ops.c alone */
};

enum { INFER_MAX_INPUTS = 4, INFER_MAX_ARGS = 6, INFER_FIRST_STEP_VALUE = 2 };
/* Limits that the reader enforces. */
enum { INFER_MAX_STEPS = 1024, INFER_MAX_TENSORS = 2048, INFER_MAX_CHANNELS = 4096 };
enum { INFER_MAX_TENSOR_FLOATS = 192 * 1024 * 1024 }; /* all tensors together: VGG-16 has 134 million */
enum { INFER_MAX_VALUE_FLOATS = 1 << 28 };            /* one step's output */
enum { INFER_MAX_KERNEL = 64 };                       /* also stride, padding, dilation, factor */
enum { INFER_MAX_SIZE = 4096 };                       /* default_size */
enum { INFER_MAX_CLASSES = 256 };
/* Multiply-adds of one run: some seconds. VGG-16 on 640x640 has 1.7e11, the released network on 4096x4096 1.8e11. */
#define INFER_MAX_WORK 4e11

/* How a tensor's numbers are stored. Part of the file format. */
enum infer_tensor_type { INFER_TENSOR_F32, INFER_TENSOR_F16, INFER_TENSOR_INT8, INFER_TENSOR_CODEBOOK };

struct infer_step {
	uint8_t op;   /* enum infer_op */
	uint8_t relu; /* 1: a relu follows, done in the step's epilogue (conv2d, conv_transpose2d, add) */
	uint8_t input_count;
	int inputs[INFER_MAX_INPUTS]; /* values, each made before this step */
	int args[INFER_MAX_ARGS];
	float farg;
	int tensor[2]; /* indices into tensors; -1: none */
};

struct infer_tensor {
	int dims[4]; /* O,I,KH,KW; vectors: C,1,1,1 */
	float *data; /* float32 after decoding f16 or int8; 64-byte aligned, owned by the network */
	int type;    /* enum infer_tensor_type in the file */
	/* INFER_TENSOR_INT8, as stored: data = scales[index along axis] * integers. Owned by the network; NULL with
	 * other types. */
	int8_t *integers;
	float *scales;
	int axis;
};

/* How a value is 8 bits: real = scale (q - zero), q in 0..255. scale 0: this value is never 8 bits
 * (infer_value_kind). */
struct infer_range {
	float scale;
	int zero;
};

/* What a value is in 8-bit arithmetic. */
enum infer_value_kind {
	INFER_VALUE_U8,    /* bytes with a range */
	INFER_VALUE_IMAGE, /* value 0: the photo's bytes, real = (q - mean) * scale as preprocess says */
	INFER_VALUE_FUSED, /* a conv2d's sums, which the one add that reads them takes at once */
	INFER_VALUE_FLOAT, /* the logits, from the conv2d that makes them to the end */
};

/* What numbers a network is run in. */
enum infer_arithmetic { INFER_ARITHMETIC_F32, INFER_ARITHMETIC_U8, INFER_ARITHMETIC_COUNT };

struct infer_packed; /* packed.h */

struct infer_network {
	struct infer_step *steps;
	int step_count;
	struct infer_tensor *tensors;
	int tensor_count;
	/* of every value, INFER_FIRST_STEP_VALUE + step_count; NULL: this network runs in float only */
	struct infer_range *ranges;
	/* What a network that labels scenes knows; 0 and NULL: it selects what is clicked. */
	int class_count;
	char (*class_names)[32];
	struct infer_preprocess preprocess;
	char architecture[64];
	int default_size;
	int weights; /* 0 f32, 1 f16, 2 int8 */
	size_t parameters;
	size_t file_bytes;
	_Atomic(struct infer_packed *) packed[INFER_ARITHMETIC_COUNT]; /* made when first needed (infer_network_pack) */
};

void infer_network_release(struct infer_network *network);

/* Parses and checks a whole weights file: magic, version, every count, size, index and the checksum; each step's
 * inputs, arguments and tensor shapes must fit together so that the planner can trust them. Returns enum
 * tapcut_status; message: 256 bytes. */
enum tapcut_status infer_network_parse(const void *data, size_t size, struct infer_network *network, char *message);

/* The shape of each step's output for an H x W input (multiples of 16): shapes[i] = {C,H,W}. TAPCUT_OK or
 * TAPCUT_FORMAT. Used by the parser's check and by the planner. */
struct infer_shape {
	int c, h, w;
};
enum tapcut_status infer_network_shapes(const struct infer_network *network, int h, int w, struct infer_shape *shapes,
					char *message);

/* What the sides of its input must be multiples of: 16, or 32 where it halves them a fifth time; and its default size,
 * rounded up to one. */
int infer_network_multiple(const struct infer_network *network);
static inline int infer_network_side(const struct infer_network *network)
{
	int multiple = infer_network_multiple(network);
	return (network->default_size + multiple - 1) & -multiple;
}

/* All that FORMAT.md says about a network apart from its bytes: preprocess, operators, inputs, arguments, tensor
 * shapes. The parser's last step; also for networks made in memory. The tensors' numbers are not looked at. */
enum tapcut_status infer_network_check(const struct infer_network *network, char *message);

/* With ranges, a conv2d's int8 weights are at most this: two products with a byte then fit 16 bits, 2 * 255 * 63 <
 * 2^15. */
enum { INFER_MAX_U8_WEIGHT = 63 };
/* What a value is where the network runs in 8 bits. ranges: checked, or made by convert. */
enum infer_value_kind infer_value_kind(const struct infer_network *network, int value);
/* The part of infer_network_check that is about ranges: every step has an 8-bit form and the ranges fit it
 * (FORMAT.md, section 3). The other parts have passed; shapes: the steps' at the default size. */
enum tapcut_status infer_ranges_check(const struct infer_network *network, const struct infer_shape *shapes,
				      char *message);

/* Whether the value is a conv2d's sums that the only step that reads them, an add of equal shapes, can take as they are
 * (INFER_VALUE_FUSED). shapes: as above. */
bool infer_may_be_fused(const struct infer_network *network, int value, const struct infer_shape *shapes);

/* "conv2d" and so on; NULL for a number that is no operator (ops.c). */
const char *infer_op_name(int op);

/* --- execution (run/) ---------------------------------------------------- */

/* Lays out the weights as the kernels want them; does nothing if that is done. Any number of threads may ask at the
 * same time. TAPCUT_OK, or TAPCUT_NO_MEMORY, or TAPCUT_ARGUMENT for arithmetic that the network has no ranges or
 * that there are no kernels for. */
enum tapcut_status infer_network_pack(const struct infer_network *network, int arithmetic, char *message);
size_t infer_network_packed_bytes(const struct infer_network *network); /* of all arithmetic packed so far */

struct infer_run_options {
	int arithmetic; /* enum infer_arithmetic */
	int threads;    /* 0: 1 */
	int isa;        /* enum infer_isa (kernels/kernels.h); -1: the best that this processor has */
	/* values from this size on never exist as a whole (stream.h); 0: what leaves the second-level cache anyway */
	size_t stream_bytes;
	const _Atomic int *cancelled; /* a run ends between its tasks where it is not 0; NULL: none does */
};

/* Memory for one input size: an arena laid out once, values reuse dead ones' place. options NULL: float, one thread.
 * The network must outlive the runner. TAPCUT_OK, or as infer_network_pack and infer_network_shapes, or
 * TAPCUT_LIMIT. */
struct infer_runner;
enum tapcut_status infer_runner_new(const struct infer_network *network, int h, int w,
				    const struct infer_run_options *options, struct infer_runner **runner,
				    char *message);
void infer_runner_free(struct infer_runner *runner);

/* The photo, w x h pixels of 3 bytes (R,G,B) with `stride` bytes from row to row, at the top left of the planes; the
 * rest is the mean colour. */
void infer_runner_set_photo(struct infer_runner *runner, const uint8_t *rgb, int w, int h, size_t stride);

/* Clicks in pixels of the planes, and the previous mask: w x h probabilities at the planes' top left (0 elsewhere)
 * or NULL (all 0). */
void infer_runner_set_clicks(struct infer_runner *runner, const struct infer_click *clicks, int count,
			     const float *previous, int w, int h);

/* Runs all steps, but those that depend on the photo alone only after a new photo. The logits, h x w without gaps, or
 * of classes as infer_runner_output says; borrowed until the next call; NULL where the run was cancelled. Allocates
 * nothing. */
const float *infer_runner_run(struct infer_runner *runner);
size_t infer_runner_bytes(const struct infer_runner *runner);

/* For measurements and calibration: called on the caller's thread before the first task (with step -1 and no map)
 * and after each one, with the step whose result it made and that; a fused step has no task of its own. Tasks that
 * run together count as one, the first (map NULL: its result never exists as a whole); with stream_bytes SIZE_MAX
 * there are none. NULL: not. */
struct infer_map;
typedef void infer_runner_watcher(void *context, int step, const struct infer_map *map);
void infer_runner_watch(struct infer_runner *runner, infer_runner_watcher *watcher, void *context);

/* The logits' map, of which infer_runner_run returns the data: what is between its pixels where there are classes. */
const struct infer_map *infer_runner_output(const struct infer_runner *runner);
/* For tests: the memory of value 0 (the photo then counts as new) or 1, to be filled by hand. */
const struct infer_map *infer_runner_input(struct infer_runner *runner, int value);

#endif
