/* Wall-clock seconds from an arbitrary start, for rates and estimates. Nothing that is computed may depend on it. */
#ifndef TRAIN_CLOCK_H
#define TRAIN_CLOCK_H

#include <time.h>

static inline double clock_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
