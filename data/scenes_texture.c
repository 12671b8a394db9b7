/* Surfaces of generated scenes. A texture is a function from picture coordinates to a colour, made of value noise (a
 * random number at each point of a grid, blended smoothly between) and periodic patterns. */
#include "data/scenes_parts.h"

#include <math.h>

#include "core/portable_math.h"

static float clamp01(float x)
{
	return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* 0 at edge0, 1 at edge1, smooth between. */
static float ramp(float edge0, float edge1, float x)
{
	float t = clamp01((x - edge0) / (edge1 - edge0));
	return t * t * (3 - 2 * t);
}

/* --- colours -------------------------------------------------------------- */

struct colour colour_mix(struct colour a, struct colour b, float t)
{
	return (struct colour){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

float colour_distance(struct colour a, struct colour b)
{
	float r = a.r - b.r, g = a.g - b.g, blue = a.b - b.b;
	return sqrtf(r * r + g * g + blue * blue);
}

/* Hue in turns. */
static struct colour from_hsv(float hue, float saturation, float value)
{
	float channel[3];
	for (int c = 0; c < 3; c++) {
		float t = hue + (float)(3 - c) / 3; /* red at 0, green at 1/3, blue at 2/3 */
		t = fabsf((t - floorf(t)) * 6 - 3) - 1;
		channel[c] = value * (1 - saturation + saturation * clamp01(t));
	}
	return (struct colour){channel[0], channel[1], channel[2]};
}

/* Steps between hues: neighbours, opposites, thirds, anything. */
void palette_draw(struct rng *rng, struct colour palette[PALETTE_SIZE])
{
	static const float steps[] = {0.06f, 0.5f, 0.333f, 0.618f};
	float hue = rng_float(rng), step = steps[rng_below(rng, 4)], richness = rng_range(rng, 0.35f, 1);
	for (int i = 0; i < PALETTE_SIZE; i++) {
		float spread = rng_range(rng, -0.05f, 0.05f);
		/* Each palette has a light and a dark, rather gray, colour. */
		float saturation = i == 0   ? rng_range(rng, 0.02f, 0.25f)
				   : i == 1 ? rng_range(rng, 0.1f, 0.5f)
					    : rng_range(rng, 0.2f, 0.85f);
		float value = i == 0   ? rng_range(rng, 0.8f, 1)
			      : i == 1 ? rng_range(rng, 0.2f, 0.45f)
				       : rng_range(rng, 0.45f, 1);
		palette[i] = from_hsv(hue + step * (float)i + spread, saturation * richness, value);
	}
}

static struct colour vary(struct rng *rng, struct colour colour)
{
	float light = rng_range(rng, 0.85f, 1.12f);
	return (struct colour){clamp01(colour.r * light + rng_range(rng, -0.04f, 0.04f)),
			       clamp01(colour.g * light + rng_range(rng, -0.04f, 0.04f)),
			       clamp01(colour.b * light + rng_range(rng, -0.04f, 0.04f))};
}

/* --- noise ---------------------------------------------------------------- */

/* The mixing steps of Wellons' "lowbias32" hash. */
static uint32_t grid_hash(int x, int y, uint32_t seed)
{
	uint32_t h = seed + (uint32_t)x * 0x9e3779b1u + (uint32_t)y * 0x85ebca77u;
	h ^= h >> 16;
	h *= 0x7feb352du;
	h ^= h >> 15;
	h *= 0x846ca68bu;
	return h ^ h >> 16;
}

static float grid_value(int x, int y, uint32_t seed)
{
	return (float)(grid_hash(x, y, seed) >> 8) * 0x1p-24f;
}

static float value_noise(float x, float y, uint32_t seed)
{
	float fx = floorf(x), fy = floorf(y), tx = x - fx, ty = y - fy;
	int ix = (int)fx, iy = (int)fy;
	tx = tx * tx * (3 - 2 * tx);
	ty = ty * ty * (3 - 2 * ty);
	float top = grid_value(ix, iy, seed), bottom = grid_value(ix, iy + 1, seed);
	top += (grid_value(ix + 1, iy, seed) - top) * tx;
	bottom += (grid_value(ix + 1, iy + 1, seed) - bottom) * tx;
	return top + (bottom - top) * ty;
}

/* Octaves of half the size and half the strength; 0..1, mostly near 1/2. */
static float fractal_noise(float x, float y, uint32_t seed, int octaves)
{
	float sum = 0, strength = 0.5f, total = 0;
	for (int i = 0; i < octaves; i++, strength *= 0.5f, x = x * 2 + 17.3f, y = y * 2 + 5.1f) {
		sum += strength * value_noise(x, y, seed + (uint32_t)i);
		total += strength;
	}
	return sum / total;
}

/* --- patterns: u, v in features -> 0..2, an amount along the three colours  */

/* 0..1..0 over one period, flat tops: a stripe of `ratio` of the period with soft edges. */
static float stripe(float u, float ratio, float soft)
{
	float t = fabsf(u - floorf(u) - 0.5f) * 2; /* 0 in the middle of the stripe, 1 between two */
	return 1 - ramp(ratio - soft, ratio + soft, t);
}

static float clouds(const struct texture *texture, float u, float v)
{
	float t = fractal_noise(u, v, texture->seed, 4);
	return 2 * ramp(0.2f, 0.8f, t);
}

static float stripes(const struct texture *texture, float u, float v)
{
	u += texture->warp * 1.5f * (fractal_noise(u * 0.5f, v * 0.5f, texture->seed, 2) - 0.5f);
	float thin = texture->ratio > 0.5f ? 0.7f * stripe(u * 0.5f + 0.25f, 0.2f, 0.1f) : 0;
	return stripe(u, 0.3f + 0.4f * texture->ratio, 0.12f) + thin;
}

static float checker(const struct texture *texture, float u, float v)
{
	float a = stripe(u * 0.5f, 0.5f, 0.12f), b = stripe(v * 0.5f, 0.5f, 0.12f);
	float squares = a * b + (1 - a) * (1 - b), cross = 0.5f * (a + b);
	/* Either a chess board or woven, gingham cloth. */
	return texture->ratio < 0.5f ? squares : 2 * cross;
}

/* The value of the nearest of one random dot per grid cell, 0 between dots. */
static float speckle(const struct texture *texture, float u, float v)
{
	float fu = floorf(u), fv = floorf(v), best = 0;
	for (int dy = -1; dy <= 1; dy++)
		for (int dx = -1; dx <= 1; dx++) {
			int cx = (int)fu + dx, cy = (int)fv + dy;
			uint32_t h = grid_hash(cx, cy, texture->seed);
			float order = 0.5f * texture->warp;
			float x = (float)cx + 0.5f + order * ((float)(h & 255) / 255 - 0.5f) - u;
			float y = (float)cy + 0.5f + order * ((float)(h >> 8 & 255) / 255 - 0.5f) - v;
			float radius = (0.22f + 0.2f * texture->ratio) *
				       (1 - texture->warp * 0.7f * (float)(h >> 16 & 255) / 255);
			float inside = 1 - ramp(radius - 0.08f, radius + 0.08f, sqrtf(x * x + y * y));
			float value = inside * (h >> 24 & 1 ? 1.0f : 2.0f);
			best = value > best ? value : best;
		}
	return best;
}

static float marble(const struct texture *texture, float u, float v)
{
	float t = u + (2 + 4 * texture->warp) * fractal_noise(u * 0.6f, v * 0.6f, texture->seed, 4);
	float wave = fabsf(t * 0.7f - floorf(t * 0.7f) - 0.5f) * 2;
	return 0.3f + 1.5f * wave * wave * wave + 0.4f * fractal_noise(u * 2, v * 2, texture->seed + 9, 2);
}

static float wood(const struct texture *texture, float u, float v)
{
	float y = v * 0.12f, bend = 1.2f * (fractal_noise(u * 0.3f, y, texture->seed, 2) - 0.5f);
	float t = (u + 6 * bend * (0.4f + texture->warp)) * 0.9f;
	float ring = t - floorf(t), fibre = value_noise(u * 9, v * 0.5f, texture->seed + 5);
	return 0.2f + 1.1f * ramp(0, 0.85f, ring) * (1 - ramp(0.85f, 1, ring)) + 0.5f * (fibre - 0.3f);
}

static float tiles(const struct texture *texture, float u, float v)
{
	float row = floorf(v * (1 + texture->ratio));
	float y = v * (1 + texture->ratio) - row, shift = texture->warp > 0.5f ? 0.5f * row : 0,
	      column = floorf(u + shift);
	float x = u + shift - column, joint = fminf(fminf(x, 1 - x), fminf(y, 1 - y) * 0.8f);
	float tone = 1 + 0.8f * grid_value((int)column, (int)row, texture->seed);
	return tone * ramp(0.03f, 0.09f, joint);
}

static float pattern(const struct texture *texture, float u, float v)
{
	switch (texture->kind) {
	case TEXTURE_CLOUDS: return clouds(texture, u, v);
	case TEXTURE_STRIPES: return stripes(texture, u, v);
	case TEXTURE_CHECKER: return checker(texture, u, v);
	case TEXTURE_SPECKLE: return speckle(texture, u, v);
	case TEXTURE_MARBLE: return marble(texture, u, v);
	case TEXTURE_WOOD: return wood(texture, u, v);
	case TEXTURE_TILES: return tiles(texture, u, v);
	default: return 0.5f + 0.06f * u + 0.8f * (fractal_noise(u * 0.15f, v * 0.15f, texture->seed, 2) - 0.5f);
	}
}

/* --- textures ------------------------------------------------------------- */

void texture_draw(struct rng *rng, const struct colour palette[PALETTE_SIZE], float feature, struct texture *texture)
{
	float turns = rng_float(rng);
	/* Patterns that people lay are mostly level. */
	texture->kind = (enum texture_kind)rng_below(rng, TEXTURE_KINDS);
	if (texture->kind == TEXTURE_TILES || (texture->kind == TEXTURE_CHECKER && turns < 0.5f))
		turns = (turns - 0.5f) * 0.04f;
	float frequency = 1 / (feature * rng_range(rng, 0.6f, 1.6f));
	texture->cosine = (float)portable_cos_turns(turns) * frequency;
	texture->sine = (float)portable_cos_turns(turns - 0.25) * frequency;
	texture->u0 = rng_range(rng, 0, 64);
	texture->v0 = rng_range(rng, 0, 64);
	texture->warp = rng_float(rng);
	texture->ratio = rng_float(rng);
	texture->grain = rng_range(rng, 0, 0.045f);
	texture->seed = rng_u32(rng);
	uint32_t first = rng_below(rng, PALETTE_SIZE), second = rng_below(rng, PALETTE_SIZE - 1);
	second += second >= first;
	texture->colours[0] = vary(rng, palette[first]);
	texture->colours[1] = vary(rng, palette[second]);
	texture->colours[2] = vary(rng, palette[rng_below(rng, PALETTE_SIZE)]);
	/* The other colours come part of the way only: loud patterns everywhere look like no photo at all. */
	for (int i = 1; i < 3; i++)
		texture->colours[i] = colour_mix(texture->colours[0], texture->colours[i], rng_range(rng, 0.3f, 0.9f));
}

struct colour texture_at(const struct texture *texture, float x, float y)
{
	float u = x * texture->cosine + y * texture->sine + texture->u0;
	float v = y * texture->cosine - x * texture->sine + texture->v0;
	float t = pattern(texture, u, v);
	const struct colour *c = texture->colours;
	struct colour colour =
		t < 1 ? colour_mix(c[0], c[1], t < 0 ? 0 : t) : colour_mix(c[1], c[2], t > 2 ? 1 : t - 1);
	float light = 1 + texture->grain * 4 * (value_noise(x * 0.55f, y * 0.55f, texture->seed + 77) - 0.5f);
	return (struct colour){colour.r * light, colour.g * light, colour.b * light};
}

struct colour texture_mean(const struct texture *texture)
{
	struct colour sum = {0, 0, 0};
	enum { SIDE = 8 };
	for (int i = 0; i < SIDE * SIDE; i++) {
		struct colour c = texture_at(texture, (float)(i % SIDE) * 23, (float)(i / SIDE) * 19);
		sum.r += c.r / (SIDE * SIDE);
		sum.g += c.g / (SIDE * SIDE);
		sum.b += c.b / (SIDE * SIDE);
	}
	return sum;
}
