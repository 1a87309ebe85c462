/*
 * A typed growing array: `VEC(struct node) nodes;` is { items, len, cap }.
 * Zeroed is empty. Loop with an index. Who pushes owns what is in the items;
 * vec_done() frees the array alone.
 */
#ifndef WGMESH_BASE_VEC_H
#define WGMESH_BASE_VEC_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/** The members of one, for a list that has a name: `struct nodes`. */
#define VEC_OF(T)   \
	T *items;   \
	size_t len; \
	size_t cap

/** The type; each use of it is another one, so name it where it is passed on. */
#define VEC(T) struct { VEC_OF(T); }

/** Make room for one more and yield a pointer to it, zeroed. */
#define vec_add(v)                                                             \
	__extension__({                                                        \
		if ((v)->len == (v)->cap) {                                    \
			(v)->cap = (v)->cap ? (v)->cap * 2 : 8;                \
			(v)->items = mem_resize((v)->items, (v)->cap,          \
						sizeof *(v)->items);           \
		}                                                              \
		memset(&(v)->items[(v)->len], 0, sizeof *(v)->items);          \
		&(v)->items[(v)->len++];                                       \
	})

/** As vec_add(), at index @i, from which on the rest moves up. */
#define vec_insert(v, i)                                                       \
	__extension__({                                                        \
		size_t to_ = (i);                                              \
		vec_add(v);                                                    \
		memmove(&(v)->items[to_ + 1], &(v)->items[to_],                \
			((v)->len - to_ - 1) * sizeof *(v)->items);            \
		memset(&(v)->items[to_], 0, sizeof *(v)->items);               \
		&(v)->items[to_];                                              \
	})

/** Append a value, which may be a whole struct. */
#define vec_push(v, value) (*vec_add(v) = (value))

/** Take item @i out, keeping the order; the item itself is not freed. */
#define vec_remove(v, i)                                                       \
	do {                                                                   \
		size_t at_ = (i); /* @i is looked at once */                   \
		memmove(&(v)->items[at_], &(v)->items[at_ + 1],                \
			((v)->len - at_ - 1) * sizeof *(v)->items);            \
		(v)->len--;                                                    \
	} while (0)

/** qsort() of the items; an empty array has none to give it. */
#define vec_sort(v, compare)                                                   \
	do {                                                                   \
		if ((v)->len > 1)                                              \
			qsort((v)->items, (v)->len, sizeof *(v)->items,        \
			      compare);                                        \
	} while (0)

/**
 * Where @key is in a sorted list, or belongs: the index of the first item that
 * does not come before it. @compare gets an item and the key.
 */
#define vec_place(v, key, compare) \
	vec_place_((v)->items, (v)->len, sizeof *(v)->items, key, compare)
size_t vec_place_(const void *items, size_t len, size_t size, const void *key,
		  int (*compare)(const void *item, const void *key));

/** Free the array alone; @v is empty and usable again. */
#define vec_done(v)                                   \
	do {                                          \
		free((v)->items);                     \
		memset((v), 0, sizeof *(v));          \
	} while (0)

/** A list of owned strings. */
struct strings { VEC_OF(char *); }; /* each one owned, none NULL */

/** Append a copy of @s, which may be a string of the list. */
void strings_add(struct strings *v, const char *s);

/** Append a formatted string. */
void strings_printf(struct strings *v, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** Free all strings and the array; @v is empty and usable again. */
void strings_done(struct strings *v);

/** Index of the first one that equals @s, or -1. */
long strings_find(const struct strings *v, const char *s);

/** Deep copy of @from into the empty list @to. */
void strings_copy(struct strings *to, const struct strings *from);

/** Order of two `char *` by bytes, for bsearch() in a sorted list. */
int strings_compare(const void *a, const void *b);

/** Sort by bytes. */
void strings_sort(struct strings *v);

/** Sort by bytes, and leave each string once. */
void strings_make_set(struct strings *v);

/** Is @s in a list that is sorted by bytes? */
bool strings_has(const struct strings *sorted, const char *s);

/**
 * All in one line for people: "a, b and 7 more" when there are over @most + 1
 * of them; NULL when there is none. The caller frees.
 */
char *strings_line(const struct strings *v, size_t most);

#endif
