/* One generated photo: a background, two to five objects one before the other, light, shadows, a camera.
 *
 * Objects share one palette and one family of textures with the background, and now and then each other's, so that
 * colour alone does not tell what was clicked. Masks are the visible part: the owner of a pixel is the last object
 * that covers half of it. */
#include "data/scenes_parts.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LAYOUTS = 24, MIN_OBJECTS = 2, LEAST_SPECK = 12 };

/* Visible share of the object, and of the photo, under which it is left out. */
static const float LEAST_VISIBLE = 0.3f, LEAST_OF_PHOTO = 0.005f;
/* Mean colours nearer than this are drawn again, a few times. */
static const float LEAST_CONTRAST = 0.2f;

struct item {
	struct shape shape;
	struct texture texture;
	float depth; /* of the deepest point under the outline, pixels */
	float bevel; /* share of the depth that is rounded: 1 a dome, little a flat thing */
	float gloss;
	float shadow_x, shadow_y, shadow_soft;
};

struct light {
	float x, y, z; /* towards it, length 1 */
	float ambient;
	float shadow;   /* strength */
	float fall_off; /* brightness from the near to the far side of the picture */
};

struct backdrop {
	bool table; /* a wall above and a table below `horizon`; else one surface seen from above */
	float horizon;
	struct texture wall, ground;
};

struct camera {
	struct colour gain;
	float blur, noise, vignette;
};

struct stage {
	struct rng rng;
	int width, height;
	float side; /* the shorter side */
	struct colour palette[PALETTE_SIZE];
	struct light light;
	struct backdrop backdrop;
	struct camera camera;
	struct item items[SCENE_MAX_OBJECTS];
	int count;
	uint8_t *owner;        /* width x height: 0 background, i + 1 item i */
	struct colour *canvas; /* width x height */
};

static struct colour scaled(struct colour c, float by)
{
	return (struct colour){c.r * by, c.g * by, c.b * by};
}

static float smooth(float edge0, float edge1, float x)
{
	float t = (x - edge0) / (edge1 - edge0);
	t = t < 0 ? 0 : t > 1 ? 1 : t;
	return t * t * (3 - 2 * t);
}

/* --- layout --------------------------------------------------------------- */

static void draw_light(struct stage *stage)
{
	struct rng *rng = &stage->rng;
	struct light *light = &stage->light;
	light->x = rng_range(rng, -0.75f, 0.75f);
	light->y = rng_range(rng, -0.8f, -0.1f);
	light->z = rng_range(rng, 0.6f, 1.1f);
	float length = sqrtf(light->x * light->x + light->y * light->y + light->z * light->z);
	light->x /= length;
	light->y /= length;
	light->z /= length;
	light->ambient = rng_range(rng, 0.35f, 0.65f);
	light->shadow = rng_range(rng, 0.25f, 0.65f);
	light->fall_off = rng_range(rng, 0.05f, 0.4f);
}

static void draw_backdrop(struct stage *stage)
{
	struct rng *rng = &stage->rng;
	struct backdrop *backdrop = &stage->backdrop;
	backdrop->table = rng_float(rng) < 0.55f;
	backdrop->horizon = backdrop->table ? rng_range(rng, 0.2f, 0.5f) * (float)stage->height : -1;
	texture_draw(rng, stage->palette, stage->side * rng_range(rng, 0.06f, 0.22f), &backdrop->ground);
	texture_draw(rng, stage->palette, stage->side * rng_range(rng, 0.06f, 0.3f), &backdrop->wall);
}

static void draw_camera(struct stage *stage)
{
	struct rng *rng = &stage->rng;
	float gain = rng_range(rng, 0.92f, 1.25f), warmth = rng_range(rng, -0.07f, 0.07f);
	stage->camera.gain = (struct colour){gain * (1 + warmth), gain, gain * (1 - warmth)};
	stage->camera.blur = rng_range(rng, 0.04f, 0.2f);
	stage->camera.noise = rng_range(rng, 0.003f, 0.018f);
	stage->camera.vignette = rng_range(rng, 0, 0.25f);
}

static struct colour ground_mean(const struct stage *stage)
{
	return texture_mean(&stage->backdrop.ground);
}

/* A texture of its own, or (one in five) that of an earlier object; not quite the colour of the ground. */
static void draw_item_texture(struct stage *stage, struct item *item)
{
	struct rng *rng = &stage->rng;
	struct colour ground = ground_mean(stage);
	if (stage->count > 0 && rng_float(rng) < 0.2f) {
		item->texture = stage->items[rng_below(rng, (uint32_t)stage->count)].texture;
		item->texture.u0 += 31;
		return;
	}
	for (int i = 0; i < 6; i++) {
		texture_draw(rng, stage->palette, item->shape.size * rng_range(rng, 0.2f, 0.7f), &item->texture);
		if (colour_distance(texture_mean(&item->texture), ground) > LEAST_CONTRAST)
			return;
	}
}

/* On a table, what stands lower is nearer and larger. Of a few places the one with most room is taken, or simply the
 * first. */
static void draw_item_place(struct stage *stage, struct shape *shape)
{
	struct rng *rng = &stage->rng;
	float w = (float)stage->width, h = (float)stage->height, best = -1,
	      top = fmaxf(stage->backdrop.horizon + 0.05f * h, 0.12f * h);
	float size = stage->side * rng_range(rng, 0.12f, 0.3f);
	int places = rng_float(rng) < 0.45f ? 1 : 4;
	for (int i = 0; i < places; i++) {
		float x = rng_range(rng, 0.08f, 0.92f) * w, y = rng_range(rng, top, 0.92f * h), room = 1e9f;
		for (int k = 0; k < stage->count; k++) {
			float dx = x - stage->items[k].shape.x, dy = y - stage->items[k].shape.y;
			room = fminf(room, sqrtf(dx * dx + dy * dy) - stage->items[k].shape.size);
		}
		if (i > 0 && room <= best)
			continue;
		best = room;
		shape->x = x;
		shape->y = y;
	}
	shape->size = stage->backdrop.table ? size * (0.65f + 0.6f * (shape->y - top) / (h - top)) : size;
}

static void draw_item(struct stage *stage, struct item *item)
{
	struct rng *rng = &stage->rng;
	const struct light *light = &stage->light;
	bool twin = stage->count > 0 && rng_float(rng) < 0.2f;
	enum shape_kind kind = twin ? stage->items[0].shape.kind : (enum shape_kind)rng_below(rng, SHAPE_KINDS);
	shape_draw(rng, kind, &item->shape);
	draw_item_place(stage, &item->shape);
	draw_item_texture(stage, item);
	item->bevel = rng_float(rng) < 0.6f ? rng_range(rng, 0.7f, 1) : rng_range(rng, 0.12f, 0.3f);
	item->gloss = rng_float(rng) < 0.5f ? 0 : rng_range(rng, 0.1f, 0.55f);
	float height = item->shape.size * rng_range(rng, 0.15f, 0.4f) / light->z;
	item->shadow_x = -light->x * height;
	item->shadow_y = -light->y * height;
	item->shadow_soft = rng_range(rng, 0.06f, 0.3f) * item->shape.size + 1.5f;
	item->depth = 1;
}

/* Far things first. From above, the order is chance. */
static void sort_items(struct stage *stage)
{
	for (int i = 1; stage->backdrop.table && i < stage->count; i++) {
		struct item item = stage->items[i];
		int k = i;
		for (; k > 0 && stage->items[k - 1].shape.y > item.shape.y; k--)
			stage->items[k] = stage->items[k - 1];
		stage->items[k] = item;
	}
}

struct box {
	int x0, y0, x1, y1;
};

/* The pixels within `margin` of the shape, clipped to the picture. */
static struct box around(const struct stage *stage, const struct shape *shape, float margin)
{
	float reach = shape->size * 1.1f + margin + 2;
	struct box box = {(int)floorf(shape->x - reach), (int)floorf(shape->y - reach), (int)ceilf(shape->x + reach),
			  (int)ceilf(shape->y + reach)};
	box.x0 = box.x0 < 0 ? 0 : box.x0;
	box.y0 = box.y0 < 0 ? 0 : box.y0;
	box.x1 = box.x1 > stage->width ? stage->width : box.x1;
	box.y1 = box.y1 > stage->height ? stage->height : box.y1;
	return box;
}

/* Fills stage->owner, the items' depths, and how many pixels of each item lie in the picture and are seen. */
static void find_owners(struct stage *stage, int *whole, int *visible)
{
	memset(stage->owner, 0, (size_t)stage->width * (size_t)stage->height);
	for (int i = 0; i < stage->count; i++) {
		struct item *item = &stage->items[i];
		struct box box = around(stage, &item->shape, 0);
		whole[i] = visible[i] = 0;
		for (int y = box.y0; y < box.y1; y++)
			for (int x = box.x0; x < box.x1; x++) {
				float distance = shape_distance(&item->shape, (float)x + 0.5f, (float)y + 0.5f);
				if (distance >= 0)
					continue;
				item->depth = fmaxf(item->depth, -distance);
				uint8_t *owner = &stage->owner[(size_t)y * (size_t)stage->width + (size_t)x];
				if (*owner)
					visible[*owner - 1]--;
				*owner = (uint8_t)(i + 1);
				whole[i]++;
				visible[i]++;
			}
	}
}

/* Takes away what is hidden too much (the first such item); true when there was one. */
static bool drop_hidden(struct stage *stage)
{
	int whole[SCENE_MAX_OBJECTS], visible[SCENE_MAX_OBJECTS];
	float least = LEAST_OF_PHOTO * (float)stage->width * (float)stage->height;
	find_owners(stage, whole, visible);
	for (int i = 0; i < stage->count; i++) {
		if ((float)visible[i] >= LEAST_VISIBLE * (float)whole[i] && (float)visible[i] >= least)
			continue;
		stage->count--;
		memmove(&stage->items[i], &stage->items[i + 1], (size_t)(stage->count - i) * sizeof *stage->items);
		return true;
	}
	return false;
}

static void draw_layout(struct stage *stage)
{
	for (int tries = 0; tries < MAX_LAYOUTS; tries++) {
		int wanted = MIN_OBJECTS + (int)rng_below(&stage->rng, SCENE_MAX_OBJECTS - MIN_OBJECTS + 1);
		stage->count = 0;
		while (stage->count < wanted) {
			draw_item(stage, &stage->items[stage->count]);
			stage->count++;
		}
		sort_items(stage);
		while (drop_hidden(stage))
			;
		if (stage->count >= MIN_OBJECTS)
			return;
	}
}

/* --- painting ------------------------------------------------------------- */

/* The ground is seen at an angle: what is far is small. Mild enough that patterns do not alias. */
static struct colour backdrop_at(const struct stage *stage, float x, float y)
{
	const struct backdrop *backdrop = &stage->backdrop;
	if (!backdrop->table)
		return texture_at(&backdrop->ground, x, y);
	float below = y - backdrop->horizon, h = (float)stage->height;
	struct colour wall = texture_at(&backdrop->wall, x, y);
	/* The table's shade on the wall, and the wall's on the table. */
	float near_edge = 1 - 0.25f * smooth(0.12f * h, 0, fabsf(below));
	if (below < -0.5f)
		return scaled(wall, near_edge);
	float far = 1.6f / (0.6f + below / (h - backdrop->horizon));
	struct colour ground = texture_at(&backdrop->ground, (x - 0.5f * (float)stage->width) * far, -h * far * 0.6f);
	return colour_mix(scaled(wall, near_edge), scaled(ground, near_edge), smooth(-0.5f, 0.5f, below));
}

static void paint_backdrop(struct stage *stage)
{
	for (int y = 0; y < stage->height; y++)
		for (int x = 0; x < stage->width; x++)
			stage->canvas[(size_t)y * (size_t)stage->width + (size_t)x] =
				backdrop_at(stage, (float)x + 0.5f, (float)y + 0.5f);
}

/* Darkens all that is already there. */
static void paint_shadow(struct stage *stage, const struct item *item)
{
	struct box box = around(stage, &item->shape, item->shape.size + item->shadow_soft);
	for (int y = box.y0; y < box.y1; y++)
		for (int x = box.x0; x < box.x1; x++) {
			float px = (float)x + 0.5f, py = (float)y + 0.5f;
			float cast = shape_distance(&item->shape, px - item->shadow_x, py - item->shadow_y);
			float touch = shape_distance(&item->shape, px, py);
			float dark = smooth(item->shadow_soft, -item->shadow_soft, cast) * stage->light.shadow;
			dark += 0.25f * smooth(4, 0, touch) * (1 - dark);
			struct colour *pixel = &stage->canvas[(size_t)y * (size_t)stage->width + (size_t)x];
			*pixel = scaled(*pixel, 1 - dark);
		}
}

/* The surface rises from the outline like a quarter circle of radius bevel * depth, then is flat. */
static struct colour shade(const struct stage *stage, const struct item *item, float x, float y, float distance)
{
	const struct light *light = &stage->light;
	float dx = shape_distance(&item->shape, x + 1, y) - shape_distance(&item->shape, x - 1, y);
	float dy = shape_distance(&item->shape, x, y + 1) - shape_distance(&item->shape, x, y - 1);
	float length = sqrtf(dx * dx + dy * dy) + 1e-6f, rise = -distance / (item->bevel * item->depth);
	float tilt = rise < 0 ? 1 : rise > 1 ? 0 : 1 - rise;
	float nx = dx / length * tilt, ny = dy / length * tilt, nz = sqrtf(1 - 0.98f * tilt * tilt);
	float facing = nx * light->x + ny * light->y + nz * light->z;
	float bright = light->ambient + (1 - light->ambient) * fmaxf(facing, 0) / light->z;
	/* Mirrored light towards the eye (Phong), to the power 16. */
	float mirror = fmaxf(2 * facing * nz - light->z, 0);
	mirror *= mirror, mirror *= mirror, mirror *= mirror, mirror *= mirror;
	/* The pattern is pulled over the surface a little. */
	float pull = 0.35f * tilt * tilt * item->depth * item->bevel;
	struct colour skin = texture_at(&item->texture, x + dx / length * pull, y + dy / length * pull);
	return colour_mix(scaled(skin, bright), (struct colour){1, 1, 0.97f}, item->gloss * mirror);
}

static void paint_item(struct stage *stage, const struct item *item)
{
	struct box box = around(stage, &item->shape, 0);
	for (int y = box.y0; y < box.y1; y++)
		for (int x = box.x0; x < box.x1; x++) {
			float px = (float)x + 0.5f, py = (float)y + 0.5f,
			      distance = shape_distance(&item->shape, px, py);
			if (distance >= 0.5f)
				continue;
			struct colour *pixel = &stage->canvas[(size_t)y * (size_t)stage->width + (size_t)x];
			float cover = distance <= -0.5f ? 1 : 0.5f - distance;
			*pixel = colour_mix(*pixel, shade(stage, item, px, py, distance), cover);
		}
}

/* --- camera --------------------------------------------------------------- */

/* [b, 1 - 2b, b] along one line of pixels, `step` apart. */
static void blur_line(struct colour *line, int count, size_t step, float b)
{
	struct colour before = line[0];
	for (int i = 0; i < count; i++) {
		struct colour *here = line + (size_t)i * step, after = here[i + 1 < count ? step : 0], now = *here;
		here->r = now.r + b * (before.r + after.r - 2 * now.r);
		here->g = now.g + b * (before.g + after.g - 2 * now.g);
		here->b = now.b + b * (before.b + after.b - 2 * now.b);
		before = now;
	}
}

static void blur(struct stage *stage)
{
	for (int y = 0; y < stage->height; y++)
		blur_line(stage->canvas + (size_t)y * (size_t)stage->width, stage->width, 1, stage->camera.blur);
	for (int x = 0; x < stage->width; x++)
		blur_line(stage->canvas + x, stage->height, (size_t)stage->width, stage->camera.blur);
}

/* Sum of four uniform bytes: nearly normal, standard deviation 1. */
static float sensor_noise(struct rng *rng)
{
	uint32_t bits = rng_u32(rng);
	int sum = (int)(bits & 255) + (int)(bits >> 8 & 255) + (int)(bits >> 16 & 255) + (int)(bits >> 24);
	return (float)(sum - 510) * (1 / 147.8f);
}

static uint8_t to_byte(float value)
{
	value = floorf(value * 255 + 0.5f);
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* How much light reaches this part of the sensor: falling off across the scene and towards the corners. */
static float exposure(const struct stage *stage, int x, int y)
{
	const struct light *light = &stage->light;
	float dx = ((float)x + 0.5f) / (float)stage->width - 0.5f, dy = ((float)y + 0.5f) / (float)stage->height - 0.5f;
	return (1 + light->fall_off * 1.4f * (light->x * dx + light->y * dy)) *
	       (1 - stage->camera.vignette * (dx * dx + dy * dy) * 2);
}

static void expose(struct stage *stage, struct image *photo)
{
	const struct camera *camera = &stage->camera;
	uint8_t *out = photo->pixels;
	const struct colour *pixel = stage->canvas;
	for (int y = 0; y < stage->height; y++)
		for (int x = 0; x < stage->width; x++, pixel++, out += 3) {
			float light = exposure(stage, x, y);
			out[0] = to_byte(pixel->r * camera->gain.r * light + camera->noise * sensor_noise(&stage->rng));
			out[1] = to_byte(pixel->g * camera->gain.g * light + camera->noise * sensor_noise(&stage->rng));
			out[2] = to_byte(pixel->b * camera->gain.b * light + camera->noise * sensor_noise(&stage->rng));
		}
}

/* --- the scene ------------------------------------------------------------ */

static enum status take_masks(const struct stage *stage, struct scene *scene)
{
	size_t pixels = (size_t)stage->width * (size_t)stage->height;
	for (int i = 0; i < stage->count; i++) {
		uint8_t *mask = malloc(pixels);
		if (!mask)
			return status_fail(STATUS_NO_MEMORY, "no memory for the masks of a scene");
		scene->masks[scene->object_count] = mask;
		scene->kinds[scene->object_count++] = stage->items[i].shape.kind;
		for (size_t p = 0; p < pixels; p++)
			mask[p] = stage->owner[p] == i + 1;
		TRY(mask_remove_specks(mask, stage->width, stage->height, LEAST_SPECK));
	}
	return STATUS_OK;
}

static enum status render(struct stage *stage, struct scene *scene)
{
	TRY(image_alloc(&scene->photo, stage->width, stage->height, 3));
	palette_draw(&stage->rng, stage->palette);
	draw_light(stage);
	draw_backdrop(stage);
	draw_camera(stage);
	draw_layout(stage);
	paint_backdrop(stage);
	for (int i = 0; i < stage->count; i++) {
		paint_shadow(stage, &stage->items[i]);
		paint_item(stage, &stage->items[i]);
	}
	blur(stage);
	expose(stage, &scene->photo);
	return take_masks(stage, scene);
}

enum status scene_render(struct scene *scene, uint64_t seed, uint64_t index, int width, int height)
{
	size_t pixels = (size_t)width * (size_t)height;
	struct stage stage = {.rng = rng_stream(seed, 0, index, RNG_SCENES), .width = width, .height = height};
	stage.side = (float)(width < height ? width : height);
	stage.owner = malloc(pixels);
	stage.canvas = malloc(pixels * sizeof *stage.canvas);
	*scene = (struct scene){0};
	enum status status = stage.owner && stage.canvas
				     ? render(&stage, scene)
				     : status_fail(STATUS_NO_MEMORY, "no memory for a scene of %d x %d", width, height);
	free(stage.owner);
	free(stage.canvas);
	if (status != STATUS_OK)
		scene_release(scene);
	return status;
}

void scene_release(struct scene *scene)
{
	for (int i = 0; i < scene->object_count; i++)
		free(scene->masks[i]);
	image_release(&scene->photo);
	*scene = (struct scene){0};
}
