/* All pointwise operators, by the function of their row in network/ops.c. Floats: as many numbers at a time as lie
 * side by side. Bytes: a table that the function makes once, of 256 entries; of so many for each channel where the
 * operator has tensors. The entry of q is f(in.scale x (q - in.zero)) / out.scale rounded to nearest even, f in single
 * precision. */
#include "../network/ops.h"
#include "sigmoid.h"
#include "u8.h"

enum { TABLE = 256 };

void infer_sigmoid_array(const float *in, float *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = infer_sigmoid(in[i]);
}

static struct infer_pointwise pointwise_of(const struct infer_call *call)
{
	struct infer_pointwise p = {.number = call->step->farg};
	if (call->tensor[0]) {
		p.scale = call->tensor[0]->data;
		p.shift = call->tensor[1]->data;
	}
	return p;
}

static infer_pointwise_function *function_of(const struct infer_call *call)
{
	return infer_operator(call->step->op)->f;
}

void infer_pointwise_f32(const struct infer_call *call, int first, int end, void *scratch)
{
	const struct infer_map *in = &call->in[0], *out = &call->out;
	struct infer_pointwise p = pointwise_of(call);
	infer_pointwise_function *f = function_of(call);
	size_t channels = (size_t)out->c, pixels = (size_t)(end - first) * (size_t)out->w;
	const float *from = infer_row(in, first);
	float *to = infer_row(out, first);
	(void)scratch;
	if (in->pitch == channels && out->pitch == channels && !p.scale) { /* nothing lies between the pixels */
		f(&p, from, to, pixels * channels);
		return;
	}
	for (size_t i = 0; i < pixels; i++)
		f(&p, from + i * in->pitch, to + i * out->pitch, channels);
}

static int tables(const struct infer_call *call)
{
	return call->tensor[0] ? call->in[0].c : 1;
}

size_t infer_pointwise_u8_constant_bytes(const struct infer_call *call)
{
	return (size_t)tables(call) * TABLE;
}

void infer_pointwise_u8_fill_constants(const struct infer_call *call, void *constants)
{
	const struct infer_map *in = &call->in[0];
	struct infer_pointwise p = pointwise_of(call);
	infer_pointwise_function *f = function_of(call);
	uint8_t *table = constants;
	for (int channel = 0; channel < tables(call); channel++) {
		for (int q = 0; q < TABLE; q++) {
			float x = in->scale * (float)(q - in->zero), y;
			f(&p, &x, &y, 1);
			*table++ = infer_to_u8(y, call->out.scale, call->out.zero);
		}
		if (p.scale) {
			p.scale++;
			p.shift++;
		}
	}
}

void infer_pointwise_u8(const struct infer_call *call, int first, int end, void *scratch)
{
	const struct infer_map *in = &call->in[0], *out = &call->out;
	size_t step = tables(call) > 1 ? TABLE : 0;
	(void)scratch;
	for (int y = first; y < end; y++) {
		const uint8_t *from = infer_u8_row(in, y);
		uint8_t *to = infer_u8_row(out, y);
		for (int x = 0; x < out->w; x++, from += in->pitch, to += out->pitch) {
			const uint8_t *table = call->constants;
			for (int c = 0; c < out->c; c++, table += step)
				to[c] = table[from[c]];
		}
	}
}
