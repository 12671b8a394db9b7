/* Fuzz target: the weights-file reader. The input is tried as a whole file, as the content of a stored file whose
 * checksums are right (so that the fuzzer gets past them), and as a zlib payload whose declared size stands in its
 * first four bytes. A network that is accepted must keep what the reader promises to the planner. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "infer/network/network.h"
#include "infer/tapcut.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENVELOPE_HEAD = 28, ENVELOPE_TAIL = 4 };

static void require(int condition)
{
	if (!condition)
		abort();
}

static void try_file(const uint8_t *data, size_t size)
{
	struct infer_network network;
	char message[TAPCUT_MESSAGE_SIZE] = "";
	if (infer_network_parse(data, size, &network, message) != TAPCUT_OK) {
		require(message[0] != '\0' && network.tensors == NULL && network.steps == NULL);
		return;
	}
	require(infer_network_check(&network, message) == TAPCUT_OK);
	for (int i = 0; i < network.tensor_count; i++) {
		const struct infer_tensor *t = &network.tensors[i];
		size_t count = (size_t)t->dims[0] * (size_t)t->dims[1] * (size_t)t->dims[2] * (size_t)t->dims[3];
		for (size_t k = 0; k < count; k++)
			require(isfinite(t->data[k]));
	}
	infer_network_release(&network);
}

static void put_u32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

/* With magic, sizes and checksums that are right. */
static void try_payload(const uint8_t *payload, size_t size, uint32_t flags, uint32_t content_size)
{
	uint8_t *file = malloc(ENVELOPE_HEAD + size + ENVELOPE_TAIL);
	if (!file)
		return;
	memcpy(file, "\x89TAPCUT\n", 8);
	put_u32(file + 8, 1);
	put_u32(file + 12, flags);
	put_u32(file + 16, (uint32_t)(ENVELOPE_HEAD + size + ENVELOPE_TAIL));
	put_u32(file + 20, content_size);
	put_u32(file + 24, (uint32_t)crc32_z(0, payload, size));
	memcpy(file + ENVELOPE_HEAD, payload, size);
	put_u32(file + ENVELOPE_HEAD + size, (uint32_t)crc32_z(0, file, ENVELOPE_HEAD + size));
	try_file(file, ENVELOPE_HEAD + size + ENVELOPE_TAIL);
	free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_file(data, size);
	try_payload(data, size, 0, (uint32_t)size);
	if (size >= 4)
		try_payload(data + 4, size - 4, 1,
			    (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16);
	return 0;
}
