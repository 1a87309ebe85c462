/*
 * Each field goes back from commit to parent as long as it is the same there;
 * where it is not, that commit made it what it is. So a commit is opened only
 * as long as a field is looked for in it, and one that differs from its parent
 * in nothing is not opened at all: opening a sealed state costs.
 */
#include "cmd/revision.h"

#include "acl/access.h"
#include "state/model/model.h"

#include <string.h>

/** Parents of a merge that are looked at. */
#define PARENTS_MAX 8
/** Groups are no member of a node, so mesh_diff() tells of them elsewhere. */
#define GROUPS "groups"
/** Fields that there can be: a bit for each in `fields`, and one for GROUPS. */
#define FIELDS_MAX 63

/** A field as it is now. */
struct blamed {
	const char *field;
	char *value;
	struct revision by; /* without an id: not committed */
	bool earlier;       /* or a commit before, which cannot be opened */
};

/** Fields that are in this commit what they are now, by number. */
struct suspect {
	struct revision at;
	struct sbuf raw;
	struct mesh mesh;
	uint64_t fields;
};

struct blame {
	struct past past;
	const char *name;
	VEC(struct blamed) fields;
	VEC(struct suspect) suspects;
};

static void suspect_done(struct suspect *s)
{
	revision_done(&s->at);
	sbuf_done(&s->raw);
	mesh_done(&s->mesh);
}

static void blame_done(struct blame *b)
{
	for (size_t i = 0; i < b->fields.len; i++) {
		free(b->fields.items[i].value);
		revision_done(&b->fields.items[i].by);
	}
	for (size_t i = 0; i < b->suspects.len; i++)
		suspect_done(&b->suspects.items[i]);
	vec_done(&b->fields);
	vec_done(&b->suspects);
	past_done(&b->past);
}

/* ---- comparing ---- */

/*
 * Append what makes @after of @before, both nodes of that name. The meshes are
 * flat copies with that one node in them, so that a mesh of thousands costs no
 * more than a small one; their members are borrowed.
 */
static void diff_node(struct changes *out, const struct mesh *m,
		      struct node *before, const struct mesh *n,
		      struct node *after)
{
	struct mesh a = *m, b = *n;

	a.nodes = (struct nodes){ before, 1, 1 };
	b.nodes = (struct nodes){ after, 1, 1 };
	a.groups = b.groups = (struct groups){ 0 };
	a.policies = b.policies = (struct policies){ 0 };
	a.removed = b.removed = (struct nodes){ 0 };
	mesh_diff(out, &a, &b);
}

static char *groups_text(const struct mesh *m, const char *name)
{
	AUTO(strings_done) struct strings groups = { 0 };
	struct sbuf b = SBUF_INIT;

	access_groups_of(m, name, &groups);
	for (size_t i = 0; i < groups.len; i++)
		sbuf_printf(&b, "%s%s", i ? ", " : "", groups.items[i]);
	sbuf_puts(&b, "");
	return sbuf_detach(&b);
}

/* The fields that are not in @old what they are in @now. */
static uint64_t changed_fields(const struct blame *b, const struct mesh *old,
			       const struct mesh *now)
{
	struct node *before = nodes_find(&old->nodes, b->name);
	struct node *after = nodes_find(&now->nodes, b->name);
	AUTO(changes_done) struct changes all = { 0 };
	AUTO(auto_free) char *was = groups_text(old, b->name);
	AUTO(auto_free) char *is = groups_text(now, b->name);
	uint64_t set = 0;

	if (!before || !after)
		return UINT64_MAX;
	diff_node(&all, old, before, now, after);
	for (size_t i = 0; i < b->fields.len; i++) {
		const char *field = b->fields.items[i].field;
		bool other = strcmp(field, GROUPS) == 0 && strcmp(was, is) != 0;

		for (size_t k = 0; k < all.len && !other; k++)
			other = all.items[k].part == PART_NODE &&
				strcmp(all.items[k].field, field) == 0;
		set |= (uint64_t)other << i;
	}
	return set;
}

/* What the node says now: what makes it of one that says nothing. */
static void list_fields(struct blame *b, const struct mesh *m, struct node *n)
{
	AUTO(changes_done) struct changes all = { 0 };
	AUTO(auto_free) char *groups = groups_text(m, b->name);
	struct node bare = { 0 };

	node_init(&bare, b->name);
	diff_node(&all, m, &bare, m, n);
	node_done(&bare);
	for (size_t i = 0; i < all.len && b->fields.len < FIELDS_MAX; i++)
		if (all.items[i].part == PART_NODE)
			vec_push(&b->fields, ((struct blamed){
				.field = all.items[i].field,
				.value = mem_strdup(all.items[i].after) }));
	if (*groups)
		vec_push(&b->fields,
			 ((struct blamed){ .field = GROUPS,
					   .value = STEAL(groups) }));
}

/* ---- from commit to parent ---- */

/* What no parent has as it is now was made by the commit of @s. */
static void blame_commit(struct blame *b, const struct suspect *s,
			 bool earlier)
{
	for (size_t i = 0; i < b->fields.len; i++) {
		struct blamed *f = &b->fields.items[i];

		if (!(s->fields & (uint64_t)1 << i))
			continue;
		f->by.time = s->at.time;
		f->by.author = mem_strdup(s->at.author);
		f->by.subject = mem_strdup(s->at.subject);
		memcpy(f->by.id, s->at.id, sizeof f->by.id);
		f->earlier = earlier;
	}
}

/*
 * Give parent @rev the fields of @s that are the same there: none, if it has no
 * state. False when it cannot be looked at.
 */
static bool ask_parent(struct blame *b, struct suspect *s, const char *rev,
		       struct err *e)
{
	AUTO(suspect_done) struct suspect parent = { .raw = SBUF_SECRET };

	if (repo_read(b->past.repo, rev, &parent.raw, &parent.at, e) < 0)
		return e->code == ERR_INPUT;
	parent.fields = s->fields;
	if (parent.raw.len == s->raw.len &&
	    memcmp(sbuf_str(&parent.raw), sbuf_str(&s->raw), s->raw.len) == 0) {
		parent.mesh = s->mesh;
		memset(&s->mesh, 0, sizeof s->mesh);
	} else {
		AUTO(auto_free) char *what = mem_printf(
			"revision '%.*s'", REVISION_SHORT, parent.at.id);

		if (past_parse(&b->past, &parent.raw, what, &parent.mesh,
			       e) < 0)
			return false;
		parent.fields &= ~changed_fields(b, &parent.mesh, &s->mesh);
	}
	s->fields &= ~parent.fields;
	if (parent.fields) {
		vec_push(&b->suspects, parent);
		memset(&parent, 0, sizeof parent);
	}
	return true;
}

/* What cannot be looked at ends the way: a shallow clone, a key not ours. */
static bool ended_by(const struct err *e)
{
	note("%s; what is before that is not looked at", err_words(e).s);
	return true;
}

/* Let the parents of @s take what they have as it is now. */
static void ask_parents(struct blame *b, struct suspect *s)
{
	bool ended = false;
	int parents;
	struct err e;

	/* a commit that did not touch the file passes all on, unread */
	while (!ended && !s->at.changed && !s->at.merge) {
		AUTO(auto_free) char *rev = mem_printf("%s^", s->at.id);
		struct revision parent = { 0 };

		if (repo_read(b->past.repo, rev, NULL, &parent, &e) < 0) {
			ended = ended_by(&e);
			continue;
		}
		revision_done(&s->at);
		s->at = parent;
	}
	parents = ended ? 0 : s->at.merge ? PARENTS_MAX : 1;
	for (int i = 1; i <= parents && s->fields; i++) {
		AUTO(auto_free) char *rev = mem_printf("%s^%d", s->at.id, i);

		if (!ask_parent(b, s, rev, &e))
			ended = ended_by(&e);
	}
	blame_commit(b, s, ended);
}

/* From the work tree on. */
static int blame_node(struct blame *b, const char *name, struct err *e)
{
	AUTO(suspect_done) struct suspect now = { .raw = SBUF_SECRET };
	struct node *n;

	b->name = name;
	if (past_file(&b->past, &now.raw, &now.mesh, e) < 0)
		return -1;
	n = edit_node(&now.mesh, name, e);
	if (!n)
		return -1;
	list_fields(b, &now.mesh, n);
	if (b->fields.len)
		now.fields = UINT64_MAX >> (64 - b->fields.len);
	if (!ask_parent(b, &now, "HEAD", e))
		return -1;
	blame_commit(b, &now, false);
	while (b->suspects.len) {
		AUTO(suspect_done) struct suspect s =
			b->suspects.items[--b->suspects.len];

		ask_parents(b, &s);
	}
	return 0;
}

/* ---- showing ---- */

static void put_blame(const struct blame *b)
{
	for (size_t i = 0; i < b->fields.len; i++) {
		const struct blamed *f = &b->fields.items[i];
		const char *value = f->value ? f->value : "unset";
		AUTO(auto_free) char *author = NULL;
		char when[REVISION_DATE];

		if (!*f->by.id) {
			put("%-30s  %s %s\n", "not committed", f->field,
			    value);
			continue;
		}
		author = revision_author(&f->by);
		put("%.*s  %s  %.60s: %s %s%s\n", REVISION_SHORT, f->by.id,
		    revision_date(&f->by, when), author, f->field, value,
		    f->earlier ? " (or earlier)" : "");
	}
}

static void put_blame_json(const struct blame *b)
{
	struct jout *j = jout_new();

	jout_text(j, "node", b->name);
	jout_list(j, "fields");
	for (size_t i = 0; i < b->fields.len; i++) {
		const struct blamed *f = &b->fields.items[i];

		jout_open(j, NULL);
		jout_text(j, "field", f->field);
		jout_text(j, "value", f->value);
		jout_bool(j, "or_earlier", f->earlier);
		if (*f->by.id) {
			jout_open(j, "commit");
			revision_json(j, &f->by);
			jout_end(j);
		} else {
			jout_text(j, "commit", NULL);
		}
		jout_end(j);
	}
	jout_end(j);
	jout_print(j);
}

int cmd_blame(struct cmd_env *env)
{
	AUTO(blame_done) struct blame b = { 0 };
	struct err e;

	if (past_open(&b.past, env, &e) < 0 ||
	    blame_node(&b, env->args.items[0], &e) < 0)
		return fail(&e);
	if (env->options.json)
		put_blame_json(&b);
	else
		put_blame(&b);
	return EXIT_DONE;
}
