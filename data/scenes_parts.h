/* The parts of the scene generator, for data/scenes*.c and their tests. Everything is a function of random numbers and
 * IEEE arithmetic without libm's transcendental functions, so that a scene has the same bytes everywhere. */
#ifndef DATA_SCENES_PARTS_H
#define DATA_SCENES_PARTS_H

#include <stdint.h>

#include "core/rng.h"
#include "core/status.h"
#include "data/image.h"

/* --- textures (scenes_texture.c) ------------------------------------------ */

enum texture_kind {
	TEXTURE_GRADIENT,
	TEXTURE_CLOUDS, /* value noise */
	TEXTURE_STRIPES,
	TEXTURE_CHECKER,
	TEXTURE_SPECKLE,
	TEXTURE_MARBLE,
	TEXTURE_WOOD,
	TEXTURE_TILES,
	TEXTURE_KINDS
};

struct colour {
	float r, g, b; /* 0..1, as displayed */
};

enum { PALETTE_SIZE = 6 };

struct texture {
	enum texture_kind kind;
	struct colour colours[3];
	float cosine, sine; /* from picture to texture, times features per pixel */
	float u0, v0;
	float warp, ratio, grain; /* meaning depends on the kind: 0..1 */
	uint32_t seed;
};

/* Colours that go together; objects and background draw from the same ones. */
void palette_draw(struct rng *rng, struct colour palette[PALETTE_SIZE]);
/* A random texture whose features are about `feature` pixels wide. */
void texture_draw(struct rng *rng, const struct colour palette[PALETTE_SIZE], float feature, struct texture *texture);
struct colour texture_at(const struct texture *texture, float x, float y);
/* About the average colour. */
struct colour texture_mean(const struct texture *texture);
struct colour colour_mix(struct colour a, struct colour b, float t);
float colour_distance(struct colour a, struct colour b);

/* --- shapes (scenes_shape.c) ---------------------------------------------- */

enum shape_kind {
	SHAPE_ELLIPSE,
	SHAPE_BLOB,
	SHAPE_POLYGON,
	SHAPE_STAR,
	SHAPE_RING,
	SHAPE_CAPSULE,
	SHAPE_CRESCENT,
	SHAPE_CUP,
	SHAPE_KINDS
};
extern const char *const shape_names[SHAPE_KINDS];

enum { SHAPE_MAX_CORNERS = 16, SHAPE_HARMONICS = 5 };

struct shape {
	enum shape_kind kind;
	float x, y, size;   /* centre and half of the longer extent, in pixels */
	float cosine, sine; /* turned by */
	float a, b;         /* meaning depends on the kind */
	int corners;
	float corner_x[SHAPE_MAX_CORNERS], corner_y[SHAPE_MAX_CORNERS];
	float wave_cos[SHAPE_HARMONICS], wave_sin[SHAPE_HARMONICS]; /* blob: radius over angle, harmonics 2.. */
};

void shape_draw(struct rng *rng, enum shape_kind kind, struct shape *shape);
/* About the signed distance to the outline in pixels, negative inside. */
float shape_distance(const struct shape *shape, float x, float y);

/* --- outlines of masks (scenes_outline.c) --------------------------------- */

/* Removes 4-connected parts of fewer than `least` pixels. */
enum status mask_remove_specks(uint8_t *mask, int width, int height, int least);
/* One 4-connected part without holes: what a single polygon can say. */
enum status mask_is_simple(const uint8_t *mask, int width, int height, int *simple);

/* The outline of a simple mask as x0,y0,x1,y1,..., simplified so that it stays within `tolerance` pixels; xy is
 * returned, caller frees. count 0 when the mask is empty. */
enum status mask_trace(const uint8_t *mask, int width, int height, double tolerance, double **xy, int *count);

/* --- a scene (scenes_render.c) -------------------------------------------- */

enum { SCENE_MAX_OBJECTS = 5 };

struct scene {
	struct image photo;
	int object_count;
	enum shape_kind kinds[SCENE_MAX_OBJECTS];
	uint8_t *masks[SCENE_MAX_OBJECTS]; /* owned; width x height of 0 and 1: the visible part */
};

enum status scene_render(struct scene *scene, uint64_t seed, uint64_t index, int width, int height);
void scene_release(struct scene *scene);

#endif
