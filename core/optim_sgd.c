/* Stochastic gradient descent with momentum, as Sutskever et al. (ICML 2013) have it but with the learning rate
 * outside the velocity, so that a change of rate acts at once:
 *     g' = g + weight_decay * w
 *     v  = momentum * v + g'
 *     w  = w - lr * v */
#include "core/optim_rule.h"

void optim_sgd(const struct optim_config *config, const struct optim_span *span)
{
	const float scale = (float)span->grad_scale, decay = (float)span->weight_decay;
	const float momentum = (float)config->momentum, lr = (float)span->lr;
	float *restrict values = span->values, *restrict velocity = span->first;
	const float *restrict grads = span->grads;
	for (size_t i = 0; i < span->count; i++) {
		float g = grads[i] * scale + decay * values[i];
		velocity[i] = momentum * velocity[i] + g;
		values[i] -= lr * velocity[i];
	}
}
