/*
 * Allocation that ends the program when there is no memory, so that no caller has
 * a path that nobody ever tested.
 */
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* abort(), not exit(): no handler runs that would want memory. */
static void *must(void *p)
{
	if (!p) {
		fputs("wgmesh: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *mem_calloc(size_t n, size_t size)
{
	return must(calloc(n ? n : 1, size ? size : 1));
}

void *mem_resize(void *p, size_t n, size_t size)
{
	return must(reallocarray(p, n ? n : 1, size ? size : 1));
}

char *mem_strdup(const char *s)
{
	return s ? must(strdup(s)) : NULL;
}

char *mem_strndup(const char *s, size_t n)
{
	return must(strndup(s, n));
}

char *mem_printf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return must(n < 0 ? NULL : s);
}

void mem_replace(char **slot, const char *s)
{
	char *copy = mem_strdup(s); /* first: @s may be in *@slot */

	free(*slot);
	*slot = copy;
}
