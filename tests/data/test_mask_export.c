/* Masks as JSON files when memory is short: whichever allocation is refused, the file is whole, or there is none and
 * the status says why. The C library's streams allocate too, so malloc and its kin are replaced for this program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/mask_export.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define CAN_REFUSE 1
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
#else
#define CAN_REFUSE 0
#endif

static int until_refused; /* allocations from here to the one that is refused; 0: none is */

#if CAN_REFUSE
static bool refuses(void)
{
	return until_refused > 0 && --until_refused == 0;
}

void *malloc(size_t size)
{
	return refuses() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return refuses() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return refuses() ? NULL : __libc_realloc(old, size);
}
#endif

enum { SIDE = 96 };

static enum status write_either(bool polygons, const char *path, const struct image *mask)
{
	return polygons ? mask_write_polygons(path, mask, 0) : mask_write_rle(path, mask);
}

/* A chessboard has a run, or an outline, per pixel, so that its text grows several times. */
START_TEST(a_refused_allocation_leaves_no_part_of_a_file)
{
	enum { MOST = 20000 };
	static uint8_t pixels[SIDE * SIDE];
	const struct image mask = {.width = SIDE, .height = SIDE, .channels = 1, .pixels = pixels};
	char path[1100];
	size_t whole, size;
	int n = 1;
	if (!CAN_REFUSE) {
		test_skip("allocations cannot be refused in this build");
		return;
	}
	snprintf(path, sizeof path, "%s/mask.json", test_tmp_dir("mask_export"));
	for (int i = 0; i < SIDE * SIDE; i++)
		pixels[i] = (i / SIDE + i % SIDE) % 2 ? 255 : 0;
	ck_assert_int_eq(write_either(_i, path, &mask), STATUS_OK);
	free(slurp(path, &whole));
	for (bool reached = true; reached && n < MOST; n++) {
		unlink(path);
		until_refused = n;
		enum status status = write_either(_i, path, &mask);
		reached = until_refused == 0;
		until_refused = 0;
		if (status != STATUS_OK)
			ck_assert_msg(!exists(path), "allocation %d refused: an error, and a file", n);
		if (status != STATUS_OK)
			continue;
		free(slurp(path, &size));
		ck_assert_msg(size == whole, "allocation %d refused: %zu of %zu bytes, and no word", n, size, whole);
	}
	ck_assert_msg(n > 5 && n < MOST, "%d allocations", n);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("mask_export");
	TCase *tcase = tcase_create("mask_export");
	tcase_add_loop_test(tcase, a_refused_allocation_leaves_no_part_of_a_file, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
