/* See feather.h. The triangle of 2 n - 1 weights 1..n..1 slides by T(x + 1) = T(x) + R - L, where R is the sum of
 * the n samples after x and L that of the n samples up to x; each is a sliding sum itself. */
#include "feather.h"

#include <stdbool.h>
#include <string.h>

#include "../common/arena.h"
#include "../common/bytes.h"

enum { MAX_BOX = (INFER_FEATHER_MAX + 1) / 2 + 1, SHIFT = 40 };

/* T / n^2, rounded, as a product: exact, because T < 2^22 and the factor is too large by less than 1. */
struct divisor {
	uint64_t factor;
	uint32_t half;
};

static struct divisor divisor_of(int box)
{
	uint64_t square = (uint64_t)box * (uint64_t)box;
	return (struct divisor){((uint64_t)1 << SHIFT) / square + 1, (uint32_t)(square / 2)};
}

static inline uint8_t divide(uint32_t sum, struct divisor d)
{
	return (uint8_t)((uint64_t)(sum + d.half) * d.factor >> SHIFT);
}

static size_t padded(int w)
{
	return infer_round_up((size_t)w + 2 * MAX_BOX, INFER_ALIGNMENT);
}

/* A ring of MAX_BOX rows, which also serves as the one padded row, and three sums for each column. */
size_t infer_feather_workspace(int w)
{
	return padded(w) * MAX_BOX + 3 * padded(w) * sizeof(uint32_t);
}

static bool is_constant(const uint8_t *row, int w)
{
	return memcmp(row, row + 1, (size_t)w - 1) == 0;
}

static void feather_row(uint8_t *row, int w, int box, struct divisor d, uint8_t *copy)
{
	if (is_constant(row, w))
		return;
	uint8_t *in = copy + box;
	memset(copy, row[0], (size_t)box);
	memcpy(in, row, (size_t)w);
	memset(in + w, row[w - 1], (size_t)box);
	uint32_t sum = 0, left = 0, right = 0;
	for (int k = 1 - box; k < box; k++)
		sum += (uint32_t)in[k] * (uint32_t)(box - (k < 0 ? -k : k));
	for (int k = 0; k < box; k++) {
		left += in[-k];
		right += in[k + 1];
	}
	for (int x = 0; x < w; x++) {
		row[x] = divide(sum, d);
		sum += right - left;
		left += in[x + 1] - (uint32_t)in[x + 1 - box];
		right += in[x + box + (x + 1 < w)] - (uint32_t)in[x + 1];
	}
}

struct columns {
	uint32_t *sum, *left, *right;
};

static void start_columns(const struct columns *c, const uint8_t *alpha, int w, int h, size_t stride, int box)
{
	memset(c->sum, 0, (size_t)w * sizeof *c->sum);
	memset(c->left, 0, (size_t)w * sizeof *c->left);
	memset(c->right, 0, (size_t)w * sizeof *c->right);
	for (int k = 1 - box; k <= box; k++) {
		const uint8_t *row = alpha + (size_t)(k < 0 ? 0 : k < h ? k : h - 1) * stride;
		uint32_t weight = (uint32_t)(box - (k < 0 ? -k : k));
		for (int x = 0; x < w; x++) {
			c->sum[x] += weight * row[x];
			c->left[x] += k <= 0 ? row[x] : 0;
			c->right[x] += k > 0 ? row[x] : 0;
		}
	}
}

/* Row y's original is in `now`; `next` is that of y + 1, `gone` that of y + 1 - box, `come` that of y + 1 + box. */
static void feather_columns(const struct columns *c, uint8_t *out, int w, struct divisor d, const uint8_t *gone,
			    const uint8_t *next, const uint8_t *come)
{
	uint32_t *restrict sum = c->sum, *restrict left = c->left, *restrict right = c->right;
	for (int x = 0; x < w; x++) {
		out[x] = divide(sum[x], d);
		sum[x] += right[x] - left[x];
		left[x] += next[x] - (uint32_t)gone[x];
		right[x] += come[x] - (uint32_t)next[x];
	}
}

void infer_feather(uint8_t *alpha, int w, int h, size_t stride, float pixels, void *workspace)
{
	int box = (int)((pixels + 1) / 2 + 0.5f);
	box = box < MAX_BOX ? box : MAX_BOX - 1;
	if (box < 2)
		return;
	struct divisor d = divisor_of(box);
	size_t width = padded(w);
	uint32_t *sums = workspace;
	struct columns c = {sums, sums + width, sums + 2 * width};
	uint8_t *ring = (uint8_t *)(sums + 3 * width);
	for (int y = 0; y < h; y++)
		feather_row(alpha + (size_t)y * stride, w, box, d, ring);
	start_columns(&c, alpha, w, h, stride, box);
	/* The originals of rows y + 1 - box .. y; those before row 0 are row 0. */
	for (int y = 0; y < h; y++) {
		uint8_t *row = alpha + (size_t)y * stride;
		memcpy(ring + (size_t)(y % box) * width, row, (size_t)w);
		if (y == 0)
			for (int k = 1; k < box; k++)
				memcpy(ring + (size_t)k * width, row, (size_t)w);
		const uint8_t *gone = ring + (size_t)((y + 1) % box) * width;
		const uint8_t *now = ring + (size_t)(y % box) * width;
		const uint8_t *next = y + 1 < h ? row + stride : now;
		const uint8_t *come = y + 1 + box < h ? row + (size_t)(box + 1) * stride
				      : y + 1 < h     ? alpha + (size_t)(h - 1) * stride
						      : now;
		feather_columns(&c, row, w, d, gone, next, come);
	}
}
