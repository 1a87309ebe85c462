/*
 * Conflicts of a merge, resolved by choice, one or all. Done on a copy: a
 * choice that the mesh would not be valid with changes nothing.
 */
#include "state/merge/internal.h"

#include "base/auto.h"
#include "state/model/model.h"

#include <string.h>

/* The choices under way: the state as a tree, and what is left to do after. */
struct resolve {
	struct json_object *tree;
	struct conflicts all; /* as they were at first */
	/* done to the mesh, once the tree is one again */
	struct strings addressless; /* nodes that get free addresses */
	struct strings removed;     /* nodes to remove */
};

static int resolve_open(struct resolve *r, const struct mesh *m, struct err *e)
{
	return mesh_conflicts(&r->all, m, e) < 0 ? -1
						 : tree_of_mesh(&r->tree, m, e);
}

static void resolve_done(struct resolve *r)
{
	tree_free(r->tree);
	conflicts_done(&r->all);
	strings_done(&r->addressless);
	strings_done(&r->removed);
}

/* A value of theirs, NULL for none, becomes the member of @object. */
static void put_member(struct json_object *object, const char *key,
		       struct json_object *v)
{
	json_object_object_del(object, key);
	if (v)
		json_object_object_add(object, key, json_object_get(v));
}

static void drop_item(struct json_object *object, const char *key,
		      const char *item)
{
	json_object_object_add(object, key,
			       tree_without(tree_get(object, key), item));
}

/* Take their value of one field; whoever has the address or route gives it. */
static void put_field(struct resolve *r, struct json_object *object,
		      struct json_object *entry)
{
	const char *key = tree_text(entry, "field");
	const char *item = tree_text(entry, "item");
	const char *text = tree_text(entry, "theirs");
	struct json_object *v = tree_get(entry, "theirs");
	bool address = strcmp(key, "mesh_ip") == 0 ||
		       strcmp(key, "mesh_ip6") == 0;
	bool route = *item && strcmp(key, "routable_networks") == 0;

	if (strcmp(key, MERGE_SECRET) == 0)
		return; /* the merge has it, and this is the yes to it */
	if (route || (address && *text)) {
		json_object_object_foreach(tree_get(r->tree, "nodes"), name, n)
			if (route) {
				drop_item(n, key, item);
			} else if (strcmp(tree_text(n, key), text) == 0) {
				json_object_object_del(n, key);
				strings_add(&r->addressless, name);
			}
	}
	if (route)
		json_object_array_add(tree_get(object, key),
				      json_object_new_string(item));
	else if (*item)
		put_member(tree_own(object, key), item, v);
	else
		put_member(object, key, v);
}

/* An address or route that @other has meanwhile, @n does not get back. */
static void leave_to(struct resolve *r, struct json_object *other,
		     struct json_object *n, const char *name)
{
	static const char *const keys[] = { "mesh_ip", "mesh_ip6" };
	static const char routes[] = "routable_networks";
	struct json_object *list = tree_get(other, routes);

	for (size_t i = 0; i < 2; i++) {
		const char *address = tree_text(n, keys[i]);

		if (!*address || strcmp(address, tree_text(other, keys[i])))
			continue;
		json_object_object_del(n, keys[i]);
		strings_add(&r->addressless, name);
	}
	for (size_t i = 0; i < tree_len(list) && tree_has(n, routes); i++)
		drop_item(n, routes, tree_item(list, i));
}

/* A node comes back, and into the groups that it is in over there. */
static void put_node(struct resolve *r, struct json_object *entry)
{
	const char *name = tree_text(entry, "name");
	struct json_object *n = tree_copy(tree_get(entry, "theirs"));
	struct json_object *nodes = tree_get(r->tree, "nodes");
	struct json_object *groups = tree_get(entry, "groups");

	json_object_object_foreach(nodes, other, o)
		if (strcmp(other, name) != 0)
			leave_to(r, o, n, name);
	json_object_object_add(nodes, name, n);
	json_object_object_del(tree_own(r->tree, "removed_nodes"), name);
	for (size_t i = 0; i < tree_len(groups); i++) {
		struct json_object *group = tree_get(
			tree_get(r->tree, "groups"), tree_item(groups, i));

		if (!group)
			continue;
		drop_item(group, "members", name);
		json_object_array_add(tree_get(group, "members"),
				      json_object_new_string(name));
	}
}

/* Take what the entry says of their side. */
static int take_theirs(struct resolve *r, struct json_object *entry,
		       const struct conflict *c, struct err *e)
{
	struct json_object *v = tree_get(entry, "theirs");
	struct json_object *object = r->tree;

	if (c->part != PART_MESH && c->field) {
		AUTO(auto_free) char *shown = check_shown(c->name);

		object = tree_get(tree_get(r->tree, merge_map(c->part)),
				  c->name);
		if (!object)
			return err_set(e, ERR_INPUT, "there is no %s '%s' any "
				       "more: expected 'ours'",
				       part_word(c->part), shown);
	}
	if (c->field)
		put_field(r, object, entry);
	else if (c->part == PART_NODE && v)
		put_node(r, entry);
	else if (c->part == PART_NODE)
		strings_add(&r->removed, c->name);
	else
		put_member(tree_own(r->tree, merge_map(c->part)), c->name, v);
	return 0;
}

/* Resolve @c, which is entry @i of the tree, and take that off the list. */
static int resolve_entry(struct resolve *r, size_t i, const struct conflict *c,
			 enum merge_side side, struct err *e)
{
	struct json_object *list = tree_get(r->tree, MERGE_CONFLICTS);
	struct json_object *entry = json_object_array_get_idx(list, i);
	const char *field = tree_text(entry, "field");

	/* their newer secret is in it already: who refuses it has no merge */
	if (side == MERGE_OURS && strcmp(field, MERGE_SECRET) == 0 &&
	    strcmp(tree_text(entry, "theirs"), MERGE_SECRET_NEWER) == 0) {
		err_set(e, ERR_INPUT, "the merge has their secret of the mesh");
		return err_advise(e, ADVICE_AGREE_TO_SECRET, NULL);
	}
	if (side == MERGE_THEIRS && take_theirs(r, entry, c, e) < 0)
		return -1;
	/* added over there with an address that it cannot have here */
	if (side == MERGE_OURS && !c->base && !c->ours &&
	    strncmp(field, "mesh_ip", 7) == 0)
		strings_add(&r->addressless, c->name);
	json_object_array_del_idx(list, i, 1);
	if (json_object_array_length(list) == 0)
		json_object_object_del(r->tree, MERGE_CONFLICTS);
	return 0;
}

/* The whole of @m as the tree has become; what removal left is not told. */
static int finish_mesh(struct mesh *m, const struct resolve *r, struct err *e)
{
	AUTO(strings_done) struct strings left = { 0 };

	if (tree_to_mesh(m, r->tree, e) < 0)
		return -1;
	for (size_t i = 0; i < r->removed.len; i++)
		mesh_remove(m, r->removed.items[i], &left);
	for (size_t i = 0; i < r->addressless.len; i++) {
		struct node *n = nodes_find(&m->nodes, r->addressless.items[i]);

		if (n && !n->mesh_ip.family && m->network.ip.family &&
		    mesh_free_ip(m, &m->network, &n->mesh_ip, e) < 0)
			return -1;
		if (n && !n->mesh_ip6.family && m->network6.ip.family &&
		    mesh_free_ip(m, &m->network6, &n->mesh_ip6, e) < 0)
			return -1;
	}
	return check_mesh(m, e);
}

/* The mesh that the tree has become takes the place of @m. */
static int replace_mesh(struct mesh *m, const struct resolve *r, struct err *e)
{
	AUTO(mesh_done) struct mesh fresh = { 0 };

	if (finish_mesh(&fresh, r, e) < 0)
		return err_wrap(e, "with that the mesh would not be valid");
	mesh_done(m);
	*m = fresh;
	memset(&fresh, 0, sizeof fresh);
	return 0;
}

/* Is @asked, as typed, the name or field @a of a conflict, or none of both? */
static bool is_asked(const char *a, const char *asked)
{
	bool none = !asked || !*asked || strcmp(asked, CONFLICT_NONE) == 0;

	return a ? !none && strcmp(a, asked) == 0 : none;
}

int merge_resolve(struct mesh *m, enum mesh_part part, const char *name,
		  const char *field, enum merge_side side, struct err *e)
{
	AUTO(resolve_done) struct resolve r = { 0 };
	AUTO(auto_free) char *shown = check_shown(name ? name : CONFLICT_NONE);
	AUTO(auto_free) char *what = check_shown(field ? field : CONFLICT_NONE);

	if (resolve_open(&r, m, e) < 0)
		return -1;
	for (size_t i = 0; i < r.all.len; i++) {
		const struct conflict *c = &r.all.items[i];

		if (c->part != part || !is_asked(c->name, name) ||
		    !is_asked(c->field, field))
			continue;
		if (resolve_entry(&r, i, c, side, e) < 0)
			return -1;
		return replace_mesh(m, &r, e);
	}
	err_set(e, ERR_INPUT, "there is no conflict '%s %s %s'",
		part_word(part), shown, what);
	return err_advise(e, ADVICE_SEE_CONFLICTS, NULL);
}

int merge_resolve_all(struct mesh *m, enum merge_side side, struct err *e)
{
	AUTO(resolve_done) struct resolve r = { 0 };

	if (resolve_open(&r, m, e) < 0)
		return -1;
	for (size_t i = 0; i < r.all.len; i++)
		if (resolve_entry(&r, 0, &r.all.items[i], side, e) < 0)
			return -1;
	return replace_mesh(m, &r, e);
}
