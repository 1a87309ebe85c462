/*
 * Conflicts as the state has them, read, checked and told to people. The list
 * may have been written by anybody: nothing in it is taken for what it should
 * be, and what is shown of it is short.
 */
#include "state/merge/internal.h"

#include "base/auto.h"
#include "state/model/model.h"

#include <string.h>

/** Bytes of a public key that stand for it. */
#define KEY_SHOWN 8
/** Bytes of a value that are shown. */
#define TEXT_SHOWN 400

bool merge_is_empty(struct json_object *v)
{
	switch (json_object_get_type(v)) {
	case json_type_null:
		return true;
	case json_type_boolean:
		return !json_object_get_boolean(v);
	case json_type_int:
		return json_object_get_int64(v) == 0;
	case json_type_string:
		return json_object_get_string_len(v) == 0;
	case json_type_array:
		return json_object_array_length(v) == 0;
	case json_type_object:
		return json_object_object_length(v) == 0;
	case json_type_double:
		break;
	}
	return false;
}

/* An SSH place, "root@db1:22"; the texts are borrowed from the tree. */
static void show_ssh(struct sbuf *out, struct json_object *v)
{
	struct node n = {
		.ssh_host = (char *)(uintptr_t)tree_text(v, "ssh_host"),
		.ssh_user = (char *)(uintptr_t)tree_text(v, "ssh_user"),
		.ssh_port = json_object_get_int(tree_get(v, "ssh_port")),
		.is_local = json_object_get_boolean(tree_get(v, "is_local")),
		.local_machine = (char *)(uintptr_t)(tree_has(
			v, "local_machine") ? tree_text(v, "local_machine")
					    : NULL),
	};
	AUTO(auto_free) char *text = NULL;

	if (!*n.ssh_user)
		n.ssh_user = NULL;
	text = spec_place_text(&n);
	sbuf_puts(out, text);
	if (n.is_local && n.local_machine)
		sbuf_printf(out, " (on machine %.*s...)", KEY_SHOWN,
			    n.local_machine);
	else if (n.is_local)
		sbuf_puts(out, " (is_local)");
}

/* A key pair: where it lives matters to whoever chooses, the key does not. */
static void show_keys(struct sbuf *out, struct json_object *v)
{
	const char *public_key = tree_text(v, "public_key");

	if (wgkey_is_set(public_key))
		sbuf_printf(out, "%.*s...", KEY_SHOWN, public_key);
	else
		sbuf_puts(out, "none");
	if (*tree_text(v, "key"))
		sbuf_printf(out, " (key: %s)", tree_text(v, "key"));
	if (*tree_text(v, "private_key"))
		sbuf_puts(out, " with its private key in the state");
}

/* The value of the member @key, for people. */
static void show_value(struct sbuf *out, const char *key, struct json_object *v)
{
	bool object = json_object_is_type(v, json_type_object);
	size_t n = 0;

	if (object && strcmp(key, "ssh_host") == 0) {
		show_ssh(out, v);
	} else if (object && strcmp(key, "public_key") == 0) {
		show_keys(out, v);
	} else if (object) {
		json_object_object_foreach(v, json, member) {
			const struct mesh_field *f = member_find(json);

			/* no row without a word: it is secret, or a fact */
			if ((f && !f->key) || merge_is_empty(member))
				continue;
			sbuf_printf(out, "%s%s ", n++ ? ", " : "",
				    f ? f->key : json);
			show_value(out, json, member);
		}
	} else if (json_object_is_type(v, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(v); i++) {
			sbuf_puts(out, i ? ", " : "");
			show_value(out, "", json_object_array_get_idx(v, i));
		}
	} else if (strcmp(key, "public_key") == 0) {
		sbuf_printf(out, "%.*s...", KEY_SHOWN,
			    json_object_get_string(v));
	} else {
		sbuf_puts(out, v ? json_object_get_string(v) : "null");
	}
}

/* What a side of an entry says; NULL when that is nothing. */
static char *shown_side(struct json_object *entry, const char *side,
			const char *field)
{
	struct json_object *v = tree_get(entry, side);
	struct sbuf out = { .max = TEXT_SHOWN };
	AUTO(auto_free) char *text = NULL;
	bool cut;

	if (!v ||
	    (json_object_is_type(v, json_type_string) && merge_is_empty(v)))
		return NULL;
	show_value(&out, field, v);
	cut = out.failed;
	text = sbuf_detach(&out);
	if (cut)
		return mem_printf("%s...", text ? text : "");
	/* "": it is there and says no more */
	return text ? STEAL(text) : mem_strdup("");
}

/* ---- the list in the state ---- */

/* A member that the state keeps for us, as it does with any unknown one. */
static const struct extra *unresolved(const struct mesh *m)
{
	for (size_t i = 0; i < m->extras.len; i++)
		if (strcmp(m->extras.items[i].key, MERGE_CONFLICTS) == 0)
			return &m->extras.items[i];
	return NULL;
}

bool mesh_has_conflicts(const struct mesh *m)
{
	return unresolved(m) != NULL;
}

/*
 * Can an entry be about this? Of the mesh, a member that can be in conflict by
 * itself. Of the others all of it, too: then the sides must be objects, for one
 * of them may take the place of a node.
 */
static bool is_field(enum mesh_part part, const char *key,
		     struct json_object *entry)
{
	static const char *const sides[] = { "base", "ours", "theirs" };
	const struct mesh_field *f = object_member(&object_mesh, key);

	if (part == PART_MESH)
		return *key && strcmp(key, MERGE_CONFLICTS) != 0 &&
		       strcmp(key, "serial") != 0 &&
		       strcmp(key, "mesh_id") != 0 && !(f && f->of);
	for (size_t i = 0; i < 3 && !*key; i++)
		if (tree_has(entry, sides[i]) &&
		    !json_object_is_type(tree_get(entry, sides[i]),
					 json_type_object))
			return false;
	return true;
}

static int read_entry(struct conflict *c, struct json_object *entry,
		      struct err *e)
{
	const char *key = tree_text(entry, "field");
	const char *item = tree_text(entry, "item");
	const char *name = tree_text(entry, "name");
	const char *with = tree_text(entry, "with");
	const struct mesh_field *f = member_find(key);

	if (!part_find(&c->part, tree_text(entry, "part")))
		return err_set(e, ERR_INPUT, "part: expected mesh, node, "
			       "group or policy");
	if ((c->part == PART_MESH) != !*name)
		return err_set(e, ERR_INPUT, "name: expected one for all parts "
			       "but the mesh");
	if (!is_field(c->part, key, entry))
		return err_set(e, ERR_INPUT, "field: expected a field");
	c->name = *name ? mem_strdup(name) : NULL;
	c->with = *with ? mem_strdup(with) : NULL;
	c->field = *key ? mem_printf("%s%s%s", f && f->key ? f->key : key,
				     *item ? "/" : "", item)
			: NULL;
	c->base = shown_side(entry, "base", key);
	c->ours = shown_side(entry, "ours", key);
	c->theirs = shown_side(entry, "theirs", key);
	return 0;
}

int conflicts_of_list(struct conflicts *out, struct json_object *list,
		      struct err *e)
{
	for (size_t i = 0; i < tree_len(list); i++)
		if (read_entry(vec_add(out),
			       json_object_array_get_idx(list, i), e) < 0)
			return err_wrap(e, "%s: item %zu", MERGE_CONFLICTS,
					i + 1);
	return 0;
}

/* The tree of an object whose one member is the list. */
static int parse_unresolved(struct json_object **tree, const struct extra *x,
			    struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;

	sbuf_printf(&text, "{\"%s\":%s}", MERGE_CONFLICTS, x->json);
	return tree_parse(tree, sbuf_str(&text), text.len, e);
}

int mesh_conflicts(struct conflicts *out, const struct mesh *m, struct err *e)
{
	const struct extra *x = unresolved(m);
	AUTO(auto_tree_free) struct json_object *tree = NULL;
	struct json_object *list;

	if (!x)
		return 0;
	if (parse_unresolved(&tree, x, e) < 0)
		return err_wrap(e, "%s", MERGE_CONFLICTS);
	list = tree_get(tree, MERGE_CONFLICTS);
	if (tree_len(list) == 0)
		return err_set(e, ERR_INPUT, "%s: expected a list that is not "
			       "empty", MERGE_CONFLICTS);
	return conflicts_of_list(out, list, e);
}

void conflicts_done(struct conflicts *c)
{
	for (size_t i = 0; i < c->len; i++) {
		free(c->items[i].name);
		free(c->items[i].field);
		free(c->items[i].with);
		free(c->items[i].base);
		free(c->items[i].ours);
		free(c->items[i].theirs);
	}
	vec_done(c);
}

/* ---- secrets in the entries ---- */

/* Are there secrets in @v? They are hidden if @hide. */
static bool find_secrets(struct json_object *v, bool hide)
{
	bool found = false;

	if (json_object_is_type(v, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(v); i++)
			found |= find_secrets(json_object_array_get_idx(v, i),
					      hide);
	} else if (json_object_is_type(v, json_type_object)) {
		json_object_object_foreach(v, key, member) {
			const struct mesh_field *f = member_find(key);

			if (!f || f->value != VALUE_SECRET) {
				found |= find_secrets(member, hide);
				continue;
			}
			found = true;
			if (hide)
				json_object_object_add(
					v, key,
					json_object_new_string("(hidden)"));
		}
	}
	return found;
}

bool conflicts_hold_secrets(const struct mesh *m)
{
	AUTO(auto_tree_free) struct json_object *tree = NULL;
	const struct extra *x = unresolved(m);
	struct err e;

	return x && parse_unresolved(&tree, x, &e) == 0 &&
	       find_secrets(tree, false);
}

void conflicts_hide_secrets(struct mesh *m)
{
	AUTO(auto_tree_free) struct json_object *tree = NULL;
	struct extra *x = (struct extra *)(uintptr_t)unresolved(m);
	struct err e;

	if (!x || parse_unresolved(&tree, x, &e) < 0 ||
	    !find_secrets(tree, true))
		return;
	explicit_bzero(x->json, strlen(x->json));
	mem_replace(&x->json, json_object_to_json_string_ext(
				      tree_get(tree, MERGE_CONFLICTS),
				      JSON_C_TO_STRING_PLAIN));
}

/* ---- shown ---- */

/* "": it is there and says no more, as a node without any field. */
static const char *side_text(const struct conflict *c, const char *text)
{
	if (text)
		return *text ? text : "there";
	return c->field ? "unset" : "none";
}

void conflict_text(struct sbuf *out, const struct conflict *c)
{
	part_text(out, c->part, c->name);
	if (c->field)
		sbuf_printf(out, ": %s", c->field);
	if (c->with && c->theirs)
		sbuf_printf(out, ": %s is that of node %s, too", c->theirs,
			    c->with);
	else
		sbuf_printf(out, ": %s before, %s ours, %s theirs",
			    side_text(c, c->base), side_text(c, c->ours),
			    side_text(c, c->theirs));
}

void conflicts_check(struct findings *out, const struct mesh *m)
{
	AUTO(conflicts_done) struct conflicts all = { 0 };
	struct finding_place place = { PART_MESH, NULL, NULL, NULL };
	struct err e;

	if (mesh_conflicts(&all, m, &e) < 0) {
		finding_add(out, true, "conflict", place, "%s", e.msg);
		return;
	}
	for (size_t i = 0; i < all.len; i++) {
		const struct conflict *c = &all.items[i];
		AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

		conflict_text(&text, c);
		place = (struct finding_place){ c->part, c->name, NULL,
						c->field };
		finding_add(out, true, "conflict", place, "%s (a merge that is "
			    "not resolved)", sbuf_str(&text));
		out->items[out->len - 1].advice = ADVICE_RESOLVE;
	}
}

int conflicts_refuse(const struct mesh *m, struct err *e)
{
	AUTO(conflicts_done) struct conflicts all = { 0 };

	if (!mesh_has_conflicts(m))
		return 0;
	if (mesh_conflicts(&all, m, e) < 0)
		return -1;
	err_set(e, ERR_CONFLICT, "the state has %zu unresolved conflict%s of a "
		"merge", all.len, all.len == 1 ? "" : "s");
	return err_advise(e, ADVICE_RESOLVE, NULL);
}
