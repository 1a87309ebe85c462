/*
 * What was merged member by member made to fit together: two nodes with one
 * address, members of groups that are gone.
 */
#include "state/merge/internal.h"

#include <string.h>

/* The entries of those conflicts that are about a whole @part, by name. */
static struct json_object *contested(const struct merge *g,
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

static struct json_object *entry_of(struct json_object *tree, const char *map,
				    const char *name)
{
	return tree_get(tree_get(tree, map), name);
}

static struct json_object *node_of(struct json_object *tree, const char *name)
{
	return entry_of(tree, "nodes", name);
}

/* ---- tombstones ---- */

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

/* Of a node that is contested, ours counts. */
static void settle_tombstones(struct merge *g, struct json_object *nodes)
{
	struct json_object *removed = tree_own(g->out, "removed_nodes");

	add_tombstones(g, g->ours, removed);
	add_tombstones(g, g->theirs, removed);
	json_object_object_foreach(nodes, name, entry) {
		struct cell ours = cell_of(tree_get(g->ours, "removed_nodes"),
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

/* Did one of the sides remove the node? */
static bool is_gone(const struct merge *g, const char *name)
{
	return !node_of(g->out, name) &&
	       (node_of(g->ours, name) || node_of(g->theirs, name));
}

/* Of the contested nodes, our members; of the others, those that are left. */
static void settle_members(const struct merge *g, struct json_object *nodes,
			   const char *name, struct json_object *group)
{
	struct json_object *list = tree_get(group, "members");
	struct json_object *own = tree_get(entry_of(g->ours, "groups", name),
					   "members");
	struct json_object *ours = tree_set(own), *have = tree_set(list);
	struct json_object *out = json_object_new_array();

	for (size_t i = 0; i < tree_len(list); i++) {
		const char *s = tree_item(list, i);

		if (tree_has(nodes, s) ? tree_has(ours, s) : !is_gone(g, s))
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

static void note_membership(struct json_object *entry, const char *group)
{
	if (!entry)
		return;
	if (!tree_has(entry, "groups"))
		json_object_object_add(entry, "groups",
				       json_object_new_array());
	json_object_array_add(tree_get(entry, "groups"),
			      json_object_new_string(group));
}

/* The contested node's entry remembers the groups that it is in over there. */
static void note_memberships(const struct merge *g, struct json_object *nodes)
{
	struct json_object *groups = tree_get(g->theirs, "groups");

	if (!groups)
		return;
	json_object_object_foreach(groups, name, group) {
		struct json_object *list = tree_get(group, "members");

		for (size_t i = 0; i < tree_len(list); i++)
			note_membership(tree_get(nodes, tree_item(list, i)),
					name);
	}
}

static void settle_groups(struct merge *g, struct json_object *nodes)
{
	struct json_object *groups = tree_get(g->out, "groups");

	json_object_object_foreach(groups, name, group) {
		(void)group;
		settle_members(g, nodes, name, tree_own(groups, name));
	}
	note_memberships(g, nodes);
}

/* ---- groups that policies need ---- */

/* A group that one side removed while the other began to need it. */
static void need_group(struct merge *g, struct json_object *asked,
		       const char *name)
{
	struct json_object *groups = tree_get(g->out, "groups");
	struct cell ours = cell_of(tree_get(g->ours, "groups"), name);
	struct cell theirs = cell_of(tree_get(g->theirs, "groups"), name);
	struct place at = { PART_GROUP, name, NULL, NULL };

	if (tree_has(groups, name) || tree_has(asked, name) ||
	    (!ours.has && !theirs.has))
		return;
	merge_contest(g, at, cell_of(tree_get(g->base, "groups"), name), ours,
		      theirs);
	json_object_object_add(asked, name, NULL);
	if (ours.has)
		json_object_object_add(groups, name, json_object_get(ours.v));
}

static void need_groups(struct merge *g, struct json_object *asked,
			struct json_object *list)
{
	for (size_t i = 0; i < tree_len(list); i++)
		need_group(g, asked, tree_item(list, i));
}

static void settle_policies(struct merge *g)
{
	struct json_object *asked = contested(g, PART_GROUP);
	struct json_object *policies = tree_get(g->out, "access_policies");

	if (policies) {
		json_object_object_foreach(policies, name, p) {
			(void)name;
			need_groups(g, asked, tree_get(p, "from_groups"));
			need_groups(g, asked, tree_get(p, "to_groups"));
		}
	}
	json_object_put(asked);
}

/* ---- one owner for each address and route ---- */

static struct json_object *contest_node(struct merge *g, const char *name,
					const char *field, const char *with)
{
	struct place at = { PART_NODE, name, field, NULL };
	struct json_object *entry;

	entry = merge_contest(g, at, cell_of(node_of(g->base, name), field),
			      cell_of(node_of(g->ours, name), field),
			      cell_of(node_of(g->theirs, name), field));
	json_object_object_add(entry, "with", json_object_new_string(with));
	return entry;
}

/* Give @name back the address that it has on our side, or none. */
static const char *revert_address(struct merge *g, const char *field,
				  const char *name)
{
	struct json_object *n = tree_own(tree_get(g->out, "nodes"), name);
	struct cell ours = cell_of(node_of(g->ours, name), field);

	json_object_object_del(n, field);
	if (ours.has)
		json_object_object_add(n, field, json_object_get(ours.v));
	return tree_text(n, field);
}

/* An owner's name stays good until @owners ends, even when it changes. */
static void set_owner(struct json_object *owners, const char *thing,
		      const char *name)
{
	struct json_object *text = json_object_new_string(name);

	json_object_array_add(tree_get(owners, ""), text);
	json_object_object_add(owners, thing, json_object_get(text));
}

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
 * @one has @address. When @other has it, too, the one that has it on their side
 * alone goes back to its own address, which another one may have been given
 * meanwhile, and so on.
 */
static void split(struct merge *g, const char *field,
		  struct json_object *owners, const char *address,
		  const char *one, const char *other)
{
	while (other) {
		bool ours = strcmp(tree_text(node_of(g->ours, one), field),
				   address) == 0;
		const char *loser = ours ? other : one;
		const char *winner = ours ? one : other;

		set_owner(owners, address, winner);
		contest_node(g, loser, field, winner);
		one = loser;
		address = revert_address(g, field, loser);
		other = owner_of(owners, address);
	}
	if (*address)
		set_owner(owners, address, one);
}

static void settle_addresses(struct merge *g, const char *field)
{
	struct json_object *owners = owners_new();

	json_object_object_foreach(tree_get(g->out, "nodes"), name, n) {
		const char *address = tree_text(n, field);

		split(g, field, owners, address, name,
		      owner_of(owners, address));
	}
	json_object_put(owners);
}

static bool list_has(struct json_object *list, const char *s)
{
	for (size_t i = 0; i < tree_len(list); i++)
		if (strcmp(tree_item(list, i), s) == 0)
			return true;
	return false;
}

/* Take @route from a node that it has on their side alone. */
static void revert_route(struct merge *g, const char *name, const char *route,
			 const char *winner)
{
	static const char field[] = "routable_networks";
	struct json_object *n = tree_own(tree_get(g->out, "nodes"), name);
	struct json_object *rest = tree_without(tree_get(n, field), route);
	struct json_object *entry = contest_node(g, name, field, winner);

	json_object_object_add(n, field, rest);
	json_object_object_del(entry, "base");
	json_object_object_del(entry, "ours");
	json_object_object_add(entry, "item", json_object_new_string(route));
	json_object_object_add(entry, "theirs", json_object_new_string(route));
}

static void settle_route(struct merge *g, struct json_object *owners,
			 const char *name, const char *route)
{
	const char *other = owner_of(owners, route);
	bool ours = list_has(tree_get(node_of(g->ours, name),
				      "routable_networks"), route);

	if (other)
		revert_route(g, ours ? other : name, route,
			     ours ? name : other);
	if (!other || ours)
		set_owner(owners, route, name);
}

static void settle_routes(struct merge *g)
{
	struct json_object *owners = owners_new();

	json_object_object_foreach(tree_get(g->out, "nodes"), name, n) {
		struct json_object *list = json_object_get(
			tree_get(n, "routable_networks"));

		for (size_t i = 0; i < tree_len(list); i++)
			settle_route(g, owners, name, tree_item(list, i));
		json_object_put(list);
	}
	json_object_put(owners);
}

void merge_settle(struct merge *g)
{
	struct json_object *nodes = contested(g, PART_NODE);

	tree_own(g->out, "nodes");
	tree_own(g->out, "groups");
	settle_tombstones(g, nodes);
	settle_policies(g);
	settle_groups(g, nodes);
	settle_addresses(g, "mesh_ip");
	settle_addresses(g, "mesh_ip6");
	settle_routes(g);
	json_object_put(nodes);
}
