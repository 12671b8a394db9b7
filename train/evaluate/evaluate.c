/* See evaluate.h. Instances are tasks of a thread pool, with one session per thread; everything that a task finds goes
 * to its own entry, and sums run over the entries in order, so that the figures do not depend on the threads. */
#include "train/evaluate/evaluate.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/rng.h"
#include "core/workers.h"
#include "data/robot.h"
#include "train/evaluate/baseline.h"
#include "train/evaluate/evaluate_source.h"
#include "train/record/progress.h"
#include "train/evaluate/protocol.h"

/* Clicking ends here; the bound of NoC@90. */
static const double TARGET = 0.90;

void evaluate_options_init(struct evaluate_options *options)
{
	*options = (struct evaluate_options){.max_clicks = EVALUATE_MAX_CLICKS, .threads = 1};
	tapcut_options_init(&options->session);
}

void evaluate_result_release(struct evaluate_result *result)
{
	free(result->items);
	*result = (struct evaluate_result){.instances = 0};
}

void evaluate_data_release(struct evaluate_data *data)
{
	image_release(&data->photo);
	free(data->truth);
	data->truth = NULL;
}

/* --- one instance --------------------------------------------------------- */

/* The first of several events, in the order of the instances, whatever the threads do. */
struct first {
	int index; /* source->count: it has not happened */
	enum status status;
	char message[512];
};

static void note_first(struct first *first, int index, enum status status)
{
	if (index >= first->index)
		return;
	first->index = index;
	first->status = status;
	snprintf(first->message, sizeof first->message, "%s", status_message());
}

struct evaluation {
	const struct evaluate_options *options;
	const struct evaluate_source *source;
	struct tapcut_session **sessions; /* one per thread */
	struct evaluate_instance *items;

	pthread_mutex_t mutex; /* for all below */
	int done;
	struct first failure, skip;
};

static double now_ms(void)
{
	return 1e3 * clock_seconds();
}

static enum status session_failed(enum tapcut_status code, const struct tapcut_session *session)
{
	return status_fail(code == TAPCUT_NO_MEMORY ? STATUS_NO_MEMORY : STATUS_LIMIT, "%s",
			   tapcut_session_message(session));
}

struct session_predictor {
	struct tapcut_session *session;
	int width;
	double *elapsed_ms;
};

static enum status session_click(void *context, const struct click *click, uint8_t *mask)
{
	struct session_predictor *predictor = context;
	double start = now_ms();
	enum tapcut_status code = tapcut_session_click(predictor->session, click->x, click->y, click->positive);
	if (code == TAPCUT_OK)
		code = tapcut_session_mask(predictor->session, mask, (size_t)predictor->width);
	*predictor->elapsed_ms += now_ms() - start;
	return code == TAPCUT_OK ? STATUS_OK : session_failed(code, predictor->session);
}

static enum status click_instance(const struct evaluation *evaluation, int index, const struct evaluate_data *data,
				  struct tapcut_session *session, struct evaluate_instance *item)
{
	const struct evaluate_options *options = evaluation->options;
	const struct image *photo = &data->photo;
	double start = now_ms();
	enum tapcut_status code =
		tapcut_session_set_image(session, photo->pixels, photo->width, photo->height, 3 * (size_t)photo->width);
	item->set_image_ms = now_ms() - start;
	if (code != TAPCUT_OK)
		return session_failed(code, session);

	struct session_predictor state = {session, photo->width, &item->clicks_ms};
	struct protocol_predictor predictor = {session_click, &state};
	struct protocol_rules rules = {TARGET, EVALUATE_LEAST_CLICKS, options->max_clicks, options->jitter,
				       options->stop};
	return protocol_run(&rules, &predictor, data->truth, photo->width, photo->height,
			    rng_stream(0, 0, (uint64_t)index, RNG_CORRECTIVE), item);
}

struct baseline_predictor {
	struct baseline *baseline;
	double *elapsed_ms;
};

static enum status click_on_baseline(void *context, const struct click *click, uint8_t *mask)
{
	struct baseline_predictor *predictor = context;
	double start = now_ms();
	enum status status = baseline_click(predictor->baseline, click, mask);
	*predictor->elapsed_ms += now_ms() - start;
	return status;
}

static enum status click_baseline(const struct evaluation *evaluation, int index, const struct evaluate_data *data,
				  struct evaluate_instance *item)
{
	const struct evaluate_options *options = evaluation->options;
	struct baseline_predictor state = {.elapsed_ms = &item->clicks_ms};
	double start = now_ms();
	TRY(baseline_new(&data->photo, &state.baseline));
	item->set_image_ms = now_ms() - start;
	struct protocol_predictor predictor = {click_on_baseline, &state};
	struct protocol_rules rules = {TARGET, EVALUATE_LEAST_CLICKS, options->max_clicks, options->jitter,
				       options->stop};
	enum status status = protocol_run(&rules, &predictor, data->truth, data->photo.width, data->photo.height,
					  rng_stream(0, 0, (uint64_t)index, RNG_CORRECTIVE), item);
	baseline_free(state.baseline);
	return status;
}

static enum status run_instance(const struct evaluation *evaluation, int index, const struct evaluate_data *data,
				struct tapcut_session *session, struct evaluate_instance *item)
{
	enum status status;
	snprintf(item->category, sizeof item->category, "%s", data->category ? data->category : "");
	snprintf(item->photo, sizeof item->photo, "%s", data->file_name ? data->file_name : "");
	item->object = data->object - 1;
	item->width = data->photo.width;
	item->height = data->photo.height;
	if (memchr(data->truth, TRUTH_OBJECT, (size_t)item->width * (size_t)item->height))
		status = evaluation->options->baseline ? click_baseline(evaluation, index, data, item)
						       : click_instance(evaluation, index, data, session, item);
	else
		status = status_fail(STATUS_FORMAT, "the mask has no object pixel");
	return status == STATUS_OK ? status : status_wrap(status, "%s", item->name);
}

static void note_result(struct evaluation *evaluation, int index, enum status read, enum status status)
{
	const struct evaluate_options *options = evaluation->options;
	pthread_mutex_lock(&evaluation->mutex);
	if (read != STATUS_OK && evaluation->source->may_skip && read != STATUS_NO_MEMORY)
		note_first(&evaluation->skip, index, read);
	else if (status != STATUS_OK)
		note_first(&evaluation->failure, index, status);
	evaluation->done++;
	if (evaluation->failure.status == STATUS_OK && options->progress)
		options->progress(evaluation->done, evaluation->source->count, options->context);
	pthread_mutex_unlock(&evaluation->mutex);
}

static bool must_stop(const struct evaluate_options *options)
{
	return options->stop && *options->stop;
}

/* A task. After a failure only earlier instances still run: the failure reported is the first one. */
static void evaluate_task(void *context, int index, int thread)
{
	struct evaluation *evaluation = context;
	struct evaluate_instance *item = &evaluation->items[index];
	struct evaluate_data data = {.truth = NULL};
	pthread_mutex_lock(&evaluation->mutex);
	bool late = index > evaluation->failure.index;
	pthread_mutex_unlock(&evaluation->mutex);
	if (!late && must_stop(evaluation->options)) {
		enum status stopped = status_fail(STATUS_INTERRUPTED, "asked to stop during an evaluation");
		note_result(evaluation, index, STATUS_OK, stopped);
		return;
	}
	if (late)
		return;
	enum status read = evaluation->source->read(evaluation->source->context, index, &data, item->name);
	enum status status = read;
	if (read == STATUS_OK) {
		status = run_instance(evaluation, index, &data, evaluation->sessions[thread], item);
		evaluate_data_release(&data);
	}
	note_result(evaluation, index, read, status);
}

/* --- all of them ---------------------------------------------------------- */

static void free_sessions(struct tapcut_session **sessions, int count)
{
	for (int i = 0; sessions && i < count; i++)
		tapcut_session_free(sessions[i]);
	free(sessions);
}

static enum status new_sessions(const struct tapcut_model *model, const struct tapcut_options *options, int count,
				struct tapcut_session ***sessions)
{
	*sessions = calloc((size_t)count, sizeof **sessions);
	if (!*sessions)
		return status_fail(STATUS_NO_MEMORY, "no memory for %d sessions", count);
	for (int i = 0; i < count; i++) {
		char message[TAPCUT_MESSAGE_SIZE];
		enum tapcut_status code = tapcut_session_new(model, options, &(*sessions)[i], message);
		if (code != TAPCUT_OK) {
			free_sessions(*sessions, count);
			return status_fail(code == TAPCUT_NO_MEMORY ? STATUS_NO_MEMORY : STATUS_CONFIG, "%s", message);
		}
	}
	return STATUS_OK;
}

static enum status run_all(struct evaluation *evaluation, int threads)
{
	struct workers *workers;
	TRY(workers_new(threads, &workers));
	evaluation->failure.index = evaluation->skip.index = evaluation->source->count;
	pthread_mutex_init(&evaluation->mutex, NULL);
	workers_run(workers, evaluation->source->count, evaluate_task, evaluation);
	pthread_mutex_destroy(&evaluation->mutex);
	workers_free(workers);
	if (evaluation->failure.status != STATUS_OK)
		return status_fail(evaluation->failure.status, "%s", evaluation->failure.message);
	return STATUS_OK;
}

/* Takes the skipped instances out of the list; nothing else has no clicks. */
static enum status drop_skipped(const struct evaluation *evaluation, struct evaluate_result *result)
{
	int kept = 0;
	for (int i = 0; i < result->instances; i++)
		if (result->items[i].clicks_run > 0)
			result->items[kept++] = result->items[i];
	result->skipped = result->instances - kept;
	result->instances = kept;
	if (kept == 0)
		return status_fail(evaluation->skip.status, "no object could be read: %s", evaluation->skip.message);
	snprintf(result->first_skip, sizeof result->first_skip, "%s", evaluation->skip.message);
	return STATUS_OK;
}

enum status evaluate_run(const struct tapcut_model *model, const struct evaluate_source *source,
			 const struct evaluate_options *options, struct evaluate_result *result)
{
	assert(options->max_clicks >= 1 && options->max_clicks <= EVALUATE_MAX_CLICKS && options->threads >= 1);
	*result = (struct evaluate_result){.instances = source->count, .session = options->session};
	if (source->count == 0)
		return status_fail(STATUS_CONFIG, "there is nothing to evaluate");
	tapcut_options_resolve(model, &result->session);

	int threads = options->threads < source->count ? options->threads : source->count;
	struct evaluation evaluation = {.options = options, .source = source};
	TRY(new_sessions(model, &options->session, threads, &evaluation.sessions));
	result->items = calloc((size_t)source->count, sizeof *result->items);
	evaluation.items = result->items;
	enum status status = result->items ? run_all(&evaluation, threads)
					   : status_fail(STATUS_NO_MEMORY, "no memory for %d results", source->count);
	free_sessions(evaluation.sessions, threads);
	if (status == STATUS_OK)
		status = drop_skipped(&evaluation, result);
	if (status == STATUS_OK)
		evaluate_summarise(result, options->max_clicks);
	else
		evaluate_result_release(result);
	return status;
}
