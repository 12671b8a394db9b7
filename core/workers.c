/* A pool of threads; see workers.h. Threads sleep on a condition variable between runs; inside a run the next task
 * is an atomic counter, so that a slow task holds up nobody but its own thread. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "core/workers.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct thread {
	struct workers *workers;
	pthread_t id;
	int number;
};

struct workers {
	pthread_mutex_t mutex;
	pthread_cond_t wake; /* a run began, or the pool is being freed */
	pthread_cond_t idle; /* the last thread finished a run */
	/* Under the mutex. */
	unsigned run; /* how many runs have begun */
	int busy;     /* threads still in this run */
	bool quit;
	/* Constant during a run. */
	int count;
	void (*task)(void *context, int index, int thread);
	void *context;

	atomic_int next; /* the first task nobody has taken */
	int started;     /* of `threads`, the caller not counted */
	struct thread threads[];
};

static void take_tasks(struct workers *workers, int thread)
{
	int index;
	while ((index = atomic_fetch_add(&workers->next, 1)) < workers->count)
		workers->task(workers->context, index, thread);
}

static void *thread_main(void *argument)
{
	struct thread *self = argument;
	struct workers *workers = self->workers;
	unsigned seen = 0;
	pthread_mutex_lock(&workers->mutex);
	for (;;) {
		while (workers->run == seen && !workers->quit)
			pthread_cond_wait(&workers->wake, &workers->mutex);
		if (workers->quit)
			break;
		seen = workers->run;
		pthread_mutex_unlock(&workers->mutex);
		take_tasks(workers, self->number);
		pthread_mutex_lock(&workers->mutex);
		if (--workers->busy == 0)
			pthread_cond_signal(&workers->idle);
	}
	pthread_mutex_unlock(&workers->mutex);
	return NULL;
}

/* With all signals blocked, so that the thread that called workers_new gets them. */
static enum status start_threads(struct workers *workers, int count)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = 0;
	for (int i = 0; i < count && !error; i++) {
		struct thread *thread = &workers->threads[i];
		*thread = (struct thread){.workers = workers, .number = i + 1};
		error = pthread_create(&thread->id, NULL, thread_main, thread);
		if (!error)
			workers->started++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!error)
		return STATUS_OK;
	return status_fail(STATUS_NO_MEMORY, "cannot start thread %d of %d: %s", workers->started + 2, count + 1,
			   strerror(error));
}

enum status workers_new(int threads, struct workers **result)
{
	assert(threads >= 1);
	*result = NULL;
	struct workers *workers = calloc(1, sizeof *workers + (size_t)(threads - 1) * sizeof workers->threads[0]);
	if (!workers)
		return status_fail(STATUS_NO_MEMORY, "out of memory for a pool of %d threads", threads);
	pthread_mutex_init(&workers->mutex, NULL);
	pthread_cond_init(&workers->wake, NULL);
	pthread_cond_init(&workers->idle, NULL);
	enum status status = start_threads(workers, threads - 1);
	if (status == STATUS_OK)
		*result = workers;
	else
		workers_free(workers);
	return status;
}

void workers_free(struct workers *workers)
{
	if (!workers)
		return;
	pthread_mutex_lock(&workers->mutex);
	workers->quit = true;
	pthread_cond_broadcast(&workers->wake);
	pthread_mutex_unlock(&workers->mutex);
	for (int i = 0; i < workers->started; i++)
		pthread_join(workers->threads[i].id, NULL);
	pthread_cond_destroy(&workers->idle);
	pthread_cond_destroy(&workers->wake);
	pthread_mutex_destroy(&workers->mutex);
	free(workers);
}

int workers_processors(void)
{
	cpu_set_t set;
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	int own = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)online;
	return own > 1 ? own : 1;
}

int workers_threads(const struct workers *workers)
{
	return workers->started + 1;
}

void workers_run(struct workers *workers, int count, void (*task)(void *context, int index, int thread), void *context)
{
	pthread_mutex_lock(&workers->mutex);
	assert(workers->busy == 0); /* a task may not start a run */
	workers->count = count;
	workers->task = task;
	workers->context = context;
	atomic_store(&workers->next, 0);
	workers->busy = workers->started;
	workers->run++;
	pthread_cond_broadcast(&workers->wake);
	pthread_mutex_unlock(&workers->mutex);

	take_tasks(workers, 0);

	pthread_mutex_lock(&workers->mutex);
	while (workers->busy > 0)
		pthread_cond_wait(&workers->idle, &workers->mutex);
	pthread_mutex_unlock(&workers->mutex);
}
