/* tapcut eval as scripts see it: exit codes, messages, and the JSON of a small but real model on photos made here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data/image_io.h"
#include "tests/support/test.h"
#include "train/config/json.h"

#define MODEL "tests/infer/golden/tiny_f32.tapcut"

static char dir[1000], program[1100], output[20000];
static bool ready;

static void write_picture(const char *name, int channels, uint8_t inside)
{
	enum { W = 40, H = 30 };
	char path[1100];
	struct image image;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	ck_assert_int_eq(image_alloc(&image, W, H, channels), STATUS_OK);
	for (int i = 0; i < W * H; i++) {
		bool object = i % W > 10 && i % W < 30 && i / W > 8 && i / W < 25;
		for (int c = 0; c < channels; c++)
			image.pixels[i * channels + c] = object ? inside : 0;
	}
	ck_assert_int_eq(image_write_png(path, &image), STATUS_OK);
	image_release(&image);
}

static void setup(void)
{
	const char *build = getenv("BUILD");
	snprintf(program, sizeof program, "%s/tapcut", build ? build : "build");
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("cmd_eval"));
	ready = access(program, X_OK) == 0 && access(MODEL, R_OK) == 0;
	if (!ready) {
		test_skip("%s or %s is not here", program, MODEL);
		return;
	}
	write_picture("photo.png", 3, 180);
	write_picture("mask.png", 1, 255);
	char path[1100];
	snprintf(path, sizeof path, "%s/pairs.json", dir);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs("[{\"image\": \"photo.png\", \"mask\": \"mask.png\"}, {\"image\": \"photo.png\", \"mask\": "
	      "\"mask.png\"}]",
	      file);
	fclose(file);
}

static void cleanup(void)
{
	char command[1100];
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

/* Runs `tapcut eval ARGUMENTS`; $DIR in it is the folder of this test. Leaves what it printed in `output`. */
static int run(const char *arguments)
{
	char command[4096];
	snprintf(command, sizeof command, "DIR='%s'; '%s' eval %s >'%s/output' 2>&1", dir, program, arguments, dir);
	int status = system(command);
	snprintf(command, sizeof command, "%s/output", dir);
	FILE *file = fopen(command, "rb");
	ck_assert_ptr_nonnull(file);
	output[fread(output, 1, sizeof output - 1, file)] = '\0';
	fclose(file);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect(const char *arguments, int code, const char *part)
{
	int found = run(arguments);
	ck_assert_msg(found == code, "eval %s: exit code %d, not %d: %s", arguments, found, code, output);
	ck_assert_msg(strstr(output, part) != NULL, "eval %s: \"%s\" lacks \"%s\"", arguments, output, part);
}

START_TEST(wrong_usage_is_2)
{
	if (!ready)
		return;
	expect("--help", 0, "examples:");
	expect("", 2, "give either --pairs or --coco");
	expect("--model " MODEL, 2, "either --pairs or --coco");
	expect("--model " MODEL " --pairs a --coco b", 2, "either --pairs or --coco");
	expect("--model " MODEL " --pairs a --images b", 2, "go with --coco");
	expect("--model " MODEL " --pairs a b", 2, "options only");
	expect("--model " MODEL " --pairs a --max-clicks 21", 2, "from 1 to 20, found \"21\"");
	expect("--model " MODEL " --pairs a --threshold 1", 2, "between 0 and 1");
	expect("--model " MODEL " --pairs a --threads 1x", 2, "--threads");
	expect("--model " MODEL " --pairs a --baseline resnet", 2, "--baseline: expected graph-cut");
	expect("--model " MODEL " --pairs a --category b", 2, "go with --coco");
	expect("--no-such-option", 2, "tapcut eval: unknown option --no-such-option");
}
END_TEST

START_TEST(failures_are_1)
{
	if (!ready)
		return;
	expect("--model $DIR/none.tapcut --pairs $DIR/pairs.json", 1, "none.tapcut");
	expect("--model $DIR/pairs.json --pairs $DIR/pairs.json", 1, "pairs.json");
	expect("--model " MODEL " --pairs $DIR/none.json", 1, "none.json");
	expect("--model " MODEL " --pairs $DIR/mask.png", 1, "mask.png");
	expect("--model " MODEL " --coco $DIR/pairs.json", 1, "pairs.json");
}
END_TEST

START_TEST(table)
{
	if (!ready)
		return;
	expect("--model " MODEL " --pairs $DIR/pairs.json --size 64 --no-zoom --each", 0, "NoC@90");
	static const char *const parts[] = {"tiny",           "long side 32 for click 1, then 64",
					    "zoom-in off",    "TTA off",
					    "threshold 0.49", "mask "};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		ck_assert_msg(strstr(output, parts[i]) != NULL, "no \"%s\" in:\n%s", parts[i], output);
}
END_TEST

static double number_of(const struct json *root, const char *key)
{
	double number = -1;
	ck_assert_msg(json_number(json_get(root, key), &number) == STATUS_OK, "%s: %s", key, status_message());
	return number;
}

START_TEST(json_is_one_object_and_the_same_on_any_threads)
{
	static const char *const keys[] = {"noc85", "noc90", "nof90", "miou1", "miou2",
					   "miou3", "miou5", "biou1", "size",  "instances"};
	struct json *one, *two;
	if (!ready)
		return;
	expect("--model " MODEL " --pairs $DIR/pairs.json --json", 0, "{");
	ck_assert_int_eq(json_parse(output, strlen(output), "one", &one), STATUS_OK);
	expect("--model " MODEL " --pairs $DIR/pairs.json --json --threads 2", 0, "{");
	ck_assert_int_eq(json_parse(output, strlen(output), "two", &two), STATUS_OK);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		ck_assert_double_eq(number_of(one, keys[i]), number_of(two, keys[i]));
	ck_assert_double_eq(number_of(one, "instances"), 2);
	ck_assert_double_eq(number_of(one, "size"), 40); /* five quarters of the model's own 32 */
	ck_assert_double_gt(number_of(one, "ms_per_click"), 0);
	json_free(one);
	json_free(two);
}
END_TEST

/* A bright box on black: colours and a tap are all it takes. */
START_TEST(graph_cuts)
{
	struct json *root;
	if (!ready)
		return;
	expect("--model " MODEL " --pairs $DIR/pairs.json --baseline graph-cut", 0, "no network");
	expect("--model " MODEL " --pairs $DIR/pairs.json --baseline graph-cut --json", 0,
	       "\"baseline\": \"graph-cut\"");
	ck_assert_int_eq(json_parse(output, strlen(output), "baseline", &root), STATUS_OK);
	ck_assert_double_gt(number_of(root, "miou1"), 0.9);
	json_free(root);
	expect("--model " MODEL " --pairs $DIR/pairs.json --graph-cut", 0, "refined by a minimum cut");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("cmd_eval");
	TCase *tests = tcase_create("cmd_eval");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, cleanup);
	tcase_add_test(tests, wrong_usage_is_2);
	tcase_add_test(tests, failures_are_1);
	tcase_add_test(tests, table);
	tcase_add_test(tests, json_is_one_object_and_the_same_on_any_threads);
	tcase_add_test(tests, graph_cuts);
	suite_add_tcase(suite, tests);
	return suite;
}
TEST_MAIN(make_suite)
