/*
 * wgmesh merge: the conflicts of a merge, shown and resolved. The merge itself
 * is cmd/merge_driver.c, which git calls; here nobody but the user decides.
 */
#include "cmd/change.h"

#include "cmd/jout.h"
#include "cmd/known.h"
#include "state/git/git.h"
#include "state/merge/merge.h"

#include <string.h>

static void print_conflicts_json(const struct conflicts *all)
{
	struct jout *j = jout_new();

	jout_list(j, "conflicts");
	for (size_t i = 0; i < all->len; i++) {
		const struct conflict *c = &all->items[i];

		jout_open(j, NULL);
		jout_text(j, "part", part_word(c->part));
		jout_text(j, "name", c->name);
		jout_text(j, "field", c->field);
		jout_text(j, "with", c->with);
		jout_text(j, "base", c->base);
		jout_text(j, "ours", c->ours);
		jout_text(j, "theirs", c->theirs);
		jout_end(j);
	}
	jout_end(j);
	jout_print(j);
}

/*
 * A state without conflicts may be one that the merge driver could not open:
 * git leaves our side in the file then, and only its index knows.
 */
static int check_merged(struct store *s, struct err *e)
{
	struct repo *r = NULL;
	struct err ignored;
	int ret = 0;

	if (repo_open(&r, store_file(s), &ignored) == 0 && r &&
	    repo_is_unmerged(r))
		ret = err_set(e, ERR_CONFLICT, "git has not merged the state, "
			      "it is our side alone: git checkout -m ':/%s' "
			      "merges it", repo_path(r));
	repo_close(r);
	return ret;
}

static int list_conflicts(const struct cmd_env *env, struct err *e)
{
	AUTO(auto_store_close) struct store *s = NULL;
	AUTO(conflicts_done) struct conflicts all = { 0 };

	if (env_open(&s, env, false, e) < 0 ||
	    mesh_conflicts(&all, store_mesh(s), e) < 0 ||
	    (!all.len && check_merged(s, e) < 0))
		return -1;
	if (env->options.json) {
		print_conflicts_json(&all);
		return 0;
	}
	for (size_t i = 0; i < all.len; i++) {
		const struct conflict *c = &all.items[i];
		AUTO(sbuf_done) struct sbuf line = SBUF_INIT;

		/* each with the words that resolve it */
		conflict_text(&line, c);
		put("%s\n", sbuf_str(&line));
		put("    wgmesh merge -resolve %s %s %s ours|theirs\n",
		    part_word(c->part), c->name ? c->name : CONFLICT_NONE,
		    c->field ? c->field : CONFLICT_NONE);
	}
	if (all.len == 0)
		put("no conflicts\n");
	return 0;
}

/* What the arguments choose: "all SIDE" or "PART NAME FIELD SIDE". */
static int resolve_by_words(struct mesh *m, const struct strings *args,
			    struct err *e)
{
	const char *last = args->items[args->len - 1];
	const char *first = args->items[0];
	enum merge_side side;
	enum mesh_part part;

	if (strcmp(last, "ours") == 0)
		side = MERGE_OURS;
	else if (strcmp(last, "theirs") == 0)
		side = MERGE_THEIRS;
	else
		return err_set(e, ERR_INPUT, "'%s': expected ours or theirs",
			       last);
	if (args->len == 2 && strcmp(first, "all") == 0)
		return merge_resolve_all(m, side, e);
	if (args->len != 4)
		return err_set(e, ERR_INPUT, "expected: wgmesh merge -resolve "
			       "PART NAME FIELD ours|theirs, or all "
			       "ours|theirs");
	if (!part_find(&part, first))
		return err_set(e, ERR_INPUT, "'%s': expected mesh, node, group "
			       "or policy", first);
	return merge_resolve(m, part, args->items[1], args->items[2], side, e);
}

/* Is there another secret of the mesh to agree to? */
static bool asks_secret(const struct mesh *m)
{
	AUTO(conflicts_done) struct conflicts all = { 0 };
	struct err ignored;
	bool found = false;

	if (mesh_conflicts(&all, m, &ignored) < 0)
		return false;
	for (size_t i = 0; i < all.len; i++)
		found |= all.items[i].part == PART_MESH &&
			 strcmp(all.items[i].field, CONFLICT_SECRET) == 0;
	return found;
}

/*
 * Judged by merge_resolve(), not by change_finish(), which would take what is
 * not resolved yet for errors. The commit of the merge is the user's to make,
 * by git.
 */
static int resolve(const struct cmd_env *env, struct err *e)
{
	AUTO(change_done) struct change_run c;
	AUTO(conflicts_done) struct conflicts left = { 0 };
	struct mesh *m;
	bool asked;

	if (change_begin(&c, env, e) < 0)
		return -1;
	m = change_mesh(&c);
	if (!mesh_has_conflicts(m)) {
		if (check_merged(c.store, e) < 0)
			return -1;
		put("no conflicts\n");
		return 0;
	}
	asked = asks_secret(m);
	if (resolve_by_words(m, &env->args, e) < 0 ||
	    store_save(c.store, true, e) < 0)
		return -1;
	if (asked && !asks_secret(m)) /* choosing a side was the yes to it */
		known_note(m);
	mesh_diff(&c.changes, &c.before, m);
	change_print(&c);
	if (mesh_conflicts(&left, m, e) < 0)
		return -1;
	if (left.len)
		put("%zu conflict%s left\n", left.len,
		    left.len == 1 ? "" : "s");
	else
		put("all conflicts are resolved: git add the state and "
		    "commit\n");
	return 0;
}

int cmd_merge(struct cmd_env *env)
{
	struct err e;
	int ret = env->args.len ? resolve(env, &e) : list_conflicts(env, &e);

	return ret < 0 ? fail(&e) : EXIT_DONE;
}
