/* A job is a range of pieces and a counter from which each thread takes the next one. Between two jobs of a run
 * there are microseconds, so a thread looks for the next job for a while before it goes to sleep. */
#include "threads.h"

#include <stdbool.h>
#include <stdlib.h>

#if defined(TAPCUT_NO_THREADS)

struct infer_threads {
	int count;
};

struct infer_threads *infer_threads_new(int count)
{
	struct infer_threads *t = malloc(sizeof *t);
	(void)count;
	if (t)
		t->count = 1;
	return t;
}

void infer_threads_free(struct infer_threads *threads)
{
	free(threads);
}

void infer_threads_run(struct infer_threads *threads, int rows, int step, infer_threads_work *work, void *context)
{
	(void)threads;
	(void)step;
	work(context, 0, rows, 0);
}

#else

#include <pthread.h>
#include <stdatomic.h>

enum { LOOKS_BEFORE_SLEEP = 4000, PIECES_PER_THREAD = 2 };

struct helper {
	struct infer_threads *pool;
	pthread_t thread;
	int number;
};

struct infer_threads {
	int count, started;
	struct helper helper[INFER_MAX_THREADS];
	pthread_mutex_t mutex;
	pthread_cond_t wake, finished;

	/* The job; written while no helper is at work. */
	infer_threads_work *work;
	void *context;
	int rows, piece, pieces;

	atomic_uint job;    /* number of the current job; changes when one starts */
	atomic_int next;    /* piece to take */
	atomic_int working; /* helpers that have not finished the job */
	atomic_int stop;
};

static void pause_a_moment(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
	__builtin_ia32_pause();
#elif defined(__aarch64__) && defined(__GNUC__)
	__asm__ volatile("yield");
#endif
}

static void do_pieces(struct infer_threads *t, int thread)
{
	for (;;) {
		int piece = atomic_fetch_add(&t->next, 1);
		if (piece >= t->pieces)
			return;
		int first = piece * t->piece, end = first + t->piece;
		t->work(t->context, first, end < t->rows ? end : t->rows, thread);
	}
}

/* Until there is another job than number `done`, or the end. */
static unsigned wait_for_job(struct infer_threads *t, unsigned done)
{
	for (int i = 0; i < LOOKS_BEFORE_SLEEP; i++) {
		unsigned job = atomic_load(&t->job);
		if (job != done || atomic_load(&t->stop))
			return job;
		pause_a_moment();
	}
	pthread_mutex_lock(&t->mutex);
	while (atomic_load(&t->job) == done && !atomic_load(&t->stop))
		pthread_cond_wait(&t->wake, &t->mutex);
	pthread_mutex_unlock(&t->mutex);
	return atomic_load(&t->job);
}

static void *help(void *argument)
{
	struct helper *self = argument;
	struct infer_threads *t = self->pool;
	unsigned done = 0;
	for (;;) {
		done = wait_for_job(t, done);
		if (atomic_load(&t->stop))
			return NULL;
		do_pieces(t, self->number);
		if (atomic_fetch_sub(&t->working, 1) > 1)
			continue;
		pthread_mutex_lock(&t->mutex);
		pthread_cond_signal(&t->finished);
		pthread_mutex_unlock(&t->mutex);
	}
}

static bool start_helpers(struct infer_threads *t)
{
	for (; t->started < t->count - 1; t->started++) {
		struct helper *helper = &t->helper[t->started];
		helper->pool = t;
		helper->number = t->started + 1;
		if (pthread_create(&helper->thread, NULL, help, helper))
			return false;
	}
	return true;
}

struct infer_threads *infer_threads_new(int count)
{
	struct infer_threads *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->count = count < 1 ? 1 : count > INFER_MAX_THREADS ? INFER_MAX_THREADS : count;
	pthread_mutex_init(&t->mutex, NULL);
	pthread_cond_init(&t->wake, NULL);
	pthread_cond_init(&t->finished, NULL);
	if (start_helpers(t))
		return t;
	infer_threads_free(t);
	return NULL;
}

void infer_threads_free(struct infer_threads *t)
{
	if (!t)
		return;
	pthread_mutex_lock(&t->mutex);
	atomic_store(&t->stop, 1);
	pthread_cond_broadcast(&t->wake);
	pthread_mutex_unlock(&t->mutex);
	for (int i = 0; i < t->started; i++)
		pthread_join(t->helper[i].thread, NULL);
	pthread_cond_destroy(&t->wake);
	pthread_cond_destroy(&t->finished);
	pthread_mutex_destroy(&t->mutex);
	free(t);
}

static void start_job(struct infer_threads *t)
{
	atomic_store(&t->next, 0);
	atomic_store(&t->working, t->started);
	pthread_mutex_lock(&t->mutex);
	atomic_fetch_add(&t->job, 1);
	pthread_cond_broadcast(&t->wake);
	pthread_mutex_unlock(&t->mutex);
}

static void wait_for_helpers(struct infer_threads *t)
{
	for (int i = 0; i < LOOKS_BEFORE_SLEEP; i++) {
		if (atomic_load(&t->working) == 0)
			return;
		pause_a_moment();
	}
	pthread_mutex_lock(&t->mutex);
	while (atomic_load(&t->working) > 0)
		pthread_cond_wait(&t->finished, &t->mutex);
	pthread_mutex_unlock(&t->mutex);
}

void infer_threads_run(struct infer_threads *t, int rows, int step, infer_threads_work *work, void *context)
{
	int steps = (rows + step - 1) / step;
	if (t->started == 0 || steps < 2) {
		work(context, 0, rows, 0);
		return;
	}
	int wanted = steps < t->count * PIECES_PER_THREAD ? steps : t->count * PIECES_PER_THREAD;
	t->work = work;
	t->context = context;
	t->rows = rows;
	t->piece = (steps + wanted - 1) / wanted * step;
	t->pieces = (rows + t->piece - 1) / t->piece;
	start_job(t);
	do_pieces(t, 0);
	wait_for_helpers(t);
}

#endif

int infer_threads_count(const struct infer_threads *threads)
{
	return threads->count;
}
