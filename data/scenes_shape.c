/* Outlines of generated objects as distance functions: negative inside, about the distance to the outline in pixels.
 * The distance gives coverage at the edge, shading (depth below the edge) and soft shadows alike. Distances to
 * ellipse, segment and polygon as collected by Quilez ("2D distance functions"), written anew. */
#include "data/scenes_parts.h"

#include <math.h>

#include "core/portable_math.h"

const char *const shape_names[SHAPE_KINDS] = {"ellipse", "blob",    "polygon",  "star",
					      "ring",    "capsule", "crescent", "cup"};

static float length2(float x, float y)
{
	return sqrtf(x * x + y * y);
}

static float cos_turns(float turns)
{
	return (float)portable_cos_turns(turns);
}

static float sin_turns(float turns)
{
	return (float)portable_cos_turns(turns - 0.25);
}

/* --- distances in the shape's own coordinates: centre 0,0, half of the longer extent 1  */

/* First order: exact on the outline, right in direction everywhere. */
static float ellipse(float x, float y, float a, float b)
{
	float k = length2(x / a, y / b), slope = length2(x / (a * a), y / (b * b));
	return slope > 1e-6f ? k * (k - 1) / slope : -fminf(a, b);
}

/* r(angle) = mean + sum of harmonics; the cosines of multiples of the angle by complex powers of the direction. */
static float blob(const struct shape *shape, float x, float y)
{
	float r = length2(x, y), c = r > 1e-6f ? x / r : 1, s = r > 1e-6f ? y / r : 0;
	float re = c, im = s, radius = shape->a, slope = 0;
	for (int k = 0; k < SHAPE_HARMONICS; k++) {
		float next = re * c - im * s;
		im = re * s + im * c;
		re = next;
		radius += shape->wave_cos[k] * re + shape->wave_sin[k] * im;
		slope += (float)(k + 2) * (shape->wave_sin[k] * re - shape->wave_cos[k] * im);
	}
	slope /= fmaxf(radius, 0.1f);
	return (r - radius) / sqrtf(1 + slope * slope);
}

static float segment(float x, float y, float ax, float ay, float bx, float by)
{
	float dx = bx - ax, dy = by - ay, t = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy);
	t = t < 0 ? 0 : t > 1 ? 1 : t;
	return length2(x - ax - t * dx, y - ay - t * dy);
}

/* Distance to the nearest side, with the sign by counting the sides that a ray to the right crosses. */
static float polygon(const struct shape *shape, float x, float y)
{
	float distance = 1e9f;
	int inside = 0;
	for (int i = 0, j = shape->corners - 1; i < shape->corners; j = i++) {
		float ax = shape->corner_x[j], ay = shape->corner_y[j], bx = shape->corner_x[i],
		      by = shape->corner_y[i];
		distance = fminf(distance, segment(x, y, ax, ay, bx, by));
		if ((ay > y) != (by > y) && x < ax + (y - ay) / (by - ay) * (bx - ax))
			inside = !inside;
	}
	return (inside ? -distance : distance) - shape->b;
}

static float rounded_box(float x, float y, float half_w, float half_h, float radius)
{
	float dx = fabsf(x) - half_w + radius, dy = fabsf(y) - half_h + radius;
	return length2(fmaxf(dx, 0), fmaxf(dy, 0)) + fminf(fmaxf(dx, dy), 0) - radius;
}

/* A body that widens upwards, and a handle with a hole. */
static float cup(const struct shape *shape, float x, float y)
{
	float half_w = 0.55f - shape->a * y;
	float body = rounded_box(x + 0.2f, y, half_w, 0.75f, 0.12f);
	float handle = fabsf(ellipse(x - 0.38f, y + 0.05f, 0.42f, shape->b)) - 0.1f;
	return fminf(body, fmaxf(handle, 0.2f - x));
}

/* The unit circle without the circle of radius b around a,0; beyond the two tips, the distance to the nearer tip. */
static float crescent(float x, float y, float a, float b)
{
	float tip_x = (1 - b * b + a * a) / (2 * a), tip_y = sqrtf(fmaxf(1 - tip_x * tip_x, 0));
	y = fabsf(y);
	if (x * tip_y - y * tip_x > a * fmaxf(tip_y - y, 0))
		return length2(x - tip_x, y - tip_y);
	return fmaxf(length2(x, y) - 1, b - length2(x - a, y));
}

static float local_distance(const struct shape *shape, float x, float y)
{
	switch (shape->kind) {
	case SHAPE_ELLIPSE: return ellipse(x, y, 1, shape->a);
	case SHAPE_BLOB: return blob(shape, x, y);
	case SHAPE_POLYGON:
	case SHAPE_STAR: return polygon(shape, x, y);
	case SHAPE_RING: return fabsf(ellipse(x, y, 1 - shape->b, (1 - shape->b) * shape->a)) - shape->b;
	case SHAPE_CAPSULE: return segment(x, y, shape->a - 1, 0, 1 - shape->a, 0) - shape->a * (1 + shape->b * x);
	case SHAPE_CRESCENT: return crescent(x, y, shape->a, shape->b);
	default: return cup(shape, x, y);
	}
}

float shape_distance(const struct shape *shape, float x, float y)
{
	x = (x - shape->x) / shape->size;
	y = (y - shape->y) / shape->size;
	return shape->size *
	       local_distance(shape, x * shape->cosine + y * shape->sine, y * shape->cosine - x * shape->sine);
}

/* --- drawing their parameters --------------------------------------------- */

static void draw_blob(struct rng *rng, struct shape *shape)
{
	float strength = rng_range(rng, 0.08f, 0.3f);
	for (int k = 0; k < SHAPE_HARMONICS; k++) {
		float turns = rng_float(rng), size = strength * rng_float(rng) / (float)(k + 1);
		shape->wave_cos[k] = size * cos_turns(turns);
		shape->wave_sin[k] = size * sin_turns(turns);
	}
	shape->a = 1 - strength;
}

/* b: rounding, which the corners stay away from the unit circle. */
static void draw_polygon(struct rng *rng, struct shape *shape)
{
	shape->corners = 3 + (int)rng_below(rng, 4);
	shape->b = rng_range(rng, 0.04f, 0.2f);
	float squeeze = rng_range(rng, 0.6f, 1);
	for (int i = 0; i < shape->corners; i++) {
		float turns = ((float)i + rng_range(rng, -0.25f, 0.25f)) / (float)shape->corners;
		shape->corner_x[i] = (1 - shape->b) * cos_turns(turns);
		shape->corner_y[i] = (1 - shape->b) * sin_turns(turns) * squeeze;
	}
}

static void draw_star(struct rng *rng, struct shape *shape)
{
	int points = 4 + (int)rng_below(rng, 4);
	float inner = rng_range(rng, 0.42f, 0.65f);
	shape->corners = 2 * points;
	shape->b = rng_range(rng, 0.02f, 0.1f);
	for (int i = 0; i < shape->corners; i++) {
		float turns = (float)i / (float)shape->corners, radius = (1 - shape->b) * (i % 2 ? inner : 1);
		shape->corner_x[i] = radius * cos_turns(turns);
		shape->corner_y[i] = radius * sin_turns(turns);
	}
}

void shape_draw(struct rng *rng, enum shape_kind kind, struct shape *shape)
{
	*shape = (struct shape){.kind = kind, .size = 1};
	/* Cups stand, more or less. */
	float turns = kind == SHAPE_CUP ? rng_range(rng, -0.05f, 0.05f) : rng_float(rng);
	shape->cosine = cos_turns(turns);
	shape->sine = sin_turns(turns);
	shape->a = rng_range(rng, 0.5f, 1);
	shape->b = rng_range(rng, 0.13f, 0.24f);
	if (kind == SHAPE_BLOB) {
		draw_blob(rng, shape);
	} else if (kind == SHAPE_POLYGON) {
		draw_polygon(rng, shape);
	} else if (kind == SHAPE_STAR) {
		draw_star(rng, shape);
	} else if (kind == SHAPE_CAPSULE) {
		shape->a = rng_range(rng, 0.22f, 0.42f);
		shape->b = rng_range(rng, 0, 0.4f);
	} else if (kind == SHAPE_CRESCENT) {
		shape->a = rng_range(rng, 0.45f, 0.7f);
		shape->b = rng_range(rng, 0.7f, 0.9f);
	} else if (kind == SHAPE_CUP) {
		shape->a = rng_range(rng, 0, 0.15f);
		shape->b = rng_range(rng, 0.35f, 0.5f);
	}
}
