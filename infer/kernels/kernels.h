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

/* One step on concrete memory. Inputs and output do not overlap, except that an input of concat may lie at its place in the output. */
struct infer_call {
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
	const struct infer_call *plus; /* another conv2d whose output, of the same shape, is added before relu; NULL: none */
	int relu;
};

struct infer_kernel {
	void (*run)(const struct infer_call *call);
	size_t (*scratch_floats)(const struct infer_call *call); /* shapes, step and plus are set, no data; NULL: none */
};

/* Indexed by enum infer_op. */
extern const struct infer_kernel infer_kernels[INFER_OP_COUNT];

void infer_conv2d(const struct infer_call *call);
size_t infer_conv2d_scratch(const struct infer_call *call);
void infer_conv_transpose2d(const struct infer_call *call);
void infer_max_pool2d(const struct infer_call *call);
size_t infer_max_pool2d_scratch(const struct infer_call *call);
void infer_global_avg_pool2d(const struct infer_call *call);
void infer_upsample_nearest(const struct infer_call *call);
void infer_upsample_bilinear(const struct infer_call *call);
size_t infer_upsample_bilinear_scratch(const struct infer_call *call);
void infer_concat(const struct infer_call *call);
void infer_add(const struct infer_call *call);
void infer_mul(const struct infer_call *call);
void infer_relu(const struct infer_call *call);
void infer_leaky_relu(const struct infer_call *call);
void infer_sigmoid(const struct infer_call *call);
void infer_scale(const struct infer_call *call);
void infer_channel_affine(const struct infer_call *call);

/* out[i] = 1 / (1 + exp(-in[i])); in may be out. Our own exp, in plain single-precision steps: the same bits everywhere. */
void infer_sigmoid_array(const float *in, float *out, size_t count);

#endif
