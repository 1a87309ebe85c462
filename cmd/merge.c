/*
 * wgmesh merge: the conflicts of a merge, shown and resolved.
 */
#include "cmd/cmd.h"

#include "cmd/jout.h"
#include "cmd/known.h"
#include "state/git/git.h"
#include "state/merge/merge.h"
#include "state/model/model.h"

#include <string.h>

static void print_json(const struct conflicts *all)
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

/* Each with the words that resolve it. */
static void print_lines(const struct conflicts *all)
{
	for (size_t i = 0; i < all->len; i++) {
		const struct conflict *c = &all->items[i];
		AUTO(sbuf_done) struct sbuf line = SBUF_INIT;

		conflict_text(&line, c);
		put("%s\n", sbuf_str(&line));
		put("    wgmesh merge -resolve %s %s %s ours|theirs\n",
		    part_word(c->part), c->name ? c->name : CONFLICT_NONE,
		    c->field ? c->field : CONFLICT_NONE);
	}
	if (all->len == 0)
		put("no conflicts\n");
}

/* No conflicts, for the merge driver could not open the sides? */
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

static int list(const struct cmd_env *env, struct err *e)
{
	AUTO(auto_store_close) struct store *s = NULL;
	AUTO(conflicts_done) struct conflicts all = { 0 };

	if (env_open(&s, env, false, e) < 0 ||
	    mesh_conflicts(&all, store_mesh(s), e) < 0 ||
	    (!all.len && check_merged(s, e) < 0))
		return -1;
	if (env->options.json)
		print_json(&all);
	else
		print_lines(&all);
	return 0;
}

static int side_of(enum merge_side *out, const char *word, struct err *e)
{
	if (strcmp(word, "ours") == 0)
		*out = MERGE_OURS;
	else if (strcmp(word, "theirs") == 0)
		*out = MERGE_THEIRS;
	else
		return err_set(e, ERR_INPUT, "'%s': expected ours or theirs",
			       word);
	return 0;
}

/* What the arguments choose: "all SIDE" or "PART NAME FIELD SIDE". */
static int choose(struct mesh *m, const struct strings *args, struct err *e)
{
	enum mesh_part part;
	enum merge_side side;

	if (side_of(&side, args->items[args->len - 1], e) < 0)
		return -1;
	if (args->len == 2 && strcmp(args->items[0], "all") == 0)
		return merge_resolve_all(m, side, e);
	if (args->len != 4)
		return err_set(e, ERR_INPUT, "expected: wgmesh merge -resolve "
			       "PART NAME FIELD ours|theirs, or all "
			       "ours|theirs");
	if (!part_find(&part, args->items[0]))
		return err_set(e, ERR_INPUT, "'%s': expected mesh, node, group "
			       "or policy", args->items[0]);
	return merge_resolve(m, part, args->items[1], args->items[2], side, e);
}

static void print_changes(const struct mesh *before, const struct mesh *after)
{
	AUTO(changes_done) struct changes all = { 0 };

	mesh_diff(&all, before, after);
	for (size_t i = 0; i < all.len; i++) {
		AUTO(sbuf_done) struct sbuf line = SBUF_INIT;

		change_text(&line, &all.items[i]);
		put("%s\n", sbuf_str(&line));
	}
}

/* How many are left, and what comes next. */
static int print_left(const struct mesh *m, struct err *e)
{
	AUTO(conflicts_done) struct conflicts left = { 0 };

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

/* The merge is git's: its commit is the user's to make. */
static int resolve(const struct cmd_env *env, struct err *e)
{
	AUTO(auto_store_close) struct store *s = NULL;
	AUTO(mesh_done) struct mesh before = { 0 };
	struct mesh *m;
	bool asked;

	if (env_open(&s, env, true, e) < 0 ||
	    store_original(&before, s, e) < 0)
		return -1;
	m = store_mesh(s);
	if (!mesh_has_conflicts(m)) {
		if (check_merged(s, e) < 0)
			return -1;
		put("no conflicts\n");
		return 0;
	}
	asked = asks_secret(m);
	if (choose(m, &env->args, e) < 0 || store_save(s, true, e) < 0)
		return -1;
	if (asked && !asks_secret(m))
		known_note(m);
	print_changes(&before, m);
	return print_left(m, e);
}

int cmd_merge(struct cmd_env *env)
{
	struct err e;

	if ((env->args.len ? resolve(env, &e) : list(env, &e)) < 0)
		return fail(&e);
	return EXIT_DONE;
}
