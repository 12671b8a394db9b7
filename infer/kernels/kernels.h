/* The operators of a deployed network, one file each, for values with channels side by side; a file here has its twin
 * of the same name in core/ops, which explains the formula (pointwise.c: each pointwise operator's). Sums run in an
 * order fixed by the shapes alone, with fused multiply-adds written out, so that all processors agree to the last bit,
 * whatever their vector width and the number of threads. (WebAssembly has no fused instruction; it rounds products as
 * well.) */
#ifndef INFER_KERNELS_KERNELS_H
#define INFER_KERNELS_KERNELS_H

#include <stdbool.h>

#include "../common/bytes.h"
#include "../network/network.h"

/* Instruction sets that some kernels are built for. */
enum infer_isa { INFER_ISA_GENERIC, INFER_ISA_AVX2, INFER_ISA_AVX512, INFER_ISA_COUNT };

/* Whether this build and this processor have it. */
bool infer_isa_available(enum infer_isa isa);
enum infer_isa infer_isa_best(void);
const char *infer_isa_name(enum infer_isa isa);

/* What a map's elements are: float, or uint8_t with real = scale (q - zero). */
enum infer_element { INFER_ELEMENT_F32, INFER_ELEMENT_U8 };

static inline size_t infer_element_bytes(int element)
{
	return element == INFER_ELEMENT_F32 ? sizeof(float) : 1;
}

/* A value in memory: channels side by side, pixel after pixel, row after row without a gap: element (c, y, x) is
 * number (y w + x) pitch + c. pitch >= c; what lies between is another value's (concat), or undefined but
 * initialised. Maps of the runner start at multiples of 64 bytes; their pitch is c rounded up to a multiple of 16
 * elements where c > 4, else c (float) or 4 (uint8_t). A map inside a concat has the concat's pitch and starts at
 * one of its channels. */
struct infer_map {
	void *data; /* NULL: no such map */
	int c, h, w;
	size_t pitch;
	int element; /* enum infer_element */
	float scale; /* INFER_ELEMENT_U8 */
	int zero;
	/* not NULL: the photo's bytes, real = (q - image->mean[c]) * image->scale[c] */
	const struct infer_preprocess *image;
};

/* One step on concrete memory, with the neighbouring steps that are done on the way. Inputs and output do not
 * overlap, except that an input of concat may lie at its place in the output. A kernel allocates nothing and keeps
 * nothing. */
struct infer_call {
	const struct infer_step *step;
	const struct infer_tensor *tensor[2]; /* NULL: none */
	const void *packed;                   /* what `pack` made of the tensors */
	const void *constants;                /* what `fill_constants` made for this call */
	struct infer_map in[INFER_MAX_INPUTS];
	struct infer_map out;
	enum infer_isa isa;

	/* conv2d only, apart from relu: */
	/* uint8_t: in[0] is the photo, channel c's real = (q - mean[c]) scale[c]; else NULL */
	const struct infer_preprocess *image;
	float in_scale;          /* inputs are multiplied by it first (`pack` puts it into the weights); 1: not */
	struct infer_map addend; /* of the output's shape, added before relu */
	/* another conv2d whose output, of the same shape, is added before relu; NULL: none */
	const struct infer_call *plus;
	bool relu;
};

/* How one operator is done with one kind of element. All but run may be NULL. */
struct infer_kernel {
	/* Rows first..end-1 of the output; other threads may do other rows at the same time. scratch: scratch_bytes,
	 * 64-byte aligned, of undefined content, for this thread alone. */
	void (*run)(const struct infer_call *call, int first, int end, void *scratch);
	int (*row_step)(const struct infer_call *call); /* first is a multiple of it; NULL: 1 */
	size_t (*scratch_bytes)(const struct infer_call *call);

	/* Weights in the kernel's own layout, which depends on nothing but the step (and, with 8 bits, in[0]'s scale
	 * and zero): made once for a network and shared by its sessions. Of the call, step, tensor, in_scale and
	 * image are set, and in[0]'s element, scale and zero. 64-byte aligned. */
	size_t (*packed_bytes)(const struct infer_call *call);
	void (*pack)(const struct infer_call *call, void *packed);

	/* What can be worked out once for a call, e.g. multipliers of a requantisation: made when a runner is; all
	 * of the call is set but data and constants. 64-byte aligned. */
	size_t (*constant_bytes)(const struct infer_call *call);
	void (*fill_constants)(const struct infer_call *call, void *constants);
};

/* The kernel of a step whose first input is stored as `element` (enum infer_element). Its run is NULL where the
 * operator cannot be done. */
const struct infer_kernel *infer_kernel_of(const struct infer_step *step, int element);

/* The float kernels, one file each. */
#define INFER_DECLARE_KERNEL(name) \
	void infer_##name##_f32(const struct infer_call *call, int first, int end, void *scratch)
INFER_DECLARE_KERNEL(conv2d);
INFER_DECLARE_KERNEL(conv_transpose2d);
INFER_DECLARE_KERNEL(max_pool2d);
INFER_DECLARE_KERNEL(global_avg_pool2d);
INFER_DECLARE_KERNEL(upsample_nearest);
INFER_DECLARE_KERNEL(upsample_bilinear);
INFER_DECLARE_KERNEL(concat);
INFER_DECLARE_KERNEL(add);
INFER_DECLARE_KERNEL(mul);
INFER_DECLARE_KERNEL(pointwise);
/* Whether the step's sums are plain chains, so that a call can add two such conv2ds (infer_call.plus). */
bool infer_conv2d_f32_is_plain(const struct infer_step *conv2d, const struct infer_tensor *weight);
int infer_conv2d_f32_row_step(const struct infer_call *call);
size_t infer_conv2d_f32_scratch(const struct infer_call *call);
size_t infer_conv2d_f32_packed(const struct infer_call *call);
void infer_conv2d_f32_pack(const struct infer_call *call, void *packed);
size_t infer_max_pool2d_f32_scratch(const struct infer_call *call);
size_t infer_global_avg_pool2d_f32_scratch(const struct infer_call *call);
size_t infer_upsample_bilinear_f32_scratch(const struct infer_call *call);

/* Float maps: pixel (0, y), and numbers from one row to the next. */
static inline size_t infer_row_numbers(const struct infer_map *map)
{
	return (size_t)map->w * map->pitch;
}

static inline float *infer_row(const struct infer_map *map, int y)
{
	return (float *)map->data + (size_t)y * infer_row_numbers(map);
}

#endif
