/*
 * Three sides into one, member by member, each by its rule.
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

/* The rule that a row gives; one without a row is a leaf. */
static struct rule rule_of(const struct mesh_field *f)
{
	if (!f)
		return (struct rule){ .part = PART_MESH };
	return (struct rule){ f->how, f->each, f->fits, f->of,
			      f->each == MERGE_FIELDS ? f->of->part
						      : PART_MESH };
}

struct cell cell_of(struct json_object *object, const char *key)
{
	struct cell c = { false, NULL };

	if (json_object_is_type(object, json_type_object))
		c.has = json_object_object_get_ex(object, key, &c.v);
	return c;
}

static bool same(struct cell a, struct cell b)
{
	return a.has == b.has && json_object_equal(a.v, b.v);
}

static struct cell taken(struct cell c)
{
	json_object_get(c.v);
	return c;
}

static void add_text(struct json_object *entry, const char *key, const char *s)
{
	if (s)
		json_object_object_add(entry, key, json_object_new_string(s));
}

static void add_cell(struct json_object *entry, const char *key, struct cell c)
{
	if (c.has)
		json_object_object_add(entry, key, taken(c).v);
}

struct json_object *merge_contest(struct merge *g, struct place at,
				  struct cell base, struct cell ours,
				  struct cell theirs)
{
	struct json_object *entry = json_object_new_object();

	add_text(entry, "part", part_word(at.part));
	add_text(entry, "name", at.name);
	add_text(entry, "field", at.field);
	add_text(entry, "item", at.item);
	add_cell(entry, "base", base);
	add_cell(entry, "ours", ours);
	add_cell(entry, "theirs", theirs);
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
static struct cell merge_sets(struct cell b, struct cell o, struct cell t)
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
	return (struct cell){ true, out };
}

static struct rule rule_for(const struct rule *r, const char *key)
{
	if (r->how == MERGE_ENTRIES)
		return (struct rule){ .how = r->each, .of = r->of };
	return rule_of(object_member(r->of, key));
}

/* The place of the member @key of what is at @at. */
static struct place inner_place(struct place at, const struct rule *r,
				const char *key)
{
	if (r->how == MERGE_ENTRIES && r->part != PART_MESH)
		return (struct place){ r->part, key, NULL, NULL };
	if (at.field)
		at.item = key;
	else
		at.field = key;
	return at;
}

static struct cell merge_cells(struct merge *g, const struct rule *r,
			       struct place at, struct cell b, struct cell o,
			       struct cell t);

/* One member of @out, from the three sides. */
static void merge_member(struct merge *g, const struct rule *r,
			 struct place at, const char *key,
			 const struct cell sides[3], struct json_object *out)
{
	const struct rule inner = rule_for(r, key);
	struct place place = inner_place(at, r, key);
	struct cell b = cell_of(sides[0].v, key), o = cell_of(sides[1].v, key),
		    t = cell_of(sides[2].v, key), merged;

	if (inner.part != PART_MESH)
		place = (struct place){ 0 };
	/* another name takes no yes away from a node */
	if (g->asking && place.part == PART_NODE && !place.field && !b.has &&
	    !o.has) {
		b.v = merge_known_node(g, tree_text(tree_get(t.v, "public_key"),
						    "public_key"));
		b.has = b.v != NULL;
		o = b;
	}
	merged = merge_cells(g, &inner, place, b, o, t);
	if (merged.has)
		json_object_object_add(out, key, merged.v);
}

/* All members: ours in their order, then what only theirs has. */
static struct cell merge_members(struct merge *g, const struct rule *r,
				 struct place at, const struct cell sides[3])
{
	struct json_object *out = json_object_new_object();

	if (sides[1].v) {
		json_object_object_foreach(sides[1].v, key, member) {
			(void)member;
			merge_member(g, r, at, key, sides, out);
		}
	}
	if (sides[2].v) {
		json_object_object_foreach(sides[2].v, theirs, value) {
			(void)value;
			if (!tree_has(sides[1].v, theirs))
				merge_member(g, r, at, theirs, sides, out);
		}
	}
	return (struct cell){ true, out };
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

static bool only_newest(const struct rule *r)
{
	return r->how == MERGE_NEWEST ||
	       (r->how == MERGE_ENTRIES && r->each == MERGE_NEWEST);
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

		if (only_newest(&inner) ||
		    same(cell_of(base, field), cell_of(now, field)))
			continue;
		if (inner.how != MERGE_SET || !no_more(value, tree_get(base, field)))
			return true;
	}
	return false;
}

/* Both sides changed it, and not in the same way. */
static struct cell merge_changed(struct merge *g, const struct rule *r,
				 struct place at, const struct cell sides[3])
{
	struct cell b = sides[0], o = sides[1], t = sides[2];

	switch (r->how) {
	case MERGE_SET:
		return merge_sets(b, o, t);
	case MERGE_NEWEST:
		return taken(g->theirs_newer ? t : o);
	case MERGE_ENTRIES:
		return merge_members(g, r, at, sides);
	case MERGE_FIELDS:
		if (o.has && t.has)
			return merge_members(g, r, at, sides);
		if (!said_anew(r, b.v, o.has ? o.v : t.v))
			return (struct cell){ false, NULL };
		break;
	case MERGE_LEAF:
	case MERGE_APART:
		break;
	}
	merge_contest(g, at, b, o, t);
	return taken(o);
}

/*
 * Their side changed what needs a yes: ours stays, and theirs is what a merge
 * that asks nobody would make.
 */
static struct cell ask(struct merge *g, const struct rule *r, struct place at,
		       const struct cell sides[3])
{
	struct cell all = r->how == MERGE_SET ? merge_sets(sides[0], sides[1],
						     sides[2])
					: taken(sides[2]);

	if (merge_needs_yes(g, at, sides[1].v, all.v))
		merge_contest(g, at, sides[0], sides[1], all);
	json_object_put(all.v);
	return taken(sides[1]);
}

static bool asks(const struct merge *g, const struct rule *r, struct place at,
		 const struct cell sides[3])
{
	return g->asking && r->how <= MERGE_SET &&
	       (r->how == MERGE_SET || same(sides[0], sides[1])) &&
	       merge_needs_yes(g, at, sides[0].v, sides[2].v);
}

/* Their changes alone, which a merge that asks looks into. */
static struct cell merge_theirs(struct merge *g, const struct rule *r,
				struct place at, const struct cell sides[3])
{
	bool was_in_new = g->in_new;
	struct cell merged;

	g->in_new |= at.part == PART_NODE && !at.field && !sides[0].has;
	merged = merge_members(g, r, at, sides);
	g->in_new = was_in_new;
	return merged;
}

/* The result is the caller's. */
static struct cell merge_cells(struct merge *g, const struct rule *r,
			       struct place at, struct cell b, struct cell o,
			       struct cell t)
{
	const struct cell sides[] = { b, o, t };

	if (same(o, t) || same(b, t))
		return taken(o);
	if (g->careful && r->fits) {
		merge_contest(g, at, b, o, t);
		return taken(o);
	}
	if (asks(g, r, at, sides))
		return ask(g, r, at, sides);
	/* a careful merge looks into what only theirs changed, too */
	if (same(b, o) && ((!g->careful && !g->asking) || !t.has ||
			   (r->how != MERGE_FIELDS && r->how != MERGE_ENTRIES)))
		return taken(t);
	if (same(b, o))
		return merge_theirs(g, r, at, sides);
	return merge_changed(g, r, at, sides);
}

/* ---- the whole ---- */

static int check_same_mesh(const struct mesh *ours, const struct mesh *theirs,
			   struct err *e)
{
	if (!ours->mesh_id || !theirs->mesh_id ||
	    strcmp(ours->mesh_id, theirs->mesh_id) == 0)
		return 0;
	return err_set(e, ERR_CONFLICT, "the two sides are different meshes: "
		       "id %s and %s", ours->mesh_id, theirs->mesh_id);
}

/* No work makes so many changes: the hosts would refuse every other state. */
static int check_jump(const struct mesh *ours, const struct mesh *theirs,
		      struct err *e)
{
	if (!mesh_serial_jumps(ours, theirs))
		return 0;
	err_set(e, ERR_CONFLICT, "their serial jumps from %" PRIu64 " to %"
		PRIu64, ours->serial, theirs->serial);
	return err_advise(e, ADVICE_SEE_INCOMING, NULL);
}

static int check_sides(const struct mesh *ours, const struct mesh *theirs,
		       struct err *e)
{
	if (check_same_mesh(ours, theirs, e) < 0)
		return -1;
	if (mesh_has_conflicts(ours) || mesh_has_conflicts(theirs)) {
		err_set(e, ERR_CONFLICT, "%s side has conflicts of an earlier "
			"merge", mesh_has_conflicts(ours) ? "our" : "their");
		return err_advise(e, ADVICE_RESOLVE, NULL);
	}
	return 0;
}

/* The tree without what is no content. */
static int content_of(struct json_object **out, const struct mesh *m,
		      struct err *e)
{
	const struct mesh_field *rows[OBJECT_MEMBERS];
	size_t n = object_members(&object_mesh, rows);

	if (tree_of_mesh(out, m, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (rows[i]->how == MERGE_APART)
			json_object_object_del(*out, rows[i]->json);
	json_object_object_del(*out, MERGE_CONFLICTS);
	return 0;
}

static void merge_trees(struct merge *g)
{
	const struct cell b = { true, g->base }, o = { true, g->ours },
			  t = { true, g->theirs };
	const struct rule whole = { .how = MERGE_FIELDS, .of = &object_mesh };
	bool one_sided = same(b, o) || same(b, t);

	json_object_put(g->out);
	json_object_put(g->conflicts);
	g->conflicts = json_object_new_array();
	g->out = merge_cells(g, &whole, (struct place){ 0 }, b, o, t).v;
	if (!one_sided)
		merge_settle(g);
	merge_contest_secret(g);
}

/* Their tombstones are not contested one by one: there is no such conflict. */
static int check_tombstones(struct merge *g, struct err *e)
{
	AUTO(conflicts_done) struct conflicts found = { 0 };
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

	g->conflicts = json_object_new_array();
	merge_contest_tombstones(g);
	if (conflicts_of_list(&found, g->conflicts, e) < 0)
		return -1;
	if (found.len == 0)
		return 0;
	conflict_text(&text, &found.items[0]);
	err_set(e, ERR_CONFLICT, "%s", sbuf_str(&text));
	return err_advise(e, ADVICE_SEE_INCOMING, NULL);
}

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

/* Merge; when that cannot be loaded, contest all that may be why. */
static int merge_into(struct mesh *out, struct merge *g, struct err *e)
{
	merge_trees(g);
	if (to_mesh(out, g, e) == 0)
		return 0;
	g->careful = true;
	merge_trees(g);
	if (to_mesh(out, g, e) < 0)
		return err_wrap(e, "the two sides do not fit together");
	return 0;
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

static int contents_of(struct merge *g, const struct mesh *base,
		       const struct mesh *ours, const struct mesh *theirs,
		       struct err *e)
{
	if (content_of(&g->base, base, e) < 0 ||
	    content_of(&g->ours, ours, e) < 0 ||
	    content_of(&g->theirs, theirs, e) < 0)
		return -1;
	return 0;
}

static int merge_all(struct mesh *out, struct merge *g, const struct mesh *base,
		     const struct mesh *ours, const struct mesh *theirs,
		     struct err *e)
{
	AUTO(mesh_done) struct mesh merged = { 0 };

	g->theirs_newer = theirs->serial > ours->serial;
	if (check_sides(ours, theirs, e) < 0 ||
	    (g->asking && check_jump(ours, theirs, e) < 0) ||
	    contents_of(g, base, ours, theirs, e) < 0 ||
	    (g->asking && check_tombstones(g, e) < 0) ||
	    merge_into(&merged, g, e) < 0)
		return -1;
	if (mesh_serial_next(&merged, (g->theirs_newer ? theirs : ours)->serial,
			     e) < 0)
		return -1;
	mesh_secrets_merge(&merged, ours, theirs);
	*out = merged;
	memset(&merged, 0, sizeof merged);
	return 0;
}

int mesh_merge(struct mesh *out, const struct mesh *base,
	       const struct mesh *ours, const struct mesh *theirs,
	       struct conflicts *conflicts, struct err *e)
{
	AUTO(merge_done) struct merge g = { 0 };
	AUTO(mesh_done) struct mesh merged = { 0 };

	if (merge_all(&merged, &g, base, ours, theirs, e) < 0 ||
	    mesh_conflicts(conflicts, &merged, e) < 0)
		return -1;
	*out = merged;
	memset(&merged, 0, sizeof merged);
	return 0;
}

int mesh_merge_unattended(struct mesh *out, const struct mesh *base,
			  const struct mesh *ours, const struct mesh *theirs,
			  struct conflicts *conflicts, struct err *e)
{
	AUTO(merge_done) struct merge g = {
		.asking = true,
		.secrets = mesh_secrets_relate(base, ours, theirs),
	};
	AUTO(mesh_done) struct mesh merged = { 0 };

	if (g.secrets == SECRETS_FOREIGN) {
		err_set(e, ERR_CONFLICT, "their side does not have the secret "
			"of this mesh, so somebody else may have made it");
		return err_advise(e, ADVICE_FOREIGN_SECRET, NULL);
	}
	if (merge_all(&merged, &g, base, ours, theirs, e) < 0 ||
	    mesh_conflicts(conflicts, &merged, e) < 0)
		return -1;
	*out = merged;
	memset(&merged, 0, sizeof merged);
	return 0;
}

int mesh_trust_changes(struct conflicts *out, const struct mesh *before,
		       const struct mesh *after, struct err *e)
{
	AUTO(merge_done) struct merge g = { .asking = true };

	if (check_same_mesh(before, after, e) < 0 ||
	    contents_of(&g, before, before, after, e) < 0)
		return -1;
	merge_trees(&g);
	merge_contest_tombstones(&g);
	return conflicts_of_list(out, g.conflicts, e);
}
