/* See layer_norm.h. Sums over channels run along the vector, so they have the 16 lanes of sum_floats; sums over pixels
 * are one chain of doubles per channel. */
#include "core/kernels/layer_norm.h"

#include <math.h>

#include "core/kernels/kernel.h"

void KERNEL(layer_norm)(const struct layer_norm *n)
{
	size_t channels = (size_t)n->channels;
	const float *restrict weight = n->weight, *restrict bias = n->bias;
	for (size_t p = 0; p < n->pixels; p++) {
		const float *restrict x = n->x + p * channels;
		float *restrict y = n->y + p * channels;
		float mean = (float)(KERNEL(sum_floats)(x, channels) / (double)channels);
		for (size_t c = 0; c < channels; c++)
			y[c] = x[c] - mean;
		double variance = KERNEL(sum_of_squares)(y, channels) / (double)channels;
		float inverse = (float)(1 / sqrt(variance + n->epsilon));
		for (size_t c = 0; c < channels; c++)
			y[c] = y[c] * inverse * weight[c] + bias[c];
		n->mean[p] = mean;
		n->deviation_inverse[p] = inverse;
	}
}

void KERNEL(layer_norm_grad)(const struct layer_norm_grad *n, bool add)
{
	size_t channels = (size_t)n->channels;
	const float *restrict weight = n->weight;
	double *restrict weight_grad = n->weight_grad, *restrict bias_grad = n->bias_grad;
	float *restrict g = n->scratch, *restrict gh = n->scratch + channels;
	for (size_t c = 0; c < channels; c++)
		weight_grad[c] = bias_grad[c] = 0;
	for (size_t p = 0; p < n->pixels; p++) {
		const float *restrict x = n->x + p * channels, *restrict y_grad = n->y_grad + p * channels;
		float mean = n->mean[p], inverse = n->deviation_inverse[p];
		for (size_t c = 0; c < channels; c++) {
			float h = (x[c] - mean) * inverse;
			weight_grad[c] += (double)y_grad[c] * (double)h;
			bias_grad[c] += (double)y_grad[c];
			g[c] = y_grad[c] * weight[c];
			gh[c] = g[c] * h;
		}
		if (!n->x_grad)
			continue;
		float by_one = (float)(KERNEL(sum_floats)(g, channels) / (double)channels);
		float by_value = (float)(KERNEL(sum_floats)(gh, channels) / (double)channels);
		float *restrict x_grad = n->x_grad + p * channels;
		for (size_t c = 0; c < channels; c++) {
			float grad = inverse * (g[c] - by_one - (x[c] - mean) * inverse * by_value);
			x_grad[c] = add ? x_grad[c] + grad : grad;
		}
	}
}
