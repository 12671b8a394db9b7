/* What a tap costs with the inference library, on one thread: the weights go out and in again in memory, as validation
 * does it. */
#include <stdlib.h>

#include "core/clock.h"
#include "infer/tapcut.h"
#include "tools/bench/bench.h"
#include "train/validate.h"

enum { ROUNDS = 7 };

struct times {
	double set_image[ROUNDS], first[ROUNDS], second[ROUNDS];
};

static enum status time_click(struct tapcut_session *session, int x, int y, int positive, uint8_t *mask, int size,
			      double *time)
{
	double start = clock_seconds();
	if (tapcut_session_click(session, x, y, positive) != TAPCUT_OK ||
	    tapcut_session_mask(session, mask, (size_t)size) != TAPCUT_OK)
		return status_fail(STATUS_LIMIT, "inference: %s", tapcut_session_message(session));
	*time = clock_seconds() - start;
	return STATUS_OK;
}

/* Sets the photo anew, taps the middle, then its edge as background. */
static enum status time_round(struct tapcut_session *session, const uint8_t *rgb, uint8_t *mask, int size, int round,
			      struct times *times)
{
	double start = clock_seconds();
	if (tapcut_session_set_image(session, rgb, size, size, 3 * (size_t)size) != TAPCUT_OK)
		return status_fail(STATUS_LIMIT, "inference: %s", tapcut_session_message(session));
	times->set_image[round] = clock_seconds() - start;
	TRY(time_click(session, size / 2, size / 2, 1, mask, size, &times->first[round]));
	return time_click(session, size / 16, size / 16, 0, mask, size, &times->second[round]);
}

static enum status time_session(struct tapcut_session *session, const uint8_t *rgb, uint8_t *mask, int size,
				struct bench_inference *figures)
{
	struct times times;
	TRY(time_round(session, rgb, mask, size, 0, &times)); /* warms up */
	for (int i = 0; i < ROUNDS; i++)
		TRY(time_round(session, rgb, mask, size, i, &times));
	figures->size = size;
	figures->set_image = bench_median(times.set_image, ROUNDS);
	figures->first_click = bench_median(times.first, ROUNDS);
	figures->second_click = bench_median(times.second, ROUNDS);
	figures->session_bytes = tapcut_session_bytes(session);
	return STATUS_OK;
}

static enum status time_model(const struct tapcut_model *model, int size, struct bench_inference *figures)
{
	char message[TAPCUT_MESSAGE_SIZE];
	struct tapcut_session *session;
	struct tapcut_options options;
	tapcut_options_init(&options);
	options.size = options.first_size = size;
	if (tapcut_session_new(model, &options, &session, message) != TAPCUT_OK)
		return status_fail(STATUS_LIMIT, "inference: %s", message);
	size_t pixels = (size_t)size * (size_t)size;
	uint8_t *rgb = malloc(3 * pixels), *mask = malloc(pixels);
	enum status status = STATUS_OK;
	for (size_t i = 0; rgb && i < 3 * pixels; i++)
		rgb[i] = (uint8_t)(i * 2654435761u >> 13);
	if (rgb && mask)
		status = time_session(session, rgb, mask, size, figures);
	else
		status = status_fail(STATUS_NO_MEMORY, "no memory for a photo");
	free(rgb);
	free(mask);
	tapcut_session_free(session);
	return status;
}

enum status bench_inference(const struct bench_training *training, int size, struct bench_inference *figures)
{
	struct tapcut_model *model;
	TRY(deploy_in_memory(&training->model, training->config, optim_best_values(&training->optim, &training->params),
			     &model));
	enum status status = time_model(model, size, figures);
	tapcut_model_free(model);
	return status;
}
