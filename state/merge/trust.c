/*
 * Members that decide who can read the state, who is trusted, or what runs
 * where: those whose row has a trust. What the other side made of them needs
 * somebody's yes: an unattended merge leaves them in conflict, and a pull shows
 * them and asks. See SECURITY.md for whom that is against.
 */
#include "state/merge/internal.h"

#include "base/auto.h"

#include <string.h>
#include <strings.h>

/** A member that wgmesh does not know, and that may once run commands. */
#define HOOKS "hooks"

/* Not there, or as good as that; the number 0 is a value here. */
static bool is_unsaid(struct json_object *v)
{
	return !json_object_is_type(v, json_type_int) && merge_is_empty(v);
}

static bool differs(struct json_object *before, struct json_object *after,
		    bool learnt)
{
	if (is_unsaid(before) && (is_unsaid(after) || learnt))
		return false;
	return !json_object_equal(before, after);
}

bool merge_needs_yes(const struct merge *g, struct path at,
		     struct json_object *before, struct json_object *after)
{
	const struct mesh_field *rows[OBJECT_MEMBERS];
	size_t n = object_members(object_of_part(at.part), rows);

	if (!at.field || at.item)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct mesh_field *f = rows[i];
		bool unit = f->unit;

		/* in any letter case, as the state file is read */
		if (!f->trust || (g->in_new && !(f->trust & TRUST_NEW)) ||
		    strcasecmp(unit ? f->unit : f->json, at.field) != 0)
			continue;
		if (differs(unit ? tree_get(before, f->json) : before,
			    unit ? tree_get(after, f->json) : after,
			    f->trust & TRUST_LEARNT))
			return true;
	}
	return at.part <= PART_NODE && strcasecmp(HOOKS, at.field) == 0 &&
	       differs(before, after, false);
}

/* ---- nodes that are to be taken off their hosts ---- */

/* The node as a side has it: in place, or removed. */
static struct json_object *find_node(struct json_object *side,
				     const char *name)
{
	struct json_object *n = tree_get(tree_get(side, "nodes"), name);

	return n ? tree_flat_node(n)
		 : json_object_get(tree_get(tree_get(side, "removed_nodes"),
					    name));
}

/* Would a deploy go somewhere else than where we know the node? */
static bool goes_elsewhere(struct json_object *known, struct json_object *gone)
{
	const struct mesh_field *rows[OBJECT_MEMBERS];
	size_t n = object_members(&object_node, rows);
	bool other = differs(tree_get(known, HOOKS), tree_get(gone, HOOKS),
			     false);

	for (size_t i = 0; i < n; i++)
		if (rows[i]->trust & TRUST_WAY)
			other = other || differs(tree_get(known, rows[i]->json),
						 tree_get(gone, rows[i]->json),
						 false);
	return other;
}

/* Add the nodes of @side by their public keys; ours come last and win. */
static void index_keys(struct json_object *index, struct json_object *side)
{
	struct json_object *nodes = tree_get(side, "nodes");

	if (!nodes)
		return;
	json_object_object_foreach(nodes, name, n) {
		const char *key = tree_text(tree_get(n, "public_key"),
					    "public_key");

		(void)name;
		if (wgkey_is_set(key))
			json_object_object_add(index, key, json_object_get(n));
	}
}

struct json_object *merge_known_node(struct merge *g, const char *key)
{
	if (!g->by_key) {
		g->by_key = json_object_new_object();
		index_keys(g->by_key, g->base);
		index_keys(g->by_key, g->ours);
	}
	return tree_get(g->by_key, key);
}

void merge_ask_tombstones(struct merge *g)
{
	struct json_object *gone = tree_get(g->theirs, "removed_nodes");

	if (!gone)
		return;
	json_object_object_foreach(gone, name, n) {
		struct path at = { PART_NODE, name, "removed_nodes", NULL };
		/* whom it is of, as we know it: by its name or its key */
		struct json_object *known = find_node(g->ours, name);
		struct json_object *other = NULL;

		if (!known)
			known = find_node(g->base, name);
		if (!known)
			other = merge_known_node(g, tree_text(n, "public_key"));
		if (other)
			known = tree_flat_node(other);
		if (known ? goes_elsewhere(known, n)
			  : !is_unsaid(tree_get(n, "is_local")))
			merge_conflict(g, at, (struct value){ false, NULL },
				      (struct value){ known != NULL, known },
				      (struct value){ true, n });
		json_object_put(known);
	}
}

/* ---- the secret of the mesh ---- */

void merge_ask_secret(struct merge *g)
{
	struct path at = { PART_MESH, NULL, MERGE_SECRET, NULL };
	struct json_object *now = json_object_new_string(MERGE_SECRET_NEWER);
	struct json_object *then =
		json_object_new_string("a former one, or none");
	struct value newer = { true, now }, older = { true, then };

	if (g->secrets == SECRETS_NEWER)
		merge_conflict(g, at, older, older, newer);
	else if (g->secrets == SECRETS_OLDER)
		merge_conflict(g, at, older, newer, older);
	json_object_put(now);
	json_object_put(then);
}
