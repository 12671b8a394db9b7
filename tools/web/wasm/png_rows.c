/* The filters of the PNG specification, 9.2. The choice is its recommended rule (12.7): the smallest sum of absolute
 * differences. */
#include "png_rows.h"

#include <stdlib.h>
#include <string.h>

enum { NONE, SUB, UP, AVERAGE, PAETH, FILTERS };

static int paeth(int left, int above, int corner)
{
	int p = left + above - corner, to_left = abs(p - left), to_above = abs(p - above), to_corner = abs(p - corner);
	return to_left <= to_above && to_left <= to_corner ? left : to_above <= to_corner ? above : corner;
}

static inline uint8_t difference(int filter, const uint8_t *row, const uint8_t *above, size_t i, size_t channels)
{
	int left = i < channels ? 0 : row[i - channels], corner = i < channels ? 0 : above[i - channels];
	switch (filter) {
	case SUB: return (uint8_t)(row[i] - left);
	case UP: return (uint8_t)(row[i] - above[i]);
	case AVERAGE: return (uint8_t)(row[i] - (left + above[i]) / 2);
	case PAETH: return (uint8_t)(row[i] - paeth(left, above[i], corner));
	default: return row[i];
	}
}

/* Every eighth pixel is enough to choose by. */
static unsigned long cost(int filter, const uint8_t *row, const uint8_t *above, size_t bytes, size_t channels)
{
	unsigned long sum = 0;
	for (size_t i = 0; i < bytes; i += 8 * channels)
		for (size_t c = 0; c < channels; c++)
			sum += (unsigned long)abs((int8_t)difference(filter, row, above, i + c, channels));
	return sum;
}

void png_row(const uint8_t *row, const uint8_t *above, size_t bytes, int channels, uint8_t *out)
{
	int best = NONE;
	unsigned long least = cost(NONE, row, above, bytes, (size_t)channels);
	for (int filter = SUB; filter < FILTERS; filter++) {
		unsigned long sum = cost(filter, row, above, bytes, (size_t)channels);
		if (sum < least) {
			least = sum;
			best = filter;
		}
	}
	*out++ = (uint8_t)best;
	for (size_t i = 0; i < bytes; i++)
		out[i] = difference(best, row, above, i, (size_t)channels);
}
