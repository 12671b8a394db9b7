/* tapcut bench as scripts see it: all its parts are in the text and in the JSON, shares add up, and PyTorch is skipped
 * with a message where there is none. A small network on small samples, few steps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/program.h"
#include "tests/support/test.h"
#include "train/config/json.h"

#define SMALL "bench configs/smoke.json --size 32 --batch 2 --steps 2 --repeat 2 --threads 2 "

static const char *dir;

static void setup(void)
{
	dir = test_tmp_dir("cmd_bench");
}

static void expect(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "\"%.6000s\" lacks \"%s\"", text, part);
}

START_TEST(usage)
{
	expect(tapcut_ok("bench --help")->out, "examples:");
	tapcut_fails(2, "--threads: expected a whole number from 1 to 1024, found \"x\"", "bench --threads x");
	tapcut_fails(2, "--steps: expected a whole number from 1", "bench --steps 0");
	tapcut_fails(2, "--against: expected torch or onnxruntime, found \"tensorflow\"", "bench --against tensorflow");
	tapcut_fails(2, "expected one CONFIG.json, found \"b.json\" as well", "bench a.json b.json");
	tapcut_fails(1, "none.json", "bench none.json");
	tapcut_fails(1, "train.size", "bench configs/smoke.json --size 33");
	tapcut_fails(2, "--size: expected a whole number from 1 to 16384, found \"512px\"", "bench --size 512px");
	tapcut_fails(2, "--backend: compute.backend", "bench configs/smoke.json --backend abacus");
}
END_TEST

START_TEST(text_has_all_parts)
{
	static const char *const parts[] = {
		"smoke: 32x32, batch 2 in slots of 1, 2 threads",
		"FMA peak ",
		"samples/s",
		"ms per sample",
		"memory ",
		"loader ",
		"inference  32x32",
		"conv2d 3x3 stride 1, trunk",
		"conv2d 1x1 stride 1, decoder",
		"max_pool2d",
		"together",
		"features.3.expand3x3",
		"to the weights",
		"Winograd",
	};
	const char *text = tapcut_ok(SMALL "--nodes")->out;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		expect(text, parts[i]);
}
END_TEST

static const struct json *member(const struct json *object, const char *key)
{
	const struct json *value = json_get(object, key);
	ck_assert_msg(value != NULL, "no %s", key);
	return value;
}

static double number(const struct json *object, const char *key)
{
	double value = 0;
	ck_assert_msg(json_number(member(object, key), &value) == STATUS_OK, "%s: %s", key, status_message());
	return value;
}

/* Of all rows together. */
static double sum(const struct json *rows, const char *pass, const char *key)
{
	double total = 0;
	for (const struct json *row = json_first(rows); row; row = json_next(row))
		total += number(member(row, pass), key);
	return total;
}

START_TEST(json_adds_up)
{
	struct json *root;
	const char *text = tapcut_ok(SMALL "--json --nodes")->out;
	ck_assert_msg(json_parse(text, strlen(text), "bench", &root) == STATUS_OK, "%s", status_message());
	const struct json *training = member(root, "training"), *kinds = member(root, "kinds"),
			  *nodes = member(root, "nodes");
	ck_assert_double_eq(number(training, "size"), 32);
	ck_assert_double_gt(number(training, "samples_per_s"), 0);
	ck_assert_double_gt(number(member(root, "machine"), "peak_each"), 1e7);
	ck_assert_double_gt(number(member(root, "inference"), "first_click_seconds"), 0);
	ck_assert_double_gt(number(member(root, "loader"), "load_share"), 0);
	/* Forward: two operations per multiply-add. Backward: twice as much, but nobody wants the gradients of image
	 * and clicks. */
	double macs = number(training, "macs"), stem = 2.0 * 64 * 3 * 9 * 16 * 16;
	ck_assert_double_eq_tol(sum(kinds, "forward", "flops"), 2 * macs, 1);
	ck_assert_double_eq_tol(sum(nodes, "backward", "flops"), 4 * macs - 2 * stem, 1);
	ck_assert_double_eq_tol(sum(kinds, "backward_data", "flops"), 2 * macs - 2 * stem, 1);
	/* The passes are most of a step, and no more than that, but for the noise of two steps. */
	double share = sum(nodes, "forward", "step_share") + sum(nodes, "backward", "step_share");
	ck_assert_msg(share > 0.2 && share < 1.5, "%g of a step", share);
	json_free(root);
}
END_TEST

START_TEST(without_python)
{
	struct json *root;
	setenv("TAPCUT_PYTHON", "/nonexistent/python3", 1);
	expect(tapcut_ok(SMALL "--against torch")->out, "PyTorch    skipped: /nonexistent/python3: No such file");
	const char *text = tapcut_ok(SMALL "--against torch --json")->out;
	ck_assert_int_eq(json_parse(text, strlen(text), "bench", &root), STATUS_OK);
	ck_assert_ptr_nonnull(json_string(member(member(root, "torch"), "skipped")));
	json_free(root);
	setenv("TAPCUT_TORCH_TWIN", "/nonexistent/twin.py", 1);
	expect(tapcut_ok(SMALL "--against torch")->out, "PyTorch    skipped: /nonexistent/twin.py");
}
END_TEST

/* A twin that is another network is refused: a ratio of different things means nothing. */
START_TEST(another_network)
{
	char twin[1200];
	static const char script[] = "print('{\"torch\": \"0\", \"parameters\": 1, \"macs\": 2}')\n";
	snprintf(twin, sizeof twin, "%s", in(dir, "twin.py"));
	spit(twin, script, sizeof script - 1);
	setenv("TAPCUT_TORCH_TWIN", twin, 1);
	if (access("/usr/bin/python3", X_OK) != 0) {
		test_skip("no /usr/bin/python3");
		return;
	}
	tapcut_fails(1, "the PyTorch twin is another network", SMALL "--against torch");
	spit(twin, "", 0);
	tapcut_fails(1, "the PyTorch twin ended without an answer", SMALL "--against torch");
}
END_TEST

#define ONNX "bench --against onnxruntime --size 64 --threads 1 --repeat 1 "

START_TEST(against_onnxruntime)
{
	tapcut_fails(1, "none.tapcut", ONNX "--model none.tapcut");
	const char *text = tapcut_ok(ONNX)->out;
	if (strstr(text, "ONNX Runtime skipped: ")) {
		test_skip("%s", text);
	} else {
		double difference = 1;
		expect(text, "64x64, 1 thread: 0.09 GFLOP");
		expect(text, "float   whole network");
		expect(text, "tap to mask");
		const char *at = strstr(text, "logits within ");
		ck_assert(at && sscanf(at, "logits within %lg", &difference) == 1);
		ck_assert_double_le(difference, 1e-4);
		expect(text, "its 8 bits, every run");
		expect(text, " x (");
		expect(text, "; of its 8 bits ");
		at = strstr(text, "largest, and within ");
		ck_assert(at && sscanf(at, "largest, and within %lg of its 8 bits", &difference) == 1);
		ck_assert_double_le(difference, 1e-4);
	}
	setenv("TAPCUT_NPM", "/nonexistent", 1);
	text = tapcut_ok(ONNX)->out;
	expect(text, "ONNX Runtime skipped: ");
	expect(text, "photo set before");
	ck_assert(!strstr(text, "its 8 bits"));
	text = tapcut_ok("bench --taps --size 48 --threads 2 --repeat 1")->out;
	expect(text, "% of the FMA peak");
	expect(text, "MiB");
	ck_assert(!strstr(text, "ONNX"));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("cmd_bench");
	TCase *tests = tcase_create("cmd_bench");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, usage);
	tcase_add_test(tests, text_has_all_parts);
	tcase_add_test(tests, json_adds_up);
	tcase_add_test(tests, without_python);
	tcase_add_test(tests, another_network);
	tcase_add_test(tests, against_onnxruntime);
	suite_add_tcase(suite, tests);
	return suite;
}

TEST_MAIN(make_suite)
