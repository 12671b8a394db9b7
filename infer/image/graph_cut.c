/* See graph_cut.h. */
#include "graph_cut.h"

#include <stdbool.h>
#include <string.h>

#include "../common/arena.h"
#include "max_flow.h"

enum { BACKGROUND, OBJECT };
enum { LEVEL_BITS = 4, LEVELS = 1 << LEVEL_BITS, COLOURS = LEVELS * LEVELS * LEVELS };
enum { UNIT = 64 }; /* cost of a bit of log-odds */
enum { WEIGHT_ONE = 16 };
/* Object and background that have over 6 / 10 of their colours in common are not told apart by them; under 2 / 10
 * they are, as well as the odds say. In between, in part. */
enum { APART_NONE = 4, APART_FULL = 8, APART_UNITS = 10, TRUST_ONE = 256 };
enum { MOST_ODDS = 16 * UNIT };
/* a colour's share of a region; what every colour has at least */
enum { SHARE_BITS = 24, UNSEEN = 1 << (SHARE_BITS - 14) };

/* Its pieces of the workspace. Bytes in all. */
static size_t place(struct infer_graph_cut *g, int w, int h, void *workspace)
{
	struct infer_arena arena = {.memory = workspace};
	for (int i = 0; i < 2; i++)
		g->counts[i] = infer_arena_take(&arena, COLOURS * sizeof *g->counts[i]);
	g->smooth = infer_arena_take(&arena, COLOURS * sizeof *g->smooth);
	g->odds = infer_arena_take(&arena, COLOURS * sizeof *g->odds);
	g->flow_workspace = infer_arena_take(&arena, infer_flow_workspace(w, h));
	return arena.used;
}

size_t infer_graph_cut_workspace(int w, int h)
{
	struct infer_graph_cut none;
	return place(&none, w, h, NULL);
}

static uint32_t square(int a)
{
	return (uint32_t)(a * a);
}

static uint32_t difference(const uint8_t *a, const uint8_t *b)
{
	return square(a[0] - b[0]) + square(a[1] - b[1]) + square(a[2] - b[2]);
}

static const uint8_t *pixel(const struct infer_graph_cut *g, int x, int y)
{
	return g->rgb + 3 * ((size_t)y * (size_t)g->w + (size_t)x);
}

static uint32_t mean_contrast(const struct infer_graph_cut *g)
{
	uint64_t sum = 0, count = 0;
	for (int y = 0; y < g->h; y++)
		for (int x = 0; x < g->w; x++) {
			if (x + 1 < g->w) {
				sum += difference(pixel(g, x, y), pixel(g, x + 1, y));
				count++;
			}
			if (y + 1 < g->h) {
				sum += difference(pixel(g, x, y), pixel(g, x, y + 1));
				count++;
			}
		}
	return (uint32_t)(sum / (count ? count : 1)) + 1;
}

void infer_graph_cut_start(struct infer_graph_cut *g, void *workspace)
{
	place(g, g->w, g->h, workspace);
	g->contrast = mean_contrast(g);
}

/* --- colours -------------------------------------------------------------- */

/* UNIT log2(value), rounded down: a bit of the fraction for each squaring. */
static int32_t log2_units(uint32_t value)
{
	int32_t whole = 0;
	for (uint32_t v = value; v > 1; v >>= 1)
		whole++;
	uint64_t mantissa = (uint64_t)value << 31 >> whole; /* 1..2 in units of 2^-31 */
	int32_t result = whole;
	for (int unit = UNIT; unit > 1; unit /= 2) {
		mantissa = mantissa * mantissa >> 31;
		int bit = mantissa >> 32 != 0;
		mantissa >>= bit;
		result = 2 * result + bit;
	}
	return result;
}

static size_t colour_of(const uint8_t *rgb)
{
	enum { DROP = 8 - LEVEL_BITS };
	return (size_t)(rgb[0] >> DROP) << 2 * LEVEL_BITS | (size_t)(rgb[1] >> DROP) << LEVEL_BITS |
	       (size_t)(rgb[2] >> DROP);
}

/* 1 2 1 along one axis of the colour cube. */
static void smooth_axis(const uint32_t *in, uint32_t *out, size_t step)
{
	for (size_t i = 0; i < COLOURS; i++) {
		size_t level = i / step % LEVELS;
		uint32_t before = level > 0 ? in[i - step] : in[i], after = level + 1 < LEVELS ? in[i + step] : in[i];
		out[i] = before / 4 + in[i] / 2 + after / 4;
	}
}

static uint64_t smooth(const struct infer_graph_cut *g, uint32_t *counts)
{
	uint64_t total = 0;
	smooth_axis(counts, g->smooth, 1);
	smooth_axis(g->smooth, counts, LEVELS);
	smooth_axis(counts, g->smooth, (size_t)LEVELS * LEVELS);
	memcpy(counts, g->smooth, COLOURS * sizeof *counts);
	for (size_t i = 0; i < COLOURS; i++)
		total += counts[i];
	return total + 1;
}

/* 0 to TRUST_ONE, from the share of colours that both sides have. */
static int32_t trust(uint64_t common)
{
	int64_t one = (int64_t)1 << SHARE_BITS, none = one * APART_NONE / APART_UNITS,
		full = one * APART_FULL / APART_UNITS;
	int64_t value = (one - (int64_t)common - none) * TRUST_ONE / (full - none);
	return (int32_t)(value < 0 ? 0 : value > TRUST_ONE ? TRUST_ONE : value);
}

/* A pixel counts for the side that the guess puts it on, by how sure the guess is. */
static void learn_colours(const struct infer_graph_cut *g, const uint8_t *guess)
{
	enum { COUNT_SCALE = 8 }; /* so that smoothing loses little; 2^20 pixels of 128 then fit 32 bits */
	size_t pixels = (size_t)g->w * (size_t)g->h;
	uint64_t total[2];
	memset(g->counts[0], 0, COLOURS * sizeof *g->counts[0]);
	memset(g->counts[1], 0, COLOURS * sizeof *g->counts[1]);
	for (size_t i = 0; i < pixels; i++) {
		int side = guess[i] >= 128, sure = side ? guess[i] - 127 : 128 - guess[i];
		g->counts[side][colour_of(g->rgb + 3 * i)] += (uint32_t)sure * COUNT_SCALE;
	}
	for (int side = 0; side < 2; side++)
		total[side] = smooth(g, g->counts[side]);
	uint64_t common = 0;
	for (size_t i = 0; i < COLOURS; i++) {
		uint32_t share[2];
		for (int side = 0; side < 2; side++)
			share[side] = (uint32_t)(((uint64_t)g->counts[side][i] << SHARE_BITS) / total[side]);
		common += share[0] < share[1] ? share[0] : share[1];
		g->odds[i] = log2_units(share[OBJECT] + UNSEEN) - log2_units(share[BACKGROUND] + UNSEEN);
	}
	int32_t trusted = trust(common);
	for (size_t i = 0; i < COLOURS; i++)
		g->odds[i] = g->odds[i] * trusted / TRUST_ONE;
}

/* --- the graph ------------------------------------------------------------ */

static int32_t limit(int32_t odds)
{
	return odds < -MOST_ODDS ? -MOST_ODDS : odds > MOST_ODDS ? MOST_ODDS : odds;
}

static void add_terminals(const struct infer_graph_cut *g, const uint8_t *guess, struct infer_flow *f)
{
	int32_t guess_odds[256];
	for (uint32_t i = 0; i < 256; i++)
		guess_odds[i] = (log2_units(2 * i + 1) - log2_units(2 * (255 - i) + 1)) * g->guess_weight / WEIGHT_ONE;
	for (int y = 0; y < g->h; y++)
		for (int x = 0; x < g->w; x++) {
			int32_t colour = g->odds[colour_of(pixel(g, x, y))] * g->colour_weight / WEIGHT_ONE;
			int32_t odds = limit(guess_odds[guess[(size_t)y * (size_t)g->w + (size_t)x]] + colour);
			infer_flow_terminals(f, x, y, odds > 0 ? odds : 0, odds < 0 ? -odds : 0);
		}
}

static bool near(const struct infer_click *click, int x, int y, int radius)
{
	return square((int)click->x - x) + square((int)click->y - y) <= square(radius);
}

static void add_taps(const struct infer_graph_cut *g, const struct infer_click *clicks, int count, struct infer_flow *f)
{
	for (int i = 0; i < count; i++) {
		int cx = (int)clicks[i].x, cy = (int)clicks[i].y;
		for (int y = cy - g->tap_radius; y <= cy + g->tap_radius; y++)
			for (int x = cx - g->tap_radius; x <= cx + g->tap_radius; x++) {
				if (x < 0 || y < 0 || x >= g->w || y >= g->h || !near(&clicks[i], x, y, g->tap_radius))
					continue;
				int32_t most = INFER_FLOW_MAX_TERMINAL;
				infer_flow_terminals(f, x, y, clicks[i].positive ? most : 0,
						     clicks[i].positive ? 0 : most);
			}
	}
}

/* weight / (1 + d^2 / mean), less for a diagonal: a contrast term without exp. */
static void add_edges(const struct infer_graph_cut *g, struct infer_flow *f)
{
	static const int steps[4][3] = {{1, 0, 256}, {-1, 1, 181}, {0, 1, 256}, {1, 1, 181}};
	for (int y = 0; y < g->h; y++)
		for (int x = 0; x < g->w; x++)
			for (int k = 0; k < 4; k++) {
				int nx = x + steps[k][0], ny = y + steps[k][1];
				if (nx < 0 || nx >= g->w || ny >= g->h)
					continue;
				uint64_t most =
					(uint64_t)(g->edge_weight * UNIT / WEIGHT_ONE) * (uint64_t)steps[k][2] / 256;
				uint64_t capacity = most * g->contrast /
						    (g->contrast + difference(pixel(g, x, y), pixel(g, nx, ny)));
				infer_flow_edge(f, x, y, 4 + k, (int32_t)capacity);
			}
}

void infer_graph_cut_run(const struct infer_graph_cut *g, const uint8_t *guess, const struct infer_click *clicks,
			 int count, uint8_t *mask)
{
	for (int round = 0; round < g->rounds; round++) {
		struct infer_flow f;
		learn_colours(g, round == 0 ? guess : mask);
		infer_flow_start(&f, g->w, g->h, g->flow_workspace);
		add_terminals(g, guess, &f);
		add_taps(g, clicks, count, &f);
		add_edges(g, &f);
		infer_flow_run(&f);
		for (int y = 0; y < g->h; y++)
			for (int x = 0; x < g->w; x++)
				mask[(size_t)y * (size_t)g->w + (size_t)x] = infer_flow_is_source(&f, x, y) ? 255 : 0;
	}
}

/* --- taps alone ----------------------------------------------------------- */

static uint32_t border_distance(int x, int y, int w, int h)
{
	int across = x + 1 < w - x ? x + 1 : w - x, down = y + 1 < h - y ? y + 1 : h - y;
	return square(across < down ? across : down);
}

void infer_graph_cut_guess(const struct infer_click *clicks, int count, int w, int h, uint8_t *guess)
{
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++) {
			uint64_t nearest[2] = {border_distance(x, y, w, h), UINT32_MAX};
			for (int i = 0; i < count; i++) {
				uint64_t d = square((int)clicks[i].x - x) + square((int)clicks[i].y - y);
				uint64_t *least = &nearest[clicks[i].positive ? OBJECT : BACKGROUND];
				*least = d < *least ? d : *least;
			}
			uint64_t both = nearest[0] + nearest[1];
			*guess++ = both ? (uint8_t)(255 * nearest[BACKGROUND] / both) : 128;
		}
}
