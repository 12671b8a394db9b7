/* Protocol Buffers, the wire format that an ONNX file is written in
 * (https://protobuf.dev/programming-guides/encoding): a message is a row of fields, each a key (number << 3 | wire
 * type) and a value. Only what ONNX needs: varints, 32-bit floats, and byte strings, which are also how messages lie in
 * messages. */
#ifndef CONVERT_ONNX_PROTO_H
#define CONVERT_ONNX_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message that grows. A failed allocation is sticky: whatever is put afterwards is lost. All zero is an empty one. */
struct proto {
	unsigned char *data; /* owned; free() it */
	size_t size, capacity;
	bool failed;
};

void proto_int(struct proto *proto, int field, int64_t value);
void proto_float(struct proto *proto, int field, float value);
void proto_string(struct proto *proto, int field, const char *text);
/* `count` values of `size` bytes (1, 4 or 8), as C has them, little endian in one byte string: a packed field, and the
 * raw data of tensors. */
void proto_numbers(struct proto *proto, int field, const void *values, size_t size, size_t count);

/* A message within this one: whatever is put between open and close. Calls nest; each close gets what its open gave. */
size_t proto_open(struct proto *proto, int field);
void proto_close(struct proto *proto, size_t start);

#endif
