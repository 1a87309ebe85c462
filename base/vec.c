/*
 * Lists of strings; all other lists are the macros of vec.h.
 */
#include "base/vec.h"

#include "base/sbuf.h"

void strings_add(struct strings *v, const char *s)
{
	char *copy = mem_strdup(s); /* first: the array may move */

	vec_push(v, copy);
}

void strings_done(struct strings *v)
{
	for (size_t i = 0; i < v->len; i++)
		free(v->items[i]);
	vec_done(v);
}

long strings_find(const struct strings *v, const char *s)
{
	for (size_t i = 0; i < v->len; i++)
		if (strcmp(v->items[i], s) == 0)
			return (long)i;
	return -1;
}

void strings_copy(struct strings *to, const struct strings *from)
{
	for (size_t i = 0; i < from->len; i++)
		strings_add(to, from->items[i]);
}

int strings_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strings_sort(struct strings *v)
{
	vec_sort(v, strings_compare);
}

char *strings_line(const struct strings *v, size_t most)
{
	struct sbuf b = SBUF_INIT;
	size_t shown = v->len <= most + 1 ? v->len : most;

	if (v->len == 0)
		return NULL;
	for (size_t i = 0; i < shown; i++)
		sbuf_printf(&b, "%s%s", i ? ", " : "", v->items[i]);
	if (shown < v->len)
		sbuf_printf(&b, " and %zu more", v->len - shown);
	return sbuf_detach(&b);
}
