/* See robot.h. RITM's clicker (docs/protocol.md, 1) compares float distances; squared integer distances
 * give the same comparisons, because float32 square roots keep integers apart below radius 2900. */
#include "data/robot.h"

#include "data/distance.h"

size_t robot_workspace(int w, int h)
{
	size_t pixels = (size_t)w * (size_t)h;
	return pixels * (sizeof(int32_t) + 1) + distance_workspace(w, h) + sizeof(int32_t);
}

struct peak {
	int32_t square; /* squared distance */
	size_t pixel;
};

/* The first pixel, in row-major order, that is deepest inside the mask; clicked pixels count as depth 0. */
static struct peak find_peak(const uint8_t *mask, int w, int h, const struct click_list *clicks, int32_t *depth,
			     void *scratch)
{
	distance_squared(mask, w, h, 1, depth, scratch);
	for (int i = 0; i < clicks->count; i++)
		depth[(size_t)clicks->items[i].y * w + clicks->items[i].x] = 0;
	struct peak peak = {0, 0};
	size_t pixels = (size_t)w * (size_t)h;
	for (size_t i = 0; i < pixels; i++)
		if (depth[i] > peak.square)
			peak = (struct peak){depth[i], i};
	return peak;
}

struct click robot_next_click(const uint8_t *pred, const uint8_t *truth, int w, int h, const struct click_list *clicks,
			      void *workspace)
{
	size_t pixels = (size_t)w * (size_t)h;
	int32_t *depth = workspace;
	char *scratch = (char *)(depth + pixels);
	uint8_t *error = (uint8_t *)scratch + distance_workspace(w, h);

	for (size_t i = 0; i < pixels; i++)
		error[i] = truth[i] == TRUTH_OBJECT && !pred[i];
	struct peak missed = find_peak(error, w, h, clicks, depth, scratch);
	for (size_t i = 0; i < pixels; i++)
		error[i] = truth[i] == TRUTH_BACKGROUND && pred[i];
	struct peak wrong = find_peak(error, w, h, clicks, depth, scratch);

	bool positive = missed.square > wrong.square;
	size_t pixel = positive ? missed.pixel : wrong.pixel;
	return (struct click){.x = (int)(pixel % (size_t)w), .y = (int)(pixel / (size_t)w), .positive = positive};
}
