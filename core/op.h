/* What an operator is. One file under core/ops/ holds one operator: formula, attributes, shape rule, forward,
 * backward and its descriptor; one line in core/ops/op_list.h admits it. Everything else (gradient check, graph
 * printing, planner, export) reads the descriptor and never switches over operators.
 *
 * Rules for forward and backward:
 * - They are pure functions of the call: no allocation, no globals, no threads. One call runs on one thread.
 * - Sums run in an order fixed by the shapes alone.
 * - backward adds to param_grad (+=). For input i it stores to in_grad[i] when in_grad_add[i] is false and adds when
 *   it is true; in_grad[i] == NULL means that nobody wants it. */
#ifndef CORE_OP_H
#define CORE_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/rng.h"
#include "core/status.h"
#include "core/tensor.h"

enum { OP_MAX_INPUTS = 4, OP_MAX_PARAMS = 4, OP_MAX_ATTR_BYTES = 64 };

/* The value of a target pixel that takes no part in the loss (losses read targets in [0,1]). */
#define TARGET_IGNORE (-1.0f)

struct op_call {
	const void *attr; /* the operator's own struct, e.g. struct conv2d_attr; NULL if it has none */
	int input_count;
	int param_count;
	struct tensor in[OP_MAX_INPUTS];
	struct tensor param[OP_MAX_PARAMS];
	struct tensor out;
	int out_pitch;         /* floats from one pixel of out and of out_grad to the next: out.shape.c, or more where a
				  node with OP_PITCHED_OUTPUT writes straight into a concat's output */
	const float *prepared; /* prepared_floats(): what prepare made of the parameters; read only */
	void *saved;           /* saved_bytes(): written by forward, read by backward of the same step */
	float *scratch;        /* scratch_floats(): undefined content, valid during this call only */
	bool training;         /* dropout and batch_norm2d behave differently */
	struct rng rng;        /* this node's own stream (dropout) */

	/* backward only */
	float *out_grad; /* nobody reads it afterwards: backward may overwrite it */
	float *in_grad[OP_MAX_INPUTS];
	bool in_grad_add[OP_MAX_INPUTS];
	float *param_grad[OP_MAX_PARAMS]; /* PARAM_BUFFER: forward in training mode stores the batch statistic here */
};

/* What an operator does with its memory; the planner reads it. */
enum {
	/* What backward reads besides gradients and parameters: how long activations live. */
	OP_BACKWARD_READS_INPUT = 1 << 0,
	OP_BACKWARD_READS_INPUT0 = 1 << 1, /* in[0] and no other */
	OP_BACKWARD_READS_OUTPUT = 1 << 2,
	/* out may be that input, and its in_grad may be out_grad; backward never reads that input. */
	OP_IN_PLACE = 1 << 3,   /* in[0] */
	OP_IN_PLACE_1 = 1 << 4, /* in[1], if it is there */
	OP_LOSS = 1 << 5,       /* output is a scalar; in[1] is the target and gets no gradient */
	/* A concat's output is made in place by those who can: a pitched output may be a range of channels of the
	 * output of its only reader, which then finds in[i].data at its place inside out.data, in_grad[i] inside
	 * out_grad, and has nothing to copy for it. */
	OP_PITCHED_OUTPUT = 1 << 6,   /* honours out_pitch; for all others it is out.shape.c */
	OP_CONCAT = 1 << 7,           /* out is the channels of in[0], in[1] ... side by side */
	OP_KEEPS_RANGE = 1 << 8,      /* as bytes, out has the range of in[0] (core/quantize.h) */
	OP_TRAINING_DIFFERS = 1 << 9, /* training, or the random stream, changes what forward computes */
};

struct op {
	const char *name;
	int min_inputs, max_inputs;
	int min_params, max_params;
	unsigned flags;
	size_t attr_bytes;

	/* Optional: flags that depend on the attributes, instead of `flags`. Ask op_flags(). */
	unsigned (*flags_of)(const void *attr);

	/* The output's shape, after checking attributes, inputs and parameter shapes; a failure names the operator,
	 * what was expected and what was found. */
	enum status (*shape)(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			     int param_count, struct shape *out);
	void (*forward)(struct op_call *call);
	void (*backward)(struct op_call *call);

	/* Optional; NULL means none. Filled-in call shapes, no data. */
	size_t (*saved_bytes)(const struct op_call *call);
	size_t (*scratch_floats)(const struct op_call *call); /* the larger of forward's and backward's need */

	/* Optional: what forward and backward want to have done to the parameters once per step, for all slots (weights
	 * packed for the matrix kernels). prepare reads call->param and writes `prepared`; any thread may run it. */
	size_t (*prepared_floats)(const struct op_call *call);
	void (*prepare)(const struct op_call *call, float *prepared);

	/* Multiply-adds of forward (backward counts as two of them); NULL means negligible. */
	double (*macs)(const struct op_call *call);

	/* Optional: writes the attributes as text for graph printing, e.g. "3x3 stride 2 pad 1". */
	void (*describe)(const void *attr, char *text, size_t size);
};

static inline unsigned op_flags(const struct op *op, const void *attr)
{
	return op->flags_of ? op->flags_of(attr) : op->flags;
}

/* Whether backward reads in[input].data. */
static inline bool op_backward_reads(unsigned flags, int input)
{
	return (flags & OP_BACKWARD_READS_INPUT) || (input == 0 && (flags & OP_BACKWARD_READS_INPUT0));
}

#endif
