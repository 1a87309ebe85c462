/*
 * Looks for a key in a table, and for the nearest one where there is none.
 * Names of nodes, groups and policies are mistyped in the same ways.
 */
#include "state/model/field.h"

#include <string.h>

/** A key that takes more edits than this is not near. */
#define NEAR_EDITS 2
/** Longer words are no mistyped keys. */
#define WORD_MAX 24

const struct mesh_field *field_find(const struct mesh_fields *fields,
				    const char *key)
{
	for (size_t i = 0; i < fields->len; i++)
		if (strcmp(fields->items[i].key, key) == 0)
			return &fields->items[i];
	return NULL;
}

/* Of the tables of distances that follow: the smaller of two. */
static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t field_distance(const char *a, const char *b)
{
	/* the optimal string alignment distance; two rows back for swaps */
	size_t rows[3][WORD_MAX + 1], n = strlen(b), i, k;

	if (strlen(a) > WORD_MAX || n > WORD_MAX)
		return WORD_MAX;
	for (k = 0; k <= n; k++)
		rows[0][k] = k;
	for (i = 1; a[i - 1]; i++) {
		const size_t *last = rows[(i - 1) % 3];
		size_t *row = rows[i % 3];

		row[0] = i;
		for (k = 1; k <= n; k++) {
			row[k] = least(last[k - 1] + (a[i - 1] != b[k - 1]),
				       least(last[k], row[k - 1]) + 1);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] &&
			    a[i - 2] == b[k - 1])
				row[k] = least(row[k],
					       rows[(i - 2) % 3][k - 2] + 1);
		}
	}
	return rows[(i - 1) % 3][n];
}

const char *nearest_name(const void *items, size_t len, size_t size,
			 const char *name)
{
	const char *nearest = NULL;
	size_t best = NEAR_EDITS + 1;

	for (size_t i = 0; i < len; i++) {
		const void *item = (const char *)items + i * size;
		const char *other = *(const char *const *)item;
		size_t d = field_distance(other, name);

		if (d < best && 2 * d <= strlen(name)) {
			best = d;
			nearest = other;
		}
	}
	return nearest;
}

const char *field_nearest(const struct mesh_fields *fields, const char *key)
{
	_Static_assert(offsetof(struct mesh_field, key) == 0, "it is first");
	return nearest_name(fields->items, fields->len, sizeof *fields->items,
			    key);
}
