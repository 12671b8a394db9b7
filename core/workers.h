/* A pool of threads that computes numbered tasks. Which thread computes a task is left to chance; what a task
 * computes must not depend on it. */
#ifndef CORE_WORKERS_H
#define CORE_WORKERS_H

#include "core/status.h"

struct workers;

/* `threads` >= 1; the calling thread is one of them. */
enum status workers_new(int threads, struct workers **workers);
void workers_free(struct workers *workers);
int workers_threads(const struct workers *workers);
/* Processors that this process may use: a launcher or container may have bound it to fewer than there are. At least
 * 1. */
int workers_processors(void);

/* Calls task(context, index, thread) for index 0..count-1, thread 0..threads-1 naming the executing thread;
 * returns when all are done. */
void workers_run(struct workers *workers, int count, void (*task)(void *context, int index, int thread), void *context);

#endif
