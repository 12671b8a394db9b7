/* Packing depends on a network and the arithmetic alone: no sizes, no instruction set. It happens when weights are
 * loaded or first run; threads that ask at the same time may each do the work, and the first to be done wins. */
#include "packed.h"

#include <stdbool.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../common/arena.h"
#include "../common/fail.h"
#include "../network/ops.h"

/* --- scales --------------------------------------------------------------- */

void infer_find_fused_scales(const struct infer_network *n, int arithmetic, bool *fused)
{
	for (int i = 0; i < n->step_count; i++)
		fused[i] =
			n->steps[i].op == INFER_OP_SCALE && i < n->step_count - 1 && arithmetic == INFER_ARITHMETIC_F32;
	for (int i = 0; i < n->step_count; i++)
		for (int k = 0; k < n->steps[i].input_count; k++) {
			int value = n->steps[i].inputs[k];
			if (value >= INFER_FIRST_STEP_VALUE && n->steps[i].op != INFER_OP_CONV2D)
				fused[value - INFER_FIRST_STEP_VALUE] = false;
		}
}

int infer_unscaled(const struct infer_network *n, int value, const bool *fused, float *factor)
{
	*factor = 1;
	if (value < INFER_FIRST_STEP_VALUE || !fused[value - INFER_FIRST_STEP_VALUE])
		return value;
	const struct infer_step *scale = &n->steps[value - INFER_FIRST_STEP_VALUE];
	*factor = scale->farg;
	return scale->inputs[0];
}

/* --- kernels -------------------------------------------------------------- */

int infer_value_element(const struct infer_network *n, int arithmetic, int value)
{
	return arithmetic == INFER_ARITHMETIC_F32 || infer_value_kind(n, value) == INFER_VALUE_FLOAT ? INFER_ELEMENT_F32
												     : INFER_ELEMENT_U8;
}

/* --- weights -------------------------------------------------------------- */

struct packing {
	const struct infer_network *network;
	int arithmetic;
	const bool *fused;
};

/* What a kernel's pack gets to see of step i. */
static struct infer_call call_to_pack(const struct packing *p, int i)
{
	const struct infer_step *step = &p->network->steps[i];
	struct infer_call call = {.step = step, .in_scale = 1};
	for (int k = 0; k < 2; k++)
		call.tensor[k] = step->tensor[k] < 0 ? NULL : &p->network->tensors[step->tensor[k]];
	int input = infer_unscaled(p->network, step->inputs[0], p->fused, &call.in_scale);
	call.in[0].element = infer_value_element(p->network, p->arithmetic, input);
	if (call.in[0].element == INFER_ELEMENT_U8) {
		call.in[0].scale = p->network->ranges[input].scale;
		call.in[0].zero = p->network->ranges[input].zero;
	}
	call.image = input == 0 && call.in[0].element == INFER_ELEMENT_U8 ? &p->network->preprocess : NULL;
	return call;
}

/* Sizes with memory NULL, else the work. Bytes in all. */
static size_t pack_steps(const struct packing *p, struct infer_packed *packed, unsigned char *memory)
{
	struct infer_arena arena = {.memory = memory};
	for (int i = 0; i < p->network->step_count; i++) {
		struct infer_call call = call_to_pack(p, i);
		const struct infer_kernel *kernel = infer_kernel_of(call.step, call.in[0].element);
		size_t bytes = kernel->packed_bytes ? kernel->packed_bytes(&call) : 0;
		void *place = infer_arena_take(&arena, bytes);
		if (place && bytes) {
			kernel->pack(&call, place);
			packed->step[i] = place;
		}
	}
	return arena.used;
}

static struct infer_packed *pack(const struct packing *p)
{
	struct infer_packed *packed = calloc(1, sizeof *packed + (size_t)p->network->step_count * sizeof *packed->step);
	if (!packed)
		return NULL;
	packed->bytes = pack_steps(p, packed, NULL) + INFER_ALIGNMENT;
	packed->memory = malloc(packed->bytes);
	if (!packed->memory) {
		free(packed);
		return NULL;
	}
	pack_steps(p, packed, infer_aligned(packed->memory));
	return packed;
}

static void discard(struct infer_packed *packed)
{
	if (packed)
		free(packed->memory);
	free(packed);
}

/* Whether there is a kernel for every step. */
static enum tapcut_status check_kernels(const struct packing *p, char *message)
{
	for (int i = 0; i < p->network->step_count; i++) {
		const struct infer_step *step = &p->network->steps[i];
		int first = infer_value_element(p->network, p->arithmetic, step->inputs[0]);
		for (int k = 0; k < step->input_count; k++) {
			int element = infer_value_element(p->network, p->arithmetic, step->inputs[k]);
			if (element != first || !infer_kernel_of(step, element)->run)
				return infer_fail(message, TAPCUT_ARGUMENT,
						  "step %d (%s) cannot be done in 8-bit arithmetic", i,
						  infer_op_name(step->op));
		}
	}
	return TAPCUT_OK;
}

enum tapcut_status infer_network_pack(const struct infer_network *n, int arithmetic, char *message)
{
	bool fused[INFER_MAX_STEPS];
	struct packing packing = {n, arithmetic, fused};
	struct infer_packed *none = NULL;
	/* The cache is the one thing that a network gains after it was made. */
	_Atomic(struct infer_packed *) *cache = &((struct infer_network *)(uintptr_t)n)->packed[arithmetic];
	if (atomic_load(cache))
		return TAPCUT_OK;
	if (arithmetic == INFER_ARITHMETIC_U8 && !n->ranges)
		return infer_fail(message, TAPCUT_ARGUMENT,
				  "these weights have no value ranges, which 8-bit arithmetic takes");
	infer_find_fused_scales(n, arithmetic, fused);
	enum tapcut_status status = check_kernels(&packing, message);
	if (status)
		return status;
	struct infer_packed *packed = pack(&packing);
	if (!packed)
		return infer_fail(message, TAPCUT_NO_MEMORY, "no memory for the weights");
	if (!atomic_compare_exchange_strong(cache, &none, packed))
		discard(packed);
	return TAPCUT_OK;
}

const struct infer_packed *infer_network_packed(const struct infer_network *n, int arithmetic)
{
	return atomic_load(&n->packed[arithmetic]);
}

size_t infer_network_packed_bytes(const struct infer_network *n)
{
	size_t bytes = 0;
	for (int a = 0; a < INFER_ARITHMETIC_COUNT; a++)
		if (infer_network_packed(n, a))
			bytes += infer_network_packed(n, a)->bytes;
	return bytes;
}

void infer_network_unpack(struct infer_network *n)
{
	for (int a = 0; a < INFER_ARITHMETIC_COUNT; a++)
		discard(atomic_exchange(&n->packed[a], NULL));
}
