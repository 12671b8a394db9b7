/* See slips.h. */
#include "core/slips.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "core/bytes.h"

int slips_between(const char *a, const char *b)
{
	int rows[3][SLIPS_MAX_LENGTH + 1];
	int *above2 = rows[0], *above = rows[1], *row = rows[2];
	size_t n = strlen(a), m = strlen(b);
	if (n > SLIPS_MAX_LENGTH || m > SLIPS_MAX_LENGTH)
		return (int)(n > m ? n : m);
	for (size_t j = 0; j <= m; j++)
		above[j] = (int)j;
	for (size_t i = 0; a[i]; i++) {
		row[0] = (int)i + 1;
		for (size_t j = 0; j < m; j++) {
			bool same = tolower((unsigned char)a[i]) == tolower((unsigned char)b[j]);
			row[j + 1] = min_int(min_int(row[j], above[j + 1]) + 1, above[j] + !same);
			if (i && j && a[i] == b[j - 1] && a[i - 1] == b[j])
				row[j + 1] = min_int(row[j + 1], above2[j - 1] + 1);
		}
		int *spare = above2;
		above2 = above;
		above = row;
		row = spare;
	}
	return above[m];
}

const char *slips_nearest(const char *wrong, const char *const *names)
{
	const char *best = NULL;
	int least = 2 + (int)strlen(wrong) / 4;
	for (; *names; names++)
		if (slips_between(wrong, *names) < least) {
			least = slips_between(wrong, *names);
			best = *names;
		}
	return best;
}
