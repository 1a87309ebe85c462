/*
 * A mesh as a tree to merge, and back: units in one object, lists by a key. The
 * way there goes through the state's text, so a tree holds just what a file
 * would, and what comes back out of a merge is read and checked like any other
 * file.
 */
#include "state/json/tree.h"

#include "state/json/json.h"

#include <json-c/printbuf.h>
#include <string.h>

DEFINE_AUTO(struct json_tokener *, json_tokener_free)

/*
 * json-c gives its own buffer out as const, and has no way to wipe it. What is
 * a key of an object is no secret in any of our files.
 */
static void wipe_strings(struct json_object *v)
{
	if (json_object_is_type(v, json_type_string)) {
		explicit_bzero((char *)(uintptr_t)json_object_get_string(v),
			       (size_t)json_object_get_string_len(v));
	} else if (json_object_is_type(v, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(v); i++)
			wipe_strings(json_object_array_get_idx(v, i));
	} else if (json_object_is_type(v, json_type_object)) {
		json_object_object_foreach(v, key, member) {
			(void)key;
			wipe_strings(member);
		}
	}
}

void tree_free(struct json_object *tree)
{
	wipe_strings(tree);
	json_object_put(tree);
}

struct json_object *tree_get(struct json_object *object, const char *key)
{
	if (!json_object_is_type(object, json_type_object))
		return NULL;
	return json_object_object_get(object, key);
}

bool tree_has(struct json_object *object, const char *key)
{
	return json_object_is_type(object, json_type_object) &&
	       json_object_object_get_ex(object, key, NULL);
}

const char *tree_text(struct json_object *object, const char *key)
{
	struct json_object *v = tree_get(object, key);

	return json_object_is_type(v, json_type_string)
		       ? json_object_get_string(v)
		       : "";
}

size_t tree_len(struct json_object *list)
{
	return json_object_is_type(list, json_type_array)
		       ? json_object_array_length(list)
		       : 0;
}

const char *tree_item(struct json_object *list, size_t i)
{
	struct json_object *v = json_object_array_get_idx(list, i);

	return json_object_is_type(v, json_type_string)
		       ? json_object_get_string(v)
		       : "";
}

struct json_object *tree_without(struct json_object *list, const char *but)
{
	struct json_object *rest = json_object_new_array();

	for (size_t i = 0; i < tree_len(list); i++)
		if (strcmp(tree_item(list, i), but) != 0)
			json_object_array_add(
				rest, json_object_get(
					      json_object_array_get_idx(list,
									i)));
	return rest;
}

/* Members are counted references: a copy costs no strings, and shares them. */
struct json_object *tree_copy(struct json_object *object)
{
	struct json_object *copy = json_object_new_object();

	if (!json_object_is_type(object, json_type_object))
		return copy;
	json_object_object_foreach(object, key, member)
		json_object_object_add(copy, key, json_object_get(member));
	return copy;
}

struct json_object *tree_own(struct json_object *object, const char *key)
{
	struct json_object *copy = tree_copy(tree_get(object, key));

	json_object_object_add(object, key, copy);
	return copy;
}

struct json_object *tree_set(struct json_object *list)
{
	struct json_object *set = json_object_new_object();

	for (size_t i = 0; i < tree_len(list); i++)
		json_object_object_add(set, tree_item(list, i), NULL);
	return set;
}

/* ---- into the shape ---- */

/* An object of the items of a list, in their order, by their member @by. */
static struct json_object *keyed_list(struct json_object *list, const char *by)
{
	struct json_object *out = json_object_new_object();
	struct json_object *seen = json_object_new_object();

	for (size_t i = 0; i < tree_len(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		const char *name = tree_text(item, by);
		int n = json_object_get_int(tree_get(seen, name));
		/* names that come more than once are told apart, by what
		   nobody types */
		AUTO(auto_free) char *key =
			n ? mem_printf("%s\x01%d", name, n) : mem_strdup(name);

		json_object_object_add(seen, name, json_object_new_int(n + 1));
		json_object_object_add(out, key, json_object_get(item));
	}
	json_object_put(seen);
	return out;
}

/* Is it in the file as the Go tool has it, always, and no more than that? */
static bool says_nothing(const struct mesh_field *f, struct json_object *v)
{
	if (!f->always || f->unit)
		return false;
	if (f->value == VALUE_NUMBER)
		return json_object_get_int(v) == 0;
	return f->value == VALUE_IP && json_object_get_string_len(v) == 0;
}

static bool is_keyed(const struct mesh_field *f)
{
	return f->value == VALUE_LIST && f->of->by;
}

/* Are its entries merged member by member? */
static bool has_parts(const struct mesh_field *f)
{
	return f->value == VALUE_MAP && f->each == MERGE_FIELDS;
}

/* Each entry of a map through @fn. */
static struct json_object *
mapped(const struct mesh_object *of, struct json_object *map,
       struct json_object *(*fn)(const struct mesh_object *of,
				 struct json_object *v))
{
	struct json_object *out = json_object_new_object();

	json_object_object_foreach(map, name, entry)
		json_object_object_add(out, name, fn(of, entry));
	return out;
}

static struct json_object *shaped(const struct mesh_object *of,
				  struct json_object *v)
{
	struct json_object *out = json_object_new_object();

	json_object_object_foreach(v, key, member) {
		const struct mesh_field *f = object_member(of, key);
		struct json_object *to = out;

		if (f && says_nothing(f, member))
			continue;
		if (f && f->unit && !tree_has(out, f->unit))
			json_object_object_add(out, f->unit,
					       json_object_new_object());
		if (f && f->unit)
			to = tree_get(out, f->unit);
		json_object_object_add(
			to, key,
			f && is_keyed(f)    ? keyed_list(member, f->of->by)
			: f && has_parts(f) ? mapped(f->of, member, shaped)
					    : json_object_get(member));
	}
	return out;
}

/*
 * What has passed json_check_syntax() is nothing that json-c objects to. Its
 * buffer is made large at once, for growing leaves copies of keys behind, and
 * wiped.
 */
int tree_parse(struct json_object **out, const char *text, size_t len,
	       struct err *e)
{
	AUTO(auto_json_tokener_free) struct json_tokener *tok = NULL;
	enum json_tokener_error why;

	if (json_check_syntax(text, len, e) < 0)
		return -1;
	tok = json_tokener_new_ex(JSON_DEPTH_MAX + 2);
	if (!tok || printbuf_memset(tok->pb, -1, 0, 4096) < 0)
		return err_set(e, ERR_SYSTEM, "out of memory");
	printbuf_reset(tok->pb);
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT |
				    JSON_TOKENER_VALIDATE_UTF8);
	*out = json_tokener_parse_ex(tok, text, (int)len);
	why = json_tokener_get_error(tok);
	explicit_bzero(tok->pb->buf, (size_t)tok->pb->size);
	if (why != json_tokener_success || !*out)
		return err_set(e, ERR_INPUT, "json-c: %s",
			       json_tokener_error_desc(why));
	return 0;
}

int tree_of_mesh(struct json_object **out, const struct mesh *m, struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
	struct json_object *flat;

	text.max = STATE_SIZE_MAX;
	state_format(&text, m);
	if (text.failed)
		return err_set(e, ERR_INPUT, "the mesh has more than %d MiB",
			       STATE_SIZE_MAX >> 20);
	if (tree_parse(&flat, sbuf_str(&text), text.len, e) < 0)
		return -1;
	*out = shaped(&object_mesh, flat);
	json_object_put(flat);
	return 0;
}

/* ---- and out of it ---- */

static struct json_object *listed_members(struct json_object *object)
{
	struct json_object *list = json_object_new_array();

	json_object_object_foreach(object, key, member) {
		(void)key;
		json_object_array_add(list, json_object_get(member));
	}
	return list;
}

static struct json_object *flat(const struct mesh_object *of,
				struct json_object *v)
{
	struct json_object *out = json_object_new_object();

	json_object_object_foreach(v, key, member) {
		const struct mesh_field *f = object_member(of, key);

		if (!json_object_is_type(member, json_type_object))
			f = NULL; /* of no other shape */
		if (f && f->unit) {
			json_object_object_foreach(member, one, v_of_unit)
				json_object_object_add(
					out, one, json_object_get(v_of_unit));
			continue;
		}
		json_object_object_add(
			out, key,
			f && is_keyed(f)    ? listed_members(member)
			: f && has_parts(f) ? mapped(f->of, member, flat)
					    : json_object_get(member));
	}
	return out;
}

struct json_object *tree_flat_node(struct json_object *n)
{
	return flat(&object_node, n);
}

int tree_to_mesh(struct mesh *out, struct json_object *tree, struct err *e)
{
	struct json_object *all = flat(&object_mesh, tree);
	size_t len;
	const char *text = json_object_to_json_string_length(
		all, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
		&len);
	int ret = state_parse(out, text, len, e);

	explicit_bzero((char *)(uintptr_t)text, len);
	json_object_put(all);
	return ret;
}
