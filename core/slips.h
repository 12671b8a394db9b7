/* How near two words are: for "did you mean". */
#ifndef CORE_SLIPS_H
#define CORE_SLIPS_H

enum { SLIPS_MAX_LENGTH = 64 };

/* How many slips of the finger (a character more, less, another one, or two neighbours swapped) part the two words,
 * capitals aside: Damerau's distance with adjacent swaps (Damerau, CACM 1964). Words over SLIPS_MAX_LENGTH bytes are
 * as far from anything as they are long. */
int slips_between(const char *a, const char *b);

/* The candidate nearest to `wrong` if it is near enough to be meant, else NULL. `names` ends with NULL; borrowed. */
const char *slips_nearest(const char *wrong, const char *const *names);

#endif
