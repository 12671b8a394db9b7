/* Optimisers over the flat parameter array: SGD with momentum, Adam (Kingma & Ba, 2015), AdamW (Loshchilov &
 * Hutter, 2019); global-norm clipping; moving average of the weights. All in a fixed order: the same bytes for any
 * number of threads. */
#ifndef CORE_OPTIM_H
#define CORE_OPTIM_H

#include <stdint.h>

#include "core/params.h"
#include "core/workers.h"

enum optim_kind {
#define OPTIM(KIND, name, has_second) OPTIM_##KIND,
#include "core/optim_list.h"
#undef OPTIM
};
extern const char *const optim_names[]; /* "sgd", "adam", "adamw", NULL */

struct optim_config {
	enum optim_kind kind;
	double momentum;     /* SGD */
	double beta1, beta2; /* Adam */
	double epsilon;      /* Adam */
	double weight_decay; /* SGD and Adam: added to the gradient; AdamW: decoupled. PARAM_WEIGHT only */
	double lr_scale[PARAM_GROUP_COUNT]; /* learning rate of each group, relative; 0 freezes it */
	double clip_norm;                   /* 0 clips nothing */
	double ema_decay;       /* 0 keeps no average; effective decay min(ema_decay, (1 + step) / (10 + step)),
	                       * step = 1 in the first one */
	double buffer_momentum; /* running = (1 - m) * running + m * batch statistic, for PARAM_BUFFER; default 0.1 */
};
void optim_config_init(struct optim_config *config);

struct optim {
	struct optim_config config;
	uint64_t step; /* steps taken */
	size_t total;
	float *first;   /* momentum or first moment */
	float *second;  /* second moment; NULL for SGD */
	float *average; /* moving average of the values; NULL without */
};

/* `config` NULL: the defaults of optim_config_init, Adam. The average begins as a copy of params->values, so after
 * params_alloc and after weights were loaded. */
enum status optim_init(struct optim *optim, const struct optim_config *config, const struct params *params);
void optim_release(struct optim *optim);

/* Steps, moments and average of `from` (of parameters `from_params`) go on in `to`, which optim_init has made for
 * `params`: by name. Parameters that only `to` has keep moments of 0 and their values as their average. Both are of the
 * same optim_kind. */
void optim_carry(const struct optim *from, const struct params *from_params, struct optim *to,
		 const struct params *params);

/* L2 norm of the gradient over what is optimised, summed in double in a fixed order. */
double optim_grad_norm(struct workers *workers, const struct params *params, const float *grads);

/* One step at learning rate `lr`: clips `grads` by the norm given (optim_grad_norm), updates params->values,
 * buffers and average. Where the norm is not finite the caller must not step: nothing here would bring the weights
 * back. For PARAM_BUFFER, `grads` holds the mean of the slots' statistics, not their sum. */
void optim_step(struct optim *optim, struct workers *workers, struct params *params, const float *grads, double lr,
		double grad_norm);

/* The weights to evaluate and export: the average if there is one, else params->values. */
const float *optim_best_values(const struct optim *optim, const struct params *params);

#endif
