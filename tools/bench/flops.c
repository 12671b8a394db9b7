/* See flops.h. */
#include "tools/bench/flops.h"

#include <stdbool.h>

#include "infer/network/ops.h"

static bool depends_on_clicks(const struct infer_step *step, const bool *clicks)
{
	for (int k = 0; k < step->input_count; k++)
		if (clicks[step->inputs[k]])
			return true;
	return false;
}

double bench_step_flops(const struct infer_network *network, int index, const struct infer_shape *shapes)
{
	const struct infer_shape *out = &shapes[index];
	return 2 * infer_step_products(network, &network->steps[index]) * out->c * out->h * out->w;
}

enum status bench_network_flops(const struct infer_network *network, int size, struct bench_flops *flops)
{
	char message[TAPCUT_MESSAGE_SIZE];
	struct infer_shape shapes[INFER_MAX_STEPS];
	bool clicks[INFER_FIRST_STEP_VALUE + INFER_MAX_STEPS] = {false, true};
	*flops = (struct bench_flops){0};
	if (infer_network_shapes(network, size, size, shapes, message) != TAPCUT_OK)
		return status_fail(STATUS_CONFIG, "%s", message);
	for (int i = 0; i < network->step_count; i++) {
		double count = bench_step_flops(network, i, shapes);
		clicks[INFER_FIRST_STEP_VALUE + i] = depends_on_clicks(&network->steps[i], clicks);
		flops->all += count;
		flops->photo += clicks[INFER_FIRST_STEP_VALUE + i] ? 0 : count;
	}
	return STATUS_OK;
}
