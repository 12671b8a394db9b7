/* Fuzz target: masks from strings, counts, polygons and boxes. Beyond "no crash", what is accepted must keep its
 * promises. See replay.c for how to run it.
 *
 * Input: a byte for the notation, width - 1, height - 1, then the text, or 32-bit counts, or 16-bit fixed-point
 * coordinates. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/rle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rle_must(int holds)
{
	if (!holds)
		abort();
}

static void check_pixels(const struct rle *rle)
{
	enum { SMALL = 4096 }; /* larger ones take time and show nothing new */
	uint8_t mask[SMALL];
	size_t pixels = (size_t)rle->width * (size_t)rle->height;
	struct rle again;
	uint64_t area = 0;
	if (pixels > SMALL)
		return;
	rle_to_mask(rle, mask);
	for (size_t i = 0; i < pixels; i++)
		area += mask[i];
	rle_must(area == rle_area(rle));
	rle_must(rle_from_mask(&again, mask, rle->width, rle->height) == STATUS_OK && again.count <= rle->count);
	rle_release(&again);
}

static char *check_mask(const struct rle *rle)
{
	uint64_t sum = 0, area = rle_area(rle);
	for (int i = 0; i < rle->count; i++)
		sum += rle->counts[i];
	rle_must(sum == (uint64_t)rle->width * (uint64_t)rle->height);
	check_pixels(rle);

	struct rle again;
	char *text = rle_to_string(rle);
	rle_must(rle_from_string(&again, text, strlen(text), rle->width, rle->height) == STATUS_OK);
	rle_must(again.count == rle->count &&
		 memcmp(again.counts, rle->counts, (size_t)rle->count * sizeof *rle->counts) == 0);
	struct rle both[2] = {*rle, again}, united;
	rle_must(rle_union(&united, both, 2) == STATUS_OK && rle_area(&united) == area);
	rle_release(&united);
	rle_release(&again);
	return text;
}

static enum status from_counts(struct rle *rle, const uint8_t *data, size_t size, int width, int height)
{
	uint32_t counts[256];
	size_t count = size / 4 < 256 ? size / 4 : 256;
	memcpy(counts, data, count * 4);
	return rle_from_counts(rle, counts, (int)count, width, height);
}

static enum status from_polygon(struct rle *rle, const uint8_t *data, size_t size, int width, int height)
{
	double xy[256] = {0};
	size_t count = size / 2 < 256 ? size / 2 : 256;
	for (size_t i = 0; i < count; i++) {
		int16_t value;
		memcpy(&value, data + 2 * i, 2);
		xy[i] = value == INT16_MAX ? NAN : value % 7 == 6 ? value * 40.0 : value / 64.0; /* some far away */
	}
	return count == 4 ? rle_from_bbox(rle, xy, width, height)
			  : rle_from_polygon(rle, xy, (int)count, width, height);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	int width = 1 + data[1], height = 1 + data[2];
	const uint8_t *rest = data + 3;
	struct rle rle;
	enum status status;
	if (data[0] % 3 == 0)
		status = rle_from_string(&rle, (const char *)rest, size - 3, width, height);
	else if (data[0] % 3 == 1)
		status = from_counts(&rle, rest, size - 3, width, height);
	else
		status = from_polygon(&rle, rest, size - 3, width, height);
	if (status != STATUS_OK) {
		rle_must(rle.counts == NULL && status_message()[0] != '\0');
		return 0;
	}
	char *text = check_mask(&rle);
	if (data[0] % 3 == 0) /* what was read is written again byte for byte */
		rle_must(strlen(text) == size - 3 && memcmp(text, rest, size - 3) == 0);
	free(text);
	rle_release(&rle);
	return 0;
}
