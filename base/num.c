/*
 * Numbers as people write them, without strtol's leniency: no sign, no blank, no
 * octal, nothing behind.
 */
#include "base/num.h"

#include <errno.h>
#include <stdlib.h>

bool num_parse_u64(uint64_t *out, const char *s)
{
	uint64_t n = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		uint64_t digit = (uint64_t)(unsigned char)*s - '0';

		if (*s < '0' || *s > '9' || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return true;
}

bool num_parse(long *out, const char *s, long min, long max)
{
	bool negative = *s == '-' && min < 0;
	uint64_t u;
	long n;

	if (!num_parse_u64(&u, s + negative) || u > INT64_MAX)
		return false;
	/* INT64_MIN itself is none of ours: @u ends one before it */
	n = negative ? -(long)u : (long)u;
	if (n < min || n > max)
		return false;
	*out = n;
	return true;
}
