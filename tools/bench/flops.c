/* See flops.h. */
#include "tools/bench/flops.h"

#include <stdbool.h>

#include "infer/tapcut.h"

static bool depends_on_clicks(const struct infer_step *step, const bool *clicks)
{
	for (int k = 0; k < step->input_count; k++)
		if (clicks[step->inputs[k]])
			return true;
	return false;
}

/* A convolution uses each weight once for each output pixel, a transposed one for each input pixel. */
double bench_step_flops(const struct infer_network *network, int index, const struct infer_shape *shapes)
{
	const struct infer_step *step = &network->steps[index];
	if (step->op != INFER_OP_CONV2D && step->op != INFER_OP_CONV_TRANSPOSE2D)
		return 0;
	const int *d = network->tensors[step->tensor[0]].dims;
	struct infer_shape shape = shapes[index];
	if (step->op == INFER_OP_CONV_TRANSPOSE2D)
		shape = (struct infer_shape){0, shape.h / step->args[1], shape.w / step->args[1]};
	return 2.0 * d[0] * d[1] * d[2] * d[3] * shape.h * shape.w;
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
