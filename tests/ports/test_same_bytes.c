/* One photo set and its taps, on every instruction set, compiler, emulated processor and WebAssembly engine at hand
 * and with 1 to 4 threads: the bytes of masks, alphas and probabilities are the same, except that WebAssembly has no
 * fused multiply-add and in float may be off by a little. Prints a table with SAME_BYTES=all (make same-bytes),
 * where the network runs at the model's own size. */
#include <math.h>
#include <zlib.h>

#include "infer/kernels/kernels.h"
#include "tests/ports/shell.h"
#include "tests/ports/stored_model.h"
#include "tests/support/program.h"

enum { NOT_HERE = 77, QUICK_SIZE = 32 };
/* In float, WebAssembly against the rest. */
static const double MOST_PROBABILITY_OFF = 1e-3, MOST_PIXELS_OFF = 1e-3;

static const char *ports(void)
{
	return getenv("PORTS") ? getenv("PORTS") : "build/ports";
}

static bool runs_all(void)
{
	return getenv("SAME_BYTES") && strcmp(getenv("SAME_BYTES"), "all") == 0;
}

/* How to run the program, and what it may differ by. */
struct place {
	const char *name, *folder; /* BUILD/ports/FOLDER/mask_program */
	const char *through;       /* a program that runs it, with arguments; "": itself */
	const char *needs;         /* that program's name; NULL: nothing */
	const char *isa;
	int threads, tolerant, slow; /* slow: the quick run leaves it out, 2 altogether, 1 in float */
};

static const struct place others[] = {
	{"2 threads", "native", "", NULL, "best", 2, 0, 0},
	{"3 threads", "native", "", NULL, "best", 3, 0, 0},
	{"4 threads", "native", "", NULL, "best", 4, 0, 0},
	{"clang", "clang", "", NULL, "best", 1, 0, 0},
	{"clang, generic", "clang", "", NULL, "generic", 1, 0, 0},
	{"aarch64, Cortex-A72", "aarch64", "qemu-aarch64 -cpu cortex-a72", "qemu-aarch64", "best", 1, 0, 0},
	{"aarch64, all extensions", "aarch64", "qemu-aarch64 -cpu max", "qemu-aarch64", "best", 2, 0, 1},
	{"WebAssembly, Node", "wasm", "node tests/ports/run_node.mjs", "node", "best", 1, 1, 0},
	{"WebAssembly, Chromium", "wasm", "tests/ports/run_chromium.sh", "chromium", "best", 1, 1, 2},
};

static char folder[1024];
static char *want; /* records of the first place; NULL: not yet */
static size_t want_size;

/* --- comparison ----------------------------------------------------------- */

static size_t u32_at(const char *p)
{
	const uint8_t *b = (const uint8_t *)p;
	return (size_t)b[0] | (size_t)b[1] << 8 | (size_t)b[2] << 16 | (size_t)b[3] << 24;
}

/* The mask's bytes in a record, those before the probabilities, and all. */
struct record {
	size_t mask, probabilities, size;
};

static struct record record_at(const char *p)
{
	size_t w = u32_at(p), h = u32_at(p + 4), floats = u32_at(p + 8) * u32_at(p + 12);
	struct record r = {.mask = w * h, .probabilities = 16 + 2 * w * h + (w / 2) * (h / 2)};
	r.size = r.probabilities + floats * sizeof(float);
	return r;
}

static double difference_at(const char *a, const char *b)
{
	float x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return fabs((double)x - (double)y);
}

/* The largest difference of a probability, and the share of the masks' pixels that differ. */
static void measure(const char *got, double *probability, double *pixels)
{
	size_t differ = 0, all = 0;
	*probability = 0;
	for (size_t at = 0; at < want_size;) {
		struct record r = record_at(want + at);
		ck_assert_mem_eq(got + at, want + at, 16);
		for (size_t i = 0; i < r.mask; i++)
			differ += got[at + 16 + i] != want[at + 16 + i];
		for (size_t i = r.probabilities; i < r.size; i += sizeof(float))
			*probability = fmax(*probability, difference_at(got + at + i, want + at + i));
		all += r.mask;
		at += r.size;
	}
	*pixels = (double)differ / (double)all;
}

static void check_place(const struct place *place, const char *arithmetic, char *got, size_t size)
{
	double probability = 0, pixels = 0;
	unsigned crc = (unsigned)crc32(0, (const Bytef *)got, (uInt)size);
	ck_assert_msg(size > 16 && size == (want ? want_size : size), "%s: %zu bytes, expected %zu", place->name, size,
		      want_size);
	if (!want) {
		want = got;
		want_size = size;
	}
	bool same = memcmp(got, want, size) == 0, may_differ = place->tolerant && strcmp(arithmetic, "float") == 0;
	if (!same)
		measure(got, &probability, &pixels);
	if (runs_all() && same)
		printf("%-26s %-6s %08x  the same bytes\n", place->name, arithmetic, crc);
	else if (runs_all())
		printf("%-26s %-6s %08x  probabilities off by at most %.2g, %.4f %% of the pixels\n", place->name,
		       arithmetic, crc, probability, 100 * pixels);
	fflush(stdout);
	bool near = may_differ && probability <= MOST_PROBABILITY_OFF && pixels <= MOST_PIXELS_OFF;
	ck_assert_msg(same || near, "%s, %s: other bytes: probabilities off by %g, %g of the pixels", place->name,
		      arithmetic, probability, pixels);
}

/* --- running -------------------------------------------------------------- */

static bool is_here(const struct place *place)
{
	char program[1200];
	snprintf(program, sizeof program, "%s/%s/mask_program", ports(), place->folder);
	if (!exists(program)) {
		test_skip("%s: no compiler for it", place->name);
		return false;
	}
	return !place->needs || shell_has(place->needs, place->name);
}

/* Returns whether it ran. */
static bool run_place(const struct place *place, const char *arithmetic)
{
	int code;
	size_t size;
	bool is_float = strcmp(arithmetic, "float") == 0;
	if ((!runs_all() && place->slow + is_float > 1) || !is_here(place))
		return true;
	const char *said = shell_try(&code, "%s %s/%s/mask_program %s %s %d %d <'%s/model' >'%s/records'",
				     place->through, ports(), place->folder, place->isa, arithmetic, place->threads,
				     runs_all() ? 0 : QUICK_SIZE, folder, folder);
	if (code == NOT_HERE)
		return false;
	ck_assert_msg(code == 0, "%s, %s: ended with %d: %s", place->name, arithmetic, code, said);
	char *got = slurp(in(folder, "records"), &size);
	check_place(place, arithmetic, got, size);
	if (got != want)
		free(got);
	return true;
}

static void check_arithmetic(const char *arithmetic)
{
	want = NULL;
	for (int isa = INFER_ISA_COUNT - 1; isa >= 0; isa--) {
		const char *name = infer_isa_name((enum infer_isa)isa);
		struct place place = {name, "native", "", NULL, name, 1, 0, 0};
		if (!run_place(&place, arithmetic)) {
			test_skip("%s, %s: not with this processor and this model", name, arithmetic);
		}
	}
	for (size_t i = 0; want && i < sizeof others / sizeof *others; i++)
		ck_assert(run_place(&others[i], arithmetic));
	free(want);
}

START_TEST(test_same_bytes)
{
#if defined(__SANITIZE_ADDRESS__)
	test_skip("the programs that are compared have no sanitizer");
	return;
#endif
	snprintf(folder, sizeof folder, "%s", test_tmp_dir("same_bytes"));
	stored_model_write("infer/models/base.tapcut", in(folder, "model"));
	check_arithmetic(_i ? "int8" : "float");
	shell("rm -rf '%s'", folder);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("same_bytes");
	TCase *t = tcase_create("same_bytes");
	tcase_set_timeout(t, runs_all() ? 3000 : 600);
	tcase_add_loop_test(t, test_same_bytes, 0, 2);
	suite_add_tcase(s, t);
	return s;
}

TEST_MAIN(suite)
