/* See number.h. */
#include "tools/number.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

static int digit_of(char c)
{
	return isdigit((unsigned char)c)   ? c - '0'
	       : isalpha((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
					   : 36;
}

bool number_whole(const char **text, bool any_base, struct whole *value)
{
	const char *at = *text;
	uint64_t base = 10, magnitude = 0;
	while (isspace((unsigned char)*at))
		at++;
	bool negative = *at == '-';
	at += *at == '-' || *at == '+';
	if (any_base && *at == '0' && (at[1] == 'x' || at[1] == 'X') && digit_of(at[2]) < 16) {
		base = 16;
		at += 2;
	} else if (any_base && *at == '0') {
		base = 8;
	}
	const char *first = at;
	for (; (uint64_t)digit_of(*at) < base; at++) {
		uint64_t digit = (uint64_t)digit_of(*at);
		if (magnitude > (UINT64_MAX - digit) / base)
			return false;
		magnitude = magnitude * base + digit;
	}
	if (at == first)
		return false;
	*value = (struct whole){magnitude, negative && magnitude > 0};
	*text = at;
	return true;
}

bool number_real(const char **text, double *value)
{
	char *end;
	double number = strtod(*text, &end);
	if (end == *text || !isfinite(number))
		return false;
	*value = number;
	*text = end;
	return true;
}
