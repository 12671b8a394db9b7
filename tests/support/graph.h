/* For tests that run graphs. */
#ifndef TESTS_SUPPORT_GRAPH_H
#define TESTS_SUPPORT_GRAPH_H

#include "core/graph.h"

/* All nodes' prepared parameters of a planned graph, for a pass with these values; the caller frees. `again`: what an
 * earlier call returned, to be overwritten, or NULL. */
float *test_prepare(const struct graph *graph, const float *values, float *again);

#endif
