/* Streams: tasks that run together, some rows of each at a time, so that a large value between them (a full-size
 * feature map, say) never exists as a whole: the rows that a task has made are still in the cache when the next one
 * reads them, and give way to the next rows. The results are those of the tasks run one after the other. */
#ifndef INFER_STREAM_H
#define INFER_STREAM_H

#include "runner.h"

/* Picks the values to stream and puts the tasks around each of them side by side. Before the calls are made; makers,
 * readers and containers are known, makers and last readers are to be noted anew afterwards. Sets every task's
 * moment. */
void infer_find_streams(struct infer_runner *runner);

/* How many rows of the streamed values are kept, and where: sets the values' rows and window_bytes. Needs calls, but
 * no data. */
void infer_plan_windows(struct infer_runner *runner);

void infer_run_stream(struct infer_runner *runner, const struct infer_stream *stream);

#endif
