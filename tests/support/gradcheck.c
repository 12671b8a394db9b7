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
		else if (fill == FILL_LABEL)
			r = r < -0.8f ? TARGET_IGNORE : (float)(int)(1.5f * (r + 1));
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
	run->op = c->op;
	call->attr = c->attr;
	call->training = !c->evaluation;
	call->rng = rng_stream(1, 2, 3, RNG_TEST);
	call->input_count = count_shapes(c->in, OP_MAX_INPUTS);
	call->param_count = count_shapes(c->param, OP_MAX_PARAMS);
	enum status status =
		c->op->shape(c->attr, c->in, call->input_count, c->param, call->param_count, &call->out.shape);
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
	call->out_pitch = call->out.shape.c;
	run->saved_bytes = c->op->saved_bytes ? c->op->saved_bytes(call) : 0;
	run->scratch_floats = c->op->scratch_floats ? c->op->scratch_floats(call) : 0;
	run->prepared = new_floats(c->op->prepared_floats ? c->op->prepared_floats(call) : 0);
	call->prepared = run->prepared;
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
	free(run->prepared);
}

void op_run_forward(struct op_run *run)
{
	poison(run->call.out.data, shape_count(run->call.out.shape));
	memset(run->call.saved, 0xff, run->saved_bytes);
	poison(run->call.scratch, run->scratch_floats);
	if (run->op->prepare)
		run->op->prepare(&run->call, run->prepared);
	run->op->forward(&run->call);
}

/* --- gradient check ------------------------------------------------------- */

struct check {
	const struct op_case *c;
	struct op_run run;
	double *projection;                                     /* one factor per output */
	float *grad[OP_MAX_INPUTS], *param_grad[OP_MAX_PARAMS]; /* what backward says */
};

static double projected(struct check *check)
{
	op_run_forward(&check->run);
	double sum = 0;
	for (size_t i = 0; i < shape_count(check->run.call.out.shape); i++)
		sum += check->projection[i] * (double)check->run.call.out.data[i];
	return sum;
}

static void check_differences(struct check *check, struct tensor *tensor, const float *grad, const char *what,
			      int index)
{
	size_t count = shape_count(tensor->shape);
	double step = check->c->step > 0 ? check->c->step : 1.0 / 64, scale = 1e-3, worst = 0, expected = 0;
	size_t where = 0;
	for (size_t i = 0; i < count; i++) {
		float value = tensor->data[i];
		tensor->data[i] = (float)(value + step);
		double up = projected(check), high = tensor->data[i];
		tensor->data[i] = (float)(value - step);
		double down = projected(check), low = tensor->data[i];
		tensor->data[i] = value;
		double slope = (up - down) / (high - low), error = fabs(slope - (double)grad[i]);
		if (!(error <= worst)) {
			worst = error;
			where = i;
			expected = slope;
		}
		if (fabs(slope) > scale)
			scale = fabs(slope);
	}
	double tolerance = check->c->tolerance > 0 ? check->c->tolerance : 2e-3;
	ck_assert_msg(worst <= tolerance * scale,
		      "%s: gradient of %s %d, element %zu: difference quotient %.7g, backward %.7g (largest %.3g)",
		      check->run.op->name, what, index, where, expected, (double)grad[where], scale);
}

static unsigned flags_of(const struct op_run *run)
{
	return op_flags(run->op, run->call.attr);
}

static bool wants_grad(const struct op_run *run, int input)
{
	return !((flags_of(run) & OP_LOSS) && input == 1);
}

static void fill_constant(float *values, size_t count, float value)
{
	for (size_t i = 0; i < count; i++)
		values[i] = value;
}

/* Backward once: input gradients over NaN (store) or `old` (add); everything it must not read is NaN meanwhile. */
static void run_backward(struct check *check, bool add, float old, float **grad, float **param_grad)
{
	struct op_run *run = &check->run;
	struct op_call *call = &run->call;
	size_t out_count = shape_count(call->out.shape);
	op_run_forward(run);
	float *out_grad = new_floats(out_count);
	for (size_t i = 0; i < out_count; i++)
		out_grad[i] = (float)check->projection[i];
	call->out_grad = out_grad;
	struct op_call clean = *call;
	for (int i = 0; i < call->input_count; i++) {
		size_t count = shape_count(call->in[i].shape);
		grad[i] = new_floats(count);
		fill_constant(grad[i], count, add ? old : NAN);
		call->in_grad[i] = wants_grad(run, i) ? grad[i] : NULL;
		call->in_grad_add[i] = add;
		if (!op_backward_reads(flags_of(run), i))
			call->in[i].data = NULL;
	}
	for (int i = 0; i < call->param_count; i++) {
		param_grad[i] = call->param_grad[i];
		fill_constant(param_grad[i], shape_count(call->param[i].shape), add ? old : 0);
	}
	if (!(flags_of(run) & OP_BACKWARD_READS_OUTPUT))
		call->out.data = NULL;
	poison(call->scratch, run->scratch_floats);
	run->op->backward(call);
	for (int i = 0; i < call->param_count; i++) {
		size_t bytes = shape_count(call->param[i].shape) * sizeof(float);
		param_grad[i] = memcpy(new_bytes(bytes), param_grad[i], bytes);
	}
	*call = clean;
	call->out_grad = NULL;
	free(out_grad);
}

static void free_grads(float **grad, int count)
{
	for (int i = 0; i < count; i++)
		free(grad[i]);
}

/* Adding to `old` gives old + what storing gives. */
static void check_add(struct check *check)
{
	enum { OLD = 3 };
	float *grad[OP_MAX_INPUTS] = {0}, *param_grad[OP_MAX_PARAMS] = {0};
	struct op_call *call = &check->run.call;
	run_backward(check, true, OLD, grad, param_grad);
	for (int i = 0; i < call->input_count; i++)
		for (size_t j = 0; wants_grad(&check->run, i) && j < shape_count(call->in[i].shape); j++)
			ck_assert_msg(fabs((double)(grad[i][j] - (OLD + check->grad[i][j]))) <=
					      1e-5 * (1 + fabs((double)check->grad[i][j])),
				      "%s: input %d, element %zu: expected %g + %g in add mode, found %g",
				      check->run.op->name, i, j, (double)OLD, (double)check->grad[i][j],
				      (double)grad[i][j]);
	for (int i = 0; i < call->param_count; i++)
		for (size_t j = 0; j < shape_count(call->param[i].shape); j++)
			ck_assert_msg(fabs((double)(param_grad[i][j] - (OLD + check->param_grad[i][j]))) <=
					      1e-5 * (1 + fabs((double)check->param_grad[i][j])),
				      "%s: parameter %d, element %zu: expected %g to be added to, found %g",
				      check->run.op->name, i, j, (double)OLD, (double)param_grad[i][j]);
	free_grads(grad, call->input_count);
	free_grads(param_grad, call->param_count);
}

/* Nobody wants a gradient, or only some input's: backward must cope. */
static void check_unwanted(struct check *check)
{
	struct op_call *call = &check->run.call;
	float *out_grad = new_floats(shape_count(call->out.shape));
	fill_constant(out_grad, shape_count(call->out.shape), 1);
	op_run_forward(&check->run);
	call->out_grad = out_grad;
	for (int wanted = -1; wanted < call->input_count; wanted++) {
		float *grad = wanted < 0 ? NULL : new_floats(shape_count(call->in[wanted].shape));
		for (int i = 0; i < call->input_count; i++) {
			call->in_grad[i] = i == wanted && wants_grad(&check->run, i) ? grad : NULL;
			call->in_grad_add[i] = false;
		}
		check->run.op->backward(call);
		free(grad);
	}
	memset(call->in_grad, 0, sizeof call->in_grad);
	call->out_grad = NULL;
	free(out_grad);
}

/* Output over input `at` and its gradient over output gradient: the same bits as side by side. */
static void check_in_place(struct check *check, int at)
{
	struct op_call *call = &check->run.call;
	size_t count = shape_count(call->out.shape), bytes = count * sizeof(float);
	op_run_forward(&check->run);
	struct op_call inside = *call;
	float *buffer = memcpy(new_bytes(bytes), call->in[at].data, bytes), *grad = new_bytes(bytes);
	inside.in[at].data = inside.out.data = buffer;
	check->run.op->forward(&inside);
	ck_assert_msg(memcmp(buffer, call->out.data, bytes) == 0, "%s: other result in place", check->run.op->name);
	for (size_t i = 0; i < count; i++)
		grad[i] = (float)check->projection[i];
	inside.out_grad = grad;
	for (int i = 0; i < inside.input_count; i++) {
		inside.in_grad_add[i] = false;
		inside.in_grad[i] = i == at ? grad : new_floats(shape_count(inside.in[i].shape));
	}
	check->run.op->backward(&inside);
	for (int i = 0; i < inside.input_count; i++) {
		ck_assert_msg(memcmp(inside.in_grad[i], check->grad[i],
				     shape_count(inside.in[i].shape) * sizeof(float)) == 0,
			      "%s: other gradient of input %d in place", check->run.op->name, i);
		if (i != at)
			free(inside.in_grad[i]);
	}
	free(buffer);
	free(grad);
}

/* `from`, a pixel of it every `pitch` floats; NaN between. */
static float *spread_pixels(const float *from, struct shape shape, size_t pitch)
{
	size_t channels = (size_t)shape.c, pixels = shape_count(shape) / channels;
	float *to = new_floats((pixels - 1) * pitch + channels);
	poison(to, (pixels - 1) * pitch + channels);
	for (size_t i = 0; i < pixels; i++)
		memcpy(to + i * pitch, from + i * channels, channels * sizeof *to);
	return to;
}

/* Forward and backward of `pitched`, whose output and its gradient lie between other channels. */
static void run_pitched(struct check *check, struct op_call *pitched)
{
	const struct op *op = check->run.op;
	struct shape shape = pitched->out.shape;
	size_t pixels = shape_count(shape) / (size_t)shape.c, pitch = (size_t)pitched->out_pitch;
	float *expected = spread_pixels(check->run.call.out.data, shape, pitch);
	op->forward(pitched);
	ck_assert_msg(memcmp(pitched->out.data, expected, ((pixels - 1) * pitch + (size_t)shape.c) * sizeof(float)) ==
			      0,
		      "%s: other result among other channels", op->name);
	free(expected);
	op->backward(pitched);
	for (size_t i = 0; i < (pixels - 1) * pitch; i++)
		ck_assert_msg(i % pitch < (size_t)shape.c || isnan(pitched->out_grad[i]),
			      "%s: backward wrote to other channels", op->name);
}

static void assert_same(const struct check *check, const float *got, const float *expected, struct shape shape,
			const char *what)
{
	ck_assert_msg(memcmp(got, expected, shape_count(shape) * sizeof *got) == 0,
		      "%s: other gradient of %s among other channels", check->run.op->name, what);
}

/* As inside a concat's output: the same bits as alone, and the other channels are left alone. */
static void check_pitched(struct check *check)
{
	op_run_forward(&check->run);
	struct op_call *call = &check->run.call, pitched = *call;
	size_t count = shape_count(call->out.shape);
	float *grad = new_floats(count), *nothing = new_floats(count);
	for (size_t i = 0; i < count; i++)
		grad[i] = (float)check->projection[i];
	poison(nothing, count);
	pitched.out_pitch = call->out.shape.c + 3;
	pitched.out.data = spread_pixels(nothing, call->out.shape, (size_t)pitched.out_pitch);
	pitched.out_grad = spread_pixels(grad, call->out.shape, (size_t)pitched.out_pitch);
	for (int i = 0; i < call->input_count; i++)
		pitched.in_grad[i] = new_floats(shape_count(call->in[i].shape));
	for (int i = 0; i < call->param_count; i++) {
		pitched.param_grad[i] = new_floats(shape_count(call->param[i].shape));
		fill_constant(pitched.param_grad[i], shape_count(call->param[i].shape), 0);
	}
	run_pitched(check, &pitched);
	for (int i = 0; i < call->input_count; i++) {
		assert_same(check, pitched.in_grad[i], check->grad[i], call->in[i].shape, "an input");
		free(pitched.in_grad[i]);
	}
	for (int i = 0; i < call->param_count; i++) {
		assert_same(check, pitched.param_grad[i], check->param_grad[i], call->param[i].shape, "a parameter");
		free(pitched.param_grad[i]);
	}
	free(pitched.out.data);
	free(pitched.out_grad);
	free(grad);
	free(nothing);
}

static void check_inputs_untouched(struct check *check)
{
	struct op_run fresh;
	op_run_init(&fresh, check->c);
	for (int i = 0; i < fresh.call.input_count; i++)
		ck_assert_msg(memcmp(fresh.call.in[i].data, check->run.call.in[i].data,
				     shape_count(fresh.call.in[i].shape) * sizeof(float)) == 0,
			      "%s: input %d was changed", check->run.op->name, i);
	for (int i = 0; i < fresh.call.param_count; i++)
		ck_assert_msg(memcmp(fresh.call.param[i].data, check->run.call.param[i].data,
				     shape_count(fresh.call.param[i].shape) * sizeof(float)) == 0,
			      "%s: parameter %d was changed", check->run.op->name, i);
	op_run_release(&fresh);
}

void gradcheck(const struct op_case *c)
{
	struct check check = {.c = c};
	op_run_init(&check.run, c);
	struct op_call *call = &check.run.call;
	size_t out_count = shape_count(call->out.shape);
	unsigned seed = 77;
	check.projection = new_bytes(out_count * sizeof(double));
	for (size_t i = 0; i < out_count; i++)
		check.projection[i] = test_random(&seed); /* a float, so that backward sees the same number */
	run_backward(&check, false, 0, check.grad, check.param_grad);
	check_inputs_untouched(&check);
	for (int i = 0; i < call->input_count; i++)
		if (wants_grad(&check.run, i))
			check_differences(&check, &call->in[i], check.grad[i], "input", i);
	for (int i = 0; i < call->param_count; i++)
		if (!c->param_constant[i])
			check_differences(&check, &call->param[i], check.param_grad[i], "parameter", i);
	check_add(&check);
	check_unwanted(&check);
	if (flags_of(&check.run) & OP_IN_PLACE)
		check_in_place(&check, 0);
	if ((flags_of(&check.run) & OP_IN_PLACE_1) && call->input_count > 1)
		check_in_place(&check, 1);
	if (flags_of(&check.run) & OP_PITCHED_OUTPUT)
		check_pitched(&check);
	free_grads(check.grad, call->input_count);
	free_grads(check.param_grad, call->param_count);
	free(check.projection);
	op_run_release(&check.run);
}

void assert_close(const float *got, const float *expected, size_t count, double tolerance, const char *what)
{
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(fabs((double)got[i] - (double)expected[i]) <= tolerance * (1 + fabs((double)expected[i])),
			      "%s: element %zu: expected %.9g, found %.9g", what, i, (double)expected[i],
			      (double)got[i]);
}
