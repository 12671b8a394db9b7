/* y = x min(max(x + 3, 0), 6) / 6 (Howard et al., "Searching for MobileNetV3", ICCV 2019, section 5.2); dy/dx is 0
 * below -3, 1 above 3 and (2 x + 3) / 6 between. */
#include "core/ops/pointwise.h"

static inline float value(float x)
{
	float gate = x * (1.0f / 6) + 0.5f;
	gate = gate < 0 ? 0 : gate;
	return x * (gate > 1 ? 1 : gate);
}

static inline float slope(float x)
{
	float between = x * (1.0f / 3) + 0.5f;
	between = x < -3 ? 0 : between;
	return x > 3 ? 1 : between;
}

POINTWISE_OP(hard_swish)
