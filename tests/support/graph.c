/* See graph.h. */
#include "tests/support/graph.h"

#include <check.h>
#include <stdlib.h>

float *test_prepare(const struct graph *graph, const float *values, float *again)
{
	size_t bytes = (graph->prepared_floats * sizeof(float) / 64 + 1) * 64;
	float *prepared = again ? again : aligned_alloc(64, bytes);
	ck_assert_ptr_nonnull(prepared);
	for (int i = 0; i < graph->node_count; i++)
		graph_prepare(graph, values, i, prepared);
	return prepared;
}
