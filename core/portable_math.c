/* See portable_math.h. Every function reduces its argument to a short interval without rounding error that
 * matters, then sums a Taylor series by Horner's rule. frexp, ldexp and floor are exact by definition
 * and come from libm. */
#include "core/portable_math.h"

#include <assert.h>
#include <float.h>
#include <math.h>

/* ln 2 in two parts; the first has 21 trailing zero bits, so that its product with an exponent is exact. */
static const double LN2_HIGH = 0x1.62e42fee00000p-1;
static const double LN2_LOW = 0x1.a39ef35793c76p-33;
static const double PI = 0x1.921fb54442d18p+1;

/* x = 2^e m with m in [sqrt(1/2), sqrt(2)); log m = 2 artanh s, s = (m - 1) / (m + 1), |s| < 0.172. */
double portable_log(double x)
{
	assert(x >= DBL_MIN && x <= DBL_MAX);
	int exponent;
	double m = frexp(x, &exponent);
	if (m < 0x1.6a09e667f3bcdp-1) {
		m *= 2;
		exponent--;
	}
	double s = (m - 1) / (m + 1), s2 = s * s, sum = 0;
	for (int k = 23; k >= 1; k -= 2)
		sum = sum * s2 + 1.0 / k;
	return exponent * LN2_HIGH + (exponent * LN2_LOW + 2 * s * sum);
}

/* x = k ln 2 + r, |r| <= ln 2 / 2. */
double portable_exp(double x)
{
	x = x < -700 ? -700 : x > 700 ? 700 : x;
	double k = floor(x / (LN2_HIGH + LN2_LOW) + 0.5);
	double r = (x - k * LN2_HIGH) - k * LN2_LOW;
	double sum = 1;
	for (int n = 17; n >= 1; n--)
		sum = 1 + sum * r / n;
	return ldexp(sum, (int)k);
}

/* cos and sin of an angle in [-pi/4, pi/4]. */
static double cos_small(double angle)
{
	double a2 = angle * angle, sum = 1;
	for (int n = 18; n >= 2; n -= 2)
		sum = 1 - sum * a2 / (n * (n - 1));
	return sum;
}

static double sin_small(double angle)
{
	double a2 = angle * angle, sum = 1;
	for (int n = 19; n >= 3; n -= 2)
		sum = 1 - sum * a2 / (n * (n - 1));
	return angle * sum;
}

/* In turns the reduction to an eighth of a turn is exact. */
double portable_cos_turns(double x)
{
	double quarters = floor(4 * x + 0.5);
	double angle = (x - quarters / 4) * 2 * PI;
	switch ((int64_t)quarters & 3) {
	case 0: return cos_small(angle);
	case 1: return -sin_small(angle);
	case 2: return -cos_small(angle);
	default: return sin_small(angle);
	}
}

double portable_pow(double x, double y)
{
	if (y == 0)
		return 1;
	if (x < DBL_MIN)
		return 0;
	return portable_exp(y * portable_log(x));
}

double portable_powi(double x, uint64_t n)
{
	double power = 1;
	for (; n; n >>= 1, x *= x)
		if (n & 1)
			power *= x;
	return power;
}
