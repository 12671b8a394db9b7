/* See network_params.h. What was multiplied into each number is found by translating a model whose parameters are all
 * 1; that this is all that happened is seen from one whose parameters are all 2. */
#include "convert/network_params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/steps.h"

/* --- is it the same network? ---------------------------------------------- */

/* "conv2d 96x64x3x3" */
static void describe(const struct infer_network *network, int index, char *text, size_t size)
{
	if (index >= network->step_count) {
		snprintf(text, size, "no more step");
		return;
	}
	const struct infer_step *step = &network->steps[index];
	int length = snprintf(text, size, "%s", infer_op_name(step->op));
	if (step->tensor[0] >= 0) {
		const int *d = network->tensors[step->tensor[0]].dims;
		snprintf(text + length, size - (size_t)length, " %dx%dx%dx%d", d[0], d[1], d[2], d[3]);
	}
}

static bool same_tensor(const struct infer_network *a, int i, const struct infer_network *b, int k)
{
	if (i < 0 || k < 0)
		return i < 0 && k < 0;
	return memcmp(a->tensors[i].dims, b->tensors[k].dims, sizeof a->tensors[i].dims) == 0;
}

static bool same_step(const struct infer_network *a, const struct infer_network *b, int index)
{
	const struct infer_step *x = &a->steps[index], *y = &b->steps[index];
	return x->op == y->op && x->relu == y->relu && x->input_count == y->input_count && x->farg == y->farg &&
	       memcmp(x->inputs, y->inputs, sizeof x->inputs) == 0 && memcmp(x->args, y->args, sizeof x->args) == 0 &&
	       x->tensor[0] == y->tensor[0] && x->tensor[1] == y->tensor[1] &&
	       same_tensor(a, x->tensor[0], b, y->tensor[0]) && same_tensor(a, x->tensor[1], b, y->tensor[1]);
}

static enum status check_structure(const struct infer_network *stored, const struct infer_network *own)
{
	int count = stored->step_count < own->step_count ? stored->step_count : own->step_count, i = 0;
	while (i < count && same_step(stored, own, i))
		i++;
	if (i == stored->step_count && i == own->step_count && stored->tensor_count == own->tensor_count)
		return STATUS_OK;
	char in_file[96], in_model[96];
	describe(stored, i, in_file, sizeof in_file);
	describe(own, i, in_model, sizeof in_model);
	return status_fail(
		STATUS_CONFIG,
		"its network (%s, %d steps) is not that of section model (%d steps): step %d is %s, expected %s%s",
		stored->architecture, stored->step_count, own->step_count, i, in_file, in_model,
		strcmp(in_file, in_model) == 0 ? " with other arguments" : "");
}

/* --- numbers -------------------------------------------------------------- */

static size_t numbers_of(const struct infer_tensor *tensor)
{
	const int *d = tensor->dims;
	return (size_t)d[0] * (size_t)d[1] * (size_t)d[2] * (size_t)d[3];
}

static enum status translate(struct steps *steps, const struct model *model, float *values, size_t total, float all)
{
	for (size_t i = 0; i < total; i++)
		values[i] = all;
	return steps_translate(steps, &model->graph, model->image, model->clicks, model->logits, values);
}

static enum status take_tensor(const struct infer_tensor *stored, const struct infer_tensor *ones,
			       const struct infer_tensor *twos, const char *name, struct params *params)
{
	int index = params_find(params, name);
	size_t count = numbers_of(stored);
	bool invertible = index >= 0 && shape_count(params->items[index].shape) == count;
	float *to = invertible ? params->values + params->items[index].offset : NULL;
	for (size_t i = 0; i < count && invertible; i++) {
		invertible = ones->data[i] != 0 && twos->data[i] == 2 * ones->data[i];
		to[i] = stored->data[i] / ones->data[i];
	}
	return invertible
		       ? STATUS_OK
		       : status_fail(STATUS_CONFIG,
				     "tensor %s: a weights file has normalisation folded into its convolutions, which "
				     "cannot be undone: begin from a checkpoint or from safetensors",
				     name);
}

static enum status take_all(const struct infer_network *stored, const struct steps *ones, const struct steps *twos,
			    struct params *params)
{
	TRY(check_structure(stored, &ones->network));
	if (stored->tensor_count != params->count)
		return status_fail(
			STATUS_CONFIG,
			"%d tensors for the %d parameters of section model: a weights file has normalisation "
			"folded into its convolutions, which cannot be undone: begin from a checkpoint or from "
			"safetensors",
			stored->tensor_count, params->count);
	for (int i = 0; i < stored->tensor_count; i++)
		TRY(take_tensor(&stored->tensors[i], &ones->network.tensors[i], &twos->network.tensors[i],
				ones->names[i], params));
	return STATUS_OK;
}

enum status network_params_import(const struct infer_network *stored, const struct model *model, struct params *params)
{
	struct steps ones = {0}, twos = {0};
	enum status status = translate(&ones, model, params->values, params->total, 1);
	if (status == STATUS_OK)
		status = translate(&twos, model, params->values, params->total, 2);
	if (status == STATUS_OK)
		status = take_all(stored, &ones, &twos, params);
	steps_release(&ones);
	steps_release(&twos);
	return status;
}
