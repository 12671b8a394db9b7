/* One output per element, from the elements at the same place. The output may be an input where this is said:
 * INDEPENDENT tells the compiler that no element depends on another one. */
#include "core/kernels/kernel.h"
#include "core/kernels/vmath.h"

/* to[i] = VALUE or to[i] += VALUE for all i; when storing, `to` may be an input. */
#define STORE_OR_ADD(to, VALUE)                                                           \
	do {                                                                              \
		if (add) {                                                                \
			INDEPENDENT for (size_t i = 0; i < count; i++)(to)[i] += (VALUE); \
		} else {                                                                  \
			INDEPENDENT for (size_t i = 0; i < count; i++)(to)[i] = (VALUE);  \
		}                                                                         \
	} while (0)

/* v where `yes`, else 0: by its bits, because compilers turn a choice between a load and 0 into a branch. */
static inline float where(bool yes, float v)
{
	union {
		float value;
		uint32_t bits;
	} u = {v};
	u.bits &= -(uint32_t)yes;
	return u.value;
}

/* y may be x. */
void KERNEL(relu)(float *y, const float *x, size_t count)
{
	INDEPENDENT
	for (size_t i = 0; i < count; i++)
		y[i] = 0 > x[i] ? 0 : x[i];
}

void KERNEL(relu_grad)(float *x_grad, const float *y, const float *y_grad, size_t count, bool add)
{
	STORE_OR_ADD(x_grad, where(y[i] > 0, y_grad[i]));
}

/* y may be x. */
void KERNEL(leaky_relu)(float *y, const float *x, float slope, size_t count)
{
	INDEPENDENT
	for (size_t i = 0; i < count; i++)
		y[i] = x[i] > 0 ? x[i] : slope * x[i];
}

void KERNEL(leaky_relu_grad)(float *x_grad, const float *y, const float *y_grad, float slope, size_t count, bool add)
{
	STORE_OR_ADD(x_grad, y[i] > 0 ? y_grad[i] : slope * y_grad[i]);
}

void KERNEL(sigmoid)(float *restrict y, const float *restrict x, size_t count)
{
	for (size_t i = 0; i < count; i++)
		y[i] = vmath_sigmoid(x[i]).value;
}

void KERNEL(sigmoid_grad)(float *x_grad, const float *y, const float *y_grad, size_t count, bool add)
{
	STORE_OR_ADD(x_grad, y_grad[i] * y[i] * (1 - y[i]));
}

void KERNEL(tanh_floats)(float *restrict y, const float *restrict x, size_t count)
{
	for (size_t i = 0; i < count; i++)
		y[i] = vmath_tanh(x[i]);
}

void KERNEL(tanh_grad)(float *x_grad, const float *y, const float *y_grad, size_t count, bool add)
{
	STORE_OR_ADD(x_grad, y_grad[i] * (1 - y[i]) * (1 + y[i]));
}

/* out = a - b; out may be a or b. */
void KERNEL(subtract_floats)(float *out, const float *a, const float *b, size_t count)
{
	INDEPENDENT
	for (size_t i = 0; i < count; i++)
		out[i] = a[i] - b[i];
}

/* out = a + b; out may be a or b. */
void KERNEL(add_floats)(float *out, const float *a, const float *b, size_t count)
{
	INDEPENDENT
	for (size_t i = 0; i < count; i++)
		out[i] = a[i] + b[i];
}

void KERNEL(multiply_floats)(float *out, const float *a, const float *b, size_t count, bool add)
{
	STORE_OR_ADD(out, a[i] * b[i]);
}

void KERNEL(scale_floats)(float *to, const float *from, float factor, size_t count, bool add)
{
	STORE_OR_ADD(to, factor * from[i]);
}

/* factor * from where kept[i] is not 0, else 0. */
void KERNEL(scale_kept)(float *to, const float *from, const uint8_t *kept, float factor, size_t count, bool add)
{
	STORE_OR_ADD(to, where(kept[i], factor * from[i]));
}
