/* Fuzz target: the weights-file reader. The input is tried as a whole file, as the content of a stored file whose
 * checksums are right (so that the fuzzer gets past them), and as a zlib payload whose declared size stands in its
 * first four bytes. A network that is accepted must keep what the reader promises to the planner. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "infer/network/network.h"
#include "infer/tapcut.h"
#include "tests/fuzz/weights_envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

static void try_payload(const uint8_t *payload, size_t size, uint32_t flags, uint32_t content_size)
{
	uint8_t *file = envelope_make(payload, size, flags, content_size);
	if (file)
		try_file(file, envelope_size(size));
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
