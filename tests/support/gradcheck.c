/* See gradcheck.h.
 *
 * The scalar that is differentiated is the projection sum r[i] * out[i] with random r, summed in double. */
#include "tests/support/gradcheck.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"

float test_random(unsigned *state)
{
	*state = *state * 1664525u + 1013904223u;
	unsigned bits = *state ^ (*state >> 15);
	bits *= 0x2c1b3c6du;
	bits ^= bits >> 12;
	return (float)(bits >> 8) / 8388608.0f - 1;
}

/* Distinct multiples of 1/16, half a multiple away from 0, in random order. */
static void fill_spread(float *values, size_t count, unsigned seed)
{
	for (size_t i = 0; i < count; i++)
		values[i] = ((float)i - (float)(count / 2) + 0.5f) / 16;
	for (size_t i = count; i > 1; i--) {
		size_t j = (size_t)((test_random(&seed) + 1) / 2 * (float)i) % i;
		float swap = values[i - 1];
		values[i - 1] = values[j];
		values[j] = swap;
	}
}

static float target_value(float r, bool soft)
{
	if (r < -0.8f)
		return TARGET_IGNORE;
	if (soft && r > 0.5f)
		return r;
	return r < 0 ? 0 : 1;
}

void test_fill(float *values, size_t count, enum fill fill, unsigned seed)
{
	if (fill == FILL_SPREAD) {
		fill_spread(values, count, seed);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		float r = test_random(&seed);
		if (fill == FILL_TARGET || fill == FILL_MASK)
			r = target_value(r, fill == FILL_TARGET);
		else if (fill == FILL_POSITIVE)
			r = 1 + r / 2;
		values[i] = r;
	}
}

static void *new_bytes(size_t bytes)
{
	void *memory = malloc(bytes ? bytes : 1);
	ck_assert_ptr_nonnull(memory);
	return memory;
}

static float *new_floats(size_t count)
{
	return new_bytes(count * sizeof(float));
}

static void poison(float *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		values[i] = NAN;
}

static int count_shapes(const struct shape *shapes, int most)
{
	int count = 0;
	while (count < most && shapes[count].n > 0)
		count++;
	return count;
}

void op_run_init(struct op_run *run, const struct op_case *c)
{
	struct op_call *call = &run->call;
	memset(run, 0, sizeof *run);
	call->attr = c->attr;
	call->training = !c->evaluation;
	call->rng = rng_stream(1, 2, 3, RNG_TEST);
	call->input_count = count_shapes(c->in, OP_MAX_INPUTS);
	call->param_count = count_shapes(c->param, OP_MAX_PARAMS);
	enum status status = c->op->shape(c->attr, c->in, call->input_count, c->param, call->param_count, &call->out.shape);
	ck_assert_msg(status == STATUS_OK, "%s: %s", c->op->name, status_message());
	for (int i = 0; i < call->input_count; i++) {
		size_t count = shape_count(c->in[i]);
		call->in[i] = (struct tensor){c->in[i], new_floats(count)};
		test_fill(call->in[i].data, count, c->fill[i], 100u + (unsigned)i);
		for (size_t j = 0; i == 0 && c->gain != 0 && j < count; j++)
			call->in[i].data[j] *= c->gain;
	}
	for (int i = 0; i < call->param_count; i++) {
		size_t count = shape_count(c->param[i]);
		call->param[i] = (struct tensor){c->param[i], new_floats(count)};
		test_fill(call->param[i].data, count, c->param_fill[i], 200u + (unsigned)i);
		call->param_grad[i] = new_floats(count);
		memset(call->param_grad[i], 0, count * sizeof(float));
	}
	call->out.data = new_floats(shape_count(call->out.shape));
	run->saved_bytes = c->op->saved_bytes ? c->op->saved_bytes(call) : 0;
	run->scratch_floats = c->op->scratch_floats ? c->op->scratch_floats(call) : 0;
	call->saved = new_bytes(run->saved_bytes);
	call->scratch = new_floats(run->scratch_floats);
}

void op_run_release(struct op_run *run)
{
	struct op_call *call = &run->call;
	for (int i = 0; i < call->input_count; i++)
		free(call->in[i].data);
	for (int i = 0; i < call->param_count; i++) {
		free(call->param[i].data);
		free(call->param_grad[i]);
	}
	free(call->out.data);
	free(call->saved);
	free(call->scratch);
}

static const struct op *op_of(const struct op_run *run, const struct op *op)
{
	(void)run;
	return op;
}

void assert_close(const float *got, const float *expected, size_t count, double tolerance, const char *what)
{
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(fabs((double)got[i] - (double)expected[i]) <= tolerance * (1 + fabs((double)expected[i])),
			      "%s: element %zu: expected %.9g, found %.9g", what, i, (double)expected[i], (double)got[i]);
}
