/* Damaged input of every kind the program reads: it says what is wrong with which file, ends with 1 and leaves nothing
 * behind. tests/support/program.c fails whatever dies of a signal or a sanitizer. The parsers' own tests try every
 * byte; here each is reached through the command that a user would give. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "data/image_io.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

static char dir[1024];

/* Scenes, a trained model, a photo: what the tests damage copies of. */
static void prepare(void)
{
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("cli_damage"));
	tapcut_ok("%s --steps 1 --set data.val= --out %s/run", tiny_run(dir), dir);
	tapcut_ok("export %s/run/last.ckpt -o %s/model.tapcut --weights int8", dir, dir);
	tapcut_ok("export %s/run/last.ckpt -o %s/model.safetensors", dir, dir);
	struct image photo;
	ck_assert_int_eq(image_alloc(&photo, 60, 40, 3), STATUS_OK);
	for (int i = 0; i < 60 * 40 * 3; i++)
		photo.pixels[i] = (uint8_t)(i * i / 50);
	ck_assert_int_eq(image_write_jpeg(in(dir, "photo.jpg"), &photo, 50, NULL), STATUS_OK);
	ck_assert_int_eq(image_write_png(in(dir, "photo.png"), &photo), STATUS_OK);
	image_release(&photo);
	tapcut_ok("cut %s/photo.jpg --model %s/model.tapcut --tap 30,20 --mask %s/m.png", dir, dir, dir);
	remove(in(dir, "m.png"));
}

static void write_text(const char *name, const char *text)
{
	spit(in(dir, name), text, strlen(text));
}

/* --- photos --------------------------------------------------------------- */

static void cut_fails(const char *photo)
{
	tapcut_fails(1, photo, "cut %s/%s --model %s/model.tapcut --tap 1,1 --mask %s/m.png", dir, photo, dir, dir);
	ck_assert_msg(!exists(in(dir, "m.png")), "%s left a mask behind", photo);
}

/* Cuts of a file at every `step` bytes. */
static void cut_short(const char *photo, const char *name, size_t step)
{
	size_t size;
	char *bytes = slurp(in(dir, photo), &size);
	for (size_t length = 0; length + 2 < size; length += step) {
		spit(in(dir, name), bytes, length);
		cut_fails(name);
	}
	free(bytes);
}

START_TEST(truncated_jpeg)
{
	cut_short("photo.jpg", "short.jpg", 50);
}
END_TEST

START_TEST(truncated_png)
{
	cut_short("photo.png", "short.png", 501);
}
END_TEST

static void put_u32(unsigned char *at, unsigned long value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(value >> (24 - 8 * i));
}

/* Appends a chunk with a correct checksum. */
static size_t put_chunk(unsigned char *at, const char *type, const unsigned char *data, size_t size)
{
	put_u32(at, (unsigned long)size);
	memcpy(at + 4, type, 4);
	if (size)
		memcpy(at + 8, data, size);
	put_u32(at + 8 + size, crc32(0, at + 4, (unsigned)size + 4));
	return size + 12;
}

/* A few hundred bytes that declare a picture of gigabytes. */
START_TEST(png_bomb)
{
	static const unsigned long sides[][2] = {{60000, 60000}, {2147483647, 2147483647},
						 {16384, 16384}, {1, 2000000000},
						 {0, 10},        {4294967295, 1}};
	for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
		unsigned char file[600] = "\x89PNG\r\n\x1a\n", header[13] = {0}, zeros[200] = {0}, packed[300];
		unsigned long packed_size = sizeof packed;
		put_u32(header, sides[i][0]);
		put_u32(header + 4, sides[i][1]);
		header[8] = 8;
		header[9] = 6;
		ck_assert_int_eq(compress(packed, &packed_size, zeros, sizeof zeros), Z_OK);
		size_t size = 8;
		size += put_chunk(file + size, "IHDR", header, 13);
		size += put_chunk(file + size, "IDAT", packed, packed_size);
		size += put_chunk(file + size, "IEND", NULL, 0);
		spit(in(dir, "bomb.png"), file, size);
		cut_fails("bomb.png");
	}
}
END_TEST

/* The size in a JPEG's frame header (marker FFC0 or FFC2: length, precision, height, width) raised to 65535 x 65535. */
START_TEST(jpeg_bomb)
{
	size_t size;
	char *bytes = slurp(in(dir, "photo.jpg"), &size);
	for (size_t i = 0; i + 9 < size; i++)
		if (bytes[i] == '\xff' && (bytes[i + 1] == '\xc0' || bytes[i + 1] == '\xc2'))
			memset(bytes + i + 5, 0xff, 4);
	spit(in(dir, "bomb.jpg"), bytes, size);
	cut_fails("bomb.jpg");
	free(bytes);
}
END_TEST

START_TEST(not_photos)
{
	write_text("text.jpg", "This is no photo.");
	cut_fails("text.jpg");
	write_text("gif.png", "GIF89a\x01\x01");
	cut_fails("gif.png");
	write_text("signature.png", "\x89PNG\r\n\x1a\n");
	cut_fails("signature.png");
	cut_fails("absent.jpg");
	mkdir(in(dir, "folder.jpg"), 0777);
	cut_fails("folder.jpg");
}
END_TEST

/* --- weights -------------------------------------------------------------- */

/* Every length matters, but each costs a process: many of the first bytes, where the header is, then strides. */
static size_t next_length(size_t length, size_t size)
{
	size_t step = length < 64 ? 3 : length < 1024 ? 61 : size / 23 + 1;
	return length + step < size || length + 1 >= size ? length + step : size - 1;
}

START_TEST(weights_cut_at_many_lengths)
{
	size_t size;
	char *bytes = slurp(in(dir, "model.tapcut"), &size);
	for (size_t length = 0; length < size; length = next_length(length, size)) {
		spit(in(dir, "short.tapcut"), bytes, length);
		tapcut_fails(1, "short.tapcut", "inspect %s/short.tapcut", dir);
		if (length % 2)
			tapcut_fails(1, "short.tapcut",
				     "cut %s/photo.jpg --model %s/short.tapcut --tap 1,1 --mask %s/m.png", dir, dir,
				     dir);
	}
	free(bytes);
	ck_assert(!exists(in(dir, "m.png")));
}
END_TEST

START_TEST(weights_with_one_changed_bit)
{
	size_t size;
	char *bytes = slurp(in(dir, "model.tapcut"), &size);
	for (int i = 0; i < 24; i++) {
		size_t at = i < 8 ? (size_t)i * 3 : (size_t)i * (size - 1) / 23;
		bytes[at] ^= (char)(1 << i % 8);
		spit(in(dir, "bit.tapcut"), bytes, size);
		tapcut_fails(1, "bit.tapcut", "cut %s/photo.jpg --model %s/bit.tapcut --tap 1,1 --mask %s/m.png", dir,
			     dir, dir);
		bytes[at] ^= (char)(1 << i % 8);
	}
	free(bytes);
}
END_TEST

START_TEST(weights_with_something_after_them)
{
	size_t size;
	char *bytes = slurp(in(dir, "model.tapcut"), &size);
	bytes = realloc(bytes, size + 1);
	ck_assert(bytes != NULL);
	bytes[size] = 'x';
	spit(in(dir, "long.tapcut"), bytes, size + 1);
	tapcut_fails(1, "long.tapcut", "inspect %s/long.tapcut", dir);
	free(bytes);
}
END_TEST

/* What is no weights file at all, in every place where one is asked for. */
START_TEST(other_files_for_weights)
{
	static const char *const names[] = {"photo.jpg", "run/config.json", "absent.tapcut", "run"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		tapcut_fails(1, names[i], "cut %s/photo.jpg --model %s/%s --tap 1,1 --mask %s/m.png", dir, dir,
			     names[i], dir);
		tapcut_fails(1, names[i], "eval --model %s/%s --coco %s/val/instances.json", dir, names[i], dir);
	}
	tapcut_fails(1, "photo.jpg", "inspect %s/photo.jpg", dir);
	tapcut_fails(1, "absent", "inspect %s/absent", dir);
}
END_TEST

START_TEST(checkpoint_cut_and_changed)
{
	size_t size;
	char *bytes = slurp(in(dir, "run/last.ckpt"), &size);
	for (size_t length = 0; length < size; length += length < 100 ? 13 : size / 11 + 1) {
		spit(in(dir, "short.ckpt"), bytes, length);
		tapcut_fails(1, "short.ckpt", "export %s/short.ckpt -o %s/x.tapcut", dir, dir);
		tapcut_fails(1, "short.ckpt", "inspect %s/short.ckpt", dir);
	}
	bytes[size / 3] ^= 4;
	spit(in(dir, "bit.ckpt"), bytes, size);
	tapcut_fails(1, "bit.ckpt", "export %s/bit.ckpt -o %s/x.tapcut", dir, dir);
	tapcut_fails(1, "model.tapcut", "export %s/model.tapcut -o %s/x.tapcut", dir, dir);
	ck_assert(!exists(in(dir, "x.tapcut")));
	free(bytes);
}
END_TEST

START_TEST(safetensors_cut_and_wrong)
{
	size_t size;
	char *bytes = slurp(in(dir, "model.safetensors"), &size);
	for (size_t length = 0; length < size; length += length < 16 ? 3 : size / 7 + 1) {
		spit(in(dir, "short.safetensors"), bytes, length);
		tapcut_fails(1, "short.safetensors", "import %s/short.safetensors --config configs/smoke.json", dir);
	}
	memset(bytes, 0xff, 8); /* a header of 2^64 - 1 bytes */
	spit(in(dir, "header.safetensors"), bytes, size);
	tapcut_fails(1, "header.safetensors", "import %s/header.safetensors --config configs/smoke.json", dir);
	tapcut_fails(1, "absent.safetensors", "import %s/absent.safetensors", dir);
	tapcut_fails(1, "header.safetensors", "%s --set init.trunk=%s/header.safetensors --out %s/imported",
		     tiny_run(dir), dir, dir);
	free(bytes);
}
END_TEST

/* --- configs -------------------------------------------------------------- */

static const struct {
	const char *text, *message;
} configs[] = {
	{"", "bad.json"},
	{"{", "bad.json"},
	{"[]", "bad.json"},
	{"7", "bad.json"},
	{"{\"train\": 5}", "train"},
	{"{\"train\": {\"steps\": \"many\"}}", "train.steps"},
	{"{\"train\": {\"steps\": -1}}", "train.steps"},
	{"{\"train\": {\"steps\": 1.5}}", "train.steps"},
	{"{\"train\": {\"steps\": null}}", "train.steps"},
	{"{\"train\": {\"steps\": 1e999}}", "bad.json"},
	{"{\"train\": {\"steps\": 1, \"steps\": 2}}", "steps"},
	{"{\"train\": {\"step\": 3}}", "did you mean"},
	{"{\"trian\": {\"steps\": 3}}", "did you mean"},
	{"{\"optim\": {\"name\": \"adan\"}}", "adam"},
	{"{\"model\": {\"widths\": [8, 8]}}", "model.widths"},
	{"{\"model\": {\"widths\": [8, 8, 8, \"8\"]}}", "model.widths"},
	{"{\"data\": {\"train\": [\"a.json\"]}}", "data.train"},
	{"{\"train\": {\"batch_size\": 4, \"slot_size\": 3}}", "slot_size"},
	{"{\"name\": \"\xff\xfe\"}", "bad.json"},
	{"{\"name\": \"x\"} trailing", "bad.json"},
};

START_TEST(bad_configs)
{
	for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++) {
		write_text("bad.json", configs[i].text);
		tapcut_fails(1, configs[i].message, "train %s/bad.json --out %s/never", dir, dir);
	}
	tapcut_fails(1, "absent.json", "train %s/absent.json --out %s/never", dir, dir);
	tapcut_fails(1, "data.train", "train configs/smoke.json --set data.train= --out %s/never", dir);
	tapcut_fails(1, "nowhere.json", "train configs/smoke.json --set data.train=nowhere.json --out %s/never", dir);
	ck_assert(!exists(in(dir, "never")));
}
END_TEST

START_TEST(bad_overrides)
{
	const char *run = tiny_run(dir);
	tapcut_fails(2, "did you mean", "%s --set optim.lrr=1 --out %s/never", run, dir);
	tapcut_fails(2, "optim.lr", "%s --set optim.lr=fast --out %s/never", run, dir);
	tapcut_fails(2, "train.size", "%s --set train.size=65 --out %s/never", run, dir);
	tapcut_fails(2, "model.trunk", "%s --set model.trunk=resnet --out %s/never", run, dir);
	ck_assert(!exists(in(dir, "never")));
}
END_TEST

/* --- datasets ------------------------------------------------------------- */

#define IMAGE "{\"id\":1,\"file_name\":\"a.jpg\",\"width\":60,\"height\":40}"
#define CATEGORIES "\"categories\":[{\"id\":1,\"name\":\"x\"}]"
#define WITH(segmentation)                                                                                    \
	"{\"images\":[" IMAGE "]," CATEGORIES ",\"annotations\":[{\"id\":1,\"image_id\":1,\"category_id\":1," \
	"\"iscrowd\":0,\"segmentation\":" segmentation "}]}"

static const char *const datasets[] = {
	"",
	"{",
	"null",
	"[]",
	"\"text\"",
	"{\"images\":[" IMAGE "],\"annotations\":[",
	"{\"images\":{},\"annotations\":[]}",
	"{\"images\":[1,2],\"annotations\":[]}",
	"{\"images\":[{\"id\":\"one\"}],\"annotations\":[]}",
	"{\"images\":[{\"id\":1.5,\"file_name\":\"a.jpg\"}],\"annotations\":[]}",
	"{\"images\":[{\"id\":1,\"file_name\":7,\"width\":60,\"height\":40}],\"annotations\":[]}",
	"{\"images\":[{\"id\":1,\"file_name\":\"../photo.jpg\",\"width\":60,\"height\":40}],\"annotations\":[]}",
	"{\"images\":[{\"id\":1,\"file_name\":\"/etc/passwd\",\"width\":60,\"height\":40}],\"annotations\":[]}",
	"{\"images\":[{\"id\":1,\"file_name\":\"a.jpg\",\"width\":-60,\"height\":1e300}],\"annotations\":[]}",
	WITH("7"),
	WITH("null"),
	WITH("[]"),
	WITH("[[]]"),
	WITH("[[1,2,3]]"),
	WITH("[[\"a\",2,3,4,5,6]]"),
	WITH("[[1e300,2,3,4,5,6]]"),
	WITH("{\"size\":[40,60],\"counts\":\"\"}"),
	WITH("{\"size\":[40,60],\"counts\":\"~~~~~~~~~~~~~~~~~~~~~~~~\"}"),
	WITH("{\"size\":[40,60],\"counts\":[2400,1]}"),
	WITH("{\"size\":[40,60],\"counts\":[-5,2405]}"),
	WITH("{\"size\":[40,60],\"counts\":[1200,99999999999,1200]}"),
	WITH("{\"size\":[4000000000,4000000000],\"counts\":[0,1]}"),
	WITH("{\"size\":\"big\",\"counts\":[0,2400]}"),
	WITH("{\"size\":[40],\"counts\":[0,2400]}"),
	WITH("{\"counts\":[0,2400]}"),
};

/* Each leaves nothing to train on, whether the file is refused or its one object. */
START_TEST(bad_datasets)
{
	mkdir(in(dir, "images"), 0777);
	char *photo, *run = strdup(tiny_run(dir));
	size_t size;
	photo = slurp(in(dir, "photo.jpg"), &size);
	spit(in(dir, "images/a.jpg"), photo, size);
	free(photo);
	for (size_t i = 0; i < sizeof datasets / sizeof datasets[0]; i++) {
		write_text("set.json", datasets[i]);
		tapcut_fails(1, "set.json", "%s --set data.train=%s/set.json --out %s/unfed", run, dir, dir);
		tapcut("data %s/set.json", dir);
	}
	write_text("set.json", WITH("[[5,5,50,5,50,30,5,30]]"));
	tapcut_ok("data %s/set.json", dir);
	free(run);
}
END_TEST

static const char *const pairs[] = {
	"",
	"{",
	"{}",
	"7",
	"[7]",
	"[{}]",
	"[{\"image\":\"photo.jpg\"}]",
	"[{\"image\":7,\"mask\":\"photo.png\"}]",
	"[{\"image\":\"photo.jpg\",\"mask\":\"absent.png\"}]",
	"[{\"image\":\"absent.jpg\",\"mask\":\"photo.png\"}]",
	"[{\"image\":\"photo.jpg\",\"mask\":\"pairs.json\"}]",
	"[]",
};

START_TEST(bad_pairs)
{
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		write_text("pairs.json", pairs[i]);
		tapcut_fails(1, "", "eval --model %s/model.tapcut --pairs %s/pairs.json --size 64 --max-clicks 1", dir,
			     dir);
	}
	tapcut_fails(1, "absent.json", "eval --model %s/model.tapcut --pairs %s/absent.json", dir, dir);
}
END_TEST

/* --- taps and outputs ----------------------------------------------------- */

START_TEST(taps_outside_the_photo)
{
	static const char *const taps[] = {"--tap 60,0",
					   "--tap 0,40",
					   "--tap -1,5",
					   "--tap 5,-1",
					   "--tap 30,20 --not 99999,0",
					   "--tap 4294967299,3"};
	for (size_t i = 0; i < sizeof taps / sizeof taps[0]; i++) {
		const struct program_result *r =
			tapcut("cut %s/photo.jpg --model %s/model.tapcut %s --mask %s/m.png", dir, dir, taps[i], dir);
		ck_assert_msg(r->code == 1 || r->code == 2, "%s: ended with %d", taps[i], r->code);
		ck_assert_msg(r->err[0] != '\0', "%s: said nothing", taps[i]);
	}
	tapcut_fails(1, "60", "cut %s/photo.jpg --model %s/model.tapcut --tap 70,0 --mask %s/m.png", dir, dir, dir);
	ck_assert(!exists(in(dir, "m.png")));
}
END_TEST

START_TEST(outputs_that_cannot_be_written)
{
	tapcut_fails(1, "missing/m.png", "cut %s/photo.jpg --model %s/model.tapcut --tap 1,1 --mask %s/missing/m.png",
		     dir, dir, dir);
	tapcut_fails(1, "missing/c.png", "cut %s/photo.jpg --model %s/model.tapcut --tap 1,1 --cutout %s/missing/c.png",
		     dir, dir, dir);
	tapcut_fails(1, "run", "cut %s/photo.jpg --model %s/model.tapcut --tap 1,1 --mask %s/run", dir, dir, dir);
	tapcut_fails(1, "missing/x.tapcut", "export %s/run/last.ckpt -o %s/missing/x.tapcut", dir, dir);
	tapcut_fails(1, "missing/x.json", "coco rle %s/train/instances.json -o %s/missing/x.json", dir, dir);
	tapcut_fails(1, "missing/x.index", "data %s/train/instances.json --index %s/missing/x.index", dir, dir);
	tapcut_fails(1, "photo.jpg", "scenes --out %s/photo.jpg --count 1 --seed 1", dir);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("cli damage");
	TCase *tcase = tcase_create("damage");
	tcase_set_timeout(tcase, 300);
	tcase_add_unchecked_fixture(tcase, prepare, NULL);
	tcase_add_test(tcase, truncated_jpeg);
	tcase_add_test(tcase, truncated_png);
	tcase_add_test(tcase, png_bomb);
	tcase_add_test(tcase, jpeg_bomb);
	tcase_add_test(tcase, not_photos);
	tcase_add_test(tcase, weights_cut_at_many_lengths);
	tcase_add_test(tcase, weights_with_one_changed_bit);
	tcase_add_test(tcase, weights_with_something_after_them);
	tcase_add_test(tcase, other_files_for_weights);
	tcase_add_test(tcase, checkpoint_cut_and_changed);
	tcase_add_test(tcase, safetensors_cut_and_wrong);
	tcase_add_test(tcase, bad_configs);
	tcase_add_test(tcase, bad_overrides);
	tcase_add_test(tcase, bad_datasets);
	tcase_add_test(tcase, bad_pairs);
	tcase_add_test(tcase, taps_outside_the_photo);
	tcase_add_test(tcase, outputs_that_cannot_be_written);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
