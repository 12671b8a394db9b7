/* What the fuzz targets have in common. */
#ifndef TESTS_FUZZ_TARGET_H
#define TESTS_FUZZ_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* What must hold for every input. */
static inline void fuzz_require(bool condition)
{
	if (!condition)
		abort();
}

/* The input as a row of decisions; 0 once it is used up. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

static inline uint8_t fuzz_byte(struct fuzz_input *input)
{
	if (!input->left)
		return 0;
	input->left--;
	return *input->at++;
}

#endif
