/* The operators of the deployed network. One row of ops.c says all that the rest of infer, convert and the tools know
 * about an operator: what a step of it must look like (check.c), which rows of its input it needs (run/stream.c), how
 * it is done on bytes (ranges.c, kernels/pointwise.c), how much work it is (run/tasks.c), what its arguments are called
 * (tapcut inspect). Nobody else lists operators; a place that names one operator does something for it alone.
 *
 * How to add one: ../../docs/adding.md. */
#ifndef INFER_OPS_H
#define INFER_OPS_H

#include <stdbool.h>

#include "network.h"

/* Rows first..end-1 of a value. */
struct infer_rows {
	int first, end;
};

/* One step under examination. */
struct infer_step_check {
	const struct infer_network *network;
	const struct infer_step *step;
	int index; /* of the step */
	struct infer_shape in[INFER_MAX_INPUTS];
	char *message; /* as in common/fail.h */
};

/* TAPCUT_FORMAT, with "step 3 (conv2d): " before the sentence. */
enum tapcut_status infer_fail_step(const struct infer_step_check *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What a pointwise operator knows besides x. */
struct infer_pointwise {
	float number;               /* the step's */
	const float *scale, *shift; /* of the channel of x, and behind it of the next channels; NULL: no tensors */
};

/* out[i] = f(in[i]) for `count` numbers; the two do not overlap. Where the operator has tensors, number i is of channel
 * i. Plain single-precision steps without libm: the same bits everywhere, and a loop that the compiler can vectorise.
 * The same function makes floats of floats and, asked for all 256 bytes, the table that makes bytes of bytes. */
typedef void infer_pointwise_function(const struct infer_pointwise *p, const float *in, float *out, size_t count);

struct infer_operator {
	char name[20];
	/* The arguments, one letter each: k kernel, s stride, d dilation, f factor: from 1; p padding: from 0; b: 0 or
	 * 1. No argument is above INFER_MAX_KERNEL. */
	char args[INFER_MAX_ARGS + 1];
	uint8_t min_inputs, max_inputs;
	uint8_t min_tensors, max_tensors;
	uint8_t version;       /* of the file format (FORMAT.md) that it came with */
	bool relu;             /* a step may end with a relu of its own */
	bool number;           /* a step has a number: infer_step.farg */
	bool keeps_range;      /* as bytes its output has the range of its input */
	bool no_bytes;         /* there is no 8-bit form */
	const char *arg_names; /* "kernel stride padding": what the letters stand for; NULL: no arguments */

	/* Pointwise operators have this function and, besides the name and what a step has, need nothing else. */
	infer_pointwise_function *f;

	/* The output's shape, or a refusal of what its inputs and tensors are; NULL: the shape of input 0. The step's
	 * counts and arguments have been checked. */
	enum tapcut_status (*shape)(const struct infer_step_check *c, struct infer_shape *out);

	/* Rows of an input of `height` rows that rows `out` of the output are made of; false: all of them. NULL: the
	 * same rows for pointwise operators, all of them for others. */
	bool (*rows)(const struct infer_step *step, struct infer_rows out, int height, struct infer_rows *in);

	/* Products that are summed for each number of the output, on average; NULL: negligible. */
	double (*products)(const struct infer_network *network, const struct infer_step *step);
};

/* The row of an operator's number; NULL for a number that is no operator. */
const struct infer_operator *infer_operator(int op);

/* Numbers are 1 to this. */
int infer_op_last(void);

/* What the row's functions say, defaults included. */
bool infer_step_rows(const struct infer_step *step, struct infer_rows out, int height, struct infer_rows *in);
double infer_step_products(const struct infer_network *network, const struct infer_step *step);

#endif
