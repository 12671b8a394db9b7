/* Operators that make a byte of a byte: relu, leaky_relu, sigmoid, scale, and channel_affine, which has a table for
 * each channel. The entry of q is f(in.scale x (q - in.zero)) / out.scale rounded to nearest even, f in single
 * precision. */
#include "u8.h"

enum { TABLE = 256 };

static int tables(const struct infer_call *call)
{
	return call->step->op == INFER_OP_CHANNEL_AFFINE ? call->in[0].c : 1;
}

size_t infer_pointwise_u8_constant_bytes(const struct infer_call *call)
{
	return (size_t)tables(call) * TABLE;
}

static float apply(const struct infer_call *call, int channel, float x)
{
	switch (call->step->op) {
	case INFER_OP_RELU: return x > 0 ? x : 0;
	case INFER_OP_LEAKY_RELU: return x > 0 ? x : x * call->step->farg;
	case INFER_OP_SIGMOID: infer_sigmoid_array(&x, &x, 1); return x;
	case INFER_OP_SCALE: return x * call->step->farg;
	default: x *= call->tensor[0]->data[channel]; return x + call->tensor[1]->data[channel];
	}
}

void infer_pointwise_u8_fill_constants(const struct infer_call *call, void *constants)
{
	const struct infer_map *in = &call->in[0];
	uint8_t *table = constants;
	for (int channel = 0; channel < tables(call); channel++)
		for (int q = 0; q < TABLE; q++)
			*table++ = infer_to_u8(apply(call, channel, in->scale * (float)(q - in->zero)), call->out.scale,
					       call->out.zero);
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
