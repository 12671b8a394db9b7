/* Optimisers against PyTorch's, against plain double arithmetic, and against themselves; what decays, what is
 * clipped, what is frozen, buffers and the moving average. */
#include "core/optim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernels.h"
#include "core/rng.h"
#include "tests/golden/optim_golden.h"
#include "tests/support/test.h"

enum { WEIGHTS = 1003, BIASES = 37, BUFFERS = 21, TOTAL = WEIGHTS + BIASES + BUFFERS };
/* KINDS: as many as core/optim_list.h has. */
#define OPTIM(KIND, name, has_second) +1
enum {
	KINDS = 0
#include "core/optim_list.h"
	,
	STEPS = 40
};
#undef OPTIM

static float grads[TOTAL];
static struct workers *workers; /* two threads, of each test */

static void start_workers(void)
{
	ck_assert_int_eq(workers_new(2, &workers), STATUS_OK);
}

static void stop_workers(void)
{
	workers_free(workers);
}

/* A trunk's weight, a decoder's bias and a decoder's running mean. */
static struct params make_params(int weights, int biases, int buffers)
{
	struct params params;
	params_init(&params);
	params_add(&params, "weight", (struct shape){weights, 1, 1, 1}, PARAM_TRUNK, PARAM_WEIGHT, PARAM_INIT_ONE);
	params_add(&params, "bias", (struct shape){biases, 1, 1, 1}, PARAM_DECODER, PARAM_BIAS, PARAM_INIT_ONE);
	if (buffers)
		params_add(&params, "mean", (struct shape){buffers, 1, 1, 1}, PARAM_DECODER, PARAM_BUFFER,
			   PARAM_INIT_ONE);
	ck_assert_int_eq(params_alloc(&params, 1), STATUS_OK);
	struct rng rng = rng_stream(1, 0, 0, RNG_TEST);
	for (size_t i = 0; i < params.total; i++)
		params.values[i] = rng_normal(&rng);
	return params;
}

static void make_grads(uint32_t step)
{
	struct rng rng = rng_stream(2, step, 0, RNG_TEST);
	for (int i = 0; i < TOTAL; i++)
		grads[i] = 0.1f * rng_normal(&rng);
}

static struct optim make_optim(const struct optim_config *config, const struct params *params)
{
	struct optim optim;
	ck_assert_int_eq(optim_init(&optim, config, params), STATUS_OK);
	return optim;
}

static void step_with(struct optim *optim, struct params *params, double lr)
{
	optim_step(optim, workers, params, grads, lr, optim_grad_norm(workers, params, grads));
}

START_TEST(names_follow_the_enum)
{
	ck_assert_str_eq(optim_names[OPTIM_SGD], "sgd");
	ck_assert_str_eq(optim_names[OPTIM_ADAM], "adam");
	ck_assert_str_eq(optim_names[OPTIM_ADAMW], "adamw");
	ck_assert_ptr_null(optim_names[KINDS]);
}
END_TEST

static struct optim_config golden_config(const struct golden_case *golden)
{
	struct optim_config config;
	optim_config_init(&config);
	config.kind = golden->kind;
	config.momentum = golden->momentum;
	config.beta1 = golden->beta1;
	config.beta2 = golden->beta2;
	config.weight_decay = golden->weight_decay;
	config.clip_norm = golden->clip_norm;
	config.lr_scale[PARAM_TRUNK] = golden_trunk_scale;
	return config;
}

START_TEST(follows_pytorch)
{
	const struct golden_case *golden = &golden_cases[_i];
	struct optim_config config = golden_config(golden);
	struct params params = make_params(GOLDEN_WEIGHT, GOLDEN_BIAS, 0);
	memcpy(params.values, golden_values, sizeof golden_values);
	struct optim optim = make_optim(&config, &params);
	for (int step = 0; step < GOLDEN_STEPS; step++) {
		const float *g = golden_grads[step];
		optim_step(&optim, workers, &params, g, golden_lr, optim_grad_norm(workers, &params, g));
		for (int i = 0; i < GOLDEN_TOTAL; i++)
			ck_assert_msg(fabsf(params.values[i] - golden->values[step][i]) <= 1e-6f,
				      "case %d, step %d, value %d: %.9g, PyTorch has %.9g", _i, step, i,
				      params.values[i], golden->values[step][i]);
	}
	optim_release(&optim);
	params_release(&params);
}
END_TEST

/* The same formulas in double, written as the articles have them. */
struct reference {
	double value[TOTAL], first[TOTAL], second[TOTAL], average[TOTAL];
};

static void reference_update(struct reference *r, const struct optim_config *c, int i, double g, double lr, int step)
{
	double decay = i < WEIGHTS ? c->weight_decay : 0;
	if (c->kind == OPTIM_ADAMW)
		r->value[i] -= lr * decay * r->value[i];
	else
		g += decay * r->value[i];
	if (c->kind == OPTIM_SGD) {
		r->first[i] = c->momentum * r->first[i] + g;
		r->value[i] -= lr * r->first[i];
		return;
	}
	r->first[i] = c->beta1 * r->first[i] + (1 - c->beta1) * g;
	r->second[i] = c->beta2 * r->second[i] + (1 - c->beta2) * g * g;
	double m = r->first[i] / (1 - pow(c->beta1, step)), v = r->second[i] / (1 - pow(c->beta2, step));
	r->value[i] -= lr * m / (sqrt(v) + c->epsilon);
}

static void reference_step(struct reference *r, const struct optim_config *c, double lr, int step)
{
	double norm = 0;
	for (int i = 0; i < WEIGHTS + BIASES; i++)
		norm += (double)grads[i] * grads[i];
	double scale = fmin(1, c->clip_norm / (sqrt(norm) + 1e-6));
	for (int i = 0; i < TOTAL; i++) {
		if (i < WEIGHTS + BIASES)
			reference_update(r, c, i, grads[i] * scale, lr * c->lr_scale[i < WEIGHTS ? 0 : 1], step);
		else
			r->value[i] = (1 - c->buffer_momentum) * r->value[i] + c->buffer_momentum * grads[i];
		double decay = fmin(c->ema_decay, (1.0 + step) / (10.0 + step));
		r->average[i] = decay * r->average[i] + (1 - decay) * r->value[i];
	}
}

/* Everything switched on. */
static struct optim_config full_config(int kind)
{
	struct optim_config config;
	optim_config_init(&config);
	config.kind = (enum optim_kind)kind;
	config.weight_decay = 0.05;
	config.clip_norm = 3;
	config.ema_decay = 0.7; /* reached at step 20 */
	config.lr_scale[PARAM_TRUNK] = 0.3;
	return config;
}

START_TEST(follows_double_arithmetic)
{
	static struct reference reference;
	struct optim_config config = full_config(_i);
	struct params params = make_params(WEIGHTS, BIASES, BUFFERS);
	struct optim optim = make_optim(&config, &params);
	memset(&reference, 0, sizeof reference);
	for (int i = 0; i < TOTAL; i++)
		reference.value[i] = reference.average[i] = params.values[i];
	for (int step = 1; step <= STEPS; step++) {
		make_grads((uint32_t)step);
		double lr = 0.01 / step;
		step_with(&optim, &params, lr);
		reference_step(&reference, &config, lr, step);
	}
	const float *average = optim_best_values(&optim, &params);
	ck_assert_uint_eq(optim.step, STEPS);
	for (int i = 0; i < TOTAL; i++) {
		ck_assert_double_lt(fabs(params.values[i] - reference.value[i]), 1e-5);
		ck_assert_double_lt(fabs(average[i] - reference.average[i]), 1e-5);
	}
	optim_release(&optim);
	params_release(&params);
}
END_TEST

static uint64_t fold_floats(uint64_t fold, const float *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t bits;
		memcpy(&bits, &values[i], sizeof bits);
		fold = (fold ^ bits) * 0x100000001b3;
	}
	return fold;
}

/* The weights and averages of all optimisers after some steps. */
static uint64_t fold_of_training(void)
{
	uint64_t fold = 0;
	for (int kind = 0; kind < KINDS; kind++) {
		struct optim_config config = full_config(kind);
		struct params params = make_params(WEIGHTS, BIASES, BUFFERS);
		struct optim optim = make_optim(&config, &params);
		for (uint32_t step = 0; step < STEPS; step++) {
			make_grads(step);
			step_with(&optim, &params, 0.01);
		}
		fold = fold_floats(fold, params.values, params.total);
		fold = fold_floats(fold, optim.average, params.total);
		optim_release(&optim);
		params_release(&params);
	}
	return fold;
}

/* Bits, not tolerances: on whatever machine and compiler, with every instruction set and number of threads. */
START_TEST(same_bits_everywhere)
{
	for (int k = 0; kernels_names[k]; k++) {
		if (!kernels_supported(kernels_names[k]))
			continue;
		ck_assert_int_eq(kernels_select(kernels_names[k]), STATUS_OK);
		for (int threads = 1; threads <= 5; threads += 2) {
			workers_free(workers);
			ck_assert_int_eq(workers_new(threads, &workers), STATUS_OK);
			ck_assert_uint_eq(fold_of_training(), 12805174859032389343u);
		}
	}
}
END_TEST

/* In 0..1. */
static void fill_randomly(float *values, int count)
{
	unsigned state = 1;
	for (int i = 0; i < count; i++) {
		state = state * 1664525u + 1013904223u;
		values[i] = (float)(state >> 8) / 16777216;
	}
}

/* More floats than one thread is given at a time, in parameters that end anywhere: each is updated once, and the
 * norm has the same bits for any number of threads and every instruction set. */
START_TEST(large_arrays)
{
	enum { LARGE = 300001 };
	struct optim_config config;
	optim_config_init(&config);
	config.kind = OPTIM_SGD;
	config.momentum = 0;
	config.ema_decay = 1e-9;
	double first = 0, squares = 0;
	float *large = malloc(LARGE * sizeof *large);
	fill_randomly(large, LARGE);
	for (int i = 0; i < LARGE - 5; i++)
		squares += (double)large[i] * (double)large[i];
	for (int k = 0; kernels_names[k]; k++)
		for (int threads = 1; threads <= 3; threads++) {
			if (!kernels_supported(kernels_names[k]))
				continue;
			ck_assert_int_eq(kernels_select(kernels_names[k]), STATUS_OK);
			workers_free(workers);
			ck_assert_int_eq(workers_new(threads, &workers), STATUS_OK);
			struct params params = make_params(LARGE - 12, 7, 5);
			memset(params.values, 0, LARGE * sizeof(float));
			struct optim optim = make_optim(&config, &params);
			double norm = optim_grad_norm(workers, &params, large);
			optim_step(&optim, workers, &params, large, 0.5, norm);
			first = first == 0 ? norm : first;
			ck_assert(norm == first);
			int wrong = 0;
			for (int i = 0; i < LARGE; i++) {
				wrong += params.values[i] != (i < LARGE - 5 ? -0.5f * large[i] : 0.1f * large[i]);
				wrong += fabsf(optim.average[i] - params.values[i]) > 1e-6f;
			}
			ck_assert_int_eq(wrong, 0);
			optim_release(&optim);
			params_release(&params);
		}
	ck_assert_double_eq_tol(first / sqrt(squares), 1, 1e-12);
	free(large);
}
END_TEST

/* A state copied out and in, as a checkpoint does, goes on to the same bytes. */
START_TEST(state_is_all_there_is)
{
	struct optim_config config = full_config(_i);
	struct params params = make_params(WEIGHTS, BIASES, BUFFERS), other = make_params(WEIGHTS, BIASES, BUFFERS);
	struct optim optim = make_optim(&config, &params);
	for (uint32_t step = 0; step < 5; step++) {
		make_grads(step);
		step_with(&optim, &params, 0.01);
	}
	memcpy(other.values, params.values, sizeof(float) * TOTAL);
	struct optim resumed = make_optim(&config, &other);
	resumed.step = optim.step;
	memcpy(resumed.first, optim.first, sizeof(float) * TOTAL);
	if (optim.second)
		memcpy(resumed.second, optim.second, sizeof(float) * TOTAL);
	memcpy(resumed.average, optim.average, sizeof(float) * TOTAL);
	for (uint32_t step = 5; step < 10; step++) {
		make_grads(step);
		step_with(&optim, &params, 0.01);
		step_with(&resumed, &other, 0.01);
	}
	ck_assert_mem_eq(other.values, params.values, sizeof(float) * TOTAL);
	ck_assert_mem_eq(resumed.average, optim.average, sizeof(float) * TOTAL);
	optim_release(&optim);
	optim_release(&resumed);
	params_release(&params);
	params_release(&other);
}
END_TEST

START_TEST(norm_leaves_buffers_out)
{
	struct params params = make_params(WEIGHTS, BIASES, BUFFERS);
	memset(grads, 0, sizeof grads);
	ck_assert(optim_grad_norm(workers, &params, grads) == 0);
	for (int i = WEIGHTS + BIASES; i < TOTAL; i++)
		grads[i] = 1e30f;
	grads[WEIGHTS - 1] = 3;
	grads[WEIGHTS] = -4;
	ck_assert(optim_grad_norm(workers, &params, grads) == 5);
	grads[7] = 1e30f; /* its square is no float */
	ck_assert_double_lt(fabs(optim_grad_norm(workers, &params, grads) / 1e30 - 1), 1e-6);
	grads[7] = NAN;
	ck_assert(isnan(optim_grad_norm(workers, &params, grads)));
	grads[7] = INFINITY;
	ck_assert(isinf(optim_grad_norm(workers, &params, grads)));
	params_release(&params);
}
END_TEST

/* Without clipping: w - lr * g exactly; with a norm of 10 and a limit of 1, a tenth of it. */
START_TEST(clipping_scales_gradients_alone)
{
	struct optim_config config;
	optim_config_init(&config);
	config.kind = OPTIM_SGD;
	config.clip_norm = 1;
	for (int large = 0; large < 2; large++) {
		struct params params = make_params(WEIGHTS, BIASES, BUFFERS);
		struct optim optim = make_optim(&config, &params);
		memset(grads, 0, sizeof grads);
		grads[0] = large ? 10 : 0.5f;
		grads[TOTAL - 1] = 1000;
		float weight = params.values[0], buffer = params.values[TOTAL - 1];
		step_with(&optim, &params, 0.1);
		ck_assert_float_eq_tol(weight - params.values[0], large ? 0.1f : 0.05f, 1e-6f);
		ck_assert_float_eq_tol(params.values[TOTAL - 1], 0.9f * buffer + 100, 1e-4f);
		optim_release(&optim);
		params_release(&params);
	}
}
END_TEST

START_TEST(frozen_groups_and_biases_stay)
{
	struct optim_config config = full_config(_i);
	config.lr_scale[PARAM_TRUNK] = 0;
	struct params params = make_params(WEIGHTS, BIASES, BUFFERS), before = make_params(WEIGHTS, BIASES, BUFFERS);
	struct optim optim = make_optim(&config, &params);
	make_grads(1);
	memset(grads + WEIGHTS, 0, BIASES * sizeof *grads); /* no gradient: only decay could move a bias */
	for (int step = 0; step < 3; step++)
		step_with(&optim, &params, 0.1);
	ck_assert_mem_eq(params.values, before.values, (WEIGHTS + BIASES) * sizeof(float));
	optim_release(&optim);
	params_release(&params);
	params_release(&before);
}
END_TEST

START_TEST(average_begins_at_the_weights)
{
	struct optim_config config = full_config(OPTIM_SGD);
	struct params params = make_params(WEIGHTS, BIASES, BUFFERS);
	struct optim optim = make_optim(&config, &params);
	ck_assert_ptr_eq(optim_best_values(&optim, &params), optim.average);
	ck_assert_mem_eq(optim.average, params.values, TOTAL * sizeof(float));
	optim_release(&optim);
	config.ema_decay = 0;
	optim = make_optim(&config, &params);
	ck_assert_ptr_null(optim.average);
	ck_assert_ptr_eq(optim_best_values(&optim, &params), params.values);
	optim_release(&optim);
	params_release(&params);
}
END_TEST

/* Sanitizers stop at such a request instead of refusing it. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
START_TEST(no_memory_is_a_status)
{
	struct optim_config config = full_config(_i);
	struct params params = make_params(1, 1, 0);
	params.total = (size_t)1 << 60;
	struct optim optim;
	ck_assert_int_eq(optim_init(&optim, &config, &params), STATUS_NO_MEMORY);
	ck_assert(!optim.first && !optim.second && !optim.average);
	params_release(&params);
}
END_TEST
#endif

static Suite *make_suite(void)
{
	Suite *suite = suite_create("optim");
	TCase *tcase = tcase_create("all");
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, start_workers, stop_workers);
	tcase_add_test(tcase, names_follow_the_enum);
	tcase_add_loop_test(tcase, follows_pytorch, 0, (int)(sizeof golden_cases / sizeof *golden_cases));
	tcase_add_loop_test(tcase, follows_double_arithmetic, 0, KINDS);
	tcase_add_test(tcase, same_bits_everywhere);
	tcase_add_test(tcase, large_arrays);
	tcase_add_loop_test(tcase, state_is_all_there_is, 0, KINDS);
	tcase_add_test(tcase, norm_leaves_buffers_out);
	tcase_add_test(tcase, clipping_scales_gradients_alone);
	tcase_add_loop_test(tcase, frozen_groups_and_biases_stay, 0, KINDS);
	tcase_add_test(tcase, average_begins_at_the_weights);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	tcase_add_loop_test(tcase, no_memory_is_a_status, 0, KINDS);
#endif
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
