/* Prepares samples ahead of the trainer. Threads take sample numbers in order and finish in any order; a ring with
 * one place per number of the window hands them out in order again. What a sample holds depends on its number alone.
 * Numbers here count what this loader delivers; sample_number says which sample of the training run that is.
 *
 *     number   ... | delivered ................ delivered + prefetch | ...
 *                    ready  working  ready  empty  empty
 *
 * A place is free again once its sample is handed out, whether or not the caller gives the sample back soon: buffers
 * come from a list of their own, which grows to prefetch + as many as the caller keeps at a time. So a caller that
 * keeps a batch cannot lock itself out. */
#include "data/loader.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"

enum place_state { PLACE_EMPTY, PLACE_WORKING, PLACE_READY };

struct buffer {
	struct sample sample; /* first: the caller's pointer is ours */
	struct buffer *next_free, *next_made;
};

struct place {
	enum place_state state;
	struct buffer *buffer; /* NULL when status says why */
	enum status status;
	char message[512];
};

struct loader {
	struct loader_options options;
	pthread_mutex_t mutex; /* over everything below */
	pthread_cond_t sample_ready, place_free;
	struct place *ring; /* options.prefetch places; number n lives in n % prefetch */
	uint64_t taken;     /* how many samples threads have taken */
	uint64_t delivered; /* how many loader_next has returned */
	struct buffer *free_buffers, *made_buffers;
	bool stop;
	double waited, worked;
	pthread_t *threads;
	int running;
};

/* Called with the mutex held. */
static enum status take_buffer(struct loader *loader, struct buffer **out)
{
	struct buffer *buffer = loader->free_buffers;
	if (buffer) {
		loader->free_buffers = buffer->next_free;
		*out = buffer;
		return STATUS_OK;
	}
	buffer = calloc(1, sizeof *buffer);
	if (!buffer)
		return status_fail(STATUS_NO_MEMORY, "no memory for a sample");
	enum status status = sample_alloc(&buffer->sample, loader->options.size);
	if (status != STATUS_OK) {
		free(buffer);
		return status;
	}
	buffer->next_made = loader->made_buffers;
	loader->made_buffers = buffer;
	*out = buffer;
	return STATUS_OK;
}

static void put_buffer(struct loader *loader, struct buffer *buffer)
{
	buffer->next_free = loader->free_buffers;
	loader->free_buffers = buffer;
}

static uint64_t sample_number(const struct loader_options *options, uint64_t delivered)
{
	if (!options->run)
		return options->first + delivered;
	return options->first + delivered / options->run * options->stride + delivered % options->run;
}

static enum status make_sample(const struct loader_options *options, uint64_t number, struct sample *sample)
{
	uint32_t count = (uint32_t)options->dataset->object_count;
	uint32_t epoch = (uint32_t)(number / count), position = (uint32_t)(number % count);
	int object = options->draw ? draw_object(options->draw, options->seed, number)
				   : (int)rng_permute(options->seed, epoch, count, position);
	struct rng rng = rng_stream(options->seed, epoch, position, RNG_AUGMENT);
	return augment_sample(&options->augment, options->dataset, object, rng, sample);
}

/* Called with the mutex held; lets go of it while it works. */
static void fill_place(struct loader *loader, uint64_t number)
{
	struct place *place = &loader->ring[number % (uint64_t)loader->options.prefetch];
	struct buffer *buffer = NULL;
	place->state = PLACE_WORKING;
	enum status status = take_buffer(loader, &buffer);
	if (status == STATUS_OK) {
		pthread_mutex_unlock(&loader->mutex);
		double start = clock_seconds();
		status = make_sample(&loader->options, sample_number(&loader->options, number), &buffer->sample);
		double end = clock_seconds();
		pthread_mutex_lock(&loader->mutex);
		loader->worked += end - start;
	}
	if (status != STATUS_OK) {
		snprintf(place->message, sizeof place->message, "%s", status_message());
		if (buffer)
			put_buffer(loader, buffer);
		buffer = NULL;
	}
	place->status = status;
	place->buffer = buffer;
	place->state = PLACE_READY;
	pthread_cond_signal(&loader->sample_ready);
}

static void *work(void *argument)
{
	struct loader *loader = argument;
	pthread_mutex_lock(&loader->mutex);
	while (!loader->stop) {
		if (loader->taken < loader->delivered + (uint64_t)loader->options.prefetch)
			fill_place(loader, loader->taken++);
		else
			pthread_cond_wait(&loader->place_free, &loader->mutex);
	}
	pthread_mutex_unlock(&loader->mutex);
	return NULL;
}

/* Signals belong to the trainer's thread: it is the one that must notice them. */
static enum status start_threads(struct loader *loader)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int error = 0;
	while (!error && loader->running < loader->options.threads) {
		error = pthread_create(&loader->threads[loader->running], NULL, work, loader);
		loader->running += !error;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		return status_fail(STATUS_NO_MEMORY, "cannot start loader thread %d of %d (error %d)",
				   loader->running + 1, loader->options.threads, error);
	return STATUS_OK;
}

enum status loader_new(const struct loader_options *options, struct loader **out)
{
	*out = NULL;
	assert(options->threads >= 1 && options->prefetch >= 1 && options->size >= 1);
	if (options->dataset->object_count < 1)
		return status_fail(STATUS_CONFIG, "there is no object to train on");
	struct loader *loader = calloc(1, sizeof *loader);
	if (!loader)
		return status_fail(STATUS_NO_MEMORY, "no memory for a loader");
	loader->options = *options;
	pthread_mutex_init(&loader->mutex, NULL);
	pthread_cond_init(&loader->sample_ready, NULL);
	pthread_cond_init(&loader->place_free, NULL);
	loader->ring = calloc((size_t)options->prefetch, sizeof *loader->ring);
	loader->threads = calloc((size_t)options->threads, sizeof *loader->threads);
	enum status status = STATUS_OK;
	if (!loader->ring || !loader->threads)
		status = status_fail(STATUS_NO_MEMORY, "no memory for a loader of %d samples", options->prefetch);
	else
		status = start_threads(loader);
	if (status != STATUS_OK) {
		loader_free(loader);
		return status;
	}
	*out = loader;
	return STATUS_OK;
}

struct sample *loader_next(struct loader *loader)
{
	pthread_mutex_lock(&loader->mutex);
	struct place *place = &loader->ring[loader->delivered % (uint64_t)loader->options.prefetch];
	if (place->state != PLACE_READY) {
		double start = clock_seconds();
		while (place->state != PLACE_READY)
			pthread_cond_wait(&loader->sample_ready, &loader->mutex);
		loader->waited += clock_seconds() - start;
	}
	struct buffer *buffer = place->buffer;
	if (!buffer)
		status_fail(place->status, "%s", place->message);
	place->state = PLACE_EMPTY;
	loader->delivered++;
	pthread_cond_signal(&loader->place_free);
	pthread_mutex_unlock(&loader->mutex);
	return buffer ? &buffer->sample : NULL;
}

void loader_give_back(struct loader *loader, struct sample *sample)
{
	pthread_mutex_lock(&loader->mutex);
	put_buffer(loader, (struct buffer *)sample);
	pthread_mutex_unlock(&loader->mutex);
}

void loader_times(const struct loader *loader, double *waited, double *worked)
{
	pthread_mutex_t *mutex = (pthread_mutex_t *)&loader->mutex;
	pthread_mutex_lock(mutex);
	*waited = loader->waited;
	*worked = loader->worked;
	pthread_mutex_unlock(mutex);
}

void loader_free(struct loader *loader)
{
	if (!loader)
		return;
	pthread_mutex_lock(&loader->mutex);
	loader->stop = true;
	pthread_cond_broadcast(&loader->place_free);
	pthread_mutex_unlock(&loader->mutex);
	for (int i = 0; i < loader->running; i++)
		pthread_join(loader->threads[i], NULL);
	while (loader->made_buffers) {
		struct buffer *buffer = loader->made_buffers;
		loader->made_buffers = buffer->next_made;
		sample_release(&buffer->sample);
		free(buffer);
	}
	pthread_cond_destroy(&loader->place_free);
	pthread_cond_destroy(&loader->sample_ready);
	pthread_mutex_destroy(&loader->mutex);
	free(loader->ring);
	free(loader->threads);
	free(loader);
}
