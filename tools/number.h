/* Numbers of a command line: the only functions of the commands that read one. */
#ifndef TOOLS_NUMBER_H
#define TOOLS_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* A whole number of any sign: its digits as a number, and whether a minus stands before them. */
struct whole {
	uint64_t magnitude;
	bool negative;
};

/* Reads a whole number at *text and moves *text behind it. Decimal; with `any_base` 0x1f and 017 too, as in C. False,
 * and *text stays, where no number stands or it has more than 64 bits. */
bool number_whole(const char **text, bool any_base, struct whole *value);

/* The same for a number with a fraction and an exponent; false for what a double cannot hold. */
bool number_real(const char **text, double *value);

#endif
