/*
 * Conflicts of a merge, resolved by choice, one or all.
 */
#include "state/merge/internal.h"

#include "base/auto.h"
#include "state/model/model.h"

#include <string.h>

/* What is left to do once the tree is a mesh again. */
struct later {
	struct strings addressless; /* nodes that get free addresses */
	struct strings removed;     /* nodes to remove */
};

static void later_done(struct later *l)
{
	strings_done(&l->addressless);
	strings_done(&l->removed);
}

static struct json_object *nodes_of(struct json_object *tree)
{
	return tree_get(tree, "nodes");
}

/* ---- one value ---- */

/* A value of theirs, NULL for none, becomes the member of @object. */
static void put_member(struct json_object *object, const char *key,
		       struct json_object *v)
{
	json_object_object_del(object, key);
	if (v)
		json_object_object_add(object, key, json_object_get(v));
}

/* Whoever has the address gives it away. */
static void free_address(struct json_object *tree, const char *key,
			 const char *address, struct later *later)
{
	if (!*address)
		return;
	json_object_object_foreach(nodes_of(tree), name, n) {
		if (strcmp(tree_text(n, key), address) != 0)
			continue;
		json_object_object_del(n, key);
		strings_add(&later->addressless, name);
	}
}

static void drop_item(struct json_object *object, const char *key,
		      const char *item)
{
	json_object_object_add(object, key,
			       tree_without(tree_get(object, key), item));
}

/* A route goes over to the node from whoever has it. */
static void move_route(struct json_object *tree, struct json_object *object,
		       const char *key, const char *item)
{
	json_object_object_foreach(nodes_of(tree), name, n) {
		(void)name;
		drop_item(n, key, item);
	}
	json_object_array_add(tree_get(object, key),
			      json_object_new_string(item));
}

static void put_field(struct json_object *tree, struct json_object *object,
		      struct json_object *entry, struct later *later)
{
	const char *key = tree_text(entry, "field");
	const char *item = tree_text(entry, "item");
	struct json_object *v = tree_get(entry, "theirs");

	if (strcmp(key, MERGE_SECRET) == 0)
		return; /* it is settled, and this is the yes to it */
	if (strcmp(key, "mesh_ip") == 0 || strcmp(key, "mesh_ip6") == 0)
		free_address(tree, key, tree_text(entry, "theirs"), later);
	if (!*item)
		put_member(object, key, v);
	else if (strcmp(key, "routable_networks") == 0)
		move_route(tree, object, key, item);
	else
		put_member(tree_own(object, key), item, v);
}

/* ---- all of a node, group or policy ---- */

static void join_groups(struct json_object *tree, struct json_object *entry)
{
	struct json_object *names = tree_get(entry, "groups");

	for (size_t i = 0; i < tree_len(names); i++) {
		struct json_object *group = tree_get(tree_get(tree, "groups"),
						     tree_item(names, i));

		if (!group)
			continue;
		drop_item(group, "members", tree_text(entry, "name"));
		json_object_array_add(
			tree_get(group, "members"),
			json_object_new_string(tree_text(entry, "name")));
	}
}

/* An address or route that @other has meanwhile, @n does not get back. */
static void yield_to(struct json_object *other, struct json_object *n,
		     const char *name, struct later *later)
{
	static const char *const keys[] = { "mesh_ip", "mesh_ip6" };
	static const char routes[] = "routable_networks";
	struct json_object *list = tree_get(other, routes);

	for (size_t i = 0; i < 2; i++) {
		const char *address = tree_text(n, keys[i]);

		if (!*address || strcmp(address, tree_text(other, keys[i])))
			continue;
		json_object_object_del(n, keys[i]);
		strings_add(&later->addressless, name);
	}
	for (size_t i = 0; i < tree_len(list) && tree_has(n, routes); i++)
		drop_item(n, routes, tree_item(list, i));
}

/* A node comes back. */
static void put_node(struct json_object *tree, struct json_object *entry,
		     struct later *later)
{
	const char *name = tree_text(entry, "name");
	struct json_object *n = tree_copy(tree_get(entry, "theirs"));

	json_object_object_foreach(nodes_of(tree), other, o)
		if (strcmp(other, name) != 0)
			yield_to(o, n, name, later);
	json_object_object_add(nodes_of(tree), name, n);
	json_object_object_del(tree_own(tree, "removed_nodes"), name);
	join_groups(tree, entry);
}

static void put_whole(struct json_object *tree, enum mesh_part part,
		      struct json_object *entry, struct later *later)
{
	const char *name = tree_text(entry, "name");
	struct json_object *v = tree_get(entry, "theirs");

	if (part == PART_NODE && v)
		put_node(tree, entry, later);
	else if (part == PART_NODE)
		strings_add(&later->removed, name);
	else
		put_member(tree_own(tree, merge_map(part)), name, v);
}

static int no_object(const struct conflict *c, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(c->name);

	return err_set(e, ERR_INPUT, "there is no %s '%s' any more: expected "
		       "'ours'", part_word(c->part), shown);
}

/* Take what the entry says of their side. */
static int take_theirs(struct json_object *tree, struct json_object *entry,
		       const struct conflict *c, struct later *later,
		       struct err *e)
{
	struct json_object *map;

	if (!c->field) {
		put_whole(tree, c->part, entry, later);
		return 0;
	}
	if (c->part == PART_MESH) {
		put_field(tree, tree, entry, later);
		return 0;
	}
	map = tree_get(tree, merge_map(c->part));
	if (!tree_get(map, c->name))
		return no_object(c, e);
	put_field(tree, tree_get(map, c->name), entry, later);
	return 0;
}

/* ---- the rest of it ---- */

/* Free addresses for a node, as far as its mesh has networks. */
static int give_addresses(struct mesh *m, const char *name, struct err *e)
{
	struct node *n = nodes_find(&m->nodes, name);

	if (!n)
		return 0;
	if (!n->mesh_ip.family && m->network.ip.family &&
	    mesh_free_ip(m, &m->network, &n->mesh_ip, e) < 0)
		return -1;
	if (!n->mesh_ip6.family && m->network6.ip.family)
		return mesh_free_ip(m, &m->network6, &n->mesh_ip6, e);
	return 0;
}

static int do_later(struct mesh *m, const struct later *l, struct err *e)
{
	AUTO(strings_done) struct strings left = { 0 };

	for (size_t i = 0; i < l->removed.len; i++)
		mesh_remove(m, l->removed.items[i], &left);
	for (size_t i = 0; i < l->addressless.len; i++)
		if (give_addresses(m, l->addressless.items[i], e) < 0)
			return -1;
	return check_mesh(m, e);
}

/* Their newer secret is in the merge already: who does not want it has no merge. */
static int check_secret(struct json_object *entry, enum merge_side side,
			struct err *e)
{
	if (side == MERGE_THEIRS ||
	    strcmp(tree_text(entry, "field"), MERGE_SECRET) != 0 ||
	    strcmp(tree_text(entry, "theirs"), MERGE_SECRET_NEWER) != 0)
		return 0;
	err_set(e, ERR_INPUT, "the merge has their secret of the mesh");
	return err_advise(e, ADVICE_AGREE_TO_SECRET, NULL);
}

/* Resolve entry @i and take it off the list. */
static int resolve_entry(struct json_object *tree, size_t i,
			 const struct conflict *c, enum merge_side side,
			 struct later *later, struct err *e)
{
	struct json_object *list = tree_get(tree, MERGE_CONFLICTS);
	struct json_object *entry = json_object_array_get_idx(list, i);

	if (check_secret(entry, side, e) < 0 ||
	    (side == MERGE_THEIRS &&
	     take_theirs(tree, entry, c, later, e) < 0))
		return -1;
	/* added over there with an address that it cannot have here */
	if (side == MERGE_OURS && !c->base && !c->ours &&
	    strncmp(tree_text(entry, "field"), "mesh_ip", 7) == 0)
		strings_add(&later->addressless, c->name);
	json_object_array_del_idx(list, i, 1);
	if (json_object_array_length(list) == 0)
		json_object_object_del(tree, MERGE_CONFLICTS);
	return 0;
}

/* The mesh that the tree has become takes the place of @m. */
static int replace(struct mesh *m, struct json_object *tree,
		   const struct later *later, struct err *e)
{
	AUTO(mesh_done) struct mesh fresh = { 0 };

	if (tree_to_mesh(&fresh, tree, e) < 0 || do_later(&fresh, later, e) < 0)
		return err_wrap(e, "with that the mesh would not be valid");
	mesh_done(m);
	*m = fresh;
	memset(&fresh, 0, sizeof fresh);
	return 0;
}

static bool is_none(const char *s)
{
	return !s || !*s || strcmp(s, CONFLICT_NONE) == 0;
}

static bool same_text(const char *a, const char *asked)
{
	return a ? !is_none(asked) && strcmp(a, asked) == 0 : is_none(asked);
}

static int no_conflict(enum mesh_part part, const char *name,
		       const char *field, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(name ? name : CONFLICT_NONE);
	AUTO(auto_free) char *what = check_shown(field ? field
						       : CONFLICT_NONE);

	err_set(e, ERR_INPUT, "there is no conflict '%s %s %s'",
		part_word(part), shown, what);
	return err_advise(e, ADVICE_SEE_CONFLICTS, NULL);
}

int merge_resolve(struct mesh *m, enum mesh_part part, const char *name,
		  const char *field, enum merge_side side, struct err *e)
{
	AUTO(auto_tree_free) struct json_object *tree = NULL;
	AUTO(conflicts_done) struct conflicts all = { 0 };
	AUTO(later_done) struct later later = { 0 };
	size_t i = 0;

	if (mesh_conflicts(&all, m, e) < 0 || tree_of_mesh(&tree, m, e) < 0)
		return -1;
	while (i < all.len && !(all.items[i].part == part &&
				same_text(all.items[i].name, name) &&
				same_text(all.items[i].field, field)))
		i++;
	if (i == all.len)
		return no_conflict(part, name, field, e);
	if (resolve_entry(tree, i, &all.items[i], side, &later, e) < 0)
		return -1;
	return replace(m, tree, &later, e);
}

int merge_resolve_all(struct mesh *m, enum merge_side side, struct err *e)
{
	AUTO(auto_tree_free) struct json_object *tree = NULL;
	AUTO(conflicts_done) struct conflicts all = { 0 };
	AUTO(later_done) struct later later = { 0 };

	if (mesh_conflicts(&all, m, e) < 0 || tree_of_mesh(&tree, m, e) < 0)
		return -1;
	for (size_t i = 0; i < all.len; i++)
		if (resolve_entry(tree, 0, &all.items[i], side, &later, e) < 0)
			return -1;
	return replace(m, tree, &later, e);
}

/* ---- secrets in the entries ---- */

static bool is_secret(const char *json)
{
	const struct mesh_field *f = member_find(json);

	return f && f->value == VALUE_SECRET;
}

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
			if (!is_secret(key)) {
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

/* The entries of @m, changed if @hide. */
static bool entries_secrets(struct mesh *m, bool hide)
{
	for (size_t i = 0; i < m->extras.len; i++) {
		struct extra *x = &m->extras.items[i];
		AUTO(auto_tree_free) struct json_object *tree = NULL;
		AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
		struct err e;

		if (strcmp(x->key, MERGE_CONFLICTS) != 0)
			continue;
		sbuf_printf(&text, "{\"%s\":%s}", MERGE_CONFLICTS, x->json);
		if (tree_parse(&tree, sbuf_str(&text), text.len, &e) < 0 ||
		    !find_secrets(tree, hide))
			return false;
		if (!hide)
			return true;
		explicit_bzero(x->json, strlen(x->json));
		mem_replace(&x->json, json_object_to_json_string_ext(
					      tree_get(tree, MERGE_CONFLICTS),
					      JSON_C_TO_STRING_PLAIN));
		return true;
	}
	return false;
}

bool conflicts_hold_secrets(const struct mesh *m)
{
	return entries_secrets((struct mesh *)(uintptr_t)m, false);
}

void conflicts_hide_secrets(struct mesh *m)
{
	entries_secrets(m, true);
}
