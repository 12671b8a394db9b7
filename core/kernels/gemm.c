/* See gemm.h. A tile of c, some rows times one panel, is held in registers over the whole depth: each step loads one
 * row of the panel and multiplies it with one broadcast element of each row of a. */
#include "core/kernels/gemm.h"

#include "core/kernels/kernel.h"
#include "core/kernels/vec.h"

enum {
	PANEL_VECS = 2,
	PANEL = PANEL_VECS * VEC_LANES,
	TILE_ROWS = VEC_REGISTERS == 32 ? 12 : 6, /* sums, a panel's row and a broadcast must fit into the registers */
	A_BLOCK = 128 * 1024, /* floats of a that are multiplied with all panels before the next: stays in L2 */
};

#define UNROLL _Pragma("GCC unroll 16")
#define NOINLINE __attribute__((noinline))

/* One tile: `a` its first row, `b` its panel, `c`, `from` and `bias` its corner. */
struct tile {
	const float *a, *b, *from, *bias;
	float *c;
	int last; /* columns of the last vector */
};

/* a[i][k]: addresses are grouped by three rows, so that one pointer serves three with the processor's address modes. */
#define A_ROWS(i, k) a[(i) / 3][((i) % 3) * a_row]
#define A_COLUMNS(i, k) a[0][i]

/* What is asked for early: where the next tile will be written, since a store to memory that is not in the cache
 * waits for it. Rows of a that follow each other without a gap are one run of memory, but it is read at twelve
 * places at a time, which the processor does not foresee: each step asks for one line of the next tile. A matrix b
 * that lies as it is comes from far away: two lines of a later row. */
enum { ROWS_AHEAD = 24 };
#define A_ROWS_PREFETCH           \
	__builtin_prefetch(next); \
	next += ahead;
#define A_COLUMNS_PREFETCH                          \
	__builtin_prefetch(b + ROWS_AHEAD * b_row); \
	__builtin_prefetch(b + ROWS_AHEAD * b_row + 16);

/* Statements over all vectors of a tile. In the last vector only `mask` exists in c. */
#define EACH_VEC(statement)                                                           \
	UNROLL for (int i = 0; i < ROWS_; i++) UNROLL for (int v = 0; v < VECS_; v++) \
	{                                                                             \
		statement;                                                            \
	}

#define DEFINE_TILE(name, ROWS, VECS, A, POINTERS, STEP)                                                           \
	NOINLINE static void name(const struct gemm *g, const struct tile *t)                                      \
	{                                                                                                          \
		enum { ROWS_ = ROWS, VECS_ = VECS };                                                               \
		const ptrdiff_t a_row = g->a_row, c_row = g->c_row, from_row = g->from_row, step = STEP;           \
		const ptrdiff_t b_row = g->b_row ? g->b_row : PANEL;                                               \
		const vec_mask mask = vec_mask_first(t->last);                                                     \
		const int segments = g->segments ? g->segments : 1, depth = g->depth / segments;                   \
		const float *a[POINTERS], *a_segment = t->a, *b = t->b;                                            \
		vec sum[ROWS][VECS], start[VECS];                                                                  \
		const float *next = t->a + ROWS * a_row;                                                           \
		const ptrdiff_t ahead = a_row == g->depth ? 16 : 0;                                                \
		(void)a_row, (void)next, (void)ahead;                                                              \
		UNROLL for (int v = 0; v < VECS; v++) start[v] = vec_zero();                                       \
		UNROLL for (int i = 0; i < ROWS; i++)                                                              \
		{                                                                                                  \
			__builtin_prefetch(t->c + (ROWS + i) * c_row, 1);                                          \
			if (VECS > 1)                                                                              \
				__builtin_prefetch(t->c + (ROWS + i) * c_row + VEC_LANES, 1);                      \
		}                                                                                                  \
		if (t->bias)                                                                                       \
			UNROLL for (int v = 0; v < VECS; v++) start[v] =                                           \
				v < VECS - 1 ? vec_load(t->bias + v * VEC_LANES)                                   \
					     : vec_load_masked(t->bias + v * VEC_LANES, mask);                     \
		EACH_VEC(sum[i][v] = start[v])                                                                     \
		if (t->from) {                                                                                     \
			const float *from = t->from;                                                               \
			EACH_VEC(sum[i][v] = v < VECS_ - 1                                                         \
						     ? vec_load(from + i * from_row + v * VEC_LANES)               \
						     : vec_load_masked(from + i * from_row + v * VEC_LANES, mask)) \
			if (t->bias)                                                                               \
				EACH_VEC(sum[i][v] = vec_add(sum[i][v], start[v]))                                 \
		}                                                                                                  \
		for (int segment = 0; segment < segments; segment++, a_segment += g->a_segment) {                  \
			UNROLL for (int i = 0; i < POINTERS; i++) a[i] = a_segment + 3 * i * a_row;                \
			for (int k = depth; k > 0; k--, b += b_row) {                                              \
				vec row[VECS];                                                                     \
				UNROLL for (int v = 0; v < VECS; v++) row[v] = vec_load(b + v * VEC_LANES);        \
				UNROLL for (int i = 0; i < ROWS; i++)                                              \
				{                                                                                  \
					vec factor = vec_set1(A(i, k));                                            \
					UNROLL for (int v = 0; v < VECS; v++) sum[i][v] =                          \
						vec_fma(factor, row[v], sum[i][v]);                                \
				}                                                                                  \
				A##_PREFETCH UNROLL for (int i = 0; i < POINTERS; i++) a[i] += step;               \
			}                                                                                          \
		}                                                                                                  \
		if (g->relu)                                                                                       \
			EACH_VEC(sum[i][v] = vec_relu(sum[i][v]))                                                  \
		float *c = t->c;                                                                                   \
		if (t->last == VEC_LANES) {                                                                        \
			EACH_VEC(vec_store(c + i * c_row + v * VEC_LANES, sum[i][v]))                              \
		} else {                                                                                           \
			EACH_VEC(if (v < VECS_ - 1) vec_store(c + i * c_row + v * VEC_LANES, sum[i][v]);           \
				 else vec_store_masked(c + i * c_row + v * VEC_LANES, mask, sum[i][v]))            \
		}                                                                                                  \
	}

#define DEFINE_TILES(ROWS, VECS)                                                 \
	DEFINE_TILE(rows_##ROWS##_##VECS, ROWS, VECS, A_ROWS, (ROWS + 2) / 3, 1) \
	DEFINE_TILE(columns_##ROWS##_##VECS, ROWS, VECS, A_COLUMNS, 1, g->a_depth)

typedef void tile_function(const struct gemm *g, const struct tile *t);

/* The tile functions of one height: for a that lies row by row, and column by column. */
struct tile_height {
	int rows;
	tile_function *run[2];
};

#define HEIGHT(ROWS, VECS)                                            \
	{                                                             \
		ROWS,                                                 \
		{                                                     \
			rows_##ROWS##_##VECS, columns_##ROWS##_##VECS \
		}                                                     \
	}

DEFINE_TILES(6, 2)
DEFINE_TILES(4, 2)
DEFINE_TILES(2, 2)
DEFINE_TILES(1, 2)
DEFINE_TILES(12, 1)
DEFINE_TILES(8, 1)
DEFINE_TILES(4, 1)
DEFINE_TILES(2, 1)
DEFINE_TILES(1, 1)
#if defined(__AVX512F__)
DEFINE_TILES(16, 1)
DEFINE_TILES(12, 2)
DEFINE_TILES(9, 2)
DEFINE_TILES(8, 2)
#endif

/* Per number of vectors, tallest first. */
static const struct tile_height heights[PANEL_VECS][7] = {
	{
#if defined(__AVX512F__)
		HEIGHT(16, 1),
#endif
		HEIGHT(12, 1),
		HEIGHT(8, 1),
		HEIGHT(4, 1),
		HEIGHT(2, 1),
		HEIGHT(1, 1),
	},
	{
#if defined(__AVX512F__)
		HEIGHT(12, 2),
		HEIGHT(9, 2),
		HEIGHT(8, 2),
#endif
		HEIGHT(6, 2),
		HEIGHT(4, 2),
		HEIGHT(2, 2),
		HEIGHT(1, 2),
	},
};

/* Tiles of nearly equal height, since a low one has too few sums to keep the multipliers busy: 16 rows are 8 + 8, not
 * 12 + 4. */
static const struct tile_height *height_for(int rows, int vecs)
{
	const struct tile_height *h = heights[vecs - 1];
	int tiles = (rows + h->rows - 1) / h->rows, wanted = (rows + tiles - 1) / tiles;
	while (h->rows > rows || (h->rows > 1 && h[1].rows >= wanted))
		h++;
	return h;
}

static void run_panel(const struct gemm *g, int panel, int first, int end)
{
	int column = panel * PANEL, cols = g->cols - column < PANEL ? g->cols - column : PANEL;
	int vecs = (cols + VEC_LANES - 1) / VEC_LANES;
	for (int row = first; row < end;) {
		const struct tile_height *h = height_for(end - row, vecs);
		struct tile t = {
			.a = g->a + row * g->a_row,
			.b = g->b + panel * g->b_panel,
			.c = g->c + row * g->c_row + column,
			.from = g->from ? g->from + row * g->from_row + column : NULL,
			.bias = g->bias ? g->bias + column : NULL,
			.last = cols - (vecs - 1) * VEC_LANES,
		};
		h->run[g->a_depth != 1](g, &t);
		row += h->rows;
	}
}

void KERNEL(gemm)(const struct gemm *g)
{
	int block = g->depth > 0 ? A_BLOCK / g->depth / TILE_ROWS * TILE_ROWS : g->rows;
	if (block < TILE_ROWS)
		block = TILE_ROWS;
	int panels = (g->cols + PANEL - 1) / PANEL;
	for (int row = 0; row < g->rows; row += block)
		for (int panel = 0; panel < panels; panel++)
			run_panel(g, panel, row, row + block < g->rows ? row + block : g->rows);
}

int KERNEL(gemm_panel)(void)
{
	return PANEL;
}

void KERNEL(gemm_pack)(const struct gemm_source *source, float *packed)
{
	ptrdiff_t panel = source->panel ? source->panel : (ptrdiff_t)source->depth * PANEL;
	for (int column = 0; column < source->cols; column += PANEL, packed += panel) {
		int cols = source->cols - column < PANEL ? source->cols - column : PANEL;
		const float *from = source->data + column * source->col;
		float *to = packed;
		for (int k = 0; k < source->depth; k++, from += source->row, to += PANEL) {
			for (int j = 0; j < cols; j++)
				to[j] = source->scale * from[j * source->col];
			for (int j = cols; j < PANEL; j++)
				to[j] = 0;
		}
	}
}
