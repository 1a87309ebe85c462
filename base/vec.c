/*
 * Lists of strings, and what of the macros of vec.h needs no type.
 */
#include "base/vec.h"

#include "base/sbuf.h"

size_t vec_place_(const void *items, size_t len, size_t size, const void *key,
		  int (*compare)(const void *item, const void *key))
{
	size_t low = 0, high = len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare((const char *)items + mid * size, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void strings_add(struct strings *v, const char *s)
{
	char *copy = mem_strdup(s); /* first: the array may move */

	vec_push(v, copy);
}

void strings_printf(struct strings *v, const char *fmt, ...)
{
	struct sbuf text = SBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	sbuf_vprintf(&text, fmt, ap);
	va_end(ap);
	strings_add(v, sbuf_str(&text));
	sbuf_done(&text);
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

void strings_make_set(struct strings *v)
{
	size_t kept = 0;

	strings_sort(v);
	for (size_t i = 0; i < v->len; i++) {
		if (kept && strcmp(v->items[kept - 1], v->items[i]) == 0)
			free(v->items[i]);
		else
			v->items[kept++] = v->items[i];
	}
	v->len = kept;
}

bool strings_has(const struct strings *sorted, const char *s)
{
	return sorted->len && bsearch(&s, sorted->items, sorted->len, sizeof s,
				      strings_compare);
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
