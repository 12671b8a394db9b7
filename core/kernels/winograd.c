/* See winograd.h. Each transform is two passes of a one-dimensional one, over the columns and then over the rows; the
 * vectors run over channels. The points are 0, 1, -1, 2, -2 and infinity, as in the paper. */
#include "core/kernels/winograd.h"

#include "core/kernels/kernel.h"
#include "core/kernels/vec.h"

#define UNROLL _Pragma("GCC unroll 8")
#define ROLLED _Pragma("GCC unroll 1")
#define INLINE static inline __attribute__((always_inline))

enum { TILE = WINOGRAD_TILE, PATCH = WINOGRAD_PATCH };

/* v = B^T d. */
INLINE void input_1d(const vec d[PATCH], vec v[PATCH])
{
	vec even = vec_fma(vec_set1(-4), d[2], d[4]), odd = vec_fma(vec_set1(-4), d[1], d[3]);
	vec even2 = vec_sub(d[4], d[2]), odd2 = vec_sub(d[3], d[1]);
	v[0] = vec_fma(vec_set1(4), d[0], vec_fma(vec_set1(-5), d[2], d[4]));
	v[1] = vec_add(even, odd);
	v[2] = vec_sub(even, odd);
	v[3] = vec_fma(vec_set1(2), odd2, even2);
	v[4] = vec_fma(vec_set1(-2), odd2, even2);
	v[5] = vec_fma(vec_set1(4), d[1], vec_fma(vec_set1(-5), d[3], d[5]));
}

/* d = B v. */
INLINE void input_adjoint_1d(const vec v[PATCH], vec d[PATCH])
{
	vec sum = vec_add(v[1], v[2]), difference = vec_sub(v[1], v[2]);
	vec sum2 = vec_add(v[3], v[4]), difference2 = vec_sub(v[3], v[4]);
	d[0] = vec_mul(vec_set1(4), v[0]);
	d[1] = vec_fma(vec_set1(4), vec_sub(v[5], difference), vec_mul(vec_set1(-2), difference2));
	d[2] = vec_sub(vec_fma(vec_set1(-5), v[0], vec_mul(vec_set1(-4), sum)), sum2);
	d[3] = vec_fma(vec_set1(-5), v[5], vec_fma(vec_set1(2), difference2, difference));
	d[4] = vec_add(vec_add(v[0], sum), sum2);
	d[5] = v[5];
}

/* y = A^T m. */
INLINE void output_1d(const vec m[PATCH], vec y[TILE])
{
	vec sum = vec_add(m[1], m[2]), difference = vec_sub(m[1], m[2]);
	vec sum2 = vec_add(m[3], m[4]), difference2 = vec_sub(m[3], m[4]);
	y[0] = vec_add(vec_add(m[0], sum), sum2);
	y[1] = vec_fma(vec_set1(2), difference2, difference);
	y[2] = vec_fma(vec_set1(4), sum2, sum);
	y[3] = vec_add(vec_fma(vec_set1(8), difference2, difference), m[5]);
}

/* m = A y. */
INLINE void output_adjoint_1d(const vec y[TILE], vec m[PATCH])
{
	vec even = vec_add(y[0], y[2]), odd = vec_add(y[1], y[3]);
	vec even2 = vec_fma(vec_set1(4), y[2], y[0]), odd2 = vec_fma(vec_set1(4), y[3], y[1]);
	m[0] = y[0];
	m[1] = vec_add(even, odd);
	m[2] = vec_sub(even, odd);
	m[3] = vec_fma(vec_set1(2), odd2, even2);
	m[4] = vec_fma(vec_set1(-2), odd2, even2);
	m[5] = y[3];
}

/* u = G g. */
INLINE void filter_1d(const vec g[3], vec u[PATCH])
{
	vec outer = vec_mul(vec_set1(-1.0f / 6), vec_add(g[0], g[2])), middle = vec_mul(vec_set1(1.0f / 6), g[1]);
	vec outer2 = vec_fma(vec_set1(1.0f / 24), g[0], vec_mul(vec_set1(1.0f / 6), g[2]));
	vec middle2 = vec_mul(vec_set1(1.0f / 12), g[1]);
	u[0] = vec_mul(vec_set1(0.25f), g[0]);
	u[1] = vec_sub(outer, middle);
	u[2] = vec_add(outer, middle);
	u[3] = vec_add(outer2, middle2);
	u[4] = vec_sub(outer2, middle2);
	u[5] = g[2];
}

/* g = G^T u. */
INLINE void filter_adjoint_1d(const vec u[PATCH], vec g[3])
{
	vec sum = vec_add(u[1], u[2]), difference = vec_sub(u[2], u[1]);
	vec sum2 = vec_add(u[3], u[4]), difference2 = vec_sub(u[3], u[4]);
	vec sixth = vec_set1(1.0f / 6);
	g[0] = vec_fma(vec_set1(0.25f), u[0], vec_fma(vec_set1(1.0f / 24), sum2, vec_mul(vec_set1(-1.0f / 6), sum)));
	g[1] = vec_fma(vec_set1(1.0f / 12), difference2, vec_mul(sixth, difference));
	g[2] = vec_fma(sixth, vec_sub(sum2, sum), u[5]);
}

static bool whole(const struct winograd_tile *t)
{
	return t->row_begin == 0 && t->col_begin == 0 && t->row_end == PATCH && t->col_end == PATCH;
}

INLINE bool has(const struct winograd_tile *t, int row, int col)
{
	return row >= t->row_begin && row < t->row_end && col >= t->col_begin && col < t->col_end;
}

/* With a constant n of VEC_LANES the compiler keeps one instruction of these. */
INLINE vec load(const float *p, int n)
{
	return n < VEC_LANES ? vec_load_part(p, n) : vec_load(p);
}

INLINE void store(float *p, int n, vec v)
{
	if (n < VEC_LANES)
		vec_store_part(p, n, v);
	else
		vec_store(p, v);
}

/* What the functions below work on: one vector of n channels of one tile. `tile` is NULL where all of its patch lies
 * inside the map. */
struct part {
	const struct winograd_tile *tile;
	const struct winograd_map *map;
	ptrdiff_t frequency;
	int n;
};

INLINE bool inside(const struct part *p, int row, int col)
{
	return !p->tile || has(p->tile, row, col);
}

INLINE void input_vector(struct part p, const float *x, float *v)
{
	vec half[PATCH][PATCH];
	UNROLL for (int j = 0; j < PATCH; j++)
	{
		vec d[PATCH], column[PATCH];
		UNROLL for (int i = 0; i < PATCH; i++) d[i] =
			inside(&p, i, j) ? load(x + i * p.map->down + j * p.map->right, p.n) : vec_zero();
		input_1d(d, column);
		UNROLL for (int i = 0; i < PATCH; i++) half[i][j] = column[i];
	}
	UNROLL for (int i = 0; i < PATCH; i++)
	{
		vec row[PATCH];
		input_1d(half[i], row);
		UNROLL for (int j = 0; j < PATCH; j++) vec_store(v + (PATCH * i + j) * p.frequency, row[j]);
	}
}

/* What no tile above or left of this one reaches is stored, the rest is added: `above`, `left` say whether there are
 * such tiles, `add` that all is added. */
INLINE void input_adjoint_vector(struct part p, bool add, bool above, bool left, const float *v, float *x)
{
	vec half[PATCH][PATCH];
	UNROLL for (int j = 0; j < PATCH; j++)
	{
		vec column[PATCH], d[PATCH];
		UNROLL for (int i = 0; i < PATCH; i++) column[i] = vec_load(v + (PATCH * i + j) * p.frequency);
		input_adjoint_1d(column, d);
		UNROLL for (int i = 0; i < PATCH; i++) half[i][j] = d[i];
	}
	UNROLL for (int i = 0; i < PATCH; i++)
	{
		vec row[PATCH];
		input_adjoint_1d(half[i], row);
		UNROLL for (int j = 0; j < PATCH; j++)
		{
			float *to = x + i * p.map->down + j * p.map->right;
			if (!inside(&p, i, j))
				continue;
			bool old = add || (above && i < 2) || (left && j < 2);
			store(to, p.n, old ? vec_add(load(to, p.n), row[j]) : row[j]);
		}
	}
}

INLINE void output_vector(struct part p, const struct winograd_epilogue *e, const float *m, const float *bias,
			  const float *from, float *y)
{
	vec half[TILE][PATCH], start = bias ? load(bias, p.n) : vec_zero();
	UNROLL for (int j = 0; j < PATCH; j++)
	{
		vec column[PATCH], d[TILE];
		UNROLL for (int i = 0; i < PATCH; i++) column[i] = vec_load(m + (PATCH * i + j) * p.frequency);
		output_1d(column, d);
		UNROLL for (int i = 0; i < TILE; i++) half[i][j] = d[i];
	}
	UNROLL for (int i = 0; i < TILE; i++)
	{
		vec row[TILE];
		output_1d(half[i], row);
		UNROLL for (int j = 0; j < TILE; j++)
		{
			if (!inside(&p, i + 1, j + 1))
				continue;
			vec sum = vec_add(row[j], start);
			if (from)
				sum = vec_add(sum, load(from + i * e->from_map.down + j * e->from_map.right, p.n));
			store(y + i * p.map->down + j * p.map->right, p.n, e->relu ? vec_relu(sum) : sum);
		}
	}
}

INLINE void output_adjoint_vector(struct part p, const float *y, float *m)
{
	vec half[PATCH][TILE];
	UNROLL for (int j = 0; j < TILE; j++)
	{
		vec d[TILE], column[PATCH];
		UNROLL for (int i = 0; i < TILE; i++) d[i] =
			inside(&p, i + 1, j + 1) ? load(y + i * p.map->down + j * p.map->right, p.n) : vec_zero();
		output_adjoint_1d(d, column);
		UNROLL for (int i = 0; i < PATCH; i++) half[i][j] = column[i];
	}
	UNROLL for (int i = 0; i < PATCH; i++)
	{
		vec row[PATCH];
		output_adjoint_1d(half[i], row);
		UNROLL for (int j = 0; j < PATCH; j++) vec_store(m + (PATCH * i + j) * p.frequency, row[j]);
	}
}

/* All vectors of channels of one tile: VECTOR(part, channel). */
#define FOR_CHANNELS(tile_, map_, matrices, VECTOR)                                                   \
	do {                                                                                          \
		int c = 0, channels = (map_)->channels;                                               \
		for (; c + VEC_LANES <= channels; c += VEC_LANES)                                     \
			VECTOR(((struct part){tile_, map_, (matrices)->frequency, VEC_LANES}), c);    \
		if (c < channels)                                                                     \
			VECTOR(((struct part){tile_, map_, (matrices)->frequency, channels - c}), c); \
	} while (0)

void KERNEL(winograd_input)(const struct winograd_map *map, const float *x, const struct winograd_tile *tiles,
			    int count, const struct winograd_matrices *v)
{
#define INPUT(part, c) input_vector(part, patch + (c), v->data + t * v->pitch + (c))
	for (int t = 0; t < count; t++) {
		const float *patch = x + tiles[t].pixel * map->pitch - map->down - map->right;
		if (whole(&tiles[t]))
			FOR_CHANNELS(NULL, map, v, INPUT);
		else
			FOR_CHANNELS(&tiles[t], map, v, INPUT);
	}
}

void KERNEL(winograd_input_adjoint)(const struct winograd_map *map, const struct winograd_matrices *v,
				    const struct winograd_tile *tiles, int count, bool add, float *x)
{
#define INPUT_ADJOINT(part, c) input_adjoint_vector(part, add, above, left, v->data + t * v->pitch + (c), patch + (c))
	for (int t = 0; t < count; t++) {
		float *patch = x + tiles[t].pixel * map->pitch - map->down - map->right;
		bool above = tiles[t].row_begin == 0, left = tiles[t].col_begin == 0;
		if (whole(&tiles[t]))
			FOR_CHANNELS(NULL, map, v, INPUT_ADJOINT);
		else
			FOR_CHANNELS(&tiles[t], map, v, INPUT_ADJOINT);
	}
}

void KERNEL(winograd_output)(const struct winograd_map *map, const struct winograd_matrices *m,
			     const struct winograd_tile *tiles, int count, const struct winograd_epilogue *e, float *y)
{
#define OUTPUT(part, c)                                                                                                \
	output_vector(part, e, m->data + t * m->pitch + (c), e->bias ? e->bias + (c) : NULL, from ? from + (c) : NULL, \
		      first + (c))
	for (int t = 0; t < count; t++) {
		float *first = y + tiles[t].pixel * map->pitch;
		const float *from = e->from ? e->from + tiles[t].pixel * e->from_map.pitch : NULL;
		if (whole(&tiles[t]))
			FOR_CHANNELS(NULL, map, m, OUTPUT);
		else
			FOR_CHANNELS(&tiles[t], map, m, OUTPUT);
	}
}

void KERNEL(winograd_output_adjoint)(const struct winograd_map *map, const float *y, const struct winograd_tile *tiles,
				     int count, const struct winograd_matrices *m)
{
#define OUTPUT_ADJOINT(part, c) output_adjoint_vector(part, first + (c), m->data + t * m->pitch + (c))
	for (int t = 0; t < count; t++) {
		const float *first = y + tiles[t].pixel * map->pitch;
		if (whole(&tiles[t]))
			FOR_CHANNELS(NULL, map, m, OUTPUT_ADJOINT);
		else
			FOR_CHANNELS(&tiles[t], map, m, OUTPUT_ADJOINT);
	}
}

/* Filter 4 p + r of VEC_LANES, as it goes through vec_transpose4: taps 0 to 3 are piece p of vector r, taps 4 to 7 of
 * vector 4 + r; tap 8 goes by itself. */
struct filters {
	float taps[8][VEC_LANES], last[VEC_LANES];
};

typedef float four_floats __attribute__((vector_size(16), aligned(4), may_alias));

INLINE four_floats *four_taps(struct filters *f, int filter, int tap)
{
	return (four_floats *)&f->taps[filter % 4 + tap][filter / 4 * 4];
}

/* The taps of n filters, `step` floats apart; the others are 0. */
INLINE void load_filters(const float *data, ptrdiff_t step, int n, vec taps[9])
{
	struct filters f;
	if (n < VEC_LANES)
		memset(&f, 0, sizeof f);
	ROLLED for (int l = 0; l < n; l++, data += step)
	{
		*four_taps(&f, l, 0) = *(const four_floats *)data;
		*four_taps(&f, l, 4) = *(const four_floats *)(data + 4);
		f.last[l] = data[8];
	}
	UNROLL for (int i = 0; i < 8; i++) taps[i] = vec_load(f.taps[i]);
	taps[8] = vec_load(f.last);
	vec_transpose4(taps);
	vec_transpose4(taps + 4);
}

/* Adds the taps of n filters, which follow each other. */
INLINE void add_filters(vec taps[9], int n, float *data)
{
	struct filters f;
	vec_transpose4(taps);
	vec_transpose4(taps + 4);
	UNROLL for (int i = 0; i < 8; i++) vec_store(f.taps[i], taps[i]);
	vec_store(f.last, taps[8]);
	ROLLED for (int l = 0; l < n; l++, data += 9)
	{
		*(four_floats *)data += *four_taps(&f, l, 0);
		*(four_floats *)(data + 4) += *four_taps(&f, l, 4);
		data[8] += f.last[l];
	}
}

INLINE void filter_vector(const struct winograd_filters *filters, const float *data, int n, float *u,
			  ptrdiff_t frequency)
{
	vec taps[9], half[PATCH][3];
	load_filters(data, filters->col, n, taps);
	UNROLL for (int j = 0; j < 3; j++)
	{
		vec g[3], column[PATCH];
		UNROLL for (int i = 0; i < 3; i++) g[i] = vec_mul(vec_set1(filters->scale), taps[3 * i + j]);
		filter_1d(g, column);
		UNROLL for (int i = 0; i < PATCH; i++) half[i][j] = column[i];
	}
	UNROLL for (int i = 0; i < PATCH; i++)
	{
		vec row[PATCH];
		filter_1d(half[i], row);
		UNROLL for (int j = 0; j < PATCH; j++) vec_store(u + (PATCH * i + j) * frequency, row[j]);
	}
}

void KERNEL(winograd_filter)(const struct winograd_filters *filters, float *u, ptrdiff_t frequency)
{
	const int panel = KERNEL(gemm_panel)(), cols = filters->cols, depth = filters->depth;
	for (int c = 0; c < cols; c += VEC_LANES) {
		const int column = c % panel, width = cols - c + column > VEC_LANES ? panel : VEC_LANES;
		const float *data = filters->data + c * filters->col;
		float *to = u + (ptrdiff_t)(c - column) * depth + column;
		for (int k = 0; k < depth; k++, data += filters->row, to += width)
			if (cols - c >= VEC_LANES)
				filter_vector(filters, data, VEC_LANES, to, frequency);
			else
				filter_vector(filters, data, cols - c, to, frequency);
	}
}

INLINE void filter_adjoint_vector(const float *u, ptrdiff_t frequency, float scale, int n, float *grad)
{
	vec taps[9], half[3][PATCH];
	UNROLL for (int j = 0; j < PATCH; j++)
	{
		vec column[PATCH], g[3];
		UNROLL for (int i = 0; i < PATCH; i++) column[i] = vec_load(u + (PATCH * i + j) * frequency);
		filter_adjoint_1d(column, g);
		UNROLL for (int i = 0; i < 3; i++) half[i][j] = g[i];
	}
	UNROLL for (int i = 0; i < 3; i++)
	{
		vec row[3];
		filter_adjoint_1d(half[i], row);
		UNROLL for (int j = 0; j < 3; j++) taps[3 * i + j] = vec_mul(vec_set1(scale), row[j]);
	}
	add_filters(taps, n, grad);
}

void KERNEL(winograd_filter_adjoint)(const float *u, ptrdiff_t frequency, int rows, int cols, ptrdiff_t pitch,
				     float scale, float *grad)
{
	for (int o = 0; o < rows; o++, u += pitch, grad += 9 * cols) {
		int c = 0;
		for (; c + VEC_LANES <= cols; c += VEC_LANES)
			filter_adjoint_vector(u + c, frequency, scale, VEC_LANES, grad + 9 * c);
		if (c < cols)
			filter_adjoint_vector(u + c, frequency, scale, cols - c, grad + 9 * c);
	}
}
