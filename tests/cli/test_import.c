/* `tapcut import` says of each tensor what will become of it, and calls a file that is none by its name. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/program.h"
#include "tests/support/test.h"

static char dir[1024];

static void prepare(void)
{
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("cli_import"));
}

/* A file with one tensor, features.0.bias (64), of this dtype; its bytes are all `fill`. */
static void write_file(const char *name, const char *dtype, size_t bytes_each, unsigned char fill)
{
	unsigned char file[2048];
	size_t data = 64 * bytes_each;
	int header = snprintf((char *)file + 8, sizeof file - 8,
			      "{\"features.0.bias\":{\"dtype\":\"%s\",\"shape\":[64],\"data_offsets\":[0,%zu]}}", dtype,
			      data);
	for (int i = 0; i < 8; i++)
		file[i] = (unsigned char)((uint64_t)header >> 8 * i);
	memset(file + 8 + header, fill, data);
	spit(in(dir, name), file, 8 + (size_t)header + data);
}

static void expect_refused(const char *name, const char *reason)
{
	const struct program_result *r = tapcut("import %s/%s", dir, name);
	ck_assert_int_eq(r->code, 1);
	ck_assert_msg(strstr(r->out, "REFUSED") && strstr(r->out, reason), "%s lacks %s", r->out, reason);
	ck_assert_ptr_nonnull(strstr(r->out, "loaded 0, "));
}

START_TEST(what_cannot_be_loaded_is_not_called_loaded)
{
	write_file("good.safetensors", "F32", 4, 0);
	write_file("f64.safetensors", "F64", 8, 0);
	write_file("nan.safetensors", "F32", 4, 0xff);
	const struct program_result *r = tapcut_ok("import %s/good.safetensors", dir);
	ck_assert_ptr_nonnull(strstr(r->out, "loaded 1, "));
	expect_refused("f64.safetensors", "dtype F64, expected F32, F16 or BF16");
	expect_refused("nan.safetensors", "number 0 is not finite");
}
END_TEST

START_TEST(other_files_are_called_by_their_name)
{
	spit(in(dir, "v.pth"), "PK\x03\x04 and so on and on", 21);
	tapcut_fails(1, "safetensors.torch.save_file", "import %s/v.pth", dir);
	spit(in(dir, "page.safetensors"), "<!DOCTYPE html><html></html>", 28);
	tapcut_fails(1, "a web page", "import %s/page.safetensors", dir);
	tapcut_fails(1, "a weights file", "import infer/models/base.tapcut");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("cli import");
	TCase *tcase = tcase_create("import");
	tcase_set_timeout(tcase, 60);
	tcase_add_unchecked_fixture(tcase, prepare, NULL);
	tcase_add_test(tcase, what_cannot_be_loaded_is_not_called_loaded);
	tcase_add_test(tcase, other_files_are_called_by_their_name);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
