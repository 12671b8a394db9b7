/* Channels one after the other. The runner mostly lets the inputs' makers write into the output: such an input is in
 * place already. An input of another range is brought to the output's: in.scale x (q - in.zero) / out.scale rounded
 * to nearest even, by a table. */
#include "u8.h"

enum { TABLE = 256 };

size_t infer_concat_u8_constant_bytes(const struct infer_call *call)
{
	return (size_t)call->step->input_count * TABLE;
}

void infer_concat_u8_fill_constants(const struct infer_call *call, void *constants)
{
	uint8_t *table = constants;
	for (int k = 0; k < call->step->input_count; k++)
		for (int q = 0; q < TABLE; q++)
			*table++ = infer_to_u8(call->in[k].scale * (float)(q - call->in[k].zero), call->out.scale,
					       call->out.zero);
}

static void copy_pixel(const uint8_t *in, const uint8_t *table, uint8_t *out, int count)
{
	for (int c = 0; c < count; c++)
		out[c] = table[in[c]];
}

void infer_concat_u8(const struct infer_call *call, int first, int end, void *scratch)
{
	const struct infer_map *out = &call->out;
	int channel = 0;
	(void)scratch;
	for (int k = 0; k < call->step->input_count; channel += call->in[k++].c) {
		const struct infer_map *in = &call->in[k];
		const uint8_t *table = (const uint8_t *)call->constants + (size_t)k * TABLE;
		if (in->data == (uint8_t *)out->data + channel)
			continue;
		for (int y = first; y < end; y++)
			for (int x = 0; x < out->w; x++)
				copy_pixel(infer_u8_row(in, y) + (size_t)x * in->pitch, table,
					   infer_u8_row(out, y) + (size_t)x * out->pitch + channel, in->c);
	}
}
