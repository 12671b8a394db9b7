/* A few threads that share out the rows of one step. Compiled out with TAPCUT_NO_THREADS (WebAssembly): everything
 * then runs on the caller's thread, with the same results. */
#ifndef INFER_THREADS_H
#define INFER_THREADS_H

struct infer_threads;

enum { INFER_MAX_THREADS = 64 };

/* Does rows first..end-1; thread: 0..count-1. */
typedef void infer_threads_work(void *context, int first, int end, int thread);

/* `count` threads, the caller's among them: 1 starts none. NULL: no memory, or the system gives no thread. */
struct infer_threads *infer_threads_new(int count);
void infer_threads_free(struct infer_threads *threads);

int infer_threads_count(const struct infer_threads *threads);

/* Calls work for all rows 0..rows-1, in pieces that start at multiples of `step` and run at the same time, and
 * returns when all are done. One caller at a time. */
void infer_threads_run(struct infer_threads *threads, int rows, int step, infer_threads_work *work, void *context);

#endif
