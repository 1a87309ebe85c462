/*
 * Three sides into one, member by member, each by its rule. Works on trees, not
 * on meshes, so that a member that only a newer wgmesh knows is merged, too.
 * Afterwards all of it is loaded as any state is: a merge is not believed.
 */
#include "state/merge/internal.h"

#include "base/auto.h"

#include <inttypes.h>
#include <string.h>

/** The rule for one thing: what its row says of it. */
struct rule {
	enum merge_how how, each;
	bool fits;
	const struct mesh_object *of; /* what has the rows of its members */
	enum mesh_part part;          /* what its entries are */
};

const char *merge_map(enum mesh_part part)
{
	const struct mesh_field *rows[OBJECT_MEMBERS];
	size_t n = object_members(&object_mesh, rows);

	for (size_t i = 0; i < n; i++)
		if (rows[i]->each == MERGE_FIELDS && rows[i]->of->part == part)
			return rows[i]->json;
	return NULL;
}

struct value value_of(struct json_object *object, const char *key)
{
	struct value c = { false, NULL };

	if (json_object_is_type(object, json_type_object))
		c.has = json_object_object_get_ex(object, key, &c.v);
	return c;
}

static bool same(struct value a, struct value b)
{
	return a.has == b.has && json_object_equal(a.v, b.v);
}

/* One more reference: what a merge returns is the caller's. */
static struct value value_held(struct value c)
{
	json_object_get(c.v);
	return c;
}

static void add_entry_text(struct json_object *entry, const char *key,
			   const char *s)
{
	if (s)
		json_object_object_add(entry, key, json_object_new_string(s));
}

static void add_entry_value(struct json_object *entry, const char *key,
			    struct value c)
{
	if (c.has)
		json_object_object_add(entry, key, value_held(c).v);
}

struct json_object *merge_conflict(struct merge *g, struct path at,
				  struct value base, struct value ours,
				  struct value theirs)
{
	struct json_object *entry = json_object_new_object();

	add_entry_text(entry, "part", part_word(at.part));
	add_entry_text(entry, "name", at.name);
	add_entry_text(entry, "field", at.field);
	add_entry_text(entry, "item", at.item);
	add_entry_value(entry, "base", base);
	add_entry_value(entry, "ours", ours);
	add_entry_value(entry, "theirs", theirs);
	json_object_array_add(g->conflicts, entry);
	return entry;
}

/* Append the items of @list that @old has not, or that @other has. */
static void add_items(struct json_object *out, struct json_object *list,
		      struct json_object *old, struct json_object *other)
{
	for (size_t i = 0; i < tree_len(list); i++) {
		const char *s = tree_item(list, i);

		if (!tree_has(old, s) || tree_has(other, s))
			json_object_array_add(out, json_object_new_string(s));
	}
}

/* What both have, and what either has that the base has not; ours first. */
static struct value merge_sets(struct value b, struct value o, struct value t)
{
	struct json_object *old = tree_set(b.v);
	struct json_object *theirs = tree_set(t.v);
	struct json_object *out = json_object_new_array();

	add_items(out, o.v, old, theirs);
	for (size_t i = 0; i < tree_len(o.v); i++)
		json_object_object_add(old, tree_item(o.v, i), NULL);
	add_items(out, t.v, old, NULL);
	json_object_put(old);
	json_object_put(theirs);
	return (struct value){ true, out };
}

/* The rule for the member @key: that of its row, without one it is a leaf. */
static struct rule rule_for(const struct rule *r, const char *key)
{
	const struct mesh_field *f;

	if (r->how == MERGE_ENTRIES)
		return (struct rule){ .how = r->each, .of = r->of };
	f = object_member(r->of, key);
	if (!f)
		return (struct rule){ .part = PART_MESH };
	return (struct rule){ f->how, f->each, f->fits, f->of,
			      f->each == MERGE_FIELDS ? f->of->part
						      : PART_MESH };
}

static struct value merge_values(struct merge *g, const struct rule *r,
				 struct path at, const struct value sides[3]);

/* One member of @out, from the three sides. */
static void merge_member(struct merge *g, const struct rule *r, struct path at,
			 const char *key, const struct value sides[3],
			 struct json_object *out)
{
	const struct rule inner = rule_for(r, key);
	struct value in[] = { value_of(sides[0].v, key),
			      value_of(sides[1].v, key),
			      value_of(sides[2].v, key) };
	struct value merged;

	if (inner.part != PART_MESH)
		at = (struct path){ 0 };
	else if (r->how == MERGE_ENTRIES && r->part != PART_MESH)
		at = (struct path){ r->part, key, NULL, NULL };
	else if (at.field)
		at.item = key;
	else
		at.field = key;
	/* another name takes no yes away from a node */
	if (g->asking && at.part == PART_NODE && !at.field && !in[0].has &&
	    !in[1].has) {
		in[0].v = merge_known_node(
			g, tree_text(tree_get(in[2].v, "public_key"),
				     "public_key"));
		in[0].has = in[0].v != NULL;
		in[1] = in[0];
	}
	merged = merge_values(g, &inner, at, in);
	if (merged.has)
		json_object_object_add(out, key, merged.v);
}

/* All members: ours in their order, then what only theirs has. */
static struct value merge_members(struct merge *g, const struct rule *r,
				 struct path at, const struct value sides[3])
{
	struct json_object *out = json_object_new_object();

	for (int side = 1; side < 3; side++) {
		if (!sides[side].v)
			continue; /* json-c's loop takes no NULL */
		json_object_object_foreach(sides[side].v, key, member) {
			(void)member;
			if (side == 1 || !tree_has(sides[1].v, key))
				merge_member(g, r, at, key, sides, out);
		}
	}
	return (struct value){ true, out };
}

/* Has @list no item that @base has not? */
static bool no_more(struct json_object *list, struct json_object *base)
{
	struct json_object *had = tree_set(base);
	bool yes = true;

	for (size_t i = 0; i < tree_len(list); i++)
		yes = yes && tree_has(had, tree_item(list, i));
	json_object_put(had);
	return yes;
}

/*
 * Did somebody change @now from @base in a way that its removal by the other
 * one would undo? Facts and what was taken away do not count.
 */
static bool said_anew(const struct rule *r, struct json_object *base,
		      struct json_object *now)
{
	json_object_object_foreach(base, key, member) {
		(void)member;
		if (!tree_has(now, key) && rule_for(r, key).how == MERGE_LEAF)
			return true;
	}
	json_object_object_foreach(now, field, value) {
		const struct rule inner = rule_for(r, field);

		if (inner.how == MERGE_NEWEST ||
		    (inner.how == MERGE_ENTRIES && inner.each == MERGE_NEWEST))
			continue;
		if (same(value_of(base, field), value_of(now, field)))
			continue;
		if (inner.how != MERGE_SET ||
		    !no_more(value, tree_get(base, field)))
			return true;
	}
	return false;
}

/* Both sides changed it, and not in the same way. */
static struct value merge_changed(struct merge *g, const struct rule *r,
				 struct path at, const struct value sides[3])
{
	struct value b = sides[0], o = sides[1], t = sides[2];

	switch (r->how) {
	case MERGE_SET:
		return merge_sets(b, o, t);
	case MERGE_NEWEST:
		return value_held(g->theirs_newer ? t : o);
	case MERGE_ENTRIES:
		return merge_members(g, r, at, sides);
	case MERGE_FIELDS:
		if (o.has && t.has)
			return merge_members(g, r, at, sides);
		if (!said_anew(r, b.v, o.has ? o.v : t.v))
			return (struct value){ false, NULL };
		break;
	case MERGE_LEAF:
	case MERGE_APART:
		break;
	}
	merge_conflict(g, at, b, o, t);
	return value_held(o);
}

/*
 * Did their side change what needs a yes? Then ours stays, and theirs is what a
 * merge that asks nobody would make.
 */
static bool asked(struct merge *g, const struct rule *r, struct path at,
		  const struct value sides[3])
{
	const struct value b = sides[0], o = sides[1], t = sides[2];
	struct value all;

	if (!g->asking || r->how > MERGE_SET ||
	    (r->how != MERGE_SET && !same(b, o)) ||
	    !merge_needs_yes(g, at, b.v, t.v))
		return false;
	all = r->how == MERGE_SET ? merge_sets(b, o, t) : value_held(t);
	if (merge_needs_yes(g, at, o.v, all.v))
		merge_conflict(g, at, b, o, all);
	json_object_put(all.v);
	return true;
}

/* The result is the caller's. */
static struct value merge_values(struct merge *g, const struct rule *r,
				 struct path at, const struct value sides[3])
{
	const struct value b = sides[0], o = sides[1], t = sides[2];
	bool was_in_new = g->in_new;
	struct value merged;

	if (same(o, t) || same(b, t))
		return value_held(o);
	if (g->careful && r->fits) {
		merge_conflict(g, at, b, o, t);
		return value_held(o);
	}
	if (asked(g, r, at, sides))
		return value_held(o);
	if (!same(b, o))
		return merge_changed(g, r, at, sides);
	/* only one that is careful or asks looks into their changes alone */
	if ((!g->careful && !g->asking) || !t.has ||
	    (r->how != MERGE_FIELDS && r->how != MERGE_ENTRIES))
		return value_held(t);
	g->in_new |= at.part == PART_NODE && !at.field && !b.has;
	merged = merge_members(g, r, at, sides);
	g->in_new = was_in_new;
	return merged;
}

/* ---- the whole ---- */

/* A state that no init or deploy touched has no id: taken for the same. */
static int check_same_mesh(const struct mesh *ours, const struct mesh *theirs,
			   struct err *e)
{
	if (!ours->mesh_id || !theirs->mesh_id ||
	    strcmp(ours->mesh_id, theirs->mesh_id) == 0)
		return 0;
	return err_set(e, ERR_CONFLICT, "the two sides are different meshes: "
		       "id %s and %s", ours->mesh_id, theirs->mesh_id);
}

static int check_merge_sides(const struct mesh *ours, const struct mesh *theirs,
			     bool asking, struct err *e)
{
	if (check_same_mesh(ours, theirs, e) < 0)
		return -1;
	if (mesh_has_conflicts(ours) || mesh_has_conflicts(theirs)) {
		err_set(e, ERR_CONFLICT, "%s side has conflicts of an earlier "
			"merge", mesh_has_conflicts(ours) ? "our" : "their");
		return err_advise(e, ADVICE_RESOLVE, NULL);
	}
	/* no work makes so many changes; hosts refuse any other state then */
	if (asking && mesh_serial_jumps(ours, theirs)) {
		err_set(e, ERR_CONFLICT, "their serial jumps from %" PRIu64
			" to %" PRIu64, ours->serial, theirs->serial);
		return err_advise(e, ADVICE_SEE_INCOMING, NULL);
	}
	return 0;
}

/* The trees of the sides, without what is no content. */
static int contents_of(struct merge *g, const struct mesh *base,
		       const struct mesh *ours, const struct mesh *theirs,
		       struct err *e)
{
	const struct mesh *const sides[] = { base, ours, theirs };
	struct json_object **const trees[] = { &g->base, &g->ours, &g->theirs };
	const struct mesh_field *rows[OBJECT_MEMBERS];
	size_t n = object_members(&object_mesh, rows);

	for (size_t side = 0; side < 3; side++) {
		if (tree_of_mesh(trees[side], sides[side], e) < 0)
			return -1;
		for (size_t i = 0; i < n; i++)
			if (rows[i]->how == MERGE_APART)
				json_object_object_del(*trees[side],
						       rows[i]->json);
		json_object_object_del(*trees[side], MERGE_CONFLICTS);
	}
	return 0;
}

static void merge_side_trees(struct merge *g)
{
	const struct value sides[] = { { true, g->base }, { true, g->ours },
				       { true, g->theirs } };
	const struct rule whole = { .how = MERGE_FIELDS, .of = &object_mesh };

	json_object_put(g->out);
	json_object_put(g->conflicts);
	g->conflicts = json_object_new_array();
	g->out = merge_values(g, &whole, (struct path){ 0 }, sides).v;
	if (!same(sides[0], sides[1]) && !same(sides[0], sides[2]))
		merge_fixup(g);
	merge_ask_secret(g);
}

/* A tombstone of theirs refuses the merge: it is no conflict to choose of. */
static int check_tombstones(struct merge *g, struct err *e)
{
	AUTO(conflicts_done) struct conflicts found = { 0 };
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

	g->conflicts = json_object_new_array();
	merge_ask_tombstones(g);
	if (conflicts_of_list(&found, g->conflicts, e) < 0)
		return -1;
	if (found.len == 0)
		return 0;
	conflict_text(&text, &found.items[0]);
	err_set(e, ERR_CONFLICT, "%s", sbuf_str(&text));
	return err_advise(e, ADVICE_SEE_INCOMING, NULL);
}

/* The result as a mesh, with its conflicts, checked as a state from a file. */
static int to_mesh(struct mesh *out, const struct merge *g, struct err *e)
{
	struct json_object *tree = tree_copy(g->out);
	int ret;

	if (json_object_array_length(g->conflicts))
		json_object_object_add(tree, MERGE_CONFLICTS,
				       json_object_get(g->conflicts));
	ret = tree_to_mesh(out, tree, e);
	json_object_put(tree);
	return ret;
}

static void merge_done(struct merge *g)
{
	json_object_put(g->out);
	json_object_put(g->conflicts);
	json_object_put(g->by_key);
	tree_free(g->base);
	tree_free(g->ours);
	tree_free(g->theirs);
}

static int merge_all(struct mesh *out, struct merge *g, const struct mesh *base,
		     const struct mesh *ours, const struct mesh *theirs,
		     struct conflicts *conflicts, struct err *e)
{
	AUTO(mesh_done) struct mesh merged = { 0 };

	g->theirs_newer = theirs->serial > ours->serial;
	if (check_merge_sides(ours, theirs, g->asking, e) < 0 ||
	    contents_of(g, base, ours, theirs, e) < 0 ||
	    (g->asking && check_tombstones(g, e) < 0))
		return -1;
	merge_side_trees(g);
	if (to_mesh(&merged, g, e) < 0) {
		/* once more, with all in conflict that may be why */
		g->careful = true;
		merge_side_trees(g);
		if (to_mesh(&merged, g, e) < 0)
			return err_wrap(e, "the two sides do not fit together");
	}
	if (mesh_serial_next(&merged, (g->theirs_newer ? theirs : ours)->serial,
			     e) < 0)
		return -1;
	mesh_secrets_merge(&merged, ours, theirs);
	if (mesh_conflicts(conflicts, &merged, e) < 0)
		return -1;
	*out = merged;
	memset(&merged, 0, sizeof merged);
	return 0;
}

int mesh_merge(struct mesh *out, const struct mesh *base,
	       const struct mesh *ours, const struct mesh *theirs,
	       struct conflicts *conflicts, struct err *e)
{
	AUTO(merge_done) struct merge g = { 0 };

	return merge_all(out, &g, base, ours, theirs, conflicts, e);
}

int mesh_merge_unattended(struct mesh *out, const struct mesh *base,
			  const struct mesh *ours, const struct mesh *theirs,
			  struct conflicts *conflicts, struct err *e)
{
	AUTO(merge_done) struct merge g = {
		.asking = true,
		.secrets = mesh_secrets_relate(base, ours, theirs),
	};

	if (g.secrets == SECRETS_FOREIGN) {
		err_set(e, ERR_CONFLICT, "their side does not have the secret "
			"of this mesh, so somebody else may have made it");
		return err_advise(e, ADVICE_FOREIGN_SECRET, NULL);
	}
	return merge_all(out, &g, base, ours, theirs, conflicts, e);
}

int mesh_trust_changes(struct conflicts *out, const struct mesh *before,
		       const struct mesh *after, struct err *e)
{
	AUTO(merge_done) struct merge g = { .asking = true };

	if (check_same_mesh(before, after, e) < 0 ||
	    contents_of(&g, before, before, after, e) < 0)
		return -1;
	merge_side_trees(&g);
	merge_ask_tombstones(&g);
	return conflicts_of_list(out, g.conflicts, e);
}
