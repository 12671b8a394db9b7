/* Run-length masks in COCO's two notations (a list of counts, a printable string), and what one does with them
 * without unpacking them.
 *
 * The string notation, as the COCO tools write it (cocodataset/cocoapi, common/maskApi.c, rleToString): count i is
 * stored as its difference to count i-2 (the previous run of the same colour), the first three as they are; the signed
 * difference is cut into groups of 5 bits, lowest first; a character is 48 + group, + 32 if more groups follow; bit 16
 * of the last group is the sign.
 *
 * A file may hold runs of length 0 between others; they are kept, so that what was read is written again byte for
 * byte. What is computed here (masks, unions, polygons) has no such run but maybe the first. */
#include "data/rle.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_BITS = 5, GROUP_MORE = 32, GROUP_SIGN = 16, GROUP_BASE = 48, MAX_GROUPS = 7 };

static uint64_t pixels(const struct rle *rle)
{
	return (uint64_t)rle->width * (uint64_t)rle->height;
}

void rle_release(struct rle *rle)
{
	free(rle->counts);
	memset(rle, 0, sizeof *rle);
}

enum status rle_init(struct rle *rle, int width, int height, size_t capacity)
{
	memset(rle, 0, sizeof *rle);
	if (width < 1 || height < 1 || width > RLE_MAX_SIDE || height > RLE_MAX_SIDE)
		return status_fail(STATUS_LIMIT, "mask of %d x %d pixels: each side must be 1..%d", width, height,
				   RLE_MAX_SIDE);
	if (capacity > INT32_MAX)
		return status_fail(STATUS_LIMIT, "mask of %d x %d pixels with %zu runs", width, height, capacity);
	uint32_t *counts = malloc((capacity ? capacity : 1) * sizeof *counts);
	if (!counts)
		return status_fail(STATUS_NO_MEMORY, "no memory for %zu runs of a mask", capacity);
	*rle = (struct rle){width, height, counts, 0};
	return STATUS_OK;
}

static void append(struct rle *rle, uint32_t run)
{
	rle->counts[rle->count++] = run;
}

/* Gives the room that was not needed back. */
static void trim(struct rle *rle)
{
	uint32_t *fitted = realloc(rle->counts, (size_t)(rle->count ? rle->count : 1) * sizeof *fitted);
	if (fitted)
		rle->counts = fitted;
}

static enum status wrong_sum(struct rle *rle, uint64_t sum)
{
	int width = rle->width, height = rle->height, count = rle->count;
	rle_release(rle);
	return status_fail(STATUS_FORMAT, "mask of %d x %d pixels: the first %d runs cover %llu pixels, not %llu",
			   width, height, count, (unsigned long long)sum,
			   (unsigned long long)width * (unsigned long long)height);
}

/* Reads one signed number at text[*at]. Refuses characters outside the alphabet, a missing last group, and numbers
 * longer than needed: no writer makes them, and they would not come out again as they went in. */
static enum status read_number(const char *text, size_t length, size_t *at, int64_t *number)
{
	uint64_t bits = 0;
	for (int shift = 0; shift < MAX_GROUPS * GROUP_BITS; shift += GROUP_BITS) {
		if (*at >= length)
			return status_fail(STATUS_FORMAT, "RLE string ends within a number (length %zu)", length);
		unsigned group = (unsigned)(unsigned char)text[*at] - GROUP_BASE;
		if (group >= 64)
			return status_fail(STATUS_FORMAT, "RLE string: byte 0x%02x at %zu is no RLE character",
					   (unsigned)(unsigned char)text[*at], *at);
		++*at;
		bits |= (uint64_t)(group & (GROUP_MORE - 1)) << shift;
		if (group & GROUP_MORE)
			continue;
		int used = shift + GROUP_BITS;
		*number = (int64_t)bits - (group & GROUP_SIGN ? (int64_t)1 << used : 0);
		int64_t shorter = shift ? (int64_t)1 << (shift - 1) : 0; /* one group less holds -shorter..shorter-1 */
		if (shift && *number >= -shorter && *number < shorter)
			return status_fail(STATUS_FORMAT, "RLE string: overlong number before %zu", *at);
		return STATUS_OK;
	}
	return status_fail(STATUS_FORMAT, "RLE string: number of more than %d groups before %zu", MAX_GROUPS, *at);
}

static size_t count_numbers(const char *text, size_t length)
{
	size_t numbers = 0;
	for (size_t i = 0; i < length; i++)
		numbers += !(((unsigned)(unsigned char)text[i] - GROUP_BASE) & GROUP_MORE);
	return numbers;
}

enum status rle_from_string(struct rle *rle, const char *text, size_t length, int width, int height)
{
	TRY(rle_init(rle, width, height, count_numbers(text, length)));
	uint64_t sum = 0;
	for (size_t at = 0; at < length;) {
		int64_t run = 0;
		enum status status = read_number(text, length, &at, &run);
		if (status != STATUS_OK) {
			rle_release(rle);
			return status;
		}
		int i = rle->count;
		if (i > 2)
			run += rle->counts[i - 2];
		if (run < 0 || run > UINT32_MAX) {
			rle_release(rle);
			return status_fail(STATUS_FORMAT, "RLE string: run %d has length %lld", i, (long long)run);
		}
		append(rle, (uint32_t)run);
		sum += (uint64_t)run;
		if (sum > pixels(rle))
			return wrong_sum(rle, sum);
	}
	return sum == pixels(rle) ? STATUS_OK : wrong_sum(rle, sum);
}

static char *write_number(char *out, int64_t number)
{
	for (;;) {
		/* Floor division by 32, spelled out because >> of a negative number is the compiler's choice. */
		unsigned group = (unsigned)((uint64_t)number & (GROUP_MORE - 1));
		number = (number - (int64_t)group) / GROUP_MORE;
		bool last = number == (group & GROUP_SIGN ? -1 : 0);
		*out++ = (char)(GROUP_BASE + group + (last ? 0 : GROUP_MORE));
		if (last)
			return out;
	}
}

char *rle_to_string(const struct rle *rle)
{
	char *text = malloc((size_t)rle->count * MAX_GROUPS + 1);
	if (!text)
		return NULL;
	char *out = text;
	for (int i = 0; i < rle->count; i++)
		out = write_number(out, (int64_t)rle->counts[i] - (i > 2 ? (int64_t)rle->counts[i - 2] : 0));
	*out = '\0';
	char *fitted = realloc(text, (size_t)(out - text) + 1);
	return fitted ? fitted : text;
}

enum status rle_from_counts(struct rle *rle, const uint32_t *counts, int count, int width, int height)
{
	TRY(rle_init(rle, width, height, count > 0 ? (size_t)count : 0));
	uint64_t sum = 0;
	for (int i = 0; i < count; i++) {
		append(rle, counts[i]);
		sum += counts[i];
		if (sum > pixels(rle))
			return wrong_sum(rle, sum);
	}
	return sum == pixels(rle) ? STATUS_OK : wrong_sum(rle, sum);
}

/* Number of runs of the mask, down the columns. */
static size_t mask_runs(const uint8_t *mask, int width, int height)
{
	size_t runs = 1;
	bool value = false;
	for (int x = 0; x < width; x++)
		for (int y = 0; y < height; y++) {
			bool pixel = mask[(size_t)y * (size_t)width + (size_t)x] != 0;
			runs += pixel != value;
			value = pixel;
		}
	return runs;
}

enum status rle_from_mask(struct rle *rle, const uint8_t *mask, int width, int height)
{
	memset(rle, 0, sizeof *rle);
	bool size_ok = width > 0 && height > 0 && width <= RLE_MAX_SIDE && height <= RLE_MAX_SIDE;
	TRY(rle_init(rle, width, height, size_ok ? mask_runs(mask, width, height) : 0));
	bool value = false;
	uint32_t run = 0;
	for (int x = 0; x < width; x++)
		for (int y = 0; y < height; y++) {
			bool pixel = mask[(size_t)y * (size_t)width + (size_t)x] != 0;
			if (pixel != value) {
				append(rle, run);
				run = 0;
				value = pixel;
			}
			run++;
		}
	append(rle, run);
	return STATUS_OK;
}

void rle_to_mask(const struct rle *rle, uint8_t *mask)
{
	size_t width = (size_t)rle->width, height = (size_t)rle->height;
	memset(mask, 0, width * height);
	size_t position = 0;
	for (int i = 0; i < rle->count; i++) {
		size_t end = position + rle->counts[i];
		if (i % 2 == 0) {
			position = end;
			continue;
		}
		size_t x = position / height, y = position % height;
		for (; position < end; position++) {
			mask[y * width + x] = 1;
			if (++y == height) {
				y = 0;
				x++;
			}
		}
	}
}

/* A cursor over the runs of one mask. */
struct cursor {
	const struct rle *rle;
	int next;      /* index of the run after the current one */
	uint32_t left; /* pixels left in the current run */
	bool value;
};

static void cursor_settle(struct cursor *c)
{
	while (c->left == 0 && c->next < c->rle->count) {
		c->left = c->rle->counts[c->next++];
		c->value = !c->value;
	}
}

static enum status union_of_two(struct rle *out, const struct rle *a, const struct rle *b)
{
	TRY(rle_init(out, a->width, a->height, (size_t)a->count + (size_t)b->count + 1));
	struct cursor ca = {a, 0, 0, true}, cb = {b, 0, 0, true};
	bool value = false;
	uint32_t run = 0;
	for (cursor_settle(&ca), cursor_settle(&cb); ca.left && cb.left; cursor_settle(&ca), cursor_settle(&cb)) {
		if ((ca.value || cb.value) != value) {
			append(out, run);
			run = 0;
			value = !value;
		}
		uint32_t step = ca.left < cb.left ? ca.left : cb.left;
		run += step;
		ca.left -= step;
		cb.left -= step;
	}
	append(out, run);
	trim(out);
	return STATUS_OK;
}

enum status rle_union(struct rle *out, const struct rle *rles, int count)
{
	assert(count >= 1);
	memset(out, 0, sizeof *out);
	for (int i = 0; i < count; i++)
		if (rles[i].width != rles[0].width || rles[i].height != rles[0].height)
			return status_fail(STATUS_FORMAT, "union of masks of %d x %d and %d x %d pixels", rles[0].width,
					   rles[0].height, rles[i].width, rles[i].height);
	if (count == 1)
		return rle_from_counts(out, rles[0].counts, rles[0].count, rles[0].width, rles[0].height);
	if (count == 2)
		return union_of_two(out, &rles[0], &rles[1]);
	/* By halves, so that the work is n log n in the number of masks. */
	struct rle half[2] = {{0}};
	enum status status = rle_union(&half[0], rles, count / 2);
	if (status == STATUS_OK)
		status = rle_union(&half[1], rles + count / 2, count - count / 2);
	if (status == STATUS_OK)
		status = union_of_two(out, &half[0], &half[1]);
	rle_release(&half[0]);
	rle_release(&half[1]);
	return status;
}

uint64_t rle_area(const struct rle *rle)
{
	uint64_t area = 0;
	for (int i = 1; i < rle->count; i += 2)
		area += rle->counts[i];
	return area;
}

void rle_box(const struct rle *rle, int box[4])
{
	uint32_t height = (uint32_t)rle->height, position = 0;
	uint32_t x0 = UINT32_MAX, y0 = UINT32_MAX, x1 = 0, y1 = 0;
	for (int i = 0; i < rle->count; position += rle->counts[i++]) {
		if (i % 2 == 0 || rle->counts[i] == 0)
			continue;
		uint32_t last = position + rle->counts[i] - 1;
		bool wraps = position / height != last / height; /* then the run touches the bottom and the top */
		uint32_t top = wraps ? 0 : position % height, bottom = wraps ? height - 1 : last % height;
		x0 = x0 < position / height ? x0 : position / height;
		x1 = x1 > last / height + 1 ? x1 : last / height + 1;
		y0 = y0 < top ? y0 : top;
		y1 = y1 > bottom + 1 ? y1 : bottom + 1;
	}
	box[0] = x1 ? (int)x0 : 0;
	box[1] = x1 ? (int)y0 : 0;
	box[2] = (int)x1;
	box[3] = (int)y1;
}
