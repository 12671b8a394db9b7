/* A pointwise operator without attributes as two formulas: a file defines
 *
 *	static inline float value(float x);     // y
 *	static inline float slope(float x);     // dy/dx
 *
 * in plain single-precision steps without calls (core/kernels/vmath.h has exp and the logistic function), then says
 * POINTWISE_OP(name). That makes the descriptor op_NAME and its loops, once for each instruction set: the compiler
 * vectorises them, and they give the same bits, because nothing is contracted or reassociated (core/README.md). */
#ifndef CORE_OPS_POINTWISE_H
#define CORE_OPS_POINTWISE_H

#include "core/kernels.h"
#include "core/kernels/vmath.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"

/* The loops of one instruction set: out = value(in), and grad (+)= out_grad slope(in). */
#define POINTWISE_LOOPS(set, attribute)                                                                  \
	attribute static void forward_##set(float *restrict out, const float *restrict in, size_t count) \
	{                                                                                                \
		for (size_t i = 0; i < count; i++)                                                       \
			out[i] = value(in[i]);                                                           \
	}                                                                                                \
	attribute static void store_##set(float *restrict grad, const float *restrict in,                \
					  const float *restrict out_grad, size_t count)                  \
	{                                                                                                \
		for (size_t i = 0; i < count; i++)                                                       \
			grad[i] = out_grad[i] * slope(in[i]);                                            \
	}                                                                                                \
	attribute static void add_##set(float *restrict grad, const float *restrict in,                  \
					const float *restrict out_grad, size_t count)                    \
	{                                                                                                \
		for (size_t i = 0; i < count; i++)                                                       \
			grad[i] += out_grad[i] * slope(in[i]);                                           \
	}

/* Picks the loops of the set in use by the length of its vectors. */
#if defined(__x86_64__)
#if defined(__clang__)
#define POINTWISE_WIDTH /* clang has no such name in a target: its vectors have 256 bits here */
#else
#define POINTWISE_WIDTH ",prefer-vector-width=512"
#endif
#define POINTWISE_SETS                                             \
	POINTWISE_LOOPS(generic, )                                 \
	POINTWISE_LOOPS(avx2, __attribute__((target("avx2,fma")))) \
	POINTWISE_LOOPS(avx512, __attribute__((target("avx2,fma,avx512f,avx512vl,avx512dq,avx512bw" POINTWISE_WIDTH))))
#define POINTWISE_CALL(loop, ...)                             \
	(kernels()->lanes == 16  ? loop##_avx512(__VA_ARGS__) \
	 : kernels()->lanes == 8 ? loop##_avx2(__VA_ARGS__)   \
				 : loop##_generic(__VA_ARGS__))
#else
#define POINTWISE_SETS POINTWISE_LOOPS(generic, )
#define POINTWISE_CALL(loop, ...) loop##_generic(__VA_ARGS__)
#endif

#define POINTWISE_OP(NAME)                                                                                             \
	POINTWISE_SETS                                                                                                 \
	static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param, \
				 int param_count, struct shape *out)                                                   \
	{                                                                                                              \
		(void)attr, (void)param;                                                                               \
		return rule_same(&op_##NAME, in, input_count, param_count, out);                                       \
	}                                                                                                              \
	static void forward(struct op_call *call)                                                                      \
	{                                                                                                              \
		POINTWISE_CALL(forward, call->out.data, call->in[0].data, shape_count(call->out.shape));               \
	}                                                                                                              \
	static void backward(struct op_call *call)                                                                     \
	{                                                                                                              \
		float *grad = call->in_grad[0];                                                                        \
		size_t count = shape_count(call->out.shape);                                                           \
		if (grad && call->in_grad_add[0])                                                                      \
			POINTWISE_CALL(add, grad, call->in[0].data, call->out_grad, count);                            \
		else if (grad)                                                                                         \
			POINTWISE_CALL(store, grad, call->in[0].data, call->out_grad, count);                          \
	}                                                                                                              \
	const struct op op_##NAME = {                                                                                  \
		.name = #NAME,                                                                                         \
		.min_inputs = 1,                                                                                       \
		.max_inputs = 1,                                                                                       \
		.flags = OP_BACKWARD_READS_INPUT,                                                                      \
		.shape = shape,                                                                                        \
		.forward = forward,                                                                                    \
		.backward = backward,                                                                                  \
	};

#endif
