/* Stochastic gradient descent with momentum, as Sutskever et al. (ICML 2013) have it but with the learning rate
 * outside the velocity, so that a change of rate acts at once:
 *     g' = g + weight_decay * w
 *     v  = momentum * v + g'
 *     w  = w - lr * v */
#include "core/kernels.h"
#include "core/optim.h"
#include "core/optim_rule.h"

void optim_sgd(const struct optim_config *config, const struct optim_span *span)
{
	const struct sgd_run run = {
		.scale = (float)span->grad_scale,
		.decay = (float)span->weight_decay,
		.momentum = (float)config->momentum,
		.lr = (float)span->lr,
		.values = span->values,
		.velocity = span->first,
		.grads = span->grads,
		.count = span->count,
	};
	kernels()->sgd_update(&run);
}
