/*
 * What was merged member by member made to fit together: two nodes with one
 * address, members of groups that are gone. Each side was right by itself, so
 * no member shows what is wrong; what cannot be told becomes a conflict.
 */
#include "state/merge/internal.h"

#include <string.h>

/* The entries of those conflicts that are about a whole @part, by name. */
static struct json_object *conflicts_about(const struct merge *g,
				     enum mesh_part part)
{
	struct json_object *out = json_object_new_object();

	for (size_t i = 0; i < tree_len(g->conflicts); i++) {
		struct json_object *c =
			json_object_array_get_idx(g->conflicts, i);

		if (!tree_has(c, "field") &&
		    strcmp(tree_text(c, "part"), part_word(part)) == 0)
			json_object_object_add(out, tree_text(c, "name"),
					       json_object_get(c));
	}
	return out;
}

static struct json_object *node_of(struct json_object *tree, const char *name)
{
	return tree_get(tree_get(tree, "nodes"), name);
}

static struct value group_of(struct json_object *tree, const char *name)
{
	return value_of(tree_get(tree, "groups"), name);
}

/* ---- tombstones ---- */

/* Has a deploy ever set up its host? Such a one is not simply forgotten. */
static bool was_deployed(struct json_object *n)
{
	return json_object_get_boolean(
		tree_get(tree_get(n, "facts"), "deployed"));
}

/*
 * A node that one side removed before it knew that the other one had deployed
 * to it: its host is still set up.
 */
static void add_tombstones(struct merge *g, struct json_object *side,
			   struct json_object *removed)
{
	json_object_object_foreach(tree_get(side, "nodes"), name, n) {
		if (!was_deployed(n) || was_deployed(node_of(g->base, name)) ||
		    node_of(g->out, name) || tree_has(removed, name))
			continue;
		json_object_object_add(removed, name, tree_flat_node(n));
	}
}

/* Of a node that is in conflict, ours counts: deploys go by our side. */
static void fix_tombstones(struct merge *g, struct json_object *nodes)
{
	struct json_object *removed = tree_own(g->out, "removed_nodes");

	add_tombstones(g, g->ours, removed);
	add_tombstones(g, g->theirs, removed);
	json_object_object_foreach(nodes, name, entry) {
		struct value ours = value_of(tree_get(g->ours, "removed_nodes"),
					   name);

		(void)entry;
		if (ours.has)
			json_object_object_add(removed, name,
					       json_object_get(ours.v));
		else
			json_object_object_del(removed, name);
	}
}

/* ---- who is in which group ---- */

/*
 * Of the nodes in conflict, our members; of the others, those that are left: a
 * name that is no node on either side is for the check of the state to say.
 */
static void fix_members(const struct merge *g, struct json_object *nodes,
			const char *name, struct json_object *group)
{
	struct json_object *list = tree_get(group, "members");
	struct json_object *own = tree_get(group_of(g->ours, name).v,
					   "members");
	struct json_object *ours = tree_set(own), *have = tree_set(list);
	struct json_object *out = json_object_new_array();

	for (size_t i = 0; i < tree_len(list); i++) {
		const char *s = tree_item(list, i);

		if (tree_has(nodes, s) ? tree_has(ours, s)
				       : node_of(g->out, s) ||
						 (!node_of(g->ours, s) &&
						  !node_of(g->theirs, s)))
			json_object_array_add(out, json_object_new_string(s));
	}
	for (size_t i = 0; i < tree_len(own); i++) {
		const char *s = tree_item(own, i);

		if (tree_has(nodes, s) && !tree_has(have, s))
			json_object_array_add(out, json_object_new_string(s));
	}
	if (list || json_object_array_length(out))
		json_object_object_add(group, "members", json_object_get(out));
	json_object_put(out);
	json_object_put(ours);
	json_object_put(have);
}

static void fix_groups(struct merge *g, struct json_object *nodes)
{
	struct json_object *groups = tree_get(g->out, "groups");
	struct json_object *theirs = tree_get(g->theirs, "groups");

	json_object_object_foreach(groups, name, group) {
		(void)group;
		fix_members(g, nodes, name, tree_own(groups, name));
	}
	if (!theirs)
		return;
	/* the entry of a node remembers the groups that it is in over there */
	json_object_object_foreach(theirs, in, other) {
		struct json_object *list = tree_get(other, "members");

		for (size_t i = 0; i < tree_len(list); i++) {
			struct json_object *entry =
				tree_get(nodes, tree_item(list, i));

			if (!entry)
				continue;
			if (!tree_has(entry, "groups"))
				json_object_object_add(entry, "groups",
						       json_object_new_array());
			json_object_array_add(tree_get(entry, "groups"),
					      json_object_new_string(in));
		}
	}
}

/* ---- groups that policies need ---- */

/* Groups that one side removed while the other began to need them. */
static void keep_groups(struct merge *g, struct json_object *asked,
			struct json_object *list)
{
	struct json_object *groups = tree_get(g->out, "groups");

	for (size_t i = 0; i < tree_len(list); i++) {
		const char *name = tree_item(list, i);
		struct value ours = group_of(g->ours, name);
		struct value theirs = group_of(g->theirs, name);
		struct path at = { PART_GROUP, name, NULL, NULL };

		if (tree_has(groups, name) || tree_has(asked, name) ||
		    (!ours.has && !theirs.has))
			continue;
		merge_conflict(g, at, group_of(g->base, name), ours, theirs);
		json_object_object_add(asked, name, NULL);
		if (ours.has)
			json_object_object_add(groups, name,
					       json_object_get(ours.v));
	}
}

static void fix_policies(struct merge *g)
{
	struct json_object *asked = conflicts_about(g, PART_GROUP);
	struct json_object *policies = tree_get(g->out, "access_policies");

	if (policies) {
		json_object_object_foreach(policies, name, p) {
			(void)name;
			keep_groups(g, asked, tree_get(p, "from_groups"));
			keep_groups(g, asked, tree_get(p, "to_groups"));
		}
	}
	json_object_put(asked);
}

/* ---- one owner for each address and route ---- */

/* A node's field is in conflict because the node @with has the same value. */
static struct json_object *node_conflict(struct merge *g, const char *name,
					const char *field, const char *with)
{
	struct path at = { PART_NODE, name, field, NULL };
	struct json_object *entry;

	entry = merge_conflict(g, at, value_of(node_of(g->base, name), field),
			      value_of(node_of(g->ours, name), field),
			      value_of(node_of(g->theirs, name), field));
	json_object_object_add(entry, "with", json_object_new_string(with));
	return entry;
}

/* An owner's name stays good until @owners ends, even when it changes. */
static void set_owner(struct json_object *owners, const char *thing,
		      const char *name)
{
	struct json_object *text = json_object_new_string(name);

	json_object_array_add(tree_get(owners, ""), text);
	json_object_object_add(owners, thing, json_object_get(text));
}

/* Who has which address or route, by its text. */
static struct json_object *owners_new(void)
{
	struct json_object *owners = json_object_new_object();

	json_object_object_add(owners, "", json_object_new_array());
	return owners;
}

/* NULL: nobody. */
static const char *owner_of(struct json_object *owners, const char *thing)
{
	return *thing && tree_has(owners, thing) ? tree_text(owners, thing)
						 : NULL;
}

/*
 * When the node @one has an address that another one has, too, the one that has
 * it on their side alone goes back to its own address, or to none. Another one
 * may have been given that meanwhile, and so on: each step reverts one more
 * node, so it ends.
 */
static void own_address(struct merge *g, const char *field,
			struct json_object *owners, const char *one)
{
	const char *address = tree_text(node_of(g->out, one), field);
	const char *other;

	while ((other = owner_of(owners, address))) {
		bool ours = strcmp(tree_text(node_of(g->ours, one), field),
				   address) == 0;
		const char *loser = ours ? other : one;
		const char *winner = ours ? one : other;
		struct value own = value_of(node_of(g->ours, loser), field);
		struct json_object *n = tree_own(tree_get(g->out, "nodes"),
						 loser);

		set_owner(owners, address, winner);
		node_conflict(g, loser, field, winner);
		json_object_object_del(n, field);
		if (own.has)
			json_object_object_add(n, field,
					       json_object_get(own.v));
		one = loser;
		address = tree_text(n, field);
	}
	if (*address)
		set_owner(owners, address, one);
}

static void fix_addresses(struct merge *g, const char *field)
{
	struct json_object *owners = owners_new();

	json_object_object_foreach(tree_get(g->out, "nodes"), name, n) {
		(void)n;
		own_address(g, field, owners, name);
	}
	json_object_put(owners);
}

/* Take @route from a node that has it on their side alone. */
static void revert_route(struct merge *g, const char *name, const char *route,
			 const char *winner)
{
	static const char field[] = "routable_networks";
	struct json_object *n = tree_own(tree_get(g->out, "nodes"), name);
	struct json_object *rest = tree_without(tree_get(n, field), route);
	struct json_object *entry = node_conflict(g, name, field, winner);

	json_object_object_add(n, field, rest);
	json_object_object_del(entry, "base");
	json_object_object_del(entry, "ours");
	json_object_object_add(entry, "item", json_object_new_string(route));
	json_object_object_add(entry, "theirs", json_object_new_string(route));
}

static void fix_routes(struct merge *g)
{
	struct json_object *owners = owners_new();

	json_object_object_foreach(tree_get(g->out, "nodes"), name, n) {
		/* held, as reverting puts another list in its place */
		struct json_object *list = json_object_get(
			tree_get(n, "routable_networks"));
		struct json_object *own = tree_set(tree_get(
			node_of(g->ours, name), "routable_networks"));

		for (size_t i = 0; i < tree_len(list); i++) {
			const char *route = tree_item(list, i);
			const char *other = owner_of(owners, route);
			bool ours = tree_has(own, route);

			if (other)
				revert_route(g, ours ? other : name, route,
					     ours ? name : other);
			if (!other || ours)
				set_owner(owners, route, name);
		}
		json_object_put(own);
		json_object_put(list);
	}
	json_object_put(owners);
}

void merge_fixup(struct merge *g)
{
	struct json_object *nodes = conflicts_about(g, PART_NODE);

	tree_own(g->out, "nodes");
	tree_own(g->out, "groups");
	fix_tombstones(g, nodes);
	fix_policies(g);
	fix_groups(g, nodes);
	fix_addresses(g, "mesh_ip");
	fix_addresses(g, "mesh_ip6");
	fix_routes(g);
	json_object_put(nodes);
}
