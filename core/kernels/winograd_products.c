/* See winograd.h. These products are small: with 16 channels a tile of sums lives for 16 steps only, so what happens
 * around the steps counts. Against gemm there is less of it: rows are worked through inside one function, without
 * masks, biases and cut depths. The order of additions is the same. */
#include "core/kernels/winograd.h"

#include "core/kernels/kernel.h"
#include "core/kernels/vec.h"

enum {
	PANEL_VECS = 2,
	PANEL = PANEL_VECS * VEC_LANES,
	/* Low tiles are for few rows: b is read a few times only and comes from a far cache. So many steps before. */
	LOW_ROWS = 8,
	STEPS_AHEAD = 16,
};

#define UNROLL _Pragma("GCC unroll 16")

/* Rows times one panel. */
struct strip {
	int depth;
	bool add;
	const float *a, *b;
	float *c;
	ptrdiff_t a_pitch, b_pitch, c_pitch;
};

/* a[i][k]: a pointer for every third row, as the processor's address modes have it; or one for all. */
#define A_ROWS(i, k) a[(i) / 3][((i) % 3) * a_pitch + (k)]
#define A_COLUMNS(i, k) a[0][(k)*a_pitch + (i)]

#define EACH_SUM(statement)                                                           \
	UNROLL for (int i = 0; i < ROWS_; i++) UNROLL for (int v = 0; v < VECS_; v++) \
	{                                                                             \
		float *at = c + i * c_pitch + v * VEC_LANES;                          \
		statement;                                                            \
	}

/* `steps` steps along the depth. */
#define STEPS(steps, A)                                                                                                \
	for (; depth >= (steps); depth -= (steps)) {                                                                   \
		UNROLL for (int k = 0; k < (steps); k++)                                                               \
		{                                                                                                      \
			const float *row_ahead = b + (k + AHEAD_) * b_pitch;                                           \
			vec row[VECS_];                                                                                \
			UNROLL for (int v = 0; v < VECS_; v++) row[v] = vec_load(b + k * b_pitch + v * VEC_LANES);     \
			if (AHEAD_)                                                                                    \
				UNROLL for (int v = 0; v < VECS_; v++) __builtin_prefetch(row_ahead + v * VEC_LANES);  \
			UNROLL for (int i = 0; i < ROWS_; i++)                                                         \
			{                                                                                              \
				vec factor = vec_set1(A(i, k));                                                        \
				UNROLL for (int v = 0; v < VECS_; v++) sum[i][v] = vec_fma(factor, row[v], sum[i][v]); \
			}                                                                                              \
		}                                                                                                      \
		UNROLL for (int i = 0; i < POINTERS_; i++) a[i] += (steps)*a_step;                                     \
		b += (steps)*b_pitch;                                                                                  \
	}

/* c of `tiles` times ROWS rows. Steps are unrolled where all addresses differ by constants. */
#define DEFINE_STRIP(name, ROWS, VECS, A, POINTERS, A_ROW, A_STEP, B_PITCH, UNROLLED, AHEAD)                \
	static void name(const struct strip *s, int tiles)                                                  \
	{                                                                                                   \
		enum { ROWS_ = ROWS, VECS_ = VECS, POINTERS_ = POINTERS, AHEAD_ = AHEAD };                  \
		const ptrdiff_t a_pitch = s->a_pitch, b_pitch = B_PITCH, c_pitch = s->c_pitch;              \
		const ptrdiff_t a_row = A_ROW, a_step = A_STEP;                                             \
		float *c = s->c;                                                                            \
		for (int t = 0; t < tiles; t++, c += ROWS * c_pitch) {                                      \
			const float *a[POINTERS], *b = s->b;                                                \
			vec sum[ROWS][VECS];                                                                \
			int depth = s->depth;                                                               \
			UNROLL for (int i = 0; i < POINTERS; i++) a[i] = s->a + (t * ROWS + 3 * i) * a_row; \
			if (s->add)                                                                         \
				EACH_SUM(sum[i][v] = vec_load(at))                                          \
			else                                                                                \
				EACH_SUM(sum[i][v] = vec_zero(); (void)at)                                  \
			STEPS(UNROLLED, A)                                                                  \
			STEPS(1, A)                                                                         \
			EACH_SUM(vec_store(at, sum[i][v]))                                                  \
		}                                                                                           \
	}

#define DEFINE_ROWS(ROWS, VECS)                                                                                  \
	DEFINE_STRIP(strip_##ROWS##_##VECS, ROWS, VECS, A_ROWS, (ROWS + 2) / 3, a_pitch, 1, VECS * VEC_LANES, 4, \
		     VECS > 1 && ROWS == LOW_ROWS ? STEPS_AHEAD : 0)
#define DEFINE_COLUMNS(ROWS, VECS) \
	DEFINE_STRIP(transposed_##ROWS##_##VECS, ROWS, VECS, A_COLUMNS, 1, 1, a_pitch, s->b_pitch, 1, 0)
#define DEFINE_STRIPS(ROWS, VECS) \
	DEFINE_ROWS(ROWS, VECS)   \
	DEFINE_COLUMNS(ROWS, VECS)

typedef void strip_function(const struct strip *s, int tiles);

struct height {
	int rows;
	strip_function *run[2]; /* a, a transposed */
};

#define HEIGHT(ROWS, VECS)                                                \
	{                                                                 \
		ROWS,                                                     \
		{                                                         \
			strip_##ROWS##_##VECS, transposed_##ROWS##_##VECS \
		}                                                         \
	}

DEFINE_STRIPS(6, 2)
DEFINE_STRIPS(4, 2)
DEFINE_STRIPS(2, 2)
DEFINE_STRIPS(1, 2)
DEFINE_STRIPS(12, 1)
DEFINE_STRIPS(8, 1)
DEFINE_STRIPS(4, 1)
DEFINE_STRIPS(2, 1)
DEFINE_STRIPS(1, 1)
#if defined(__AVX512F__)
DEFINE_STRIPS(16, 1)
DEFINE_STRIPS(12, 2)
DEFINE_STRIPS(8, 2)
#endif

/* Per number of vectors, tallest first. */
static const struct height heights[PANEL_VECS][6] = {
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
		HEIGHT(8, 2),
#endif
		HEIGHT(6, 2),
		HEIGHT(4, 2),
		HEIGHT(2, 2),
		HEIGHT(1, 2),
	},
};

/* How many tiles of this height to take of so many rows. The last 4/3 of a tile are better two tiles of 2/3: a low tile
 * has too few sums to keep the multipliers busy. */
static int tiles_of(const struct height *h, int vecs, int rows)
{
	int tiles = rows / h->rows;
	return vecs == 2 && tiles > 0 && (rows - tiles * h->rows) * 3 == h->rows ? tiles - 1 : tiles;
}

static void run_panel(struct strip s, int rows, int vecs, bool transposed)
{
	for (const struct height *h = heights[vecs - 1]; rows > 0; h++) {
		int tiles = tiles_of(h, vecs, rows), done = tiles * h->rows;
		if (tiles == 0)
			continue;
		h->run[transposed](&s, tiles);
		s.a += transposed ? done : done * s.a_pitch;
		s.c += done * s.c_pitch;
		rows -= done;
	}
}

void KERNEL(winograd_products)(const struct winograd_products *p)
{
	for (int f = 0; f < WINOGRAD_FREQUENCIES; f++) {
		const float *b = p->b + f * p->b_frequency;
		struct strip s = {
			.depth = p->depth,
			.add = p->add,
			.a = p->a + f * p->a_frequency,
			.c = p->c + f * p->c_frequency,
			.a_pitch = p->a_pitch,
			.b_pitch = p->b_panel, /* where transposed */
			.c_pitch = p->c_pitch,
		};
		for (int column = 0; column < p->cols; column += PANEL, s.c += PANEL) {
			int vecs = p->cols - column > VEC_LANES ? 2 : 1;
			s.b = p->transposed ? b + column : b + p->b_row * vecs * VEC_LANES;
			run_panel(s, p->rows, vecs, p->transposed);
			b += p->transposed ? 0 : p->b_panel;
		}
	}
}
