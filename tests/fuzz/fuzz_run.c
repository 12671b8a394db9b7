/* Fuzz target: networks that the reader accepts are run. The input is the content of a weights file (infer/FORMAT.md),
 * stored, with magic, sizes and checksums that are right. Networks whose work is large are only read. */
#include <math.h>
#include <string.h>

#include "infer/network/network.h"
#include "infer/network/ops.h"
#include "infer/tapcut.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/weights_envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RUN_SIDE = 32 };
static const double most_work = 2e6; /* multiply-adds */

static double work_of(const struct infer_network *network, const struct infer_shape *shapes)
{
	double work = 0;
	for (int i = 0; i < network->step_count; i++)
		work += (1 + infer_step_products(network, &network->steps[i])) * shapes[i].c * shapes[i].h *
			shapes[i].w;
	return work;
}

/* One run at RUN_SIDE: it ends, and every logit was written (the memory before is marked by the sanitizers). */
static void run_once(const struct infer_network *network, int arithmetic)
{
	struct infer_run_options options = {.arithmetic = arithmetic, .threads = 1, .isa = -1};
	struct infer_runner *runner;
	struct infer_click click = {5, 7, true};
	char message[TAPCUT_MESSAGE_SIZE] = "";
	static uint8_t photo[3 * RUN_SIDE * RUN_SIDE];
	if (infer_runner_new(network, RUN_SIDE, RUN_SIDE, &options, &runner, message) != TAPCUT_OK) {
		fuzz_require(message[0] != '\0');
		return;
	}
	infer_runner_set_photo(runner, photo, RUN_SIDE, RUN_SIDE, 3 * RUN_SIDE);
	infer_runner_set_clicks(runner, &click, 1, NULL, RUN_SIDE, RUN_SIDE);
	const float *logits = infer_runner_run(runner);
	int written = 0;
	for (int i = 0; i < RUN_SIDE * RUN_SIDE; i++)
		written += isnan(logits[i]) || !isnan(logits[i]);
	fuzz_require(written == RUN_SIDE * RUN_SIDE);
	infer_runner_free(runner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct infer_network network;
	struct infer_shape shapes[INFER_MAX_STEPS];
	uint8_t *file = envelope_make(data, size, 0, (uint32_t)size);
	if (!file)
		return 0;
	if (infer_network_parse(file, envelope_size(size), &network, NULL) == TAPCUT_OK) {
		bool fits = infer_network_shapes(&network, RUN_SIDE, RUN_SIDE, shapes, NULL) == TAPCUT_OK;
		if (fits && work_of(&network, shapes) < most_work) {
			run_once(&network, INFER_ARITHMETIC_F32);
			run_once(&network, INFER_ARITHMETIC_U8);
		}
		infer_network_release(&network);
	}
	free(file);
	return 0;
}
