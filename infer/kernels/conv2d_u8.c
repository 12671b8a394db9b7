/* Convolution of bytes: the exact sum of bytes times weights within +-63, plus a bias, brought to the output's step
 * and rounded (../FORMAT.md, section 3). Directly on N,H,W,C: the rows that a band of output rows needs are copied
 * side by side with their padding, then every window is a few runs of neighbouring bytes, and a 4-byte group of
 * channels is one operand of a dot product. */
#include "conv2d_u8_band.h"
#include "conv2d_u8_wasm.h"
#include "conv2d_u8_weights.h"

#include <stdbool.h>
#include <math.h>
#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

enum { BAND_BYTES = 48 * 1024, MAX_BAND_ROWS = 16, MAX_PLANE_CHANNELS = 4 };

/* --- weights -------------------------------------------------------------- */

static struct infer_conv2d_u8_weights weights_at(const struct infer_call *call, void *packed)
{
	return infer_conv2d_u8_weights_at(call->tensor[0], packed);
}

static size_t direct_bytes(const struct infer_call *call)
{
	struct infer_conv2d_u8_weights w = weights_at(call, NULL);
	return (size_t)w.blocks * (w.block_bytes + 3 * INFER_U8_BLOCK * sizeof(int32_t));
}

#if defined(__wasm_simd128__)
/* The same weights for Winograd's algorithm stand behind those for the direct one; NULL where it is not for this
 * step. */
static void *winograd_at(const struct infer_call *call, const void *packed)
{
	return infer_winograd_u8_suits(call) ? (char *)(uintptr_t)packed + infer_round_up(direct_bytes(call), 64)
					     : NULL;
}
#endif

size_t infer_conv2d_u8_packed(const struct infer_call *call)
{
	size_t bytes = direct_bytes(call);
#if defined(__wasm_simd128__)
	if (infer_winograd_u8_suits(call))
		bytes = infer_round_up(bytes, 64) + infer_winograd_u8_packed(call);
#endif
	return bytes;
}

/* Of the input's channel c: the byte that stands for 0, and what a step is. */
static int zero_of(const struct infer_call *call, int c)
{
	return call->image ? infer_nearest(infer_limit(call->image->mean[c], 0, 255)) : call->in[0].zero;
}

static float scale_of(const struct infer_call *call, int c)
{
	return call->image ? call->image->scale[c] : call->in[0].scale;
}

/* One output's weights as integers of one unit. With one scale for all channels, int8 weights stay what the file
 * has. */
static float output_integers(const struct infer_call *call, const struct infer_conv2d_u8_weights *w, int output,
			     int8_t *integers)
{
	const struct infer_tensor *t = call->tensor[0];
	const struct infer_preprocess *image = call->image;
	size_t count = (size_t)w->inputs * (size_t)w->taps, first = (size_t)output * count;
	int even = !image ||
		   (image->scale[0] == image->scale[1] && image->scale[0] == image->scale[2] && image->scale[0] > 0);
	if (t->integers && t->axis == 0 && even) {
		memcpy(integers, t->integers + first, count);
		return t->scales[output] * scale_of(call, 0);
	}
	float most = 0;
	for (size_t i = 0; i < count; i++) {
		float x = fabsf(t->data[first + i] * scale_of(call, (int)(i / (size_t)w->taps)));
		most = x > most ? x : most;
	}
	float unit = most / INFER_MAX_U8_WEIGHT;
	for (size_t i = 0; i < count; i++) {
		float x = t->data[first + i] * scale_of(call, (int)(i / (size_t)w->taps));
		integers[i] = (int8_t)(unit > 0 ? infer_nearest(infer_limit(x / unit, -INFER_MAX_U8_WEIGHT,
									    INFER_MAX_U8_WEIGHT))
						: 0);
	}
	return unit;
}

/* Where an output's weights are nothing beside its bias (|bias| over 2^29 units), the unit is made for the bias. */
static void pack_bias(const struct infer_call *call, struct infer_conv2d_u8_weights *w, int output, int8_t *integers,
		      float unit)
{
	const struct infer_tensor *t = call->tensor[0];
	size_t taps = (size_t)w->taps, first = (size_t)output * (size_t)w->inputs * taps;
	float bias = call->tensor[1] ? call->tensor[1]->data[output] : 0;
	double rest = bias;
	int64_t sum = 0, zeros = 0;
	for (int c = 0; c < w->inputs; c++)
		for (size_t i = 0; i < taps; i++) {
			int integer = integers[(size_t)c * taps + i];
			sum += integer;
			zeros += zero_of(call, c) * integer;
			if (call->image)
				rest -= (double)t->data[first + (size_t)c * taps + i] * call->image->scale[c] *
					(call->image->mean[c] - (float)zero_of(call, c));
		}
	if (!(fabs(rest) < 0x1p29 * (double)unit)) {
		memset(integers, 0, (size_t)w->inputs * taps);
		sum = zeros = 0;
		unit = rest == 0 ? 1 : (float)(fabs(rest) * 0x1p-20);
	}
	w->unit[output] = unit;
	w->bias[output] = (int32_t)(rint(rest / (double)unit) - (double)zeros);
	w->sum128[output] = (int32_t)(128 * sum);
}

static void place_integers(const struct infer_conv2d_u8_weights *w, int output, const int8_t *integers)
{
	for (int tap = 0; tap < w->taps; tap++)
		for (int c = 0; c < w->inputs; c++)
			w->integers[infer_conv2d_u8_place(w, output, c, tap)] =
				integers[(size_t)c * (size_t)w->taps + (size_t)tap];
}

void infer_conv2d_u8_pack(const struct infer_call *call, void *packed)
{
	int8_t integers[1 << 15]; /* no more inputs x taps: network_ranges.c */
	struct infer_conv2d_u8_weights w = weights_at(call, packed);
	memset(packed, 0, infer_conv2d_u8_packed(call));
	for (int o = 0; o < w.outputs; o++) {
		float unit = output_integers(call, &w, o, integers);
		pack_bias(call, &w, o, integers, unit);
		place_integers(&w, o, integers);
	}
#if defined(__wasm_simd128__)
	const struct infer_winograd_u8_weights weights = {w.integers, w.block_bytes, w.outputs, w.inputs, w.groups};
	if (infer_winograd_u8_suits(call))
		infer_winograd_u8_pack(&weights, winograd_at(call, packed));
#endif
}

/* --- multipliers ---------------------------------------------------------- */

static int operand_count(const struct infer_call *call)
{
	return call->plus ? 2 : 1;
}

static const struct infer_call *operand_call(const struct infer_call *call, int k)
{
	return k ? call->plus : call;
}

static size_t padded_outputs(const struct infer_call *call)
{
	return infer_round_up((size_t)call->tensor[0]->dims[0], INFER_U8_BLOCK);
}

size_t infer_conv2d_u8_constant_bytes(const struct infer_call *call)
{
	return (size_t)operand_count(call) * padded_outputs(call) * sizeof(float);
}

void infer_conv2d_u8_fill_constants(const struct infer_call *call, void *constants)
{
	float *multiplier = constants;
	int terms = call->plus || call->addend.c;
	for (int k = 0; k < operand_count(call); k++) {
		const struct infer_call *one = operand_call(call, k);
		const float *unit = weights_at(one, (void *)(uintptr_t)one->packed).unit;
		for (size_t o = 0; o < padded_outputs(call); o++, multiplier++) {
			*multiplier = unit[o];
			if (call->out.element == INFER_ELEMENT_U8)
				*multiplier = infer_u8_multiplier(unit[o] * (terms ? 1 << INFER_U8_FRACTION : 1),
								  call->out.scale);
		}
	}
}

/* --- a band's input ------------------------------------------------------- */

struct geometry {
	int kernel_h, kernel_w, stride, padding, dilation;
	int direct;                 /* windows are runs of the input as it is */
	int band_rows, rows, width; /* of the output in a band; packed rows, and pixels in one */
	size_t pixel;               /* lanes */
};

static struct geometry geometry(const struct infer_call *call, int band_rows)
{
	const int *args = call->step->args;
	const struct infer_map *in = &call->in[0], *out = &call->out;
	struct geometry g = {args[0], args[1], args[2], args[3], args[4], 0, band_rows, 0, 0, 0};
	int quads = (out->w + INFER_U8_QUAD - 1) / INFER_U8_QUAD;
	g.direct = sizeof(infer_u8_lane) == 1 && args[0] == 1 && args[1] == 1 && args[3] == 0 &&
		   in->c % INFER_U8_GROUP == 0 && out->w >= INFER_U8_QUAD;
	g.pixel = infer_round_up((size_t)in->c, INFER_U8_GROUP);
	g.rows = (band_rows - 1) * g.stride + (g.kernel_h - 1) * g.dilation + 1;
	/* Rows narrower than a quad are widened, so that a quad's windows are there. */
	int pixels = out->w < INFER_U8_QUAD ? quads * INFER_U8_QUAD : out->w;
	g.width = (pixels - 1) * g.stride + (g.kernel_w - 1) * g.dilation + 1;
	return g;
}

static size_t packed_lanes(const struct geometry *g)
{
	return g->direct ? 0 : (size_t)g->rows * (size_t)g->width * g->pixel;
}

/* How many output rows are done at a time: what they need of the input fits a near cache, and there is work for some
 * threads. */
static int band_rows(const struct infer_call *call)
{
	int rows = MAX_BAND_ROWS;
	while (rows > 1 && rows * 4 > call->out.h)
		rows /= 2;
	for (; rows > 4; rows /= 2) {
		size_t lanes = 0;
		for (int k = 0; k < operand_count(call); k++) {
			struct geometry g = geometry(operand_call(call, k), rows);
			lanes += (size_t)g.rows * (size_t)g.width * g.pixel;
		}
		if (lanes <= BAND_BYTES)
			break;
	}
	return rows;
}

int infer_conv2d_u8_row_step(const struct infer_call *call)
{
#if defined(__wasm_simd128__)
	if (infer_winograd_u8_suits(call))
		return infer_winograd_u8_row_step(call);
#endif
	return band_rows(call);
}

static size_t quad_count(const struct infer_call *call, int rows)
{
	return (size_t)rows * (size_t)((call->out.w + INFER_U8_QUAD - 1) / INFER_U8_QUAD);
}

static size_t quad_bytes(const struct infer_call *call, int rows)
{
	return infer_round_up(infer_round_up(quad_count(call, rows), INFER_U8_QUADS) *
				      sizeof(struct infer_conv2d_u8_quad),
			      64);
}

size_t infer_conv2d_u8_scratch(const struct infer_call *call)
{
	int rows = band_rows(call);
	size_t bytes = quad_bytes(call, rows);
	for (int k = 0; k < operand_count(call); k++) {
		struct geometry g = geometry(operand_call(call, k), rows);
		bytes += infer_round_up(packed_lanes(&g) * sizeof(infer_u8_lane), 64) + 64;
	}
#if defined(__wasm_simd128__)
	size_t winograd = infer_winograd_u8_suits(call) ? infer_winograd_u8_scratch(call) : 0;
	bytes = bytes > winograd ? bytes : winograd;
#endif
	return bytes;
}

static void fill_zeros(const struct infer_call *call, infer_u8_lane *out, int pixels, size_t pixel)
{
	for (int x = 0; x < pixels; x++)
		for (size_t c = 0; c < pixel; c++)
			out[(size_t)x * pixel + c] =
				(infer_u8_lane)(c < (size_t)call->in[0].c ? zero_of(call, (int)c) : 0);
}

static void copy_pixels(const struct infer_map *in, const uint8_t *from, infer_u8_lane *out, int pixels, size_t pixel)
{
	if (sizeof(infer_u8_lane) == 1 && in->pitch == pixel) {
		memcpy(out, from, (size_t)pixels * pixel);
		return;
	}
	for (int x = 0; x < pixels; x++, from += in->pitch, out += pixel) {
		if (sizeof(infer_u8_lane) == 1)
			memcpy(out, from, (size_t)in->c);
		for (int c = 0; sizeof(infer_u8_lane) != 1 && c < in->c; c++)
			out[c] = from[c];
		for (size_t c = (size_t)in->c; c < pixel; c++)
			out[c] = 0;
	}
}

/* Row y of the input from column -padding on. */
static void pack_row(const struct infer_call *call, const struct geometry *g, int y, infer_u8_lane *out)
{
	const struct infer_map *in = &call->in[0];
	int left = g->padding < g->width ? g->padding : g->width, copied = g->width - left;
	if (y < 0 || y >= in->h) {
		fill_zeros(call, out, g->width, g->pixel);
		return;
	}
	if (copied > in->w)
		copied = in->w;
	fill_zeros(call, out, left, g->pixel);
	copy_pixels(in, infer_u8_row(in, y), out + (size_t)left * g->pixel, copied, g->pixel);
	fill_zeros(call, out + (size_t)(left + copied) * g->pixel, g->width - left - copied, g->pixel);
}

/* --- a band --------------------------------------------------------------- */

static void set_operand(const struct infer_call *call, const struct geometry *g, const float *multiplier, int y,
			int rows, infer_u8_lane *packed, struct infer_conv2d_u8_operand *o)
{
	const struct infer_map *in = &call->in[0];
	struct infer_conv2d_u8_weights w = weights_at(call, (void *)(uintptr_t)call->packed);
	size_t pixel = g->direct ? in->pitch : g->pixel, row = pixel * (size_t)(g->direct ? in->w : g->width);
	int first = y * g->stride - g->padding;
	if (!g->direct)
		for (int r = 0; r < (rows - 1) * g->stride + (g->kernel_h - 1) * g->dilation + 1; r++)
			pack_row(call, g, first + r, packed + (size_t)r * row);
	/* Taps side by side in a row are one run where nothing lies between. */
	int joined = g->dilation == 1 && g->kernel_w > 1;
	*o = (struct infer_conv2d_u8_operand){
		.in = g->direct ? (const infer_u8_lane *)(const void *)infer_u8_row(in, first) : packed,
		.pixel_stride = pixel * (size_t)g->stride,
		.row_stride = row * (size_t)g->stride,
		.run_step_y = row * (size_t)g->dilation,
		.run_step_x = pixel * (size_t)g->dilation,
		.runs_y = g->kernel_h,
		.runs_x = joined ? 1 : g->kernel_w,
		.groups = joined ? g->kernel_w * w.groups : w.groups,
		.weight = w.integers,
		.block_bytes = w.block_bytes,
		.bias = w.bias,
		.sum128 = w.sum128,
		.multiplier = multiplier,
	};
}

/* A row's last quad ends where the row does; it may repeat pixels of the one before. */
static void list_quads(const struct infer_call *call, const struct infer_conv2d_u8_band *band, int rows,
		       struct infer_conv2d_u8_quad *quads)
{
	int w = call->out.w, last = w < INFER_U8_QUAD ? 0 : w - INFER_U8_QUAD;
	for (int y = 0; y < rows; y++)
		for (int first = 0; first < w; first += INFER_U8_QUAD, quads++) {
			size_t x = (size_t)(first < last ? first : last);
			for (int k = 0; k < band->operand_count; k++)
				quads->in[k] = (uint32_t)((size_t)y * band->operand[k].row_stride +
							  x * band->operand[k].pixel_stride);
			quads->out = (uint32_t)((size_t)y * (size_t)w + x);
		}
	for (int i = band->quad_count; i % INFER_U8_QUADS; i++, quads++)
		*quads = quads[-1];
}

#if defined(__aarch64__)
/* Linux and Android say it; elsewhere what the compiler was told. */
static bool has_dot_product(void)
{
#if defined(__linux__)
	return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#elif defined(__ARM_FEATURE_DOTPROD)
	return true;
#else
	return false;
#endif
}
#endif

static void run_inner(const struct infer_conv2d_u8_band *band, enum infer_isa isa)
{
#if defined(__x86_64__)
	if (isa == INFER_ISA_AVX512 && __builtin_cpu_supports("avx512vnni") && band->pixels == INFER_U8_QUAD)
		infer_conv2d_u8_vnni(band);
	else if (isa == INFER_ISA_AVX2 || isa == INFER_ISA_AVX512)
		infer_conv2d_u8_avx2(band);
	else if (isa == INFER_ISA_GENERIC)
		infer_conv2d_u8_sse2(band);
	else
		infer_conv2d_u8_generic(band); /* for tests: what other processors run */
#elif defined(__wasm_simd128__)
	(void)isa;
	infer_conv2d_u8_wasm(band);
#elif defined(__aarch64__)
	(void)isa;
	if (has_dot_product())
		infer_conv2d_u8_neon_dot(band);
	else
		infer_conv2d_u8_neon(band);
#else
	(void)isa;
	infer_conv2d_u8_generic(band);
#endif
}

/* Output from row y on, without operands yet. */
static struct infer_conv2d_u8_band band_from(const struct infer_call *call, int y)
{
	const struct infer_map *out = &call->out, *addend = &call->addend;
	struct infer_conv2d_u8_band band = {
		.operand_count = operand_count(call),
		.outputs = out->c,
		.pixels = out->w < INFER_U8_QUAD ? out->w : INFER_U8_QUAD,
		.out_pitch = out->pitch,
		.zero = out->zero,
		.low = call->relu ? 0 : -out->zero,
	};
	if (out->element == INFER_ELEMENT_U8)
		band.out = infer_u8_row(out, y);
	else
		band.logits = (float *)out->data + (size_t)y * (size_t)out->w * out->pitch;
	if (addend->c) {
		band.addend = infer_u8_row(addend, y);
		band.addend_pitch = addend->pitch;
		band.addend_zero = addend->zero;
		band.addend_multiplier = infer_u8_term(addend->scale, out->scale);
	}
	return band;
}

static void run_band(const struct infer_call *call, int y, int rows, int full_rows, char *scratch)
{
	struct infer_conv2d_u8_band band = band_from(call, y);
	band.quads = (const struct infer_conv2d_u8_quad *)(void *)scratch;
	band.quad_count = (int)quad_count(call, rows);
	char *packed = scratch + quad_bytes(call, full_rows);
	for (int k = 0; k < band.operand_count; k++) {
		const struct infer_call *one = operand_call(call, k);
		struct geometry g = geometry(one, full_rows);
		set_operand(one, &g, (const float *)call->constants + (size_t)k * padded_outputs(call), y, rows,
			    (infer_u8_lane *)(void *)packed, &band.operand[k]);
		packed += infer_round_up(packed_lanes(&g) * sizeof(infer_u8_lane), 64) + 64;
	}
	list_quads(call, &band, rows, (struct infer_conv2d_u8_quad *)(void *)scratch);
	run_inner(&band, call->isa);
}

#if defined(__wasm_simd128__)
/* False where it cannot be done so. */
static bool run_winograd(const struct infer_call *call, int first, int end, void *scratch)
{
	const void *packed = winograd_at(call, call->packed);
	if (!packed || call->plus || !infer_winograd_u8_is_exact(packed))
		return false;
	struct infer_conv2d_u8_band band = band_from(call, 0);
	band.operand[0].bias = weights_at(call, (void *)(uintptr_t)call->packed).bias;
	band.operand[0].multiplier = call->constants;
	infer_winograd_u8(call, &band, packed, first, end, scratch);
	return true;
}
#endif

void infer_conv2d_u8(const struct infer_call *call, int first, int end, void *scratch)
{
#if defined(__wasm_simd128__)
	if (run_winograd(call, first, end, scratch))
		return;
#endif
	int rows = band_rows(call);
	for (int y = first; y < end; y += rows)
		run_band(call, y, end - y < rows ? end - y : rows, rows, scratch);
}

/* --- the end of a sum ----------------------------------------------------- */

static uint8_t byte_of(const struct infer_conv2d_u8_band *b, const int32_t *const sums[2], const uint8_t *addend,
		       int output, int i)
{
	if (infer_conv2d_u8_is_simple(b)) {
		float t = (float)sums[0][i] * b->operand[0].multiplier[output];
		return (uint8_t)(infer_nearest(infer_limit(t, (float)b->low, (float)(255 - b->zero))) + b->zero);
	}
	int sum = addend ? (addend[output] - b->addend_zero) * b->addend_multiplier : 0;
	for (int k = 0; k < b->operand_count; k++) {
		float t = (float)sums[k][i] * b->operand[k].multiplier[output];
		sum += infer_nearest(infer_limit(t, -INFER_U8_TERM_LIMIT, INFER_U8_TERM_LIMIT));
	}
	return infer_u8_from_terms(sum, b->low, b->zero);
}

void infer_conv2d_u8_finish(const struct infer_conv2d_u8_band *band, const struct infer_conv2d_u8_quad *quad, int block,
			    const int32_t sums[2][INFER_U8_QUAD][INFER_U8_BLOCK])
{
	int first = block * INFER_U8_BLOCK, count = band->outputs - first;
	count = count < INFER_U8_BLOCK ? count : INFER_U8_BLOCK;
	for (int p = 0; p < band->pixels; p++) {
		size_t pixel = quad->out + (size_t)p;
		const uint8_t *addend = band->addend ? band->addend + pixel * band->addend_pitch : NULL;
		const int32_t *const of_pixel[2] = {sums[0][p], sums[1][p]};
		for (int i = 0; i < count; i++) {
			size_t at = pixel * band->out_pitch + (size_t)(first + i);
			if (band->out)
				band->out[at] = byte_of(band, of_pixel, addend, first + i, i);
			else
				band->logits[at] = (float)sums[0][p][i] * band->operand[0].multiplier[first + i];
		}
	}
}
