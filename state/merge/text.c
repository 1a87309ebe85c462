/*
 * Conflicts for people.
 */
#include "state/merge/internal.h"

#include "base/auto.h"
#include "state/model/model.h"

#include <string.h>

/** Bytes of a public key that stand for it. */
#define KEY_SHOWN 8
/** Bytes of a value that are shown. */
#define TEXT_SHOWN 400

/* The word of mesh.yaml and of mesh_diff() for a key of the state. */
static const char *word_of(const char *json)
{
	const struct mesh_field *f = member_find(json);

	return f && f->key ? f->key : json;
}

/* Not worth a word when a whole node is shown; or secret. */
static bool is_unsaid(const char *json)
{
	const struct mesh_field *f = member_find(json);

	return f && !f->key;
}

static void say(struct sbuf *out, const char *key, struct json_object *v);

/* What says nothing: null, "", 0, false, an empty list or object. */
static bool is_empty(struct json_object *v)
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

static void say_place(struct sbuf *out, struct json_object *v)
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

static void say_key(struct sbuf *out, const char *public_key)
{
	sbuf_printf(out, "%.*s...", KEY_SHOWN, public_key);
}

static void say_keys(struct sbuf *out, struct json_object *v)
{
	if (*tree_text(v, "public_key"))
		say_key(out, tree_text(v, "public_key"));
	else
		sbuf_puts(out, "none");
	if (*tree_text(v, "key"))
		sbuf_printf(out, " (key: %s)", tree_text(v, "key"));
	if (*tree_text(v, "private_key"))
		sbuf_puts(out, " with its private key in the state");
}

static void say_object(struct sbuf *out, struct json_object *v)
{
	size_t n = 0;

	json_object_object_foreach(v, key, member) {
		if (is_unsaid(key) || is_empty(member))
			continue;
		sbuf_printf(out, "%s%s ", n++ ? ", " : "", word_of(key));
		say(out, key, member);
	}
}

static void say_list(struct sbuf *out, struct json_object *v)
{
	for (size_t i = 0; i < json_object_array_length(v); i++) {
		sbuf_puts(out, i ? ", " : "");
		say(out, "", json_object_array_get_idx(v, i));
	}
}

/* The value of the member @key, for people. */
static void say(struct sbuf *out, const char *key, struct json_object *v)
{
	bool object = json_object_is_type(v, json_type_object);

	if (object && strcmp(key, "ssh_host") == 0)
		say_place(out, v);
	else if (object && strcmp(key, "public_key") == 0)
		say_keys(out, v);
	else if (object)
		say_object(out, v);
	else if (json_object_is_type(v, json_type_array))
		say_list(out, v);
	else if (strcmp(key, "public_key") == 0)
		say_key(out, json_object_get_string(v));
	else
		sbuf_puts(out, v ? json_object_get_string(v) : "null");
}

/* NULL when there is nothing. */
static char *said(struct json_object *entry, const char *side,
		  const char *field)
{
	struct json_object *v = tree_get(entry, side);
	struct sbuf out = { .max = TEXT_SHOWN };
	AUTO(auto_free) char *text = NULL;
	bool cut;

	if (!v || (json_object_is_type(v, json_type_string) && is_empty(v)))
		return NULL;
	say(&out, field, v);
	cut = out.failed;
	text = sbuf_detach(&out);
	if (cut)
		return mem_printf("%s...", text ? text : "");
	/* "": it is there and says no more */
	return text ? STEAL(text) : mem_strdup("");
}

/* ---- the list in the state ---- */

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

static int part_of(enum mesh_part *out, const char *word)
{
	for (int p = PART_MESH; p <= PART_POLICY; p++) {
		if (strcmp(part_word((enum mesh_part)p), word) == 0) {
			*out = (enum mesh_part)p;
			return 0;
		}
	}
	return -1;
}

static char *field_of(struct json_object *entry)
{
	const char *key = tree_text(entry, "field");
	const char *item = tree_text(entry, "item");

	if (!*key)
		return NULL;
	return mem_printf("%s%s%s", word_of(key), *item ? "/" : "", item);
}

/* A member of the mesh that can be in conflict by itself. */
static bool is_mesh_field(const char *json)
{
	const struct mesh_field *f = object_member(&object_mesh, json);

	return *json && strcmp(json, MERGE_CONFLICTS) != 0 &&
	       strcmp(json, "serial") != 0 && strcmp(json, "mesh_id") != 0 &&
	       !(f && f->of);
}

/* Are the sides of a whole node, group or policy such ones, or not there? */
static bool are_objects(struct json_object *entry)
{
	static const char *const sides[] = { "base", "ours", "theirs" };

	for (size_t i = 0; i < 3; i++)
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
	const char *name = tree_text(entry, "name");
	const char *with = tree_text(entry, "with");

	if (part_of(&c->part, tree_text(entry, "part")) < 0)
		return err_set(e, ERR_INPUT, "part: expected mesh, node, "
			       "group or policy");
	if ((c->part == PART_MESH) != !*name)
		return err_set(e, ERR_INPUT, "name: expected one for all parts "
			       "but the mesh");
	if (c->part == PART_MESH ? !is_mesh_field(key)
				 : !*key && !are_objects(entry))
		return err_set(e, ERR_INPUT, "field: expected a field");
	c->name = *name ? mem_strdup(name) : NULL;
	c->with = *with ? mem_strdup(with) : NULL;
	c->field = field_of(entry);
	c->base = said(entry, "base", key);
	c->ours = said(entry, "ours", key);
	c->theirs = said(entry, "theirs", key);
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

int mesh_conflicts(struct conflicts *out, const struct mesh *m, struct err *e)
{
	const struct extra *x = unresolved(m);
	AUTO(auto_tree_free) struct json_object *tree = NULL;
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
	struct json_object *list;

	if (!x)
		return 0;
	sbuf_printf(&text, "{\"%s\":%s}", MERGE_CONFLICTS, x->json);
	if (tree_parse(&tree, sbuf_str(&text), text.len, e) < 0)
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

/* ---- shown ---- */

static const char *or_none(const struct conflict *c, const char *text)
{
	if (text)
		return *text ? text : "there";
	return c->field ? "unset" : "none";
}

void conflict_text(struct sbuf *out, const struct conflict *c)
{
	sbuf_puts(out, part_word(c->part));
	if (c->name)
		sbuf_printf(out, " %s", c->name);
	if (c->field)
		sbuf_printf(out, ": %s", c->field);
	if (c->with && c->theirs)
		sbuf_printf(out, ": %s is that of node %s, too", c->theirs,
			    c->with);
	else
		sbuf_printf(out, ": %s before, %s ours, %s theirs",
			    or_none(c, c->base), or_none(c, c->ours),
			    or_none(c, c->theirs));
}

static void add_finding(struct findings *out, const struct conflict *c)
{
	struct finding_place place = { c->part, c->name, NULL, c->field };
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

	conflict_text(&text, c);
	finding_add(out, true, "conflict", place, "%s (a merge that is not "
		    "resolved)", sbuf_str(&text));
	out->items[out->len - 1].advice = ADVICE_RESOLVE;
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
	for (size_t i = 0; i < all.len; i++)
		add_finding(out, &all.items[i]);
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
