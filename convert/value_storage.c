/* See value_storage.h. */
#include "convert/value_storage.h"

#include "infer/network/ops.h"

static int root_of(const struct value_storage *storages, int value)
{
	while (storages[value].range_of != value)
		value = storages[value].range_of;
	return value;
}

static void share(struct value_storage *storages, int a, int b)
{
	a = root_of(storages, a);
	b = root_of(storages, b);
	storages[a > b ? a : b].range_of = a > b ? b : a;
}

static void share_ranges(const struct infer_network *n, struct value_storage *storages)
{
	for (int i = 0; i < n->step_count; i++)
		if (infer_operator(n->steps[i].op)->keeps_range)
			share(storages, INFER_FIRST_STEP_VALUE + i, n->steps[i].inputs[0]);
	for (int i = 0; i < n->step_count; i++)
		for (int k = 0; n->steps[i].op == INFER_OP_CONCAT && k < n->steps[i].input_count; k++)
			if (root_of(storages, n->steps[i].inputs[k]) >= INFER_FIRST_STEP_VALUE)
				share(storages, INFER_FIRST_STEP_VALUE + i, n->steps[i].inputs[k]);
}

/* The first of the steps at the network's end that only keep the range of the one before: its input is made by the
 * last step that computes. */
static int tail_of(const struct infer_network *n)
{
	int tail = n->step_count - 1;
	while (tail > 0 && infer_operator(n->steps[tail].op)->keeps_range &&
	       n->steps[tail].inputs[0] == INFER_FIRST_STEP_VALUE + tail - 1)
		tail--;
	return INFER_FIRST_STEP_VALUE + tail;
}

void value_storages(const struct infer_network *n, const struct infer_shape *shapes, struct value_storage *storages)
{
	int tail = tail_of(n);
	for (int v = 0; v < INFER_FIRST_STEP_VALUE + n->step_count; v++)
		storages[v] = (struct value_storage){v == 0                             ? INFER_VALUE_IMAGE
						     : v >= tail                        ? INFER_VALUE_FLOAT
						     : infer_may_be_fused(n, v, shapes) ? INFER_VALUE_FUSED
											: INFER_VALUE_U8,
						     v};
	share_ranges(n, storages);
	for (int v = 0; v < INFER_FIRST_STEP_VALUE + n->step_count; v++)
		storages[v].range_of = root_of(storages, v);
}

void value_ranges_of_clicks(const struct infer_network *n, float click_scale, struct infer_range *ranges)
{
	ranges[1] = (struct infer_range){click_scale / 255, 0};
	for (int i = 0; i < n->step_count; i++)
		if (infer_operator(n->steps[i].op)->keeps_range)
			ranges[INFER_FIRST_STEP_VALUE + i] = ranges[n->steps[i].inputs[0]];
}
