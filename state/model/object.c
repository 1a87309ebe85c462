/*
 * An object of a mesh as a whole, by its rows: empty, freed, and what it holds
 * as far as the state file is concerned. A member that has no row is lost when
 * a state is read, and leaks when it is freed; test_fields walks all rows.
 */
#include "state/model/field.h"

#include <string.h>
#include <strings.h>

/*
 * Every list is { items, len, cap } (base/vec.h), whatever the items are. It is
 * copied in and out, for to the compiler they are different types.
 */
struct list {
	void *items;
	size_t len;
	size_t cap;
};

static struct list get_list(const struct mesh_field *f, const void *object)
{
	struct list l;

	memcpy(&l, (const char *)object + f->offset, sizeof l);
	return l;
}

static void put_list(const struct mesh_field *f, void *object, struct list l)
{
	memcpy((char *)object + f->offset, &l, sizeof l);
}

size_t field_len(const struct mesh_field *f, const void *object)
{
	return get_list(f, object).len;
}

const void *field_item(const struct mesh_field *f, const void *object,
		       size_t i)
{
	return (const char *)get_list(f, object).items + i * f->of->size;
}

void *field_add(const struct mesh_field *f, void *object)
{
	struct list l = get_list(f, object);
	char *at;

	if (l.len == l.cap) {
		l.cap = l.cap ? l.cap * 2 : 8;
		l.items = mem_resize(l.items, l.cap, f->of->size);
	}
	at = (char *)l.items + l.len++ * f->of->size;
	memset(at, 0, f->of->size);
	put_list(f, object, l);
	return at;
}

void field_sort(const struct mesh_field *f, void *object)
{
	struct list l = get_list(f, object);

	if (l.len > 1 && f->of->compare)
		qsort(l.items, l.len, f->of->size, f->of->compare);
}

const struct mesh_object *object_of_part(enum mesh_part part)
{
	static const struct mesh_object *const all[] = {
		[PART_MESH] = &object_mesh,
		[PART_NODE] = &object_node,
		[PART_GROUP] = &object_group,
		[PART_POLICY] = &object_policy,
	};
	_Static_assert(sizeof all / sizeof *all == PARTS, "a part is missing");

	return all[part];
}

const char *part_word(enum mesh_part part)
{
	static const char *const words[] = {
		[PART_MESH] = "mesh",
		[PART_NODE] = "node",
		[PART_GROUP] = "group",
		[PART_POLICY] = "policy",
	};
	_Static_assert(sizeof words / sizeof *words == PARTS, "one is missing");

	return words[part];
}

bool part_find(enum mesh_part *out, const char *word)
{
	for (int p = PART_MESH; p <= PART_POLICY; p++) {
		*out = (enum mesh_part)p;
		if (strcmp(part_word(*out), word) == 0)
			return true;
	}
	return false;
}

void part_text(struct sbuf *out, enum mesh_part part, const char *name)
{
	sbuf_printf(out, "%s%s%s", part_word(part), name ? " " : "",
		    name ? name : "");
}

/* In any letter case, as Go's encoding/json, which wrote the first files. */
const struct mesh_field *object_member(const struct mesh_object *of,
				       const char *json)
{
	for (size_t i = 0; i < OBJECT_TABLES; i++)
		for (size_t k = 0; k < of->tables[i].len; k++) {
			const struct mesh_field *f = &of->tables[i].items[k];

			if (f->json && strcasecmp(f->json, json) == 0)
				return f;
		}
	return NULL;
}

const struct mesh_field *member_find(const char *json)
{
	const struct mesh_field *f = NULL;

	for (int p = 0; !f && p < PARTS; p++)
		f = object_member(object_of_part((enum mesh_part)p), json);
	return f ? f : object_member(&object_external, json);
}

/* Sorted by insertion: a handful of rows, without memory of its own. */
size_t object_members(const struct mesh_object *of,
		      const struct mesh_field *out[OBJECT_MEMBERS])
{
	size_t n = 0;

	for (size_t i = 0; i < OBJECT_TABLES; i++)
		for (size_t k = 0; k < of->tables[i].len; k++) {
			const struct mesh_field *f = &of->tables[i].items[k];
			size_t at = n;

			if (!f->json)
				continue;
			for (; at && out[at - 1]->nth > f->nth; at--)
				out[at] = out[at - 1];
			out[at] = f;
			n++;
		}
	return n;
}

void object_init(const struct mesh_object *of, void *object)
{
	const struct mesh_field *rows[OBJECT_MEMBERS];
	size_t n = object_members(of, rows);

	for (size_t i = 0; i < n; i++) {
		void *slot = (char *)object + rows[i]->offset;

		/* all else is unsaid where it is zero */
		if (rows[i]->value == VALUE_TEXT)
			*(char **)slot = mem_strdup("");
	}
}

/* Anything that is in the file, a member that we do not know, too? */
static bool object_says(const struct mesh_object *of, const void *object)
{
	const struct mesh_field *rows[OBJECT_MEMBERS];
	const char *at = object;
	const struct extras *extras = (const void *)(at + of->extras);
	size_t n = object_members(of, rows);
	bool says = extras->len > 0;

	for (size_t i = 0; !says && i < n; i++)
		says = field_says(rows[i], object);
	return says;
}

bool field_says(const struct mesh_field *f, const void *object)
{
	const void *slot = (const char *)object + f->offset;

	switch (f->value) {
	case VALUE_TEXT:
	case VALUE_OPTIONAL:
		return *(char *const *)slot && **(char *const *)slot;
	case VALUE_KEY_PLACE:
		return *(const enum key_place *)slot != KEY_UNSAID;
	case VALUE_SECRET:
		return ((const struct secret *)slot)->len > 0;
	case VALUE_NUMBER:
		return *(const int *)slot != (int)f->unsaid;
	case VALUE_SERIAL:
		return *(const uint64_t *)slot != 0;
	case VALUE_BOOL:
		return *(const bool *)slot != (bool)f->unsaid;
	case VALUE_IP:
		return ((const struct ip *)slot)->family != 0;
	case VALUE_NETWORK:
		return ((const struct cidr *)slot)->ip.family != 0;
	case VALUE_NETWORKS:
	case VALUE_ADDRESSES:
	case VALUE_STRINGS:
	case VALUE_SECRETS:
	case VALUE_LIST:
	case VALUE_MAP:
		return field_len(f, object) > 0;
	case VALUE_OBJECT:
		return object_says(f->of, slot);
	default:
		return false;
	}
}

void field_done(const struct mesh_field *f, void *object)
{
	void *slot = (char *)object + f->offset;
	struct secrets *secrets = slot;
	struct list l;

	switch (f->value) {
	case VALUE_TEXT:
	case VALUE_OPTIONAL:
		mem_replace(slot, NULL);
		break;
	case VALUE_SECRET:
		secret_done(slot);
		break;
	case VALUE_NETWORKS:
	case VALUE_ADDRESSES:
		vec_done((struct cidrs *)slot);
		break;
	case VALUE_STRINGS:
		strings_done(slot);
		break;
	case VALUE_SECRETS:
		for (size_t i = 0; i < secrets->len; i++)
			secret_done(&secrets->items[i]);
		vec_done(secrets);
		break;
	case VALUE_LIST:
	case VALUE_MAP:
		l = get_list(f, object);
		for (size_t i = 0; i < l.len; i++)
			object_done(f->of, (char *)l.items + i * f->of->size);
		free(l.items);
		put_list(f, object, (struct list){ NULL, 0, 0 });
		break;
	case VALUE_OBJECT:
		object_done(f->of, slot);
		break;
	default:
		break; /* it owns nothing */
	}
}

void object_done(const struct mesh_object *of, void *object)
{
	for (size_t i = 0; i < OBJECT_TABLES; i++)
		for (size_t k = 0; k < of->tables[i].len; k++)
			field_done(&of->tables[i].items[k], object);
	if (of->named) /* the name is a key of the file, and has no row */
		free(*(char **)object);
	extras_done((void *)((char *)object + of->extras));
	memset(object, 0, of->size);
}
