/* Arrays of floats: memory for large ones (arenas, prepared weights, gradients), and where the largest lies. */
#ifndef CORE_FLOATS_H
#define CORE_FLOATS_H

#include <stddef.h>

/* `count` floats, 64-byte aligned, not zeroed; free() gives them back. NULL if there is no memory. Arrays of several
 * megabytes lie on huge pages where the system has them: a training step walks through tens of megabytes once, and
 * every page of 4 KiB would cost a walk through the page tables (10 % of a step, measured). */
float *floats_new(size_t count);

/* The index of the largest of `count` >= 1 floats, the first among equals: the class that logits vote for. */
int floats_argmax(const float *values, int count);

#endif
