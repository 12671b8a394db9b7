/* The operators of a deployed network, one file each; a file here has its twin of the same name in core/ops, which explains
 * the formula. A kernel is a pure function of its call: it allocates nothing, keeps nothing and runs on the caller's thread.
 *
 * Sums run in an order fixed by the shapes alone: every output of conv2d is one chain of fused multiply-adds that starts at the
 * bias and goes over input channels, kernel rows, kernel columns. Processors with FMA therefore agree to the last bit
 * whatever their vector width; the generic build rounds each product as well, because there is no fused instruction. */
#ifndef INFER_KERNELS_KERNELS_H
#define INFER_KERNELS_KERNELS_H

#include "../network.h"

/* Instruction sets that some kernels are built for. */
enum infer_isa { INFER_ISA_GENERIC, INFER_ISA_AVX2, INFER_ISA_AVX512, INFER_ISA_COUNT };

/* Whether this build and this processor have it. */
int infer_isa_available(enum infer_isa isa);
enum infer_isa infer_isa_best(void);
const char *infer_isa_name(enum infer_isa isa);

/* --- N,H,W,C: what the runner is moving to --------------------------------------------------------------------------- */

/* What a map's elements are: float, or uint8_t with real = scale (q - zero). */
enum infer_element { INFER_ELEMENT_F32, INFER_ELEMENT_U8 };

static inline size_t infer_element_bytes(int element)
{
	return element == INFER_ELEMENT_F32 ? sizeof(float) : 1;
}

/* A value in memory: channels side by side, pixel after pixel, row after row without a gap: element (c, y, x) is number
 * (y w + x) pitch + c. pitch >= c; what lies between is another value's (concat), or undefined but initialised. Maps of the
 * runner start at multiples of 64 bytes and have a pitch of 1 (c = 1), 4 (c = 2 to 4) or a multiple of 16 elements, except that a
 * map inside a concat starts at any channel of it. */
struct infer_map {
	void *data; /* NULL: no such map */
	int c, h, w;
	size_t pitch;
	int element; /* enum infer_element */
	float scale; /* INFER_ELEMENT_U8 */
	int zero;
};

/* One step on concrete memory, with the neighbouring steps that are done on the way. Inputs and output do not overlap, except that an
 * input of concat may lie at its place in the output. A kernel allocates nothing and keeps nothing. */
struct infer_call {
	const struct infer_step *step;
	const struct infer_tensor *tensor[2]; /* NULL: none */
	const void *packed;    /* what `pack` made of the tensors */
	const void *constants; /* what `fill_constants` made for this call */
	struct infer_map in[INFER_MAX_INPUTS];
	struct infer_map out;
	enum infer_isa isa;

	/* conv2d only, apart from relu: */
	float in_scale;          /* inputs are multiplied by it first (`pack` puts it into the weights); 1: not */
	struct infer_map addend; /* of the output's shape, added before relu */
	const struct infer_call *plus; /* another conv2d whose output, of the same shape, is added before relu; NULL: none */
	int relu;
};

/* How one operator is done with one kind of element. All but run may be NULL. */
struct infer_kernel {
	/* Parts first..end-1 of the work; parts may run on any threads at the same time. scratch: scratch_bytes, 64-byte aligned, of
	 * undefined content, for this thread alone. */
	void (*run)(const struct infer_call *call, int first, int end, void *scratch);
	int (*parts)(const struct infer_call *call); /* NULL: one for each row of the output */
	size_t (*scratch_bytes)(const struct infer_call *call);

	/* Weights in the kernel's own layout, which depends on nothing but the step (and, with 8 bits, on in[0]'s and out's scale and
	 * zero): made once when a model is loaded and shared by its sessions. Of the call, step, tensor and in_scale are set, and
	 * scales and zeros. 64-byte aligned. */
	size_t (*packed_bytes)(const struct infer_call *call);
	void (*pack)(const struct infer_call *call, void *packed);

	/* What can be worked out once for a call, e.g. multipliers of a requantisation: made when a runner is; all of the call is set
	 * but data and constants. 64-byte aligned. */
	size_t (*constant_bytes)(const struct infer_call *call);
	void (*fill_constants)(const struct infer_call *call, void *constants);
};

/* Indexed by enum infer_op; run is NULL where an operator cannot be done. */
extern const struct infer_kernel infer_kernels_f32[INFER_OP_COUNT], infer_kernels_u8[INFER_OP_COUNT];

/* --- planes: what the runner still does ------------------------------------------------------------------------------ */

/* One step on concrete memory. Inputs and output do not overlap, except that an input of concat may lie at its place in the output. */
struct infer_planar_call {
	const struct infer_step *step;
	const struct infer_tensor *tensor[2]; /* NULL: none */
	const float *in[INFER_MAX_INPUTS];
	struct infer_shape in_shape[INFER_MAX_INPUTS];
	float *out;
	struct infer_shape out_shape;
	float *scratch; /* as many floats as the kernel's scratch_floats says, undefined content, from malloc */
	enum infer_isa isa;

	/* Neighbouring steps that conv2d does on the way; the bits are those of the separate steps. */
	float in_scale;      /* inputs are multiplied by it first; 1: not */
	const float *addend; /* of the output's shape, added before relu; NULL: none */
	const struct infer_planar_call *plus; /* another conv2d whose output, of the same shape, is added before relu; NULL: none */
	int relu;
};

struct infer_planar_kernel {
	void (*run)(const struct infer_planar_call *call);
	size_t (*scratch_floats)(const struct infer_planar_call *call); /* shapes, step and plus are set, no data; NULL: none */
};

/* Indexed by enum infer_op. */
extern const struct infer_planar_kernel infer_planar_kernels[INFER_OP_COUNT];

void infer_conv2d(const struct infer_planar_call *call);
size_t infer_conv2d_scratch(const struct infer_planar_call *call);
void infer_conv_transpose2d(const struct infer_planar_call *call);
void infer_max_pool2d(const struct infer_planar_call *call);
size_t infer_max_pool2d_scratch(const struct infer_planar_call *call);
void infer_global_avg_pool2d(const struct infer_planar_call *call);
void infer_upsample_nearest(const struct infer_planar_call *call);
void infer_upsample_bilinear(const struct infer_planar_call *call);
size_t infer_upsample_bilinear_scratch(const struct infer_planar_call *call);
void infer_concat(const struct infer_planar_call *call);
void infer_add(const struct infer_planar_call *call);
void infer_mul(const struct infer_planar_call *call);
void infer_relu(const struct infer_planar_call *call);
void infer_leaky_relu(const struct infer_planar_call *call);
void infer_sigmoid(const struct infer_planar_call *call);
void infer_scale(const struct infer_planar_call *call);
void infer_channel_affine(const struct infer_planar_call *call);

/* out[i] = 1 / (1 + exp(-in[i])); in may be out. Our own exp, in plain single-precision steps: the same bits everywhere. */
void infer_sigmoid_array(const float *in, float *out, size_t count);

#endif
