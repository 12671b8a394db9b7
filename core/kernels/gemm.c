/* See gemm.h. A tile of c, some rows times one panel, is held in registers over the whole depth: each step loads one row
 * of the panel and multiplies it with one broadcast element of each row of a. */
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

#define DEFINE_TILE(name, ROWS, VECS, A, POINTERS, STEP)                                                       \
	NOINLINE static void name(const struct gemm *g, const struct tile *t)                                  \
	{                                                                                                      \
		const ptrdiff_t a_row = g->a_row, c_row = g->c_row, step = STEP;                               \
		const float *a[POINTERS], *b = t->b;                                                           \
		vec sum[ROWS][VECS];                                                                           \
		(void)a_row;                                                                                   \
		UNROLL for (int i = 0; i < POINTERS; i++)                                                      \
			a[i] = t->a + 3 * i * a_row;                                                           \
		UNROLL for (int v = 0; v < VECS; v++) {                                                        \
			int n = v == VECS - 1 ? t->last : VEC_LANES;                                           \
			vec bias = t->bias ? vec_load_part(t->bias + v * VEC_LANES, n) : vec_zero();           \
			UNROLL for (int i = 0; i < ROWS; i++) {                                                \
				sum[i][v] = bias;                                                              \
				if (t->from) {                                                                 \
					const float *from = t->from + i * g->from_row + v * VEC_LANES;         \
					vec old = vec_load_part(from, n);                                      \
					sum[i][v] = t->bias ? vec_add(old, bias) : old;                        \
				}                                                                              \
			}                                                                                      \
		}                                                                                              \
		for (int k = g->depth; k > 0; k--, b += PANEL) {                                               \
			vec row[VECS];                                                                         \
			UNROLL for (int v = 0; v < VECS; v++)                                                  \
				row[v] = vec_load(b + v * VEC_LANES);                                          \
			UNROLL for (int i = 0; i < ROWS; i++) {                                                \
				vec factor = vec_set1(A(i, k));                                                \
				UNROLL for (int v = 0; v < VECS; v++)                                          \
					sum[i][v] = vec_fma(factor, row[v], sum[i][v]);                        \
			}                                                                                      \
			UNROLL for (int i = 0; i < POINTERS; i++)                                              \
				a[i] += step;                                                                  \
		}                                                                                              \
		UNROLL for (int i = 0; i < ROWS; i++)                                                          \
			UNROLL for (int v = 0; v < VECS; v++) {                                                \
				vec y = g->relu ? vec_relu(sum[i][v]) : sum[i][v];                             \
				float *to = t->c + i * c_row + v * VEC_LANES;                                  \
				if (v == VECS - 1 && t->last < VEC_LANES)                                      \
					vec_store_part(to, t->last, y);                                        \
				else                                                                           \
					vec_store(to, y);                                                      \
			}                                                                                      \
	}

#define DEFINE_TILES(ROWS)                                                               \
	DEFINE_TILE(rows_##ROWS##_1, ROWS, 1, A_ROWS, (ROWS + 2) / 3, 1)                 \
	DEFINE_TILE(rows_##ROWS##_2, ROWS, 2, A_ROWS, (ROWS + 2) / 3, 1)                 \
	DEFINE_TILE(columns_##ROWS##_1, ROWS, 1, A_COLUMNS, 1, g->a_depth)               \
	DEFINE_TILE(columns_##ROWS##_2, ROWS, 2, A_COLUMNS, 1, g->a_depth)

typedef void tile_function(const struct gemm *g, const struct tile *t);

/* All tile functions of one height: a row by row or column by column, of one or two vectors. */
struct tile_height {
	int rows;
	tile_function *run[2][PANEL_VECS];
};

#define HEIGHT(ROWS) \
	{ ROWS, { { rows_##ROWS##_1, rows_##ROWS##_2 }, { columns_##ROWS##_1, columns_##ROWS##_2 } } }

DEFINE_TILES(6)
DEFINE_TILES(4)
DEFINE_TILES(2)
DEFINE_TILES(1)
#if defined(__AVX512F__)
DEFINE_TILES(12)
DEFINE_TILES(8)
#endif

static const struct tile_height heights[] = {
#if defined(__AVX512F__)
	HEIGHT(12), HEIGHT(8),
#endif
	HEIGHT(6), HEIGHT(4), HEIGHT(2), HEIGHT(1),
};

/* The tallest tile that fits, but 16 rows are two times 8 and 8 rows two times 4 rather than 12 + 4 and 6 + 2: a low
 * tile has too few sums to keep the multipliers busy. */
static const struct tile_height *height_for(int rows)
{
	const struct tile_height *h = heights;
	if (TILE_ROWS == 12 && rows == 16)
		return &heights[1];
	if (TILE_ROWS == 6 && rows == 8)
		return &heights[1];
	while (h->rows > rows)
		h++;
	return h;
}

static void run_panel(const struct gemm *g, int panel, int first, int end)
{
	int column = panel * PANEL, cols = g->cols - column < PANEL ? g->cols - column : PANEL;
	int vecs = (cols + VEC_LANES - 1) / VEC_LANES;
	for (int row = first; row < end;) {
		const struct tile_height *h = height_for(end - row);
		struct tile t = {
			.a = g->a + row * g->a_row,
			.b = g->b + panel * g->b_panel,
			.c = g->c + row * g->c_row + column,
			.from = g->from ? g->from + row * g->from_row + column : NULL,
			.bias = g->bias ? g->bias + column : NULL,
			.last = cols - (vecs - 1) * VEC_LANES,
		};
		h->run[g->a_depth != 1][vecs - 1](g, &t);
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
