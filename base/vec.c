#include "base/vec.h"

void strings_add(struct strings *v, const char *s)
{
	char *copy = mem_strdup(s);

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
