/* Adam: Kingma & Ba, ICLR 2015, algorithm 1; AdamW: Loshchilov & Hutter, ICLR 2019, algorithm 2 with the decay
 * scaled by the learning rate.
 *     m = beta1 * m + (1 - beta1) * g
 *     v = beta2 * v + (1 - beta2) * g * g
 *     w = w - lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + epsilon)
 * They differ in where the decay enters: in Adam g already holds weight_decay * w; in AdamW w shrinks by lr *
 * weight_decay of itself, untouched by the moments. */
#include <math.h>

#include "core/kernels.h"
#include "core/optim.h"
#include "core/optim_rule.h"
#include "core/portable_math.h"

static void update(const struct optim_config *config, const struct optim_span *span, float decay, float keep)
{
	const struct adam_run run = {
		.scale = (float)span->grad_scale,
		.decay = decay,
		.keep = keep,
		.beta1 = (float)config->beta1,
		.rest1 = (float)(1 - config->beta1),
		.beta2 = (float)config->beta2,
		.rest2 = (float)(1 - config->beta2),
		.lr = (float)(span->lr / (1 - portable_powi(config->beta1, span->step))),
		.correct2 = (float)(1 / sqrt(1 - portable_powi(config->beta2, span->step))),
		.epsilon = (float)config->epsilon,
		.values = span->values,
		.first = span->first,
		.second = span->second,
		.grads = span->grads,
		.count = span->count,
	};
	kernels()->adam_update(&run);
}

void optim_adam(const struct optim_config *config, const struct optim_span *span)
{
	update(config, span, (float)span->weight_decay, 1);
}

void optim_adamw(const struct optim_config *config, const struct optim_span *span)
{
	update(config, span, 0, (float)(1 - span->lr * span->weight_decay));
}
