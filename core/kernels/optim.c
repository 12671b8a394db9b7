/* See optim.h. */
#include "core/kernels/optim.h"

#include <math.h>

#include "core/kernels/kernel.h"

void KERNEL(adam_update)(const struct adam_run *run)
{
	const struct adam_run r = *run;
	float *restrict values = r.values, *restrict first = r.first, *restrict second = r.second;
	const float *restrict grads = r.grads;
	for (size_t i = 0; i < r.count; i++) {
		float g = grads[i] * r.scale + r.decay * values[i];
		first[i] = r.beta1 * first[i] + r.rest1 * g;
		second[i] = r.beta2 * second[i] + r.rest2 * g * g;
		values[i] = r.keep * values[i] - r.lr * (first[i] / (sqrtf(second[i]) * r.correct2 + r.epsilon));
	}
}

void KERNEL(sgd_update)(const struct sgd_run *run)
{
	const struct sgd_run r = *run;
	float *restrict values = r.values, *restrict velocity = r.velocity;
	const float *restrict grads = r.grads;
	for (size_t i = 0; i < r.count; i++) {
		float g = grads[i] * r.scale + r.decay * values[i];
		velocity[i] = r.momentum * velocity[i] + g;
		values[i] -= r.lr * velocity[i];
	}
}

void KERNEL(move_towards)(float *restrict values, const float *restrict target, size_t count, float rate)
{
	for (size_t i = 0; i < count; i++)
		values[i] += rate * (target[i] - values[i]);
}
