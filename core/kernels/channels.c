/* Sums over pixels and maps with one value per channel, channels last: x is `pixels` times `channels`, vectors run over
 * channels. A sum is one chain of doubles per channel, pixel after pixel. */
#include "core/kernels/channels.h"

#include "core/kernels/kernel.h"

/* Pixels per pass over the sums: these stay in registers meanwhile, the order is the same. */
enum { BLOCK = 4 };

/* One body for all: TERM(p) is what pixel p adds to channel c. */
#define CHANNEL_SUM(TERM)                                                        \
	do {                                                                     \
		for (int c = 0; c < channels; c++)                               \
			sum[c] = 0;                                              \
		size_t p = 0;                                                    \
		for (; p + BLOCK <= pixels; p += BLOCK)                          \
			for (int c = 0; c < channels; c++) {                     \
				double s = sum[c];                               \
				for (size_t i = 0; i < BLOCK; i++)               \
					s += TERM((p + i) * stride + (size_t)c); \
				sum[c] = s;                                      \
			}                                                        \
		for (; p < pixels; p++)                                          \
			for (int c = 0; c < channels; c++)                       \
				sum[c] += TERM(p * stride + (size_t)c);          \
	} while (0)

void KERNEL(channel_sums)(const float *restrict x, size_t pixels, int channels, double *restrict sum)
{
	size_t stride = (size_t)channels;
#define TERM(at) (double)x[at]
	CHANNEL_SUM(TERM);
#undef TERM
}

void KERNEL(channel_products)(const float *x, const float *y, size_t pixels, int channels, double *restrict sum)
{
	size_t stride = (size_t)channels;
#define TERM(at) (double)x[at] * (double)y[at]
	CHANNEL_SUM(TERM);
#undef TERM
}

void KERNEL(channel_squares)(const float *restrict x, const double *restrict mean, size_t pixels, int channels,
			     double *restrict sum)
{
	size_t stride = (size_t)channels;
#define TERM(at) ((double)x[at] - mean[c]) * ((double)x[at] - mean[c])
	CHANNEL_SUM(TERM);
#undef TERM
}

void KERNEL(channel_centred_products)(const float *restrict a, const float *restrict x, const double *restrict mean,
				      size_t pixels, int channels, double *restrict sum)
{
	size_t stride = (size_t)channels;
#define TERM(at) (double)a[at] * ((double)x[at] - mean[c])
	CHANNEL_SUM(TERM);
#undef TERM
}

/* y = x + value[c]; y may be x. */
void KERNEL(channel_add)(float *y, const float *x, const float *value, size_t pixels, int channels)
{
	for (size_t p = 0; p < pixels; p++, x += channels, y += channels) {
		INDEPENDENT
		for (int c = 0; c < channels; c++)
			y[c] = x[c] + value[c];
	}
}

/* y = x * value[c], or y += x * value[c]. */
void KERNEL(channel_scale)(float *restrict y, const float *restrict x, const float *restrict value, size_t pixels,
			   int channels, bool add)
{
	for (size_t p = 0; p < pixels; p++, x += channels, y += channels)
		if (add)
			for (int c = 0; c < channels; c++)
				y[c] += x[c] * value[c];
		else
			for (int c = 0; c < channels; c++)
				y[c] = x[c] * value[c];
}

/* y = value[c], or y += value[c]. */
void KERNEL(channel_fill)(float *restrict y, const float *restrict value, size_t pixels, int channels, bool add)
{
	for (size_t p = 0; p < pixels; p++, y += channels)
		if (add)
			for (int c = 0; c < channels; c++)
				y[c] += value[c];
		else
			for (int c = 0; c < channels; c++)
				y[c] = value[c];
}

/* y = (x - mean[c]) * factor[c] + bias[c]. */
void KERNEL(channel_normalise)(float *restrict y, const float *restrict x, const float *restrict mean,
			       const float *restrict factor, const float *restrict bias, size_t pixels, int channels)
{
	for (size_t p = 0; p < pixels; p++, x += channels, y += channels)
		for (int c = 0; c < channels; c++)
			y[c] = (x[c] - mean[c]) * factor[c] + bias[c];
}

/* x_grad = by_grad[c] g + (by_value[c] (x - mean[c]) + constant[c]), or += of it. */
void KERNEL(channel_normalise_grad)(const struct channel_normalise_grad *n, size_t pixels, int channels, bool add)
{
	const float *restrict g = n->out_grad, *restrict x = n->x, *restrict mean = n->mean;
	const float *restrict by_grad = n->by_grad, *restrict by_value = n->by_value, *restrict constant = n->constant;
	float *restrict x_grad = n->x_grad;
	for (size_t p = 0; p < pixels; p++, x += channels, g += channels, x_grad += channels)
		for (int c = 0; c < channels; c++) {
			float grad = by_grad[c] * g[c] + (by_value[c] * (x[c] - mean[c]) + constant[c]);
			x_grad[c] = add ? x_grad[c] + grad : grad;
		}
}
