/* See calibrate.h. A value's numbers are counted in a histogram whose reach is doubled (two bins become one) when a
 * number lies outside; reaches are powers of two, so that histograms of values that must share a range can be added
 * up. */
#include "convert/calibrate.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "convert/value_storage.h"
#include "infer/kernels/kernels.h"
#include "infer/network/ops.h"
#include "infer/tapcut.h"

enum { BINS = 4096, STEPS = 32 };

struct histogram {
	double count[BINS]; /* bin i: (i - BINS / 2) to that + 1, times 2 reach / BINS */
	float reach;        /* numbers lie in -reach..reach; 0: none yet */
	float low, high;
};

struct calibration {
	const struct infer_network *network;
	int value_count;
	struct histogram *values;
	struct infer_shape *shapes;     /* of the steps, at the default size */
	struct value_storage *storages; /* of the values */
};

enum status calibration_new(const struct infer_network *network, struct calibration **calibration)
{
	struct calibration *c = calloc(1, sizeof *c);
	*calibration = c;
	if (!c)
		return status_fail(STATUS_NO_MEMORY, "no memory for calibration");
	c->network = network;
	c->value_count = INFER_FIRST_STEP_VALUE + network->step_count;
	c->values = calloc((size_t)c->value_count, sizeof *c->values);
	c->shapes = calloc((size_t)network->step_count, sizeof *c->shapes);
	c->storages = calloc((size_t)c->value_count, sizeof *c->storages);
	if (c->values && c->shapes && c->storages)
		return STATUS_OK;
	calibration_free(c);
	*calibration = NULL;
	return status_fail(STATUS_NO_MEMORY, "no memory for %d histograms", network->step_count);
}

void calibration_free(struct calibration *c)
{
	if (!c)
		return;
	free(c->values);
	free(c->shapes);
	free(c->storages);
	free(c);
}

/* --- counting ------------------------------------------------------------- */

static void double_reach(struct histogram *h)
{
	double wider[BINS] = {0};
	for (int i = 0; i < BINS; i++)
		wider[BINS / 4 + i / 2] += h->count[i];
	memcpy(h->count, wider, sizeof wider);
	h->reach *= 2;
}

static void widen(struct histogram *h, float magnitude)
{
	if (h->reach == 0) {
		int exponent;
		frexpf(magnitude, &exponent);
		h->reach = ldexpf(1, magnitude > 0 ? exponent : -20);
	}
	while (h->reach < magnitude)
		double_reach(h);
}

static void count(struct histogram *h, float x, double weight)
{
	int bin = (int)floorf((x / h->reach + 1) * (BINS / 2));
	h->count[bin < 0 ? 0 : bin < BINS ? bin : BINS - 1] += weight;
}

static float number_at(const struct infer_map *map, size_t pixel, int c)
{
	size_t at = pixel * map->pitch + (size_t)c;
	if (map->element == INFER_ELEMENT_F32)
		return ((const float *)map->data)[at];
	return map->scale * (float)(((const uint8_t *)map->data)[at] - map->zero);
}

void calibration_observe(void *context, int step, const struct infer_map *map)
{
	struct calibration *calibration = context;
	if (step < 0)
		return;
	struct histogram *h = &calibration->values[INFER_FIRST_STEP_VALUE + step];
	size_t pixels = (size_t)map->h * (size_t)map->w;
	float low = h->low, high = h->high;
	for (size_t i = 0; i < pixels; i++)
		for (int c = 0; c < map->c; c++) {
			float x = number_at(map, i, c);
			low = x < low ? x : low;
			high = x > high ? x : high;
		}
	h->low = low;
	h->high = high;
	widen(h, fmaxf(-low, high));
	for (size_t i = 0; i < pixels; i++)
		for (int c = 0; c < map->c; c++)
			count(h, number_at(map, i, c), 1);
}

/* --- choosing ------------------------------------------------------------- */

static void add_up(struct histogram *sum, const struct histogram *h)
{
	struct histogram other = *h;
	if (other.reach == 0)
		return;
	widen(sum, other.reach);
	while (other.reach < sum->reach)
		double_reach(&other);
	for (int i = 0; i < BINS; i++)
		sum->count[i] += other.count[i];
	sum->low = fminf(sum->low, other.low);
	sum->high = fmaxf(sum->high, other.high);
}

static struct infer_range range_of(float low, float high)
{
	float scale = (high - low) / 255;
	if (!(scale >= 0x1p-40f)) /* nothing but zeros */
		return (struct infer_range){1.0f / 255, 0};
	return (struct infer_range){scale, (int)rintf(-low / scale)};
}

/* Sum of squared errors of all that was counted, each bin's numbers taken at its middle; what is exactly zero stays
 * zero. */
static double range_cost(const struct histogram *h, struct infer_range r)
{
	double cost = 0, width = 2.0 * (double)h->reach / BINS;
	for (int i = 0; i < BINS; i++) {
		if (h->count[i] == 0 || i == BINS / 2)
			continue;
		double x = (i - BINS / 2 + 0.5) * width;
		double q = fmin(fmax(rint(x / (double)r.scale) + r.zero, 0), 255);
		double lost = (double)r.scale * (q - r.zero) - x;
		cost += h->count[i] * lost * lost;
	}
	return cost;
}

/* The best of all ranges that reach from a part of the least to a part of the largest number. */
static struct infer_range best_range(const struct histogram *h)
{
	struct infer_range best = range_of(h->low, h->high);
	double least = range_cost(h, best);
	int low_steps = h->low < 0 ? STEPS : 1;
	for (int i = 0; i < STEPS; i++)
		for (int k = 0; k < low_steps; k++) {
			float a = (float)(STEPS - i) / STEPS, b = (float)(STEPS - k) / STEPS;
			struct infer_range r = range_of(h->low * b, h->high * a);
			double cost = range_cost(h, r);
			if (cost < least) {
				least = cost;
				best = r;
			}
		}
	return best;
}

static void choose(const struct calibration *c, int value, struct histogram *sum, struct infer_range *ranges)
{
	memset(sum, 0, sizeof *sum);
	for (int v = value; v < c->value_count; v++)
		if (c->storages[v].range_of == value)
			add_up(sum, &c->values[v]);
	struct infer_range range = best_range(sum);
	for (int v = value; v < c->value_count; v++)
		if (c->storages[v].range_of == value)
			ranges[v] = range;
}

enum status calibration_ranges(const struct calibration *c, struct infer_range *ranges)
{
	char message[TAPCUT_MESSAGE_SIZE];
	int size = infer_network_side(c->network);
	if (infer_network_shapes(c->network, size, size, c->shapes, message) != TAPCUT_OK)
		return status_fail(STATUS_FORMAT, "%s", message);
	value_storages(c->network, c->shapes, c->storages);
	for (int v = INFER_FIRST_STEP_VALUE; v < c->value_count; v++)
		if (c->values[v].reach == 0 && c->storages[v].kind == INFER_VALUE_U8)
			return status_fail(STATUS_CONFIG,
					   "step %d (%s): the float network does not make its value by itself",
					   v - INFER_FIRST_STEP_VALUE,
					   infer_op_name(c->network->steps[v - INFER_FIRST_STEP_VALUE].op));
	struct histogram *sum = malloc(sizeof *sum);
	if (!sum)
		return status_fail(STATUS_NO_MEMORY, "no memory for a histogram");
	for (int v = 1; v < c->value_count; v++)
		if (c->storages[v].range_of == v)
			choose(c, v, sum, ranges);
	free(sum);
	ranges[0] = (struct infer_range){0};
	for (int v = INFER_FIRST_STEP_VALUE; v < c->value_count; v++)
		if (c->storages[v].kind != INFER_VALUE_U8)
			ranges[v] = (struct infer_range){0};
	value_ranges_of_clicks(c->network, c->network->preprocess.click_scale, ranges);
	struct infer_network with = *c->network;
	with.ranges = ranges;
	if (infer_network_check(&with, message) != TAPCUT_OK)
		return status_fail(STATUS_CONFIG, "%s", message);
	return STATUS_OK;
}

/* --- what is lost --------------------------------------------------------- */

struct comparison {
	const struct infer_network *network;
	int value_count;
	float **floats; /* of each value: c numbers per pixel, or NULL */
	size_t *sizes;
	struct calibration_loss *losses;
	bool failed;
};

enum status comparison_new(const struct infer_network *network, struct comparison **comparison)
{
	struct comparison *c = calloc(1, sizeof *c);
	*comparison = c;
	if (!c)
		return status_fail(STATUS_NO_MEMORY, "no memory for a comparison");
	c->network = network;
	c->value_count = INFER_FIRST_STEP_VALUE + network->step_count;
	c->floats = calloc((size_t)c->value_count, sizeof *c->floats);
	c->sizes = calloc((size_t)c->value_count, sizeof *c->sizes);
	c->losses = calloc((size_t)c->value_count, sizeof *c->losses);
	if (c->floats && c->sizes && c->losses)
		return STATUS_OK;
	comparison_free(c);
	*comparison = NULL;
	return status_fail(STATUS_NO_MEMORY, "no memory to compare %d values", network->step_count);
}

void comparison_free(struct comparison *c)
{
	if (!c)
		return;
	for (int v = 0; c->floats && v < c->value_count; v++)
		free(c->floats[v]);
	free(c->floats);
	free(c->sizes);
	free(c->losses);
	free(c);
}

void comparison_observe_float(void *context, int step, const struct infer_map *map)
{
	struct comparison *c = context;
	int value = INFER_FIRST_STEP_VALUE + step;
	if (step < 0)
		return;
	size_t pixels = (size_t)map->h * (size_t)map->w, numbers = pixels * (size_t)map->c;
	if (c->sizes[value] != numbers) {
		free(c->floats[value]);
		c->floats[value] = malloc(numbers * sizeof(float));
		c->sizes[value] = c->floats[value] ? numbers : 0;
		c->failed |= !c->floats[value];
	}
	for (size_t i = 0; c->floats[value] && i < pixels; i++)
		for (int k = 0; k < map->c; k++)
			c->floats[value][i * (size_t)map->c + (size_t)k] = number_at(map, i, k);
}

void comparison_observe_bytes(void *context, int step, const struct infer_map *map)
{
	struct comparison *c = context;
	int value = INFER_FIRST_STEP_VALUE + step;
	if (step < 0)
		return;
	struct calibration_loss *loss = &c->losses[value];
	size_t pixels = (size_t)map->h * (size_t)map->w;
	const float *exact = c->floats[value];
	float low = map->scale * (float)-map->zero, high = map->scale * (float)(255 - map->zero);
	if (c->sizes[value] != pixels * (size_t)map->c)
		return; /* the float network does not make this value */
	for (size_t i = 0; i < pixels; i++)
		for (int k = 0; k < map->c; k++, exact++) {
			double lost = fabs((double)number_at(map, i, k) - (double)*exact);
			loss->error += lost * lost;
			loss->square += (double)*exact * (double)*exact;
			loss->worst = fmax(loss->worst, lost);
			loss->most = fmax(loss->most, fabs((double)*exact));
			loss->cut += map->element == INFER_ELEMENT_U8 &&
				     (*exact < low - map->scale / 2 || *exact > high + map->scale / 2);
		}
	loss->count += (double)pixels * map->c;
}

const struct calibration_loss *comparison_losses(const struct comparison *c)
{
	return c->failed ? NULL : c->losses;
}
