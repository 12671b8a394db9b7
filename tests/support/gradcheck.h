/* Runs one operator from its descriptor alone: random inputs and parameters, forward, backward, and the comparison of
 * backward with central finite differences. It also holds operators to the rules of core/op.h: what backward may read,
 * store and add, no dependence on the old content of any buffer, inputs left alone. Every buffer has exactly the size
 * that the descriptor asks for, so that AddressSanitizer sees a step outside. */
#ifndef TESTS_SUPPORT_GRADCHECK_H
#define TESTS_SUPPORT_GRADCHECK_H

#include "core/op.h"

enum fill {
	FILL_UNIFORM, /* in [-1, 1) */
	FILL_SPREAD,  /* distinct and not near 0 nor each other: for operators with kinks (relu, max_pool2d) */
	FILL_TARGET,  /* a loss's target: 0, 1, values between, and ignored pixels */
	FILL_MASK,    /* a loss's target: 0, 1 and ignored pixels */
	FILL_LABEL,   /* a target of classes: 0, 1, 2 and ignored pixels */
	FILL_POSITIVE /* in [0.5, 1.5) */
};

/* What to run; unset fields are defaults. */
struct op_case {
	const struct op *op;
	const void *attr;
	struct shape in[OP_MAX_INPUTS];
	enum fill fill[OP_MAX_INPUTS];
	float gain; /* inputs[0] times this; 0 means 1 */
	struct shape param[OP_MAX_PARAMS];
	enum fill param_fill[OP_MAX_PARAMS];
	bool param_constant[OP_MAX_PARAMS]; /* a buffer: has no gradient */
	bool evaluation;                    /* call->training = false */
	double step;                        /* of the differences; 0: 2^-6 */
	double tolerance; /* on |difference|, relative to the largest gradient of the same tensor; 0: 2e-3 */
};

/* A call with memory of its own. */
struct op_run {
	const struct op *op;
	struct op_call call;
	size_t saved_bytes, scratch_floats;
	float *prepared;
};

/* Numbers for tests that must not depend on the library under test. */
float test_random(unsigned *state); /* in [-1, 1) */
void test_fill(float *values, size_t count, enum fill fill, unsigned seed);

/* Sets up the call (shape rule, memory, values); fails the running test with the operator's message if the rule
 * refuses. */
void op_run_init(struct op_run *run, const struct op_case *c);
void op_run_forward(struct op_run *run); /* prepares parameters; output, saved data, scratch are NaN before */
void op_run_release(struct op_run *run);

/* Fails the running test where backward is not the derivative of forward, or a rule is broken. */
void gradcheck(const struct op_case *c);

/* Fails the running test unless got[i] is within tolerance * (1 + |expected[i]|) of expected[i]. */
void assert_close(const float *got, const float *expected, size_t count, double tolerance, const char *what);

#endif
