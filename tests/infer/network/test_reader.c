/* The weights-file reader: files made from FORMAT.md by a script of its own are read to the number; anything else is
 * refused with a message and without a crash. The golden files are small, so "anything else" can be every cut, every
 * flipped bit, and each rule of FORMAT.md broken by itself behind correct checksums. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/rng.h"
#include "infer/network/network.h"
#include "infer/tapcut.h"
#include "tests/support/test.h"

enum { ENVELOPE = 28, MODEL = 120, STEP = 56, TENSOR = 20, STEPS = 6, TENSORS = 7 };

struct bytes {
	unsigned char *data;
	size_t size;
};

static struct bytes read_golden(const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "tests/infer/golden/tiny_%s.tapcut", name);
	FILE *in = fopen(path, "rb");
	ck_assert_msg(in != NULL, "%s is not here; run from the project root", path);
	struct bytes b = {malloc(1 << 16), 0};
	b.size = fread(b.data, 1, 1 << 16, in);
	fclose(in);
	return b;
}

static uint32_t get_u32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void set_u32(unsigned char *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(value >> (8 * i));
}

static void set_f32(unsigned char *p, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	set_u32(p, bits);
}

/* Makes the checksums and sizes of a stored file right again. */
static void seal(struct bytes *b)
{
	set_u32(b->data + 16, (uint32_t)b->size);
	set_u32(b->data + 20, (uint32_t)b->size - 32);
	set_u32(b->data + 24, (uint32_t)crc32(0, b->data + ENVELOPE, (uInt)b->size - 32));
	set_u32(b->data + b->size - 4, (uint32_t)crc32(0, b->data, (uInt)b->size - 4));
}

/* The same network, stored instead of packed. */
static struct bytes read_stored(const char *name)
{
	struct bytes packed = read_golden(name), b = {malloc(1 << 16), 0};
	uLongf made = (1 << 16) - 32;
	memcpy(b.data, packed.data, ENVELOPE);
	if (get_u32(packed.data + 12) == 0) {
		made = packed.size - 32;
		memcpy(b.data + ENVELOPE, packed.data + ENVELOPE, made);
	} else {
		ck_assert_int_eq(uncompress(b.data + ENVELOPE, &made, packed.data + ENVELOPE, packed.size - 32), Z_OK);
		set_u32(b.data + 12, 0);
	}
	b.size = made + 32;
	seal(&b);
	free(packed.data);
	return b;
}

static int parse(const struct bytes *b, struct infer_network *network, char *message)
{
	/* In memory of exactly its size, so that AddressSanitizer sees a step beyond. */
	void *exact = malloc(b->size ? b->size : 1);
	memcpy(exact, b->data, b->size);
	message[0] = '\0';
	int status = infer_network_parse(exact, b->size, network, message);
	free(exact);
	return status;
}

static void expect_refused(const struct bytes *b, const char *expected, const char *what)
{
	struct infer_network network;
	char message[TAPCUT_MESSAGE_SIZE];
	int status = parse(b, &network, message);
	ck_assert_msg(status != TAPCUT_OK, "%s was accepted", what);
	ck_assert_msg(network.steps == NULL && network.tensors == NULL, "%s left something behind", what);
	ck_assert_msg(strstr(message, expected) != NULL, "%s: message '%s' should contain '%s'", what, message,
		      expected);
}

/* Of the file with ranges: where things are in its stored content. */
enum { STEPS_8_BIT = 7, TENSORS_8_BIT = 5, VALUES_8_BIT = STEPS_8_BIT + 2, RANGE = 8 };
#define AT_8_BIT_STEP(i, offset) (MODEL + (i)*STEP + (offset))
#define AT_RANGE(i, offset) (MODEL + STEPS_8_BIT * STEP + TENSORS_8_BIT * TENSOR + (i)*RANGE + (offset))
#define AT_8_BIT_DATA(offset) AT_RANGE(VALUES_8_BIT, offset)

static float golden_number(int tensor, size_t i)
{
	return (float)((int)((i * 37 + (size_t)tensor * 11) % 101) - 50) / 64;
}

static void check_numbers(const struct infer_network *network)
{
	for (int t = 0; t < network->tensor_count; t++) {
		const struct infer_tensor *tensor = &network->tensors[t];
		size_t n = (size_t)tensor->dims[0] * (size_t)tensor->dims[1] * (size_t)tensor->dims[2] *
			   (size_t)tensor->dims[3];
		ck_assert_uint_eq((uintptr_t)tensor->data % 64, 0);
		for (size_t i = 0; i < n; i++)
			ck_assert_msg(tensor->data[i] == golden_number(t, i), "tensor %d, number %zu: %g", t, i,
				      (double)tensor->data[i]);
	}
}

START_TEST(test_golden)
{
	static const char *const names[] = {"f32", "f16", "int8", "codebook"};
	struct bytes b = read_golden(names[_i]);
	struct infer_network network;
	char message[TAPCUT_MESSAGE_SIZE];
	ck_assert_msg(parse(&b, &network, message) == TAPCUT_OK, "%s: %s", names[_i], message);
	ck_assert_str_eq(network.architecture, "tiny");
	ck_assert_int_eq(network.weights, _i);
	ck_assert_int_eq(network.default_size, 32);
	ck_assert_int_eq(network.step_count, STEPS);
	ck_assert_int_eq(network.tensor_count, TENSORS);
	ck_assert_uint_eq(network.parameters, 108 + 4 + 12 + 4 + 4 + 16 + 1);
	ck_assert_uint_eq(network.file_bytes, b.size);
	ck_assert_int_eq(network.preprocess.bgr, 1);
	ck_assert_float_eq(network.preprocess.mean[2], 123);
	ck_assert_float_eq(network.preprocess.click_scale, 255);
	ck_assert_int_eq(network.steps[0].op, INFER_OP_CONV2D);
	ck_assert_int_eq(network.steps[0].relu, 1);
	ck_assert_int_eq(network.steps[0].args[2], 2);
	ck_assert_int_eq(network.steps[3].inputs[1], 4);
	ck_assert_int_eq(network.steps[5].tensor[1], 6);
	check_numbers(&network);
	infer_network_release(&network);
	free(b.data);
}
END_TEST

START_TEST(test_golden_ranges)
{
	static const struct infer_range ranges[VALUES_8_BIT] = {{0, 0},     {1, 0},    {0, 0}, {1, 0}, {0, 0},
								{0.25f, 7}, {0.5f, 0}, {0, 0}, {0, 0}};
	static const enum infer_value_kind kinds[VALUES_8_BIT] = {INFER_VALUE_IMAGE, INFER_VALUE_U8,
								  INFER_VALUE_FUSED, INFER_VALUE_U8,
								  INFER_VALUE_FUSED, INFER_VALUE_U8,
								  INFER_VALUE_U8,    INFER_VALUE_FLOAT,
								  INFER_VALUE_FLOAT};
	struct bytes b = read_golden("8bit");
	struct infer_network network;
	char message[TAPCUT_MESSAGE_SIZE];
	ck_assert_msg(parse(&b, &network, message) == TAPCUT_OK, "%s", message);
	check_numbers(&network);
	for (int v = 0; v < VALUES_8_BIT; v++) {
		ck_assert_float_eq(network.ranges[v].scale, ranges[v].scale);
		ck_assert_int_eq(network.ranges[v].zero, ranges[v].zero);
		ck_assert_int_eq(infer_value_kind(&network, v), kinds[v]);
	}
	const struct infer_tensor *weight = &network.tensors[0];
	ck_assert_int_eq(weight->axis, 0);
	ck_assert_float_eq(weight->scales[3], 1 / 64.0f);
	ck_assert_int_eq(weight->integers[1], -13);
	infer_network_release(&network);
	free(b.data);
}
END_TEST

START_TEST(test_shapes)
{
	struct bytes b = read_golden("f32");
	struct infer_network network;
	struct infer_shape shapes[STEPS];
	char message[TAPCUT_MESSAGE_SIZE];
	ck_assert_int_eq(parse(&b, &network, message), TAPCUT_OK);
	ck_assert_int_eq(infer_network_shapes(&network, 48, 16, shapes, message), TAPCUT_OK);
	static const int expected[STEPS][3] = {{4, 24, 8}, {3, 24, 8}, {4, 24, 8}, {4, 24, 8}, {4, 24, 8}, {1, 48, 16}};
	for (int i = 0; i < STEPS; i++) {
		ck_assert_int_eq(shapes[i].c, expected[i][0]);
		ck_assert_int_eq(shapes[i].h, expected[i][1]);
		ck_assert_int_eq(shapes[i].w, expected[i][2]);
	}
	ck_assert_int_ne(infer_network_shapes(&network, 40, 16, shapes, message), TAPCUT_OK);
	ck_assert_int_ne(infer_network_shapes(&network, 0, 16, shapes, message), TAPCUT_OK);
	ck_assert_int_ne(infer_network_shapes(&network, 16, 1 << 24, shapes, message), TAPCUT_OK);
	infer_network_release(&network);
	free(b.data);
}
END_TEST

START_TEST(test_every_cut)
{
	static const char *const names[] = {"f32", "f16", "int8", "8bit", "codebook"};
	struct bytes b = read_golden(names[_i]);
	for (size_t size = 0; size < b.size; size++)
		expect_refused(&(struct bytes){b.data, size}, " ", "a cut file");
	b.data[b.size++] = 0;
	expect_refused(&b, "cut off or padded", "a file with one more byte");
	free(b.data);
}
END_TEST

START_TEST(test_every_bit)
{
	static const char *const names[] = {"f32", "f16", "int8", "8bit", "codebook"};
	struct bytes b = read_golden(names[_i]);
	for (size_t bit = 0; bit < 8 * b.size; bit++) {
		b.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
		expect_refused(&b, " ", "a file with a flipped bit");
		b.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	free(b.data);
}
END_TEST

START_TEST(test_null_message)
{
	struct infer_network network;
	ck_assert_int_ne(infer_network_parse("nothing", 7, &network, NULL), TAPCUT_OK);
	infer_network_release(&network);
}
END_TEST

/* --- one rule broken at a time, behind correct checksums ------------------ */

/* Where things are in the stored f32 content. */
#define AT_MODEL(offset) (offset)
#define AT_STEP(i, offset) (MODEL + (i)*STEP + (offset))
#define AT_TENSOR(i, offset) (MODEL + STEPS * STEP + (i)*TENSOR + (offset))
#define AT_DATA(offset) (MODEL + STEPS * STEP + TENSORS * TENSOR + (offset))

enum kind { BYTE, U32, F32 };

static const struct {
	int offset;
	enum kind kind;
	double value;
	const char *message;
} broken[] = {
	{AT_MODEL(0), BYTE, 0, "architecture"},
	{AT_MODEL(2), BYTE, 9, "architecture"},
	{AT_MODEL(40), BYTE, 'x', "architecture"},
	{AT_MODEL(64), U32, 3, "weights must be"},
	{AT_MODEL(64), U32, 4294967295.0, "weights must be"},
	{AT_MODEL(66), BYTE, 2, "2 classes, expected 2 to 256 in version 4, else 0"},
	{AT_MODEL(68), U32, 0, "default size"},
	{AT_MODEL(68), U32, 15, "default size"},
	{AT_MODEL(68), U32, 4097, "default size"},
	{AT_MODEL(68), U32, 2147483647.0, "default size"},
	{AT_MODEL(68), U32, 4294967280.0, "default size"},
	{AT_MODEL(72), BYTE, 2, "bgr"},
	{AT_MODEL(73), BYTE, 2, "encoding"},
	{AT_MODEL(74), BYTE, 255, "previous_mask"},
	{AT_MODEL(74), BYTE, 0,
	 "step 2 (conv2d): weight must be (O,2,1,1), found (4,3,1,1)"}, /* two click planes, weight for three */
	{AT_MODEL(75), BYTE, 1, "byte 75"},
	{AT_MODEL(76), F32, NAN, "plane 0"},
	{AT_MODEL(84), F32, 1e30, "plane 2"},
	{AT_MODEL(88), F32, 0, "plane 0"},
	{AT_MODEL(92), F32, INFINITY, "plane 1"},
	{AT_MODEL(100), F32, 0, "radius"},
	{AT_MODEL(100), F32, -1, "radius"},
	{AT_MODEL(104), F32, NAN, "truncation"},
	{AT_MODEL(108), F32, 0, "click scale"},
	{AT_MODEL(112), U32, 0, "0 steps"},
	{AT_MODEL(112), U32, 1025, "1025 steps"},
	{AT_MODEL(112), U32, 4294967295.0, "4294967295 steps"},
	{AT_MODEL(112), U32, 1024, "bytes of records"},
	{AT_MODEL(116), U32, 2049, "2049 tensors"},
	{AT_MODEL(116), U32, 8, "tensor 7"},
	{AT_MODEL(116), U32, 6, "bytes of data"},
	{AT_STEP(0, 0), BYTE, 0, "step 0 (unknown operator): number 0"},
	{AT_STEP(0, 0), BYTE, 200, "number 200"},
	{AT_STEP(0, 1), BYTE, 2, "relu flag"},
	{AT_STEP(1, 1), BYTE, 1, "relu flag must be 0"},
	{AT_STEP(0, 2), BYTE, 0, "input 0 is unused"},
	{AT_STEP(3, 2), BYTE, 3, "takes 2 to 2 inputs, found 3"},
	{AT_STEP(3, 2), BYTE, 200, "takes 2 to 2 inputs, found 200"},
	{AT_STEP(0, 3), BYTE, 1, "byte 3"},
	{AT_STEP(0, 4), U32, 2, "input 0 is value 2, but only values 0 to 1"},
	{AT_STEP(0, 4), U32, 4294967295.0, "input 0 is value -1"},
	{AT_STEP(5, 4), U32, 1000000, "input 0 is value 1000000"},
	{AT_STEP(0, 8), U32, 0, "input 1 is unused"},
	{AT_STEP(0, 20), U32, 0, "argument 0 must be 1 to 64"},
	{AT_STEP(0, 20), U32, 5, "weight must be"},
	{AT_STEP(0, 28), U32, 0, "argument 2"}, /* a stride of 0 would divide by zero */
	{AT_STEP(0, 32), U32, 65, "argument 3"},
	{AT_STEP(0, 32), U32, 2147483647.0, "argument 3"},
	{AT_STEP(0, 36), U32, 4294967295.0, "argument 4"},
	{AT_STEP(0, 36), U32, 64, "does not fit"},
	{AT_STEP(0, 40), U32, 1, "argument 5 must be 0 to 0"},
	{AT_STEP(0, 44), F32, 1, "its number must be 0"},
	{AT_STEP(0, 44), F32, NAN, "its number must be 0"},
	{AT_STEP(0, 48), U32, 4294967295.0, "takes 1 to 2 tensors"},
	{AT_STEP(0, 48), U32, 7, "tensor 7 of 7"},
	{AT_STEP(0, 48), U32, 4294967294.0, "tensor -2 of 7"},
	{AT_STEP(0, 52), U32, 0, "bias must be (4,1,1,1)"},
	{AT_STEP(1, 28), U32, 2, "padding 2 is more than half of kernel 2"},
	{AT_STEP(1, 32), U32, 2, "argument 3 must be 0 to 1"},
	{AT_STEP(1, 48), U32, 0, "takes 0 to 0 tensors"},
	{AT_STEP(1, 20), U32, 64, "kernel 64 does not fit"},
	{AT_STEP(3, 4), U32, 0, "second input must be"},
	{AT_STEP(4, 48), U32, 0, "scale must be (4,1,1,1)"},
	{AT_STEP(4, 52), U32, 4294967295.0, "takes 2 to 2 tensors"},
	{AT_STEP(5, 24), U32, 3, "logits (1,32,32), found (1,47,47)"},
	{AT_STEP(5, 28), U32, 64, "leaves nothing"},
	{AT_STEP(4, 4), U32, 2, "no later step reads it"},
	{AT_STEP(0, 52), U32, 4294967295.0, "tensor 1: no step uses it"},
	{AT_TENSOR(0, 0), BYTE, 1, "type 1, expected 0 to 0"},
	{AT_TENSOR(0, 1), BYTE, 2, "planes 2"},
	{AT_TENSOR(0, 2), BYTE, 1, "axis 1"},
	{AT_TENSOR(0, 3), BYTE, 1, "entries 1"},
	{AT_TENSOR(0, 4), U32, 0, "dimension 0 is 0"},
	{AT_TENSOR(0, 4), U32, 4294967295.0, "dimension 0 is 4294967295"},
	{AT_TENSOR(0, 8), U32, 4097, "dimension 1 is 4097"},
	{AT_TENSOR(0, 12), U32, 65, "dimension 2 is 65"},
	{AT_TENSOR(0, 16), U32, 2, "bytes of data"},
	{AT_DATA(0), F32, NAN, "tensor 0: number 0 is not finite"},
	{AT_DATA(4 * 107), F32, INFINITY, "tensor 0: number 107 is not finite"},
};

static const struct {
	int offset;
	enum kind kind;
	double value;
	const char *message;
} broken_8_bit[] = {
	{AT_MODEL(75), BYTE, 2, "byte 75 must be 0 or 1, found 2"},
	{AT_MODEL(75), BYTE, 0, "bytes of data"},
	{AT_MODEL(108), F32, 128, "value 1 (clicks): scale 1 and zero 0, expected the click scale / 255"},
	{AT_MODEL(108), F32, -255, "value 1 (clicks)"},
	{AT_8_BIT_STEP(0, 1), BYTE, 1, "value 2 (conv2d): has no scale"},       /* sums cannot have a relu */
	{AT_8_BIT_STEP(1, 4), U32, 0, "only a conv2d reads the image's bytes"}, /* a pool of the image */
	{AT_RANGE(0, 0), F32, 1, "value 0 (image): must have no range"},
	{AT_RANGE(1, 0), F32, 1.000001, "value 1 (clicks)"},
	{AT_RANGE(1, 4), BYTE, 1, "value 1 (clicks)"},
	{AT_RANGE(2, 4), BYTE, 1, "value 2 (conv2d): scale 0 and zero 1"},
	{AT_RANGE(3, 0), F32, 2, "value 3 (max_pool2d): scale 2 and zero 0, expected its input's 1 and 0"},
	{AT_RANGE(3, 4), BYTE, 3, "value 3 (max_pool2d)"},
	{AT_RANGE(5, 0), F32, 0, "value 5 (add)"},
	{AT_RANGE(5, 0), F32, NAN, "value 5 (add): scale nan"},
	{AT_RANGE(5, 0), F32, -1, "value 5 (add): scale -1"},
	{AT_RANGE(5, 0), F32, INFINITY, "value 5 (add): scale inf"},
	{AT_RANGE(5, 0), F32, 1e-30, "value 5 (add): scale 1e-30"},
	{AT_RANGE(5, 5), BYTE, 1, "value 5: bytes 5 to 7"},
	{AT_RANGE(5, 7), BYTE, 128, "value 5: bytes 5 to 7"},
	{AT_RANGE(7, 0), F32, 1, "value 8 (upsample_bilinear)"},
	{AT_RANGE(8, 0), F32, 1, "value 8 (upsample_bilinear): bytes cannot be made of the logits"},
	{AT_8_BIT_DATA(16), BYTE, 64, "tensor 0: number 0 is 64, expected -63 to 63"},
	{AT_8_BIT_DATA(16), BYTE, 192, "tensor 0: number 0 is -64, expected -63 to 63"},
};

/* Writes what a row of a table says. */
static void break_rule(unsigned char *at, enum kind kind, double value)
{
	if (kind == BYTE)
		*at = (unsigned char)value;
	else if (kind == U32)
		set_u32(at, (uint32_t)value);
	else
		set_f32(at, (float)value);
}

START_TEST(test_broken_rule)
{
	struct bytes b = read_stored("f32");
	break_rule(b.data + ENVELOPE + broken[_i].offset, broken[_i].kind, broken[_i].value);
	seal(&b);
	char what[64];
	snprintf(what, sizeof what, "row %d: offset %d = %g", _i, broken[_i].offset, broken[_i].value);
	expect_refused(&b, broken[_i].message, what);
	free(b.data);
}
END_TEST

START_TEST(test_broken_range)
{
	struct bytes b = read_stored("8bit");
	break_rule(b.data + ENVELOPE + broken_8_bit[_i].offset, broken_8_bit[_i].kind, broken_8_bit[_i].value);
	seal(&b);
	char what[64];
	snprintf(what, sizeof what, "row %d: offset %d = %g", _i, broken_8_bit[_i].offset, broken_8_bit[_i].value);
	expect_refused(&b, broken_8_bit[_i].message, what);
	free(b.data);
}
END_TEST

START_TEST(test_ranges_cut)
{
	/* More ranges than the content has bytes. */
	struct bytes b = read_stored("8bit");
	b.size = ENVELOPE + AT_RANGE(4, 0) + 4;
	seal(&b);
	expect_refused(&b, "9 ranges need", "a content that ends in its ranges");
	free(b.data);
}
END_TEST

START_TEST(test_huge_tensors)
{
	/* Each dimension is legal, the product is not; and the sum of legal ones is not. */
	struct bytes b = read_stored("f32");
	unsigned char *dims = b.data + ENVELOPE + AT_TENSOR(0, 4);
	set_u32(dims, 4096);
	set_u32(dims + 4, 4096);
	set_u32(dims + 8, 64);
	set_u32(dims + 12, 64);
	seal(&b);
	expect_refused(&b, "tensor 0 has more than", "a product of dimensions over the limit");
	set_u32(dims + 8, 2);
	set_u32(dims + 12, 2);
	seal(&b);
	expect_refused(&b, "bytes of data", "dimensions beyond the file");
	free(b.data);
}
END_TEST

START_TEST(test_bad_int8)
{
	struct bytes b = read_stored("int8");
	unsigned char *scales = b.data + ENVELOPE + AT_DATA(0), *values = scales + 16;
	set_f32(scales, -1);
	seal(&b);
	expect_refused(&b, "scale 0 is -1", "a negative scale");
	set_f32(scales, 3e37f);
	seal(&b);
	expect_refused(&b, "scale 0", "a scale whose largest product overflows");
	set_f32(scales, NAN);
	seal(&b);
	expect_refused(&b, "scale 0", "a scale that is no number");
	set_f32(scales, 0);
	values[3] = 0x80;
	seal(&b);
	expect_refused(&b, "number 3 is -128", "-128");
	free(b.data);
}
END_TEST

START_TEST(test_bad_codebook)
{
	struct bytes b = read_stored("codebook");
	unsigned char *content = b.data + ENVELOPE, *entries = content + AT_TENSOR(0, 3), *table = content + AT_DATA(0);
	size_t count = (size_t)*entries + 1;
	table[4 * count + 2] = (unsigned char)count;
	seal(&b);
	expect_refused(&b, "number 2 is entry", "an index behind the table");
	table[4 * count + 2] = 0;
	set_f32(table + 4, INFINITY);
	seal(&b);
	expect_refused(&b, "entry 1 of its table is not finite", "an infinite entry");
	set_f32(table + 4, 0);
	++*entries;
	seal(&b);
	expect_refused(&b, "bytes of data", "a table that is one entry longer");
	--*entries;
	content[AT_TENSOR(0, 1)] = 1;
	seal(&b);
	expect_refused(&b, "tensor 0: planes 1", "a codebook in planes");
	content[AT_TENSOR(0, 1)] = 0;
	content[AT_TENSOR(1, 3)] = 1;
	seal(&b);
	expect_refused(&b, "entries 1 do not go with type 1", "a table without a codebook");
	content[AT_TENSOR(1, 3)] = 0;
	b.data[8] = 1;
	seal(&b);
	expect_refused(&b, "weights must be 0 to 2, found 3", "a codebook in version 1");
	free(b.data);
}
END_TEST

START_TEST(test_bad_half)
{
	struct bytes b = read_stored("f16");
	unsigned char *number = b.data + ENVELOPE + AT_DATA(0);
	static const unsigned highs[] = {0x7c, 0x7e, 0xfc};
	for (int i = 0; i < 3; i++) {
		number[1] = (unsigned char)highs[i];
		seal(&b);
		expect_refused(&b, "not finite", "an infinite or undefined half");
	}
	free(b.data);
}
END_TEST

/* --- the envelope --------------------------------------------------------- */

static void reseal_file(struct bytes *b)
{
	set_u32(b->data + b->size - 4, (uint32_t)crc32(0, b->data, (uInt)b->size - 4));
}

START_TEST(test_envelope)
{
	struct bytes b = read_golden("f32");
	set_u32(b.data + 8, 5);
	reseal_file(&b);
	expect_refused(&b, "version 5, this library knows versions 1 to 4", "an unknown version");
	set_u32(b.data + 8, 0);
	reseal_file(&b);
	expect_refused(&b, "version 0, this library knows", "version 0");
	set_u32(b.data + 8, 1);
	set_u32(b.data + 12, 2);
	reseal_file(&b);
	expect_refused(&b, "unknown flags 0x2", "an unknown flag");
	set_u32(b.data + 12, 0);
	reseal_file(&b);
	expect_refused(&b, "stored payload", "a packed payload called stored");
	set_u32(b.data + 12, 1);
	uint32_t size = get_u32(b.data + 20);
	set_u32(b.data + 20, size + 1);
	reseal_file(&b);
	expect_refused(&b, "do not unpack to exactly", "a content size that is one too large");
	set_u32(b.data + 20, size - 1);
	reseal_file(&b);
	expect_refused(&b, "do not unpack to exactly", "a content size that is one too small");
	set_u32(b.data + 20, 200u << 20);
	reseal_file(&b);
	expect_refused(&b, "cannot unpack", "a bomb");
	set_u32(b.data + 20, 4294967295u);
	reseal_file(&b);
	expect_refused(&b, "content of 4294967295 bytes", "an enormous content");
	set_u32(b.data + 20, 0);
	reseal_file(&b);
	expect_refused(&b, "content of 0 bytes", "no content");
	set_u32(b.data + 20, size);
	b.data[24] ^= 1;
	reseal_file(&b);
	expect_refused(&b, "does not match its checksum", "a wrong content checksum");
	free(b.data);
}
END_TEST

START_TEST(test_after_the_stream)
{
	struct bytes b = read_golden("f32");
	memmove(b.data + b.size, b.data + b.size - 4, 4);
	b.data[b.size - 4] = 0;
	b.size++;
	set_u32(b.data + 16, (uint32_t)b.size);
	reseal_file(&b);
	expect_refused(&b, "do not unpack to exactly", "a byte after the zlib stream");
	free(b.data);
}
END_TEST

/* Random damage behind correct checksums: refused or, if what was hit does not matter, a network that passes the check.
 */
START_TEST(test_random_damage)
{
	static const char *const names[] = {"f32", "f16", "int8", "8bit", "codebook"};
	struct bytes b = read_stored(names[_i]);
	unsigned char *sound = malloc(b.size);
	memcpy(sound, b.data, b.size);
	struct rng rng = rng_stream(7, 0, (uint64_t)_i, RNG_TEST);
	int accepted = 0;
	for (int round = 0; round < 4000; round++) {
		memcpy(b.data, sound, b.size);
		for (uint32_t hits = 1 + rng_below(&rng, 3); hits > 0; hits--)
			b.data[ENVELOPE + rng_below(&rng, (uint32_t)b.size - 32)] = (unsigned char)rng_u32(&rng);
		seal(&b);
		struct infer_network network;
		char message[TAPCUT_MESSAGE_SIZE];
		if (parse(&b, &network, message) == TAPCUT_OK) {
			ck_assert_int_eq(infer_network_check(&network, message), TAPCUT_OK);
			accepted++;
		} else {
			ck_assert_int_gt((int)strlen(message), 10);
		}
		infer_network_release(&network);
	}
	ck_assert_int_gt(accepted, 0);
	ck_assert_int_lt(accepted, 4000);
	free(sound);
	free(b.data);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("reader");
	TCase *tcase = tcase_create("reader");
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_golden, 0, 4);
	tcase_add_test(tcase, test_golden_ranges);
	tcase_add_test(tcase, test_shapes);
	tcase_add_loop_test(tcase, test_every_cut, 0, 5);
	tcase_add_loop_test(tcase, test_every_bit, 0, 5);
	tcase_add_test(tcase, test_null_message);
	tcase_add_loop_test(tcase, test_broken_rule, 0, (int)(sizeof broken / sizeof *broken));
	tcase_add_loop_test(tcase, test_broken_range, 0, (int)(sizeof broken_8_bit / sizeof *broken_8_bit));
	tcase_add_test(tcase, test_ranges_cut);
	tcase_add_test(tcase, test_huge_tensors);
	tcase_add_test(tcase, test_bad_int8);
	tcase_add_test(tcase, test_bad_codebook);
	tcase_add_test(tcase, test_bad_half);
	tcase_add_test(tcase, test_envelope);
	tcase_add_test(tcase, test_after_the_stream);
	tcase_add_loop_test(tcase, test_random_damage, 0, 5);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
