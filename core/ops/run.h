/* Runs of floats that several operators store or add. */
#ifndef CORE_OPS_RUN_H
#define CORE_OPS_RUN_H

#include <stdbool.h>
#include <stddef.h>

/* to = from, or to += from. `to` may be `from` when storing. */
void run_store(float *to, const float *from, size_t count, bool add);

/* to = factor * from, or to += factor * from. `to` may be `from` when storing. */
void run_scale(float *to, const float *from, float factor, size_t count, bool add);

/* to = a * b, or to += a * b; `to` may be a or b when storing. */
void run_multiply(float *to, const float *a, const float *b, size_t count, bool add);

#endif
