/* Gaussian error linear unit, y = x P(X <= x) for a normal X, in the form with tanh (Hendrycks and Gimpel, "Gaussian
 * Error Linear Units", arXiv 1606.08415, section 2):
 *
 * 	y = x (1 + tanh(t)) / 2 = x s(2 t),    t = sqrt(2 / pi) (x + 0.044715 x^3),    s the logistic function
 * 	dy/dx = s + x s (1 - s) sqrt(8 / pi) (1 + 3 * 0.044715 x^2)
 *
 * Beyond +-10, s is 0 or 1 to the last bit of y; there x^3 is not computed, which could overflow. */
#include "core/ops/pointwise.h"

static const float LINEAR = 1.59576912f, CUBIC = 0.0713548163f; /* sqrt(8 / pi), and that times 0.044715 */

static inline float within(float x)
{
	return x < -10 ? -10 : x > 10 ? 10 : x;
}

static inline float value(float x)
{
	float near = within(x), s = vmath_sigmoid((LINEAR + CUBIC * (near * near)) * near).value;
	return x > 10 ? x : near * s;
}

static inline float slope(float x)
{
	float near = within(x), square = near * near;
	struct vmath_sigmoid s = vmath_sigmoid((LINEAR + CUBIC * square) * near);
	return s.value + near * (s.value * s.rest) * (LINEAR + 3 * CUBIC * square);
}

POINTWISE_OP(gelu)
