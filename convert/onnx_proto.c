/* See onnx_proto.h. */
#include "convert/onnx_proto.h"

#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"

enum { WIRE_VARINT = 0, WIRE_BYTES = 2, WIRE_FIXED32 = 5, VARINT_SIZE = 10 };

/* Room for `size` more bytes; NULL once memory was out. */
static unsigned char *reserve(struct proto *proto, size_t size)
{
	if (proto->failed)
		return NULL;
	if (proto->size + size > proto->capacity) {
		size_t capacity = 2 * proto->capacity + size + 256;
		unsigned char *data = realloc(proto->data, capacity);
		if (!data) {
			proto->failed = true;
			return NULL;
		}
		proto->data = data;
		proto->capacity = capacity;
	}
	unsigned char *at = proto->data + proto->size;
	proto->size += size;
	return at;
}

static void put_bytes(struct proto *proto, const void *bytes, size_t size)
{
	unsigned char *at = reserve(proto, size);
	if (at && size)
		memcpy(at, bytes, size);
}

/* Seven bits a byte, the lowest first; the top bit says that more follow. */
static size_t encode_varint(unsigned char bytes[VARINT_SIZE], uint64_t value)
{
	size_t size = 0;
	for (; value >= 128; value >>= 7)
		bytes[size++] = (unsigned char)(value | 128);
	bytes[size++] = (unsigned char)value;
	return size;
}

static void put_varint(struct proto *proto, uint64_t value)
{
	unsigned char bytes[VARINT_SIZE];
	put_bytes(proto, bytes, encode_varint(bytes, value));
}

static void put_key(struct proto *proto, int field, int wire)
{
	put_varint(proto, (uint64_t)field << 3 | (uint64_t)wire);
}

static void put_fixed32(struct proto *proto, float value)
{
	unsigned char *at = reserve(proto, 4);
	if (at)
		bytes_store_float(at, value);
}

void proto_int(struct proto *proto, int field, int64_t value)
{
	put_key(proto, field, WIRE_VARINT);
	put_varint(proto, (uint64_t)value);
}

void proto_float(struct proto *proto, int field, float value)
{
	put_key(proto, field, WIRE_FIXED32);
	put_fixed32(proto, value);
}

void proto_string(struct proto *proto, int field, const char *text)
{
	size_t size = strlen(text);
	put_key(proto, field, WIRE_BYTES);
	put_varint(proto, size);
	put_bytes(proto, text, size);
}

/* As C has a number of 1, 4 or 8 bytes. */
static uint64_t number_at(const void *at, size_t size)
{
	uint8_t byte;
	uint32_t word;
	uint64_t wide;
	memcpy(size == 1 ? (void *)&byte : size == 4 ? (void *)&word : &wide, at, size);
	return size == 1 ? byte : size == 4 ? word : wide;
}

void proto_numbers(struct proto *proto, int field, const void *values, size_t size, size_t count)
{
	put_key(proto, field, WIRE_BYTES);
	put_varint(proto, size * count);
	unsigned char *at = reserve(proto, size * count);
	for (size_t i = 0; at && i < count; i++)
		bytes_store(at + size * i, number_at((const char *)values + size * i, size), (int)size);
}

size_t proto_open(struct proto *proto, int field)
{
	put_key(proto, field, WIRE_BYTES);
	return proto->size;
}

/* The length stands before the message and is known only now: the message makes way for it. */
void proto_close(struct proto *proto, size_t start)
{
	unsigned char bytes[VARINT_SIZE];
	size_t size = proto->size - start, length = encode_varint(bytes, size);
	if (!reserve(proto, length))
		return;
	memmove(proto->data + start + length, proto->data + start, size);
	memcpy(proto->data + start, bytes, length);
}
