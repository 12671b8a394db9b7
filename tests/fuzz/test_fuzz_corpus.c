/* Replays the committed corpus of each fuzz target: inputs that reach far into the readers, and those that once found
 * a bug. A target is a function and a folder of the same name. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/atomic_file.h"
#include "tests/support/test.h"

#define LLVMFuzzerTestOneInput fuzz_rle
#include "tests/fuzz/fuzz_rle.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_coco
#include "tests/fuzz/fuzz_coco.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_index
#include "tests/fuzz/fuzz_index.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_reader
#include "tests/fuzz/fuzz_reader.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_json
#include "tests/fuzz/fuzz_json.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_safetensors
#include "tests/fuzz/fuzz_safetensors.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_image
#include "tests/fuzz/fuzz_image.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_checkpoint
#include "tests/fuzz/fuzz_checkpoint.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_config
#include "tests/fuzz/fuzz_config.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_http
#include "tests/fuzz/fuzz_http.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_api
#include "tests/fuzz/fuzz_api.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_run
#include "tests/fuzz/fuzz_run.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_options
#include "tests/fuzz/fuzz_options.c"
#undef LLVMFuzzerTestOneInput

static void replay(const char *target, int (*run)(const uint8_t *data, size_t size))
{
	char path[1024];
	snprintf(path, sizeof path, "tests/fuzz/corpus/%s", target);
	DIR *dir = opendir(path);
	ck_assert_msg(dir != NULL, "no folder %s", path);
	int files = 0;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		char *data;
		size_t size;
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "tests/fuzz/corpus/%s/%s", target, entry->d_name);
		ck_assert_msg(file_read(path, 1 << 20, &data, &size) == STATUS_OK, "%s", status_message());
		/* In a block of its exact size, so that the sanitizer sees a byte too far. */
		uint8_t *exact = malloc(size ? size : 1);
		memcpy(exact, data, size);
		run(exact, size);
		free(exact);
		free(data);
		files++;
	}
	closedir(dir);
	ck_assert_int_gt(files, 10);
}

static const struct {
	const char *name;
	int (*run)(const uint8_t *data, size_t size);
} targets[] = {
	{"rle", fuzz_rle},         {"coco", fuzz_coco},
	{"index", fuzz_index},     {"reader", fuzz_reader},
	{"json", fuzz_json},       {"safetensors", fuzz_safetensors},
	{"image", fuzz_image},     {"checkpoint", fuzz_checkpoint},
	{"config", fuzz_config},   {"http", fuzz_http},
	{"api", fuzz_api},         {"run", fuzz_run},
	{"options", fuzz_options},
};

START_TEST(corpus)
{
	replay(targets[_i].name, targets[_i].run);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("fuzz corpus");
	TCase *tests = tcase_create("replay");
	tcase_set_timeout(tests, 60); /* a busy machine, a sanitizer */
	tcase_add_loop_test(tests, corpus, 0, sizeof targets / sizeof *targets);
	suite_add_tcase(suite, tests);
	return suite;
}

TEST_MAIN(make_suite)
