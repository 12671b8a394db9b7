/* tapcut export, import and inspect as scripts see them: a checkpoint goes out as each kind of file and comes back,
 * with the exit codes and messages for what is wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "core/checkpoint.h"
#include "core/nn/model.h"
#include "tests/support/test.h"
#include "train/config/config_file.h"

static char dir[1100], program[1100], output[100000];
static bool built;

/* A checkpoint as training leaves it: config, values, and an average that is twice the values. */
static void write_checkpoint(void)
{
	struct config config;
	struct params params;
	struct model model;
	struct checkpoint checkpoint;
	char path[1200];
	ck_assert_int_eq(config_init(&config), STATUS_OK);
	snprintf(config.name, sizeof config.name, "small");
	config.model.decoder = DECODER_TRANSPOSED;
	config.model.context_width = 0;
	config.model.global_context = false;
	params_init(&params);
	ck_assert_int_eq(model_build(&model, &params, &config.model, 1, 32, 32), STATUS_OK);
	ck_assert_int_eq(params_alloc(&params, 1), STATUS_OK);
	char *text = config_to_json(&config);
	float *average = malloc(params.total * sizeof *average);
	for (size_t i = 0; i < params.total; i++)
		average[i] = 2 * params.values[i];
	checkpoint_init(&checkpoint);
	checkpoint_add(&checkpoint, "config", text, strlen(text));
	checkpoint_add(&checkpoint, "values", params.values, params.total * sizeof(float));
	checkpoint_add(&checkpoint, "average", average, params.total * sizeof(float));
	snprintf(path, sizeof path, "%s/a.ckpt", dir);
	ck_assert_msg(checkpoint_write(&checkpoint, path) == STATUS_OK, "%s", status_message());
	checkpoint_release(&checkpoint);
	free(text);
	free(average);
	model_release(&model);
	params_release(&params);
}

static void setup(void)
{
	const char *build = getenv("BUILD");
	snprintf(program, sizeof program, "%s/tapcut", build ? build : "build");
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("cmd_convert"));
	built = access(program, X_OK) == 0;
	if (!built)
		test_skip("%s is not built", program);
	else
		write_checkpoint();
}

/* Runs `cd DIR; tapcut ARGUMENTS`, expects the exit code and all parts (NULL-terminated) in what it prints. */
static void expect(const char *arguments, int code, const char *const *parts)
{
	char command[4096], path[1200], here[1024];
	ck_assert_ptr_nonnull(getcwd(here, sizeof here));
	snprintf(path, sizeof path, "%s/output", dir);
	snprintf(command, sizeof command, "p=$(realpath %s); cd %s && \"$p\" %s >output 2>&1", program, dir, arguments);
	int status = system(command);
	FILE *file = fopen(path, "rb");
	ck_assert_ptr_nonnull(file);
	output[fread(output, 1, sizeof output - 1, file)] = '\0';
	fclose(file);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == code, "%s: status %d, expected %d: %.3000s",
		      arguments, status, code, output);
	for (; *parts; parts++)
		ck_assert_msg(strstr(output, *parts) != NULL, "%s: \"%.3000s\" lacks \"%s\"", arguments, output,
			      *parts);
}

static bool same_files(const char *a, const char *b)
{
	char path[1200], *data[2];
	size_t size[2];
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, i ? b : a);
		ck_assert_int_eq(file_read(path, 1 << 26, &data[i], &size[i]), STATUS_OK);
	}
	bool same = size[0] == size[1] && !memcmp(data[0], data[1], size[0]);
	free(data[0]);
	free(data[1]);
	return same;
}

#define EXPECT(arguments, code, ...) expect(arguments, code, (const char *const[]){__VA_ARGS__, NULL})

/* The 64 digits after "sha256". */
static void digest(char *hex)
{
	const char *at = strstr(output, "sha256");
	ck_assert_ptr_nonnull(at);
	ck_assert_int_eq(sscanf(at, "sha256 %64s", hex), 1);
}

START_TEST(test_help)
{
	if (!built)
		return;
	EXPECT("export --help", 0, "usage: tapcut export", "examples:");
	EXPECT("import --help", 0, "usage: tapcut import", "example:");
	EXPECT("inspect --help", 0, "usage: tapcut inspect", "example:");
}
END_TEST

START_TEST(test_wrong_usage)
{
	if (!built)
		return;
	EXPECT("export a.ckpt", 2, "--output FILE is missing");
	EXPECT("export a.ckpt -o b.tapcut --weights f8", 2,
	       "--weights: expected f32, f16, int8, codebook16, codebook32, codebook64 or codebook256, found \"f8\"");
	EXPECT("export a.ckpt b.ckpt -o b.tapcut", 2, "expected one CHECKPOINT|FILE, found \"b.ckpt\" as well");
	EXPECT("import", 2, "FILE.safetensors is missing");
	EXPECT("import a --set seed=1", 2, "--set goes with --config");
	EXPECT("inspect", 2, "FILE is missing");
	EXPECT("inspect --nonsense a.ckpt", 2, "nonsense");
}
END_TEST

START_TEST(test_export)
{
	static const char *const weights[] = {"f32", "f16", "codebook32", "int8"};
	char command[256], first[65], again[65], inspected[65], raw[65];
	if (!built)
		return;
	for (int i = 0; i < 4; i++) {
		snprintf(command, sizeof command, "export a.ckpt -o m.tapcut --weights %s", weights[i]);
		EXPECT(command, 0, "m.tapcut: small, ", weights[i], "averaged weights", "rounding");
		digest(first);
		EXPECT(command, 0, "sha256");
		digest(again);
		ck_assert_str_eq(first, again);
		EXPECT("inspect m.tapcut --steps", 0, "squeezenet1_1+transposed", i == 2 ? "codebook" : weights[i],
		       "BGR", "conv_transpose2d", "kernel 32 stride 16");
		digest(inspected);
		ck_assert_str_eq(first, inspected);
	}
	EXPECT("inspect m.tapcut --json", 0,
	       "{\"kind\": \"weights\", \"architecture\": \"squeezenet1_1+transposed\", \"weights\": \"int8\"",
	       "\"previous_mask\": true, \"arithmetic\": \"float\"}", first);
	EXPECT("export a.ckpt -o m.tapcut --weights int8 --raw --verbose", 0, "features.3.squeeze.weight");
	digest(raw);
	ck_assert_str_ne(first, raw);
}
END_TEST

/* The mean of a model and itself is that model; that of the average and the raw weights is neither. */
START_TEST(test_mean)
{
	char average[65], raw[65], mean[65];
	if (!built)
		return;
	EXPECT("export a.ckpt -o w.safetensors", 0, "averaged weights");
	EXPECT("export a.ckpt -o r.safetensors --raw", 0, "F32");
	EXPECT("export a.ckpt -o m.tapcut --weights f32 --raw", 0, "sha256");
	digest(raw);
	EXPECT("export a.ckpt -o m.tapcut --weights f32", 0, "sha256");
	digest(average);
	EXPECT("export a.ckpt -o m.tapcut --weights f32 --mean-with w.safetensors", 0, "sha256");
	digest(mean);
	ck_assert_str_eq(mean, average);
	EXPECT("export a.ckpt -o m.tapcut --weights f32 --mean-with r.safetensors", 0, "sha256");
	digest(mean);
	ck_assert_str_ne(mean, average);
	ck_assert_str_ne(mean, raw);
	EXPECT("export a.ckpt -o m.tapcut --mean-with none.safetensors", 1, "none.safetensors");
}
END_TEST

START_TEST(test_onnx)
{
	if (!built)
		return;
	EXPECT("export a.ckpt -o m.tapcut --weights f32", 0, "sha256");
	EXPECT("export a.ckpt -o w.safetensors", 0, "F32");
	EXPECT("export m.tapcut -o m.onnx --size 128", 0, "m.onnx: ONNX, opset 13, squeezenet1_1+transposed",
	       "image (1,3,128,128), clicks (1,3,128,128)");
	EXPECT("export a.ckpt -o a.onnx --size 128", 0, "a.onnx: ONNX");
	ck_assert(same_files("m.onnx", "a.onnx"));
	EXPECT("export m.tapcut -o m.safetensors", 0, "m.safetensors: the tensors of m.tapcut");
	EXPECT("inspect m.safetensors", 0, "step0.weight", "tapcut.records", "64x3x3x3");
	EXPECT("import m.safetensors -o n.tapcut", 0, "n.tapcut: a weights file of");
	ck_assert(same_files("m.tapcut", "n.tapcut"));
	EXPECT("export a.ckpt -o a.onnx --dynamic", 0, "image (1,3,H,W)");
	EXPECT("export m.tapcut -o m.onnx --dynamic", 0, "clicks (1,3,H,W)");
	ck_assert(same_files("m.onnx", "a.onnx"));
	EXPECT("export w.safetensors -o w.onnx", 1, "tapcut export: ", "decoder.logits.weight");
	EXPECT("export $OLDPWD/infer/models/base.tapcut -o q.onnx --qdq --dynamic", 0,
	       "q.onnx: ONNX, opset 13, 8 bits (QDQ), ", "image (1,3,H,W)");
	EXPECT("export m.tapcut -o m.onnx --qdq", 1, "no value ranges", "tapcut quantize");
	EXPECT("export a.ckpt -o n.tapcut --qdq", 2, "--qdq goes with an output that ends in .onnx, not n.tapcut");
}
END_TEST

START_TEST(test_safetensors)
{
	char first[65], back[65];
	if (!built)
		return;
	EXPECT("export a.ckpt -o m.tapcut --weights f32", 0, "sha256");
	digest(first);
	EXPECT("export a.ckpt -o w.safetensors", 0, "w.safetensors: small, ", "as F32, averaged weights");
	EXPECT("inspect w.safetensors", 0, "w.safetensors: safetensors", "features.12.expand3x3.weight",
	       "F32      256x64x3x3", "sha256");
	EXPECT("inspect a.ckpt", 0, "a.ckpt: checkpoint", "config      small, seed", "section     average");
	/* The same model, filled from the file, gives the same weights file. */
	char *text = NULL;
	size_t size;
	struct config config;
	ck_assert_int_eq(config_init(&config), STATUS_OK);
	snprintf(config.name, sizeof config.name, "small");
	config.model.decoder = DECODER_TRANSPOSED;
	config.model.context_width = 0;
	config.model.global_context = false;
	text = config_to_json(&config);
	size = strlen(text);
	char path[1200];
	snprintf(path, sizeof path, "%s/c.json", dir);
	ck_assert_int_eq(atomic_file_write(path, &(struct file_part){text, size}, 1), STATUS_OK);
	free(text);
	EXPECT("import w.safetensors --config c.json", 0, "loaded 55, ignored 0", "0 of the trunk, 0 of the decoder");
	EXPECT("import w.safetensors --config c.json -o n.tapcut --weights f32", 0, "sha256");
	digest(back);
	ck_assert_str_eq(first, back);
	/* A parameter of another model has the same name and another shape. */
	EXPECT("import w.safetensors --config c.json --set model.decoder=sharpmask_light", 1,
	       "ignored: not in the model", "REFUSED: another shape",
	       "decoder.logits.weight: shape (1, 1, 32, 32), the model has (1, 16, 3, 3)");
}
END_TEST

static void cut_file(const char *from, const char *to, size_t drop)
{
	char path[1200], *data;
	size_t size;
	snprintf(path, sizeof path, "%s/%s", dir, from);
	ck_assert_int_eq(file_read(path, 1 << 26, &data, &size), STATUS_OK);
	snprintf(path, sizeof path, "%s/%s", dir, to);
	ck_assert_int_eq(atomic_file_write(path, &(struct file_part){data, size - drop}, 1), STATUS_OK);
	free(data);
}

START_TEST(test_damage)
{
	if (!built)
		return;
	EXPECT("export a.ckpt -o m.tapcut --weights int8", 0, "sha256");
	EXPECT("export a.ckpt -o w.safetensors", 0, "F32");
	cut_file("m.tapcut", "cut.tapcut", 1);
	cut_file("a.ckpt", "cut.ckpt", 100);
	cut_file("w.safetensors", "cut.safetensors", 4);
	EXPECT("inspect cut.tapcut", 1, "tapcut inspect: cut.tapcut: the file says that it has");
	EXPECT("inspect cut.ckpt", 1, "tapcut inspect: ", "cut.ckpt");
	EXPECT("inspect cut.safetensors", 1, "tapcut inspect: ", "cut.safetensors", "but the file has data from 0 to");
	EXPECT("inspect output", 1, "tapcut inspect: output");
	EXPECT("inspect nothing", 1, "tapcut inspect: ", "nothing");
	EXPECT("export cut.ckpt -o x.tapcut", 1, "tapcut export: ", "cut.ckpt");
	EXPECT("export m.tapcut -o x.tapcut", 1, "tapcut export: ", "m.tapcut");
	EXPECT("export a.ckpt -o no/such/x.tapcut", 1, "tapcut export: ", "no/such");
	EXPECT("import cut.safetensors", 1, "tapcut import: ", "cut.safetensors");
	EXPECT("import w.safetensors --config missing.json", 1, "tapcut import: ", "missing.json");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("export, import, inspect");
	TCase *tcase = tcase_create("commands");
	tcase_set_timeout(tcase, 300);
	tcase_add_unchecked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, test_help);
	tcase_add_test(tcase, test_wrong_usage);
	tcase_add_test(tcase, test_export);
	tcase_add_test(tcase, test_mean);
	tcase_add_test(tcase, test_onnx);
	tcase_add_test(tcase, test_safetensors);
	tcase_add_test(tcase, test_damage);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
